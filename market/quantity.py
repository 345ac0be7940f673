"""Quantised numbers: half-even on the decimal string, snapped to a tick, floored to a lot.

A number is quantised when it is made and everything derived starts from the quantised number;
otherwise what is shown disagrees with itself (on the tape, shown risk/reward against shown levels
in 44 % of rows).
"""

import functools
import math
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal

_POWERS = [10.0**n for n in range(19)]


def quantise(value: float, decimals: int) -> float:
    """Round half-even on the decimal string of `value` (2.675 → 2.68, where `round` gives 2.67)."""
    rounded = round(value, decimals)
    # Only a value within float noise of a tie can differ from `round`; the Decimal path is slow.
    if abs(abs(value - rounded) * _POWERS[decimals] - 0.5) < 1e-6:
        rounded = float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN))
    return rounded + 0.0  # -0.0 prints as "-0.00"


def decimals_of(step: str) -> int:
    """Decimals a tick or lot such as "0.05" or "0.001" shows."""
    return len(step.partition(".")[2].rstrip("0")) if "." in step else 0


@functools.cache
def _unit(step: str) -> tuple[float, int]:
    return float(step), decimals_of(step)


def _snap(value: float, step: str, rounding: Callable[[float], float]) -> float:
    unit, decimals = _unit(step)
    count = value / unit
    whole = round(count)
    # 0.3/0.1 is 2.999… in binary and must count as 3 steps
    if abs(count - whole) > 1e-7 * max(1.0, abs(count) * 1e-6):
        whole = rounding(count)
    return round(whole * unit, decimals)


def snap_price(price: float, tick: str) -> float:
    """The nearest multiple of `tick`."""
    return _snap(price, tick, round)


def floor_price(price: float, tick: str) -> float:
    """The largest multiple of `tick` not above `price`."""
    return _snap(price, tick, math.floor)


def ceil_price(price: float, tick: str) -> float:
    """The smallest multiple of `tick` not below `price`."""
    return _snap(price, tick, math.ceil)


def floor_lot(quantity: float, lot: str) -> float:
    """The largest tradable quantity not above `quantity`."""
    return _snap(quantity, lot, math.floor)
