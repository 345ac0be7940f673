"""L001: a test row, or what it asks, stands in train as it is."""

from collections import Counter
from collections.abc import Iterator

from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry
from validators.rules import declare

COPY = declare(
    "L001", "copied row", "A test row stands in train, or its prompt does with another answer; case, spaces and typography make no difference.",
    "The model is examined on what it was taught.",
    example(("train", "Name the capital of Peru, please.", "Lima."), ("test", "Name the capital of  Peru, please.", "Lima.")),
    example(("train", "Name the capital of Peru, please.", "Lima."), ("test", "Name the capital of Chile, please.", "Santiago.")),
)  # fmt: skip

SHORTEST_PROMPT = 5  # words; a shorter prompt is a standing instruction as likely as not
STANDING = 3  # test rows that may ask the same before the prompt is a standing instruction


class Copies:
    """Keys of the test side's rows and prompts."""

    codes = (COPY,)

    def __init__(self) -> None:
        self.wholes: dict[tuple[int, int], list[int]] = {}
        self.prompts: dict[int, list[int]] = {}
        self.found: dict[int, tuple[int, bool]] = {}
        self.counts: Counter[int] = Counter()

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        for entry in block:
            marks = entry.passage()
            self.wholes.setdefault(marks.exact, []).append(entry.number)
            if marks.prompt and _is_question(entry):
                self.prompts.setdefault(marks.prompt, []).append(entry.number)

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        for entry in block:
            marks = entry.passage()
            whole = self.wholes.get(marks.exact, ())
            asked = self.prompts.get(marks.prompt, ()) if marks.prompt else ()
            for number in whole:
                self.counts[number] += 1
                if not self.found.get(number, (0, False))[1]:
                    self.found[number] = entry.number, True
            if not whole and len(asked) <= STANDING:
                for number in asked:
                    self.counts[number] += 1
                    self.found.setdefault(number, (entry.number, False))

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row."""
        for number, (train, whole) in sorted(self.found.items()):
            message = "the whole row stands in train" if whole else "train asks the same and answers otherwise"
            yield Leak(COPY, number, train, message, 1.0, self.counts[number])


def _is_question(entry: Entry) -> bool:
    return len(f"{entry.row.instruction} {entry.row.input}".split(None, SHORTEST_PROMPT)) >= SHORTEST_PROMPT
