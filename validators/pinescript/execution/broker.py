"""The broker of a strategy: orders, fills inside candles, the position and its money.

Rules, from the "Strategies" page of the language's manual: an order is filled no earlier than on the bar after the
one it was given on. Within a bar the price goes from the open to the nearer of high and low, to the other, to the
close; a stop or limit order the open has gone past is filled at the open. Entries reverse an opposite position.
Trades are closed first in, first out, unless `close_entries_rule` is ANY. Where the equity no longer covers the
margin at one of the four prices of a bar, four times what is lacking is closed. Prices are not rounded to the tick.
Money is that of the quote currency.
"""

from dataclasses import dataclass
from math import inf, nan
from typing import Any

from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.orders import Exit, Order
from validators.pinescript.execution.trades import Fill, Ledger


@dataclass(slots=True)
class Terms:
    """What `strategy()` says about money and orders."""

    initial_capital: float = 1_000_000.0
    pyramiding: int = 0
    default_qty_type: str = "fixed"
    default_qty_value: float = 1.0
    commission_type: str = "percent"
    commission_value: float = 0.0
    slippage: int = 0
    process_orders_on_close: bool = False
    close_entries_rule: str = "FIFO"
    margin_long: float = 0.0
    margin_short: float = 0.0
    backtest_fill_limits_assumption: int = 0


class Broker(Ledger):
    """Takes the orders of a script, and fills them as the bars go by."""

    def __init__(self, chart: Any, terms: Terms, step_size: float = 0.0) -> None:
        super().__init__(chart, terms)
        self.step_size = step_size
        self.slip = terms.slippage * chart.mintick
        self.margin_of_fill = terms.backtest_fill_limits_assumption * chart.mintick
        self.orders: dict[tuple, Order] = {}
        self.fills: list[Fill] = []
        self.bar, self.price = 0, nan
        self.allowed = "all"
        self.cap = inf  # the largest position `strategy.risk.max_position_size` allows

    # --- what a script calls -------------------------------------------------------------------

    def entry(self, id: str, direction: str, **rest: Any) -> None:
        self._take("entry", id, direction, **rest)

    def order(self, id: str, direction: str, **rest: Any) -> None:
        self._take("order", id, direction, **rest)

    def _take(
        self, kind: str, id: str, direction: str, qty: float = nan, limit: float = nan, stop: float = nan, oca_name: str = "",
        oca_type: str = "none", comment: Any = "", **_: Any,
    ) -> None:  # fmt: skip
        if direction not in ("long", "short"):
            raise ExecutionError(f"strategy.{kind}(): direction is {direction!r}; strategy.long or strategy.short")
        sign = 1 if direction == "long" else -1
        if qty <= 0:  # na is not
            self.orders.pop((kind, id), None)
            return
        if kind == "entry" and self.position * sign > 0 and not self._room():
            self.orders.pop((kind, id), None)
            return
        at = limit if limit == limit else stop if stop == stop else self.chart.close[self.bar]
        amount = qty if qty == qty else self.default_qty(at)
        if self.step_size:
            amount = int(amount / self.step_size + 1e-9) * self.step_size
        if not amount > 0 or not self._affordable(kind, sign, amount, at):
            self.orders.pop((kind, id), None)
            return
        self.orders.pop((kind, id), None)
        self.orders[kind, id] = Order(kind, id, sign, amount, limit, stop, oca_name, oca_type, _text(comment), self.bar)

    def _room(self) -> bool:
        return len(self.open_trades) < max(self.terms.pyramiding, 1)

    def _affordable(self, kind: str, sign: int, amount: float, price: float) -> bool:
        """Whether the equity covers the margin of the position an order would lead to."""
        share = self.margin(sign)
        if not share:
            return True
        held = self.position * sign
        after = amount + max(held, 0.0) if kind == "entry" else held + amount
        return after * price * share <= self.equity() * (1 + 1e-9)

    def default_qty(self, price: float) -> float:
        """The quantity of an order that names none, at a price."""
        kind, value = self.terms.default_qty_type, self.terms.default_qty_value
        if kind == "fixed":
            return value
        cash = value if kind == "cash" else self.equity() * value / 100
        return cash / price if price else nan

    def exit(
        self, id: str, from_entry: str = "", qty: float = nan, qty_percent: float = 100.0, profit: float = nan, limit: float = nan,
        loss: float = nan, stop: float = nan, trail_price: float = nan, trail_points: float = nan, trail_offset: float = nan,
        oca_name: str = "", comment: Any = "", comment_profit: Any = "", comment_loss: Any = "", comment_trailing: Any = "", **_: Any,
    ) -> None:  # fmt: skip
        key = ("exit", id, from_entry)
        if all(value != value for value in (profit, limit, loss, stop, trail_price, trail_points)):
            self.orders.pop(key, None)
            return
        matching = [trade for trade in self.open_trades if trade.entry_id == from_entry or not from_entry]
        waiting = any(
            order.kind != "exit" and order.kind != "close" and (order.id == from_entry or not from_entry)
            for order in self.orders.values()
        )
        if not waiting and all(id in trade.exits for trade in matching):
            self.orders.pop(key, None)
            return
        known = self.orders.get(key)
        order = Exit("exit", id, 0, qty, limit, stop, oca_name, "reduce", _text(comment), self.bar)
        order.from_entry, order.percent, order.profit, order.loss = from_entry, qty_percent, profit, loss
        order.trail_price, order.trail_points, order.trail_offset = trail_price, trail_points, trail_offset
        order.words = (_text(comment_profit), _text(comment_loss), _text(comment_trailing))
        if isinstance(known, Exit):
            order.carry(known)
        self.orders[key] = order

    def close(
        self, id: str, comment: Any = "", qty: float = nan, qty_percent: float = nan, immediately: Any = False, **_: Any
    ) -> None:
        matching = [trade for trade in self.open_trades if trade.entry_id == id]
        self._close(id, matching, comment, qty, qty_percent, immediately)

    def close_all(self, comment: Any = "", immediately: Any = False, **_: Any) -> None:
        self._close("", self.open_trades, comment, nan, nan, immediately)

    def _close(self, id: str, matching: list, comment: Any, qty: float, percent: float, immediately: Any) -> None:
        total = sum(trade.qty for trade in matching)
        if not total:
            return
        amount = qty if qty == qty else total * percent / 100 if percent == percent else total
        sign = -1 if self.position > 0 else 1
        order = Order(
            "close",
            f"Close entry(s) order {id}" if id else "Close position order",
            sign,
            min(amount, total),
            comment=_text(comment),
        )
        order.entry, order.bar = id, self.bar
        if immediately is True:
            self._fill(order, self.chart.close[self.bar], slips=True)
        else:
            self.orders["close", id] = order

    def cancel(self, id: str, **_: Any) -> None:
        for key in [key for key, order in self.orders.items() if order.id == id and order.kind != "close"]:
            del self.orders[key]

    def cancel_all(self, **_: Any) -> None:
        self.orders.clear()

    def allow_entry_in(self, value: str, **_: Any) -> None:
        self.allowed = value

    def max_position_size(self, contracts: float, **_: Any) -> None:
        self.cap = contracts

    # --- bar by bar ----------------------------------------------------------------------------

    def step(self, bar: int) -> None:
        """Fill what this bar fills, before the script sees it."""
        self.bar = bar
        if self.orders or self.position and self.margin(self.position):
            self._walk(bar)
        if self.open_trades:
            self.mark(bar)

    def settle(self, bar: int) -> None:
        """End a bar the script has seen: orders filled at its close, where the strategy asks for that; the equity."""
        if self.terms.process_orders_on_close and self.orders:
            close = self.chart.close[bar]
            for order in [order for order in self.orders.values() if order.is_market]:
                self._fill(order, close, slips=True)
                self._forget(order)
        self.record(bar)

    def _walk(self, bar: int) -> None:
        chart = self.chart
        o, h, l, c = chart.open[bar], chart.high[bar], chart.low[bar], chart.close[bar]
        self.price = o
        for order in [order for order in self.orders.values() if order.is_market]:
            if self._alive(order):
                self._fill(order, o, slips=True)
                self._forget(order)
        path = (h, l, c) if h - o < o - l else (l, h, c)
        self._due(o, opening=True)
        self._call(o)
        for end in path:
            if self.orders:
                self._travel(end)
            if self.open_trades:
                self._call(end)

    def _call(self, price: float) -> None:
        """Close what the equity does not cover any more ("Margin" in the manual's page on strategies)."""
        share = self.margin(self.position)
        if not share or not self.position:
            return
        lacking = abs(self.position) * price * share - self.equity(price)
        if lacking <= 1e-9 * abs(self.position) * price:
            return
        amount = lacking / share / price
        if self.step_size:
            amount = int(amount / self.step_size + 1e-9) * self.step_size
        amount = min(4 * amount, abs(self.position))
        if amount > 0:
            sign = -1 if self.position > 0 else 1
            self.execute("Margin call", sign, amount, price, "Margin call", "", "close", self.bar)
            self._prune()

    def _alive(self, order: Order) -> bool:
        return any(known is order for known in self.orders.values())

    def _forget(self, order: Order) -> None:
        for key, known in list(self.orders.items()):
            if known is order:
                del self.orders[key]

    def _due(self, price: float, opening: bool = False) -> None:
        """Fill what the price has already reached or gone past."""
        for _ in range(1_000):
            for order in list(self.orders.values()):
                self._prepare(order, price)
                if order.is_market or not self._active(order):
                    continue
                at = order.reached(price, self.position, self.margin_of_fill)
                if at is not None:
                    order.opened = opening
                    if self._trigger(order, price if at.gap else at.price, at):
                        break
            else:
                return

    def _travel(self, end: float) -> None:
        """Go from the price to `end`, filling what lies between in the order it is met."""
        for _ in range(1_000):
            best, found = None, None
            for order in list(self.orders.values()):
                if order.is_market or not self._active(order):
                    continue
                self._prepare(order, self.price)
                hit = order.met(self.price, end, self.position, self.margin_of_fill)
                if hit is not None and (best is None or abs(hit.price - self.price) < abs(best.price - self.price)):
                    best, found = hit, order
            if best is None or found is None:
                break
            self.price = best.price
            self._trigger(found, best.price, best)
            self._due(self.price)
        for order in self.orders.values():
            if isinstance(order, Exit):
                order.follow(self.price, end, self.position)
        self.price = end

    def _prepare(self, order: Order, price: float) -> None:
        """Give an exit the prices that follow from the entry it belongs to."""
        if isinstance(order, Exit) and order.trades is None and self._active(order):
            matching = [
                trade for trade in self.open_trades if trade.entry_id == order.from_entry or not order.from_entry
            ]
            order.attach(matching, self.position, self.chart.mintick, price)

    def _active(self, order: Order) -> bool:
        if not isinstance(order, Exit):
            return True
        return any(
            (trade.entry_id == order.from_entry or not order.from_entry) and order.id not in trade.exits
            for trade in self.open_trades
        )

    def _trigger(self, order: Order, price: float, hit: Any) -> bool:
        """Fill an order at a price; a stop-limit order becomes a limit order. True if anything has changed."""
        if hit.kind == "stop" and order.limit == order.limit and not isinstance(order, Exit):
            order.stop = nan
            return True
        if isinstance(order, Exit):
            self._fill_exit(order, price, hit)
        else:
            self._fill(order, price, slips=hit.kind == "stop")
        self._forget(order)
        return True

    def _fill_exit(self, order: Exit, price: float, hit: Any) -> None:
        matching = [
            t
            for t in self.open_trades
            if (t.entry_id == order.from_entry or not order.from_entry) and order.id not in t.exits
        ]
        held = sum(trade.qty for trade in matching)
        amount = order.amount(matching)
        reserved = 0.0
        for other in self.orders.values():
            if other is order:
                break
            if isinstance(other, Exit) and other.from_entry == order.from_entry:
                reserved += min(other.amount([t for t in matching if other.id not in t.exits]), held)
        amount = min(amount, held - reserved)
        for trade in matching:
            trade.exits.add(order.id)
        if amount <= 1e-12 * max(held, 1.0):
            return
        sign = -1 if self.position > 0 else 1
        profit, loss, trailing = order.words
        word = {"limit": profit, "stop": loss, "trail": trailing}[hit.kind] or order.comment
        self.execute(
            order.id,
            sign,
            amount,
            self._slipped(price, sign, hit.kind != "limit"),
            word,
            order.from_entry,
            "exit",
            self.bar,
        )
        self._oca(order, amount)
        self._prune()

    def _prune(self) -> None:
        """Exits go with the trades they were for."""
        for key, order in list(self.orders.items()):
            if isinstance(order, Exit) and order.trades is not None and not self._active(order):
                del self.orders[key]

    def _slipped(self, price: float, sign: int, slips: bool) -> float:
        return price + sign * self.slip if slips else price

    def _fill(self, order: Order, price: float, slips: bool) -> None:
        sign, amount = order.sign, order.qty
        opposite = -self.position * sign
        if order.kind == "close":
            amount = min(amount, max(opposite, 0.0))
        elif order.kind == "entry":
            if opposite <= 0 and self.position and not self._room():
                return
            if self.allowed not in ("all", "long" if sign > 0 else "short"):
                amount = max(opposite, 0.0)
            else:
                amount = min(amount, self.cap if opposite > 0 else self.cap - abs(self.position)) + max(opposite, 0.0)
        if amount <= 0:
            return
        self.execute(
            order.id, sign, amount, self._slipped(price, sign, slips), order.comment, order.entry, order.kind, self.bar
        )
        self._oca(order, amount)
        self._prune()

    def _oca(self, order: Order, amount: float) -> None:
        """Orders of the same group are cancelled, or lessened by what was filled."""
        if not order.oca_name or order.oca_type == "none":
            return
        for key, other in list(self.orders.items()):
            if other is order or other.oca_name != order.oca_name:
                continue
            if order.oca_type == "cancel":
                del self.orders[key]
            elif isinstance(other, Exit):
                other.less += amount
            else:
                other.qty -= amount
                if other.qty <= 0:
                    del self.orders[key]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
