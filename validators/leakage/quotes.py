"""L007: a train row tells what happened in the test period, by its dates or its prices.

A date counts when it lies in a week of the test side and the train row itself does not stand there with good
reason: a row as of that day is a shared scenario, and its own rule finds it. Prices count when at least three
numbers of five or more significant digits, as a test row shows them, stand in one train row: one or two meet by
chance among thousands of rows.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from validators.leakage.examples import example
from validators.leakage.kind import Leak
from validators.leakage.sides import Entry
from validators.rules import declare
from validators.splitting.window import BLOCK_S, DAY_S

QUOTE = declare(
    "L007", "quotes the test period", "A train row names a date of the test period that is later than its own, or at least three prices of one test row.",
    "It tells the model what came next.",
    example(("train", "What followed the halving?", "On 2024-05-08 the close was 62,310.5 after a week of falls."), ("test", "Read BTCUSDT on 4h.", "It falls."), as_of=["2023-05-07 04:00 UTC", "2024-05-08 12:00 UTC"]),
    example(("train", "What followed the halving?", "On 2020-05-11 the close was 8,561.5 after a week of falls."), ("test", "Read BTCUSDT on 4h.", "It falls."), as_of=["2023-05-07 04:00 UTC", "2024-05-08 12:00 UTC"]),
)  # fmt: skip

PRICES = 3  # of one test row in one train row
DIGITS = 5  # significant digits that make a number telling

_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}  # noqa: SIM905
_MONTH = r"(?P<m{0}>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(
    r"\b(?:(?P<y1>(?:19|20)\d\d)[-/.](?P<n1>\d{1,2})[-/.](?P<d1>\d{1,2})"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH.format(2)},?\s+(?P<y2>(?:19|20)\d\d)"
    rf"|{_MONTH.format(3)}\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>(?:19|20)\d\d)"
    rf"|{_MONTH.format(4)}\s+(?P<y4>(?:19|20)\d\d))\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")


class Quotes:
    """Weeks and telling numbers of the test side."""

    codes = (QUOTE,)

    def __init__(self) -> None:
        self.weeks: dict[int, int] = {}  # week → a test row of it
        self.first = self.last = 0
        self.holders: dict[str, list[int]] = {}  # a telling number → test rows that show it
        self.found: list[Leak] = []

    def learn(self, block: list[Entry]) -> None:
        """Take in test rows; those without time have no period."""
        for entry in block:
            if entry.moment is None:
                continue
            self.weeks.setdefault(entry.moment // BLOCK_S, entry.number)
            self.first = min(self.first or entry.moment, entry.moment)
            self.last = max(self.last, entry.moment)
            for number in telling_numbers(f"{entry.row.input}\n{entry.row.output}"):
                self.holders.setdefault(number, []).append(entry.number)

    def look(self, block: list[Entry]) -> None:
        """Compare train rows."""
        if not self.weeks:
            return
        for entry in block:
            if "quotes" not in entry.known:
                row = entry.row
                text = "\n".join((row.instruction, row.input, row.output, row.rejected))
                dates = list(dates_of(text)) if _YEAR.search(text) else []
                entry.known["quotes"] = dates, telling_numbers(text)
            if leak := self._date(entry) or self._prices(entry):
                self.found.append(leak)

    def _date(self, entry: Entry) -> Leak | None:
        for words, first, last in entry.known["quotes"][0]:
            if entry.moment is not None and last <= entry.moment:
                continue
            if last - first > DAY_S:  # a month: all of it must lie in the period
                inside = self.first <= first and last <= self.last + DAY_S
                week = next((w for w in range(first // BLOCK_S, last // BLOCK_S + 1) if w in self.weeks), None)
            else:
                inside, week = True, first // BLOCK_S
            if inside and week in self.weeks:
                return Leak(QUOTE, self.weeks[week], entry.number, f"names {words!r}, a time of the test period")
        return None

    def _prices(self, entry: Entry) -> Leak | None:
        counts: Counter[int] = Counter()
        shared: dict[int, list[str]] = {}
        for number in entry.known["quotes"][1]:
            for holder in self.holders.get(number, ()):
                counts[holder] += 1
                shared.setdefault(holder, []).append(number)
        if not counts:
            return None
        holder, count = max(counts.items(), key=lambda pair: (pair[1], -pair[0]))
        if count < PRICES:
            return None
        numbers = ", ".join(islice(sorted(shared[holder]), 4))
        return Leak(QUOTE, holder, entry.number, f"{count} prices of a test row: {numbers}")

    def leaks(self) -> Iterator[Leak]:
        """A leak per train row."""
        yield from self.found


def telling_numbers(text: str) -> set[str]:
    """Numbers of at least DIGITS significant digits, without thousands separators; zeros at either end do not count."""
    found = set()
    for word in _NUMBER.findall(text):
        bare = word.replace(",", "")
        if len(bare.replace(".", "").strip("0")) >= DIGITS:
            found.add(bare)
    return found


def dates_of(text: str) -> Iterator[tuple[str, int, int]]:
    """(words, first second, last second) of every date and month with a year; impossible ones are left out."""
    for match in _DATE.finditer(text):
        part = match.groupdict()
        form = next(n for n in "1234" if part[f"y{n}"])
        year = int(part[f"y{form}"])
        month = int(part["n1"]) if form == "1" else _MONTHS[part[f"m{form}"][:3].lower()]
        try:
            begin = datetime(year, month, int(part[f"d{form}"]) if form != "4" else 1, tzinfo=UTC)
            if form == "4":
                end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
                yield match[0], int(begin.timestamp()), int(end.timestamp()) - 1
            else:
                yield match[0], int(begin.timestamp()), int(begin.timestamp()) + DAY_S - 1
        except ValueError:
            continue
