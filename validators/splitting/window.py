"""When a row is, and how much of the tape it rests on: from its longest look-back to its outcome.

A row as of t has seen (t - memory, t] and is judged by (t, t + horizon]. Two rows are apart when these
windows do not meet. Without a given duration each row's own frame and indicators say how long they are, a
daily frame and a hundred bars where it names none.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tapewright.errors import RowError
from tapewright.rows import Row

DAY_S = 86_400
BLOCK_S = 7 * DAY_S  # one scenario for every symbol: the block `generate` groups by

# A plan is followed for at most 60 candles after its fill, and a limit order waits up to 11 for that.
HORIZON_BARS = 71
# The longest window any of our rows shows is the median bar range; funding looks back ninety days.
MEMORY_BARS = 100
FUNDING_S = 90 * DAY_S

FRAME_S = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1_800, "1h": 3_600, "2h": 7_200, "4h": 14_400, "6h": 21_600,
    "12h": 43_200, "1d": DAY_S, "1w": 7 * DAY_S, "hourly": 3_600, "daily": DAY_S, "weekly": 7 * DAY_S,
}  # fmt: skip
_FRAME = re.compile(r"\b(?:" + "|".join(FRAME_S) + r")\b", re.IGNORECASE)
_WINDOW = re.compile(r"\b(?:[ESHW]?MA|RSI|ATR|ADX|Bollinger|BB|Donchian|CCI|ROC)\s?\((\d{1,3})", re.IGNORECASE)
_PHRASES = {"median bar range": 100, "median range": 100, "macd": 35, "20-bar": 21, "20-candle": 21}

# Bars behind the columns of our facts; an indicator not named here counts by the number in its name.
_BARS = {"median_range_pct": 100, "macd": 35, "macd_signal": 35, "macd_hist": 35, "adx_14": 28, "high_20": 21, "low_20": 21}  # fmt: skip
_SPAN = re.compile(r"_(\d+)")


@dataclass(frozen=True, slots=True)
class Spans:
    """How long windows are, in seconds; None leaves it to each row."""

    horizon_s: int | None = None
    memory_s: int | None = None

    def window(self, row: Row, moment_s: int) -> tuple[int, int]:
        """(first, last) second the row as of `moment_s` rests on."""
        if self.horizon_s is not None and self.memory_s is not None:
            return moment_s - self.memory_s, moment_s + self.horizon_s
        horizon_s, memory_s = own_spans(row)
        return (
            moment_s - (memory_s if self.memory_s is None else self.memory_s),
            moment_s + (horizon_s if self.horizon_s is None else self.horizon_s),
        )


def own_spans(row: Row) -> tuple[int, int]:
    """(horizon, memory) in seconds by the row's facts, or else by the frames and indicators its text names."""
    shown = [name.partition("@") for name in row.facts if "@" in name]
    shown = [(base, FRAME_S[frame]) for base, _, frame in shown if frame in FRAME_S]
    if shown:
        memory = max(_bars(base) * frame_s for base, frame_s in shown)
        decided = row.facts.get("frame")
        frame_s = FRAME_S[decided] if decided in FRAME_S else max(frame_s for _, frame_s in shown)
        funded = "funding_percentile" in row.facts
    else:
        text = f"{row.instruction}\n{row.input}\n{row.output}".lower()
        frame_s = max((FRAME_S[frame] for frame in _FRAME.findall(text)), default=DAY_S)
        bars = [int(bars) for bars in _WINDOW.findall(text)] + [n for phrase, n in _PHRASES.items() if phrase in text]
        memory = max(bars, default=MEMORY_BARS) * frame_s
        funded = "funding" in text and "percentile" in text
    return HORIZON_BARS * frame_s, max(memory, FUNDING_S) if funded else memory


def _bars(base: str) -> int:
    if base in _BARS:
        return _BARS[base]
    span = _SPAN.search(base)
    return int(span[1]) if span else 1


def read_moment(value: Any) -> int | None:
    """Epoch seconds of a date, time, ISO text, `YYYY-MM-DD HH:MM UTC` or epoch number; None for an empty one.

    Raises RowError for anything else.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            text = value.strip().removesuffix("UTC").rstrip()
            value = int(text) if text.isdigit() and len(text) > 8 else datetime.fromisoformat(text)
        if isinstance(value, datetime):
            return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
        if isinstance(value, date):
            return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value / 1000 if abs(value) > 1e11 else value)
    except (ValueError, OverflowError):
        pass
    raise RowError(f"{str(value)[:60]!r} is not a time")


def show_span(seconds: int | float) -> str:
    """`171 d`, `36 h` or `20 min`."""
    for unit, size in (("d", DAY_S), ("h", 3_600), ("min", 60)):
        if seconds >= size and (seconds % size == 0 or seconds >= 3 * size):
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:g} s"
