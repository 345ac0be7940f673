"""Which shingles are common: the wording of a template or of a standing instruction, which proves no likeness.

Twenty thousand rows of one template share nine tenths of their words and are still different rows. So a shingle
found in many rows does not count as a row's own. How many rows hold it is counted in a sample: the rows with the
smallest keys, which are the same whatever order the rows come in.
"""

import numpy as np

from validators.duplicates.spool import Values

SAMPLE = 5_000
SHARE, LEAST = 0.01, 50  # common: in a hundredth of the rows, and in fifty of them


class Common:
    """The common shingles: a place for each where its bits say, and what finds its place taken, sorted."""

    def __init__(self, shingles: np.ndarray) -> None:
        self.shingles = shingles
        self.bits = max(int(8 * len(shingles)).bit_length(), 10)
        self.slots = np.zeros(1 << self.bits, dtype=np.uint64)
        places = self._places(shingles)
        self.slots[places] = shingles
        self.rest = shingles[self.slots[places] != shingles]

    def _places(self, values: np.ndarray) -> np.ndarray:
        return values >> np.uint64(64 - self.bits)

    def own(self, values: np.ndarray) -> np.ndarray:
        """Of each shingle whether it is a row's own."""
        if not len(self.shingles):
            return np.ones(len(values), dtype=bool)
        held = self.slots[self._places(values)]
        own = held != values
        if len(self.rest):
            suspects = np.flatnonzero(own & (held != 0))
            places = np.minimum(np.searchsorted(self.rest, values[suspects]), len(self.rest) - 1)
            own[suspects] = self.rest[places] != values[suspects]
        return own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Common) and np.array_equal(self.shingles, other.shingles)


def nothing_common() -> Common:
    """No shingle is common."""
    return Common(np.zeros(0, dtype=np.uint64))


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
    return Common(shingles[counts >= enough])


def _rows_holding(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each shingle of some rows, sorted, and how many of the rows hold it.

    Sorting values is many times as fast as sorting places, so a row's repeats are told by the number of the row
    before the upper bits of the shingle, and taken off the count of all.
    """
    flat = np.concatenate(parts)
    bits = np.uint64(max(len(parts) - 1, 1).bit_length())
    row_of = np.repeat(np.arange(len(parts), dtype=np.uint64), [len(part) for part in parts])
    marked = np.sort(row_of << (np.uint64(64) - bits) | flat >> bits)
    repeats = marked[1:][marked[1:] == marked[:-1]] << bits  # the upper bits of a shingle that its row holds once more
    ordered = np.sort(flat)
    starts = np.flatnonzero(np.concatenate((np.ones(min(len(ordered), 1), dtype=bool), ordered[1:] != ordered[:-1])))
    shingles = ordered[starts]
    counts = np.diff(np.append(starts, len(ordered)))
    np.subtract.at(counts, np.searchsorted(shingles, repeats), 1)
    return shingles, counts
