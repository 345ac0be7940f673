"""Which shingles are common: the wording of a template or of a standing instruction, which proves no likeness.

Twenty thousand rows of one template share nine tenths of their words and are still different rows. So a shingle
found in many rows does not count as a row's own. How many rows hold it is counted in a sample: the rows with the
smallest keys, which are the same whatever order the rows come in.
"""

from dataclasses import dataclass

import numpy as np

from validators.duplicates.spool import Values

SAMPLE = 5_000
SHARE, LEAST = 0.01, 50  # common: in a hundredth of the rows, and in fifty of them
_TABLE_BITS = 20


@dataclass(slots=True)
class Common:
    """The common shingles, sorted, with a table that tells most others apart at once."""

    shingles: np.ndarray
    table: np.ndarray

    def own(self, values: np.ndarray) -> np.ndarray:
        """Of each shingle whether it is a row's own."""
        own = np.ones(len(values), dtype=bool)
        if len(self.shingles):
            suspects = np.flatnonzero(self.table[values & np.uint64(len(self.table) - 1)])
            places = np.searchsorted(self.shingles, values[suspects])
            places[places == len(self.shingles)] = 0
            own[suspects] = self.shingles[places] != values[suspects]
        return own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Common) and np.array_equal(self.shingles, other.shingles)


def nothing_common() -> Common:
    """No shingle is common."""
    return Common(np.zeros(0, dtype=np.uint64), np.zeros(1, dtype=bool))


def find_common(values: Values, keys: np.ndarray, kept: np.ndarray) -> Common:
    """What is common among the rows where `kept` (bool per row) is true; `keys` are their exact keys."""
    rows = np.flatnonzero(kept)
    total = len(rows)
    if total < LEAST:
        return nothing_common()
    if total > SAMPLE:
        rows = rows[np.argpartition(keys[rows], SAMPLE)[:SAMPLE]]
    enough = max(SHARE * len(rows), min(LEAST, LEAST * len(rows) / total))
    parts = [values.read("shingles", row, row + 1) for row in np.sort(rows).tolist()]
    shingles, counts = _rows_holding(parts)
    common = shingles[counts >= enough]
    table = np.zeros(1 << _TABLE_BITS, dtype=bool)
    table[common & np.uint64(len(table) - 1)] = True
    return Common(common, table)


def _rows_holding(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each shingle of some rows, sorted, and how many of the rows hold it."""
    flat = np.concatenate(parts)
    row_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.argsort(flat, kind="stable")  # stable: a row's repeats of a shingle stand together
    flat, row_of = flat[order], row_of[order]
    new = np.ones(len(flat), dtype=bool)
    new[1:] = flat[1:] != flat[:-1]
    counted = new.copy()
    counted[1:] |= row_of[1:] != row_of[:-1]
    starts = np.flatnonzero(new)
    return flat[starts], np.add.reduceat(counted.astype(np.int64), starts)
