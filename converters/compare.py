"""Two versions of a dataset, row by row: what stayed, what came, what went, and what changed under the same id.

A row is known by its visible text in normal form, so its place, its id and its bookkeeping do not count.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tapewright.errors import RowError
from tapewright.inputs import read_items
from tapewright.rows import identity
from tapewright.shapes import from_record


@dataclass(slots=True)
class Difference:
    """Counts, and the lines of either file that differ: added and changed of the new one, removed of the old one."""

    same: int = 0
    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    changed: list[tuple[int, int, str]] = field(default_factory=list)  # old line, new line, id
    unreadable: int = 0

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows, in whatever order."""
        return not (self.added or self.removed or self.changed or self.unreadable)


def compare(old: str, new: str) -> Difference:
    """What became of the rows of `old` in `new`. Rows that stand several times count as often as they stand."""
    found = Difference()
    known: dict[int, list[tuple[int, str]]] = {}
    for line, key, name in _rows(old, found):
        known.setdefault(key, []).append((line, name))
    fresh: list[tuple[int, str]] = []
    for line, key, name in _rows(new, found):
        if known.get(key):
            known[key].pop(0)
            found.same += 1
        else:
            fresh.append((line, name))
    gone = sorted(entry for entries in known.values() for entry in entries)
    by_name = {name: line for line, name in gone if name}
    for line, name in fresh:
        if name in by_name:
            found.changed.append((by_name.pop(name), line, name))
        else:
            found.added.append(line)
    taken = {line for line, _, _ in found.changed}
    found.removed = [line for line, _ in gone if line not in taken]
    return found


def _rows(name: str, found: Difference) -> Iterator[tuple[int, int, str]]:
    for item in read_items(name):
        try:
            if item.problem:
                raise RowError(item.message)
            row = from_record(item.record)
        except RowError:
            found.unreadable += 1
            continue
        yield item.line, identity(row), row.id


def as_report(found: Difference) -> dict[str, Any]:
    """The difference as plain values."""
    return {
        "same": found.same, "added": found.added, "removed": found.removed, "unreadable": found.unreadable,
        "changed": [{"old": old, "new": new, "id": name} for old, new, name in found.changed],
    }  # fmt: skip
