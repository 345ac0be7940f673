"""`str.*`, and how values are written as text."""

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import isinf, nan
from typing import Any

from validators.pinescript.execution import timeframe as frames
from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.objects import Member

MOST = 40_960  # characters, as in the language


def tostring(value: Any, pattern: Any = None, tick: float = 0.01) -> str:
    """`str.tostring`: at most ten decimals, or as a pattern such as `#.##` or a `format.*` constant asks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Member):
        return value.title
    if isinstance(value, list):
        return f"[{', '.join(tostring(item, pattern, tick) for item in value)}]"
    if not isinstance(value, (int, float)):
        rows = getattr(value, "rows", None)
        if rows is not None:
            return "\n".join(tostring(row, pattern, tick) for row in rows)
        raise ExecutionError(f"str.tostring() of a {type(value).__name__}, which has no text")
    if value != value or isinf(value):
        return "NaN" if value != value else "∞" if value > 0 else "-∞"
    if pattern is None or pattern in ("inherit", "price"):
        return decimal(value, "#.##########")
    if pattern == "mintick":
        places = max(0, -Decimal(repr(tick)).normalize().as_tuple().exponent)  # type: ignore[operator]
        steps = Decimal(repr(value)) / Decimal(repr(tick))
        rounded = steps.quantize(Decimal(1), ROUND_HALF_UP) * Decimal(repr(tick))
        return f"{rounded:.{places}f}"
    if pattern == "percent":
        return decimal(value, "0.00") + "%"
    if pattern == "volume":
        return _short(value)
    return decimal(value, pattern)


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return decimal(value / size, "#.###") + letter
    return decimal(value, "#.###")


_PATTERN = re.compile(r"[#0,]*(?:\.[#0]*)?(?=$|[^#0,.])")


def decimal(value: float, pattern: str) -> str:
    """A number as patterns of `#`, `0`, `,`, `.` and `%` ask, ties away from zero."""
    start = next((i for i, sign in enumerate(pattern) if sign in "#0"), -1)
    if start < 0:
        return pattern
    found = _PATTERN.match(pattern, start)
    core = found.group() if found else pattern[start:]
    head, tail = pattern[:start], pattern[start + len(core) :]
    number = Decimal(repr(value)) * (100 if "%" in tail else 1)
    whole, _, fraction = core.partition(".")
    most, least, digits = len(fraction), fraction.count("0"), whole.count("0")
    rounded = (
        abs(number).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
        if abs(number) < Decimal(10) ** 26
        else abs(number)
    )
    left, _, right = f"{rounded:f}".partition(".")
    right = right.rstrip("0").ljust(least, "0")
    left = left.lstrip("0").rjust(digits, "0") or ("" if right and "0" not in whole and whole == "" else "0")
    if "," in whole:
        left = f"{int(left or 0):,}".rjust(digits, "0")
    sign = "-" if number < 0 and (left.strip("0,") or right.strip("0")) else ""
    return f"{head}{sign}{left}{'.' + right if right else ''}{tail}"


_FIELD = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\w+)\s*(?:,\s*([^{}]*))?)?\}")


def formatted(pattern: str, *values: Any) -> str:
    """`str.format`: `{0}`, `{1,number,#.##}`, `{0,date,yyyy-MM-dd}`, `{0,time,HH:mm}`; text in quotes stands as it is."""

    def field(found: re.Match) -> str:
        place, kind, style = int(found[1]), found[2], found[3]
        if place >= len(values):
            return found.group()
        value = values[place]
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value != value:
            return tostring(value)
        if kind in ("date", "time"):
            return format_time(value, (style or "").strip() or ("yyyy-MM-dd" if kind == "date" else "HH:mm:ss"))
        style = (style or "").strip()
        named = {"integer": "#,##0", "percent": "#,##0%", "currency": "$#,##0.00", "": "#,##0.###"}
        return decimal(value, named.get(style, style))

    pieces = re.split(r"('(?:[^']*)')", pattern)
    found = "".join(
        (piece[1:-1] or "'") if piece[:1] == "'" and piece[-1:] == "'" and len(piece) > 1 else _FIELD.sub(field, piece)
        for piece in pieces
    )
    return limited(found)


_CLOCK = {
    "yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "EEEE": "%A",
    "EEE": "%a", "E": "%a", "a": "%p",
}  # fmt: skip
_CLOCK_WORD = re.compile(r"'([^']*)'|([A-Za-z])\2*")


def format_time(time: float, pattern: Any = None, clock: Any = None) -> str:
    """`str.format_time` of milliseconds."""
    if time != time:
        return "NaN"
    at = datetime.fromtimestamp(time / 1000, frames.zone(clock if isinstance(clock, str) else ""))

    def word(found: re.Match) -> str:
        text = found.group()
        if text[0] == "'":
            return found[1] or "'"
        single = {
            "M": at.month,
            "d": at.day,
            "H": at.hour,
            "h": at.hour % 12 or 12,
            "m": at.minute,
            "s": at.second,
            "y": at.year,
        }
        if text in single:
            return str(single[text])
        if text in ("Z", "z"):
            return at.strftime("%z")
        if set(text) == {"S"}:
            return f"{int(time) % 1000:03d}"
        return at.strftime(_CLOCK[text]) if text in _CLOCK else text

    return _CLOCK_WORD.sub(word, pattern if isinstance(pattern, str) else "yyyy-MM-dd'T'HH:mm:ssZ")


def limited(text: str) -> str:
    """A text the language can hold."""
    if len(text) > MOST:
        raise ExecutionError(f"a text of {len(text):,} characters; {MOST:,} are possible")
    return text


def joined(left: Any, right: Any) -> Any:
    """Two texts as one; na where one is na."""
    return nan if left != left or right != right else limited(left + right)


def tonumber(text: str) -> float:
    """The number a text says, na for any other."""
    try:
        return float(text) if re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", text) else nan
    except TypeError:
        return nan


def _replaced(text: str, target: str, other: str, occurrence: Any = 0) -> str:
    at = -1
    for _ in range(int(occurrence or 0) + 1):
        at = text.find(target, at + 1)
        if at < 0:
            return text
    return text[:at] + other + text[at + len(target) :]


def _matched(text: str, pattern: str) -> str:
    """The first match. Raises ExecutionError for a pattern that cannot be read, or that could take for ever."""
    if len(text) > 1_000 or re.search(r"[+*}]\)?[+*{]|\([^)]*[+*|][^)]*\)[+*{]", pattern):
        raise ExecutionError(f"str.match() with {pattern!r} could take very long; write a simpler pattern")
    try:
        found = re.search(pattern, text)
    except re.error as error:
        raise ExecutionError(f"str.match(): {pattern!r} is no pattern: {error}") from None
    return found.group() if found else ""


def _part(text: str, begin: int, end: Any = None) -> str:
    return text[max(int(begin), 0) : len(text) if end is None or end != end else max(int(end), 0)]


def _repeated(text: str, count: Any, separator: Any = None) -> str:
    if count != count or count < 0 or count * (len(text) + len(separator or "")) > MOST:
        raise ExecutionError(f"str.repeat() of {count} times {len(text)} characters; {MOST:,} in all are possible")
    return (separator or "").join([text] * int(count))


def timestamp_of(text: str) -> float:
    """Milliseconds of a date such as `2020-01-01 00:00 +0000` or `01 Jan 2020`; UTC where no zone is given."""
    cleaned = re.sub(r"\b(GMT|UTC)\b", "", text.strip()).replace(" +", "+").strip()
    for shape in (
        "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d %b %Y", "%d %b %Y %H:%M",
        "%d %b %Y %H:%M:%S", "%d %B %Y", "%d %B %Y %H:%M", "%b %d %Y", "%b %d %Y %H:%M", "%b %d, %Y", "%b %d, %Y %H:%M", "%Y/%m/%d",
    ):  # fmt: skip
        for zone in ("", "%z"):
            try:
                at = datetime.strptime(cleaned, shape + zone)
            except ValueError:
                continue
            return int((at if at.tzinfo else at.replace(tzinfo=frames.zone(""))).timestamp()) * 1000
    raise ExecutionError(f"timestamp(): no date in {text!r}; write it as '2020-01-31 12:00 +0000'")


FUNCTIONS = {
    "str.format": formatted, "str.length": len, "str.lower": lambda text: text.lower(), "str.upper": lambda text: text.upper(),
    "str.trim": lambda text: text.strip(), "str.contains": lambda text, part: part in text, "str.startswith": lambda text, part: text.startswith(part),
    "str.endswith": lambda text, part: text.endswith(part), "str.pos": lambda text, part: text.find(part) if part in text else nan,
    "str.replace": _replaced, "str.replace_all": lambda text, target, other: limited(text.replace(target, other)),
    "str.split": lambda text, separator: text.split(separator) if separator else list(text), "str.substring": _part, "str.repeat": _repeated,
    "str.match": _matched, "str.tonumber": tonumber, "str.format_time": format_time, "string": tostring,
}  # fmt: skip
