"""What a run has written so far: no row twice, and no sentence of a timeless row in two splits.

Rows with a time are kept apart by their time. A timeless row has only its words: a headline or a stated example
that stands in train and again in test has leaked, whatever family each was written in.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from tapewright.rows import Row, identity
from validators.pinescript.fences import blank_code

# What is said more often than RARE is wording of ours and nobody's question, unless it is the longest sentence of
# its text: that one is until it is said more often than COMMON, and on so large a share of rows.
RARE, COMMON, COMMON_SHARE = 2, 40, 0.004
PATIENCE = 40  # draws after which the one that repeats least is taken: what every draw repeats is our wording
RUN = 13  # words that leak wherever they stand
ASKED_WORDS, TOLD_WORDS = 5, 13  # from how many words on a sentence of an input, and of an answer, is a row's own
_SENTENCES = re.compile(r"[.!?;:|]\s|\n")
_WORDS = re.compile(r"\w+")


class Taken:
    """Identities of rows and, with splits, which split said each sentence first."""

    def __init__(self, apart: bool) -> None:
        self.apart = apart
        self.rows: set[int] = set()
        self.said: dict[int, tuple[str, int]] = {}  # the split that said a sentence first, and how often it was said

    def clashes(self, row: Row, split: str) -> int:
        """How many of the row's own sentences and runs another split has said."""
        often = max(COMMON, COMMON_SHARE * len(self.rows))
        found = 0
        for mark, longest in self._marks(row):
            first, count = self.said.get(mark, (split, 0))
            found += first != split and count <= (often if longest else RARE)
        return found

    def add(self, row: Row, split: str, meta: dict[str, Any]) -> None:
        """Take the row, and note in `meta` what a resumed run has to know of it."""
        key = identity(row)
        self.rows.add(key)
        meta["identities"].append(key)
        marks = [mark for mark, _ in self._marks(row)]
        if marks:
            meta["said"].setdefault(split, []).extend(marks)
            self._count(marks, split)

    def restore(self, meta: dict[str, Any]) -> None:
        """Take up what a finished block noted."""
        self.rows.update(meta["identities"])
        for split, marks in meta["said"].items():
            self._count(marks, split)

    def _count(self, marks: list[int], split: str) -> None:
        for mark in marks:
            first, count = self.said.get(mark, (split, 0))
            self.said[mark] = first, count + 1

    def _marks(self, row: Row) -> Iterator[tuple[int, bool]]:
        """A hash of each sentence long enough and of its runs of words, and whether it is the longest of its text."""
        if not self.apart or row.as_of:
            return
        # Scripts are kept apart by what they are made of; their lines are those of any script.
        asked, told, refused = (blank_code(text) for text in (row.input, row.output, row.rejected))
        for text, least in ((asked, ASKED_WORDS), (told, TOLD_WORDS), (refused, TOLD_WORDS)):
            sentences = [
                words for part in _SENTENCES.split(text) if len(words := _WORDS.findall(part.casefold())) >= least
            ]
            longest = max(map(len, sentences), default=0)
            for words in sentences:
                yield _mark(words), len(words) == longest
        # A figure changed at the end of a long example does not make it another one, asked or told.
        words = _WORDS.findall(f"{row.instruction} {asked} {told}".casefold())
        for place in range(len(words) - RUN + 1):
            yield _mark(words[place : place + RUN]), False


def _mark(words: list[str]) -> int:
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest(), "big") >> 1
