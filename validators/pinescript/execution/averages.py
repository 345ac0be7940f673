"""Moving averages: `ta.sma`, `ta.ema` and their kin, each one call site's own state.

A factory gives `update(value, length)`, called once per bar. Values that are na are left out, and the result is
na until there have been `length` others, as the remarks of the language's reference say. Formulas are those the
reference prints (`pine_ema`, `pine_rma`, …); `ema` and `rma` begin with the plain mean of the first values.
Windows are summed exactly (`math.fsum`), so no error is carried from bar to bar.
"""

from collections.abc import Callable
from math import exp, floor, fsum, nan, sqrt
from typing import Any

from validators.pinescript.execution.failure import ExecutionError

Update = Callable[..., Any]  # a number, or several as a tuple


def whole(length: object) -> int:
    """A length as an int of at least 1. Raises ExecutionError for na, zero and less."""
    if isinstance(length, (int, float)) and length >= 1:
        return int(length)
    raise ExecutionError(f"a length is {'na' if length != length else length}; it must be 1 or more")


def sma() -> Update:
    values: list[float] = []

    def update(x: float, n: int) -> float:
        if n.__class__ is not int or n < 1:
            n = whole(n)
        if x == x:
            values.append(x)
        return fsum(values[-n:]) / n if len(values) >= n else nan

    return update


def total() -> Update:
    """`math.sum`."""
    values: list[float] = []

    def update(x: float, n: int) -> float:
        if n.__class__ is not int or n < 1:
            n = whole(n)
        if x == x:
            values.append(x)
        return fsum(values[-n:]) if len(values) >= n else nan

    return update


def _smoothed(weight: Callable[[int], float]) -> Update:
    """Exponential smoothing whose first value is the mean of the first n."""
    first: list[float] = []
    value, alpha, rest = nan, 0.0, 0.0

    def update(x: float, n: int) -> float:
        nonlocal value, alpha, rest
        if value == value:
            if x == x:
                value = alpha * x + rest * value
            return value
        if x == x:
            first.append(x)
            n = whole(n)
            if len(first) >= n:
                alpha = weight(n)
                rest = 1.0 - alpha
                value = fsum(first) / len(first)
        return value

    return update


def ema() -> Update:
    return _smoothed(lambda n: 2.0 / (n + 1))


def rma() -> Update:
    return _smoothed(lambda n: 1.0 / n)


def wma() -> Update:
    values: list[float] = []

    def update(x: float, n: int) -> float:
        n = whole(n)
        if x == x:
            values.append(x)
        if len(values) < n:
            return nan
        return fsum([weight * value for weight, value in enumerate(values[-n:], 1)]) / (n * (n + 1) / 2)

    return update


def hma() -> Update:
    half, full, last = wma(), wma(), wma()

    def update(x: float, n: int) -> float:
        n = whole(n)
        return last(2 * half(x, max(n // 2, 1)) - full(x, n), floor(sqrt(n)))

    return update


def swma() -> Update:
    values: list[float] = []

    def update(x: float) -> float:
        if x == x:
            values.append(x)
        if len(values) < 4:
            return nan
        a, b, c, d = values[-4:]
        return a / 6 + b * 2 / 6 + c * 2 / 6 + d / 6

    return update


def alma() -> Update:
    """Gaussian weights around `offset` of the window (reference entry of `ta.alma`)."""
    values: list[float] = []
    known: tuple = ()
    weights: list[float] = []

    def update(x: float, n: int, offset: float, sigma: float, floored: bool = False) -> float:
        nonlocal known, weights
        n = whole(n)
        if known != (n, offset, sigma, floored):
            known = (n, offset, sigma, floored)
            middle = offset * (n - 1)
            middle = floor(middle) if floored is True else middle
            weights = [exp(-((i - middle) ** 2) / (2 * (n / sigma) ** 2)) for i in range(n)]
        if x == x:
            values.append(x)
        if len(values) < n:
            return nan
        return fsum([weight * value for weight, value in zip(weights, values[-n:])]) / fsum(weights)

    return update


def linreg() -> Update:
    """Least squares line through the window, `offset` bars before its end."""
    values: list[float] = []

    def update(x: float, n: int, offset: int) -> float:
        n = whole(n)
        if x == x:
            values.append(x)
        if len(values) < n:
            return nan
        window = values[-n:]
        if n == 1:
            return window[0]
        middle, mean = (n - 1) / 2, fsum(window) / n
        slope = fsum([(i - middle) * (value - mean) for i, value in enumerate(window)]) / (n * (n * n - 1) / 12)
        return mean + slope * (n - 1 - offset - middle)

    return update


def vwma(chart) -> Update:
    """Weighted by volume."""
    above, below, volume = sma(), sma(), chart.volume

    def update(bar: int, x: float, n: int) -> float:
        top, bottom = above(x * volume[bar], n), below(volume[bar] if x == x else nan, n)
        return top / bottom if bottom else nan

    return update


STATES = {
    "ta.sma": sma, "math.sum": total, "ta.ema": ema, "ta.rma": rma, "ta.wma": wma, "ta.hma": hma, "ta.swma": swma, "ta.alma": alma,
    "ta.linreg": linreg,
}  # fmt: skip
BAR_STATES = {"ta.vwma": vwma}
