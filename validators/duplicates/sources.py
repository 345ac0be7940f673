"""The rows of several files in one order, read as often as a step needs them, by as many processes as there are."""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from tapewright.errors import ConfigError, suggest
from tapewright.inputs import Block, read_blocks
from tapewright.rows import Row
from tapewright.workers import Pool
from validators.duplicates.marks import Marks
from validators.duplicates.reading import FIELDS, passage_of_item, read_row, readable, shown_of_item
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
        return {"marks": 2, "files": files, "fields": list(self.fields), "shape": self.shape}


def open_pool(reading: Reading, workers: int) -> Pool:
    """The processes that share all the work of a run."""
    return Pool(workers, _prepare, (reading,))


def mark_sources(reading: Reading, spool: Spool, pool: Pool, watch: Watch) -> None:
    """Append the marks of every row to the spool, from where it was left. A run cut off here can go on."""
    advance = watch.step("reading", reading.names)
    done = spool.blocks
    blocks = (pair for number, pair in enumerate(blocks_of(reading.names, advance)) if number >= done)
    fresh = 0
    try:
        for _, marks in pool.map(_mark, blocks):
            spool.append(marks)
            fresh += 1
            if fresh % COMMIT_BLOCKS == 0:
                spool.commit()
    finally:
        spool.commit()


def blocks_of(names: Iterable[str], advance: Callable[[int], None] | None) -> Iterator[tuple[int, Block]]:
    """The blocks of all files, each with the number of its file."""
    for number, name in enumerate(names):
        for block in read_blocks(name, advance):
            yield number, block


_reading = Reading((), 0)


def _prepare(reading: Reading) -> None:
    global _reading
    _reading = reading


def _mark(numbered: tuple[int, Block]) -> Marks:
    source, block = numbered
    items = list(block.items(look_for_doubled=False))
    passages = [
        passage_of_item(item, _reading.fields, _reading.shape) if readable(item) else None for item in items
    ]  # fmt: skip
    return Marks.of(passages, [item.line for item in items], source)


@dataclass(slots=True)
class Seen:
    """What some rows say of themselves: `cases` holds id and text of each as a line of JSON.

    `findings` are -1 where nobody asked.
    """

    rows: list[int]
    findings: list[int]
    sizes: list[int]
    cases: bytes


def visit(reading: Reading, rows: np.ndarray, check: bool, spool: Spool, pool: Pool, watch: Watch, text: str) -> Iterator[Seen]:  # fmt: skip
    """What some rows (ascending) say of themselves, in order; their findings are counted where `check` asks."""
    wanted = _wanted(reading, rows, check, spool.column("block_rows"), watch.step(text, reading.names))
    for _, seen in pool.map(_look, wanted):
        yield seen


_Wanted = tuple[Block, int, list[int], bool]  # a block, the number of its first row, the places of rows in it


def _wanted(reading: Reading, rows: np.ndarray, check: bool, block_rows: np.ndarray, advance) -> Iterator[_Wanted]:
    """The blocks that hold wanted rows."""
    start = 0
    for (_, block), count in zip(blocks_of(reading.names, advance), block_rows.tolist()):
        end = start + count
        here = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)] - start
        if len(here):
            yield block, start, here.tolist(), check
        start = end
        if not len(rows) or end > rows[-1]:
            return


def _look(wanted: _Wanted) -> Seen:
    block, first, places, check = wanted
    parts = block.parts
    findings, cases = [], []
    for item in Block(block.source, [parts[place] for place in places]).items():
        known = read_row(item, _reading.shape)
        found = -1
        if check:
            found = _checker()(known) if known else 0
        name = known.id if known else item.record.get("id") if isinstance(item.record, dict) else ""
        findings.append(found)
        case = [str(name or ""), shown_of_item(item, known, _reading.fields)]
        cases.append(orjson.dumps(case, option=orjson.OPT_APPEND_NEWLINE))
    return Seen([first + place for place in places], findings, [len(case) for case in cases], b"".join(cases))


@functools.cache
def _checker() -> Callable[[Row], int]:
    """Counts the findings of `validate`, whose rules are loaded by those processes alone that need them."""
    from validators.dataset import Options, Tally, check_row, load_rules

    load_rules()
    return lambda row: len(check_row(row, Tally(), Options())[0])


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
