"""`dedup`: read and mark every row, find what ties rows together, choose what stays, write it and the evidence.

Rows in = rows kept + rows removed + rows that could not be read, always. Rows that went lie in a file beside the
output, each with the row that stayed in its place. What was read is kept on disk until the end, so that a run cut
off while reading goes on from there. Memory holds a few dozen bytes a row, and the pairs.
"""

import contextlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, islice
from pathlib import Path

import numpy as np
import orjson

from tapewright import files
from tapewright.errors import ConfigError
from tapewright.inputs import expand
from tapewright.shapes import SHAPES
from validators.duplicates.choose import CONFLICT, EXACT, ID, KINDS, NEAR, TWIN, Gone, Ranks, Ties, choose, copies
from validators.duplicates.evidence import AT_ONCE, Evidence, Pair, Store, Telling, tell
from validators.duplicates.near import Search
from validators.duplicates.related import conflicts, same_id, twins
from validators.duplicates.sources import (
    Reading,
    Silent,
    Watch,
    blocks_of,
    check_fields,
    check_names,
    mark_sources,
    open_pool,
    visit,
)  # fmt: skip
from validators.duplicates.spool import Spool
from validators.duplicates.writing import line_of, lines_to_keep, parse_unreadable, with_row

KEEP = ("best", "longest", "first")
LISTED = 10_000  # pairs of each kind that are reported without being removed


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a duplicate and what is done about it.

    `near` is the least likeness of a near pair; `remove` the kinds that go besides exact copies; `keep` which of a
    pair stays (best: fewer findings, then longer, then first); `most` the share of a source that may go.
    """

    near: float = 0.8
    fields: tuple[str, ...] = ()
    remove: tuple[str, ...] = (EXACT, NEAR)
    keep: str = "best"
    most: float = 0.5
    force: bool = False
    shape: str = ""
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0.3 <= self.near <= 1:
            raise ConfigError(f"near is {self.near}; a likeness from 0.3 to 1 can be asked for")
        if not 0 <= self.most <= 1:
            raise ConfigError(f"max removed is {self.most}; it is a share between 0 and 1")
        for kind in self.remove:
            if kind not in KINDS:
                raise ConfigError(f"no kind of duplicate {kind!r}; known: {', '.join(KINDS)}")
        if self.shape and self.shape not in SHAPES:
            raise ConfigError(f"no shape {self.shape!r}; known: {', '.join(SHAPES)}")
        if self.keep not in KEEP:
            raise ConfigError(f"keep {self.keep!r} is not one of {', '.join(KEEP)}")


@dataclass(slots=True)
class Source:
    """What became of the rows of one file: `rows == kept + unreadable` + those removed, by kind."""

    name: str
    rows: int = 0
    unreadable: int = 0
    removed: Counter[str] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return self.rows - self.unreadable - self.removed.total()

    @property
    def share(self) -> float:
        """Removed rows over all."""
        return self.removed.total() / self.rows if self.rows else 0.0


@dataclass(slots=True)
class Result:
    """What a run found and did. `left` counts pairs of each kind that were found among the rows that stay.

    `refused` says why nothing was written although it was asked for.
    """

    sources: list[Source]
    left: Counter[str] = field(default_factory=Counter)
    common: int = 0
    refused: str = ""

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(source.rows for source in self.sources)

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return sum(source.kept for source in self.sources)


def removed_path(output: Path) -> Path:
    """Where the rows that went lie, with their evidence."""
    return output.parent / files.HIDDEN / f"{output.name}.removed.jsonl"


def dedup(
    names: list[str], terms: Terms, *, output: Path | None = None, references: list[str] | None = None,
    report: Path | None = None, watch: Watch | None = None,
) -> Result:  # fmt: skip
    """Remove duplicates from `names`; without `output` nothing is written but the report.

    Raises ConfigError for what cannot be asked, FileError for what cannot be read or written.
    """
    inputs, against = expand(names), expand(references or [])
    check_names([*inputs, *against])
    against = [name for name in against if name not in inputs]
    taken = {Path(name).resolve() for name in (*inputs, *against)}
    outputs = [path for path in (output, output and removed_path(output), report) if path is not None]
    for path in outputs:
        if path.resolve() in taken:
            raise ConfigError(f"{path} is also an input or another output; choose another name")
        taken.add(path.resolve())
    reading = Reading((*inputs, *against), len(inputs), terms.fields, terms.shape)
    check_fields(reading)
    with _workplace(output) as folder:
        run = _Run(reading, terms, folder, watch or Silent())
        try:
            return run.all(output, report)
        finally:
            run.close()


@contextlib.contextmanager
def _workplace(output: Path | None) -> Iterator[Path]:
    """A folder for what is read; beside an output it outlives a run that was cut off."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="tapewright-dedup-") as folder:
            yield Path(folder)
        return
    files.suffix_of(output)
    folder = files.hidden_folder(output) / f"{output.name}.dedup"
    with files.locked(output):
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


class _Run:
    """One run, step by step."""

    def __init__(self, reading: Reading, terms: Terms, folder: Path, watch: Watch) -> None:
        self.reading, self.terms, self.watch = reading, terms, watch
        self.spool = Spool(folder, reading.about())
        self.store = Store(folder / "texts.bin")
        self.pool = open_pool(reading, terms.workers)

    def close(self) -> None:
        """Close what is open."""
        self.pool.close()
        self.spool.close()
        self.store.close()

    def all(self, output: Path | None, report: Path | None) -> Result:
        """Every step."""
        mark_sources(self.reading, self.spool, self.pool, self.watch)
        self.source, self.line = self.spool.column("source"), self.spool.column("line")
        self.there = (self.spool.column("exact") != 0) | (self.spool.column("more") != 0)
        self.ours = self.source < self.reading.references
        self._check_fields()
        gone, common = self._choose()
        result = self._count(gone, common)
        pairs = self._left(gone, result)
        result.refused = self._too_much(result)
        wanted = output is not None and not result.refused
        if report is not None or wanted:
            self._collect(gone, pairs if report is not None else [])
        evidence = Evidence(self.source, self.line, self.store)
        told = self._told(evidence.pair(row, gone[row], removed=True) for row in sorted(gone))
        if report is not None:
            self.watch.step("explaining")
            kept = self.spool.folder / "removed.bin"
            with files.whole(report) as out, kept.open("wb") as again:
                for line in told:
                    out.write(line)
                    again.write(line)
                out.writelines(self._told(evidence.pair(row, why, removed=False) for row, why in pairs))
            told = _lines_in(kept)
        if output is not None and wanted:
            files.write_from_lines(output, self._lines(removed_path(output), gone, told))
        return result

    def _told(self, pairs: Iterable[Pair]) -> Iterator[bytes]:
        """A line of JSON for each pair; processes tell a few hundred ahead of what is asked for."""
        rest = iter(pairs)
        some = iter(lambda: list(islice(rest, AT_ONCE)), [])
        tellings = (Telling(self.reading.names, self.store.path, part) for part in some)
        for _, lines in self.pool.map(tell, tellings):
            yield from lines.splitlines(keepends=True)

    def _check_fields(self) -> None:
        """A field no row has compares nothing and would make every row a copy of the first."""
        if self.terms.fields and self.there.any() and not self.spool.column("size")[self.there].any():
            raise ConfigError(f"no row has anything in {', '.join(self.terms.fields)}")

    def _choose(self) -> tuple[dict[int, Gone], int]:
        """The rows that go, and how many shingles were common."""
        spool, terms = self.spool, self.terms
        sizes = np.zeros(spool.rows, dtype="<u4") if terms.keep == "first" else spool.column("size")
        ranks = Ranks(sizes, ~self.ours, self._findings if terms.keep == "best" else None)
        self.watch.step("comparing")
        exact = spool.column("exact")
        ties = Ties(copies(exact, spool.column("more"), spool.column("letters"), self.there, ranks), {})
        common = 0
        if NEAR in terms.remove:
            distinct = self.there.copy()
            distinct[list(ties.copy_of)] = False
            search = Search(spool, distinct, ranks, terms.near, self.pool, lambda text: self._say(text))
            found = search.run()
            ties.near, common = found.near, len(found.common.shingles)
        for kind, name in ((CONFLICT, "prompt"), (ID, "id"), (TWIN, "twin")):
            if kind in terms.remove:
                ties.keys[kind] = np.where(self.there & self.ours, spool.column(name), np.uint64(0))
                later, first = self._pairs(kind, np.flatnonzero(self.there & self.ours))
                ranks.need(np.concatenate((later, first)))
        if CONFLICT in ties.keys:
            ties.answers = spool.column("answer")
            ties.keys[CONFLICT][(spool.column("refused") != 0) | (ties.answers == 0)] = 0
        return choose(ties, ranks, (EXACT, *terms.remove)), common

    def _say(self, text: str) -> None:
        self.watch.step(text)

    def _findings(self, rows: np.ndarray) -> np.ndarray:
        """How many findings each row has; what it says is stored at the same time."""
        counts: list[int] = []
        for seen in visit(self.reading, rows, True, self.spool, self.pool, self.watch, "checking"):
            self.store.put(seen)
            counts += seen.findings
        return np.array(counts, dtype=np.int32)

    def _count(self, gone: dict[int, Gone], common: int) -> Result:
        sources = [Source(name) for name in self.reading.names[: self.reading.references]]
        rows = np.bincount(self.source[self.ours], minlength=len(sources))
        unreadable = np.bincount(self.source[self.ours & ~self.there], minlength=len(sources))
        for number, source in enumerate(sources):
            source.rows, source.unreadable = int(rows[number]), int(unreadable[number])
        for row, why in gone.items():
            sources[self.source[row]].removed[why.kind] += 1
        return Result(sources, common=common)

    def _pairs(self, kind: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return {CONFLICT: conflicts, ID: same_id, TWIN: twins}[kind](self.spool.column, rows)

    def _left(self, gone: dict[int, Gone], result: Result) -> list[tuple[int, Gone]]:
        """Pairs of other kinds among the rows that stay, the first LISTED of each; all are counted."""
        stays = self.there & self.ours
        stays[list(gone)] = False
        rows, pairs = np.flatnonzero(stays), []
        for kind in (CONFLICT, ID, TWIN):
            later, first = self._pairs(kind, rows)
            result.left[kind] = len(later)
            pairs += [(row, Gone(other, kind)) for row, other in zip(later[:LISTED].tolist(), first[:LISTED].tolist())]
        return pairs

    def _collect(self, gone: dict[int, Gone], pairs: list[tuple[int, Gone]]) -> None:
        """Store what every row that is named in the evidence says."""
        named = set(gone) | {why.keeper for why in gone.values()}
        named |= {row for row, _ in pairs} | {why.keeper for _, why in pairs}
        rows = np.array(sorted(named.difference(self.store.known())), dtype=np.int64)
        if len(rows):
            for seen in visit(self.reading, rows, False, self.spool, self.pool, self.watch, "collecting"):
                self.store.put(seen)
        self.store.flush()

    def _too_much(self, result: Result) -> str:
        """Why nothing may be written, or nothing."""
        if self.terms.force:
            return ""
        worst = max(result.sources, key=lambda source: source.share, default=None)
        if worst is None or worst.share <= self.terms.most:
            return ""
        count = worst.removed.total()
        return (
            f"{worst.name}: {count:,} of {worst.rows:,} rows ({worst.share:.0%}) would go, more than the share of"
            f" {self.terms.most:.0%} allowed by --max-removed; nothing was written. Look at --report, then give --force"
        )

    def _lines(self, aside: Path, gone: dict[int, Gone], told: Iterator[bytes]) -> Iterator[bytes]:
        """The rows that stay, a block at a time; the others are complete on disk before the last of these is.

        `told` has a line of evidence for each row that went, in order.
        """
        goes = np.zeros(self.spool.rows, dtype=bool)
        goes[list(gone)] = True
        stays = self.there & ~goes
        names = self.reading.names[: self.reading.references]
        start = 0
        with files.whole(aside) as removed:
            for source, block in blocks_of(names, self.watch.step("writing", names)):
                parts = block.parts
                here = stays[start : start + len(parts)]
                for place in np.flatnonzero(~here).tolist():
                    if goes[start + place]:
                        removed.write(with_row(next(told), line_of(parts[place])))
                        continue
                    bad = parse_unreadable(names[source], parts[place])
                    line = int(self.line[start + place])
                    case = {"source": bad.source, "line": line, "kind": "unreadable", "reason": bad.message}
                    removed.write(orjson.dumps(case | {"row": bad.raw}, option=orjson.OPT_APPEND_NEWLINE))
                yield lines_to_keep(parts if here.all() else list(compress(parts, here)))
                start += len(parts)


def _lines_in(path: Path) -> Iterator[bytes]:
    with path.open("rb") as lines:
        yield from lines
