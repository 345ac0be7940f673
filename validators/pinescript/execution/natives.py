"""Every Python function compiled scripts may call, by the name the language has for it."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

from validators.pinescript.execution import (
    arrays,
    averages,
    events,
    loops,
    matrices,
    numbers,
    oscillators,
    texts,
    trends,
    windows,
)
from validators.pinescript.execution import timeframe as frames
from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.objects import Drawing, Point

nan = math.nan

# --- colours: #RRGGBB, with two more signs for the opacity where it is not full ---------------------


def _color(red: float, green: float, blue: float, transparency: Any = 0) -> Any:
    if any(x != x for x in (red, green, blue)):
        return nan
    clear = 0 if transparency is None or transparency != transparency else min(max(transparency, 0), 100)
    text = "#" + "".join(f"{min(max(round(x), 0), 255):02X}" for x in (red, green, blue))
    return text if not clear else f"{text}{round(255 * (1 - clear / 100)):02X}"


def _channel(place: int) -> Callable[[Any], float]:
    return lambda color: int(color[1 + 2 * place : 3 + 2 * place], 16) if isinstance(color, str) else nan


def _transparency(color: Any) -> float:
    if not isinstance(color, str):
        return nan
    return 100 - int(color[7:9], 16) / 2.55 if len(color) == 9 else 0.0


def _recolored(color: Any, transparency: Any) -> Any:
    if not isinstance(color, str):
        return nan
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return _color(red, green, blue, transparency)


def _gradient(value: float, bottom: float, top: float, low: Any, high: Any) -> Any:
    if not isinstance(low, str) or not isinstance(high, str) or value != value or bottom != bottom or top != top:
        return nan
    share = min(max((value - bottom) / (top - bottom), 0.0), 1.0) if top != bottom else 1.0
    red, green, blue = (_channel(i)(low) + (_channel(i)(high) - _channel(i)(low)) * share for i in range(3))
    return _color(red, green, blue, _transparency(low) + (_transparency(high) - _transparency(low)) * share)


# --- time -------------------------------------------------------------------------------------------


def _part(attribute: str) -> Callable[..., float]:
    """A part of a moment in milliseconds, in a time zone."""

    def called(time: float, clock: Any = None) -> float:
        if time != time:
            return nan
        at = frames.datetime.fromtimestamp(time / 1000, frames.zone(clock if isinstance(clock, str) else ""))
        if attribute == "weekday":
            return at.isoweekday() % 7 + 1
        return at.isocalendar()[1] if attribute == "week" else getattr(at, attribute)

    return called


def timestamp(*values: Any) -> float:
    """From a text, or from year, month, day, hour, minute and second after an optional time zone."""
    if isinstance(values[0], str) and len(values) == 1:
        return texts.timestamp_of(values[0])
    clock, numbers_ = (values[0], values[1:]) if isinstance(values[0], str) else ("", values)
    if any(x != x for x in numbers_):
        return nan
    year, month, day, hour, minute, second = [*map(int, numbers_), *(1, 1, 0, 0, 0)[len(numbers_) - 1 :]][:6]
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    try:
        first = frames.datetime(year, month, 1, tzinfo=frames.zone(clock))
        at = first + frames.timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)
    except (ValueError, OverflowError):
        raise ExecutionError(f"timestamp(): no date {', '.join(map(str, numbers_))}") from None
    return int(at.timestamp()) * 1000


def _ticker(symbol: str) -> str:
    return symbol.rpartition(":")[2]


def random_state() -> Callable[..., float]:
    """`math.random`: numbers between two bounds from a stream of its own, the same on every run."""
    stream: Random | None = None

    def update(low: Any = None, high: Any = None, seed: Any = None) -> float:
        nonlocal stream
        if stream is None:
            stream = Random(f"pine/{0 if seed is None else seed}")
        bottom, top = 0.0 if low is None else low, 1.0 if high is None else high
        return bottom + (top - bottom) * stream.random()

    return update


def stop(message: str) -> None:
    """`runtime.error`."""
    raise ExecutionError(f"the script stopped itself: {message}")


def invoke(name: str, owner: Any, *values: Any) -> Any:
    """A method of a value whose type was not known before."""
    if isinstance(owner, list):
        space = "array"
    elif isinstance(owner, dict):
        space = "map"
    elif isinstance(owner, matrices.Matrix):
        space = "matrix"
    elif name == "copy" and hasattr(owner, "copy"):
        return owner.copy()
    elif isinstance(owner, Drawing):
        raise ExecutionError(f"{owner.kind}.{name}() of a value whose type is not written; declare it as {owner.kind}")
    else:
        raise ExecutionError(f"{name}() of {'na' if owner != owner else type(owner).__name__}; make the object first")
    function = PLAIN.get(f"{space}.{name}")
    if function is None:
        raise ExecutionError(f"{space} has no function {name!r}")
    return function(owner, *values)


PLAIN: dict[str, Callable] = {
    **numbers.FUNCTIONS, **texts.FUNCTIONS, **arrays.FUNCTIONS, **matrices.FUNCTIONS,
    "str.tostring": texts.tostring, "math.round_to_mintick": numbers.to_tick,
    "color.new": _recolored, "color.rgb": _color, "color.r": _channel(0), "color.g": _channel(1), "color.b": _channel(2),
    "color.t": _transparency, "color.from_gradient": _gradient,
    **{name: (lambda x: x) for name in ("color", "line", "label", "box", "table", "linefill")},
    "year": _part("year"), "month": _part("month"), "weekofyear": _part("week"), "dayofmonth": _part("day"), "dayofweek": _part("weekday"),
    "hour": _part("hour"), "minute": _part("minute"), "second": _part("second"), "timestamp": timestamp,
    "timeframe.from_seconds": frames.named, "runtime.error": stop, "max_bars_back": lambda *_: None,
    "syminfo.ticker": _ticker, "syminfo.prefix": lambda symbol: symbol.rpartition(":")[0],
    "ticker.new": lambda prefix, ticker, *_: f"{prefix}:{ticker}" if prefix else ticker, "ticker.modify": lambda symbol, *_: symbol,
    "ticker.inherit": lambda _, symbol: symbol, "ticker.standard": lambda symbol=None: (symbol or "").removeprefix("heikinashi "),
    "ticker.heikinashi": lambda symbol: f"heikinashi {symbol}",
    "chart.point.new": Point, "chart.point.from_index": lambda index, price: Point(nan, index, price),
    "chart.point.from_time": lambda time, price: Point(time, nan, price), "chart.point.copy": lambda point: point.copy(),
    "strategy.convert_to_account": lambda value: value, "strategy.convert_to_symbol": lambda value: value,
}  # fmt: skip

_STATES = {
    **averages.STATES,
    **windows.STATES,
    **events.STATES,
    **oscillators.STATES,
    **trends.STATES,
    "math.random": random_state,
}
_BAR_STATES = {
    **averages.BAR_STATES,
    **windows.BAR_STATES,
    **events.BAR_STATES,
    **oscillators.BAR_STATES,
    **trends.BAR_STATES,
}
VARIADIC = frozenset(("math.max", "math.min", "math.avg", "array.from", "str.format", "timestamp", "max_bars_back"))
# The order in which the Python takes arguments, where ways to call a function put them differently.
ORDER = {
    **{f"ta.{word}": ["source", "length"] for word in ("highest", "lowest", "highestbars", "lowestbars")},
    "ta.pivothigh": ["source", "leftbars", "rightbars"], "ta.pivotlow": ["source", "leftbars", "rightbars"],
}  # fmt: skip


def _python(path: str) -> str:
    return "n_" + path.replace(".", "_")


FUNCTIONS_BY_PATH = {path: _python(path) for path in PLAIN}
STATES = {path: _python(path) for path in _STATES}
BAR_STATES = {path: _python(path) for path in _BAR_STATES}

ENVIRONMENT: dict[str, Any] = {
    "__builtins__": {"range": range, "zip": zip, "len": len, "bool": bool, "round": round, "abs": abs},
    "nan": nan, **loops.FUNCTIONS, "truth": numbers.truth, "isna": numbers.isna, "nz": numbers.nz, "differ": numbers.differ,
    "divide": numbers.divide, "truncated": numbers.truncated, "modulo": numbers.modulo, "times": numbers.times, "split": frames.split,
    "new_array": arrays.new, "new_matrix": matrices.new, "invoke": invoke, "joined": texts.joined, "Point": Point,
    **{_python(path): function for path, function in {**PLAIN, **_STATES, **_BAR_STATES}.items()},
}  # fmt: skip
