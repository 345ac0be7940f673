"""Marks on disk: a file per column, grown block by block, committed so that a run that was cut off can go on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tapewright import files
from tapewright.errors import FileError
from validators.duplicates.marks import DTYPES, Marks

_STATE = "state.json"


class Spool:
    """Columns of marks in a folder. `rows` counts what was appended, `blocks` how many appends that took.

    About 100 bytes a row and 8 a word lie on disk; in memory, nothing but what is asked for.
    """

    def __init__(self, folder: Path, about: dict[str, Any] | None = None) -> None:
        """Go on with what lies in `folder` where it was made for the same `about`; begin anew otherwise."""
        self.folder, self.about = folder, about or {}
        self.rows = self.blocks = 0
        self.sizes = self._resume()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.files = {name: (folder / f"{name}.bin").open("r+b" if self.sizes else "w+b") for name in DTYPES}
            for name, file in self.files.items():
                file.truncate(self.sizes.setdefault(name, 0))
                file.seek(0, os.SEEK_END)
        except OSError as error:
            raise FileError(f"cannot write {folder}: {error.strerror or error}") from error

    def _resume(self) -> dict[str, int]:
        """The committed size of each column's file, or nothing where the folder is another run's."""
        try:
            state = orjson.loads((self.folder / _STATE).read_bytes())
            sizes = state["sizes"]
            whole = all((self.folder / f"{name}.bin").stat().st_size >= sizes[name] for name in DTYPES)
            if state["about"] != self.about or not whole:
                return {}
            self.rows, self.blocks = state["rows"], state["blocks"]
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            return {}
        return sizes

    def append(self, marks: Marks) -> None:
        """Add the marks of the rows that follow."""
        try:
            ends = {name: self.sizes[name] + self._write(name, marks.columns[name]) for name in self.files}
        except OSError as error:
            raise FileError(f"cannot write {self.folder}: {error.strerror or error}; free some space") from error
        self.sizes, self.rows, self.blocks = ends, self.rows + len(marks), self.blocks + 1

    def _write(self, name: str, values: np.ndarray) -> int:
        return self.files[name].write(np.ascontiguousarray(values, dtype=DTYPES[name]).data)

    def commit(self) -> None:
        """Make what was appended safe: a later run with the same `about` starts after it.

        An append that was cut off does not count.
        """
        for file in self.files.values():
            file.flush()
            os.fsync(file.fileno())
        state = {"about": self.about, "rows": self.rows, "blocks": self.blocks, "sizes": self.sizes}
        with files.whole(self.folder / _STATE) as out:
            out.write(orjson.dumps(state))

    def column(self, name: str) -> np.ndarray:
        """One column of all rows (KEYS or SIZES), or of their concatenated VALUES, loaded."""
        self.files[name].flush()
        return np.fromfile(self.folder / f"{name}.bin", dtype=DTYPES[name])

    def reader(self) -> "Values":
        """Random access to shingles and numbers."""
        for file in self.files.values():
            file.flush()
        return Values(self.folder)

    def close(self) -> None:
        """Close the files; they stay."""
        for file in self.files.values():
            file.close()


_NOTHING = np.zeros(0, dtype="<u8")


class Values:
    """The shingles and numbers of single rows of a spool, read where they lie; 16 bytes a row in memory."""

    def __init__(self, folder: Path) -> None:
        self.starts, self.handles = {}, {}
        for name, count in (("shingles", "shingle_count"), ("numbers", "number_count")):
            counts = np.fromfile(folder / f"{count}.bin", dtype="<u4")
            self.starts[name] = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))
            self.handles[name] = (folder / f"{name}.bin").open("rb", buffering=0)

    def read(self, name: str, first: int, last: int) -> np.ndarray:
        """The values of the rows from `first` up to `last`, concatenated."""
        start, end = int(self.starts[name][first]), int(self.starts[name][last])
        if start == end:
            return _NOTHING
        return np.frombuffer(os.pread(self.handles[name].fileno(), 8 * (end - start), 8 * start), dtype="<u8")

    def count(self, name: str, rows: np.ndarray) -> np.ndarray:
        """How many values each of some rows has."""
        return self.starts[name][rows + 1] - self.starts[name][rows]

    def offsets(self, name: str, first: int, last: int) -> np.ndarray:
        """Where each of those rows begins and the last ends, counted from the first."""
        return self.starts[name][first : last + 1] - self.starts[name][first]

    def close(self) -> None:
        """Close the files."""
        for handle in self.handles.values():
            handle.close()


def in_parts(rows: int, size: int = 5_000) -> Iterator[tuple[int, int]]:
    """(first, last) of runs of rows that several processes share; they depend on the count alone."""
    for first in range(0, rows, size):
        yield first, min(first + size, rows)
