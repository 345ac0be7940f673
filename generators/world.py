"""The market a generator may draw from: one window of time on one tape, as of closed candles.

A `Moment` is one symbol at the close of one candle, with quantised values per frame. Anonymised
moments alias the symbol, drop the date and scale every price by a random factor on a consistent
tick: the model is to learn reading, not recall. The key stays in the facts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from market import instruments
from market.candles import Series, Tape
from market.columns import quantise_column, scaled
from market.quantity import decimals_of
from tapewright.errors import ConfigError, SourceError
from tapewright.streams import Stream, stream

GROUP_SECONDS = 7 * 86_400  # one scenario block: the same for every symbol and frame
WARM_UP = 250  # candles before an EMA(200) has forgotten its start


def utc_text(epoch_s: int) -> str:
    """`YYYY-MM-DD HH:MM UTC`, which stays text in every loader."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(slots=True)
class Moment:
    """One symbol as of `as_of_s`. `indices` holds the last closed candle per frame."""

    venue: str
    symbol: str
    as_of_s: int
    tape: Tape
    indices: dict[str, int]
    tick: str
    lot: str
    base: str
    alias: str = ""
    factor: float = 1.0
    price_decimals: int = field(init=False)

    def __post_init__(self) -> None:
        self.price_decimals = decimals_of(self.tick)

    @property
    def as_of(self) -> str:
        return utc_text(self.as_of_s)

    @property
    def group(self) -> str:
        """The time block this moment belongs to, whatever the symbol or frame."""
        return f"t{self.as_of_s // GROUP_SECONDS}"

    @property
    def name(self) -> str:
        """What the text calls the market."""
        return self.alias or self.symbol

    @property
    def unit(self) -> str:
        """What the text calls one contract."""
        return "units" if self.alias else self.base

    def series(self, frame: str) -> Series:
        return self.tape.series(self.venue, self.symbol, frame)

    def raw(self, name: str, frame: str) -> float:
        """The column's value, prices scaled by the factor."""
        return scaled(name, self.series(frame).columns[name][self.indices[frame]], self.factor)

    def value(self, name: str, frame: str) -> float | None:
        """The quantised value as it is shown, or None before warm-up."""
        value = self.raw(name, frame)
        if math.isnan(value):
            return None
        return quantise_column(name, value, self.tick, self.price_decimals)

    def closed(self, frame: str) -> str:
        """When the last candle of `frame` closed."""
        return utc_text(self.series(frame).close_time(self.indices[frame]))

    def key(self) -> dict[str, Any]:
        """The facts that let anybody find this moment on the tape again."""
        return {"venue": self.venue, "symbol": self.symbol, "as_of": self.as_of, "price_factor": self.factor}


@dataclass(slots=True)
class World:
    """What one row may draw from. `produce` sets `ordinal` (the row's number within its task) per row."""

    tape: Tape
    seed: int = 0
    since_s: int = 0
    until_s: int = 2**40
    symbols: tuple[str, ...] = ()
    anonymize: float = 0.4
    natural: bool = False
    difficulty: str = "mixed"
    may_use: Callable[[str], bool] = lambda variant: True  # whether a variant of a timeless task is this split's
    ordinal: int = 0
    task: str = ""
    _pools: dict[tuple[str, ...], list[tuple[str, str]]] = field(default_factory=dict)
    _picked: dict[tuple, list[int]] = field(default_factory=dict)
    _ranges: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def pair(self) -> Stream:
        """The stream a row shares with its twin: rows 2m and 2m+1 of a task."""
        return stream(self.seed, self.task, "pair", self.ordinal // 2, self.tape.sha256)

    def pool(self, *frames: str) -> list[tuple[str, str]]:
        """The (venue, symbol) pairs that have all `frames` and enough candles inside the window."""
        known = self._pools.get(frames)
        if known is None:
            wanted = set(self.symbols)
            found = []
            for venue, symbol in self.tape.symbols():
                if wanted and symbol not in wanted:
                    continue
                if not set(frames) <= set(self.tape.frames(venue, symbol)):
                    continue
                low, high = self._range(venue, symbol, frames[0])
                if high > low:
                    found.append((venue, symbol))
            known = self._pools[frames] = found
        if not known:
            raise ConfigError(
                f"no symbol has {', '.join(frames)} candles between {utc_text(self.since_s)} and "
                f"{utc_text(min(self.until_s, 4_102_444_800))}; widen --since/--until or --symbols"
            )
        return known

    def has(self, *frames: str) -> bool:
        """Whether any wanted symbol has all these frames."""
        wanted = set(self.symbols)
        return any(
            set(frames) <= set(self.tape.frames(venue, symbol))
            for venue, symbol in self.tape.symbols()
            if not wanted or symbol in wanted
        )

    def _range(self, venue: str, symbol: str, frame: str) -> tuple[int, int]:
        key = (venue, symbol, frame)
        if key not in self._ranges:
            series = self.tape.series(venue, symbol, frame)
            low = max(WARM_UP, series.index_as_of(self.since_s) + 1)
            self._ranges[key] = (low, series.index_as_of(self.until_s) + 1)
        return self._ranges[key]

    def _chosen(self, venue: str, symbol: str, frame: str, where: partial) -> list[int]:
        """Candles of the window that `where(columns)` picks, worked out once per series."""
        key = (venue, symbol, frame, *where.args)
        if key not in self._picked:
            low, high = self._range(venue, symbol, frame)
            picked = where(self.tape.series(venue, symbol, frame).columns)
            self._picked[key] = [int(index) for index in picked if low <= index < high]
        return self._picked[key]

    def moment(self, rng: Stream, frames: tuple[str, ...], *, where: partial | None = None) -> Moment:
        """Draw a symbol and a closed candle of the first frame, with the other frames as of it.

        Symbols are drawn uniformly, candles uniformly within the window or among those that
        `where` (a partial whose arguments name it) picks from a series' columns. Raises ConfigError when
        nothing fits the frames, symbols and window.
        """
        pool = self.pool(*frames)
        for _ in range(50):
            venue, symbol = rng.pick(pool)
            low, high = self._range(venue, symbol, frames[0])
            if where is None:
                index = low + rng.below(high - low)
            else:
                chosen = self._chosen(venue, symbol, frames[0], where)
                if not chosen:
                    continue
                index = rng.pick(chosen)
            as_of_s = self.tape.series(venue, symbol, frames[0]).opened[index] + _SECONDS[frames[0]]
            indices = {frames[0]: index}
            for frame in frames[1:]:
                indices[frame] = self.tape.series(venue, symbol, frame).index_as_of(as_of_s)
            if all(place >= WARM_UP for frame, place in indices.items()):
                break
        else:
            raise ConfigError(f"not enough history in the window for frames {', '.join(frames)}; widen --since/--until")
        if rng.chance(self.anonymize):
            return self._alias(rng, venue, symbol, as_of_s, indices)
        instrument = self.instrument(venue, symbol)
        if instrument is not None:
            tick, lot = instrument.tick(as_of_s), instrument.lot
        else:
            close = self.tape.series(venue, symbol, frames[0]).columns["close"][index]
            tick, lot = instruments.tick_for_price(close), instruments.lot_for_price(close)
        return Moment(venue, symbol, as_of_s, self.tape, indices, tick, lot, instruments.base_coin(symbol))

    def instrument(self, venue: str, symbol: str) -> instruments.Instrument | None:
        """Ticks, lots and tiers: a snapshot's own, else the table's; None for a market neither knows."""
        try:
            return instruments.instrument_of(self.tape, venue, symbol)
        except SourceError:
            return None

    def _alias(self, rng: Stream, venue: str, symbol: str, as_of_s: int, indices: dict[str, int]) -> Moment:
        frame = next(iter(indices))
        close = self.tape.series(venue, symbol, frame).columns["close"][indices[frame]]
        goal = 10.0 ** rng.between(0.0, 4.5)
        factor = float(f"{goal / close:.6g}")
        tick = instruments.tick_for_price(close * factor)
        alias = f"Asset {'ABCDEFGHJKLMNPQRSTUVWXYZ'[rng.below(24)]}"
        lot = instruments.lot_for_price(close * factor)
        return Moment(venue, symbol, as_of_s, self.tape, indices, tick, lot, "units", alias, factor)


_SECONDS = {"1h": 3_600, "4h": 14_400, "1d": 86_400}
