"""Checking files of rows: each record is read, its prompt and answers checked, the findings placed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from market.candles import Tape
from tapewright.errors import RowError
from tapewright.findings import Finding, Report
from tapewright.rows import Row, from_record
from templates.specs import TaskSpec, list_tasks, load_spec
from validators.check import check_answer, check_prompt
from validators.context import read_prompt
from validators.rules import declare

BAD_ROW = declare(
    "S001", "row cannot be read",
    "A record has none of the known shapes, or a field of the wrong type.",
    "A trainer drops or garbles it without a word.",
    ("", "", ""),
    ("", "", ""),
)  # fmt: skip
UNFOUND = declare(
    "C001", "rejected answer has no named finding",
    "The checker finds nothing in a rejected answer, or not what its defect names.",
    "A pair whose rejected side is right teaches the opposite.",
    ("", "", ""),
    ("", "", ""),
)  # fmt: skip


@dataclass(slots=True)
class Tally(Report):
    """A report that also counts pairs, tape facts and rows per task."""

    pairs: int = 0
    tape_facts: int = 0
    tasks: dict[str, int] = field(default_factory=dict)


def check_rows(
    records: Iterable[tuple[int, dict[str, Any]]], *, name: str = "", tape: Tape | None = None,
    use_facts: bool = True, strict: bool = True,
) -> Tally:  # fmt: skip
    """Check (line, record) pairs. With `strict`, rows of our own tasks may hold no unread numeral.

    `use_facts=False` ignores facts and provenance, as if they had been deleted. In preference rows
    the chosen answer must be clean and the rejected one must show a code its row names.
    """
    tally = Tally()
    known = set(list_tasks())
    for line, record in records:
        tally.rows += 1
        try:
            row = from_record(record)
        except RowError as error:
            tally.findings.append(Finding(BAD_ROW, str(error), row=name, line=line, field="row"))
            continue
        spec = load_spec(row.task_type) if row.task_type in known else None
        tally.tasks[row.task_type] = tally.tasks.get(row.task_type, 0) + 1
        for finding in _check_row(row, spec, tally, tape, use_facts, strict):
            finding.row, finding.line = name, line
            tally.findings.append(finding)
    return tally


def _check_row(
    row: Row, spec: TaskSpec | None, tally: Tally, tape: Tape | None, use_facts: bool, strict: bool
) -> list[Finding]:
    prompt = read_prompt(row.instruction, row.input, timeless=spec is not None and spec.timeless)
    generated = strict and spec is not None
    facts = row.facts if use_facts else None
    findings = check_answer(
        prompt, row.output, spec=spec, generated=generated, facts=facts, field="chosen" if row.rejected else "output"
    )
    if generated and spec and not spec.timeless:
        findings += check_prompt(prompt)
    numbers = len(prompt.numbers)
    tally.numbers += numbers
    tally.checked += bool(numbers)
    if row.rejected:
        tally.pairs += 1
        found = {f.code for f in check_answer(prompt, row.rejected, spec=spec, generated=generated, field="rejected")}
        named = set(row.provenance.get("codes", ())) if use_facts else set()
        if not found or (named and found != named):
            findings.append(
                Finding(
                    UNFOUND,
                    f"{row.defect or 'rejected'}: named {sorted(named)}, found {sorted(found)}",
                    field="rejected",
                )
            )
    if tape is not None and use_facts and row.facts:
        compared, disagreements = _tape_check(row, tape)
        tally.tape_facts += compared
        findings += disagreements
    return findings


def _tape_check(row: Row, tape: Tape) -> tuple[int, list[Finding]]:
    from validators.tape import check_tape

    return check_tape(row.facts, tape, row.provenance)
