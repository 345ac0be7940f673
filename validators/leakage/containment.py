"""How much of each test text stands in a train text, by runs of words; streams the train side past a set of the test side.

Texts of 13 words and more are told by their runs of 13 words (Brown et al., "Language Models are Few-Shot
Learners", 2020, appendix C). A run found in several test texts is the wording of a template or a standing
instruction and proves nothing, so only a text's own runs count: a share of them must be found, and as many as
make that share of the whole text or a passage of ENOUGH runs. Shorter texts count as a whole: word for word
inside a train text, or, below five words, as a whole train text.
"""

from dataclasses import dataclass

import numpy as np

from validators.leakage.runs import BATCH_CHARS, Runs, Table

LENGTH = 13
SHORTEST = 5  # words a text needs to be found inside another
COMMON = 3  # test texts a run may stand in and still be a text's own
SHARE = 0.5
ENOUGH = 13  # runs: a passage of 25 words


@dataclass(slots=True)
class Contained:
    """A test text found again: how much of it, in which train text it was most of, and in how many it was enough."""

    unit: int
    share: float
    train: int
    count: int


class Containment:
    """`Containment(units)`, then `look` at train texts in any number of batches, then `found`."""

    def __init__(self, units: list[str], share: float = SHARE, whole: list[bool] | None = None) -> None:
        """Equal units count once; the others must not make what is in them look common.

        Of a unit where `whole` is true, a passage of ENOUGH runs is not enough but needed: it must hold the share
        of the whole text too.
        """
        self.share = share
        distinct: dict[str, int] = {}
        self.unit_of = np.array([distinct.setdefault(unit, len(distinct)) for unit in units], dtype=np.int64)
        repeats = np.bincount(self.unit_of, minlength=len(distinct))
        texts = list(distinct)
        self.best = np.zeros(len(texts))
        self.train = np.full(len(texts), -1, dtype=np.int64)
        self.count = np.zeros(len(texts), dtype=np.int64)
        self.words = np.zeros(len(texts), dtype=np.int64)
        self.whole = np.zeros(len(texts), dtype=bool)
        if whole is not None:
            self.whole[self.unit_of] = whole
        self.tables: dict[int, tuple[Table, np.ndarray, np.ndarray]] = {}
        self._learn(texts, repeats)

    def _learn(self, texts: list[str], repeats: np.ndarray) -> None:
        long_values, long_units = [], []
        short: dict[int, list[tuple[int, int]]] = {}
        for first, last in batches(texts):
            runs = Runs(texts[first:last])
            counts = runs.counts
            self.words[first:last] = counts
            values, units = runs.within(LENGTH)
            long_values.append(values)
            long_units.append(units + first)
            for length in range(SHORTEST, LENGTH):
                asked = np.flatnonzero((counts == length) & (repeats[first:last] <= COMMON))
                if len(asked):
                    values, units = runs.within(length)
                    whole = np.isin(units, asked)
                    short.setdefault(length, []).extend(zip(values[whole].tolist(), (units[whole] + first).tolist()))
            for unit in np.flatnonzero((counts > 0) & (counts < SHORTEST) & (repeats[first:last] <= COMMON)).tolist():
                short.setdefault(-int(counts[unit]), []).append((runs.whole(unit), unit + first))
        values = np.concatenate(long_values) if long_values else np.zeros(0, np.uint64)
        units = np.concatenate(long_units) if long_units else np.zeros(0, np.int64)
        self._index(LENGTH, values, units)
        for length, pairs in short.items():
            self._index(length, np.array([v for v, _ in pairs], dtype=np.uint64), np.array([u for _, u in pairs]))

    def _index(self, length: int, values: np.ndarray, units: np.ndarray) -> None:
        """Keep the runs of at most COMMON texts; (table, first unit of each run and the end, units by run)."""
        order = np.argsort(values, kind="stable")
        values, units = values[order], units[order]
        if len(values):  # a run that stands twice in a text counts once
            new = np.concatenate(([True], (values[1:] != values[:-1]) | (units[1:] != units[:-1])))
            values, units = values[new], units[new]
            heads = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
            sizes = np.diff(np.append(heads, len(values)))
            own = np.repeat(sizes <= COMMON, sizes)
            values, units = values[own], units[own]
        table = Table(values)
        bounds = np.searchsorted(values, table.values)
        if length == LENGTH:
            self.own = np.bincount(units, minlength=len(self.best))
        self.tables[length] = table, np.append(bounds, len(values)), units

    def look(self, texts: list[str], numbers: np.ndarray) -> None:
        """Compare train texts; `numbers` says which row each belongs to, ascending."""
        for first, last in batches(texts):
            runs = Runs(texts[first:last])
            for length, (table, bounds, units) in self.tables.items():
                reach = length if length > 0 else 2 - length  # whole texts come with an end mark on either side
                places, hits = table.find(runs.hashes(reach))
                if len(places):
                    rows = numbers[first + runs.text_of(places + (length < 0))]
                    self._count(length, rows, hits, bounds, units)

    def _count(self, length: int, rows: np.ndarray, hits: np.ndarray, bounds: np.ndarray, units: np.ndarray) -> None:
        pairs = np.unique(np.stack((rows, hits)), axis=1)  # a run counts once per row
        rows, hits = pairs
        sizes = bounds[hits + 1] - bounds[hits]
        holders = units[np.repeat(bounds[hits], sizes) + _ramp(sizes)]
        found, counts = np.unique(np.stack((np.repeat(rows, sizes), holders)), axis=1, return_counts=True)
        shares = counts / self.own[found[1]] if length == LENGTH else np.ones(found.shape[1])
        enough = shares >= self.share
        if length == LENGTH:
            part = self.share * (self.words[found[1]] - LENGTH + 1)
            wanted = np.where(self.whole[found[1]], np.maximum(part, ENOUGH), np.minimum(part, ENOUGH))
            enough &= counts >= wanted
        rows, holders, shares = found[0][enough], found[1][enough], shares[enough]
        np.add.at(self.count, holders, 1)
        for row, holder, share in zip(rows.tolist(), holders.tolist(), shares.tolist()):
            if share > self.best[holder]:
                self.best[holder], self.train[holder] = share, row

    def found(self) -> list[Contained]:
        """What was found, by the number of the unit as it was given."""
        return [
            Contained(unit, float(self.best[text]), int(self.train[text]), int(self.count[text]))
            for unit, text in enumerate(self.unit_of.tolist())
            if self.count[text]
        ]

    def is_short(self, unit: int) -> bool:
        """Whether a unit was compared as a whole."""
        return bool(self.words[self.unit_of[unit]] < LENGTH)


def _ramp(sizes: np.ndarray) -> np.ndarray:
    """0, 1, …, n-1 for each n of `sizes`, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - sizes, sizes)


def batches(texts: list[str]) -> list[tuple[int, int]]:
    """(first, last) of runs of texts of about BATCH_CHARS characters."""
    bounds, start, size = [], 0, 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= BATCH_CHARS:
            bounds.append((start, end))
            start, size = end, 0
    return [*bounds, (start, len(texts))] if start < len(texts) else bounds
