"""Timeframes as scripts write them: `15`, `240`, `D`, `2W`, `M`, `30S`; and sessions of the day."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from validators.pinescript.execution.failure import ExecutionError

MINUTE, HOUR, DAY = 60, 3_600, 86_400
_MONTH = 30.4375 * DAY  # mean month of the Gregorian calendar, as `timeframe.in_seconds` gives it
_MONDAY = 4 * DAY  # 1970-01-05, the first Monday after the epoch


@lru_cache(256)
def split(timeframe: str) -> tuple[int, str]:
    """(240, "") for `240`, (2, "W") for `2W`; the unit is S, D, W, M, or empty for minutes."""
    text = timeframe.strip().upper()
    unit = text[-1:] if text[-1:] in ("S", "D", "W", "M") else ""
    count = text.removesuffix(unit) if unit else text
    if not (count.isdigit() or (unit and not count)) or (count and int(count) == 0):
        raise ExecutionError(f"no timeframe {timeframe!r}; write minutes as '60', or '30S', 'D', 'W', 'M'")
    return int(count or 1), unit


def seconds(timeframe: str) -> int:
    """How long a bar lasts; a month is its mean length."""
    count, unit = split(timeframe)
    return int(count * {"S": 1, "": MINUTE, "D": DAY, "W": 7 * DAY, "M": _MONTH}[unit])


def named(length_s: float) -> str:
    """The timeframe of so many seconds."""
    whole = int(length_s)
    if whole < MINUTE:
        return f"{max(whole, 1)}S"
    if whole < DAY:
        return str(whole // MINUTE)
    if whole % (7 * DAY) == 0:
        return f"{whole // (7 * DAY)}W"
    return f"{whole // DAY}D" if whole < 28 * DAY else f"{round(whole / _MONTH)}M"


def span(timeframe: str, second: int) -> tuple[int, int]:
    """First second of the bar that `second` lies in, and the first second after that bar; UTC."""
    count, unit = split(timeframe)
    if unit == "M":
        at = datetime.fromtimestamp(second, UTC)
        month = (at.year * 12 + at.month - 1) // count * count
        first, after = (datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in (month, month + count))
        return int(first.timestamp()), int(after.timestamp())
    length = seconds(timeframe)
    origin = _MONDAY if unit == "W" else 0
    if length < DAY and DAY % length:
        origin = second // DAY * DAY  # what does not divide a day begins anew with it
    first = (second - origin) // length * length + origin
    after = first + length
    return first, min(after, origin + DAY) if length < DAY and DAY % length else after


@lru_cache(64)
def zone(name: str) -> tzinfo:
    """A time zone by its name: `America/New_York`, `UTC+2`, `GMT-5:30`; UTC for an empty name."""
    text = name.strip()
    for prefix in ("UTC", "GMT"):
        if text.upper().startswith(prefix):
            offset = text[3:]
            if not offset:
                return UTC
            sign = -1 if offset[0] == "-" else 1
            hours, _, minutes = offset[1:].partition(":")
            if not minutes and len(hours) == 4:
                hours, minutes = hours[:2], hours[2:]
            if offset[0] in "+-" and hours.isdigit() and (not minutes or minutes.isdigit()):
                return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
    if not text or text.lower() == "exchange":
        return UTC
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ExecutionError(f"no time zone {name!r}; write e.g. 'UTC', 'UTC+2' or 'Europe/London'") from None


@lru_cache(256)
def _session(text: str) -> tuple[tuple[tuple[int, int], ...], frozenset[int]]:
    """Parts of a session in minutes of the day, and its days (1 is Sunday)."""
    hours, _, days = text.partition(":")
    found = []
    for part in hours.split(","):
        begin, _, end = part.strip().partition("-")
        if not (begin.isdigit() and end.isdigit() and len(begin) == len(end) == 4):
            raise ExecutionError(f"no session {text!r}; write it as '0930-1600' or '0930-1600:23456'")
        first, after = (int(clock[:2]) * 60 + int(clock[2:]) for clock in (begin, end))
        found.append((first, after or 24 * 60))
    return tuple(found), frozenset(int(day) for day in days) if days else frozenset(range(1, 8))


def inside(session: str, second: int, clock: tzinfo) -> bool:
    """Whether a moment lies in a session, e.g. `0930-1600:23456`; one that ends earlier than it begins goes over midnight."""
    if session.strip().lower() in ("", "24x7", "regular", "extended"):
        return True
    spans, days = _session(session.strip())
    at = datetime.fromtimestamp(second, clock)
    minute, day = at.hour * 60 + at.minute, at.isoweekday() % 7 + 1
    for begin, end in spans:
        if begin < end:
            if begin <= minute < end and day in days:
                return True
        # A session over midnight belongs to the day it ends on.
        elif minute >= begin and day % 7 + 1 in days or minute < end and day in days or begin == end and day in days:
            return True
    return False


def closed_before(ends: list[int], moment: int) -> int:
    """Index of the last bar that has ended by `moment`; -1 where none has."""
    return bisect_right(ends, moment) - 1
