"""What every kind of leak has in common: it learns the test side, looks at the train side, and says what leaked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from validators.leakage.sides import Entry

BY_TRAIN = ("L007",)  # counted in train rows: these tell of the test period, not of one row in it


@dataclass(slots=True)
class Leak:
    """One leaked row, by its number and that of a row it leaked from.

    Leaked rows are rows of the test side, but for BY_TRAIN; `test` is -1 there where no single row is meant.
    `count` is how many rows of the other side it was found in, `share` how much of it, 0 to 1.
    """

    code: str
    test: int
    train: int
    message: str
    share: float = 1.0
    count: int = 1


class Kind(Protocol):
    """A kind of leak between one train and one test side. Calls come in this order: learn…, look…, leaks."""

    codes: tuple[str, ...]

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        ...

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        ...

    def leaks(self) -> Iterator[Leak]:
        """What leaked, once both sides were seen; at most one leak per row."""
        ...
