"""L005: train and test show the same scenario, by its group or by the time block that all symbols share."""

from collections.abc import Iterator

from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry
from validators.rules import declare
from validators.splitting.index import digest
from validators.splitting.window import BLOCK_S

SCENARIO = declare(
    "L005", "shared scenario", "A test row has the group of a train row, or lies in the same time block, whatever the symbol. Without time a group is told by its task and template family too: two families of a topic are two scenarios.",
    "Hourly returns of different symbols correlate at .58 to .85, so a block of time is one event seen several times.",
    example(("train", "Read BTCUSDT on 4h.", "It rises."), ("test", "Read ETHUSDT on 4h.", "It rises too."), as_of=["2024-05-07 04:00 UTC", "2024-05-08 12:00 UTC"]),
    example(("train", "Read BTCUSDT on 4h.", "It rises."), ("test", "Read ETHUSDT on 4h.", "It rises too."), as_of=["2023-05-07 04:00 UTC", "2024-05-08 12:00 UTC"]),
)  # fmt: skip


class Scenarios:
    """The test rows of each group and time block."""

    codes = (SCENARIO,)

    def __init__(self, block_s: int = BLOCK_S) -> None:
        self.block_s = block_s
        self.rows: dict[int, list[int]] = {}
        self.found: dict[int, list[int]] = {}  # scenario → first train row and how many

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        for entry in block:
            for name in self._names(entry):
                self.rows.setdefault(name, []).append(entry.number)

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        for entry in block:
            for name in self._names(entry):
                if name in self.rows:
                    self.found.setdefault(name, [entry.number, 0])[1] += 1

    def _names(self, entry: Entry) -> Iterator[int]:
        if entry.moment is not None:
            yield digest("block", entry.moment // self.block_s if self.block_s else entry.moment)
        if entry.group:
            timeless = entry.moment is None and entry.row.family
            yield digest("group", entry.group, f"{entry.row.task_type}/{entry.row.family}" if timeless else "")

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row."""
        told: set[int] = set()
        for name, (train, count) in self.found.items():
            for number in self.rows[name]:
                if number not in told:
                    told.add(number)
                    yield Leak(SCENARIO, number, train, f"{count:,} train rows show the same scenario", 1.0, count)
