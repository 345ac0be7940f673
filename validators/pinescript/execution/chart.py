"""The candles a script runs on, as plain lists, and everything that follows from them bar by bar."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from tapewright.errors import SourceError
from validators.pinescript.execution import timeframe as frames

NAN = math.nan
PRICES = ("open", "high", "low", "close")


class Chart:
    """Open, high, low, close, volume, and the times in milliseconds a candle opens and closes at, oldest first.

    Every other list is computed when it is first asked for; element i of any of them depends on candles 0 to i.
    """

    def __init__(
        self, columns: dict[str, list[float]], opened: list[int], *, symbol: str, timeframe: str, mintick: float
    ) -> None:
        self.open, self.high, self.low, self.close, self.volume = (columns[name] for name in (*PRICES, "volume"))
        self.opened, self.symbol, self.timeframe, self.mintick = opened, symbol, timeframe, mintick
        self.count = len(opened)
        self.prefix, _, self.ticker = symbol.rpartition(":")
        self.time = [second * 1000 for second in opened]
        self.memory: dict[tuple, list] = {}

    @cached_property
    def time_close(self) -> list[int]:
        return [frames.span(self.timeframe, second)[1] * 1000 for second in self.opened]

    @cached_property
    def hl2(self) -> list[float]:
        return [(h + l) / 2 for h, l in zip(self.high, self.low)]

    @cached_property
    def hlc3(self) -> list[float]:
        return [(h + l + c) / 3 for h, l, c in zip(self.high, self.low, self.close)]

    @cached_property
    def hlcc4(self) -> list[float]:
        return [(h + l + c + c) / 4 for h, l, c in zip(self.high, self.low, self.close)]

    @cached_property
    def ohlc4(self) -> list[float]:
        return [(o + h + l + c) / 4 for o, h, l, c in zip(self.open, self.high, self.low, self.close)]

    @cached_property
    def before(self) -> list[float]:
        """The close before; na on the first bar."""
        return [NAN, *self.close[:-1]]

    @cached_property
    def tr(self) -> list[float]:
        """True range; high less low on the first bar (`ta.tr(true)`)."""
        return [
            h - l if c != c else max(h - l, abs(h - c), abs(l - c)) for h, l, c in zip(self.high, self.low, self.before)
        ]

    @cached_property
    def tr_na(self) -> list[float]:
        """True range; na on the first bar (`ta.tr`)."""
        return [NAN, *self.tr[1:]]

    # Volume studies. Formulas: the reference entries of `ta.obv`, `ta.accdist` and the rest in the language's manual.

    @cached_property
    def obv(self) -> list[float]:
        return self._running(lambda i, c: math.copysign(self.volume[i], c) if c else 0.0)

    @cached_property
    def pvt(self) -> list[float]:
        return self._running(lambda i, c: c / self.close[i - 1] * self.volume[i] if self.close[i - 1] else 0.0)

    @cached_property
    def accdist(self) -> list[float]:
        total, found = 0.0, []
        for h, l, c, v in zip(self.high, self.low, self.close, self.volume):
            total += (2 * c - l - h) / (h - l) * v if h != l else 0.0
            found.append(total)
        return found

    @cached_property
    def nvi(self) -> list[float]:
        return self._volume_index(lambda now, before: now < before)

    @cached_property
    def pvi(self) -> list[float]:
        return self._volume_index(lambda now, before: now > before)

    @cached_property
    def wad(self) -> list[float]:
        def gain(i: int, change: float) -> float:
            before = self.close[i - 1]
            if change > 0:
                return self.close[i] - min(self.low[i], before)
            return self.close[i] - max(self.high[i], before) if change < 0 else 0.0

        return self._running(gain)

    @cached_property
    def wvad(self) -> list[float]:
        rows = zip(self.open, self.high, self.low, self.close, self.volume)
        return [(c - o) / (h - l) * v if h != l else NAN for o, h, l, c, v in rows]

    @cached_property
    def iii(self) -> list[float]:
        rows = zip(self.high, self.low, self.close, self.volume)
        return [(2 * c - h - l) / ((h - l) * v) if h != l and v else NAN for h, l, c, v in rows]

    def _running(self, term) -> list[float]:
        """Sums of `term(i, change of the close)`, from the second bar on."""
        total, found = 0.0, []
        for i, close in enumerate(self.close):
            if i:
                total += term(i, close - self.close[i - 1])
            found.append(total)
        return found

    def _volume_index(self, counts) -> list[float]:
        value, found = 1.0, []
        for i, close in enumerate(self.close):
            before = self.close[i - 1] if i else 0.0
            if i and before and counts(self.volume[i], self.volume[i - 1]):
                value += (close - before) / before * value
            found.append(value)
        return found

    # Parts of the time a candle opens at, UTC.

    @cached_property
    def moments(self) -> list[datetime]:
        return [datetime.fromtimestamp(second, UTC) for second in self.opened]

    @cached_property
    def year(self) -> list[int]:
        return [at.year for at in self.moments]

    @cached_property
    def month(self) -> list[int]:
        return [at.month for at in self.moments]

    @cached_property
    def weekofyear(self) -> list[int]:
        return [at.isocalendar()[1] for at in self.moments]

    @cached_property
    def dayofmonth(self) -> list[int]:
        return [at.day for at in self.moments]

    @cached_property
    def dayofweek(self) -> list[int]:
        """1 is Sunday."""
        return [at.isoweekday() % 7 + 1 for at in self.moments]

    @cached_property
    def hour(self) -> list[int]:
        return [second % frames.DAY // frames.HOUR for second in self.opened]

    @cached_property
    def minute(self) -> list[int]:
        return [second % frames.HOUR // frames.MINUTE for second in self.opened]

    @cached_property
    def second(self) -> list[int]:
        return [second % frames.MINUTE for second in self.opened]

    @cached_property
    def time_tradingday(self) -> list[int]:
        return [second // frames.DAY * frames.DAY * 1000 for second in self.opened]

    @cached_property
    def first_of_day(self) -> list[bool]:
        days = [second // frames.DAY for second in self.opened]
        return [i == 0 or day != days[i - 1] for i, day in enumerate(days)]

    @cached_property
    def last_of_day(self) -> list[bool]:
        return [close % (frames.DAY * 1000) == 0 for close in self.time_close]

    # --- other frames --------------------------------------------------------------------------

    def changes(self, timeframe: str) -> list[bool]:
        """Whether a bar of `timeframe` begins with this one (`timeframe.change`)."""
        key = ("change", timeframe)
        if key not in self.memory:
            starts = [frames.span(timeframe or self.timeframe, second)[0] for second in self.opened]
            self.memory[key] = [i > 0 and start != starts[i - 1] for i, start in enumerate(starts)]
        return self.memory[key]

    def times(self, timeframe: str, session: str, clock: str, close: bool) -> list[float]:
        """What `time(timeframe, session, timezone)` gives on each bar: milliseconds, na outside of the session."""
        key = ("time", timeframe, session, clock, close)
        if key not in self.memory:
            place, at = frames.zone(clock), int(close)
            self.memory[key] = [
                frames.span(timeframe or self.timeframe, second)[at] * 1000
                if frames.inside(session, second, place)
                else NAN
                for second in self.opened
            ]
        return self.memory[key]

    def aggregated(self, timeframe: str) -> "tuple[Chart, list[int], list[int]]":
        """The bars of a higher frame, with two lists by bar of this chart: the bar it lies in, and the last one closed.

        A higher bar is closed by the first bar of this chart that ends no earlier than it, so the second list knows
        nothing that is not known when its own bar closes.
        """
        columns: dict[str, list[float]] = {name: [] for name in (*PRICES, "volume")}
        opened: list[int] = []
        ends: list[int] = []
        within: list[int] = []
        first, after = 0, -1
        for i, second in enumerate(self.opened):
            if second >= after or not opened:
                first, after = frames.span(timeframe, second)
                opened.append(first)
                ends.append(after * 1000)
                for name in columns:
                    columns[name].append(getattr(self, name)[i])
            else:
                columns["high"][-1] = max(columns["high"][-1], self.high[i])
                columns["low"][-1] = min(columns["low"][-1], self.low[i])
                columns["close"][-1] = self.close[i]
                columns["volume"][-1] += self.volume[i]
            within.append(len(opened) - 1)
        closed = [frames.closed_before(ends, moment) for moment in self.time_close]
        higher = Chart(columns, opened, symbol=self.symbol, timeframe=timeframe, mintick=self.mintick)
        return higher, within, closed

    def heikin_ashi(self) -> "Chart":
        """The same bars, averaged: close (o+h+l+c)/4, open the middle of the bar before, extremes widened to hold both."""
        columns: dict[str, list[float]] = {name: [] for name in PRICES} | {"volume": self.volume}
        for i, close in enumerate(self.ohlc4):
            first = (columns["open"][-1] + columns["close"][-1]) / 2 if i else (self.open[0] + self.close[0]) / 2
            columns["open"].append(first)
            columns["close"].append(close)
            columns["high"].append(max(self.high[i], first, close))
            columns["low"].append(min(self.low[i], first, close))
        return Chart(columns, self.opened, symbol=self.symbol, timeframe=self.timeframe, mintick=self.mintick)

    def first(self, count: int) -> "Chart":
        """The chart of the first `count` candles."""
        columns = {name: getattr(self, name)[:count] for name in (*PRICES, "volume")}
        return Chart(columns, self.opened[:count], symbol=self.symbol, timeframe=self.timeframe, mintick=self.mintick)


def chart_of(candles: Any, *, symbol: str, timeframe: str, mintick: float, bars: slice | None = None) -> Chart:
    """A chart of a `market.candles.Series`, or of a mapping with open, high, low, close, volume and open_time (seconds).

    `bars` takes a part of them. Raises SourceError for a column that is missing, of another length or not finite,
    and for no candles at all.
    """
    if isinstance(candles, Chart):
        return candles
    opened: Sequence | None = getattr(candles, "opened", None)
    columns: Mapping[str, Sequence] = getattr(candles, "columns", candles) if opened is not None else candles
    wanted = {}
    for name in (*PRICES, "volume"):
        try:
            column = columns[name]
        except (KeyError, TypeError, IndexError):
            raise SourceError(f"candles have no column {name!r}; give open, high, low, close and volume") from None
        wanted[name] = _listed(column, bars)
    if opened is None:
        try:
            opened = columns["open_time"]
        except (KeyError, TypeError, IndexError):
            raise SourceError("candles have no column 'open_time', the second each opens at; give it") from None
    starts = [int(second) for second in _listed(opened, bars)]
    for name, column in wanted.items():
        if len(column) != len(starts):
            raise SourceError(f"{len(column):,} values of {name!r} for {len(starts):,} candles")
        if not all(map(math.isfinite, column)):
            at = next(i for i, value in enumerate(column) if not math.isfinite(value))
            raise SourceError(f"{name!r} of candle {at} is {column[at]}; a script needs whole candles")
    if not starts:
        raise SourceError("no candles: a script needs at least one")
    frames.split(timeframe)
    return Chart(wanted, starts, symbol=symbol, timeframe=timeframe, mintick=mintick)


def _listed(column: Any, bars: slice | None) -> list[float]:
    part = column if bars is None else column[bars]
    listed = part.tolist() if hasattr(part, "tolist") else list(part)
    return [float(value) for value in listed] if listed and not isinstance(listed[0], float) else listed
