"""`array.*` and `map.*`: arrays are lists, maps are dicts."""

from bisect import bisect_left, bisect_right
from math import fsum, nan, sqrt
from typing import Any

from validators.pinescript.execution import windows
from validators.pinescript.execution.failure import ExecutionError

MOST = 100_000  # elements, as in the language


def _place(items: list, index: Any, end: int = 0) -> int:
    """A place in an array; from its end where it is negative. Raises ExecutionError outside of it."""
    if not isinstance(items, list):
        raise ExecutionError("an array function on na; make the array first, e.g. with array.new<float>()")
    size = len(items)
    if index != index or not -size <= index < size + end:
        raise ExecutionError(f"index {'na' if index != index else index} in an array of {size}")
    return int(index)


def _filled(items: list) -> list:
    if not isinstance(items, list):
        raise ExecutionError("an array function on na; make the array first, e.g. with array.new<float>()")
    return [value for value in items if value == value]


def new(size: Any = 0, value: Any = nan) -> list:
    if size != size or not 0 <= size <= MOST:
        raise ExecutionError(f"an array of {'na' if size != size else size} elements; 0 to {MOST:,} are possible")
    return [value] * int(size)


def push(items: list, value: Any) -> None:
    if len(items) >= MOST:
        raise ExecutionError(f"an array of more than {MOST:,} elements")
    items.append(value)


def take(items: list, at: int, word: str) -> Any:
    if not items:
        raise ExecutionError(f"array.{word}() of an empty array; ask for its size first")
    return items[at]


def pop(items: list) -> Any:
    if not items:
        raise ExecutionError("array.pop() of an empty array; ask for its size first")
    return items.pop()


def shift(items: list) -> Any:
    if not items:
        raise ExecutionError("array.shift() of an empty array; ask for its size first")
    return items.pop(0)


def get(items: list, index: Any) -> Any:
    return items[_place(items, index)]


def put(items: list, index: Any, value: Any) -> None:
    items[_place(items, index)] = value


def insert(items: list, index: Any, value: Any) -> None:
    items.insert(_place(items, index, 1), value)


def remove(items: list, index: Any) -> Any:
    return items.pop(_place(items, index))


def fill(items: list, value: Any, start: Any = None, end: Any = None) -> None:
    first, after = int(start or 0), len(items) if end is None or end != end else int(end)
    items[first:after] = [value] * max(after - first, 0)


def part(items: list, start: Any = None, end: Any = None) -> list:
    """`array.slice`, as a copy."""
    first, after = int(start or 0), len(items) if end is None or end != end else int(end)
    if not 0 <= first <= after <= len(items):
        raise ExecutionError(f"slice {first} to {after} of an array of {len(items)}")
    return items[first:after]


def concat(left: list, right: list) -> list:
    left.extend(right)
    return left


def _field(value: Any, name: Any) -> Any:
    return getattr(value, f"f_{name}") if name is not None and name == name else value


def sort(items: list, order: Any = None, field: Any = None) -> None:
    items[:] = ordered(items, order, field)


def ordered(items: list, order: Any = None, field: Any = None) -> list:
    """Sorted; na stands last."""
    known = [value for value in items if _field(value, field) == _field(value, field)]
    return sorted(known, key=lambda value: _field(value, field), reverse=order == "descending") + [
        value for value in items if _field(value, field) != _field(value, field)
    ]


def sort_indices(items: list, order: Any = None, field: Any = None) -> list[int]:
    return sorted(range(len(items)), key=lambda i: _field(items[i], field), reverse=order == "descending")


def find(items: list, value: Any) -> int:
    return items.index(value) if value in items else -1


def find_last(items: list, value: Any) -> int:
    return len(items) - 1 - items[::-1].index(value) if value in items else -1


def search(items: list, value: Any, leftmost: int = 0) -> int:
    """Binary search; -1, or with `leftmost` -1 or 1 a neighbour's place, where the value is missing."""
    at = bisect_left(items, value)
    if at < len(items) and items[at] == value:
        return bisect_right(items, value) - 1 if leftmost > 0 else at
    return -1 if not leftmost else at - 1 if leftmost < 0 else at


def nth(items: list, place: Any, largest: bool) -> Any:
    known = sorted(_filled(items), reverse=largest)
    place = int(place or 0)
    return known[place] if 0 <= place < len(known) else nan


def _of(measure):
    """A measure of what is not na, na of nothing."""

    def called(items: list, *rest: Any) -> Any:
        known = _filled(items)
        return measure(known, *rest) if known else nan

    return called


def standardize(items: list) -> list:
    known = _filled(items)
    mean, size = (fsum(known) / len(known), windows.stdev(known)) if known else (nan, nan)
    return [(value - mean) / size if size else 1.0 for value in items]


def covariance(left: list, right: list, biased: Any = True) -> float:
    both = [(a, b) for a, b in zip(left, right) if a == a and b == b]
    if not both:
        return nan
    n = len(both)
    a, b = fsum(x for x, _ in both) / n, fsum(y for _, y in both) / n
    below = n if biased is not False else n - 1
    return fsum([(x - a) * (y - b) for x, y in both]) / below if below else nan


def percentrank(items: list, index: Any) -> float:
    """How many percent of the others are no greater than the element."""
    value = items[_place(items, index)]
    return 100.0 * (sum(other <= value for other in items) - 1) / (len(items) - 1) if len(items) > 1 else nan


def between_ranks(known: list, percentage: float) -> float:
    return windows.interpolated(known, percentage)


def text(value: Any) -> str:
    from validators.pinescript.execution.texts import tostring

    return tostring(value)


def _join(items: list, separator: Any = None) -> str:
    return ("," if separator is None else separator).join(map(text, items))


def _key(pairs: dict, key: Any) -> Any:
    if not isinstance(pairs, dict):
        raise ExecutionError("a map function on na; make the map first, e.g. with map.new<string, float>()")
    return key


def map_put(pairs: dict, key: Any, value: Any) -> Any:
    before = pairs.get(_key(pairs, key), nan)
    if len(pairs) >= 50_000 and key not in pairs:
        raise ExecutionError("a map of more than 50,000 pairs")
    pairs[key] = value
    return before


def map_get(pairs: dict, key: Any) -> Any:
    return pairs.get(_key(pairs, key), nan)


def map_remove(pairs: dict, key: Any) -> Any:
    return pairs.pop(_key(pairs, key), nan)


FUNCTIONS = {
    "array.push": push, "array.unshift": lambda items, value: items.insert(0, value), "array.pop": pop, "array.shift": shift,
    "array.first": lambda items: take(items, 0, "first"), "array.last": lambda items: take(items, -1, "last"), "array.get": get,
    "array.set": put, "array.insert": insert, "array.remove": remove, "array.size": len, "array.clear": lambda items: items.clear(),
    "array.fill": fill, "array.slice": part, "array.copy": list, "array.concat": concat, "array.reverse": lambda items: items.reverse(),
    "array.sort": sort, "array.sort_indices": sort_indices, "array.includes": lambda items, value: value in items, "array.indexof": find,
    "array.lastindexof": find_last, "array.binary_search": search, "array.binary_search_leftmost": lambda items, value: search(items, value, -1),
    "array.binary_search_rightmost": lambda items, value: search(items, value, 1), "array.join": _join,
    "array.max": lambda items, place=0: nth(items, place, True), "array.min": lambda items, place=0: nth(items, place, False),
    "array.sum": _of(fsum), "array.avg": _of(lambda known: fsum(known) / len(known)), "array.median": _of(windows.median),
    "array.mode": _of(windows.mode), "array.range": _of(windows.spread), "array.variance": _of(windows.variance),
    "array.stdev": _of(lambda known, biased=True: sqrt(windows.variance(known, biased))), "array.standardize": standardize,
    "array.covariance": covariance, "array.percentrank": percentrank, "array.percentile_nearest_rank": _of(windows.nearest_rank),
    "array.percentile_linear_interpolation": _of(between_ranks), "array.abs": lambda items: [abs(value) for value in items],
    "array.every": lambda items: all(value is True for value in items), "array.some": lambda items: any(value is True for value in items),
    "array.from": lambda *values: list(values),
    "map.put": map_put, "map.get": map_get, "map.remove": map_remove, "map.contains": lambda pairs, key: _key(pairs, key) in pairs,
    "map.keys": list, "map.values": lambda pairs: list(pairs.values()), "map.size": len, "map.clear": lambda pairs: pairs.clear(),
    "map.copy": dict, "map.put_all": lambda pairs, others: pairs.update(others),
}  # fmt: skip
