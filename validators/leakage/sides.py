"""One side of a comparison, train or test: its rows in blocks, numbered in order, readable any number of times."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tapewright.errors import RowError
from tapewright.inputs import DUPLICATE, Item, read_items
from tapewright.rows import Row
from tapewright.shapes import from_record
from validators.duplicates.reading import Passage, passage
from validators.leakage.containment import SHORTEST
from validators.splitting.window import Spans, read_moment

BLOCK_ROWS = 1_000


@dataclass(slots=True)
class Entry:
    """A row with its number on its side and its place; `moment` is None where it has no time.

    `known` keeps what kinds worked out of it, for the same kind against another side.
    """

    number: int
    source: str
    line: int
    row: Row
    moment: int | None
    window: tuple[int, int]
    group: str
    known: dict[str, Any] = field(default_factory=dict)

    def passage(self) -> Passage:
        """Its texts in one form and their keys."""
        if "passage" not in self.known:
            self.known["passage"] = passage(self.row)
        return self.known["passage"]


@dataclass(slots=True)
class Side:
    """Rows under a name. `items` gives them anew each time; `wanted` picks some by their number among all items.

    Items that are no rows are counted in `unreadable` and left out.
    """

    name: str
    items: Callable[[], Iterable[Item]]
    shape: str = ""
    wanted: Callable[[int, Item], bool] | None = None
    spans: Spans = field(default_factory=Spans)
    time_column: str = "as_of"
    group_column: str = "group"
    rows: int = 0
    unreadable: int = 0

    def entries(self) -> Iterator[Entry]:
        """Every row, once."""
        self.rows = self.unreadable = 0
        for number, item in enumerate(self.items()):
            if self.wanted is not None and not self.wanted(number, item):
                continue
            self.rows += 1
            entry = self._entry(number, item)
            if entry is None:
                self.unreadable += 1
            else:
                yield entry

    def pick(self, numbers: set[int]) -> dict[int, Entry]:
        """The rows with these numbers, read again."""
        found: dict[int, Entry] = {}
        for number, item in enumerate(self.items()):
            if len(found) == len(numbers):
                break
            if number in numbers and (entry := self._entry(number, item)):
                found[number] = entry
        return found

    def blocks(self) -> Iterator[list[Entry]]:
        """`entries`, BLOCK_ROWS at a time."""
        rest = self.entries()
        while block := list(islice(rest, BLOCK_ROWS)):
            yield block

    def _entry(self, number: int, item: Item) -> Entry | None:
        if item.record is None or (item.problem and item.problem != DUPLICATE):
            return None
        try:
            row = from_record(item.record, self.shape)
        except RowError:
            text = text_of(item.record)
            if self.shape or not text:
                return None
            row = Row("", "", text, "", "", shape="text")
        moment, window = None, (0, 0)
        with contextlib.suppress(RowError):  # a row whose time cannot be read has none
            moment = read_moment(item.record.get(self.time_column))
        if moment is not None:
            window = self.spans.window(row, moment)
        group = item.record.get(self.group_column)
        named = str(group) if isinstance(group, str | int) else ""
        return Entry(number, item.source, item.line, row, moment, window, named)


def side_of_files(name: str, files: list[str], watch: Callable[[int], None] | None = None, **options: Any) -> Side:
    """A side that is read from files; `watch` is told of bytes read."""

    def items() -> Iterator[Item]:
        for file in files:
            yield from read_items(file, watch)

    return Side(name, items, **options)


# Columns that hold the text of a benchmark without a known shape, the first that is there.
TEXT_COLUMNS = (
    "sentence",
    "text",
    "headline",
    "title",
    "news",
    "content",
    "body",
    "query",
    "question",
    "input",
    "tweet",
)


def text_of(record: Any) -> str:
    """The text of a record in no known shape, or nothing."""
    if not isinstance(record, dict):
        return record if isinstance(record, str) else ""
    lower = {str(name).lower(): value for name, value in record.items()}
    return next((lower[name] for name in TEXT_COLUMNS if isinstance(lower.get(name), str) and lower[name].strip()), "")


def asked(row: Row) -> str:
    """What a test row asks about: its input where that says anything by itself, else with its instruction; or its text."""
    if row.input and len(row.input.split(None, SHORTEST)) >= SHORTEST:
        return row.input
    prompt = f"{row.instruction} {row.input}" if row.input else row.instruction
    return prompt or row.output


def taught(row: Row) -> list[str]:
    """Every text of a train row in which test material may stand."""
    texts = [row.instruction, row.input, row.output, row.rejected]
    if row.input and len(row.input.split(None, SHORTEST)) < SHORTEST:
        texts[:2] = [f"{row.instruction} {row.input}"]
    return [text for text in texts if text]
