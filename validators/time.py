"""Family T: an answer knows nothing that came after its moment, and names its frames rightly."""

import re

from validators.context import Answer
from validators.rules import declare

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

_HINDSIGHT = (
    "in hindsight", "as it turned out", "price later", "later that day", "the next candle closed", "the following candle",
    "subsequently", "went on to", "ended up", "the next day",
)  # fmt: skip
_FRAME = re.compile(r"\b(?:[14]h|1d)\b")
_FORMING = ("candle in progress", "still forming", "still-forming", "unclosed candle", "open candle", "forming candle", "before it has closed", "has yet to close")  # fmt: skip


def check_time(answer: Answer) -> None:
    """T001 on dates and hindsight, T002 on forming candles. T003 is found with the numbers."""
    if answer.prompt.dates:
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
