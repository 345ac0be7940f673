"""Near pairs of a spool: signed, brought together by bands, each candidate compared exactly.

What is common depends on which rows stay, and which rows stay on what is common. So the search is repeated with what
is common among the rows that stayed until that no longer changes; a second run over the output then finds nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tapewright.workers import map_in_order
from validators.duplicates.candidates import Bands, large_buckets, pairs_of, sign_rows
from validators.duplicates.choose import NEAR, Edges, Ranks, Ties, choose
from validators.duplicates.common import Common, find_common, nothing_common
from validators.duplicates.likeness import Judge, Likeness
from validators.duplicates.spool import Spool, Values, in_parts

ROUNDS = 6
LEADERS, IDLE = 8, 3  # rows a large bucket is compared with at most, and in vain before it is left
WORTH_SHARING = 50_000  # rows below which starting processes takes longer than the work
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Task:
    """What a process needs to sign and compare rows of a spool."""

    folder: Path
    common: Common
    threshold: float


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
        workers: int = 1, say: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.spool, self.ranks, self.threshold, self.say = spool, ranks, threshold, say
        self.workers = workers if spool.rows >= WORTH_SHARING else 1
        self.there = there & (spool.column("shingle_count") > 0)
        self.exact = spool.column("exact")
        self.label = spool.column("label")
        self.label[spool.column("refused") != 0] = 0  # a pair's answers are compared by its own rule
        self.bands = Bands(spool.folder, threshold)

    def run(self) -> Found:
        """All near pairs among rows that stay or go, under what is common among those that stay."""
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
            task = Task(self.spool.folder, common, self.threshold)
            self.bands.write(part for _, part in self._map(_sign_part, in_parts(self.spool.rows), task))
            kept = self._settle(found, task, values)
            values.close()
            if not found.near:
                break
        return found

    def _settle(self, found: Found, task: Task, values: Values) -> np.ndarray:
        """Collect pairs until those that would stay hold none; returns which would stay (bool per row)."""
        judge = Judge(values, task.common, self.threshold)
        judged = np.zeros(0, dtype=np.uint64)
        kept = self.there
        while True:
            codes, large = self._candidates(kept)
            fresh = np.setdiff1d(codes, judged, assume_unique=True)
            judged = np.union1d(judged, fresh)
            before = len(found.near)
            for _, edges in self._map(_judge_part, _blocks(fresh), task):
                for a, b, likeness in edges:
                    self._add(found, a, b, likeness)
            self.ranks.need(row for edge in found.near for row in edge)
            if large:
                self.ranks.need(np.unique(np.concatenate(large)))
                self._lead(found, large, judge)
            gone = choose(Ties({}, found.near), self.ranks, (NEAR,))
            kept = self.there.copy()
            kept[list(gone)] = False
            if not large or len(found.near) == before:
                return kept

    def _candidates(self, kept: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Pairs from the small buckets of all bands, and the large buckets."""
        codes, large = np.zeros(0, dtype=np.uint64), []
        for rows, bounds in self.bands.buckets(kept):
            codes = np.union1d(codes, pairs_of(rows, bounds))
            large += large_buckets(rows, bounds)
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

    def _map(self, function: Callable, blocks: Iterator, task: Task) -> Iterator[tuple]:
        if self.workers > 1:
            return map_in_order(function, blocks, self.workers, _prepare, (task,))
        _prepare(task)
        return ((block, function(block)) for block in blocks)


def _blocks(codes: np.ndarray) -> Iterator[np.ndarray]:
    for first, last in in_parts(len(codes), 2_000):
        yield codes[first:last]


class _Desk:
    """What one process works on."""

    task: Task
    values: Values
    judge: Judge


_desk = _Desk()


def _prepare(task: Task) -> None:
    if hasattr(_desk, "values"):
        _desk.values.close()
    _desk.task, _desk.values = task, Values(task.folder)
    _desk.judge = Judge(_desk.values, task.common, task.threshold)


def _sign_part(part: tuple[int, int]) -> np.ndarray:
    return sign_rows(_desk.values, _desk.task.common, _desk.task.threshold, *part)


def _judge_part(codes: np.ndarray) -> list[tuple[int, int, Likeness]]:
    """The near pairs among some candidates."""
    first, second = (codes >> np.uint64(32)).astype(np.int64), (codes & _LOW).astype(np.int64)
    compared = zip(first.tolist(), second.tolist(), _desk.judge.compare(first, second))
    return [(a, b, likeness) for a, b, likeness in compared if likeness is not None]
