"""Orders that wait, and where on the way of a price they are met."""

from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple


class Hit(NamedTuple):
    """A price at which an order is filled; `kind` is stop, limit or trail, `gap` that the price was past it already."""

    price: float
    kind: str
    gap: bool = False


@dataclass(slots=True, eq=False)
class Order:
    """An order of `strategy.entry`, `order` or `close`. `sign` is 1 to buy, -1 to sell; prices are na where not given."""

    kind: str
    id: str
    sign: int
    qty: float
    limit: float = nan
    stop: float = nan
    oca_name: str = ""
    oca_type: str = "none"
    comment: str = ""
    bar: int = 0
    entry: str = ""  # whose trades it closes
    opened: bool = False

    @property
    def is_market(self) -> bool:
        """Whether it is filled at whatever price comes next."""
        return self.limit != self.limit and self.stop != self.stop and self.kind != "exit"

    def prices(self, position: float) -> tuple[int, float, float, float]:
        """Sign, limit, stop and trailing stop; na where there is none. With both, a stop waits for itself first."""
        return self.sign, (nan if self.stop == self.stop else self.limit), self.stop, nan

    def reached(self, price: float, position: float, margin: float) -> Hit | None:
        """Where the price is past the order already."""
        sign, limit, stop, trail = self.prices(position)
        if sign * (price - stop) >= 0:
            return Hit(stop, "stop", True)
        if sign * (price - trail) >= 0:
            return Hit(trail, "trail", True)
        if sign * (limit - price) >= margin:
            return Hit(limit, "limit", True)
        return None

    def met(self, start: float, end: float, position: float, margin: float) -> Hit | None:
        """Where a price that goes from `start` to `end` first meets the order."""
        sign, limit, stop, trail = self.prices(position)
        if sign * (end - start) > 0:  # towards its stop
            for price, kind in ((stop, "stop"), (trail, "trail")):
                if sign * (end - price) >= 0:
                    return Hit(price, kind)
        elif sign * (limit - end) >= margin and limit == limit:
            return Hit(limit, "limit")
        return None


@dataclass(slots=True, eq=False)
class Exit(Order):
    """An order of `strategy.exit`: a bracket around the trades of an entry, which it waits for."""

    from_entry: str = ""
    percent: float = 100.0
    profit: float = nan
    loss: float = nan
    trail_price: float = nan
    trail_points: float = nan
    trail_offset: float = nan
    words: tuple[str, str, str] = ("", "", "")
    trades: tuple | None = None  # the entry prices its own prices were last computed from
    base: float = nan  # the entry quantity `percent` is of
    less: float = 0.0  # filled by others of its group
    level: tuple[float, float, float] = field(default=(nan, nan, nan))  # limit, stop, activation of the trailing stop
    best: float = nan  # the best price since the trailing stop is active
    tick: float = 1.0

    def carry(self, known: "Exit") -> None:
        """Keep what an order of the same name has seen, unless it trails otherwise now."""
        same = (self.trail_points, self.trail_offset) == (known.trail_points, known.trail_offset) or (
            self.trail_points != self.trail_points and known.trail_points != known.trail_points
        )
        if same and known.best == known.best:
            self.best = known.best
        self.less, self.base = known.less, known.base

    def attach(self, trades: list[Any], position: float, tick: float, price: float) -> None:
        """Compute its prices from the entries; of a limit and a profit the one nearer to the price holds."""
        side = 1 if position > 0 else -1
        entry = sum(trade.entry_price * trade.qty for trade in trades) / sum(trade.qty for trade in trades)
        self.trades, self.tick = tuple(id(trade) for trade in trades), tick
        if self.base != self.base:
            self.base = sum(trade.size for trade in trades)
        limits = [x for x in (self.limit, entry + side * self.profit * tick) if x == x]
        stops = [x for x in (self.stop, entry - side * self.loss * tick) if x == x]
        starts = [x for x in (self.trail_price, entry + side * self.trail_points * tick) if x == x]
        pick, other = (min, max) if side > 0 else (max, min)
        self.level = (pick(limits, default=nan), other(stops, default=nan), pick(starts, default=nan))

    def amount(self, trades: list[Any]) -> float:
        """How much it closes of these trades."""
        held = sum(trade.qty for trade in trades)
        wanted = (
            self.qty if self.qty == self.qty else (self.base if self.base == self.base else held) * self.percent / 100
        )
        return (
            max(min(wanted, held) - self.less, 0.0)
            if self.percent < 100 or self.qty == self.qty
            else max(held - self.less, 0.0)
        )

    def prices(self, position: float) -> tuple[int, float, float, float]:
        sign = -1 if position > 0 else 1
        limit, stop, _ = self.level
        trail = self.best + sign * (self.trail_offset if self.trail_offset == self.trail_offset else 0.0) * self.tick
        return sign, limit, stop, trail

    def met(self, start: float, end: float, position: float, margin: float) -> Hit | None:
        hit = Order.met(self, start, end, position, margin)
        side, activation = (1 if position > 0 else -1), self.level[2]
        # Without an offset the trailing stop is met where it begins.
        if (
            self.best != self.best
            and not self.trail_offset > 0
            and side * (end - start) > 0
            and side * (end - activation) >= 0
            and side * (activation - start) > 0
        ):
            begun = Hit(activation, "trail")
            return begun if hit is None or abs(begun.price - start) < abs(hit.price - start) else hit
        return hit

    def reached(self, price: float, position: float, margin: float) -> Hit | None:
        self.follow(price, price, position)
        return Order.reached(self, price, position, margin)

    def follow(self, start: float, end: float, position: float) -> None:
        """Move the trailing stop with a price that has gone from `start` to `end`."""
        side, activation = (1 if position > 0 else -1), self.level[2]
        if activation != activation or self.trades is None:
            return
        top = max(start, end) if side > 0 else min(start, end)
        if side * (top - activation) >= 0:
            self.best = top if self.best != self.best or side * (top - self.best) > 0 else self.best
