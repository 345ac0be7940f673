"""Family B, what stands too often: one id, one instruction, one opening, one label, one task, one side that is longer."""

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.balance.counts import FEW_ROWS, KEPT, file_finding, merge
from validators.context import Answer
from validators.rules import declare

_ROW = '{{"id": "{0}", "instruction": "{1}", "input": "{2}", "output": "{3}"}}'
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def _file(*rows: tuple[str, str, str, str]) -> str:
    return "\n".join(_ROW.format(*row) for row in rows)


def _varied(count: int = 60) -> list[tuple[str, str, str, str]]:
    words = [f"{a} {b}" for a in _NUMBERS for b in _NUMBERS]
    return [
        (f"r{i}", f"Say {words[i]} aloud.", "", f"{words[i].capitalize()} it is, said plainly.") for i in range(count)
    ]


_CLEAN = _file(*_varied())

REPEATED_ID = declare(
    "B001", "repeated id", "Two rows carry the same id.",
    "Joins and removals by id hit the wrong row.",
    _file(("a", "Say one.", "", "One."), ("a", "Say two.", "", "Two.")), _CLEAN,
)  # fmt: skip
ONE_INSTRUCTION = declare(
    "B002", "one instruction dominates", "More than half of the rows have the same instruction and no input, or nearly all the same instruction.",
    "The model learns the answer to one question.",
    _file(*((f"r{i}", "Tell me something.", "", f"{a} {b} and so on.") for i, (a, b) in enumerate((a, b) for a in _NUMBERS for b in _NUMBERS[:6]))),
    _CLEAN, severity="warning",
)  # fmt: skip
ONE_OPENING = declare(
    "B003", "one opening dominates", "More than a tenth of the answers begin with the same five words; JSON does not count.",
    "The model opens every answer with them.",
    _file(*((i, q, d, f"It is my pleasure to say {o}") for i, q, d, o in _varied())), _CLEAN, severity="warning",
)  # fmt: skip
LENGTH_BIAS = declare(
    "B004", "length tells chosen from rejected", "In more than 70 % of the pairs the same side is the longer one.",
    "DPO then learns to write long, or short.",
    "\n".join(f'{{"prompt": "Say {i}.", "chosen": "{"word " * 30}{i}", "rejected": "no {i}"}}' for i in range(60)),
    "\n".join(f'{{"prompt": "Say {i}.", "chosen": "{"word " * (i % 4 + 1)}{i}", "rejected": "{"term " * (4 - i % 4)}{i}"}}' for i in range(64)),
    severity="warning",
)  # fmt: skip
CONTRADICTING = declare(
    "B005", "one prompt, contradicting choices", "An answer is chosen in one pair and rejected in another for the same prompt.",
    "The two pairs cancel each other.",
    '{"prompt": "Pick.", "chosen": "The left one, please.", "rejected": "The right one, please."}\n'
    '{"prompt": "Pick.", "chosen": "The right one, please.", "rejected": "The left one, please."}',
    '{"prompt": "Pick.", "chosen": "The left one, please.", "rejected": "The right one, please."}\n'
    '{"prompt": "Pick again.", "chosen": "The right one, please.", "rejected": "The left one, please."}',
)  # fmt: skip
ONE_LABEL = declare(
    "B006", "one label dominates", "Short answers from a small vocabulary, and one of them on more than nine rows in ten.",
    "A model that always says it scores ninety per cent and knows nothing.",
    _file(*((i, q, d, "positive" if n % 20 else "negative") for n, (i, q, d, _) in enumerate(_varied()))),
    _file(*((i, q, d, ("positive", "negative", "neutral")[n % 3]) for n, (i, q, d, _) in enumerate(_varied()))),
    severity="warning",
)  # fmt: skip
ONE_TASK = declare(
    "B008", "one task dominates", "More than nine rows in ten are of one task, though the file has others.",
    "A trainer sees the rare tasks a few times and learns none of them.",
    "\n".join(line[:-1] + f', "task_type": "{"chat" if n % 20 else "plan"}"}}' for n, line in enumerate(_CLEAN.splitlines())),
    "\n".join(line[:-1] + f', "task_type": "{"chat" if n % 2 else "plan"}"}}' for n, line in enumerate(_CLEAN.splitlines())),
    severity="warning",
)  # fmt: skip
LENGTH_OUTLIER = declare(
    "B007", "length outlier", "An answer is more than fifty times as long as the median answer.",
    "It is usually a scraping accident, and it fills a whole batch.",
    _file(*_varied(), ("long", "Say it all.", "", "word " * 3000)), _CLEAN, severity="warning",
)  # fmt: skip


def digest(*texts: str) -> int:
    """64 bits of some texts; case does not count."""
    return int.from_bytes(
        blake2b("\x1f".join(texts).casefold().encode("utf-8", "replace"), digest_size=8).digest(), "big"
    )


def choice_keys(row: Row) -> Iterator[tuple[int, int]]:
    """A key of prompt and answer with 1 for the chosen, -1 for the rejected answer."""
    prompt = digest(row.instruction, row.input)
    yield prompt ^ digest(row.output), 1
    yield prompt ^ digest(row.rejected), -1


class Repetition:
    """Counts ids, instructions, openings, labels, tasks, lengths and choices."""

    def __init__(self) -> None:
        self.rows = 0
        self.ids: dict[str, int] = {}
        self.repeated: Counter[str] = Counter()
        self.instructions: Counter[str] = Counter()
        self.openings: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.tasks: Counter[str] = Counter()
        self.short = 0
        self.longer: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()
        self.longest = (0, 0)
        self.choices: dict[int, tuple[int, int]] = {}
        self.contradictions: list[int] = []

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row."""
        self.rows += 1
        if row.id:
            self._name(row.id, line)
        if row.instruction:
            self.instructions[row.instruction if not row.input else f"{row.instruction}\x1f…"] += 1
        if row.task_type:
            self.tasks[row.task_type] += 1
        words = row.output.split(None, 5)
        if len(words) > 5 and words[0][0] not in "{[":  # an object opens with its first key
            self.openings[" ".join(words[:5]).casefold()] += 1
        elif 0 < len(words) <= 3:
            self.short += 1
            self.labels[" ".join(words).casefold().strip(" .")] += 1
        length = len(row.output)
        self.lengths[length.bit_length() * 100 + (length * 10 >> max(length.bit_length() - 1, 0))] += 1
        if length > self.longest[0]:
            self.longest = (length, line)
        if row.rejected:
            if length != len(row.rejected):
                self.longer["chosen" if length > len(row.rejected) else "rejected"] += 1
            keys = list(choice_keys(row))
            if keys[0][0] != keys[1][0]:  # chosen equal to rejected is what C002 says
                for key, sign in keys:
                    self._choose(key, sign, line)

    def merge(self, other: "Repetition") -> None:
        """Take in the counts of the rows that follow. Of each counter the first KEPT entries are kept."""
        self.rows += other.rows
        self.short += other.short
        for name, line in other.ids.items():
            self._name(name, line)
        self.repeated.update(other.repeated)
        for mine, more in (
            (self.instructions, other.instructions), (self.openings, other.openings), (self.labels, other.labels),
            (self.tasks, other.tasks),
        ):  # fmt: skip
            merge(mine, more)
        self.lengths.update(other.lengths)
        self.longer.update(other.longer)
        if other.longest[0] > self.longest[0]:
            self.longest = other.longest
        self.contradictions += other.contradictions
        for key, (sign, line) in other.choices.items():
            self._choose(key, sign, line)

    def _name(self, name: str, line: int) -> None:
        if name in self.ids:
            self.repeated[name] += 1
        elif len(self.ids) < KEPT:
            self.ids[name] = line

    def _choose(self, key: int, sign: int, line: int) -> None:
        known = self.choices.get(key)
        if known is None:
            if len(self.choices) < KEPT:
                self.choices[key] = (sign, line)
        elif known[0] == -sign and line not in self.contradictions[-2:]:
            self.contradictions.append(line)

    def _median(self) -> float:
        """The middle answer length, to a tenth of a binary order."""
        half, seen = self.rows / 2, 0
        for key in sorted(self.lengths):
            seen += self.lengths[key]
            if seen >= half:
                bits, tenths = divmod(key, 100)
                return tenths / 10 * 2 ** max(bits - 1, 0)
        return 0.0

    def finish(self) -> Iterator[Finding]:
        """The findings over the whole file."""
        for name, count in self.repeated.most_common(20):
            message = f"id {name[:80]!r} stands {count + 1} times, first in line {self.ids[name]}"
            yield file_finding(REPEATED_ID, message, self.ids[name], name)
        for line in self.contradictions[:20]:
            yield file_finding(
                CONTRADICTING,
                f"line {line} rejects what an earlier pair with the same prompt chose, or the reverse",
                line,
            )
        if self.rows < FEW_ROWS:
            return
        text, count = next(iter(self.instructions.most_common(1)), ("", 0))
        limit = 0.95 if "\x1f" in text else 0.5
        if count > limit * self.rows:
            yield file_finding(
                ONE_INSTRUCTION, f"{count / self.rows:.0%} of rows ask {text.partition(chr(31))[0][:80]!r}"
            )
        if self.openings:
            text, count = self.openings.most_common(1)[0]
            if count > 0.1 * self.rows:
                yield file_finding(ONE_OPENING, f"{count / self.rows:.0%} of answers begin {text!r}")
        if self.short > 0.8 * self.rows and len(self.labels) <= 12:
            text, count = self.labels.most_common(1)[0]
            if count > 0.9 * self.short:
                yield file_finding(ONE_LABEL, f"{count / self.short:.0%} of answers are {text!r}")
        if len(self.tasks) > 1:
            name, count = self.tasks.most_common(1)[0]
            rare, few = min(self.tasks.items(), key=lambda entry: (entry[1], entry[0]))
            if count > 0.9 * self.rows:
                yield file_finding(
                    ONE_TASK, f"{count / self.rows:.0%} of rows are {name[:60]}; {rare[:60]} has {few:,}"
                )
        if self.longer.total() >= FEW_ROWS:
            side, count = self.longer.most_common(1)[0]
            if count > 0.7 * self.longer.total():
                share = count / self.longer.total()
                yield file_finding(LENGTH_BIAS, f"the {side} answer is the longer one in {share:.0%} of pairs")
        median = self._median()
        if self.longest[0] > 50 * max(median, 20):
            yield file_finding(
                LENGTH_OUTLIER, f"{self.longest[0]:,} characters, the median is about {median:.0f}", self.longest[1]
            )
