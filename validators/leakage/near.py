"""L002: a test row stands in train with a few words changed.

Candidates come by the rarest shingles of each test row: two sets of likeness t share at least k of the rarest
(1 - t)·n + k shingles of either (prefix filtering, Chaudhuri et al., ICDE 2006), so no pair is missed. Each candidate is compared exactly, by the same three
indices `dedup` uses: all shingles, those no template explains, and numbers.
"""

from collections.abc import Iterator

import numpy as np

from validators.duplicates.marks import Marks
from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.runs import Table
from validators.leakage.sides import Entry
from validators.rules import declare

_STORY = "The committee met on Monday and heard the treasurer explain why the harbour fund had lost a third of its value since spring"
NEAR = declare(
    "L002", "nearly copied row", "A test row stands in train with few words changed: at least 0.8 of their word 3-shingles are shared, with and without a common template's, and of their numbers.",
    "A changed word hides a copy from every exact comparison and from nobody else.",
    example(("train", f"{_STORY}; sum it up in one line.", "The fund lost a third."), ("test", f"{_STORY}; sum it up in a line.", "The fund lost a third.")),
    example(("train", f"{_STORY}; sum it up in one line.", "The fund lost a third."), ("test", "What does a treasurer do in a harbour town?", "He keeps the books.")),
)  # fmt: skip

THRESHOLD = 0.8
MEETINGS = 6  # k: more of them cost more look-ups and bring fewer candidates
COMMON_SHARE, COMMON_LEAST = 0.01, 50  # a shingle of the template: in a hundredth of the test rows and in fifty


class Near:
    """The shingles of the test side, and those of each row that any twin must share one of."""

    codes = (NEAR,)

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self.numbers: list[int] = []
        self.shingles: list[np.ndarray] = []
        self.figures: list[np.ndarray] = []
        self.best: dict[int, tuple[float, int]] = {}
        self.counts: dict[int, int] = {}
        self.enough: list[int] = []
        self.table: Table | None = None

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        self.numbers += [entry.number for entry in block]
        for shingles, figures in _sets(block):
            self.shingles.append(shingles)
            self.figures.append(figures)

    def _prepare(self) -> Table:
        """Index the rarest shingles of each test row; find what is common among them."""
        flat = np.concatenate(self.shingles) if self.shingles else np.zeros(0, np.uint64)
        values, counts = np.unique(flat, return_counts=True)
        enough = max(COMMON_SHARE * len(self.shingles), COMMON_LEAST)
        self.common = values[counts >= enough]
        keys, owners = [], []
        for place, own in enumerate(self.shingles):
            rarity = counts[np.searchsorted(values, own)]
            least = int(np.ceil(self.threshold * len(own)))  # shared shingles of any twin
            self.enough.append(min(least, MEETINGS))
            rare = own[np.argsort(rarity, kind="stable")[: len(own) - least + min(least, MEETINGS)]]
            keys.append(rare)
            owners.append(np.full(len(rare), place))
        flat = np.concatenate(keys) if keys else flat
        order = np.argsort(flat, kind="stable")
        table = Table(flat)
        self.owners = np.concatenate(owners)[order] if owners else np.zeros(0, np.int64)
        self.bounds = np.append(np.searchsorted(flat[order], table.values), len(flat))
        self.sizes = np.array([len(own) for own in self.shingles], dtype=np.int64)
        self.needed = np.array(self.enough, dtype=np.int64)
        return table

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        if self.table is None:
            self.table = self._prepare()
        for entry, (shingles, figures) in zip(block, _sets(block)):
            _, hits = self.table.find(shingles)
            if not len(hits):
                continue
            owners = np.concatenate([self.owners[self.bounds[hit] : self.bounds[hit + 1]] for hit in hits.tolist()])
            owners, meetings = np.unique(owners, return_counts=True)
            sizes = self.sizes[owners]
            fits = (
                (meetings >= self.needed[owners])
                & (len(shingles) >= self.threshold * sizes)
                & (sizes >= self.threshold * len(shingles))
            )
            for place in owners[fits].tolist():
                self._compare(place, shingles, figures, entry.number)

    def _compare(self, place: int, shingles: np.ndarray, figures: np.ndarray, train: int) -> None:
        mine = self.shingles[place]
        likeness = jaccard(mine, shingles)
        if likeness < self.threshold:
            return
        likeness = min(likeness, jaccard(self.figures[place], figures))
        own, other = mine[~_inside(mine, self.common)], shingles[~_inside(shingles, self.common)]
        if len(own) or len(other):
            likeness = min(likeness, jaccard(own, other))
        if likeness >= self.threshold:
            number = self.numbers[place]
            self.counts[number] = self.counts.get(number, 0) + 1
            if likeness > self.best.get(number, (0.0, 0))[0]:
                self.best[number] = likeness, train

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row, with the train row most like it."""
        for number, (likeness, train) in sorted(self.best.items()):
            yield Leak(NEAR, number, train, f"{likeness:.2f} alike", likeness, self.counts[number])


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Shared over all of two sorted sets; 1 where both are empty, since nothing tells them apart."""
    shared = int(_inside(a, b).sum())
    return shared / (len(a) + len(b) - shared) if len(a) or len(b) else 1.0


def _inside(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each value whether it is among the others, which are sorted."""
    if not len(others):
        return np.zeros(len(values), dtype=bool)
    return others[np.minimum(np.searchsorted(others, values), len(others) - 1)] == values


def _sets(block: list[Entry]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Distinct shingles and numbers of each row, sorted."""
    if block and "sets" not in block[0].known:
        marks = Marks.of([entry.passage() for entry in block], [entry.line for entry in block]).columns
        at = {name: np.cumsum(marks[f"{name[:-1]}_count"], dtype=np.int64)[:-1] for name in ("shingles", "numbers")}
        parts = (np.split(marks[name], at[name]) for name in ("shingles", "numbers"))
        for entry, shingles, figures in zip(block, *parts):
            entry.known["sets"] = np.unique(shingles), np.unique(figures)
    return [entry.known["sets"] for entry in block]
