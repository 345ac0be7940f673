"""What leaked, for people and machines: a table of kinds, examples with the shared words marked, JSON and JSONL."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import orjson

from tapewright.findings import Finding
from validators.dataset import Tally
from validators.leakage.check import Found
from validators.leakage.families import FAMILY
from validators.leakage.kind import BY_TRAIN, Leak
from validators.leakage.sides import Entry, Side
from validators.rules import RULES

EXAMPLES, KEPT = 2, 1_000
_TEXTUAL = ("L001", "L002", "L003", "L004")
_LONGEST = 3_000  # words compared for the shared span
_AROUND, _SPAN = 5, 40  # words shown beside the shared ones, and of them


@dataclass(slots=True)
class Case:
    """A leak with its two rows, as far as single rows are meant, and the words they share."""

    found: Found
    leak: Leak
    test: Entry | None
    train: Entry | None
    before: str = ""
    shared: str = ""
    after: str = ""

    @property
    def marked(self) -> str:
        """The shared words between double brackets, with those around them in the leaked row."""
        return f"{self.before} [[{self.shared}]] {self.after}".strip() if self.shared else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "code": self.leak.code, "name": RULES[self.leak.code].name, "train": self.found.train.name, "test": self.found.test.name,
            "test_row": _place(self.test), "train_row": _place(self.train), "share": round(self.leak.share, 4),
            "count": self.leak.count, "message": self.leak.message, "shared": self.shared,
        }  # fmt: skip


def _place(entry: Entry | None) -> dict[str, Any] | None:
    return {"source": entry.source, "line": entry.line, "id": entry.row.id} if entry else None


def cases_of(results: list[Found], most: int) -> list[Case]:
    """The first `most` leaks of each kind and pair of sides, with their rows read again."""
    picked = [(found, leak) for found in results for leaks in found.leaks.values() for leak in leaks[:most]]
    wanted: dict[int, tuple[Side, set[int]]] = {}
    for found, leak in picked:
        for side, number in ((found.test, leak.test), (found.train, leak.train)):
            wanted.setdefault(id(side), (side, set()))[1].update({number} - {-1})
    rows = {key: side.pick(numbers) for key, (side, numbers) in wanted.items()}
    cases = []
    for found, leak in picked:
        case = Case(found, leak, rows[id(found.test)].get(leak.test), rows[id(found.train)].get(leak.train))
        if leak.code in _TEXTUAL and case.test and case.train:
            case.before, case.shared, case.after = shared_words(_words(case.test), _words(case.train))
        cases.append(case)
    return cases


def _words(entry: Entry) -> list[str]:
    row = entry.row
    return " ".join((row.instruction, row.input, row.output, row.rejected)).split()[:_LONGEST]


def shared_words(test: list[str], train: list[str]) -> tuple[str, str, str]:
    """The longest run of words both have, with a few words before and after it in the first."""
    fold = (
        [word.casefold().strip(".,;:!?\"'()") for word in test],
        [word.casefold().strip(".,;:!?\"'()") for word in train],
    )
    match = SequenceMatcher(None, *fold, autojunk=False).find_longest_match()
    if not match.size:
        return "", "", ""
    first, last = match.a, match.a + match.size
    span = test[first:last]
    if len(span) > _SPAN:
        span = [*span[: _SPAN // 2], "…", *span[-_SPAN // 2 :]]
    return " ".join(test[max(first - _AROUND, 0) : first]), " ".join(span), " ".join(test[last : last + _AROUND])


def table_of(results: list[Found], max_share: float, strict: bool) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Per kind looked for: its name, and for each two sides the leaked rows with their share and whether it is too much."""
    for code in results[0].leaks:
        cells = []
        for found in results:
            count, share = len(found.leaks[code]), found.share(code)
            text = f"{count:,} ({share:.2%})" if count else "0"
            cells.append((text, bool(count) and share > max_share and (strict or code != FAMILY)))
        yield f"{code} {RULES[code].name}" + (" (train rows)" if code in BY_TRAIN else ""), cells


def as_json(results: list[Found], cases: list[Case], max_share: float) -> dict[str, Any]:
    """Counts and shares of every kind, and the cases kept."""
    return {
        "max_share": max_share,
        "kinds": [
            {
                "train": found.train.name, "test": found.test.name, "code": code, "name": RULES[code].name,
                "leaked": len(leaks), "rows": found.rows(code), "share": found.share(code),
            }
            for found in results for code, leaks in found.leaks.items()
        ],
        "unreadable": {side.name: side.unreadable for found in results for side in (found.train, found.test)},
        "leaks": [case.as_dict() for case in cases],
    }  # fmt: skip


def render(form: str, results: list[Found], cases: list[Case], max_share: float) -> str:
    """`json` or `jsonl`."""
    if form == "json":
        return orjson.dumps(as_json(results, cases, max_share), option=orjson.OPT_INDENT_2).decode() + "\n"
    return "".join(orjson.dumps(case.as_dict()).decode() + "\n" for case in cases)


def as_tally(results: list[Found], cases: list[Case]) -> Tally:
    """The same as findings, for the forms `validate` writes."""
    tally = Tally(rows=sum({id(found.test): found.test.rows for found in results}.values()))
    for case in cases:
        entry, other = (case.train, case.test) if case.leak.code in BY_TRAIN else (case.test, case.train)
        where = f" ({other.source}:{other.line})" if other else ""
        tally.take(Finding(
            case.leak.code, case.leak.message + where, severity=RULES[case.leak.code].severity,
            row=entry.source if entry else "", line=entry.line if entry else 0, field="row", evidence=case.marked,
        ))  # fmt: skip
    return tally
