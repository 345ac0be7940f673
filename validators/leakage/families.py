"""L008: the same template family about the same entity on both sides. A rate, not a fault: it fails a run only when asked."""

from collections.abc import Iterator

from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry
from validators.rules import declare

_COLUMNS = {"task_type": ["reading", "reading"], "family": ["memo", "memo"]}
FAMILY = declare(
    "L008", "same template about the same entity", "A test row was written by the template family of a train row, about the same symbol, company or concept.",
    "A score then tells how well the template was learnt; `generate --split` keeps families apart.",
    example(("train", "Read BTCUSDT on 4h.", "It rises."), ("test", "Read BTCUSDT on 1d.", "It falls."), **_COLUMNS, symbol=["BTCUSDT", "BTCUSDT"]),
    example(("train", "Read BTCUSDT on 4h.", "It rises."), ("test", "Read ETHUSDT on 1d.", "It falls."), **_COLUMNS, symbol=["BTCUSDT", "ETHUSDT"]),
    severity="info",
)  # fmt: skip

ENTITY_COLUMNS = ("symbol", "ticker", "entity", "concept")


class Families:
    """The test rows of each task, family and entity."""

    codes = (FAMILY,)

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], list[int]] = {}
        self.found: dict[tuple[str, str, str], list[int]] = {}

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        for entry in block:
            if key := _key(entry):
                self.rows.setdefault(key, []).append(entry.number)

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        for entry in block:
            key = _key(entry)
            if key and key in self.rows:
                self.found.setdefault(key, [entry.number, 0])[1] += 1

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row."""
        for key, (train, count) in self.found.items():
            for number in self.rows[key]:
                yield Leak(FAMILY, number, train, f"family {key[1]} about {key[2]}", 1.0, count)


def _key(entry: Entry) -> tuple[str, str, str] | None:
    row = entry.row
    if not row.family:
        return None
    for column in ENTITY_COLUMNS:
        value = row.stated.get(column) or row.facts.get(column)
        if isinstance(value, str) and value:
            return row.task_type, row.family, value
    return None
