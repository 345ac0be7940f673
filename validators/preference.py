"""Family C: what tells chosen from rejected is what DPO learns, so it must be the right thing."""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.rules import RULES, declare

_PAIR = '{{"prompt": "What is two plus two?", "chosen": {}, "rejected": {}}}'

_TRADE = (
    '{{"instruction": "What does the stop cost?", "input": "Position: long 0.500 BTC, entry 60,000.0, stop 58,800.0.", '
    '"chosen": "{}", "rejected": "{}"}}'
)

UNFOUND = declare(
    "C001", "rejected answer has no named finding",
    "The checker finds nothing in a rejected answer of a generated pair, or not what its defect names.",
    "A pair whose rejected side is right teaches the opposite.",
    "", "",
)  # fmt: skip
EQUAL = declare(
    "C002", "chosen equals rejected", "Both answers of a pair are the same but for case and white space.",
    "The pair has no gradient but noise.",
    _PAIR.format('"It is four."', '"It is  four."'), _PAIR.format('"It is four."', '"It is five, since two and two make five."'),
)  # fmt: skip
NEAR_EQUAL = declare(
    "C003", "chosen nearly equals rejected", "The answers differ in punctuation alone.",
    "What is learnt is a comma.",
    _PAIR.format('"It is four."', '"It is four!"'), _PAIR.format('"It is four."', '"It is five, since two and two make five."'),
    severity="warning",
)  # fmt: skip
EMPTY_CHOSEN = declare(
    "C004", "chosen declines, rejected answers", "The chosen answer is a refusal and the rejected one is not.",
    "The model learns to decline.",
    _PAIR.format('"I\'m sorry, but I cannot help with that."', '"It is four."'), _PAIR.format('"It is four."', '"I\'m sorry, but I cannot help with that."'),
    severity="warning",
)  # fmt: skip

WORSE = declare(
    "C005", "chosen is worse than rejected", "The chosen answer has an error in its numbers, its risk or its time, and the rejected one has none.",
    "The pair teaches the error.",
    _TRADE.format("With the stop at 58,300.0 the loss is fixed.", "With the stop at 58,800.0 the loss is fixed."),
    _TRADE.format("With the stop at 58,800.0 the loss is fixed.", "With the stop at 58,300.0 the loss is fixed."),
)  # fmt: skip

_REFUSES = re.compile(
    r"^\W*(?:i['’]?m sorry|sorry,|i apologi[sz]e|i (?:cannot|can['’]t|am unable|am not able)|as an ai)\b", re.IGNORECASE
)
_UNABLE = re.compile(r"\b(?:cannot|can['’]t|unable|not able|not capable|(?:don['’]t|do not|doesn['’]t|does not) have|will not|won['’]t)\b", re.IGNORECASE)  # fmt: skip
_HELPS = re.compile(r"\b(?:however|but (?:i can|here|as of)|instead|hypothetical|here (?:is|are)|here['’]s|i can)\b|```|\n[-*\d]", re.IGNORECASE)  # fmt: skip
_WORDS = re.compile(r"\w+")


def _declines(text: str) -> bool:
    """Whether an answer refuses and then gives nothing."""
    return bool(_REFUSES.search(text) and _UNABLE.search(text[:200]) and not _HELPS.search(text))


def _plain(text: str) -> str:
    """A text without case and white space that mean nothing; in code both mean something."""
    return text.strip() if "```" in text else " ".join(text.casefold().split())


def _finding(code: str, message: str, evidence: str = "") -> Finding:
    return Finding(code, message, RULES[code].severity, field="rejected", evidence=evidence[:120])


def check_pair(row: Row) -> Iterator[Finding]:
    """C002 to C004 on the two answers of a pair."""
    if not row.rejected or not row.output:
        return
    if _plain(row.output) == _plain(row.rejected):
        yield _finding(EQUAL, "chosen and rejected are the same text", row.output)
        return
    if (
        not row.defect
        and abs(len(row.output) - len(row.rejected)) < 8
        and [w.casefold() for w in _WORDS.findall(row.output)] == [w.casefold() for w in _WORDS.findall(row.rejected)]
    ):
        yield _finding(NEAR_EQUAL, "the same words in both answers; only punctuation differs", row.output)
    if _declines(row.output) and not _REFUSES.search(row.rejected):
        yield _finding(EMPTY_CHOSEN, "the chosen answer declines and the rejected one does not", row.output)


def unfound(row: Row, found: set[str], named: set[str]) -> Iterator[Finding]:
    """C001 for a rejected answer of our own in which the checker does not see what it should."""
    if not found or (named and found != named):
        yield _finding(
            UNFOUND, f"{row.defect or 'rejected'}: named {sorted(named)}, found {sorted(found)}", row.rejected
        )


def check_worse(row: Row, chosen: list[Finding], rejected: list[Finding]) -> Iterator[Finding]:
    """C005 on the findings of both answers."""
    wrong = [finding for finding in chosen if finding.severity == "error" and finding.field == "chosen"]
    if wrong and not any(finding.severity == "error" for finding in rejected):
        codes = ", ".join(sorted({finding.code for finding in wrong}))
        yield _finding(WORSE, f"the chosen answer has {codes}, the rejected one no error", row.output)
