"""Named quantities and the formulas that tie them together: one graph for making and for checking.

A `Quantities` starts from given values (what a prompt shows) and derives any other by name. The
generator asks it for the answer's numbers; the checker fills it from printed text and asks again.
A value may be overridden, and everything that follows from it then follows from the override: that
is how a consistent error is propagated through a rejected answer.

Names are claim kinds. A name may carry a frame (`rsi_14@4h`); formulas for framed quantities look
their inputs up in the same frame. Units are in `UNITS`; percentages are in per cent, not fractions.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from market.quantity import ceil_price, decimals_of, floor_lot, floor_price, quantise, snap_price

FORMULAS: dict[str, tuple[Callable[["Quantities", str], Any], str]] = {}

# How a quantity is shown: "price" and "lot" take the decimals of the row's tick and lot.
DECIMALS = {"usdt": 2, "pct": 2, "ratio": 2, "atr": 2, "rate_pct": 4, "int": 0, "label": 0}


def formula(name: str, shown: str) -> Callable:
    """Register the formula of quantity `name`, shown as one of DECIMALS, "price" or "lot"."""

    def register(function: Callable[["Quantities", str], Any]) -> Callable:
        FORMULAS[name] = (function, shown)
        return function

    return register


class Missing(LookupError):
    """A quantity that is neither given nor can be derived from what is."""


class Quantities:
    """Given values plus lazily derived ones. `q[name]` raises Missing; `q.get(name)` gives None."""

    __slots__ = ("_missing", "_values", "given", "lot", "price_decimals", "tick")

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self._values: dict[str, Any] = dict(given)
        self._missing: set[str] = set()
        tick, lot = given.get("tick"), given.get("lot")
        self.tick = str(tick) if tick else None
        self.lot = str(lot) if lot else None
        self.price_decimals = decimals_of(self.tick) if self.tick else 8

    def __getitem__(self, name: str) -> Any:
        values = self._values
        if name in values:
            return values[name]
        value = self._derive(name)
        if value is None:
            self._missing.add(name)
            raise Missing(name)
        values[name] = value
        return value

    def add(self, name: str, value: Any) -> None:
        """Give one more value, on which nothing derived so far may rest."""
        self.given = {**self.given, name: value}
        self._values[name] = value
        self._missing.clear()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of `name`, or `default` where it cannot be derived."""
        try:
            return self[name]
        except Missing:
            return default

    def including(self, names: Iterable[str]) -> dict[str, Any]:
        """The given values and, of `names`, every quantity that can be derived."""
        derived = ((name, self.get(name)) for name in names)
        return {**self.given, **{name: value for name, value in derived if value is not None}}

    def _derive(self, name: str) -> Any:
        base, _, frame = name.partition("@")
        entry = FORMULAS.get(base)
        if entry is None or name in self._missing:
            return None
        function, shown = entry
        self._missing.add(name)  # a formula that asks for itself finds nothing instead of recursing
        try:
            value = function(self, "@" + frame if frame else "")
        except (Missing, ZeroDivisionError, OverflowError):
            return None
        self._missing.discard(name)
        return self.shown(value, shown)

    def shown(self, value: Any, as_what: str) -> Any:
        """Quantise `value` the way its kind is printed; labels and None pass."""
        if value is None or isinstance(value, (str, bool)):
            return value
        if as_what == "price":
            return snap_price(value, self.tick) if self.tick else value
        if as_what == "lot":
            return floor_lot(value, self.lot) if self.lot else value
        return int(value) if as_what == "int" else quantise(value, DECIMALS[as_what])

    def up(self, price: float) -> float:
        """The next tick at or above `price`."""
        return ceil_price(price, self.tick) if self.tick else price

    def down(self, price: float) -> float:
        """The next tick at or below `price`."""
        return floor_price(price, self.tick) if self.tick else price


def shown_as(name: str) -> str | None:
    """How the derived quantity `name` is shown, or None for one that is only ever given."""
    entry = FORMULAS.get(name.partition("@")[0])
    return entry[1] if entry else None
