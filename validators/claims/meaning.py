"""What the numbers, labels and relations of one sentence mean, from its skeleton alone.

The skeleton is the sentence in lower case with numbers, dates and list numbers masked; `make_plan`
is pure, so the reader remembers its results.
"""

import re
from typing import NamedTuple

from validators.claims.vocabulary import (
    FRAMES,
    LABEL_PHRASES,
    LABELS_FROM,
    LEVEL_KINDS,
    MODIFIERS,
    PERIODIC,
    PHRASES,
    PHRASES_FROM,
    PHRASES_TO,
    RANGE_LEVEL,
    UNITS,
)

NUMBER, DATE, LIST = "\x00", "\x01", "\x02"


class Relation(NamedTuple):
    """`subject` stands above or below `other`; each is a kind or "" with the number at `other_at`."""

    subject: str
    above: bool
    other: str
    number: int
    frame: str


class Plan(NamedTuple):
    numbers: tuple
    labels: tuple
    relations: tuple
    frame: str
    strays: int


_WORD = re.compile(r"[\x00-\x02]|[a-z0-9][a-z0-9'_&/-]*(?:\(\d[\d, ]*\))?|[a-z]|[%×$(),;:|=≈+]")
_RIGHT_ENDS = {",", ";", "|", "(", ")", "and", "or"}
_SOFT = {",", ";", "|", "("}
_ABOVE = {"above": True, "over": True, "below": False, "under": False, "beneath": False}
_DOWN = {"down", "fell", "lost", "falls", "loses", "lower", "dropped", "drops", "slipped", "shed", "off"}
_BY_MODIFIER = {"%range": "range_place_pct@"}  # what follows the number says it all
_BARE_UNITS = {"x": "leverage", "R": "reward_risk"}  # what these units mean where nothing else is said
_ARTICLES = {"the", "its", "a", "an", "that", "this", "last", "prior", "confirmed", "both"}


def _level(words: list[str], at: int, step: int) -> tuple[str, int] | None:
    """The level phrase that starts (step 1) or ends (step −1) at word `at`, with its length."""
    periodic = PERIODIC.match(words[at])
    if periodic:
        return f"{periodic[1]}_{periodic[2]}", 1
    for length in range(4, 0, -1):
        low, high = (at, at + length) if step > 0 else (at - length + 1, at + 1)
        if low < 0 or high > len(words):
            continue
        span = words[low:high]
        if length == 2 and span[1] in ("high", "low") and (bars := RANGE_LEVEL.match(span[0])):
            return f"{span[1]}_{bars[1]}", 2
        if length == 2 and span[1] in ("high", "low") and span[0] in ("24h", "7d"):
            return f"{span[1]}_{span[0]}", 2
        units = PHRASES.get(" ".join(span))
        kind = units.get("-") if units else None
        if kind:
            return kind.rstrip("@"), length
    return None


_PERIODIC_KIND = re.compile(r"(?:ema|sma|wma|vwma|rsi|atr|adx|cci|roc|mfi)_\d+$|(?:high|low)_(?:\d+|24h|7d)$")


def _is_framed(kind: str) -> bool:
    return bool(_PERIODIC_KIND.match(kind)) or kind + "@" in _FRAMED


_FRAMED = {kind for units in PHRASES.values() for kind in units.values() if kind.endswith("@")}


def make_plan(skeleton: str) -> Plan:
    words = _WORD.findall(skeleton)
    frames = _frames_of(words)
    numbers = []
    owners: list[int] = []
    for at, word in enumerate(words):
        if word == DATE:
            numbers.append(("date", "", 1, 1.0, False, ""))
            owners.append(at)
        elif word == NUMBER:
            numbers.append(_meaning(words, at, frames))
            owners.append(at)
    return Plan(
        tuple(numbers), tuple(_labels_of(words, frames)), tuple(_relations_of(words, owners, frames)),
        frames[-1][1] if frames else "", count_strays(skeleton),
    )  # fmt: skip


_WITH_DIGIT = re.compile(r"[a-z0-9'_&/-]*\d[a-z0-9'_&/-]*(?:\(\d[\d, ]*\))?|[a-z]+\(\d[\d, ]*\)")
_KNOWN_DIGITS = re.compile(
    r"\d+[hdwm]$|\d+[hdwm]-|\d+-(?:bar|hour|day|period|candle|minute|week|year|month)s?$|[a-z]+\(\d[\d, ]*\)$|24/7$|[a-z]+\d{1,2}$|[a-z]\d+-[a-z]+$"
)


def count_strays(skeleton: str) -> int:
    """Words with digits that are no frame, period or name the reader knows."""
    return sum(not _known_with_digits(word) for word in _WITH_DIGIT.findall(skeleton))


def _known_with_digits(word: str) -> bool:
    return bool(_KNOWN_DIGITS.match(word)) or word in PHRASES


def _frames_of(words: list[str]) -> list[tuple[int, str]]:
    found = []
    for at, word in enumerate(words):
        frame = FRAMES.get(word)
        if frame and not (word == "daily" and at + 1 < len(words) and words[at + 1] == "funding"):
            found.append((at, frame))
    return found


def _frame_near(at: int, frames: list[tuple[int, str]]) -> str:
    left = [frame for place, frame in frames if place < at]
    if left:
        return left[-1]
    return frames[0][1] if frames else ""


def _meaning(words: list[str], at: int, frames: list[tuple[int, str]]) -> tuple:
    unit, after = _unit(words, at)
    near = _frame_near(at, frames)
    if unit in ("%", "atr") and after < len(words):
        gap = _gap(words, after, unit)
        if gap:
            kind, sign, frame = gap
            return kind, unit, sign, 1.0, True, frame or near
    modifier, beyond = _modifier(words, after)
    kind = (
        _BY_MODIFIER.get(unit + modifier, "")
        or _nearest(words, at, beyond, unit, modifier)
        or (_nearest(words, at, beyond, unit, "") if modifier else "")
    )
    kind = kind or _BARE_UNITS.get(unit, "")
    scale = 1.0
    if not kind and unit == "bp":
        kind, scale = _nearest(words, at, beyond, "%", modifier), 0.01
    sign = 1
    if kind.startswith("change") and any(word in _DOWN for word in words[max(0, at - 4) : at]):
        sign = -1
    framed = kind.endswith("@") or _is_framed(kind)
    return kind.rstrip("@"), unit, sign, scale, framed, near


def _unit(words: list[str], at: int) -> tuple[str, int]:
    """Unit of the number at `at` and the index of the first word after it."""
    for length in (2, 1):
        phrase = " ".join(words[at + 1 : at + 1 + length])
        unit = UNITS.get(phrase)
        if unit and len(words[at + 1 : at + 1 + length]) == length:
            return unit, at + 1 + length
        if length == 1 and at + 2 < len(words) and phrase in ("1h", "4h", "1d", "daily", "4-hour", "hourly"):
            unit = UNITS.get(words[at + 2])
            if unit == "atr":
                return unit, at + 3
    return "-", at + 1


def _modifier(words: list[str], after: int) -> tuple[str, int]:
    for length in range(min(6, len(words) - after), 0, -1):
        modifier = MODIFIERS.get(" ".join(words[after : after + length]))
        if modifier is not None:
            return modifier, after + length
    return "", after


def _gap(words: list[str], after: int, unit: str) -> tuple[str, int, str] | None:
    """`1.3% above the 4h EMA(20)` → ("ema_20_gap_pct", +1, "4h")."""
    at, sign, frame = after, 0, ""
    if words[at] in _ABOVE:
        sign = 1 if _ABOVE[words[at]] else -1
        at += 1
    elif words[at] in ("from", "short", "away"):
        at += 1
        if at < len(words) and words[at] in ("of", "from"):
            at += 1
    else:
        return None
    while at < len(words) and (words[at] in _ARTICLES or words[at] in FRAMES):
        frame = FRAMES.get(words[at], frame)
        at += 1
    if at >= len(words):
        return None
    level = _level(words, at, 1)
    if level and level[0].split("_")[0] in LEVEL_KINDS and "_" in level[0]:
        return f"{level[0]}_gap_{'pct' if unit == '%' else 'atr'}", sign, frame
    return None


def _kind_of(units: dict[str, str], unit: str, modifier: str) -> str:
    if modifier:
        return units.get(unit + modifier, "")
    return units.get(unit, "")


def _ending_at(words: list[str], at: int, unit: str, modifier: str) -> str:
    """The kind of the longest phrase that ends exactly at word `at`."""
    word = words[at]
    if unit in ("-", "coin"):
        if word[-1:] == ")" and (periodic := PERIODIC.match(word)):
            return f"{periodic[1]}_{periodic[2]}"
        if word in ("high", "low") and at and unit == "-":
            bars = RANGE_LEVEL.match(words[at - 1])
            if bars or words[at - 1] in ("24h", "7d"):
                return f"{word}_{bars[1] if bars else words[at - 1]}@"
    for length in range(min(PHRASES_TO.get(word, 0), at + 1), 0, -1):
        units = PHRASES.get(" ".join(words[at - length + 1 : at + 1]))
        if units is not None:
            return _kind_of(units, unit, modifier)
    return ""


def _starting_at(words: list[str], at: int, unit: str, modifier: str) -> str:
    """The kind of the longest phrase that begins exactly at word `at`."""
    word = words[at]
    if word[-1:] == ")" and unit in ("-", "coin") and (periodic := PERIODIC.match(word)):
        return f"{periodic[1]}_{periodic[2]}"
    for length in range(min(PHRASES_FROM.get(word, 0), len(words) - at), 0, -1):
        units = PHRASES.get(" ".join(words[at : at + length]))
        if units is not None and (kind := _kind_of(units, unit, modifier)):
            return kind
    return ""


def _nearest(words: list[str], at: int, after: int, unit: str, modifier: str) -> str:
    """The kind the nearest phrase gives; the left one unless the right one is clearly nearer."""
    left_kind, left = "", at - 1
    while left >= 0 and words[left] != NUMBER and words[left] not in _SOFT:
        left_kind = _ending_at(words, left, unit, modifier)
        if left_kind:
            break
        left -= 1
    # a colon ends a thought more often than it announces a number after other words
    away = at - left + (2 if ":" in words[left + 1 : at - 1] else 0)
    right = after
    while right < len(words) and words[right] != NUMBER and words[right] not in _RIGHT_ENDS:
        if left_kind and right - after + 2 >= away:
            break
        right_kind = _starting_at(words, right, unit, modifier)
        if right_kind:
            return right_kind
        right += 1
    if left_kind:
        return left_kind
    while left >= 0:
        if words[left] != NUMBER and (kind := _ending_at(words, left, unit, modifier)):
            return kind
        left -= 1
    while right < len(words):
        if words[right] != NUMBER and (kind := _starting_at(words, right, unit, modifier)):
            return kind
        right += 1
    return ""


def _labels_of(words: list[str], frames: list[tuple[int, str]]) -> list[tuple]:
    # "the trend on the 4h chart is down" says the same as "the trend is down"
    skip: set[int] = set()
    for at, _ in frames:
        lead = 1 if at and words[at - 1] == "on" else 2 if words[max(0, at - 2) : at] == ["on", "the"] else 0
        if lead:
            skip.update(range(at - lead, at + 1))
            if words[at + 1 : at + 2] == ["chart"]:
                skip.add(at + 1)
    plain = [(word, at) for at, word in enumerate(words) if at not in skip and word not in "():,;|$=≈+"]
    names = [word for word, _ in plain]
    found, at = [], 0
    while at < len(names):
        for length in range(min(LABELS_FROM.get(names[at], 0), len(names) - at), 0, -1):
            phrase = " ".join(names[at : at + length])
            if phrase in LABEL_PHRASES:
                entry = LABEL_PHRASES[phrase]
                if entry is not None and not (
                    at and names[at - 1] in ("not", "never", "no", "neither", "nor", "isn't")
                ):
                    label, value = entry
                    framed = label.endswith("@")
                    near = _frame_near(plain[at][1], frames) if framed else ""
                    found.append((label.rstrip("@"), value, framed, near))
                at += length - 1
                break
        at += 1
    return found


def _relations_of(words: list[str], owners: list[int], frames: list[tuple[int, str]]) -> list[Relation]:
    """`close is above the EMA(20)`: both sides must be levels, or the right one a number."""
    found = []
    for at, word in enumerate(words):
        if word not in _ABOVE or at + 1 >= len(words):
            continue
        if at and (words[at - 1] in ("%", "atr", "x", "just", "far", "well") and words[at - 2 : at - 1] == [NUMBER]):
            continue  # "1.3% above": the gap carries the sign itself
        subject = ""
        for back in range(at - 1, max(-1, at - 7), -1):
            if words[back] in (NUMBER, ",", ";", "if", "unless", "until", "needs", "would", "not", "when", "once"):
                break
            level = _level(words, back, -1)
            if level and (level[0] == "close" or level[0].split("_")[0] in LEVEL_KINDS and "_" in level[0]):
                # "a close above", unlike "the close is above", is a condition and not a statement
                start = back - level[1] + 1
                hypothetical = start and (
                    words[start - 1] in ("a", "any", "no") or start > 1 and words[start - 2] in ("a", "any", "no")
                )
                subject = "" if hypothetical else level[0]
                break
        if not subject or any(w in _CONDITIONAL for w in words[:at]):
            continue
        right = at + 1
        while right < len(words) and (words[right] in _ARTICLES or words[right] in FRAMES):
            right += 1
        if right >= len(words):
            continue
        level = _level(words, right, 1)
        frame = _frame_near(at, frames)
        if level and "_" in level[0] and level[0].split("_")[0] in LEVEL_KINDS:
            found.append(Relation(subject, _ABOVE[word], level[0], -1, frame))
    return found


_CONDITIONAL = {
    "if",
    "unless",
    "until",
    "needs",
    "would",
    "when",
    "once",
    "wait",
    "require",
    "requires",
    "while",
    "should",
    "must",
    "only",
}
