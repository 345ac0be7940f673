"""Trades, the position they make, and the money of a strategy."""

from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple

from validators.pinescript.execution.failure import ExecutionError


class Fill(NamedTuple):
    """An order that was filled: `qty` is above 0 for a purchase and below for a sale; `kind` is entry, order, exit or close."""

    bar: int
    id: str
    qty: float
    price: float
    kind: str
    comment: str


@dataclass(slots=True, eq=False)
class Trade:
    """What one entry bought or sold, until it is closed. `exit_bar` is -1 and `exit_price` na while it is open.

    `profit` is after commission on both sides; bars count from 0; `direction` is long or short.
    """

    entry_id: str
    direction: str
    qty: float
    entry_bar: int
    entry_price: float
    entry_comment: str = ""
    exit_id: str = ""
    exit_bar: int = -1
    exit_price: float = nan
    exit_comment: str = ""
    profit: float = 0.0
    commission: float = 0.0
    max_runup: float = 0.0
    max_drawdown: float = 0.0
    size: float = 0.0  # as it was entered
    exits: set[str] = field(default_factory=set, repr=False)  # the exits that have closed their part of it

    @property
    def sign(self) -> int:
        """1 for long, -1 for short."""
        return 1 if self.direction == "long" else -1


class Ledger:
    """Open and closed trades; equity is initial capital + net profit + open profit, all after commission paid."""

    def __init__(self, chart: Any, terms: Any) -> None:
        self.chart, self.terms = chart, terms
        self.initial_capital = float(terms.initial_capital)
        self.trades: list[Trade] = []
        self.open_trades: list[Trade] = []
        self.fills: list[Fill] = []
        self.curve: list[float] = []
        self.position = 0.0
        self.mean_price = nan
        self.net_profit = 0.0
        self.gross_profit = self.gross_loss = 0.0
        self.wins = self.losses = 0
        self.peak, self.trough = self.initial_capital, self.initial_capital
        self.max_drawdown = self.max_runup = 0.0
        self.most_long = self.most_short = 0.0
        self.bar = 0

    # --- fills ---------------------------------------------------------------------------------

    def commission(self, qty: float, price: float, total: float) -> float:
        """On `qty` of an order filled for `total`."""
        kind, value = self.terms.commission_type, self.terms.commission_value
        if kind == "percent":
            return qty * price * value / 100
        return qty * value if kind == "cash_per_contract" else value * qty / total

    def execute(
        self, id: str, sign: int, amount: float, price: float, comment: str, entry: str, kind: str, bar: int
    ) -> None:
        """Buy or sell: close opposite trades first, then open one with the rest."""
        self.fills.append(Fill(bar, id, sign * amount, price, kind, comment))
        left = amount
        if self.position * sign < 0:
            any_rule = self.terms.close_entries_rule == "ANY" and entry
            order = (
                sorted(self.open_trades, key=lambda trade: trade.entry_id != entry)
                if any_rule
                else list(self.open_trades)
            )
            for trade in order:
                if left <= 1e-12 * amount:
                    break
                part = min(left, trade.qty)
                part = trade.qty if trade.qty - part <= 1e-12 * trade.qty else part
                self._reduce(trade, part, price, id, comment, bar, amount)
                left -= part
        if left > 1e-12 * amount and kind not in ("exit", "close"):
            fee = self.commission(left, price, amount)
            trade = Trade(id, "long" if sign > 0 else "short", left, bar, price, comment, commission=fee, size=left)
            self.open_trades.append(trade)
        self._total()

    def _reduce(self, trade: Trade, part: float, price: float, id: str, comment: str, bar: int, total: float) -> None:
        share = part / trade.qty
        paid = trade.commission * share
        fee = self.commission(part, price, total)
        profit = trade.sign * (price - trade.entry_price) * part - paid - fee
        closed = Trade(
            trade.entry_id, trade.direction, part, trade.entry_bar, trade.entry_price, trade.entry_comment, id, bar, price, comment, profit,
            paid + fee, max(trade.max_runup * share, profit, 0.0), max(trade.max_drawdown * share, -profit, 0.0), part,
        )  # fmt: skip
        self.trades.append(closed)
        self.net_profit += profit
        if profit > 0:
            self.wins, self.gross_profit = self.wins + 1, self.gross_profit + profit
        elif profit < 0:
            self.losses, self.gross_loss = self.losses + 1, self.gross_loss - profit
        if share >= 1:
            self.open_trades = [other for other in self.open_trades if other is not trade]
        else:
            trade.qty -= part
            trade.commission -= paid
            trade.max_runup, trade.max_drawdown = trade.max_runup * (1 - share), trade.max_drawdown * (1 - share)

    def _total(self) -> None:
        size = sum(trade.qty for trade in self.open_trades)
        self.position = size * self.open_trades[0].sign if size else 0.0
        self.mean_price = sum(trade.qty * trade.entry_price for trade in self.open_trades) / size if size else nan
        if self.position > 0:
            self.most_long = max(self.most_long, size)
        else:
            self.most_short = max(self.most_short, size)

    # --- bar by bar ----------------------------------------------------------------------------

    def mark(self, bar: int) -> None:
        """Note how far open trades have gone for and against."""
        high, low = self.chart.high[bar], self.chart.low[bar]
        for trade in self.open_trades:
            good, bad = (high, low) if trade.sign > 0 else (low, high)
            up = trade.sign * (good - trade.entry_price) * trade.qty - trade.commission
            down = -trade.sign * (bad - trade.entry_price) * trade.qty + trade.commission
            if up > trade.max_runup:
                trade.max_runup = up
            if down > trade.max_drawdown:
                trade.max_drawdown = down

    def record(self, bar: int) -> None:
        """Add the equity at the close of a bar."""
        equity = self.equity() if self.open_trades else self.initial_capital + self.net_profit
        self.curve.append(equity)
        if equity > self.peak:
            self.peak = self.trough = equity
        elif equity < self.trough:
            self.trough = equity
            self.max_drawdown = max(self.max_drawdown, self.peak - equity)
        self.max_runup = max(self.max_runup, equity - min(self.initial_capital, self.trough))

    def open_profit(self, price: float | None = None) -> float:
        """Of open trades at a price, by default the close of this bar, less the commission paid on their entries."""
        at = self.chart.close[self.bar] if price is None else price
        return sum([trade.sign * (at - trade.entry_price) * trade.qty - trade.commission for trade in self.open_trades])

    def equity(self, price: float | None = None) -> float:
        """Initial capital, net profit and open profit."""
        return self.initial_capital + self.net_profit + (self.open_profit(price) if self.open_trades else 0.0)

    def margin(self, sign: float) -> float:
        """The share of a long (above 0) or short position's value that must be covered."""
        return (self.terms.margin_long if sign > 0 else self.terms.margin_short) / 100

    def liquidation(self) -> float:
        """Where the equity just covers the margin (`strategy.margin_liquidation_price`); na where no price takes it there."""
        if not self.position:
            return nan
        side, share = (1 if self.position > 0 else -1), self.margin(self.position)
        if not share or share == side:
            return nan
        own = self.initial_capital + self.net_profit - sum(trade.commission for trade in self.open_trades)
        price = (own / abs(self.position) - side * self.mean_price) / (share - side)
        return price if price > 0 else nan

    def entry_name(self) -> str:
        """The id of the entry the position began with."""
        return self.open_trades[0].entry_id if self.open_trades else ""

    def capital_held(self) -> float:
        """Margin that open trades hold."""
        return abs(self.position) * self.mean_price * (self.margin(self.position) or 1.0) if self.position else 0.0

    def figure(self, name: str) -> float:
        """A total such as `wintrades` or `avg_trade`."""
        if name.endswith("_percent") and not name.startswith("avg_"):
            word = name.removesuffix("_percent")
            value = {
                "grossprofit": self.gross_profit, "grossloss": self.gross_loss, "netprofit": self.net_profit,
                "openprofit": self.open_profit(), "max_drawdown": self.max_drawdown, "max_runup": self.max_runup,
            }[word]  # fmt: skip
            return 100.0 * value / self.initial_capital
        if name.startswith("avg_"):
            kept = {
                "trade": lambda t: True,
                "winning_trade": lambda t: t.profit > 0,
                "losing_trade": lambda t: t.profit < 0,
            }
            trades = [trade for trade in self.trades if kept[name[4:].removesuffix("_percent")](trade)]
            if not trades:
                return nan
            percent = name.endswith("_percent")
            return sum(100.0 * t.profit / (t.qty * t.entry_price) if percent else t.profit for t in trades) / len(
                trades
            )
        return {
            "wintrades": self.wins, "losstrades": self.losses, "eventrades": len(self.trades) - self.wins - self.losses,
            "grossprofit": self.gross_profit, "grossloss": self.gross_loss, "max_contracts_held_all": max(self.most_long, self.most_short),
            "max_contracts_held_long": self.most_long, "max_contracts_held_short": self.most_short,
        }[name]  # fmt: skip

    def look(self, which: str, word: str, number: float) -> Any:
        """`strategy.closedtrades.*` and `strategy.opentrades.*`: one property of one trade, na where there is no such trade."""
        trades = self.trades if which == "closedtrades" else self.open_trades
        if number != number or not 0 <= number < len(trades):
            return "" if word.endswith(("_id", "comment")) else nan
        trade = trades[int(number)]
        if word == "size":
            return trade.qty * trade.sign
        if word in ("entry_time", "exit_time"):
            at = trade.entry_bar if word == "entry_time" else trade.exit_bar
            return self.chart.time[at] if at >= 0 else nan
        open_now = trade.exit_bar < 0
        profit = trade.profit
        if open_now:
            profit = trade.sign * (self.chart.close[self.bar] - trade.entry_price) * trade.qty - trade.commission
        if word == "profit":
            return profit
        if word.endswith("_percent"):
            value = profit if word == "profit_percent" else getattr(trade, word.removesuffix("_percent"))
            return 100.0 * value / (trade.qty * trade.entry_price)
        name = {"entry_bar_index": "entry_bar", "exit_bar_index": "exit_bar"}.get(word, word)
        if not hasattr(trade, name):
            raise ExecutionError(f"strategy.{which}.{word}() is not known")
        return getattr(trade, name)
