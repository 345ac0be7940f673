"""What the counters of a file share: how much they keep, how they merge, what they report.

A counter is filled row by row in one process, merged with the counters of the rows that follow, and
asked at the end. Memory stays flat: each keeps its first KEPT entries.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol, Self

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.context import Answer
from validators.rules import RULES

KEPT = 200_000
FEW_ROWS = 50  # below this, shares say nothing


class FileCounter(Protocol):
    """Counts over rows that follow each other."""

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row; `answer` is its answer where it speaks of a market, read and checked."""

    def merge(self, other: Self) -> None:
        """Take in the counts of the rows that follow."""

    def finish(self) -> Iterator[Finding]:
        """The findings over all rows."""
        ...


def merge(counter: Counter[str], more: Counter[str]) -> None:
    """Add `more`, keeping the first KEPT entries."""
    if len(counter) + len(more) <= KEPT:
        counter.update(more)
        return
    for text, count in more.items():
        if text in counter or len(counter) < KEPT:
            counter[text] += count


def file_finding(code: str, message: str, line: int = 0, evidence: str = "") -> Finding:
    """A finding over a whole file."""
    return Finding(code, message, RULES[code].severity, line=line, field="file", evidence=evidence[:120])
