"""Family B, row by row: what a row's columns say of it against what its texts say."""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.balance.word_bag import label_of
from validators.context import Answer
from validators.rules import RULES, declare

_ROW = '{{"instruction": "Is this good or bad news for {}? One word.", "input": "{} raised its outlook.", "output": "positive", "{}": "{}"}}'

CONTRADICTED = declare(
    "B016", "metadata contradicts the text",
    "A column names another label, side or symbol than the texts do, or a moment before the latest one the prompt shows.",
    "Whoever filters, stratifies or splits by the column gets the wrong rows.",
    _ROW.format("Acme", "Acme", "label", "negative"), _ROW.format("Acme", "Acme", "label", "positive"),
)  # fmt: skip

# Words for the same value; a column and an answer contradict each other only where both are known.
_SAME = {
    "bullish": "positive", "bearish": "negative", "positive": "positive", "negative": "negative", "neutral": "neutral",
    "buy": "long", "sell": "short", "long": "long", "short": "short", "hold": "none", "none": "none", "flat": "none",
    "no trade": "none", "no_trade": "none",
}  # fmt: skip
_GROUPS = {"positive": "tone", "negative": "tone", "neutral": "tone", "long": "side", "short": "side", "none": "side"}
_SYMBOL = re.compile(r"\b[A-Z0-9]{2,12}(?:USDT|USDC|USD|PERP)\b|\$[A-Z]{1,6}\b")


def _finding(message: str, field: str, evidence: str = "") -> Finding:
    return Finding(CONTRADICTED, message, RULES[CONTRADICTED].severity, field=field, evidence=evidence[:120])


def check_metadata(row: Row, answer: Answer | None) -> Iterator[Finding]:
    """B016 on the columns that say something about the texts; `answer` is there where the row speaks of a market."""
    if row.stated:
        yield from _check_label(row, answer)
        yield from _check_symbol(row)
    if row.as_of and answer is not None and answer.prompt.dates:
        last = max(date for date in answer.prompt.dates if isinstance(date, str))
        known = row.as_of.replace("T", " ")[: len(last)]
        if len(last) >= 10 and len(known) == len(last) and last.replace("T", " ") > known:
            yield _finding(f"as_of is {row.as_of}, and the prompt shows {last}", "as_of", last)


def _check_label(row: Row, answer: Answer | None) -> Iterator[Finding]:
    said = label_of(row.output)
    sides = {claim.value for claim in answer.claims if claim.kind == "side"} if answer is not None else set()
    for name in ("label", "sentiment", "side", "direction", "action", "signal"):
        column = _SAME.get(row.stated.get(name, "").casefold().strip(" ."))
        if column is None:
            continue
        text = _SAME.get(said) or (sides.pop() if len(sides) == 1 and _GROUPS[column] == "side" else None)
        if text is not None and text != column and _GROUPS[text] == _GROUPS[column]:
            yield _finding(f"column {name} says {row.stated[name]!r}, the answer {said or text!r}", name, row.output)


def _check_symbol(row: Row) -> Iterator[Finding]:
    for name in ("symbol", "ticker"):
        symbol = row.stated.get(name, "").strip().upper().lstrip("$")
        if not symbol or not symbol.isalnum():
            continue
        texts = f"{row.instruction}\n{row.input}\n{row.output}"
        named = {found.lstrip("$") for found in _SYMBOL.findall(texts)}
        if named and not any(symbol in other or other in symbol for other in named) and symbol not in texts.upper():
            yield _finding(f"column {name} says {symbol}, the texts {', '.join(sorted(named)[:3])}", name)
