"""Families B and D over one file: every counter fed with every row."""

from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.balance.budget import Budget
from validators.balance.counts import FileCounter
from validators.balance.repetition import Repetition
from validators.balance.spread import Spread
from validators.balance.word_bag import WordBag
from validators.context import Answer
from validators.duplicates.rules import Duplicates


class Balance:
    """The counters of a file: `add` each row, `merge` what follows, then `finish`."""

    def __init__(self, families: str = "B", max_tokens: int = 0, tokenizer: str = "") -> None:
        self.counters: list[FileCounter] = [Repetition(), Spread(), WordBag()] if "B" in families else []
        if max_tokens:
            self.counters.append(Budget(max_tokens, tokenizer))
        if "D" in families:
            self.counters.append(Duplicates())

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row; `answer` is its answer where it speaks of a market."""
        for counter in self.counters:
            counter.add(row, line, answer)

    def merge(self, other: "Balance") -> None:
        """Take in the counts of the rows that follow."""
        for mine, more in zip(self.counters, other.counters, strict=True):
            mine.merge(more)

    def finish(self) -> Iterator[Finding]:
        """The findings over the whole file."""
        for counter in self.counters:
            yield from counter.finish()
