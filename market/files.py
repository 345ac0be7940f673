"""A user's own candles, from a parquet or csv file (plain or .gz), checked before anything is made.

Columns, in any order and case: a time (ts, timestamp, date, time, datetime, open_time) that says
when the candle *opened*, open, high, low, close, volume in base coin; symbol where the file holds
several (else the file's own name is the symbol); turnover, where there is one, is used to check
the volume. Anything else, a funding rate included, is left alone. Times are ISO text (UTC where no
zone is given), datetimes, or epoch seconds, milliseconds, microseconds or nanoseconds, told apart
by their size. The frame is what the spacing says: 1h, 4h or 1d.

The first thing wrong is raised as a SourceError that names the file, the data row (1 is the first
row below the header) and its time. Nothing is repaired: a guess here would end up in every row.
"""

import gzip
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl

from market.candles import FRAME_SECONDS
from tapewright.errors import SourceError, suggest

TIMES = ("ts", "timestamp", "date", "time", "datetime", "open_time")
NUMBERS = ("open", "high", "low", "close", "volume")
TURNOVERS = ("turnover", "quote_volume", "quote_asset_volume")
MAX_DAILY_TURNOVER = 5e11
# One unit of these buys so little that real turnovers reach the bound above.
_SMALL_MONEY = ("KRW", "JPY", "IDR", "VND", "RUB", "INR", "TRY", "ARS", "CLP", "COP", "HUF", "NGN", "IRR")


def read(path: Path, now: float | None = None) -> dict[str, tuple[str, pl.DataFrame]]:
    """Return {symbol: (frame, candles)}, candles being ts (datetime, UTC) and five floats.

    `now`, in epoch seconds: a candle that closes after it is still open and refused. Without it a
    last candle that was open when the file was written cannot be told from a closed one.
    """
    table = _Table(path, _read_table(path))
    symbols = table.symbols()
    opened = table.times()
    columns = {name: table.numbers(name) for name in NUMBERS}
    _check_bars(table, opened, columns)
    found = {}
    for symbol in sorted(set(symbols.tolist())):
        rows = np.flatnonzero(symbols == symbol)
        frame = _frame(table, symbol, rows, opened, now)
        values = {name: column[rows] for name, column in columns.items()}
        _check_turnover(table, symbol, frame, rows, opened, values)
        found[symbol] = (frame, _frame_table(opened[rows], values))
    return found


def _frame_table(opened: np.ndarray, values: dict[str, np.ndarray]) -> pl.DataFrame:
    ts = pl.Series("ts", opened * 1_000).cast(pl.Datetime("ms", "UTC"))
    return pl.DataFrame([ts, *(pl.Series(name, value) for name, value in values.items())])


class _Table:
    """The file as read: its columns by lower-case name, and how to point at one of its rows."""

    def __init__(self, path: Path, data: pl.DataFrame):
        self.path = path
        self.data = _lower_names(path, data)
        known = [*TIMES, *NUMBERS, "symbol"]
        if not set(self.data.columns) & set(known):
            raise SourceError(
                f"{path.name}: the first line names none of the columns needed"
                f" ({_quoted(data.columns)}); add a header: symbol,ts,open,high,low,close,volume"
            )
        self.time = next((name for name in TIMES if name in self.data.columns), None)
        for name in (*NUMBERS, self.time or "ts"):
            if name not in self.data.columns:
                others = [c for c in self.data.columns if c not in known]
                raise SourceError(
                    f"{path.name}: no column {name!r}; found {_quoted(data.columns)}."
                    f"{suggest(name, others)} Rename or add it"
                )
        if not data.height:
            raise SourceError(f"{path.name}: no candles, only a header; is it the right file?")

    def fail(self, index: int, what: str, opened: np.ndarray | None = None) -> NoReturn:
        at = f" ({_utc(opened[index])})" if opened is not None else ""
        raise SourceError(f"{self.path.name}: row {index + 1}{at}: {what}")

    def symbols(self) -> np.ndarray:
        if "symbol" not in self.data.columns:
            name = self.path.name.removesuffix(".gz")
            return np.full(self.data.height, Path(name).stem)
        column = self.data["symbol"].cast(pl.String)
        for index in column.is_null().arg_true():
            self.fail(index, "no symbol; fill it in")
        return np.array(column.str.strip_chars().to_list())

    def times(self) -> np.ndarray:
        """Epoch seconds at which each candle opened."""
        assert self.time is not None
        column = self.data[self.time]
        for index in column.is_null().arg_true():
            self.fail(index, f"no {self.time}; every candle needs the time it opened")
        if column.dtype in (pl.Date, pl.Datetime):
            return column.cast(pl.Datetime("ms")).dt.epoch("ms").to_numpy() // 1_000
        if column.dtype == pl.String:
            numbers = column.cast(pl.Float64, strict=False)
            odd = numbers.is_null().arg_true()
            if 0 < len(odd) < column.len() / 2:
                self._iso(odd[0], column[odd[0]])  # one word among numbers: name its row, not the first
                self.fail(odd[0], f"{self.time} {column[odd[0]]!r} is text among epoch numbers; use one form")
            if len(odd):
                return np.array([self._iso(i, text) for i, text in enumerate(column)], dtype=np.int64)
            column = numbers
        if not column.dtype.is_numeric():
            raise SourceError(f"{self.path.name}: {self.time} holds {column.dtype}, not times")
        values = column.cast(pl.Float64).to_numpy()
        for index in np.flatnonzero(~np.isfinite(values))[:1]:
            self.fail(int(index), f"{self.time} is {values[index]}, not a time")
        for index in np.flatnonzero(values < 1e8)[:1]:
            # 20240101 is a date to whoever wrote it, and an evening of August 1970 to us.
            self.fail(int(index), f"{self.time} {values[index]:.0f} is too small for epoch seconds; write ISO")
        size = values.max()
        per_second = next((n for limit, n in ((1e11, 1), (1e14, 1e3), (1e17, 1e6)) if size < limit), 1e9)
        return np.floor(values / per_second).astype(np.int64)

    def _iso(self, index: int, text: str) -> int:
        try:
            moment = datetime.fromisoformat(text.strip().removesuffix("UTC").strip())
        except ValueError:
            self.fail(index, f"{self.time} {text!r} is no time; write 2024-05-01 13:00 or epoch seconds")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

    def numbers(self, name: str) -> np.ndarray:
        column = self.data[name]
        values = column.cast(pl.Float64, strict=False)
        for index in values.is_null().arg_true():
            given = column[index]
            if given is None or not str(given).strip():
                self.fail(index, f"{name} is empty; drop the candle only if it is the first or last")
            self.fail(index, f"{name} is {str(given)!r}, not a number; write it plainly, like 67234.5")
        return values.to_numpy()


def _lower_names(path: Path, data: pl.DataFrame) -> pl.DataFrame:
    names = [name.strip().lower() for name in data.columns]
    for name, count in Counter(names).items():
        if count > 1:
            raise SourceError(f"{path.name}: {count} columns are called {name!r}; keep one")
    data.columns = names
    return data


def _read_table(path: Path) -> pl.DataFrame:
    name = path.name.lower()
    try:
        data = path.read_bytes()
        if name.endswith(".gz"):
            data, name = gzip.decompress(data), name.removesuffix(".gz")
        if not data.strip():
            raise SourceError(f"{path.name} is empty; is it the right file?")
        if name.endswith((".parquet", ".pq")):
            return pl.read_parquet(data)
        if name.endswith((".csv", ".tsv", ".txt")):
            header = data.split(b"\n", 1)[0]
            separator = max(",;\t", key=lambda mark: header.count(mark.encode()))
            # Everything as text first: a price that is no number has to be seen, not guessed away.
            return pl.read_csv(data, infer_schema=False, separator=separator)
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{path.name} cannot be read: {reason}; expected parquet or csv") from error
    raise SourceError(f"{path.name}: not a .parquet or .csv file (.gz allowed); convert it to one of them")


def _check_bars(table: _Table, opened: np.ndarray, columns: dict[str, np.ndarray]) -> None:
    """Refuse the first candle that cannot have happened."""
    o, h, low, c, v = (columns[name] for name in NUMBERS)
    for name in NUMBERS:
        bad = ~np.isfinite(columns[name]) | (columns[name] < 0 if name == "volume" else columns[name] <= 0)
        for index in np.flatnonzero(bad)[:1]:
            wanted = "0 or more" if name == "volume" else "above 0"
            table.fail(int(index), f"{name} is {columns[name][index]:g}; it has to be {wanted}", opened)
    bad = (h < low) | (np.maximum(o, c) > h) | (np.minimum(o, c) < low)
    for index in np.flatnonzero(bad)[:1]:
        bar = f"open {o[index]:g}, high {h[index]:g}, low {low[index]:g}, close {c[index]:g}"
        what = "high is below low" if h[index] < low[index] else "open or close lies outside low and high"
        table.fail(int(index), f"{what} ({bar}); check the columns' order", opened)


def _frame(table: _Table, symbol: str, rows: np.ndarray, opened: np.ndarray, now: float | None) -> str:
    """The frame one symbol's candles are spaced by, once they are found to be an unbroken run."""
    times = opened[rows]
    steps = np.diff(times)
    for at in np.flatnonzero(steps <= 0)[:1]:
        index, before = int(rows[at + 1]), int(rows[at]) + 1
        if steps[at] == 0:
            table.fail(index, f"{symbol}: the same time as row {before}; keep one of the two", opened)
        # Duplicates elsewhere in the file are found once it is sorted.
        table.fail(index, f"{symbol}: earlier than row {before}; sort the file, oldest first", opened)
    if not len(steps):
        table.fail(int(rows[0]), f"{symbol}: a single candle; its frame cannot be told", opened)
    usual = Counter(steps.tolist()).most_common(1)[0][0]
    frame = next((name for name, seconds in FRAME_SECONDS.items() if seconds == usual), None)
    if frame is None:
        table.fail(
            int(rows[0]),
            f"{symbol}: candles {_duration(usual)} apart; known frames are {', '.join(FRAME_SECONDS)}",
            opened,
        )
    for at in np.flatnonzero(steps != usual)[:1]:
        index, before = int(rows[at + 1]), int(rows[at]) + 1
        missing = int(steps[at]) // usual - 1
        what = f"{missing} {frame} candle{'s' * (missing > 1)} missing" if missing else "too soon"
        table.fail(index, f"{symbol}: {what} after row {before} ({_utc(int(times[at]))}); fill the gap", opened)
    if times[0] % usual:
        table.fail(
            int(rows[0]),
            f"{symbol}: a {frame} candle opens on a whole {frame} of UTC; give the time it opened, not closed, in UTC",
            opened,
        )
    if now is not None and times[-1] + usual > now:
        table.fail(
            int(rows[-1]),
            f"{symbol}: the {frame} candle closes at {_utc(times[-1] + usual)}, after now"
            f" ({_utc(now)}); drop it until it has closed",
            opened,
        )
    return frame


def _check_turnover(
    table: _Table,
    symbol: str,
    frame: str,
    rows: np.ndarray,
    opened: np.ndarray,
    values: dict[str, np.ndarray],
) -> None:
    """Refuse turnover in the volume column, as far as it can be told.

    With a turnover column it can: turnover / volume is the candle's mean price and lies between
    low and high. Without one, volume × close is a turnover if the volume is in coins, and no market
    turns over 500 billion (in dollars or so) a day; turnover taken for volume does so from about
    1e9 a day at a price of 500 on. Turnover of smaller or cheaper markets passes unseen.
    """
    name = next((name for name in TURNOVERS if name in table.data.columns), None)
    if name:
        turnover = table.numbers(name)[rows]
        volume = values["volume"]
        traded = volume > 0
        mean = np.where(traded, turnover / np.where(traded, volume, 1.0), values["close"])
        wrong = (mean < values["low"] * (1 - 1e-3)) | (mean > values["high"] * (1 + 1e-3))
        # One odd candle is the exchange's rounding; a column of them is another unit.
        if wrong.mean() > 0.05:
            at = int(np.flatnonzero(wrong)[0])
            table.fail(
                int(rows[at]),
                f"{symbol}: {name} / volume is {mean[at]:g}, outside low {values['low'][at]:g}"
                f" and high {values['high'][at]:g}; volume has to be in base coin, not in money",
                opened,
            )
        return
    if symbol.upper().endswith(_SMALL_MONEY):
        return
    a_day = float(np.median(values["volume"] * values["close"])) * 86_400 / FRAME_SECONDS[frame]
    if a_day > MAX_DAILY_TURNOVER:
        table.fail(
            int(rows[0]),
            f"{symbol}: volume {values['volume'][0]:g} × close {values['close'][0]:g} and its like make"
            f" {a_day:.1e} a day, more than any market trades; volume seems to be turnover,"
            " divide it by the price or give base coin",
            opened,
        )


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:12]) + (", …" if len(names) > 12 else "")


def _utc(epoch_s: float) -> str:
    try:
        return f"{datetime.fromtimestamp(float(epoch_s), UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{epoch_s:g} s"


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
