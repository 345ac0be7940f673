"""L003 and L004: test material that stands inside a longer train text."""

from collections.abc import Iterator

import numpy as np

from validators.leakage.containment import SHARE, Contained, Containment
from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry, asked, taught
from validators.rules import declare

_STORY = "the harbour fund lost a third of its value since spring because the treasurer had lent most of it to a shipyard that failed"
PASSAGE = declare(
    "L003", "test passage in train", "At least half of the 13-word runs of a test text stand in one train text; runs found in more than three test texts are a template's and do not count.",
    "The model has read the question, or its answer, in the middle of something else.",
    example(("train", f"Continue: as everybody knows {_STORY}, said the mayor.", "And then came the audit."), ("test", f"Is this good news? {_STORY.capitalize()}.", "No.")),
    example(("train", "Continue: as everybody knows the fund lost money, said the mayor.", "And then came the audit."), ("test", f"Is this good news? {_STORY.capitalize()}.", "No.")),
)  # fmt: skip
SHORT = declare(
    "L004", "short test text in train", "A test text of fewer than 13 words stands word for word in a train text; one of fewer than five words is a whole train text.",
    "Headlines are too short for runs of 13 words, and leak all the more easily.",
    example(("train", "Judge this headline: Acme beats its forecast for the third time. One word.", "Positive."), ("test", "Acme beats its forecast for the third time", "positive")),
    example(("train", "Judge this headline: Acme misses its forecast for the third time. One word.", "Negative."), ("test", "Acme beats its forecast for the third time", "positive")),
)  # fmt: skip


class Passages:
    """What test rows ask, and their long answers, looked for in every text of train rows.

    A stock sentence in a short answer is no test material, so of answers at least 25 words must be found.
    """

    codes = (PASSAGE, SHORT)

    def __init__(self, share: float = SHARE) -> None:
        self.share = share
        self.numbers: list[int] = []
        self.texts: list[str] = []
        self.names: list[str] = []
        self.containment: Containment | None = None

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows."""
        for entry in block:
            question = asked(entry.row)
            self._add(entry.number, question, "text" if question is entry.row.output else "prompt")
            if question is not entry.row.output and len(entry.row.output.split(None, 13)) > 12:
                self._add(entry.number, entry.row.output, "answer")

    def _add(self, number: int, text: str, name: str) -> None:
        self.numbers.append(number)
        self.texts.append(text)
        self.names.append(name)

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        if self.containment is None:
            self.containment = Containment(self.texts, self.share, [name == "answer" for name in self.names])
            self.texts = []
        texts, numbers = [], []
        for entry in block:
            for text in taught(entry.row):
                texts.append(text)
                numbers.append(entry.number)
        self.containment.look(texts, np.array(numbers, dtype=np.int64))

    def leaks(self) -> Iterator[Leak]:
        """A leak per test row and rule: of its texts the one that is contained most."""
        best: dict[tuple[str, int], Contained] = {}
        for found in self.containment.found() if self.containment else ():
            code = SHORT if self.containment and self.containment.is_short(found.unit) else PASSAGE
            key = code, self.numbers[found.unit]
            if key not in best or found.share > best[key].share:
                best[key] = found
        for (code, number), found in sorted(best.items()):
            name = self.names[found.unit]
            message = f"the {name} stands in a train text" if code == SHORT else f"{found.share:.0%} of the {name} stands in a train text"  # fmt: skip
            yield Leak(code, number, found.train, message, found.share, found.count)
