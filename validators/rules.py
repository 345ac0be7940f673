"""The registry of rules: each has a code, a severity, what it means, why, and a bad and a good example."""

from dataclasses import dataclass

from tapewright.errors import ConfigError, suggest


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `bad` and `good` are what a test runs it on: (instruction, input, output), or a whole JSONL text."""

    code: str
    name: str
    severity: str
    summary: str
    why: str
    bad: tuple[str, str, str] | str
    good: tuple[str, str, str] | str
    task: str = ""


# By the first letter of a code: the family's name, and what it holds rows to.
FAMILIES = {
    "S": ("schema", "a row can be parsed, has a known shape, and its fields and turns are what that shape asks for"),
    "X": ("text", "texts a trainer would not want to teach: placeholders, fragments, residue"),
    "N": ("numbers", "numbers stand in the prompt, follow from it, or are said to be assumed"),
    "R": ("risk", "warnings, promises, stops and leverage"),
    "T": ("time", "an answer knows nothing that came after its moment"),
    "F": ("form", "the parts and the format an answer owes"),
    "C": ("preference", "what tells chosen from rejected is the right thing"),
    "B": ("balance", "what only the whole file shows"),
    "V": ("privacy", "what must not leave the house"),
    "D": ("duplicates", "rows that repeat each other; found by `dedup`, and by `validate --duplicates`"),
    "P": ("pine", "code of a row compiles and does not mislead"),
    "L": (
        "leakage",
        "test material that training has already seen; found by `leakage`, and by `validate` where files or rows name their split",
    ),  # fmt: skip
}

RULES: dict[str, Rule] = {}


def declare(
    code: str,
    name: str,
    summary: str,
    why: str,
    bad: tuple | str,
    good: tuple | str,
    severity: str = "error",
    task: str = "",
) -> str:
    """Register a rule beside the function that applies it; returns its code."""
    if code in RULES:
        raise ConfigError(f"rule code {code} is declared twice")
    RULES[code] = Rule(code, name, severity, summary, why, bad, good, task)
    return code


def rule(code: str) -> Rule:
    """The rule of `code`; raises ConfigError with the nearest code otherwise."""
    if code not in RULES:
        raise ConfigError(f"no rule {code!r}.{suggest(code, sorted(RULES))}")
    return RULES[code]
