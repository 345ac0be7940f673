"""How alike two rows are, exactly: the lowest of three Jaccard indices.

- `text`: of all their word 3-shingles;
- `own`: of the shingles that are not common among the rows, so that a shared template proves nothing;
- `numbers`: of the numbers they hold, so that the same sentence about other figures is another row.
"""

from dataclasses import dataclass

from validators.duplicates.common import Common
from validators.duplicates.spool import Values

_REMEMBERED = 4_096


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


def jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    """Shared over all; 1 where both are empty, since nothing tells them apart."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if a or b else 1.0


class Judge:
    """Compares rows of a spool."""

    def __init__(self, values: Values, common: Common, threshold: float) -> None:
        self.values, self.threshold = values, threshold
        self.common = frozenset(common.shingles.tolist())
        self._known: dict[tuple[str, int], frozenset[int]] = {}

    def compare(self, a: int, b: int) -> Likeness | None:
        """The likeness of two rows, or None where it is below the threshold."""
        all_a, all_b = self._set("shingles", a), self._set("shingles", b)
        text = jaccard(all_a, all_b)
        if text < self.threshold:
            return None
        own = text
        if self.common:
            own_a, own_b = all_a - self.common, all_b - self.common
            own = jaccard(own_a, own_b) if own_a or own_b else text
            if own < self.threshold:
                return None
        numbers = jaccard(self._set("numbers", a), self._set("numbers", b))
        return Likeness(text, own, numbers) if numbers >= self.threshold else None

    def _set(self, name: str, row: int) -> frozenset[int]:
        known = self._known.get((name, row))
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[name, row] = frozenset(self.values.read(name, row, row + 1).tolist())
        return known
