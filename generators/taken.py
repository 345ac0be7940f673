"""What a run has written so far: no row twice, and no sentence of a timeless row in two splits.

Rows with a time are kept apart by their time. A timeless row has only its words: a headline or a stated example
that stands in train and again in test has leaked, whatever family each was written in.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np

from generators.runs import RunTable
from tapewright.rows import Row, identity
from validators.duplicates.words import between, mix, sequence_sums
from validators.pinescript.fences import blank_code

# What is said more often than RARE is wording of ours and nobody's question, unless it is the longest sentence of
# its text: that one is until it is said more often than COMMON, and on so large a share of rows.
RARE, COMMON, COMMON_SHARE = 2, 40, 0.004
PATIENCE = 40  # draws after which the one that repeats least is taken: what every draw repeats is our wording
RUN = 13  # words that leak wherever they stand
ASKED_WORDS, TOLD_WORDS = 5, 13  # from how many words on a sentence of an input, and of an answer, is a row's own
_SENTENCES = re.compile(r"[.!?;:|]\s|\n")
_WORDS = re.compile(r"\w+")


@dataclass(slots=True)
class _Said:
    """A hash of each sentence of a row and whether it is the longest of its text; hashes of its runs of words."""

    sentences: list[tuple[int, bool]]
    runs: np.ndarray


class Taken:
    """Identities of rows and, with splits, which split said each sentence and run first, and how often it was said."""

    def __init__(self, apart: bool) -> None:
        self.apart = apart
        self.rows: set[int] = set()
        self.said: dict[int, tuple[str, int]] = {}
        self.splits: list[str] = []
        self.runs = RunTable(RARE + 1)
        self._last: tuple[Row, _Said] | None = None

    def clashes(self, row: Row, split: str) -> int:
        """How many of the row's own sentences and runs another split has said."""
        if not self._counts(row):
            return 0
        said = self._said(row)
        often = max(COMMON, COMMON_SHARE * len(self.rows))
        found = 0
        for mark, longest in said.sentences:
            first, count = self.said.get(mark, (split, 0))
            found += first != split and count <= (often if longest else RARE)
        owners, counts = self.runs.get(said.runs)
        return found + int(((counts > 0) & (counts <= RARE) & (owners != self._number(split))).sum())

    def add(self, row: Row, split: str, meta: dict[str, Any]) -> None:
        """Take the row, and note in `meta` what a resumed run has to know of it."""
        key = identity(row)
        self.rows.add(key)
        meta["identities"].append(key)
        if self._counts(row):
            said = self._said(row)
            marks = [mark for mark, _ in said.sentences]
            meta["said"].append([split, marks, said.runs.tolist()])
            self._note(split, marks, said.runs)

    def restore(self, meta: dict[str, Any]) -> None:
        """Take up what a finished block noted."""
        self.rows.update(meta["identities"])
        for split, marks, runs in meta["said"]:
            self._note(split, marks, np.array(runs, dtype=np.uint64))

    def _note(self, split: str, marks: list[int], runs: np.ndarray) -> None:
        for mark in marks:
            first, count = self.said.get(mark, (split, 0))
            self.said[mark] = first, count + 1
        self.runs.add(runs, self._number(split))

    def _number(self, split: str) -> int:
        if split not in self.splits:
            self.splits.append(split)
        return self.splits.index(split)

    def _counts(self, row: Row) -> bool:
        return self.apart and not row.as_of

    def _said(self, row: Row) -> _Said:
        if self._last is None or self._last[0] is not row:
            self._last = row, _listen(row)
        return self._last[1]


def _listen(row: Row) -> _Said:
    # Scripts are kept apart by what they are made of; their lines are those of any script.
    asked, told, refused = (blank_code(text) for text in (row.input, row.output, row.rejected))
    marks = []
    for text, least in ((asked, ASKED_WORDS), (told, TOLD_WORDS), (refused, TOLD_WORDS)):
        sentences = [words for part in _SENTENCES.split(text) if len(words := _WORDS.findall(part.casefold())) >= least]
        longest = max(map(len, sentences), default=0)
        marks += [(_mark(words), len(words) == longest) for words in sentences]
    # A figure changed at the end of a long example does not make it another one, asked or told.
    words = _WORDS.findall(f"{row.instruction} {asked} {told}".casefold())
    return _Said(marks, _runs(words))


def _runs(words: list[str]) -> np.ndarray:
    """A hash of every RUN words that follow each other."""
    if len(words) < RUN:
        return np.zeros(0, dtype=np.uint64)
    starts = np.arange(len(words) - RUN + 1)
    hashes = mix(np.array([crc32(word.encode("utf-8", "replace")) for word in words], dtype=np.uint64))
    return RunTable.keys(between(sequence_sums(hashes), starts, starts + RUN))


def _mark(words: list[str]) -> int:
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "big") >> 1
