"""Near pairs of a spool: signed, brought together by bands, each candidate compared exactly.

What is common depends on which rows stay, and which rows stay on what is common. So the search is repeated with what
is common among the rows that stayed until that no longer changes; a second run over the output then finds nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tapewright.workers import Pool
from validators.duplicates.candidates import Bands, large_buckets, pairs_of, sign_rows
from validators.duplicates.choose import NEAR, Edges, Ranks, Ties, choose
from validators.duplicates.common import Common, find_common, nothing_common
from validators.duplicates.likeness import Judge, Likeness
from validators.duplicates.spool import Spool, Values, in_parts

ROUNDS = 6
LEADERS, IDLE = 8, 3  # rows a large bucket is compared with at most, and in vain before it is left
WORTH_SHARING = 20_000  # rows below which passing work to other processes takes longer than the work
UNITED = 1 << 21  # candidates collected before repeats are taken out
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Task:
    """What a process needs to sign and compare rows of a spool; what is common lies in a file of this round."""

    folder: Path
    turn: int
    threshold: float

    @property
    def common(self) -> Path:
        """Where the common shingles lie."""
        return self.folder / f"common-{self.turn}.bin"

    @property
    def kept(self) -> Path:
        """Where it is noted which rows stay so far."""
        return self.folder / "kept.bin"

    def values(self) -> Values:
        """The rows' shingles and numbers."""
        return Values(self.folder)


@dataclass(slots=True)
class Found:
    """Near pairs; those that agree in everything but a short answer stand apart, as contradictions."""

    near: Edges
    contradicting: Edges
    common: Common


class Search:
    """The search for near pairs among the rows of a spool where `there` is true."""

    def __init__(
        self, spool: Spool, there: np.ndarray, ranks: Ranks, threshold: float,
        pool: Pool | None = None, say: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.spool, self.ranks, self.threshold, self.say = spool, ranks, threshold, say
        self.pool = pool if pool is not None and spool.rows >= WORTH_SHARING else Pool(1)
        self.there = there & (spool.column("shingle_count") > 0)
        self.exact = spool.column("exact")
        self.label = spool.column("label")
        self.label[spool.column("refused") != 0] = 0  # a pair's answers are compared by its own rule
        self.bands = Bands(spool.folder, threshold)

    def run(self) -> Found:
        """All near pairs among rows that stay or go, under what is common among those that stay."""
        try:
            return self._run()
        finally:
            _desk.leave()

    def _run(self) -> Found:
        kept, common = self.there, nothing_common()
        found = Found({}, {}, common)
        for turn in range(ROUNDS):
            values = self.spool.reader()
            now = find_common(values, self.exact, kept)
            if turn and now == common:
                values.close()
                break
            common = now
            self.say(f"comparing, round {turn + 1}" if turn else "comparing")
            found = Found({}, {}, common)
            task = Task(self.spool.folder, turn, self.threshold)
            common.shingles.tofile(task.common)
            self.bands.clear(self.spool.rows)
            for _ in self._map(_sign_part, task, in_parts(self.spool.rows)):
                pass
            kept = self._settle(found, task, Judge(values, common, self.threshold))
            values.close()
            if not found.near:
                break
        return found

    def _settle(self, found: Found, task: Task, judge: Judge) -> np.ndarray:
        """Collect pairs until those that would stay hold none; returns which would stay (bool per row)."""
        judged = np.zeros(0, dtype=np.uint64)
        kept = self.there
        while True:
            codes, large = self._candidates(task, kept)
            fresh = codes[~_among(codes, judged)]
            judged = _united([judged, fresh])
            before = len(found.near)
            for alike in self._map(_judge_part, task, _blocks(fresh)):
                for code, *indices in zip(*(column.tolist() for column in alike)):
                    self._add(found, code >> 32, code & 0xFFFFFFFF, Likeness(*indices))
            self.ranks.need(row for edge in found.near for row in edge)
            if large:
                self.ranks.need(np.unique(np.concatenate(large)))
                self._lead(found, large, judge)
            gone = choose(Ties({}, found.near), self.ranks, (NEAR,))
            kept = self.there.copy()
            kept[list(gone)] = False
            if not large or len(found.near) == before:
                return kept

    def _candidates(self, task: Task, kept: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Pairs from the small buckets of all bands, sorted, and the large buckets."""
        kept.tofile(task.kept)
        waiting: list[np.ndarray] = []
        large: list[np.ndarray] = []
        for codes, rows, sizes in self._map(_bucket_part, task, iter(range(self.bands.count))):
            waiting.append(codes)
            if sum(map(len, waiting)) > UNITED:
                waiting = [_united(waiting)]
            if len(sizes):
                large += np.split(rows, np.cumsum(sizes)[:-1])
        codes = _united(waiting)
        both = self.ranks.reference[codes >> np.uint64(32)] & self.ranks.reference[codes & _LOW]
        return codes[~both], large

    def _lead(self, found: Found, large: list[np.ndarray], judge: Judge) -> None:
        """Compare the best rows of each large bucket with the others; who is near one of them is done with."""
        follows: set[int] = set()
        for bucket in large:
            waiting = [row for row in self.ranks.sort(bucket).tolist() if row not in follows]
            idle = 0
            for _ in range(LEADERS):
                if len(waiting) < 2 or idle >= IDLE:
                    break
                leader, rest = waiting[0], waiting[1:]
                waiting = []
                reference = self.ranks.reference[leader]
                for row, likeness in zip(rest, judge.compare(np.full(len(rest), leader), np.array(rest))):
                    both = reference and self.ranks.reference[row]
                    if likeness is not None and not both and self._add(found, leader, row, likeness):
                        follows.add(row)
                    else:
                        waiting.append(row)
                idle = 0 if len(waiting) < len(rest) else idle + 1

    def _add(self, found: Found, a: int, b: int, likeness: Likeness) -> bool:
        """Note a near pair; False where its short answers contradict each other."""
        a, b = min(a, b), max(a, b)
        disagree = self.label[a] and self.label[b] and self.label[a] != self.label[b]
        (found.contradicting if disagree else found.near)[a, b] = likeness
        return not disagree

    def _map(self, function: Callable, task: Task, blocks: Iterator) -> Iterator:
        return (result for _, result in self.pool.map(function, ((task, block) for block in blocks)))


def _united(parts: list[np.ndarray]) -> np.ndarray:
    """All values once, sorted."""
    ordered = np.sort(np.concatenate(parts))
    return ordered[np.concatenate((np.ones(min(len(ordered), 1), dtype=bool), ordered[1:] != ordered[:-1]))]


def _among(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each value whether it is among the others, which are sorted."""
    if not len(others):
        return np.zeros(len(values), dtype=bool)
    return others[np.minimum(np.searchsorted(others, values), len(others) - 1)] == values


def _blocks(codes: np.ndarray) -> Iterator[np.ndarray]:
    for first, last in in_parts(len(codes), 2_000):
        yield codes[first:last]


class _Desk:
    """What one process works on."""

    task: Task | None = None
    values: Values
    judge: Judge

    def take(self, task: Task) -> "_Desk":
        """Lay out what belongs to a task, unless it lies there already."""
        if task != self.task:
            self.leave()
            self.values = task.values()
            common = Common(np.fromfile(task.common, dtype=np.uint64))
            self.judge, self.task = Judge(self.values, common, task.threshold), task
        return self

    def leave(self) -> None:
        """Close what is open."""
        if self.task is not None:
            self.values.close()
            self.task = None


_desk = _Desk()


def _sign_part(work: tuple[Task, tuple[int, int]]) -> None:
    task, (first, last) = work
    desk = _desk.take(task)
    keys = sign_rows(desk.values, desk.judge.common, task.threshold, first, last)
    Bands(task.folder, task.threshold).write(first, keys)


def _bucket_part(work: tuple[Task, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of one band: the pairs of small buckets, the rows of large ones and how many are in each."""
    task, band = work
    kept = np.fromfile(task.kept, dtype=bool)
    rows, bounds = Bands(task.folder, task.threshold).buckets(band, kept)
    large = list(large_buckets(rows, bounds))
    sizes = np.array([len(bucket) for bucket in large], dtype=np.int64)
    return pairs_of(rows, bounds), np.concatenate(large) if large else rows[:0], sizes


def _judge_part(work: tuple[Task, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Of some candidates those that are alike, with the three indices of each."""
    task, codes = work
    first, second = (codes >> np.uint64(32)).astype(np.int64), (codes & _LOW).astype(np.int64)
    alike, *indices = _desk.take(task).judge.measure(first, second)
    return codes[alike], *(index[alike] for index in indices)
