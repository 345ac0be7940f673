"""Numbers of a stranger's text that claim nothing: list and step numbers, periods, thresholds, names, years, ratios to one."""

import re

from validators.claims.reader import Claim
from validators.claims.vocabulary import PERIODIC, PHRASES

_NAMES = re.compile(
    r"(?:S&P|Russell|Nasdaq|FTSE|DAX|CAC|Nikkei|Euro Stoxx|top|step|part|figure|phase|level|question|item|case|scenario|rule|point|leg|tranche|example|version|scene|day|week|month|quarter|year|trade|no\.?|number|chapter|episode|grade|tier|Web)\s*#?$",
    re.IGNORECASE,
)
_AVERAGES = re.compile(r"\b(?:[EWSHVK]?MA|moving averages?|Donchian|Bollinger|BB|channel|averages?)s?[ (\-]{1,2}(?:\d+[,/ ]+(?:and )?)*$", re.IGNORECASE)  # fmt: skip
_OSCILLATORS = re.compile(r"\b(?:RSI|ATR|ADX|CCI|MFI|ROC|MACD|stochastics?)[ (\-]{1,2}(?:\d+, ?)*$", re.IGNORECASE)
_OSCILLATOR_PERIODS = {2, 3, 5, 7, 9, 10, 12, 14, 20, 21, 26, 28, 30}
_SPAN = re.compile(r"\s?-?(?:day|week|month|hour|period|bar|candle|year|minute|session|trading day|second)s?\b|[dh]\b|-(?:day|week)", re.IGNORECASE)  # fmt: skip
_LISTED_SPAN = re.compile(r"(?:,| and| or|/|-)\s?\d{1,3}(?:\s?(?:,|and|or)\s?\d{1,3})*[- ](?:day|week|period|bar|hour)", re.IGNORECASE)  # fmt: skip
_THRESHOLDS = {20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0}
_OSCILLATES = re.compile(r"\b(?:rsi|stochastic|oscillator|adx|mfi|overbought|oversold|neutral|midline)\b")
_FIBONACCI = {23.6, 38.2, 50.0, 61.8, 78.6, 0.236, 0.382, 0.5, 0.618, 0.786, 161.8, 1.618, 127.2, 1.272}
_ALWAYS = {0.0, 0.5, 1.0, 24.0, 52.0, 60.0, 100.0, 252.0, 360.0, 365.0, 8_760.0}
_HALVES = {"50/50", "24/7", "9-to-5", "60/40"}


def is_ordinary(claim: Claim, text: str, lower: str) -> bool:
    """True for a number nobody would ground; `lower` is the text in lower case."""
    value, whole = abs(claim.value), claim.decimals == 0
    if value in _ALWAYS:
        return True
    before, after = text[max(0, claim.start - 24) : claim.start], text[claim.end : claim.end + 24]
    plain = after[:1] not in ("%", "R", "x", "×") and after[:2] != " %" and before[-1:] not in "$€£"
    if whole and plain and (value <= 12 or 1970 <= value <= 2035 and "," not in text[claim.start : claim.end]):
        return True
    if whole and value <= 400 and (_SPAN.match(after) or _LISTED_SPAN.match(after) or _AVERAGES.search(before)):
        return True
    if whole and value in _OSCILLATOR_PERIODS and _OSCILLATORS.search(before):
        return True
    if value in _THRESHOLDS and _OSCILLATES.search(lower):
        return True
    if value in _FIBONACCI and ("fib" in lower or "retrace" in lower or "golden" in lower):
        return True
    return (
        whole
        and _NAMES.search(before) is not None
        or text[max(0, claim.start - 3) : claim.end + 4].strip(" .,()") in _HALVES
    )


_BETWEEN = re.compile(r"(?:\s|\bis\b|\bwas\b|\bat\b|\bof\b|\bthe\b|[=:(*$€£]|\bon \w+\b)*$")


def is_named(claim: Claim, lower: str) -> bool:
    """True where the phrase of the claim's kind stands right before its number, so that it cannot belong to another."""
    before = _BETWEEN.sub("", lower[max(0, claim.start - 50) : claim.start])
    words = before.split()
    if words and (period := PERIODIC.match(words[-1])):
        return claim.kind == f"{period[1]}_{period[2]}"
    for count in range(1, min(5, len(words)) + 1):
        units = PHRASES.get(" ".join(words[-count:]).strip("*_-,.;|"), {})
        if any(kind.rstrip("@") == claim.kind for kind in units.values()):
            return True
    return False
