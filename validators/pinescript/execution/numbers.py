"""`math.*` and plain arithmetic where na, zero or whole numbers make it differ from Python's."""

import math
from math import nan

from validators.pinescript.execution.failure import ExecutionError

_WIDEST = 2**63


def isna(x) -> bool:
    """Whether a value is na."""
    return x != x


def nz(x, replacement=0):
    """A value, or what replaces it where it is na."""
    return x if x == x else replacement


def truth(x) -> bool:
    """A number or truth value as a condition, as version 5 takes it: na and zero are false."""
    return x == x and bool(x)


def differ(a, b) -> bool:
    """`!=`; false where either is na, as every comparison is."""
    return a != b and a == a and b == b


def divide(a: float, b: float) -> float:
    """`a / b`; na for a division by zero."""
    return a / b if b else nan


def truncated(a: int, b: int) -> float:
    """`a / b` between constants of type int in version 5: towards zero."""
    return int(a / b) if b else nan


def modulo(a: float, b: float) -> float:
    """The remainder, with the sign of the dividend; na for a division by zero."""
    if not b or a != a or b != b:
        return nan
    if a.__class__ is int and b.__class__ is int:
        return int(math.fmod(a, b)) if abs(a) < 2**53 > abs(b) else abs(a) % abs(b) * (1 if a >= 0 else -1)
    return math.fmod(a, b) if math.isfinite(a) else nan


def times(a: int, b: int) -> float:
    """A product of ints, which are of 64 bits."""
    product = a * b
    if product.__class__ is int and not -_WIDEST <= product < _WIDEST:
        raise ExecutionError(f"{a} * {b} is larger than an int can be")
    return product


def maximum(*values):
    """na where one is na."""
    best = values[0]
    for value in values:
        if value != value:
            return nan
        if value > best:
            best = value
    return best


def minimum(*values):
    """na where one is na."""
    best = values[0]
    for value in values:
        if value != value:
            return nan
        if value < best:
            best = value
    return best


def average(*values):
    """Plain mean."""
    return math.fsum(values) / len(values)


def rounded(x: float, precision=None) -> float:
    """To the nearest, ties upwards; an int without `precision`."""
    if x != x or math.isinf(x):
        return x
    if precision is None:
        return math.floor(x + 0.5)
    scale = 10.0 ** int(precision)
    return math.floor(x * scale + 0.5) / scale


def floor(x: float) -> float:
    return math.floor(x) if math.isfinite(x) else nan


def ceil(x: float) -> float:
    return math.ceil(x) if math.isfinite(x) else nan


def sign(x: float) -> float:
    return nan if x != x else float((x > 0) - (x < 0))


def whole_number(x) -> float:
    """`int(x)`: towards zero."""
    return int(x) if x == x and not (isinstance(x, float) and math.isinf(x)) else nan


def real_number(x) -> float:
    """`float(x)`."""
    return float(x)


def _guarded(function):
    """`function`, na where it has no finite value."""

    def called(*values: float) -> float:
        try:
            found = function(*values)
        except (ValueError, OverflowError, ZeroDivisionError):
            return nan
        return found if not isinstance(found, complex) and math.isfinite(found) else nan

    return called


def to_tick(x: float, tick: float) -> float:
    """The nearest multiple of the tick, ties upwards."""
    steps = math.floor(x / tick + 0.5) if x == x else nan
    if steps != steps:
        return nan
    places = max(0, -math.floor(math.log10(tick) + 1e-9)) + 2
    return round(steps * tick, places)


FUNCTIONS = {
    "math.abs": abs, "math.max": maximum, "math.min": minimum, "math.avg": average, "math.round": rounded, "math.floor": floor,
    "math.ceil": ceil, "math.sign": sign, "math.sqrt": _guarded(math.sqrt), "math.exp": _guarded(math.exp), "math.log": _guarded(math.log),
    "math.log10": _guarded(math.log10), "math.pow": _guarded(lambda a, b: float(a) ** b), "math.sin": _guarded(math.sin),
    "math.cos": _guarded(math.cos), "math.tan": _guarded(math.tan), "math.asin": _guarded(math.asin), "math.acos": _guarded(math.acos),
    "math.atan": _guarded(math.atan), "math.todegrees": math.degrees, "math.toradians": math.radians, "int": whole_number,
    "float": real_number, "nz": nz, "na": isna, "bool": truth,
}  # fmt: skip
