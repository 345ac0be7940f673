"""The marks of rows: one entry per row in each column, and their shingles and numbers row after row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from validators.duplicates.reading import Passage
from validators.duplicates.shingles import Shingled, shingle

# One file each, so that a step loads what it needs: 8 bytes a row in a key column, 4 in the others.
KEYS = ("exact", "more", "letters", "prompt", "answer", "refused", "label", "id", "twin")
SIZES = ("size", "source", "line", "shingle_count", "number_count")
VALUES = ("shingles", "numbers")
BLOCKS = ("block_rows",)  # one entry per append: how many rows it was
_SWAPPED = np.uint64(0x5DEECE66D1234567)  # tells a rejected answer's shingles from the same words elsewhere
_CHUNK = 1 << 16  # characters hashed at once: their arrays stay in the cache

DTYPES: dict[str, np.dtype] = {
    name: np.dtype("<u8" if name in (*KEYS, *VALUES) else "<u4") for name in (*KEYS, *SIZES, *VALUES, *BLOCKS)
}


@dataclass(slots=True)
class Marks:
    """Columns by name: KEYS and SIZES have an entry per row, VALUES as many per row as the counts say.

    A row that could not be read has `size` 0, no shingles and a key of 0 everywhere.
    """

    columns: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.columns["exact"])

    @classmethod
    def of(cls, passages: Sequence[Passage | None], lines: Sequence[int], source: int = 0) -> Self:
        """The marks of passages; None stands for a row that could not be read."""
        shingled = _shingle(passages)
        columns = {
            "exact": _keys(passages, lambda p: p.exact[0]), "more": _keys(passages, lambda p: p.exact[1]),
            **{name: _keys(passages, lambda p, name=name: getattr(p, name)) for name in KEYS[2:-1]},
            "twin": shingled.twins,
            "size": np.array([p.size if p else 0 for p in passages], dtype="<u4"),
            "source": np.full(len(passages), source, dtype="<u4"),
            "line": np.array(lines, dtype="<u4"),
            "shingle_count": shingled.shingle_counts.astype("<u4"),
            "number_count": shingled.number_counts.astype("<u4"),
            "shingles": shingled.shingles, "numbers": shingled.numbers,
            "block_rows": np.array([len(passages)], dtype="<u4"),
        }  # fmt: skip
        return cls(columns)


def _keys(passages: Sequence[Passage | None], part: Callable[[Passage], int]) -> np.ndarray:
    return np.array([part(p) if p else 0 for p in passages], dtype="<u8")


def _shingle(passages: Sequence[Passage | None]) -> Shingled:
    """All passages shingled, a rejected answer apart and with values of its own."""
    texts, salted, owners = [], [], []
    for owner, p in enumerate(passages):
        texts.append(p.text if p else "")
        salted.append(False)
        owners.append(owner)
        if p and p.rejected:
            texts.append(p.rejected)
            salted.append(True)
            owners.append(owner)
    parts = [shingle(texts[start:end]) for start, end in _chunks(texts)]
    if not parts:
        return shingle([])
    whole = Shingled(*(np.concatenate([getattr(part, name) for part in parts]) for name in Shingled.__slots__))
    if not any(salted):
        return whole
    swapped, owner = np.array(salted), np.array(owners)
    whole.shingles = whole.shingles ^ np.where(np.repeat(swapped, whole.shingle_counts), _SWAPPED, np.uint64(0))
    whole.numbers = whole.numbers ^ np.where(np.repeat(swapped, whole.number_counts), _SWAPPED, np.uint64(0))
    twins = np.zeros(len(passages), dtype=np.uint64)
    np.bitwise_xor.at(twins, owner, np.where(swapped, whole.twins * np.uint64(3), whole.twins))
    whole.twins = twins
    whole.shingle_counts = np.bincount(owner, whole.shingle_counts, len(passages)).astype(np.int64)
    whole.number_counts = np.bincount(owner, whole.number_counts, len(passages)).astype(np.int64)
    return whole


def _chunks(texts: list[str]) -> list[tuple[int, int]]:
    """Runs of texts of about _CHUNK characters."""
    chunks, start, size = [], 0, 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _CHUNK:
            chunks.append((start, end))
            start, size = end, 0
    return [*chunks, (start, len(texts))] if start < len(texts) else chunks
