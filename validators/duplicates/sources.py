"""The rows of several files in one order, read as often as a step needs them, by as many processes as there are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tapewright.errors import ConfigError, suggest
from tapewright.inputs import Block, read_blocks
from tapewright.workers import map_in_order
from validators.dataset import Options, Tally, check_row, load_rules
from validators.duplicates.marks import Marks
from validators.duplicates.reading import FIELDS, passage_of_item, read_row, readable
from validators.duplicates.spool import Spool

COMMIT_BLOCKS = 100


class Watch(Protocol):
    """Who is told what is being done, and how many bytes were read."""

    def step(self, text: str, names: Iterable[str] = ()) -> Callable[[int], None] | None:
        """A step begins; returns what to tell of bytes read."""


class Silent:
    """Nobody is told."""

    def step(self, text: str, names: Iterable[str] = ()) -> Callable[[int], None] | None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read. `names` are the files in order; those from `references` on are references."""

    names: tuple[str, ...]
    references: int
    fields: tuple[str, ...] = ()
    shape: str = ""

    def about(self) -> dict[str, Any]:
        """What marks already on disk must have been made from to be used again."""
        stats = [(name, Path(name).stat()) for name in self.names]
        files = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
        return {"marks": 1, "files": files, "fields": list(self.fields), "shape": self.shape}


def mark_sources(reading: Reading, spool: Spool, workers: int, watch: Watch) -> None:
    """Append the marks of every row to the spool, from where it was left. A run cut off here can go on."""
    advance = watch.step("reading", reading.names)
    done = spool.blocks
    blocks = (pair for number, pair in enumerate(blocks_of(reading.names, advance)) if number >= done)
    fresh = 0
    try:
        for _, marks in _share(_mark, blocks, workers, reading):
            spool.append(marks)
            fresh += 1
            if fresh % COMMIT_BLOCKS == 0:
                spool.commit()
    finally:
        spool.commit()


def blocks_of(names: Iterable[str], advance: Callable[[int], None] | None) -> Iterator[tuple[int, Block]]:
    for number, name in enumerate(names):
        for block in read_blocks(name, advance):
            yield number, block


def _share(function: Callable, blocks: Iterable, workers: int, reading: Reading) -> Iterator[tuple[Any, Any]]:
    if workers > 1:
        return map_in_order(function, blocks, workers, _prepare, (reading,))
    _prepare(reading)
    return ((block, function(block)) for block in blocks)


_reading = Reading((), 0)


def _prepare(reading: Reading) -> None:
    global _reading
    _reading = reading
    load_rules()


def _mark(numbered: tuple[int, Block]) -> Marks:
    source, block = numbered
    items = list(block.items())
    passages = [
        passage_of_item(item, _reading.fields, _reading.shape) if readable(item) else None for item in items
    ]  # fmt: skip
    return Marks.of(passages, [item.line for item in items], source)


Seen = tuple[int, int, str, str]  # row, findings (-1 unasked), id, text


def visit(reading: Reading, rows: np.ndarray, check: bool, workers: int, watch: Watch, text: str) -> Iterator[Seen]:
    """What some rows (ascending) say of themselves, in order; their findings are counted where `check` asks."""
    advance = watch.step(text, reading.names)
    parts = _wanted(reading, rows, check, advance)
    for _, seen in _share(_look, parts, workers, reading):
        yield from seen


def _wanted(reading: Reading, rows: np.ndarray, check: bool, advance) -> Iterator[tuple[Block, list[int], bool]]:
    """The parts of blocks that hold wanted rows, with the numbers of those rows."""
    start = 0
    for _, block in blocks_of(reading.names, advance):
        end = start + len(block.parts)
        here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)].tolist()
        if here:
            yield Block(block.source, [block.parts[row - start] for row in here]), here, check
        start = end
        if not len(rows) or end > rows[-1]:
            return


def _look(wanted: tuple[Block, list[int], bool]) -> list[Seen]:
    block, rows, check = wanted
    seen = []
    for row, item in zip(rows, block.items()):
        made = passage_of_item(item, _reading.fields, _reading.shape)
        known = read_row(item, _reading.shape)
        findings = -1
        if check:
            findings = len(check_row(known, Tally(), Options())[0]) if known else 0
        name = known.id if known else item.record.get("id") if isinstance(item.record, dict) else ""
        text = f"{made.text}\x1f{made.rejected}" if made.rejected else made.text
        seen.append((row, findings, str(name or ""), text))
    return seen


def check_names(names: Iterable[str]) -> None:
    """ConfigError for stdin, which cannot be read twice."""
    if "-" in names:
        raise ConfigError("dedup reads its files more than once, which stdin does not allow; write it to a file first")


def check_fields(reading: Reading) -> None:
    """ConfigError for a field that is no text of a row and no column of the first rows of any file."""
    columns: set[str] = set()
    for name in reading.names:
        for block in islice(read_blocks(name), 1):
            columns.update(*(item.record for item in block.items() if isinstance(item.record, dict)))
    known = [*FIELDS, "chosen", *sorted(map(str, columns))]
    for field in reading.fields:
        if field not in known:
            raise ConfigError(f"no row has a field {field!r}.{suggest(field, known)}")
