"""What is wrong with a script, where, and the order problems are told in."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple


class Problem(NamedTuple):
    """One error or warning of a script; lines and columns count from 1. `subject` is the name it is about."""

    code: str
    message: str
    line: int
    column: int = 1
    severity: str = "error"
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.code} {self.message}"


class Problems(list[Problem]):
    """Problems found so far. A line is blamed once for each code, and a name once for being unknown."""

    def add(self, code: str, message: str, place: tuple[int, int], severity: str = "error", subject: str = "") -> None:
        """Add a problem at (line, column) unless it only follows from one that is there."""
        if subject and any(known.subject == subject and known.code == code for known in self):
            return
        if any(known.line == place[0] and known.code == code for known in self):
            return
        self.append(Problem(code, message, *place, severity, subject))


def suggest(name: str, pool: Iterable[str]) -> str:
    """The name that may have been meant, as the end of a message; empty where none is near."""
    near = get_close_matches(name, list(dict.fromkeys(pool)), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else ""
