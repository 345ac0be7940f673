"""Which rows stay: the one with fewer findings, then the longer, then the first. Nothing is decided through a third row.

Rows are taken in that order of rank, reference rows before all. A row goes when a row that stays is a copy of it
(or near it, or of the same id, … as far as that kind was asked to be removed); otherwise it stays itself. So every
row that went is tied directly to one that stayed, no two rows that stay are tied, and a cluster always keeps one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from validators.duplicates.candidates import group
from validators.duplicates.likeness import Likeness

EXACT, NEAR, CONFLICT, ID, TWIN = "exact", "near", "conflict", "id", "twin"
KINDS = (EXACT, NEAR, CONFLICT, ID, TWIN)

Edges = dict[tuple[int, int], Likeness]  # (first row, later row) of near pairs


@dataclass(slots=True)
class Ranks:
    """The order in which rows may stay. `findings` is -1 where nobody has looked; then 0 counts.

    `look` is given rows and returns how many findings each has; None where findings do not count.
    """

    sizes: np.ndarray
    reference: np.ndarray
    look: Callable[[np.ndarray], np.ndarray] | None = None
    findings: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def __post_init__(self) -> None:
        self.findings = np.full(len(self.sizes), -1, dtype=np.int32)

    def need(self, rows: Iterable[int] | np.ndarray) -> None:
        """See to it that the findings of these rows count."""
        if self.look is None:
            return
        wanted = np.unique(np.fromiter(rows, dtype=np.int64))
        wanted = wanted[(self.findings[wanted] < 0) & ~self.reference[wanted]]
        if len(wanted):
            self.findings[wanted] = self.look(wanted)

    def sort(self, rows: np.ndarray, buckets: np.ndarray | None = None) -> np.ndarray:
        """`rows` from best to worst, within each bucket where buckets are given."""
        counted = np.maximum(self.findings[rows], 0)
        keys = (rows, -self.sizes[rows].astype(np.int64), counted, ~self.reference[rows])
        return rows[np.lexsort(keys if buckets is None else (*keys, buckets))]


def copies(
    exact: np.ndarray, more: np.ndarray, letters: np.ndarray, there: np.ndarray, ranks: Ranks
) -> dict[int, int]:  # fmt: skip
    """Each row that says what a better one says, with the best row that does. `there` (bool) tells which rows count.

    Rows of the same letters need no findings to be told apart: the first is as good as any.
    """
    rows, bounds = group(exact, np.flatnonzero(there), more)
    if not len(rows):
        return {}
    starts, sizes = bounds[:-1], np.diff(bounds)
    spelled = np.minimum.reduceat(letters[rows], starts) != np.maximum.reduceat(letters[rows], starts)
    ranks.need(rows[np.repeat(spelled, sizes)])
    ordered = ranks.sort(rows, np.repeat(np.arange(len(sizes)), sizes))
    best = np.repeat(ordered[starts], sizes)
    worse = ordered != best
    return dict(zip(ordered[worse].tolist(), best[worse].tolist()))


@dataclass(slots=True)
class Gone:
    """Why a row went: the row that stays in its place, what they share, and how alike they are."""

    keeper: int
    kind: str
    likeness: Likeness | None = None


@dataclass(slots=True)
class Ties:
    """What ties rows together: copies to the best of them, near pairs among the best, and keys that may stand once.

    `keys` holds, for the kinds ID and TWIN where they are to be removed, a key per row (0 for none), and for CONFLICT
    the key of the prompt; `answers` tells which prompts contradict each other.
    """

    copy_of: dict[int, int]
    near: Edges
    keys: dict[str, np.ndarray] = field(default_factory=dict)
    answers: np.ndarray | None = None


def choose(ties: Ties, ranks: Ranks, remove: tuple[str, ...]) -> dict[int, Gone]:
    """The rows that go, with the reason; deterministic, and the same for any order of rows that differ in rank."""
    neighbours: dict[int, list[tuple[int, Likeness]]] = {}
    if NEAR in remove:
        for (a, b), likeness in ties.near.items():
            neighbours.setdefault(a, []).append((b, likeness))
            neighbours.setdefault(b, []).append((a, likeness))
    involved = set(neighbours) | set(ties.copy_of) | set(ties.copy_of.values())
    for keys in ties.keys.values():
        involved.update(group(keys, np.flatnonzero(keys))[0].tolist())
    involved.update(row for row, best in ties.copy_of.items() if best in neighbours)
    ordered = ranks.sort(np.array(sorted(involved), dtype=np.int64))
    taken: dict[tuple[str, int], int] = {}
    gone: dict[int, Gone] = {}
    for row in map(int, ordered):
        best = ties.copy_of.get(row, row)
        reason = None
        if not ranks.reference[row]:
            reason = _copy(row, best, taken, remove) or _near(neighbours.get(best, ()), taken)
            reason = reason or _same_key(row, ties, taken)
        if reason is not None:
            gone[row] = reason
            continue
        taken.setdefault((EXACT, best), row)
        for kind, keys in ties.keys.items():
            if keys[row]:
                taken.setdefault((kind, int(keys[row])), row)
    return gone


def _copy(row: int, best: int, taken: dict[tuple[str, int], int], remove: tuple[str, ...]) -> Gone | None:
    keeper = taken.get((EXACT, best))
    return Gone(keeper, EXACT) if EXACT in remove and keeper is not None and keeper != row else None


def _near(neighbours: Iterable[tuple[int, Likeness]], taken: dict[tuple[str, int], int]) -> Gone | None:
    """The most alike of the texts that stay, the first of several."""
    near = [(-likeness.least, best, likeness) for best, likeness in neighbours if (EXACT, best) in taken]
    if not near:
        return None
    _, best, likeness = min(near, key=lambda entry: entry[:2])
    return Gone(taken[EXACT, best], NEAR, likeness)


def _same_key(row: int, ties: Ties, taken: dict[tuple[str, int], int]) -> Gone | None:
    for kind, keys in ties.keys.items():
        keeper = taken.get((kind, int(keys[row]))) if keys[row] else None
        if keeper is None:
            continue
        if kind == CONFLICT and ties.answers is not None and ties.answers[keeper] == ties.answers[row]:
            continue
        return Gone(keeper, kind)
    return None
