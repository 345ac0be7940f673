"""Candles as of a moment: what was known when a candle closed, and nothing later.

Times are integer epoch seconds, UTC. A candle opened at t in a frame of s seconds is known from
t + s on. Nothing here reads a file: a `Tape` is handed a reader and calls it when first asked.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from tapewright.errors import SourceError, suggest

FRAME_SECONDS = {"1h": 3_600, "4h": 14_400, "1d": 86_400}
FUNDING_WINDOW_S = 90 * 86_400
FUNDING_MIN_PRINTS = 90


class Series:
    """All closed candles and indicator columns of one venue, symbol and frame.

    `columns[name][i]` is a Python float and the fast way in (NaN before warm-up); it is unguarded,
    so check that i is not negative. `opened[i]` is the second at which candle i opened.
    """

    __slots__ = ("venue", "symbol", "frame", "n", "columns", "opened", "_seconds")

    def __init__(
        self,
        venue: str,
        symbol: str,
        frame: str,
        opened: Sequence[int],
        columns: dict[str, memoryview],
    ):
        self.venue = venue
        self.symbol = symbol
        self.frame = frame
        self.n = len(opened)
        self.opened = opened
        self.columns = columns
        self._seconds = FRAME_SECONDS[frame]

    def __repr__(self) -> str:
        return f"<Series {self.venue} {self.symbol} {self.frame}, {self.n:,} candles>"

    def close_time(self, index: int) -> int:
        """The second at which candle `index` closed, from which on it is known."""
        return self.opened[self._checked(index)] + self._seconds

    def index_as_of(self, epoch_s: float) -> int:
        """Index of the last candle closed at or before `epoch_s`; -1 when there is none."""
        return bisect_right(self.opened, epoch_s - self._seconds) - 1

    def value(self, name: str, index: int) -> float:
        """One indicator at one candle. Raises SourceError for an unknown name or candle."""
        try:
            column = self.columns[name]
        except KeyError:
            known = sorted(self.columns)
            raise SourceError(
                f"no column {name!r} in {self.symbol} {self.frame}.{suggest(name, known)} Known: {', '.join(known)}"
            ) from None
        return column[self._checked(index)]

    def row(self, index: int) -> dict[str, float]:
        """Every column at one candle."""
        index = self._checked(index)
        return {name: column[index] for name, column in self.columns.items()}

    def _checked(self, index: int) -> int:
        # -1 is index_as_of's "none yet"; Python would take it for the last candle, the far future.
        if 0 <= index < self.n:
            return index
        raise SourceError(f"no candle {index} in {self.venue} {self.symbol} {self.frame}: it holds 0 to {self.n - 1}")


class Tape:
    """What one market source holds: series by venue, symbol and frame, and funding by symbol.

    `name` is what reports call it, `source` is what `market.tape.load` takes to open it again (in
    a worker, say), `sha256` is the hash of the source files' bytes in the order of their names.
    `meta` is what a snapshot carries beside its candles, else empty.
    """

    def __init__(
        self,
        name: str,
        source: str,
        sha256: str,
        frames: dict[tuple[str, str], tuple[str, ...]],
        read: Callable[[str, str, str], Series],
        read_funding: Callable[[str], tuple[Sequence[int], memoryview] | None],
        meta: dict | None = None,
    ):
        self.name = name
        self.source = source
        self.sha256 = sha256
        self.meta = meta or {}
        self._frames = frames
        self._read = read
        self._read_funding = read_funding
        self._series: dict[tuple[str, str, str], Series] = {}
        self._funding: dict[str, tuple[Sequence[int], memoryview, list[float | None]] | None] = {}

    def __repr__(self) -> str:
        return f"<Tape {self.name}, {len(self._frames)} symbols, sha256 {self.sha256[:12]}>"

    def symbols(self) -> list[tuple[str, str]]:
        """Every (venue, symbol), sorted."""
        return sorted(self._frames)

    def frames(self, venue: str, symbol: str) -> tuple[str, ...]:
        """The frames this symbol has, shortest first."""
        try:
            return self._frames[venue, symbol]
        except KeyError:
            known = [f"{v} {s}" for v, s in self.symbols()]
            wanted = f"{venue} {symbol}"
            raise SourceError(
                f"tape {self.name} has no {wanted}.{suggest(wanted, known)} Known: {', '.join(known)}"
            ) from None

    def series(self, venue: str, symbol: str, frame: str) -> Series:
        """Candles and indicators, computed on the first call and kept."""
        key = (venue, symbol, frame)
        series = self._series.get(key)
        if series is None:
            known = self.frames(venue, symbol)
            if frame not in known:
                raise SourceError(
                    f"tape {self.name} has no {frame!r} candles of {venue} {symbol}. Known: {', '.join(known)}"
                )
            series = self._series[key] = self._read(venue, symbol, frame)
        return series

    def funding(self, symbol: str) -> tuple[Sequence[int], memoryview] | None:
        """Stamps and rates (fractions per interval), oldest first; None when the tape has none."""
        known = self._funding_of(symbol)
        return known and known[:2]

    def funding_as_of(self, symbol: str, epoch_s: float) -> tuple[int, float, float | None] | None:
        """(stamp, rate, percentile of the trailing 90 days) of the last print at or before.

        The percentile, 0 to 100, is the share of the prints in (stamp - 90 d, stamp] below this
        rate, ties (itself among them) counted half; None when the window has under 90 prints.
        """
        known = self._funding_of(symbol)
        if known is None:
            return None
        stamps, rates, percentiles = known
        index = bisect_right(stamps, epoch_s) - 1
        if index < 0:
            return None
        return stamps[index], rates[index], percentiles[index]

    def _funding_of(self, symbol: str):
        if symbol not in self._funding:
            read = self._read_funding(symbol)
            self._funding[symbol] = read and (*read, _trailing_percentiles(*read))
        return self._funding[symbol]


def _trailing_percentiles(stamps: Sequence[int], rates: Sequence[float]) -> list[float | None]:
    from bisect import bisect_left, insort

    percentiles: list[float | None] = []
    window: list[float] = []  # sorted rates of the prints from `oldest` on
    oldest = 0
    for stamp, rate in zip(stamps, rates, strict=True):
        insort(window, rate)
        while stamps[oldest] <= stamp - FUNDING_WINDOW_S:
            del window[bisect_left(window, rates[oldest])]
            oldest += 1
        if len(window) < FUNDING_MIN_PRINTS:
            percentiles.append(None)
            continue
        below, up_to = bisect_left(window, rate), bisect_right(window, rate)
        percentiles.append(100.0 * (below + up_to) / (2 * len(window)))
    return percentiles
