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
