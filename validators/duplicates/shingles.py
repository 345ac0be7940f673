"""Rows as sets of word 3-shingles, sets of numbers and one key of their wording, all as 64-bit numbers."""

from dataclasses import dataclass

import numpy as np

from validators.duplicates.words import Words, between, mix, sequence_sums, split_words

_FIRST, _SECOND, _THIRD = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642F), np.uint64(0xE7037ED1A0B428DB)
_NUMBER, _NAME = np.uint64(0x1234567), np.uint64(0x89ABCDE)  # what masked words become


@dataclass(slots=True)
class Shingled:
    """Per row: how many shingles and numbers (int64), the key of the masked text; the values themselves row by row.

    Values are uint64 in the order of the text, repeats included.
    """

    shingles: np.ndarray
    shingle_counts: np.ndarray
    numbers: np.ndarray
    number_counts: np.ndarray
    twins: np.ndarray


def shingle(texts: list[str]) -> Shingled:
    """Normal texts as shingles. A text of one or two words is a single shingle, an empty one has none."""
    words = split_words(texts)
    first = np.cumsum(words.counts) - words.counts
    shingles, counts = _triples(words, first)
    numbers = words.bare[words.digit]
    inside = np.concatenate(([0], np.cumsum(words.digit)))
    number_counts = inside[first + words.counts] - inside[first]
    return Shingled(shingles, counts, numbers, number_counts, _masked(words, first))


def _triples(words: Words, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    total = len(words.hashes)
    counts = np.where(words.counts > 2, words.counts - 2, np.minimum(words.counts, 1))
    if not total:
        return np.zeros(0, dtype=np.uint64), counts
    row_end = np.repeat(first + words.counts, words.counts)
    at = np.arange(total)
    padded = np.concatenate((words.hashes, np.zeros(2, dtype=np.uint64)))
    second = np.where(at + 1 < row_end, padded[1 : total + 1], 0)
    third = np.where(at + 2 < row_end, padded[2 : total + 2], 0)
    values = mix(words.hashes * _FIRST + second * _SECOND + third * _THIRD)
    whole = at + 2 < row_end
    short = first[(words.counts > 0) & (words.counts < 3)]
    whole[short] = True
    return values[whole], counts


def _masked(words: Words, first: np.ndarray) -> np.ndarray:
    """The key of each row's words with numbers and names masked; several masked names in a row count as one."""
    codes = np.where(words.digit, _NUMBER, np.where(words.name, _NAME, words.hashes))
    stays = np.ones(len(codes), dtype=bool)
    if len(codes):
        stays[1:] = ~((codes[1:] == codes[:-1]) & (codes[1:] == _NAME))
        stays[first[words.counts > 0]] = True
    before = np.concatenate(([0], np.cumsum(stays)))
    sums = sequence_sums(codes[stays])
    keys = between(sums, before[first], before[first + words.counts])
    return np.where(words.counts > 0, np.maximum(keys, np.uint64(1)), np.uint64(0))
