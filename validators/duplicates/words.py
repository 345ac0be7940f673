"""Words as 64-bit numbers, many rows at once: the bytes of a block of texts are hashed by numpy, not word by word.

A word's hash is a polynomial over its bytes (upper case counted as lower), taken from running sums over the
block and mixed afterwards. It depends on the word alone, so it is the same in every run and process.
"""

from dataclasses import dataclass

import numpy as np

_MASK = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15 | 1
_WINDOW = 1 << 20  # bytes hashed at once
_ROW_END, _SPACE = 10, 32


@dataclass(slots=True)
class Words:
    """The words of some rows. All arrays have one entry per word but `counts`, which has one per row.

    `hashes` and `bare` (without punctuation at either end) are uint64; `digit` says that a digit stands in the
    word, `name` that it is written like a name: a capital inside a sentence, or inside the word.
    """

    hashes: np.ndarray
    bare: np.ndarray
    digit: np.ndarray
    name: np.ndarray
    counts: np.ndarray


def mix(values: np.ndarray) -> np.ndarray:
    """Spread each uint64 over all its bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _lookup(characters: bytes) -> np.ndarray:
    table = np.zeros(256, dtype=bool)
    table[list(characters)] = True
    return table


_VALUES = mix(np.arange(1, 257, dtype=np.uint64) * np.uint64(_STEP))
_VALUES[65:91] = _VALUES[97:123]
_DIGIT, _CAPITAL = np.uint8(1), np.uint8(2)
_KINDS = _lookup(b"0123456789") * _DIGIT + _lookup(bytes(range(65, 91))) * _CAPITAL
_PUNCTUATION = _lookup(b".,;:!?()[]{}'\"`*|<>")
_SENTENCE_END = _lookup(b".!?:;|*->#\"'`([{")


class _Powers:
    """Powers of an odd multiplier and of its inverse, modulo 2^64, as many as were asked for so far."""

    def __init__(self) -> None:
        self.up = self.down = np.ones(0, dtype=np.uint64)

    def reach(self, count: int) -> None:
        if count > len(self.up):
            count = max(count, _WINDOW)
            steps = np.full(count, _STEP, dtype=np.uint64)
            back = np.full(count, pow(_STEP, -1, 2**64), dtype=np.uint64)
            steps[0] = back[0] = 1
            self.up, self.down = np.cumprod(steps), np.cumprod(back)


_powers = _Powers()


def _sums(values: np.ndarray) -> np.ndarray:
    """Running sums of values[i]·step^i with a leading 0; a difference of two, scaled, is the hash of what lies between."""
    _powers.reach(len(values) + 1)
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values * _powers.up[: len(values)], out=sums[1:])
    return sums


def between(sums: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The mixed hash of the values from each start to each end."""
    return mix((sums[ends] - sums[starts]) * _powers.down[starts])


def sequence_sums(values: np.ndarray) -> np.ndarray:
    """`between` over these gives hashes of runs of values, order included."""
    return _sums(values)


def split_words(texts: list[str]) -> Words:
    """The words of normal texts (single spaces, no line breaks)."""
    data = np.frombuffer(("\n".join(texts) + "\n").encode("utf-8", "replace") if texts else b"", dtype=np.uint8)
    ends = np.flatnonzero((data == _SPACE) | (data == _ROW_END))
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    closes = data[ends] == _ROW_END
    there = ends > starts  # an empty text has one empty word
    before = np.concatenate(([0], np.cumsum(there)))
    counts = np.diff(before[np.flatnonzero(closes) + 1], prepend=0)
    starts, ends = starts[there], ends[there]
    if not len(starts):
        nothing, no = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=bool)
        return Words(nothing, nothing, no, no, counts)
    kinds = np.take(_KINDS, data)
    lead = kinds[starts]
    kinds[starts] = 0
    inner = np.bitwise_or.reduceat(kinds, starts)
    digit = ((lead | inner) & _DIGIT) != 0
    hashes, bare = _hash(data, starts, ends, digit)
    return Words(hashes, bare, digit, _names(data, ends, counts, lead, inner), counts)


def _hash(data: np.ndarray, starts: np.ndarray, ends: np.ndarray, digit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hash of each word, and without punctuation around it where there is a digit in it.

    A window of the bytes at a time, so that memory does not follow the longest row.
    """
    hashes = np.empty(len(starts), dtype=np.uint64)
    bare = np.empty(len(starts), dtype=np.uint64)
    first = 0
    while first < len(starts):
        base = starts[first]
        last = max(int(np.searchsorted(ends, base + _WINDOW, "right")), first + 1)
        window = data[base : ends[last - 1]]
        sums = _sums(np.take(_VALUES, window))
        inside = slice(first, last)
        left, right = starts[inside] - base, ends[inside] - base
        bare[inside] = hashes[inside] = between(sums, left, right)
        some = np.flatnonzero(digit[inside])
        bare[first + some] = between(sums, *_trim(window, left[some], right[some]))
        first = last
    return hashes, bare


def _trim(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without punctuation at either end; a word with a digit in it never becomes empty."""
    for _ in range(4):
        ends = ends - _PUNCTUATION[data[ends - 1]]
        starts = starts + _PUNCTUATION[data[starts]]
    return starts, ends


def _names(data: np.ndarray, ends: np.ndarray, counts: np.ndarray, lead: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Which words are written like names, by the kind of their first character and of the others."""
    name = (inner & _CAPITAL) != 0
    single = np.flatnonzero(lead & _CAPITAL)
    first = np.zeros(len(ends) + 1, dtype=bool)
    first[np.cumsum(counts) - counts] = True
    name[single] |= ~(first[single] | _SENTENCE_END[data[ends[single - 1] - 1]])
    return name
