"""Reads any text into claims: numbers with their kind, unit and frame, labels, relations, dates.

One pass finds numbers and dates; what is left of a sentence when they are masked (its skeleton)
decides what each of them means, so that is worked out once per skeleton and remembered. From a
number the reader walks to the nearest phrase of the vocabulary that takes the number's unit: left
to the previous number or comma, then right, then further left, then further right.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from validators.claims.vocabulary import (
    FRAMES,
    LABEL_PHRASES,
    LEVEL_KINDS,
    LONGEST_LABEL,
    LONGEST_PHRASE,
    MODIFIERS,
    PERIODIC,
    PHRASES,
    RANGE_LEVEL,
    UNITS,
)


@dataclass(slots=True)
class Claim:
    """One statement of a text. `kind` is "" for a number that no phrase explains.

    `value` is a float in the kind's unit, or a label; `decimals` is how many were printed (−1 for
    labels); `start`/`end` are offsets of the number or of the sentence a label stands in. `strict`
    says that the frame was named in the same sentence rather than carried over from before.
    """

    kind: str
    value: Any
    decimals: int
    start: int
    end: int
    unit: str = "-"
    frame: str = ""
    strict: bool = False
    signed: bool = True

    @property
    def key(self) -> str:
        """The kind with its frame, e.g. `rsi_14@4h`."""
        return f"{self.kind}@{self.frame}" if self.frame else self.kind


class Relation(NamedTuple):
    """`subject` stands above or below `other`; each is a kind or "" with the number at `other_at`."""

    subject: str
    above: bool
    other: str
    number: int
    frame: str


class _Plan(NamedTuple):
    numbers: tuple
    labels: tuple
    relations: tuple
    frame: str
    strays: int


# The pattern begins with a digit so that the scan is a character search; what stands around a match
# is looked at afterwards, which is several times faster than lookarounds at every place.
_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?P<date>-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|:\d\d)?")
_SUFFIX = re.compile(r"(?:(?P<scale>k|K|m|M|bn|B)|x|R|th|st|nd|rd|bps?)(?![A-Za-z0-9])")
_SPAN_WORD = re.compile(r"-(?:bar|hour|day|period|candle|minute|week|year|month)")
_LIST_LEAD = re.compile(r"[ \t>*-]*$")
_END = re.compile(r"[.!?;](?=\s)")
_WORD = re.compile(r"[\x00-\x02]|[a-z0-9][a-z0-9'_&/-]*(?:\(\d[\d, ]*\))?|[a-z]|[%×$(),;:|=≈+]")
_SCALES = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "bn": 1e9, "B": 1e9}
_RIGHT_ENDS = {",", ";", "|", "(", ")", "and", "or"}
_SOFT = {",", ";", "|", "("}
_ABOVE = {"above": True, "over": True, "below": False, "under": False, "beneath": False}
_DOWN = {"down", "fell", "lost", "falls", "loses", "lower", "dropped", "drops", "slipped", "shed", "off"}
_BY_MODIFIER = {"%range": "range_place_pct@"}  # what follows the number says it all
_BARE_UNITS = {"x": "leverage", "R": "reward_risk"}  # what these units mean where nothing else is said
_ARTICLES = {"the", "its", "a", "an", "that", "this", "last", "prior", "confirmed", "both"}

_plans: dict[str, _Plan] = {}
_PLANS_KEPT = 200_000


def read_claims(text: str) -> tuple[list[Claim], list[Relation]]:
    """All claims of `text` in order, and its relations. Dates come as kind `date`, list numbers not at all."""
    claims: list[Claim] = []
    relations: list[Relation] = []
    if "{" in text and '":' in text:
        text = _read_json(text, claims)
    frame = ""
    position = 0
    for line in text.split("\n"):
        if line:
            start = 0
            for match in _END.finditer(line):
                end = match.end()
                if line[end - 4 : end] in _ABBREVIATIONS or line[end - 3 : end] == "vs.":
                    continue
                frame = _read_sentence(line[start:end], position + start, frame, claims, relations)
                start = end
            if start < len(line):
                frame = _read_sentence(line[start:], position + start, frame, claims, relations)
        position += len(line) + 1
    return claims, relations


_ABBREVIATIONS = {"i.e.", "e.g."}


def _tokens(sentence: str) -> tuple[str, list[tuple[int, int, float, str]]]:
    """The skeleton of a sentence and its (start, end, scale, printed) numbers; scale 0 marks a date."""
    pieces: list[str] = []
    found: list[tuple[int, int, float, str]] = []
    last = 0
    for match in _DIGITS.finditer(sentence):
        start, end = match.span()
        before = sentence[start - 1 : start]
        if match["date"]:
            pieces.append(sentence[last:start])
            pieces.append("\x01")
            found.append((start, end, 0.0, match[0]))
            last = end
            continue
        if before and (before.isalnum() or before in "_.," or before == "(" and sentence[start - 2 : start - 1].isalpha()):
            continue
        after = sentence[end : end + 1]
        scale = 1.0
        if after:
            if after.isalpha():
                suffix = _SUFFIX.match(sentence, end)
                if not suffix:
                    continue
                if suffix["scale"]:
                    scale = _SCALES[suffix["scale"]]
            elif after == "(" or after == "," and sentence[end + 1 : end + 2].isdigit():
                continue
            elif after == "-" and _SPAN_WORD.match(sentence, end):
                continue
            elif after in ".)" and end - start < 3 and sentence[end + 1 : end + 2] == " " and _LIST_LEAD.match(sentence[:start]):
                pieces.append(sentence[last:start])
                pieces.append("\x02")
                last = end + 1
                continue
        if before == "$":
            start -= 1
            before = sentence[start - 1 : start]
        if before and before in "-+−" and not (sentence[start - 2 : start - 1].isalnum() or sentence[start - 2 : start - 1] == ")"):
            start -= 1
        pieces.append(sentence[last:start])
        pieces.append("\x00")
        last = end if scale == 1.0 else end + (2 if sentence[end : end + 2] == "bn" else 1)
        found.append((start, end, scale, sentence[start:end]))
    if not found and not pieces:
        return sentence.lower(), found
    pieces.append(sentence[last:])
    return "".join(pieces).lower(), found


def _read_sentence(sentence: str, offset: int, frame: str, claims: list[Claim], relations: list[Relation]) -> str:
    skeleton, found = _tokens(sentence)
    plan = _plans.get(skeleton)
    if plan is None:
        if len(_plans) >= _PLANS_KEPT:
            _plans.clear()
        plan = _plans[skeleton] = _make_plan(skeleton)
    first = len(claims)
    for (start, end, suffix_scale, printed), (kind, unit, sign, scale, framed, near) in zip(found, plan.numbers):
        if suffix_scale == 0.0:
            claims.append(Claim("date", printed, -1, offset + start, offset + end))
            continue
        digits = printed.replace(",", "").replace("−", "-").replace("$", "")
        value = float(digits) * scale * suffix_scale
        if sign < 0 and digits[0] not in "-+":
            value = -value
        point = digits.find(".")
        decimals = 0 if point < 0 else len(digits) - point - 1
        claims.append(
            Claim(kind, value, decimals, offset + start, offset + end, unit, (near or frame) if framed else "", bool(near), sign != 0)
        )
    for kind, value, framed, near in plan.labels:
        claims.append(
            Claim(kind, value, -1, offset, offset + len(sentence), "label", (near or frame) if framed else "", bool(near))
        )
    for relation in plan.relations:
        number = relation.number
        relations.append(
            relation._replace(number=first + number if number >= 0 else -1, frame=relation.frame or frame)
        )
    if plan.strays:
        claims.append(Claim("", float("nan"), -1, offset, offset + len(sentence), "stray"))
    return plan.frame or frame


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


def _make_plan(skeleton: str) -> _Plan:
    words = _WORD.findall(skeleton)
    frames = _frames_of(words)
    numbers = []
    owners: list[int] = []
    for at, word in enumerate(words):
        if word == "\x01":
            numbers.append(("date", "", 1, 1.0, False, ""))
            owners.append(at)
        elif word == "\x00":
            numbers.append(_meaning(words, at, frames))
            owners.append(at)
    strays = sum(
        1
        for word in words
        if any(c.isdigit() for c in word) and not _known_with_digits(word)
    )
    return _Plan(
        tuple(numbers), tuple(_labels_of(words, frames)), tuple(_relations_of(words, owners, frames)),
        frames[-1][1] if frames else "", strays,
    )  # fmt: skip


_KNOWN_DIGITS = re.compile(
    r"\d+[hdwm]$|\d+[hdwm]-|\d+-(?:bar|hour|day|period|candle|minute|week|year|month)s?$|[a-z]+\(\d[\d, ]*\)$|24/7$|[a-z]+\d{1,2}$|[a-z]\d+-[a-z]+$"
)


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
            kind, sign = gap
            return kind, unit, sign, 1.0, True, near
    modifier, beyond = _modifier(words, after)
    kind = _BY_MODIFIER.get(unit + modifier, "") or _nearest(words, at, beyond, unit, modifier) or (_nearest(words, at, beyond, unit, "") if modifier else "")
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


def _gap(words: list[str], after: int, unit: str) -> tuple[str, int] | None:
    """`1.3% above the 4h EMA(20)` → ("ema_20_gap_pct", +1)."""
    at, sign = after, 0
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
        at += 1
    if at >= len(words):
        return None
    level = _level(words, at, 1)
    if level and level[0].split("_")[0] in LEVEL_KINDS and "_" in level[0]:
        return f"{level[0]}_gap_{'pct' if unit == '%' else 'atr'}", sign
    return None


def _kind_of(units: dict[str, str], unit: str, modifier: str) -> str:
    if modifier:
        return units.get(unit + modifier, "")
    return units.get(unit, "")


def _ending_at(words: list[str], at: int, unit: str, modifier: str) -> str:
    periodic = PERIODIC.match(words[at])
    if periodic and unit in ("-", "coin"):
        return f"{periodic[1]}_{periodic[2]}"
    for length in range(min(LONGEST_PHRASE, at + 1), 0, -1):
        span = words[at - length + 1 : at + 1]
        if length == 2 and span[1] in ("high", "low") and unit == "-":
            bars = RANGE_LEVEL.match(span[0])
            if bars or span[0] in ("24h", "7d"):
                return f"{span[1]}_{bars[1] if bars else span[0]}@"
        units = PHRASES.get(" ".join(span))
        if units is not None:
            return _kind_of(units, unit, modifier)
    return ""


def _starting_at(words: list[str], at: int, unit: str, modifier: str) -> str:
    """The kind of the longest phrase that begins exactly at word `at`."""
    for length in range(min(LONGEST_PHRASE, len(words) - at), 0, -1):
        span = words[at : at + length]
        if length == 1 and unit in ("-", "coin") and (periodic := PERIODIC.match(span[0])):
            return f"{periodic[1]}_{periodic[2]}"
        units = PHRASES.get(" ".join(span))
        if units is not None and (kind := _kind_of(units, unit, modifier)):
            return kind
    return ""


def _nearest(words: list[str], at: int, after: int, unit: str, modifier: str) -> str:
    """The kind the nearest phrase gives; the left one unless the right one is clearly nearer."""
    left_kind, left = "", at - 1
    while left >= 0 and words[left] != "\x00" and words[left] not in _SOFT:
        left_kind = _ending_at(words, left, unit, modifier)
        if left_kind:
            break
        left -= 1
    # a colon ends a thought more often than it announces a number after other words
    away = at - left + (2 if ":" in words[left + 1 : at - 1] else 0)
    right = after
    while right < len(words) and words[right] != "\x00" and words[right] not in _RIGHT_ENDS:
        if left_kind and right - after + 2 >= away:
            break
        right_kind = _starting_at(words, right, unit, modifier)
        if right_kind:
            return right_kind
        right += 1
    if left_kind:
        return left_kind
    while left >= 0:
        if words[left] != "\x00" and (kind := _ending_at(words, left, unit, modifier)):
            return kind
        left -= 1
    while right < len(words):
        if words[right] != "\x00" and (kind := _starting_at(words, right, unit, modifier)):
            return kind
        right += 1
    return ""


def _labels_of(words: list[str], frames: list[tuple[int, str]]) -> list[tuple]:
    plain = [(word, at) for at, word in enumerate(words) if word not in "():,;|$=≈+"]
    names = [word for word, _ in plain]
    found, at = [], 0
    while at < len(names):
        for length in range(min(LONGEST_LABEL, len(names) - at), 0, -1):
            phrase = " ".join(names[at : at + length])
            if phrase in LABEL_PHRASES_PLAIN:
                entry = LABEL_PHRASES_PLAIN[phrase]
                if entry is not None and not (at and names[at - 1] in ("not", "never", "no", "neither", "nor", "isn't")):
                    label, value = entry
                    framed = label.endswith("@")
                    near = _frame_near(plain[at][1], frames) if framed else ""
                    found.append((label.rstrip("@"), value, framed, near))
                at += length - 1
                break
        at += 1
    return found


LABEL_PHRASES_PLAIN = {phrase.replace(":", ""): entry for phrase, entry in LABEL_PHRASES.items()}


def _relations_of(words: list[str], owners: list[int], frames: list[tuple[int, str]]) -> list[Relation]:
    """`close is above the EMA(20)`: both sides must be levels, or the right one a number."""
    found = []
    for at, word in enumerate(words):
        if word not in _ABOVE or at + 1 >= len(words):
            continue
        if at and (words[at - 1] in ("%", "atr", "x", "just", "far", "well") and words[at - 2 : at - 1] == ["\x00"]):
            continue  # "1.3% above": the gap carries the sign itself
        subject = ""
        for back in range(at - 1, max(-1, at - 7), -1):
            if words[back] in ("\x00", ",", ";", "if", "unless", "until", "needs", "would", "not", "when", "once"):
                break
            level = _level(words, back, -1)
            if level and (level[0] == "close" or level[0].split("_")[0] in LEVEL_KINDS and "_" in level[0]):
                # "a close above", unlike "the close is above", is a condition and not a statement
                start = back - level[1] + 1
                hypothetical = start and (words[start - 1] in ("a", "any", "no") or start > 1 and words[start - 2] in ("a", "any", "no"))
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


_CONDITIONAL = {"if", "unless", "until", "needs", "would", "when", "once", "wait", "require", "requires", "while", "should", "must", "only"}

_JSON_PAIR = re.compile(
    r'"(?P<key>\w+(?:@\w+)?)"\s*:\s*(?:(?P<open>\{)|(?P<number>-?\d+(?:\.\d+)?)|"(?P<label>[^"\n]*)"|(?P<null>null|true|false))'
)
_FRAME_KEY = {"1h", "4h", "1d"}


def _read_json(text: str, claims: list[Claim]) -> str:
    """Read an object whose keys are claim kinds; return the text with that object blanked."""
    start = text.find("{")
    end = text.rfind("}")
    if end < start:
        return text
    frame, depth_end = "", -1
    for match in _JSON_PAIR.finditer(text, start, end + 1):
        key = match["key"]
        if match["open"]:
            if key in _FRAME_KEY:
                frame, depth_end = key, text.find("}", match.end())
            continue
        if match.start() > depth_end:
            frame = ""
        kind, _, own = key.partition("@")
        if match["number"]:
            printed = match["number"]
            point = printed.find(".")
            claims.append(
                Claim(kind, float(printed), 0 if point < 0 else len(printed) - point - 1,
                      match.start("number"), match.end("number"), "json", own or frame, True)
            )  # fmt: skip
        elif match["label"] is not None:
            claims.append(Claim(kind, match["label"], -1, match.start("label"), match.end("label"), "json", own or frame, True))
    return text[:start] + re.sub(r"[^\n]", " ", text[start : end + 1]) + text[end + 1 :]
