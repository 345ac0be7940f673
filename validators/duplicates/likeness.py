"""How alike two rows are, exactly: the lowest of three Jaccard indices.

- `text`: of all their word 3-shingles;
- `own`: of the shingles that are not common among the rows, so that a shared template proves nothing;
- `numbers`: of the numbers they hold, so that the same sentence about other figures is another row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from validators.duplicates.common import Common
from validators.duplicates.spool import Values

AT_ONCE = 2_048  # pairs compared together: their number takes the upper 11 bits of what is sorted
LARGEST = 2 << 20  # shingles compared together
_PAIR, _REST = np.uint64(53), np.uint64(11)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Three indices between 0 and 1; the pair is as alike as the lowest says."""

    text: float
    own: float
    numbers: float

    @property
    def least(self) -> float:
        """The likeness of the pair."""
        return min(self.text, self.own, self.numbers)


class Judge:
    """Compares rows of a spool."""

    def __init__(self, values: Values, common: Common, threshold: float) -> None:
        self.values, self.common, self.threshold = values, common, threshold

    def compare(self, first: np.ndarray, second: np.ndarray) -> Iterator[Likeness | None]:
        """The likeness of each pair of rows, or None where it is below the threshold."""
        for yes, *indices in zip(*(column.tolist() for column in self.measure(first, second))):
            yield Likeness(*indices) if yes else None

    def measure(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of each pair whether it is alike enough, and the three indices."""
        sizes = self.values.count("shingles", first) + self.values.count("shingles", second)
        bounds, size = [0], 0
        for end, more in enumerate(sizes.tolist()):
            if end > bounds[-1] and (end - bounds[-1] == AT_ONCE or size + more > LARGEST):
                bounds.append(end)
                size = 0
            size += more
        parts = [self._measure(first[i:j], second[i:j]) for i, j in zip(bounds, [*bounds[1:], len(sizes)])]
        alike, text, own, numbers = (np.concatenate(columns) for columns in zip(*parts))
        return alike, text, own, numbers

    def _measure(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
        if not len(first):
            return np.zeros(0, dtype=bool), np.zeros(0), np.zeros(0), np.zeros(0)
        left, right = self._sets("shingles", first), self._sets("shingles", second)
        text = _jaccard(left[0], right[0], len(first))
        own = text
        if len(self.common.shingles):
            own = _jaccard(left[1], right[1], len(first))
            neither = (_count(left[1], len(first)) == 0) & (_count(right[1], len(first)) == 0)
            own = np.where(neither, text, own)
        numbers = _jaccard(self._sets("numbers", first)[0], self._sets("numbers", second)[0], len(first))
        return np.minimum(np.minimum(text, own), numbers) >= self.threshold, text, own, numbers

    def _sets(self, name: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each row holds, once, marked with the place of its pair; and of it what is the row's own."""
        parts = [self.values.read(name, row, row + 1) for row in rows.tolist()]
        values = np.concatenate(parts)
        pair = np.repeat(np.arange(len(rows), dtype=np.uint64), [len(part) for part in parts])
        marked = pair << _PAIR | values >> _REST
        own = marked[self.common.own(values)] if len(self.common.shingles) else marked
        return _unique(marked), _unique(own)


def _unique(marked: np.ndarray) -> np.ndarray:
    ordered = np.sort(marked)
    return ordered[np.concatenate((np.ones(min(len(ordered), 1), dtype=bool), ordered[1:] != ordered[:-1]))]


def _count(marked: np.ndarray, pairs: int) -> np.ndarray:
    return np.bincount((marked >> _PAIR).astype(np.int64), minlength=pairs)


def _jaccard(left: np.ndarray, right: np.ndarray, pairs: int) -> np.ndarray:
    """Shared over all, for each pair; 1 where both are empty, since nothing tells them apart."""
    both = np.sort(np.concatenate((left, right)))
    shared = _count(both[1:][both[1:] == both[:-1]], pairs)
    union = _count(left, pairs) + _count(right, pairs) - shared
    return np.where(union == 0, 1.0, shared / np.maximum(union, 1))
