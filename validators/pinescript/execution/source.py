"""Python text in the making, and which line of the script each of its lines comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

from validators.pinescript.execution.failure import ExecutionError

MOST_LINES = 40_000


class Source:
    """Lines of one function: a prologue run once, and the body of the loop over bars.

    A line is a list of its depth, its text and the line of the script, so that it can still be changed.
    """

    def __init__(self) -> None:
        self.prologue: list[str] = []
        self.lines: list[list] = []
        self.depth, self.line, self.count = 0, 0, 0

    def fresh(self, letter: str) -> str:
        """A name nothing else has."""
        self.count += 1
        return f"{letter}{self.count}"

    def emit(self, text: str) -> list:
        """Add a line to the body; returns it, for a text that is only known later."""
        if self.count > MOST_LINES or len(self.lines) > MOST_LINES:
            raise ExecutionError("the script is too large once its functions are put where they are called", self.line)
        entry = [self.depth, text, self.line]
        self.lines.append(entry)
        return entry

    def once(self, text: str) -> None:
        """Add a line to what runs before the first bar."""
        self.prologue.append(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is emitted inside stands below `head`; an empty block is a pass."""
        self.emit(head)
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.emit("pass")
        self.depth -= 1

    @contextmanager
    def aside(self) -> Iterator[list[list]]:
        """What is emitted inside is kept aside in the list this gives."""
        outer, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = outer

    def add(self, lines: list[list], deeper: int = 0) -> None:
        """Put lines kept aside where the body is now."""
        self.lines += [[depth + deeper, text, line] for depth, text, line in lines]

    def insert(self, at: int, text: str) -> None:
        """Add a line before the one at place `at` of the body."""
        depth = self.lines[at][0] if at < len(self.lines) else self.depth
        self.lines.insert(at, [min(depth, self.depth), text, self.line])
