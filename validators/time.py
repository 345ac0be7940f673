"""Family T: an answer knows nothing that came after its moment, and names its frames rightly."""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.context import Answer
from validators.rules import RULES, declare

_DATA = "As of 2024-03-05 12:00 UTC. 4h (closed 2024-03-05 12:00 UTC): close 61,000.0, RSI(14) 61.2. 1d (closed 2024-03-05 00:00 UTC): close 60,500.0, RSI(14) 55.4."

LATER = declare(
    "T001", "uses what came later",
    "The answer names a moment after the last one its prompt shows, or tells what happened next.",
    "Hindsight in the training data is foresight invented at run time.",
    ("Read the chart.", _DATA, "By 2024-03-06 00:00 UTC price had recovered."),
    ("Read the chart.", _DATA, "At 2024-03-05 12:00 UTC RSI(14) on 4h was 61.2."),
)  # fmt: skip
UNCLOSED = declare(
    "T002", "uses an unclosed candle",
    "The answer rests on a candle that is still forming.",
    "An open candle can still become anything; a back-test on it is fiction.",
    ("Read the chart.", _DATA, "The candle in progress already confirms the move."),
    ("Read the chart.", _DATA, "The last closed 4h candle ended at 61,000.0."),
)  # fmt: skip
WRONG_FRAME = declare(
    "T003", "value of another timeframe",
    "A number is given for one timeframe and belongs to another.",
    "A daily RSI read as a 4-hour one flips the decision.",
    ("Read the chart.", _DATA, "On the 4h chart RSI(14) is 55.4."),
    ("Read the chart.", _DATA, "On the 4h chart RSI(14) is 61.2."),
)  # fmt: skip
FUTURE = declare(
    "T004", "timestamp in the future",
    "A market observation is dated later than the moment the row says it is as of.",
    "What had not happened yet was made up, or leaked from later data.",
    ("Read the chart.", _DATA + " Options expire 2024-06-28.", "On 2024-05-03 BTC closed at 61,000.0."),
    ("Read the chart.", _DATA + " Options expire 2024-06-28.", "At 2024-03-05 12:00 UTC it closed at 61,000.0; options expire on 2024-06-28."),
)  # fmt: skip

_HINDSIGHT = (
    "in hindsight", "as it turned out", "price later", "later that day", "the next candle closed", "the following candle",
    "subsequently", "went on to", "ended up", "the next day",
)  # fmt: skip
_FRAME = re.compile(r"\b(?:[14]h|1d)\b")
_FORMING = ("candle in progress", "still forming", "still-forming", "unclosed candle", "open candle", "forming candle", "before it has closed", "has yet to close")  # fmt: skip


def check_time(answer: Answer) -> None:
    """T001 on dates and hindsight, T002 on forming candles, T004 on dates. T003 is found with the numbers."""
    if answer.prompt.dates:
        _check_future(answer)
        last = max(answer.prompt.dates)
        for claim in answer.claims:
            if (
                claim.kind == "date"
                and isinstance(claim.value, str)
                and len(claim.value) > 8
                and claim.value[:16] > last[: len(claim.value[:16])]
            ):
                answer.report(LATER, f"{claim.value} is after {last}", claim.start, claim.end)
    if not answer.prompt.dates and (answer.spec is None or answer.spec.timeless):
        return
    _check_frames(answer)
    for phrase in _HINDSIGHT:
        if phrase in answer.lower:
            answer.report(
                LATER, f"tells what came after: {phrase!r}", (at := answer.lower.find(phrase)), at + len(phrase)
            )
            break
    for phrase in _FORMING:
        if phrase in answer.lower:
            answer.report(
                UNCLOSED, f"rests on an open candle: {phrase!r}", (at := answer.lower.find(phrase)), at + len(phrase)
            )
            break


_ENDS = re.compile(r"[.!?;](?=\s)|\n")


def _check_frames(answer: Answer) -> None:
    """T003 for a frame the prompt does not show, or one named where nothing of it is said.

    A frame that stands in a sentence with a reading of its own is judged with that reading; anywhere
    else it can only be the frame the prompt decides on.
    """
    prompt = answer.prompt.text.lower()
    main = answer.prompt.quantities.given.get("frame")
    read = {(claim.frame, claim.start) for claim in answer.claims if claim.frame and claim.strict}
    for match in _FRAME.finditer(answer.lower):
        frame, at = match.group(), match.start()
        if frame not in prompt:
            answer.report(WRONG_FRAME, f"the prompt shows no {frame} readings", *match.span())
            return
        if main is None or frame == main:
            continue
        start = max((m.end() for m in _ENDS.finditer(answer.text, 0, at)), default=0)
        end = next((m.start() for m in _ENDS.finditer(answer.text, at)), len(answer.text))
        if not any(own == frame and start <= place <= end for own, place in read):
            answer.report(WRONG_FRAME, f"{frame} is named, and the prompt decides on {main}", *match.span())
            return


# The moment a text says it speaks from. The clock is never asked: a check gives the same today and tomorrow.
_AS_OF = re.compile(r"\b(?:as[ _-]of|current (?:time|date)|time now|timestamp|today(?:'s date)?(?: is)?)\b[^\n\d]{0,12}(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d)?)", re.IGNORECASE)  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d)?")
_OBSERVED = re.compile(r"\b(?:closed|opened|traded|settled|printed|reached|hit|fell|rose|dropped|climbed|peaked|bottomed|stood|was|were)\b", re.IGNORECASE)  # fmt: skip
_AHEAD = re.compile(r"\b(?:will|would|shall|should|may|might|could|if|by|until|before|next|expir\w+|valid|due|targets?|forecast\w*|expect\w*|predict\w*|schedul\w+|plan\w*|project\w*|suppose|assum\w+|announced|set for)\b", re.IGNORECASE)  # fmt: skip


_MOMENT_WORDS = ("as of", "as-of", "as_of", "current", "time now", "timestamp", "today")


def _moment_of(text: str) -> re.Match[str] | None:
    """The moment a text says it speaks from."""
    lower = text.lower()
    return _AS_OF.search(text) if [word for word in _MOMENT_WORDS if word in lower] else None


def _later(text: str, limit: str) -> Iterator[re.Match[str]]:
    """Dates later than `limit` in sentences that tell what a market did. A date without a time is its whole day."""
    for date in _DATE.finditer(text):
        said = date.group().replace("T", " ")
        if said > limit[: len(said)]:
            start = max((m.end() for m in _ENDS.finditer(text, 0, date.start())), default=0)
            end = next((m.start() for m in _ENDS.finditer(text, date.end())), len(text))
            sentence = text[start:end]
            if _OBSERVED.search(sentence) and not _AHEAD.search(sentence):
                yield date


def _check_future(answer: Answer) -> None:
    """T004 where the prompt says its moment: on the answer what T001 lets pass, and on the prompt itself."""
    text = answer.prompt.text
    moment = _moment_of(text)
    if moment is None:
        return
    limit, last = moment.group(1).replace("T", " "), max(answer.prompt.dates)
    for date in _later(answer.text, limit):
        if date.group() <= last:
            answer.report(FUTURE, f"observed at {date.group()}, and the prompt is as of {limit}", *date.span())
    for date in _later(text, limit):
        answer.findings.append(_future(date, text, limit, "instruction"))


def check_moment(row: Row) -> Iterator[Finding]:
    """T004 on rows that carry their moment in `as_of`; a text that states one is held to that by `check_time`."""
    if not row.as_of or not _DATE.match(row.as_of):
        return
    limit = row.as_of[:16].replace("T", " ")
    prompt = f"{row.instruction}\n{row.input}"
    if not _DATE.search(prompt) and not _DATE.search(row.output) or _moment_of(prompt):
        return
    for field, text in (("instruction", prompt), ("output", row.output)):
        for date in _later(text, limit):
            yield _future(date, text, limit, field)


def _future(date: re.Match[str], text: str, limit: str, field: str) -> Finding:
    evidence = " ".join(text[max(0, date.start() - 40) : date.end() + 20].split())
    message = f"observed at {date.group()}, and the row is as of {limit}"
    return Finding(FUTURE, message, RULES[FUTURE].severity, field=field, evidence=evidence)
