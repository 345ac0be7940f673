"""The evidence for a pair: both places, how alike they are, and the words in which they differ."""

from collections.abc import KeysView
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from validators.duplicates.choose import EXACT, Gone
from validators.duplicates.spans import differing_spans


class Store:
    """Ids and texts of the rows that evidence names, on disk."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w+b")
        self.places: dict[int, tuple[int, int]] = {}
        self.end = 0

    def put(self, row: int, name: str, text: str) -> None:
        """Keep what a row says."""
        if row not in self.places:
            case = orjson.dumps([name, text])
            self.places[row] = (self.end, len(case))
            self.file.write(case)
            self.end += len(case)

    def known(self) -> KeysView[int]:
        """The rows that are stored."""
        return self.places.keys()

    def get(self, row: int) -> tuple[str, str]:
        """A row's id and text."""
        start, size = self.places[row]
        self.file.seek(start)
        name, text = orjson.loads(self.file.read(size))
        self.file.seek(0, 2)
        return name, text

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Evidence:
    """Tells pairs as records."""

    def __init__(self, names: tuple[str, ...], source: np.ndarray, line: np.ndarray, store: Store) -> None:
        self.names, self.source, self.line, self.store = names, source, line, store

    def of(self, row: int, why: Gone, *, removed: bool) -> dict[str, Any]:
        """One pair: the row, the row that stays (or came first), and what tells them apart."""
        (name, text), (other, kept) = self.store.get(row), self.store.get(why.keeper)
        case: dict[str, Any] = {
            "kind": why.kind, "removed": removed, **self._place(row, name), "of": self._place(why.keeper, other),
        }  # fmt: skip
        if why.kind == EXACT:
            return case | {"likeness": 1.0, "spans": []}
        if why.likeness is not None:
            indices = {"text": why.likeness.text, "own": why.likeness.own, "numbers": why.likeness.numbers}
            case |= {"likeness": round(why.likeness.least, 4), **{k: round(v, 4) for k, v in indices.items()}}
        return case | {"spans": differing_spans(kept, text)}

    def _place(self, row: int, name: str) -> dict[str, Any]:
        place = {"source": self.names[self.source[row]], "line": int(self.line[row])}
        return place | ({"id": name} if name else {})
