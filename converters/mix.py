"""Blending datasets by shares: general instructions beside our own, against forgetting. The same bytes for the same seed.

Which source a row comes from follows a schedule that holds every prefix within one row of the shares; which rows of a
source are taken is drawn by the seed, without repeating one, and they keep their order. Two passes, flat memory.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tapewright import files
from tapewright.errors import ConfigError, FileError, RowError
from tapewright.inputs import read_items
from tapewright.schedule import schedule
from tapewright.shapes import recognise

CHUNK_ROWS = 1_000


@dataclass(slots=True)
class Source:
    """One file of a blend: how many rows it has, of what shape, and how many are taken."""

    name: str
    share: float
    rows: int = 0
    shape: str = ""
    taken: int = 0


def mix(shares: list[tuple[str, float]], output: Path, *, size: int = 0, seed: int = 42) -> tuple[list[Source], str]:
    """Write `size` rows (0: as many as the shares allow) drawn from files by share; the sources and the file's sha256.

    Raises ConfigError for shares that do not add up, more rows than a source has, or sources of different shapes, and
    FileError for a row that cannot be read: a blend leaves nothing out silently.
    """
    _check(shares, size)
    sources = [_looked_at(Source(name, share)) for name, share in shares]
    shapes = {source.shape for source in sources}
    if len(shapes) > 1:
        told = ", ".join(f"{source.name} is {source.shape}" for source in sources)
        raise ConfigError(f"the sources have different shapes ({told}); bring them to one with `convert` first")
    most = min(int(source.rows / source.share) for source in sources)
    size = size or most
    places = [name for name, _ in schedule({source.name: source.share for source in sources}, size)]
    for source in sources:
        source.taken = places.count(source.name)
        if source.taken > source.rows:
            raise ConfigError(f"{source.name} has {source.rows:,} rows, and {source.taken:,} are needed for --size {size:,}; the shares allow {most:,}")  # fmt: skip
    streams = {source.name: _drawn(source, seed) for source in sources}
    with files.locked(output):
        sha256 = files.write_from_lines(output, _chunks(places, streams))
        files.write_manifest(output, {
            "mix": [[source.name, source.share, source.rows, source.taken] for source in sources], "seed": seed, "rows": size,
            "files": {output.name: sha256},
        })  # fmt: skip
    return sources, sha256


def _check(shares: list[tuple[str, float]], size: int) -> None:
    names = [name for name, _ in shares]
    total = sum(share for _, share in shares)
    if len(set(names)) != len(names):
        raise ConfigError("a file stands twice among the sources")
    if any(share <= 0 for _, share in shares) or abs(total - 1) > 1e-6:
        raise ConfigError(f"shares must be positive and add up to 1, not {total:g}: {', '.join(f'{n}={s:g}' for n, s in shares)}")  # fmt: skip
    if size < 0:
        raise ConfigError(f"size is {size}; ask for at least one row, or 0 for all the shares allow")


def _looked_at(source: Source) -> Source:
    for record in _records(source.name):
        source.shape = source.shape or recognise(record)
        source.rows += 1
    if not source.rows:
        raise FileError(f"{source.name} has no rows")
    return source


def _records(name: str) -> Iterator[dict[str, Any]]:
    for item in read_items(name):
        if item.problem:
            raise FileError(f"{name}:{item.line}: {item.message or item.problem}; `clean` puts such rows aside")
        try:
            recognise(item.record)
        except RowError as error:
            raise FileError(f"{name}:{item.line}: {error}") from error
        yield item.record


def _drawn(source: Source, seed: int) -> Iterator[dict[str, Any]]:
    """The rows that are taken, in the order of the file."""
    key = blake2b(f"{seed}/{Path(source.name).name}".encode(), digest_size=16).digest()
    chosen = set(random.Random(int.from_bytes(key, "big")).sample(range(source.rows), source.taken))
    return (record for place, record in enumerate(_records(source.name)) if place in chosen)


def _chunks(places: list[str], streams: dict[str, Iterator[dict[str, Any]]]) -> Iterator[bytes]:
    for start in range(0, len(places), CHUNK_ROWS):
        yield files.encode_lines(next(streams[name]) for name in places[start : start + CHUNK_ROWS])
