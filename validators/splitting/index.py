"""What a split must know of every row, read in one pass: its window of time, group, stratum and content."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from tapewright.errors import RowError
from tapewright.inputs import DUPLICATE, Item, read_items
from tapewright.rows import Row, identity
from tapewright.shapes import from_record
from validators.splitting.plan import Plan
from validators.splitting.window import read_moment

UNREADABLE, BAD_TIME = "unreadable", "time unreadable"


@dataclass(slots=True)
class Index:
    """Columns with one value per row, in the order of the files.

    `moment`, `first` and `last` are epoch seconds and mean nothing where `dated` is false. `group` is a
    64-bit hash, of the content where a row names no group. `refused` maps row numbers to the reason why a
    row cannot be placed at all.
    """

    dated: np.ndarray
    moment: np.ndarray
    first: np.ndarray
    last: np.ndarray
    group: np.ndarray
    stratum: np.ndarray
    strata: list[str]
    refused: dict[int, str]

    def __len__(self) -> int:
        return len(self.dated)


def digest(*parts: object) -> int:
    """63 bits of some values."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1


def items_of(names: Iterable[str]) -> Iterator[Item]:
    """Every item of every file, in order; an item's place in this order is its number."""
    for name in names:
        yield from read_items(name)


def read_index(names: list[str], plan: Plan) -> Index:
    """Read the files once. Rows that cannot be read are refused, never an error."""
    dated, stratum = array("b"), array("i")
    moments, firsts, lasts, groups = array("q"), array("q"), array("q"), array("q")
    strata: dict[str, int] = {}
    refused: dict[int, str] = {}
    spans = plan.spans
    for number, item in enumerate(items_of(names)):
        moment = first = last = group = 0
        stated = ""
        has_time = False
        try:
            row = row_of(item, plan.shape)
            group = _group(item.record, row, plan.group_column)
            stated = ", ".join(_stratum(item.record, row, name) for name in plan.stratify)
            found = read_moment(item.record.get(plan.time_column))
            if found is not None:
                has_time, moment = True, found
                first, last = spans.window(row, found)
        except RowError as error:
            refused[number] = BAD_TIME if str(error).endswith("is not a time") else UNREADABLE
        dated.append(has_time)
        stratum.append(strata.setdefault(stated, len(strata)))
        for column, value in zip((moments, firsts, lasts, groups), (moment, first, last, group)):
            column.append(value)
    moment_s, first_s, last_s, group_of = (
        np.array(column, dtype=np.int64) for column in (moments, firsts, lasts, groups)
    )
    return Index(
        np.array(dated, dtype=bool), moment_s, first_s, last_s, group_of, np.array(stratum, dtype=np.int32), list(strata),
        refused,
    )  # fmt: skip


def row_of(item: Item, shape: str = "") -> Row:
    """The item as a row. Raises RowError for what was not read or has no known shape."""
    if item.record is None or (item.problem and item.problem != DUPLICATE):
        raise RowError(item.message or "not a row")
    return from_record(item.record, shape)


def _group(record: dict[str, Any], row: Row, column: str) -> int:
    name = record.get(column)
    if isinstance(name, str | int) and name != "":
        return digest("group", name)
    return digest("content", identity(row))


def _stratum(record: dict[str, Any], row: Row, column: str) -> str:
    """A column's value, in the record, in what metadata says, or in the facts; empty where none says."""
    for place in (record, row.stated, row.facts):
        value = place.get(column)
        if isinstance(value, str | int | float | bool) and value != "":
            return str(value)
    if column == "label":  # our rows call their label by what it is
        for name in ("verdict", "score", f"trend@{row.facts.get('frame', '')}"):
            if isinstance(value := row.facts.get(name), str | int | float):
                return str(value)
    return ""
