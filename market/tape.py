"""Open a market source as a Tape: the bundled files, a snapshot, a folder of both, or a user's file.

A folder of parquet files named `{venue}_linear_{frame}.parquet` (symbol, ts, open, high, low,
close, volume) and `{venue}_linear_funding.parquet` (symbol, ts, funding_rate) is a tape; the
bundled one is such a folder. Opening reads the symbols only; candles are read, and indicators
computed, when a series is first asked for.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

import numpy as np
import polars as pl

from market.candles import FRAME_SECONDS, Series, Tape
from market.indicators import compute
from market.snapshot import read_meta
from tapewright.errors import FileError, SourceError

BUNDLED = Path(__file__).resolve().parent.parent / "datasets" / "market"
PRICES = ("open", "high", "low", "close", "volume")

Candles = Callable[[], pl.DataFrame]
Own = dict[tuple[str, str], dict[str, Candles]]


def load(source: str | Path = "bundled", now: float | None = None) -> Tape:
    """Open a source. Raises FileError when it is not there, SourceError when it cannot be used.

    `source` is "bundled", a snapshot made by `market.bybit.fetch`, a folder as described above, or
    a user's parquet or csv file. `now`, in epoch seconds, is for a user's file: a candle that
    closes after it is refused as still open.
    """
    if str(source) == "bundled":
        return _load_folder(BUNDLED, "bundled")
    path = Path(source)
    if path.is_dir():
        return _load_folder(path, str(path))
    if not path.is_file():
        raise FileError(
            f"no market source at {str(path)!r}: give 'bundled', a snapshot, or a parquet or csv file of candles"
        )
    meta = read_meta(path)
    return _load_user_file(path, now) if meta is None else _load_snapshot(path, meta)


def aggregate(opened: np.ndarray, columns: dict[str, np.ndarray], frame: str):
    """Hourly candles into `frame`, on UTC boundaries; a candle exists only if all its hours do.

    Takes and returns (opened seconds, {open, high, low, close, volume}).
    """
    hours = FRAME_SECONDS[frame] // FRAME_SECONDS["1h"]
    starts = np.flatnonzero(opened % FRAME_SECONDS[frame] == 0)
    starts = starts[starts + hours <= len(opened)]
    starts = starts[opened[starts + hours - 1] - opened[starts] == FRAME_SECONDS[frame] - FRAME_SECONDS["1h"]]
    high, low, volume = (columns[name][starts] for name in ("high", "low", "volume"))
    for hour in range(1, hours):
        high = np.maximum(high, columns["high"][starts + hour])
        low = np.minimum(low, columns["low"][starts + hour])
        volume = volume + columns["volume"][starts + hour]
    return opened[starts], {
        "open": columns["open"][starts],
        "high": high,
        "low": low,
        "close": columns["close"][starts + hours - 1],
        "volume": volume,
    }


def _load_folder(folder: Path, source: str) -> Tape:
    paths = sorted(folder.glob("*.parquet"))
    if not paths:
        raise FileError(f"no market data in {str(folder)!r}: expected files like bybit_linear_1h.parquet there")
    own: Own = {}
    funding: dict[str, Candles] = {}
    for path in paths:
        venue, _, kind = path.stem.partition("_linear_")
        if kind != "funding" and kind not in FRAME_SECONDS:
            raise FileError(
                f"{path.name}: a tape's files are called VENUE_linear_FRAME.parquet with frame"
                f" {', '.join(FRAME_SECONDS)} or funding; rename or move it"
            )
        parts = cache(partial(_read_by_symbol, path))
        for symbol in _read_parquet(path, ["symbol"])["symbol"].unique().sort():
            part = partial(_part, parts, symbol)
            if kind != "funding":
                own.setdefault((venue, symbol), {})[kind] = part
            elif venue == "bybit":
                funding[symbol] = part
    return _tape("bundled" if source == "bundled" else folder.name, source, _sha256(paths), own, funding)


def _load_snapshot(path: Path, meta: dict) -> Tape:
    own: Own = {}
    funding: dict[str, Candles] = {}
    parts = _read_parquet(path).partition_by(["series", "symbol"], as_dict=True)
    for (series, symbol), rows in sorted(parts.items()):
        if series in FRAME_SECONDS:
            own.setdefault((meta["venue"], symbol), {})[series] = partial(_same, rows)
        elif series == "funding":
            funding[symbol] = partial(_same, rows)
    return _tape(path.name, str(path), _sha256([path]), own, funding, meta)


def _load_user_file(path: Path, now: float | None) -> Tape:
    from market.files import read

    own: Own = {(path.name, s): {f: partial(_same, c)} for s, (f, c) in read(path, now).items()}
    return _tape(path.name, str(path), _sha256([path]), own, {})


def _part(parts: Callable[[], dict], symbol: str) -> pl.DataFrame:
    return parts()[(symbol,)]


def _same(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _tape(name: str, source: str, sha256: str, own: Own, funding: dict[str, Candles], meta: dict | None = None) -> Tape:
    """A Tape over the frames a source has of its own and those its hourly candles add up to."""
    frames = {key: tuple(frame for frame in FRAME_SECONDS if frame in has or "1h" in has) for key, has in own.items()}

    def read(venue: str, symbol: str, frame: str) -> Series:
        has = own[venue, symbol]
        where = f"tape {name}, {venue} {symbol}"
        if frame in has:
            opened, columns = _arrays(has[frame](), frame, where)
        else:
            opened, columns = aggregate(*_arrays(has["1h"](), "1h", where), frame)
        columns = compute(columns, FRAME_SECONDS[frame] // 3_600)
        return Series(venue, symbol, frame, _frozen(opened), {k: _frozen(v) for k, v in columns.items()})

    def read_funding(symbol: str):
        if symbol not in funding:
            return None
        rows = funding[symbol]().sort("ts")
        return _frozen(_seconds(rows)), _frozen(rows["funding_rate"].to_numpy())

    return Tape(name, source, sha256, frames, read, read_funding, meta)


def _arrays(rows: pl.DataFrame, frame: str, where: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rows = rows.sort("ts")
    opened = _seconds(rows)
    uneven = np.flatnonzero(np.diff(opened) != FRAME_SECONDS[frame])
    if len(uneven):
        at = rows["ts"][int(uneven[0])]
        raise SourceError(
            f"{where}: the {frame} candle after {at:%Y-%m-%d %H:%M} UTC is missing or doubled;"
            " indicators need an unbroken run of candles"
        )
    return opened, {name: rows[name].to_numpy() for name in PRICES}


def _seconds(rows: pl.DataFrame) -> np.ndarray:
    return rows["ts"].dt.epoch("s").cast(pl.Int64).to_numpy()


def _frozen(values: np.ndarray) -> memoryview:
    """Read-only, and an index into it gives a plain Python number, faster than numpy does."""
    values = np.array(values, order="C")
    values.flags.writeable = False
    return memoryview(values.data)


def _read_parquet(path: Path, columns: list[str] | None = None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{path.name} cannot be read as parquet: {reason}") from error


def _read_by_symbol(path: Path) -> dict[tuple[str], pl.DataFrame]:
    return _read_parquet(path).partition_by("symbol", as_dict=True)


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
