"""What an exchange lets you trade: tick, lot, smallest order, leverage and risk tiers.

Ticks and lots are what the tape shows, hour by hour on Bybit and day by day on Binance: a tick is
valid from the first candle off the older, coarser grid, or from the candle after the last one off
the new, coarser grid. `tests/test_instruments.py` holds every one of them against the tape. Prices
and quantities are decimal strings, because "0.1" says how many decimals to show and 0.1 does not;
`market.quantity` snaps to them and counts their decimals.

Smallest orders, leverage and tiers are not in the tape. They are of a plausible size and marked
`source = "drawn"`, so a text has to state them; `instrument_of` takes a snapshot's own.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

from market.candles import Tape
from market.margin import tier_deductions
from tapewright.errors import ConfigError, SourceError, suggest

TICK_OF_PRICE = Decimal("1e-5")
TABLE_END_S = 1_767_225_600  # 2026-01-01, the end of the bundled tape

# (venue, symbol): lot, leverage class, then each tick with the hour it became valid (UTC).
_TABLE = {
    ("bybit", "BTCUSDT"): ("0.001", "major", "0.5", "2023-02-10T07", "0.1"),
    ("bybit", "ETHUSDT"): ("0.01", "major", "0.05", "2023-01-17T08", "0.01"),
    ("bybit", "SOLUSDT"): ("0.1", "large", "0.005", "2023-02-24T07", "0.001", "2024-04-03T12", "0.01"),
    ("bybit", "BNBUSDT"): ("0.01", "large", "0.05", "2025-03-11T11", "0.1"),
    ("bybit", "XRPUSDT"): ("1", "large", "0.0001"),
    ("binance", "ADAUSDT"): ("1", "other", "0.00001", "2021-05-12T00", "0.0001"),
    ("binance", "ATOMUSDT"): ("0.01", "other", "0.001"),
    ("binance", "AVAXUSDT"): (
        *("1", "other", "0.0001", "2021-05-12T00", "0.001"),
        *("2022-01-26T00", "0.01", "2022-10-25T00", "0.001"),
    ),
    ("binance", "BCHUSDT"): ("0.001", "large", "0.01"),
    ("binance", "DOGEUSDT"): ("1", "large", "0.000001", "2021-05-12T00", "0.00001"),
    ("binance", "DOTUSDT"): ("0.1", "other", "0.001"),
    ("binance", "ETCUSDT"): ("0.01", "other", "0.001"),
    ("binance", "LINKUSDT"): ("0.01", "other", "0.001"),
    ("binance", "LTCUSDT"): ("0.001", "large", "0.01"),
    ("binance", "NEARUSDT"): ("1", "other", "0.0001", "2022-01-21T00", "0.001"),
    ("binance", "TRXUSDT"): ("1", "other", "0.00001"),
    ("binance", "UNIUSDT"): ("1", "other", "0.0001", "2021-05-12T00", "0.001"),
    ("binance", "XLMUSDT"): ("1", "other", "0.00001"),
    ("binance", "XRPUSDT"): ("0.1", "large", "0.0001"),
}

# Orders placed before a tick grew stay on the old one until they fill: candles that opened then
# and still show it, (venue, symbol): epoch seconds.
LATE_FILLS = {
    ("bybit", "BNBUSDT"): (1_742_083_200, 1_742_180_400, 1_753_660_800),
    ("binance", "DOGEUSDT"): (1_620_864_000,),
}

# Largest position value in USDT and largest leverage of each tier.
_TIERS = {
    "major": ((2_000_000, 100), (10_000_000, 50), (20_000_000, 25), (40_000_000, 20), (80_000_000, 10)),
    "large": ((500_000, 75), (1_000_000, 50), (5_000_000, 25), (10_000_000, 20), (20_000_000, 10)),
    "other": ((100_000, 50), (500_000, 25), (1_000_000, 20), (2_000_000, 10), (5_000_000, 5)),
}
_MIN_NOTIONAL_USDT = 5.0


@dataclass(frozen=True, slots=True)
class Tier:
    """One risk tier. `maintenance_rate` is a fraction; it is half the initial-margin rate that
    `max_leverage` implies, as on Bybit's lower tiers, cut to six decimals."""

    number: int
    limit_usdt: float
    maintenance_rate: float
    deduction_usdt: float
    max_leverage: float
    source: str = "drawn"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One linear contract. `ticks[n]` is valid from `changes[n - 1]` (epoch seconds) on."""

    venue: str
    symbol: str
    base: str
    lot: str
    ticks: tuple[str, ...]
    changes: tuple[int, ...]
    tiers: tuple[Tier, ...]
    min_notional_usdt: float = _MIN_NOTIONAL_USDT
    source: str = "drawn"

    @property
    def max_leverage(self) -> float:
        return self.tiers[0].max_leverage

    def tick(self, epoch_s: float) -> str:
        return self.ticks[bisect_right(self.changes, epoch_s)]

    def tier(self, notional_usdt: float) -> Tier | None:
        """The lowest tier that holds this position value; None above the last."""
        return next((tier for tier in self.tiers if notional_usdt <= tier.limit_usdt), None)


def known(venue: str, symbol: str) -> bool:
    return (venue, symbol) in _TABLE


@cache
def instrument(venue: str, symbol: str) -> Instrument:
    """Everything the table says of one contract. Raises SourceError for one it does not list."""
    if not known(venue, symbol):
        listed = [" ".join(key) for key in sorted(_TABLE)]
        near = suggest(f"{venue} {symbol}", listed)
        raise SourceError(
            f"no tick and lot known for {venue} {symbol}.{near} Known: {', '.join(listed)};"
            " for any other market take tick_for_price and lot_for_price"
        )
    lot, size, *ticks = _TABLE[venue, symbol]
    changes = tuple(int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) for at in ticks[1::2])
    return Instrument(venue, symbol, base_coin(symbol), lot, tuple(ticks[::2]), changes, _tiers(size))


def instrument_of(tape: Tape, venue: str, symbol: str) -> Instrument:
    """The contract as a snapshot recorded it, `source = "fetched"`; from the table for other tapes.

    A snapshot knows one tick, today's: where the table has dated ones they stay, and a tick that
    has changed since counts from the table's end. Raises SourceError as `instrument` does.
    """
    about = tape.meta.get("instruments", {}).get(symbol)
    if not about or not about["tick"] or not about["lot"]:
        return instrument(venue, symbol)
    ticks, changes = ((about["tick"],), ())
    if known(venue, symbol):
        ticks, changes = instrument(venue, symbol).ticks, instrument(venue, symbol).changes
        if ticks[-1] != about["tick"]:
            ticks, changes = (*ticks, about["tick"]), (*changes, TABLE_END_S)
    fetched = tuple(
        Tier(number, source="fetched", **tier)
        for number, tier in enumerate(tape.meta.get("risk_tiers", {}).get(symbol, []), 1)
    )
    return Instrument(
        venue,
        symbol,
        about["base"] or base_coin(symbol),
        about["lot"],
        ticks,
        changes,
        fetched or _tiers("other"),
        about["min_notional_usdt"] or _MIN_NOTIONAL_USDT,
        "fetched",
    )


def tick(venue: str, symbol: str, epoch_s: float) -> str:
    """The price step valid at `epoch_s`, as a decimal string such as "0.1"."""
    return instrument(venue, symbol).tick(epoch_s)


def lot(venue: str, symbol: str, epoch_s: float) -> str:
    """The quantity step in base coin; on the tape none has changed so far."""
    return instrument(venue, symbol).lot


def base_coin(symbol: str) -> str:
    """ "BTC" for "BTCUSDT"; a symbol with another quote is returned as it is."""
    return symbol.removesuffix("USDT") or symbol


def tick_for_price(price: float) -> str:
    """A tick for a price no exchange has set one for: the largest 1·10ⁿ or 5·10ⁿ that is at most
    1e-5 of it, so every price shows five to six significant digits."""
    target = _positive(price) * TICK_OF_PRICE
    step = Decimal(1).scaleb(target.adjusted())
    return f"{step * 5 if step * 5 <= target else step:f}"


def lot_for_price(price: float) -> str:
    """A lot worth 10 to 100 USDT, and never above one coin, as on the listed contracts."""
    return f"{min(Decimal(1), Decimal(1).scaleb((100 / _positive(price)).adjusted())):f}"


def _positive(price: float) -> Decimal:
    value = Decimal(repr(float(price)))
    if not (value.is_finite() and value > 0):
        raise ConfigError(f"no tick or lot for a price of {price!r}: it must be above zero")
    return value


@cache
def _tiers(size: str) -> tuple[Tier, ...]:
    limits = [float(limit) for limit, _ in _TIERS[size]]
    rates = [round(0.5 / leverage, 6) for _, leverage in _TIERS[size]]
    deductions = tier_deductions(limits, rates)
    return tuple(
        Tier(number, limit, rate, round(deduction, 2), leverage)
        for number, (limit, rate, deduction, (_, leverage)) in enumerate(
            zip(limits, rates, deductions, _TIERS[size], strict=True), 1
        )
    )
