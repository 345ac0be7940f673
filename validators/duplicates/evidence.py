"""The evidence for a pair: both places, how alike they are, and the words in which they differ."""

from collections.abc import KeysView
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import orjson

from validators.duplicates.choose import EXACT, Gone
from validators.duplicates.sources import Seen
from validators.duplicates.spans import differing_spans

AT_ONCE = 250  # pairs that a process tells together


class Store:
    """Ids and texts of the rows that evidence names, on disk; in memory, where each begins."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("wb")
        self.places: dict[int, int] = {}
        self.end = 0

    def put(self, seen: Seen) -> None:
        """Keep what some rows say."""
        for row, size in zip(seen.rows, seen.sizes):
            self.places[row] = self.end
            self.end += size
        self.file.write(seen.cases)

    def known(self) -> KeysView[int]:
        """The rows that are stored."""
        return self.places.keys()

    def flush(self) -> None:
        """Let others read what was put."""
        self.file.close()
        self.file = self.path.open("ab")

    def close(self) -> None:
        """Close the file."""
        self.file.close()


Mention = tuple[int, int, int]  # a row as evidence names it: source, line, and where in the store it begins


class Pair(NamedTuple):
    """A row, the row that stays in its place (or came first), and what ties them; plain values, quick to pass on."""

    row: Mention
    of: Mention
    kind: str
    removed: bool
    indices: tuple[float, float, float] | None


class Evidence:
    """Names pairs so that any process can tell them."""

    def __init__(self, source: np.ndarray, line: np.ndarray, store: Store) -> None:
        self.source, self.line, self.store = source, line, store

    def pair(self, row: int, why: Gone, *, removed: bool) -> Pair:
        """A row that went, or that stays all the same, and why."""
        alike = why.likeness
        indices = None if alike is None else (alike.text, alike.own, alike.numbers)
        return Pair(self._mention(row), self._mention(why.keeper), why.kind, removed, indices)

    def _mention(self, row: int) -> Mention:
        return int(self.source[row]), int(self.line[row]), self.store.places[row]


@dataclass(frozen=True, slots=True)
class Telling:
    """Some pairs to be told, with the names of the sources and the file of the store."""

    names: tuple[str, ...]
    path: Path
    pairs: list[Pair]


def tell(telling: Telling) -> bytes:
    """Each pair as a line of JSON."""
    with telling.path.open("rb") as store:
        return b"".join(_line(_tell(pair, telling.names, store)) for pair in telling.pairs)


def _tell(pair: Pair, names: tuple[str, ...], store: BinaryIO) -> dict[str, Any]:
    (name, text), (other, kept) = _read(store, pair.row[2]), _read(store, pair.of[2])
    case: dict[str, Any] = {
        "kind": pair.kind, "removed": pair.removed, **_place(pair.row, names, name), "of": _place(pair.of, names, other),
    }  # fmt: skip
    if pair.kind == EXACT:
        return case | {"likeness": 1.0, "spans": []}
    if pair.indices is not None:
        told = (min(pair.indices), *pair.indices)
        case |= {name: round(value, 4) for name, value in zip(("likeness", "text", "own", "numbers"), told)}
    return case | {"spans": differing_spans(kept, text)}


def _read(store: BinaryIO, start: int) -> tuple[str, str]:
    """A row's id and text: one line of the store."""
    store.seek(start)
    name, text = orjson.loads(store.readline())
    return name, text


def _place(mention: Mention, names: tuple[str, ...], name: str) -> dict[str, Any]:
    place = {"source": names[mention[0]], "line": mention[1]}
    return place | ({"id": name} if name else {})


def _line(case: dict[str, Any]) -> bytes:
    return orjson.dumps(case, option=orjson.OPT_APPEND_NEWLINE)
