"""What happened when: crosses, changes, counts of bars, pivots. States as in `averages`.

Formulas: the reference entries of the functions; a pivot is strictly beyond every bar on either side of it.
"""

from math import inf, nan

from validators.pinescript.execution.averages import Update, whole
from validators.pinescript.execution.failure import ExecutionError


def crossover() -> Update:
    before_a, before_b = nan, nan

    def update(a: float, b: float) -> bool:
        nonlocal before_a, before_b
        crossed = a > b and before_a <= before_b
        before_a, before_b = a, b
        return crossed

    return update


def crossunder() -> Update:
    before_a, before_b = nan, nan

    def update(a: float, b: float) -> bool:
        nonlocal before_a, before_b
        crossed = a < b and before_a >= before_b
        before_a, before_b = a, b
        return crossed

    return update


def cross() -> Update:
    before_a, before_b = nan, nan

    def update(a: float, b: float) -> bool:
        nonlocal before_a, before_b
        crossed = a > b and before_a <= before_b or a < b and before_a >= before_b
        before_a, before_b = a, b
        return crossed

    return update


def _earlier(measure):
    """A factory of `update(value, length=1)`: `measure(value, value length bars ago)`, na before there is one."""

    def factory() -> Update:
        values: list = []

        def update(x, n: int = 1):
            values.append(x)
            n = whole(n)
            return measure(x, values[-1 - n]) if len(values) > n else nan

        return update

    return factory


def _changed(x, before):
    if x.__class__ is bool or before.__class__ is bool:
        return x is not before
    return x - before


def cumulated() -> Update:
    total = 0.0

    def update(x: float) -> float:
        nonlocal total
        if x == x:
            total += x
        return total

    return update


def fixnan() -> Update:
    """The last value that was not na."""
    last = nan

    def update(x):
        nonlocal last
        if x == x:
            last = x
        return last

    return update


def _extreme_so_far(pick, start: float):
    """`ta.max` and `ta.min`: of all bars so far."""

    def factory() -> Update:
        best = start

        def update(x: float) -> float:
            nonlocal best
            if x == x:
                best = pick(best, x)
            return best if best != start else nan

        return update

    return factory


def barssince() -> Update:
    """Bars since the condition was last true; na while it never was."""
    count: float = nan

    def update(condition) -> float:
        nonlocal count
        count = 0 if condition is True else count + 1
        return count

    return update


def valuewhen() -> Update:
    """The value when the condition was true, `occurrence` times before the last one."""
    found: list = []

    def update(condition, source, occurrence: int):
        if condition is True:
            found.append(source)
        if occurrence < 0:
            raise ExecutionError(f"ta.valuewhen(): occurrence is {occurrence}; it must be 0 or more")
        return found[-1 - occurrence] if len(found) > occurrence else nan

    return update


def _pivot(column: str, beyond):
    def factory(chart) -> Update:
        values: list[float] = []
        own = getattr(chart, column)

        def update(bar: int, x: float | None, left: int, right: int) -> float:
            left, right = int(left), int(right)
            if left < 0 or right < 0:
                raise ExecutionError(f"a pivot of {left} and {right} bars; neither can be less than 0")
            if x is None:
                if bar < left + right:
                    return nan
                window = own[bar - left - right : bar + 1]
            else:
                values.append(x)
                window = values[-left - right - 1 :]
            if len(window) < left + right + 1:
                return nan
            top = window[left]
            for at, value in enumerate(window):
                if at != left and not beyond(top, value):
                    return nan
            return top

        return update

    return factory


STATES = {
    "ta.crossover": crossover, "ta.crossunder": crossunder, "ta.cross": cross, "ta.change": _earlier(_changed),
    "ta.mom": _earlier(lambda x, before: x - before),
    "ta.roc": _earlier(lambda x, before: 100 * (x - before) / before if before else nan),
    "ta.cum": cumulated, "fixnan": fixnan, "ta.max": _extreme_so_far(max, -inf), "ta.min": _extreme_so_far(min, inf),
    "ta.barssince": barssince, "ta.valuewhen": valuewhen,
}  # fmt: skip
BAR_STATES = {
    "ta.pivothigh": _pivot("high", lambda top, value: top > value),
    "ta.pivotlow": _pivot("low", lambda top, value: top < value),
}
