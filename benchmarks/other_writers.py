"""False alarms on 1,000 correct trading rows by other hands, and how many altered numbers are found in them.

The rows were written without sight of the reader's vocabulary: forty writers, twenty-five rows each, every
number worked out twice by other code. The reader was then tuned on the first twenty writers only. Run it as
`python -m benchmarks.other_writers`.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from tapewright.inputs import read_items
from tapewright.shapes import from_record
from validators.dataset import Options, Tally, check_row, load_rules

ROWS = Path(__file__).parents[1] / "tests" / "data" / "other_writers.jsonl"
TUNED = 500  # the rows of the first twenty writers
_NUMBER = re.compile(r"(?<![\w.,:/-])\d[\d,]*(?:\.\d+)?(?![\w:/]|\.\d|,\d)")


@dataclass(slots=True)
class Half:
    """Counts over the rows of some writers."""

    rows: int = 0
    checked: int = 0
    alarmed: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    altered: int = 0
    found: int = 0


def alter(text: str, rng: random.Random) -> str:
    """The text with one of the first three digits of one number of three or more changed; empty where there is none."""
    candidates = [match for match in _NUMBER.finditer(text) if len(re.sub(r"\D", "", match.group()).strip("0")) >= 3]
    if not candidates:
        return ""
    match = rng.choice(candidates)
    digits = list(match.group())
    place = rng.choice([at for at, sign in enumerate(digits) if sign.isdigit()][:3])
    digits[place] = str((int(digits[place]) + rng.randrange(1, 9)) % 10 or 9)
    changed = "".join(digits)
    return "" if changed == match.group() else text[: match.start()] + changed + text[match.end() :]


def measure() -> dict[str, Half]:
    """Both halves: the writers the reader was tuned on, and the others."""
    load_rules()
    rng = random.Random(7)
    halves = {"tuned on": Half(), "unseen": Half()}
    for item in read_items(str(ROWS)):
        half = halves["tuned on" if item.line <= TUNED else "unseen"]
        row, tally = from_record(item.record), Tally()
        findings, _ = check_row(row, tally, Options())
        half.rows += 1
        half.checked += tally.checked
        half.alarmed += bool(findings)
        for finding in findings:
            half.codes[finding.code] = half.codes.get(finding.code, 0) + 1
        if tally.checked and not findings and (changed := alter(row.output, rng)):
            row.output = changed
            half.altered += 1
            half.found += bool(check_row(row, Tally(), Options())[0])
    return halves


if __name__ == "__main__":
    print(
        "| writers | rows | numbers checked | rows with a false alarm | findings | altered numbers found |\n|---|---:|---:|---:|---|---:|"
    )
    for name, half in measure().items():
        codes = ", ".join(f"{code} {count}" for code, count in sorted(half.codes.items()))
        print(
            f"| {name} | {half.rows} | {half.checked} | {half.alarmed} ({half.alarmed / half.rows:.1%}) | {codes} "
            f"| {half.found} of {half.altered} ({half.found / half.altered:.0%}) |"
        )
