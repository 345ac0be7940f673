"""Rows that may be alike: rensa's MinHash signatures of each row's own shingles, cut into bands.

Rows with an equal band share a bucket. Of a small bucket every pair is a candidate; of a large one each row is
compared with the best rows of the bucket only, so that the work stays in proportion to the rows.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rensa import RMinHash  # type: ignore[attr-defined]  # it comes from a compiled module without stubs

from validators.duplicates.common import Common
from validators.duplicates.spool import Values
from validators.duplicates.words import mix

SIGNATURE = 128  # MinHash values a row may have; as many are used as the bands need
UNLIKE, NOISE = 0.2, 0.005  # of pairs only so alike, at most this share should meet
RECALL = 0.99  # of pairs exactly as alike as asked, at least this share meets in a band
SMALL_BUCKET = 8
_SEED = 20240229


def plan_bands(threshold: float) -> tuple[int, int]:
    """(bands, values in each): the shortest signature that meets RECALL without bringing too many others together.

    Where none does, the longest bands that meet it.
    """
    found = (SIGNATURE, 1)
    for length in range(1, 17):
        missed = 1 - min(threshold, 0.999) ** length  # the share of such pairs that one band does not bring together
        bands = math.ceil(math.log(1 - RECALL) / math.log(missed))
        if bands * length <= SIGNATURE:
            found = bands, length
            if bands * UNLIKE**length <= NOISE:
                break
    return found


def sign(values: np.ndarray, offsets: np.ndarray, common: Common, threshold: float) -> np.ndarray:
    """Band keys, uint64 of shape (rows, bands), of rows given by their shingles; 0 for a row without any.

    A row all of whose shingles are common is signed by all of them: it has nothing else.
    """
    bands, length = plan_bands(threshold)
    counts = np.diff(offsets)
    if len(common.shingles):
        own = common.own(values)
        row_of = np.repeat(np.arange(len(counts)), counts)
        mine = np.bincount(row_of, own, len(counts)).astype(np.int64)
        own |= (mine == 0)[row_of]
        values = values[own]
        counts = np.where(mine == 0, counts, mine)
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    if not len(values):
        return np.zeros((len(counts), bands), dtype=np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(values, offsets, bands * length, _SEED)
    signatures = np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(counts), bands, length)
    keys = np.zeros((len(counts), bands), dtype=np.uint64)
    for place in range(length):
        keys = mix(keys + signatures[:, :, place])
    keys[counts == 0] = 0
    return keys


class Bands:
    """Band keys of all rows on disk, a file per band."""

    def __init__(self, folder: Path, threshold: float) -> None:
        self.count = plan_bands(threshold)[0]
        self.paths = [folder / f"band-{band:03d}.bin" for band in range(self.count)]

    def clear(self, rows: int) -> None:
        """Make room for the keys of all rows."""
        for path in self.paths:
            with path.open("wb") as handle:
                handle.truncate(8 * rows)

    def write(self, first: int, keys: np.ndarray) -> None:
        """Store the keys of the rows from `first` on, a (rows, bands) array; several processes may write at once."""
        for path, column in zip(self.paths, keys.T):
            with path.open("r+b", buffering=0) as handle:
                handle.seek(8 * first)
                handle.write(np.ascontiguousarray(column).data)

    def buckets(self, band: int, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The kept rows that share a bucket of a band: (rows, where each bucket begins and the last ends).

        Rows stand in their order within a bucket.
        """
        keys = np.fromfile(self.paths[band], dtype=np.uint64)
        return group(keys, np.flatnonzero(kept & (keys != 0)))


def group(keys: np.ndarray, rows: np.ndarray, more: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """`rows` (ascending) whose key others share, bucket by bucket, and the bounds of the buckets.

    `more` is a second half of the keys.
    """
    rows = rows[_repeated(keys[rows])]
    if more is None:
        rows = rows[np.argsort(keys[rows], kind="stable")]
    else:
        rows = rows[np.lexsort((more[rows], keys[rows]))]
    ordered = keys[rows]
    changes = ordered[1:] != ordered[:-1]
    if more is not None:
        changes |= more[rows[1:]] != more[rows[:-1]]
    starts = np.flatnonzero(np.concatenate(([True], changes, [True]))) if len(rows) else np.zeros(1, dtype=np.int64)
    sizes = np.diff(starts)
    shared = np.repeat(sizes > 1, sizes)
    bounds = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes[sizes > 1])))
    return rows[shared], bounds


def _repeated(keys: np.ndarray) -> np.ndarray:
    """Of each key whether it may stand there twice: all that do, and few others."""
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    bits = min(max(int(8 * len(twice)).bit_length(), 10), 27)
    marks = np.zeros(1 << bits, dtype=bool)
    marks[_spread(twice, bits)] = True
    return marks[_spread(keys, bits)]


def _spread(keys: np.ndarray, bits: int) -> np.ndarray:
    return (keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits)


def pairs_of(rows: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Every pair of each small bucket as one number: the first row shifted by 32 bits, and the second."""
    sizes = np.diff(bounds)
    found = [np.zeros(0, dtype=np.uint64)]
    for size in range(2, SMALL_BUCKET + 1):
        starts = bounds[:-1][sizes == size]
        for first in range(size):
            for second in range(first + 1, size):
                found.append(pair_codes(rows[starts + first], rows[starts + second]))
    return np.unique(np.concatenate(found))


def pair_codes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pairs of rows as single numbers, in the order of the rows."""
    return first.astype(np.uint64) << np.uint64(32) | second.astype(np.uint64)


def large_buckets(rows: np.ndarray, bounds: np.ndarray) -> Iterator[np.ndarray]:
    """The rows of each bucket that is too large for all of its pairs."""
    for bucket in np.flatnonzero(np.diff(bounds) > SMALL_BUCKET):
        yield rows[bounds[bucket] : bounds[bucket + 1]]


def sign_rows(values: Values, common: Common, threshold: float, first: int, last: int) -> np.ndarray:
    """Band keys of the rows of a spool from `first` up to `last`."""
    flat, offsets = values.read("shingles", first, last), values.offsets("shingles", first, last)
    return sign(flat, offsets, common, threshold)
