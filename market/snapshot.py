"""The snapshot file: a live market, frozen.

A single parquet file, so that it has one sha256 and appears whole or not at all. Its rows are
(series, symbol, ts, open, high, low, close, volume, turnover, funding_rate, open_interest) where
`series` is a frame, "funding" or "open_interest" and columns that do not apply are null. Everything
else (venue, instruments, risk tiers, tickers, order books, when it was fetched) is JSON in the
file's own metadata and becomes `Tape.meta`. `market.tape.load` opens it like any other source.
"""

import io
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from market.candles import FRAME_SECONDS
from tapewright.errors import FileError, SourceError

META_KEY = "tapewright.snapshot"
VERSION = 1
CANDLE = ("ts", "open", "high", "low", "close", "volume", "turnover")
PRINTS = {"funding": ("ts", "funding_rate"), "open_interest": ("ts", "open_interest")}

Rows = Sequence[Sequence[float]]  # first the epoch milliseconds, then the columns above, oldest first


def freeze(path: Path, parts: Sequence[tuple[str, str, Rows]], meta: dict) -> None:
    """Write (series, symbol, rows) parts and what is known beside them. Raises FileError."""
    import polars as pl

    schema = {"series": pl.String, "symbol": pl.String, "ts": pl.Int64}
    schema |= dict.fromkeys((*CANDLE[1:], "funding_rate", "open_interest"), pl.Float64)
    tables = [pl.DataFrame(schema=schema)]
    for series, symbol, rows in parts:
        names = PRINTS.get(series, CANDLE)
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        filled = {name: pl.Series(values, dtype=schema[name]) for name, values in zip(names, columns, strict=True)}
        tables.append(pl.DataFrame(filled).with_columns(series=pl.lit(series), symbol=pl.lit(symbol)))
    table = pl.concat(tables, how="diagonal").with_columns(pl.col("ts").cast(pl.Datetime("ms", "UTC")))
    buffer = io.BytesIO()
    about = json.dumps({"version": VERSION, **meta}, sort_keys=True)
    table.write_parquet(buffer, compression="zstd", metadata={META_KEY: about})
    write_whole(path, buffer.getvalue())


def read_meta(path: Path) -> dict | None:
    """What a snapshot says about itself; None for any other file."""
    import polars as pl

    try:
        meta = json.loads(pl.read_parquet_metadata(path)[META_KEY])
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError):
        return None
    if meta.get("version") != VERSION:
        raise SourceError(
            f"{path.name} is a snapshot of version {meta.get('version')!r}, this program reads {VERSION};"
            " fetch it again"
        )
    return meta


def check_run(symbol: str, frame: str, candles: Rows) -> None:
    """Raise SourceError unless the candles are an unbroken run of at least one."""
    if not candles:
        raise SourceError(f"no closed {frame} candle of {symbol} between these dates; widen them")
    step = FRAME_SECONDS[frame] * 1_000
    for before, after in zip(candles, candles[1:], strict=False):
        if after[0] - before[0] != step:
            raise SourceError(
                f"{symbol} {frame} candles have a gap after {int(before[0])} (epoch milliseconds);"
                " fetch again, and start later if it stays"
            )


def write_whole(path: Path, data: bytes) -> None:
    """The file appears complete or not at all, also when the power goes. Raises FileError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)  # mkstemp's 0600 would keep it from everybody else
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        with suppress(OSError):  # not every system lets a folder be synced
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise FileError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
