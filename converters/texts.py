"""One text per row: a prompt template of your own, ChatML, AutoTrain's columns, and tables."""

from converters.dialogue import INPUT, REJECTED, SYSTEM, TURNS, Dialogue
from converters.formats import PREFERENCE, SFT, Format, Record, empty
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


def _chatml(dialogue: Dialogue, _: str) -> Record:
    turns = [f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in dialogue.messages()]
    return {"text": "".join(turns)}


def _bad_chatml(record: Record) -> str:
    """A turn that prints the marks itself would end early."""
    text = record["text"]
    return "" if text.count("<|im_start|>") == text.count("<|im_end|>\n") else "a turn holds the marks of a turn"


def _autotrain_pair(dialogue: Dialogue, _: str) -> Record:
    return {"prompt": dialogue.prompt, "text": dialogue.reply, "rejected_text": dialogue.rejected}


def _table(dialogue: Dialogue, _: str) -> Record:
    told = dialogue.instruction or dialogue.prompt
    return {"system": dialogue.system, "instruction": told, "input": dialogue.input, "output": dialogue.reply, "rejected": dialogue.rejected}  # fmt: skip


_COLUMNS = ("system", "instruction", "input", "output", "rejected")


def _bad_text(record: Record) -> str:
    return empty(record, "text")


def _bad_table(record: Record) -> str:
    return empty(record, "output")


FORMATS = (
    Format("text", "anything that trains on texts", "-", "`### Instruction / ### Input / ### Response`, or --template", SFT, frozenset({INPUT, SYSTEM}), _text, _bad_text, ("text",)),
    Format("chatml", "anything that trains on texts", "-", "ChatML", SFT, frozenset({SYSTEM, TURNS}), _chatml, _bad_chatml, ("text",)),
    Format("autotrain", "AutoTrain, text_column", "-", "AutoTrain documentation, LLM fine-tuning", SFT, frozenset({SYSTEM, TURNS}), _chatml, _bad_chatml, ("text",)),
    Format("autotrain-dpo", "AutoTrain, prompt, text and rejected text columns", "-", "AutoTrain documentation, LLM fine-tuning", PREFERENCE, frozenset({REJECTED}), _autotrain_pair, lambda record: empty(record, "prompt", "text", "rejected_text"), ("prompt", "text", "rejected_text")),
    Format("csv", "spreadsheets and data frames", "-", "a header and one row per line", SFT, frozenset({INPUT, SYSTEM, REJECTED}), _table, _bad_table, _COLUMNS, suffix=".csv"),
    Format("parquet", "data frames", "-", "the columns of csv", SFT, frozenset({INPUT, SYSTEM, REJECTED}), _table, _bad_table, _COLUMNS, suffix=".parquet"),
)  # fmt: skip
