"""Family D, rows that repeat each other: what `dedup` takes out, said of one file by `validate`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.context import Answer
from validators.duplicates.choose import EXACT, NEAR, Ranks, Ties, choose, copies
from validators.duplicates.marks import Marks
from validators.duplicates.near import Search
from validators.duplicates.reading import Passage, passage
from validators.duplicates.related import label_conflicts, twins
from validators.duplicates.spool import Spool
from validators.rules import RULES, declare

NEAR_ENOUGH = 0.8
MANY_TWINS, TWIN_ROWS = 0.5, 100  # the share of twins that is told, of at least so many rows
_AT_ONCE = 250  # rows marked together

_ROW = '{{"instruction": "{0}", "input": "{1}", "output": "{2}"}}'
_ASKED = "Say what the note means for the harbour company in two plain sentences."
_NOTE = "The dredging of the northern channel ends in spring, so deeper ships can call at both piers from then on"
_MEANS = "Deeper ships can use both piers from spring. That lets the company serve larger customers."
_FRUIT = ("apple", "pear", "plum", "cherry", "quince", "medlar", "grape", "melon", "fig", "olive")
_PLACES = ("shelf", "cellar", "market", "orchard", "kitchen", "barn", "garden", "harbour", "station", "attic", "cart")
_UNLIKE = [f"Where is the {a}, if not in the {b}?" for a in _FRUIT for b in _PLACES]

COPY = declare(
    "D001", "copy", "A row says the same as an earlier one; Unicode form, case and spaces do not count.",
    "It counts double in training, and in two splits it leaks.",
    _ROW.format("Name a fruit.", "", "An apple.") + "\n" + _ROW.format("Name  a fruit.", "", "An Apple."),
    _ROW.format("Name a fruit.", "", "An apple.") + "\n" + _ROW.format("Name a tree.", "", "An oak."), severity="warning",
)  # fmt: skip
NEAR_COPY = declare(
    "D002", "near copy", "A row is nearly another: of their word triples, of those that are no common wording, and of their numbers at least four fifths are shared.",
    "The model sees one thing twice, and a test that holds the other row is no test.",
    _ROW.format(_ASKED, _NOTE + ".", _MEANS) + "\n" + _ROW.format(_ASKED, _NOTE + " again.", _MEANS),
    _ROW.format(_ASKED, _NOTE + ".", _MEANS) + "\n" + _ROW.format("Name a tree.", "", "An oak."), severity="warning",
)  # fmt: skip
TWO_LABELS = declare(
    "D003", "one question, two labels", "The same question has different short answers, or two pairs over a prompt choose the reverse of each other.",
    "One of them is wrong, and the model learns to guess.",
    _ROW.format("Positive or negative?", "Sales fell.", "negative") + "\n" + _ROW.format("Positive or negative?", "Sales fell.", "positive"),
    _ROW.format("Positive or negative?", "Sales fell.", "negative") + "\n" + _ROW.format("Positive or negative?", "Sales rose.", "positive"),
)  # fmt: skip
TEMPLATE_TWINS = declare(
    "D004", "template twins", "More than half of the rows read as an earlier one once numbers and names are masked.",
    "The model learns the sentence and not what it says.",
    "\n".join(_ROW.format(f"What is {i} plus {i + 3}?", "", f"It is {2 * i + 3}.") for i in range(TWIN_ROWS)),
    "\n".join(_ROW.format(question, "", f"Look there again, {question[-9:-1]} or not.") for question in _UNLIKE),
    severity="warning",
)  # fmt: skip


class Duplicates:
    """A counter over the rows of a file: marks them as they come, keeps the marks on disk, compares at the end.

    Memory stays flat: a process that counts a part of the file keeps its marks until they are merged, the one
    that merges holds a few dozen bytes a row.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Passage, int]] = []
        self._parts: list[Marks] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._spool: Spool | None = None

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Mark one row."""
        self._waiting.append((passage(row), line))
        if len(self._waiting) >= _AT_ONCE:
            self._mark()

    def merge(self, other: "Duplicates") -> None:
        """Take in the marks of the rows that follow."""
        self._store()
        assert self._spool is not None
        for marks in other.__getstate__():
            self._spool.append(marks)

    def finish(self) -> Iterator[Finding]:
        """The findings over the whole file, in the order of the rows."""
        self._store()
        if self._spool is None or self._folder is None:
            return
        try:
            yield from sorted(_findings(self._spool), key=lambda finding: (finding.line, finding.code))
        finally:
            self._spool.close()
            self._folder.cleanup()

    def __getstate__(self) -> list[Marks]:
        self._mark()
        return self._parts

    def __setstate__(self, state: list[Marks]) -> None:
        self.__init__()
        self._parts = state

    def _mark(self) -> None:
        if self._waiting:
            passages, lines = zip(*self._waiting)
            self._parts.append(Marks.of(passages, lines))
            self._waiting = []

    def _store(self) -> None:
        """Put what was marked here on disk."""
        self._mark()
        if self._spool is None:
            self._folder = tempfile.TemporaryDirectory(prefix="tapewright-duplicates-")
            self._spool = Spool(Path(self._folder.name))
        for marks in self._parts:
            self._spool.append(marks)
        self._parts = []


def _findings(spool: Spool) -> Iterator[Finding]:
    ranks = Ranks(spool.column("size"), np.zeros(spool.rows, dtype=bool))
    there = np.ones(spool.rows, dtype=bool)
    lines = spool.column("line")
    copy_of = copies(spool.column("exact"), spool.column("more"), spool.column("letters"), there, ranks)
    there[list(copy_of)] = False
    found = Search(spool, there, ranks, NEAR_ENOUGH).run()
    for row, why in choose(Ties(copy_of, found.near), ranks, (EXACT, NEAR)).items():
        if why.likeness is None:
            yield _finding(COPY, lines[row], f"says what line {lines[why.keeper]} says")
        else:
            how = f"likeness {why.likeness.least:.2f}"
            yield _finding(NEAR_COPY, lines[row], f"is nearly line {lines[why.keeper]} ({how})")
    stays = np.flatnonzero(there)
    later, first = label_conflicts(spool.column, stays)
    against = dict(zip(later.tolist(), first.tolist()))
    against.update((max(pair), min(pair)) for pair in found.contradicting)
    for row, other in against.items():
        yield _finding(TWO_LABELS, lines[row], f"answers otherwise than line {lines[other]}")
    count = len(twins(spool.column, stays)[0])
    if len(stays) >= TWIN_ROWS and count > MANY_TWINS * len(stays):
        message = f"{count / len(stays):.0%} of rows read as an earlier one once numbers and names are masked"
        yield _finding(TEMPLATE_TWINS, 0, message)


def _finding(code: str, line: Any, message: str) -> Finding:
    return Finding(code, message, RULES[code].severity, line=int(line), field="row" if line else "file")
