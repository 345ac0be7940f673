"""What compiled code needs around loops and the past of values."""

from collections.abc import Callable, Iterator
from math import nan
from typing import Any, NoReturn

from validators.pinescript.execution.failure import ExecutionError

MOST_TURNS = 1_000_000  # of one loop on one bar; what goes on longer does not end


class Past(list):
    """Values of the bars so far; what is kept again on the same bar takes the place of what was."""

    __slots__ = ("bar",)

    def __init__(self) -> None:
        super().__init__()
        self.bar = -1

    def keep(self, value: Any, bar: int) -> None:
        if self.bar == bar:
            self[-1] = value
        else:
            self.append(value)
            self.bar = bar


class Lanes:
    """One state for each turn of a loop: the third call on a bar is answered by the third state, on every bar."""

    __slots__ = ("bar", "factory", "states", "turn")

    def __init__(self, factory: Callable) -> None:
        self.factory, self.states, self.bar, self.turn = factory, [], -1, 0

    def __call__(self, bar: int, *values: Any) -> Any:
        if bar != self.bar:
            self.bar, self.turn = bar, 0
        if self.turn == len(self.states):
            self.states.append(self.factory())
        state = self.states[self.turn]
        self.turn += 1
        return state(*values)


def _bars(offset: Any) -> int:
    if offset != offset or offset < 0:
        raise ExecutionError(f"a history offset of {'na' if offset != offset else offset}; it must be 0 or more")
    return int(offset)


def back(past: list, offset: Any, empty: Any) -> Any:
    """The value `offset` bars ago, `empty` where there was none."""
    at = len(past) - 1 - _bars(offset)
    return past[at] if at >= 0 else empty


def back_in(column: list, bar: int, offset: Any) -> Any:
    """An element of a column of the chart, na before its first."""
    at = bar - _bars(offset)
    return column[at] if at >= 0 else nan


def endless() -> NoReturn:
    """Stop a loop."""
    raise ExecutionError(f"a loop went on for more than {MOST_TURNS:,} turns on one bar; it does not end")


def _direction(start: Any, end: Any, step: Any) -> int:
    if start != start or end != end or step != step:
        return 0
    if step == 0:
        raise ExecutionError("the step of a loop is 0; it must be more")
    return 1 if start <= end else -1


def span(start: Any, end: Any, step: Any) -> Any:
    """The values a `for` counts through, downwards where it ends below its start; none where a bound is na."""
    direction = _direction(start, end, step)
    if not direction:
        return ()
    step = abs(step) * direction
    if start.__class__ is int and step.__class__ is int and abs(end - start) < MOST_TURNS:
        return range(start, int(end // 1) + 1, step) if direction > 0 else range(start, -int(-end // 1) - 1, step)
    return _counted(start, lambda: end, step)


def moving_span(start: Any, end: Callable[[], Any], step: Any) -> Iterator:
    """The same with an end that is asked for before every turn; the direction is that of the first."""
    direction = _direction(start, end(), step)
    return _counted(start, end, abs(step) * direction) if direction else iter(())


def _counted(start: Any, end: Callable[[], Any], step: Any) -> Iterator:
    value = start
    for _ in range(MOST_TURNS):
        if (value > end()) if step > 0 else (value < end()):
            return
        yield value
        value += step
    endless()


def each(values: Any) -> Iterator:
    """Elements of an array or rows of a matrix, as they are when their turn comes."""
    items = values if isinstance(values, list) else getattr(values, "rows", None)
    if items is None:
        raise ExecutionError("a loop over na or over what is no array; make the array first")
    at = 0
    while at < len(items):
        if at > MOST_TURNS:
            endless()
        yield items[at]
        at += 1


def pairs(values: Any) -> Iterator:
    """Places and elements of an array, or keys and values of a map."""
    return iter(list(values.items())) if isinstance(values, dict) else enumerate(each(values))


FUNCTIONS = {
    "Past": Past, "Lanes": Lanes, "back": back, "back_in": back_in, "endless": endless, "span": span, "moving_span": moving_span,
    "each": each, "pairs": pairs,
}  # fmt: skip
