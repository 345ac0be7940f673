"""Checking files of rows: every record is read, its prompt and answers checked, the findings placed.

A file's shape is that of its first readable row, unless it is given. Rows of our own tasks are held to
everything; rows of strangers to the schema, the texts, and, where they speak of a market or write an
equation down, to the numbers. Rules over the whole file report once, at the end.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from market.candles import Tape
from tapewright.errors import RowError
from tapewright.findings import Finding, Report
from tapewright.inputs import Item
from tapewright.rows import Row
from tapewright.shapes import from_record, recognise
from templates.specs import TaskSpec, list_tasks, load_spec
from validators.balance import Balance
from validators.check import check_answer, check_prompt
from validators.context import Answer, read_prompt
from validators.numbers import check_equations
from validators.preference import check_pair, unfound
from validators.privacy import check_privacy
from validators.schema import MIXED, check_schema, problem, refused
from validators.tape import check_tape
from validators.text import check_text_rules

RowRule = Callable[[Row], Iterable[Finding]]
ROW_RULES: tuple[RowRule, ...] = (check_schema, check_text_rules, check_pair, check_privacy)


@dataclass(slots=True)
class Tally(Report):
    """A report that also counts pairs, tape facts, rows per task and the shape of each file."""

    pairs: int = 0
    tape_facts: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Take in the tally of another file."""
        self.rows += other.rows
        self.checked += other.checked
        self.numbers += other.numbers
        self.findings += other.findings
        self.pairs += other.pairs
        self.tape_facts += other.tape_facts
        self.tasks.update(other.tasks)
        self.shapes.update(other.shapes)


@dataclass(frozen=True, slots=True)
class Options:
    """How a check is made. `use_facts=False` ignores facts and provenance, as if they had been deleted."""

    shape: str = ""
    tape: Tape | None = None
    use_facts: bool = True


def check_items(items: Iterable[Item], name: str = "", options: Options = Options()) -> Tally:
    """Check one file's items and say what was found, in the order of the rows, file-wide findings last."""
    tally = Tally()
    shape, mixed = options.shape, False
    balance = Balance()
    for item in items:
        tally.rows += 1
        findings: list[Finding] = []
        if item.problem:
            findings.append(problem(item))
        if item.record is not None:
            try:
                found = options.shape or recognise(item.record)
                row = from_record(item.record, found)
            except RowError as error:
                findings.append(refused(str(error)))
            else:
                if not shape:
                    shape = found
                elif found != shape and not mixed:
                    mixed = True
                    findings.append(Finding(MIXED, f"the file began as {shape}, this row is {found}", field="row"))
                found_here = check_row(row, tally, options)
                balance.add(row, item.line)
                findings += found_here
        for finding in findings:
            finding.row, finding.line = name, item.line
            tally.findings.append(finding)
    for finding in balance.finish():
        finding.row = name
        tally.findings.append(finding)
    if shape:
        tally.shapes[name] = shape
    return tally


def check_row(row: Row, tally: Tally, options: Options) -> list[Finding]:
    """All findings on one row; counts what could be checked into `tally`."""
    spec = load_spec(row.task_type) if row.task_type in _tasks() else None
    tally.tasks[row.task_type] += 1
    findings = [finding for rule in ROW_RULES for finding in rule(row)]
    if any(finding.code[0] == "S" and finding.severity == "error" for finding in findings):
        return findings
    findings += _check_numbers(row, spec, tally, options)
    if options.tape is not None and options.use_facts and row.facts:
        compared, disagreements = check_tape(row.facts, options.tape, row.provenance)
        tally.tape_facts += compared
        findings += disagreements
    return findings


def _tasks() -> frozenset[str]:
    return frozenset(list_tasks())


# Two of these make a row one about a market; one alone ("entry", "stop") is everyday English.
_MARKET_WORDS = re.compile(
    r"\b(?:stop[- ]loss|take[- ]profit|leverage|liquidation|rsi|ema|macd|atr|usdt|funding rate|candle|perpetual|bullish|bearish"
    r"|entry price|long position|short position|risk/reward|drawdown|position size|bollinger|stop at|stop:|entry:)",
    re.IGNORECASE,
)


def _check_numbers(row: Row, spec: TaskSpec | None, tally: Tally, options: Options) -> list[Finding]:
    text = f"{row.instruction}\n{row.input}\n{row.output}"
    if spec is None and len({match.lower() for match in _MARKET_WORDS.findall(text)}) < 2:
        return _check_only_equations(row, tally)
    prompt = read_prompt(row.instruction, row.input, timeless=spec is not None and spec.timeless)
    generated = spec is not None
    facts = row.facts if options.use_facts else None
    findings = check_answer(
        prompt, row.output, spec=spec, generated=generated, facts=facts, field="chosen" if row.rejected else "output"
    )
    if spec is not None and not spec.timeless:
        findings += check_prompt(prompt)
    tally.numbers += len(prompt.numbers)
    tally.checked += bool(prompt.numbers)
    if row.rejected and spec is not None:
        tally.pairs += 1
        found = {f.code for f in check_answer(prompt, row.rejected, spec=spec, generated=generated, field="rejected")}
        named = set(row.provenance.get("codes", ())) if options.use_facts else set()
        findings += unfound(row, found, named)
    return findings


def _check_only_equations(row: Row, tally: Tally) -> list[Finding]:
    if "=" not in row.output:
        return []
    answer = Answer(read_prompt(row.instruction, row.input, timeless=True), row.output, timeless=True)
    check_equations(answer)
    tally.checked += bool(answer.equations)
    return answer.findings
