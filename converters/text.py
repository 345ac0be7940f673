"""One text per row in a prompt template: the Alpaca one, or your own."""

from converters.dialogue import INPUT, SYSTEM, Dialogue
from converters.formats import SFT, Format, Record, empty
from tapewright.errors import ConfigError

# The template of the Alpaca paper's releases; the part about the input falls away where a row has none.
DEFAULT = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n{output}"
_INPUT_PART = "\n\n### Input:\n{input}"


def check_template(template: str) -> None:
    """Raises ConfigError for a template that does not print the question and the answer."""
    for name in ("{instruction}", "{output}"):
        if name not in template:
            raise ConfigError(f"the template has no {name}; it may hold {{system}}, {{instruction}}, {{input}}, {{output}}")  # fmt: skip


def rendered(dialogue: Dialogue, template: str) -> str:
    """One row in a template. Without `{input}` of its own the input follows the instruction."""
    template = template or DEFAULT
    told, given = (dialogue.instruction, dialogue.input) if dialogue.instruction else (dialogue.prompt, "")
    if not given:
        template = template.replace(_INPUT_PART, "")
    elif "{input}" not in template:
        told = f"{told}\n\n{given}"
    if dialogue.system and "{system}" not in template:
        template = "{system}\n\n" + template
    parts = {"{system}": dialogue.system, "{instruction}": told, "{input}": given, "{output}": dialogue.reply}
    out, rest = "", template
    while rest:  # one pass: what a row says is never read as a placeholder
        name = min((name for name in parts if name in rest), key=rest.index, default="")
        if not name:
            return out + rest
        head, _, rest = rest.partition(name)
        out += head + parts[name]
    return out


def _text(dialogue: Dialogue, template: str) -> Record:
    return {"text": rendered(dialogue, template)}


def _bad_text(record: Record) -> str:
    return empty(record, "text")


FORMATS = (
    Format("text", "anything that trains on texts", "-", "`### Instruction / ### Input / ### Response`, or --template", SFT, frozenset({INPUT, SYSTEM}), _text, _bad_text, ("text",)),
)  # fmt: skip
