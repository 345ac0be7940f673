"""L006: the stretch of tape a test row rests on, look-back and outcome, meets that of a train row."""

from array import array
from collections.abc import Iterator

import numpy as np

from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry
from validators.rules import declare
from validators.splitting.window import show_span

_READ = "Read BTCUSDT on 1d: RSI(14) 61.2, ATR(14) 900."
OVERLAP = declare(
    "L006", "overlapping windows", "The time from a test row's longest look-back to its outcome meets that of a train row.",
    "The outcome of the train row lies inside the test row's indicators: purge and embargo exist to keep them apart.",
    example(("train", _READ, "It rises."), ("test", _READ.replace("61.2", "44.0"), "It falls."), as_of=["2024-05-07 00:00 UTC", "2024-06-20 00:00 UTC"]),
    example(("train", _READ, "It rises."), ("test", _READ.replace("61.2", "44.0"), "It falls."), as_of=["2024-01-07 00:00 UTC", "2024-06-20 00:00 UTC"]),
)  # fmt: skip


class Overlaps:
    """Windows of the test side, merged; windows of train rows that meet one."""

    codes = (OVERLAP,)

    def __init__(self) -> None:
        self.rows, self.first, self.last = array("q"), array("q"), array("q")
        self.train, self.begin, self.end = array("q"), array("q"), array("q")
        self.merged: tuple[np.ndarray, np.ndarray] | None = None

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        for entry in block:
            if entry.moment is not None:
                self.rows.append(entry.number)
                self.first.append(entry.window[0])
                self.last.append(entry.window[1])

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        if self.merged is None:
            self.merged = merge(np.array(self.first), np.array(self.last))
        begins, ends = self.merged
        dated = [entry for entry in block if entry.moment is not None]
        if not dated or not len(begins):
            return
        first, last = (np.array([entry.window[side] for entry in dated]) for side in (0, 1))
        place = np.searchsorted(ends, first)  # the first stretch that ends at or after the window's beginning
        meets = (place < len(begins)) & (begins[np.minimum(place, len(begins) - 1)] <= last)
        for at in np.flatnonzero(meets).tolist():
            self.train.append(dated[at].number)
            self.begin.append(dated[at].window[0])
            self.end.append(dated[at].window[1])

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row, with one train row whose window meets its own."""
        begin, end, train = np.array(self.begin), np.array(self.end), np.array(self.train)
        if not len(train):
            return
        order = np.argsort(begin, kind="stable")
        begin, end, train = begin[order], end[order], train[order]
        latest = np.maximum.accumulate(end)
        holder = np.maximum.accumulate(np.where(end == latest, np.arange(len(end)), 0))
        ordered_ends = np.sort(end)
        for number, first, last in zip(self.rows, self.first, self.last):
            begun = int(np.searchsorted(begin, last, side="right"))
            count = begun - int(np.searchsorted(ordered_ends, first))
            if begun and latest[begun - 1] >= first:
                at = int(holder[begun - 1])
                common = min(last, int(end[at])) - max(first, int(begin[at]))
                yield Leak(OVERLAP, number, int(train[at]), f"their windows share {show_span(common)}", 1.0, count)


def merge(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closed intervals as the fewest that cover the same, in order."""
    if not len(first):
        return first, last
    order = np.argsort(first, kind="stable")
    first, reach = first[order], np.maximum.accumulate(last[order])
    new = np.concatenate(([True], first[1:] > reach[:-1]))
    heads = np.flatnonzero(new)
    return first[heads], reach[np.append(heads[1:] - 1, len(reach) - 1)]
