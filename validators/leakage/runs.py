"""Runs of words as 64-bit numbers, many texts at once: the bytes of a batch are hashed by numpy, not word by word.

Case, spaces, typographic marks and most punctuation make no difference. A text ends in a word of its own, so a
run that crosses from one text into the next equals none that lies within one.
"""

import numpy as np

from validators.duplicates.normal import normal
from validators.duplicates.words import between, mix, sequence_sums

BATCH_CHARS = 1 << 17  # hashed at once: the arrays of a batch stay in the cache
_END = "\x00"
_PUNCTUATION = '"()[]{}!?;:*|<>#_`'
_TABLE = bytes(32 if i < 33 and i or chr(i) in _PUNCTUATION else i + 32 if 65 <= i <= 90 else i for i in range(256))
_VALUES = mix(np.arange(1, 257, dtype=np.uint64))
_SPACE, _NUL, _STOP, _COMMA = 32, 0, 46, 44


class Runs:
    """The words of some texts; `hashes(n)` are those of every n words that follow each other.

    The first word and the word after each text are the end mark: text i lies between words `ends[i]` and
    `ends[i + 1]`.
    """

    def __init__(self, texts: list[str]) -> None:
        joined = f" {_END} ".join(texts)
        if not joined.isascii() or joined.count(_END) != max(len(texts) - 1, 0):
            joined = f" {_END} ".join(plain(text) for text in texts)
        data = f"{_END} {joined} {_END} ".encode("utf-8", "replace").translate(_TABLE)
        bytes_of = np.frombuffer(data, dtype=np.uint8)
        space = bytes_of == _SPACE
        mark = (bytes_of == _STOP) | (bytes_of == _COMMA)
        mark[:-1] &= space[1:]  # at the end of a word; inside a number they count
        if mark.any():
            bytes_of = np.where(mark, np.uint8(_SPACE), bytes_of)
            space |= mark
        space[1:] &= space[:-1]  # a space that follows a space
        space[0] = False
        bytes_of = bytes_of[~space]
        stops = np.flatnonzero(bytes_of == _SPACE) + 1
        self.starts = np.concatenate((np.zeros(1, dtype=np.int64), stops))
        self.sums = sequence_sums(_VALUES[bytes_of])
        self.ends = np.flatnonzero(bytes_of[self.starts[:-1]] == _NUL)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def counts(self) -> np.ndarray:
        """Words per text."""
        return np.diff(self.ends) - 1

    def hashes(self, length: int) -> np.ndarray:
        """uint64 of every run of `length` words, by the place of its first word; end marks are words here."""
        if len(self) < length:
            return np.zeros(0, dtype=np.uint64)
        return between(self.sums, self.starts[: len(self) - length + 1], self.starts[length:])

    def text_of(self, places: np.ndarray) -> np.ndarray:
        """Which text words at `places` stand in; an end mark counts to the text after it."""
        return np.searchsorted(self.ends, places, side="right") - 1

    def within(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """(hashes, texts) of the runs that lie within one text."""
        values = self.hashes(length)
        places = np.arange(len(values))
        texts = self.text_of(places)
        inside = (places != self.ends[texts]) & (
            places + length <= self.ends[np.minimum(texts + 1, len(self.ends) - 1)]
        )
        return values[inside], texts[inside]

    def whole(self, text: int) -> int:
        """The hash of one text with its end marks."""
        first, last = int(self.ends[text]), int(self.ends[text + 1]) + 1
        return int(between(self.sums, self.starts[[first]], self.starts[[last]])[0])


def plain(text: str) -> str:
    """The text in one Unicode form, without end marks of its own."""
    return normal(text.replace(_END, " "))


class Table:
    """A set of uint64 that tells most strangers apart by one bit."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = np.unique(values)
        bits = min(max(int(len(self.values) * 16).bit_length(), 10), 30)
        self.mask = np.uint64((1 << bits) - 1)
        self.marks = np.zeros(1 << (bits - 3), dtype=np.uint8)  # a byte for eight of them: it fits the cache
        places = self.values & self.mask
        np.bitwise_or.at(self.marks, (places >> np.uint64(3)).astype(np.int64), _BITS[(places & np.uint64(7)).astype(np.int64)])  # fmt: skip

    def find(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(places in `values`, places in the sorted set) of those that are in the set."""
        if not len(self.values):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        places = (values & self.mask).astype(np.int64)
        suspects = np.flatnonzero(self.marks[places >> 3] & _BITS[places & 7])
        found = np.searchsorted(self.values, values[suspects])
        found[found == len(self.values)] = 0
        same = self.values[found] == values[suspects]
        return suspects[same], found[same]


_BITS = np.array([1 << bit for bit in range(8)], dtype=np.uint8)
