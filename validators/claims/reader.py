"""Reads any text into claims: numbers with their kind, unit and frame, labels, relations, dates.

One pass finds numbers and dates; what is left of a sentence when they are masked (its skeleton)
decides what each of them means, so that is worked out once per skeleton and remembered. From a
number the reader walks to the nearest phrase of the vocabulary that takes the number's unit: left
to the previous number or comma, then right, then further left, then further right.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from validators.claims.meaning import DATE, LIST, NUMBER, Plan, Relation, count_strays, make_plan


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


# The pattern begins with a digit so that the scan is a character search; what stands around a match
# is looked at afterwards, which is several times faster than lookarounds at every place.
_DIGITS = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?P<date>-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?|:\d\d)?")
_SUFFIX = re.compile(r"(?:(?P<scale>k|K|m|M|bn|B)|x|R|th|st|nd|rd|bps?)(?![A-Za-z0-9])")
_SPAN_WORD = re.compile(r"-(?:bar|hour|day|period|candle|minute|week|year|month)")
_LIST_LEAD = re.compile(r"[ \t>*-]*$")
_END = re.compile(r"[.!?;](?=\s)")
_SCALES = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "bn": 1e9, "B": 1e9}


class _Line(NamedTuple):
    """What one line says, wherever it stands: claims without their carried frame, offsets from its start."""

    claims: tuple[tuple, ...]
    relations: tuple[Relation, ...]
    frame: str  # the last frame named, carried to the following lines


# Plans by skeleton, and whole lines by their text: prompts repeat their rules and many of their lines.
_plans: dict[str, Plan] = {}
_lines: dict[str, _Line] = {}
_PLANS_KEPT = 50_000
_LINES_KEPT = 20_000
_ABBREVIATIONS = {"i.e.", "e.g."}


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
            said = _lines.get(line)
            if said is None:
                if len(_lines) >= _LINES_KEPT:
                    _lines.clear()
                said = _lines[line] = _read_line(line)
            for kind, value, decimals, start, end, unit, framed, near, signed in said.claims:
                claims.append(
                    Claim(kind, value, decimals, position + start, position + end, unit, (near or frame) if framed else "",
                          bool(near) and framed != 2, signed)
                )  # fmt: skip
            for relation in said.relations:
                relations.append(relation if relation.frame else relation._replace(frame=frame))
            frame = said.frame or frame
        position += len(line) + 1
    return claims, relations


def read_numbers(text: str) -> list[Claim]:
    """The numbers of a text without their meaning: what a text about no market is checked by."""
    claims: list[Claim] = []
    position = 0
    for line in text.split("\n"):
        skeleton, found = _tokens(line)
        for start, end, scale, printed in found:
            if scale == 0.0:
                claims.append(Claim("date", printed, -1, position + start, position + end))
                continue
            digits = printed.replace(",", "").replace("−", "-").replace("$", "")
            point = digits.find(".")
            decimals = 0 if point < 0 else len(digits) - point - 1
            claims.append(Claim("", float(digits) * scale, decimals, position + start, position + end))
        if count_strays(skeleton):
            claims.append(Claim("", float("nan"), -1, position, position + len(line), "stray"))
        position += len(line) + 1
    return claims


def _read_line(line: str) -> _Line:
    claims: list[tuple] = []
    relations: list[Relation] = []
    frame, start = "", 0
    for match in _END.finditer(line):
        end = match.end()
        if line[start:end].strip(" \t>*-").rstrip(".").isdigit():  # a list number goes with its text
            continue
        if line[end - 4 : end] in _ABBREVIATIONS or line[end - 3 : end] == "vs.":
            continue
        frame = _read_sentence(line[start:end], start, frame, claims, relations)
        start = end
    if start < len(line):
        frame = _read_sentence(line[start:], start, frame, claims, relations)
    return _Line(tuple(claims), tuple(relations), frame)


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
            pieces.append(DATE)
            found.append((start, end, 0.0, match[0]))
            last = end
            continue
        if before and (
            before.isalnum()
            or before in "_.,"
            or before == "("
            and sentence[start - 2 : start - 1].isalpha()
            and sentence[start - 5 : start] != "sqrt("
        ):
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
            elif (
                after == "("
                or after == ","
                and sentence[end + 1 : end + 2].isdigit()
                or after == "-"
                and _SPAN_WORD.match(sentence, end)
            ):
                continue
            elif (
                after in ".)"
                and end - start < 3
                and sentence[end + 1 : end + 2] == " "
                and _LIST_LEAD.match(sentence[:start])
            ):
                pieces.append(sentence[last:start])
                pieces.append(LIST)
                last = end + 1
                continue
        if before == "$":
            start -= 1
            before = sentence[start - 1 : start]
        if (
            before
            and before in "-+−"
            and not (sentence[start - 2 : start - 1].isalnum() or sentence[start - 2 : start - 1] == ")")
        ):
            start -= 1
        pieces.append(sentence[last:start])
        pieces.append(NUMBER)
        last = end if scale == 1.0 else end + (2 if sentence[end : end + 2] == "bn" else 1)
        found.append((start, end, scale, sentence[start:end]))
    if not found and not pieces:
        return sentence.lower(), found
    pieces.append(sentence[last:])
    return "".join(pieces).lower(), found


def _read_sentence(sentence: str, offset: int, frame: str, claims: list[tuple], relations: list[Relation]) -> str:
    """Append what one sentence says; `frame` is the one an earlier sentence of the line named last."""
    skeleton, found = _tokens(sentence)
    plan = _plans.get(skeleton)
    if plan is None:
        if len(_plans) >= _PLANS_KEPT:
            _plans.clear()
        plan = _plans[skeleton] = make_plan(skeleton)
    for (start, end, suffix_scale, printed), (kind, unit, sign, scale, framed, near) in zip(found, plan.numbers):
        if suffix_scale == 0.0:
            claims.append(("date", printed, -1, offset + start, offset + end, "-", 0, "", True))
            continue
        digits = printed.replace(",", "").replace("−", "-").replace("$", "")
        value = float(digits) * scale * suffix_scale
        if sign < 0 and digits[0] not in "-+":
            value = -value
        point = digits.find(".")
        decimals = 0 if point < 0 else len(digits) - point - 1
        carried = framed and not near and frame  # named earlier in the line: known, but not by this sentence
        claims.append(
            (
                kind,
                value,
                decimals,
                offset + start,
                offset + end,
                unit,
                2 if carried else int(framed),
                near or frame,
                sign != 0,
            )
        )
    end = offset + len(sentence)
    for kind, value, framed, near in plan.labels:
        carried = framed and not near and frame
        claims.append((kind, value, -1, offset, end, "label", 2 if carried else int(framed), near or frame, True))
    for relation in plan.relations:
        relations.append(relation if relation.frame else relation._replace(frame=frame))
    if plan.strays:
        claims.append(("", float("nan"), -1, offset, end, "stray", 0, "", True))
    return plan.frame or frame


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
            claims.append(
                Claim(kind, match["label"], -1, match.start("label"), match.end("label"), "json", own or frame, True)
            )
    return text[:start] + re.sub(r"[^\n]", " ", text[start : end + 1]) + text[end + 1 :]
