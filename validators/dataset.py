"""Checking files of rows: every record is read, its prompt and answers checked, the findings placed.

A file's shape is that of its first readable row, unless it is given. Rows of our own tasks are held to
everything; rows of strangers to the schema, the texts, and, where they speak of a market or write an
equation down, to the numbers. Rules over the whole file report once, at the end. All findings are counted;
of each rule and file the first KEPT are kept, so that memory stays flat.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from market.candles import Tape
from tapewright.errors import RowError
from tapewright.findings import Finding, Report
from tapewright.inputs import Item
from tapewright.rows import Row
from tapewright.shapes import from_record, recognise
from templates.specs import TaskSpec, list_tasks, load_spec
from validators.balance import Balance
from validators.check import check_answer, check_prompt, task_check
from validators.context import Answer, read_prompt
from validators.numbers import check_equations
from validators.preference import check_pair, unfound
from validators.privacy import check_privacy
from validators.schema import EMPTY, MIXED, check_schema, problem, refused
from validators.tape import check_tape
from validators.text import check_text_rules

RowRule = Callable[[Row], Iterable[Finding]]
ROW_RULES: dict[str, RowRule] = {"S": check_schema, "X": check_text_rules, "C": check_pair, "V": check_privacy}
KEPT = 1_000


_UNPRINTABLE = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10, 13}, "\ufffd")


def _printable(text: str) -> str:
    """Text any report can hold: what rows smuggle in drives no terminal and breaks no encoder."""
    return text if text.isprintable() else text.encode("utf-8", "replace").decode().translate(_UNPRINTABLE)


@dataclass(slots=True)
class Tally(Report):
    """A report that also counts pairs, tape facts, rows per task and the shape of each file.

    `found` counts all findings per (code, file); `findings` holds the first KEPT of each.
    """

    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    pairs: int = 0
    tape_facts: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, str] = field(default_factory=dict)

    def take(self, finding: Finding) -> None:
        """Count a finding, and keep it while there are few of its kind."""
        key = finding.code, finding.row
        self.found[key] += 1
        if self.found[key] <= KEPT:
            finding.row, finding.message, finding.evidence = map(
                _printable, (finding.row, finding.message, finding.evidence)
            )
            self.findings.append(finding)

    @property
    def total(self) -> int:
        """All findings, kept or not."""
        return self.found.total()

    def counts(self) -> Counter[str]:
        """Findings per code, kept or not."""
        counts: Counter[str] = Counter()
        for (code, _), count in self.found.items():
            counts[code] += count
        return counts

    def add(self, other: "Tally") -> None:
        """Take in the tally of another file."""
        self.rows += other.rows
        self.checked += other.checked
        self.numbers += other.numbers
        self.findings += other.findings
        self.found.update(other.found)
        self.pairs += other.pairs
        self.tape_facts += other.tape_facts
        self.tasks.update(other.tasks)
        self.shapes.update(other.shapes)


@dataclass(frozen=True, slots=True)
class Options:
    """How a check is made. `use_facts=False` ignores facts and provenance, as if they had been deleted.

    `wants` says of a finding whether it is reported; families whose letter is not in `families` are not run.
    """

    shape: str = ""
    tape: Tape | None = None
    use_facts: bool = True
    wants: Callable[[Finding], bool] | None = None
    families: str = "SXNRTFCBV"


def check_items(items: Iterable[Item], name: str = "", options: Options = Options()) -> Tally:
    """Check one file's items and say what was found, in the order of the rows, file-wide findings last."""
    tally = Tally()
    shape, mixed = options.shape, False
    balance = Balance() if "B" in options.families else None
    for item in items:
        tally.rows += 1
        findings = [problem(item)] if item.problem else []
        row = None
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
                findings += check_row(row, tally, options)
                if balance is not None:
                    balance.add(row, item.line)
        if findings:
            content = _content(item, row)
            for finding in findings:
                finding.row, finding.line, finding.content = name, item.line, content
                if options.wants is None or options.wants(finding):
                    tally.take(finding)
    whole = list(balance.finish()) if balance is not None else []
    if not tally.rows:
        whole.append(Finding(EMPTY, "there is no row in it", field="file"))
    for finding in whole:
        finding.row = name
        if options.wants is None or options.wants(finding):
            tally.take(finding)
    if shape:
        tally.shapes[name] = shape
    return tally


def _content(item: Item, row: Row | None) -> str:
    """A hash of what a row says; ids and places do not count."""
    if row is None:
        text = item.raw or str(item.record)
    else:
        text = "\x1f".join((row.instruction, row.input, row.output, row.rejected))
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def check_row(row: Row, tally: Tally, options: Options) -> list[Finding]:
    """All findings on one row; counts what could be checked into `tally`."""
    spec = load_spec(row.task_type) if row.task_type in _tasks() else None
    tally.tasks[row.task_type] += 1
    findings: list[Finding] = []
    for family, check in ROW_RULES.items():
        if family in options.families:
            findings += check(row)
    if any(finding.code[0] == "S" and finding.severity == "error" for finding in findings):
        return findings
    if not _NUMBER_FAMILIES.isdisjoint(options.families):
        findings += _check_numbers(row, spec, tally, options)
    if options.tape is not None and options.use_facts and row.facts:
        compared, disagreements = check_tape(row.facts, options.tape, row.provenance)
        tally.tape_facts += compared
        findings += disagreements
    return findings


_NUMBER_FAMILIES = frozenset("NRTFC")  # C: whether a rejected answer has its finding


@functools.cache
def _tasks() -> frozenset[str]:
    return frozenset(list_tasks())


# A text is about a market when it holds one of the first and another of either; "leverage" and "entry" are everyday English.
_TRADING_TERMS = ("stop-loss", "stop loss", "take-profit", "take profit", "liquidation", "rsi(", "rsi ", "macd", "usdt", "funding rate", "entry price", "long position", "short position", "risk/reward", "risk-reward", "position size", "bollinger", "drawdown")  # fmt: skip
_MARKET_TERMS = ("leverage", "ema", "atr", "candle", "perpetual", "bullish", "bearish", "stop at", "stop:", "entry:", "entry at", "margin", "btc", "eth")  # fmt: skip


def _speaks_of_a_market(row: Row) -> bool:
    text = f"{row.instruction}\n{row.input}\n{row.output}".lower()
    found = [term for term in _TRADING_TERMS if term in text]
    if not found:
        return False
    return len(found) > 1 or any(re.search(rf"\b{re.escape(term)}", text) for term in _MARKET_TERMS)


def _check_numbers(row: Row, spec: TaskSpec | None, tally: Tally, options: Options) -> list[Finding]:
    if spec is None and not _speaks_of_a_market(row):
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
        codes = row.provenance.get("codes")
        named = {str(code) for code in codes} if options.use_facts and isinstance(codes, list) else set()
        findings += unfound(row, found, named)
    return findings


def _check_only_equations(row: Row, tally: Tally) -> list[Finding]:
    if "=" not in row.output:
        return []
    answer = Answer(read_prompt(row.instruction, row.input, timeless=True), row.output, timeless=True)
    check_equations(answer)
    tally.checked += bool(answer.equations)
    return answer.findings


def load_rules() -> None:
    """Register every rule there is, those of single tasks too: importing this module brings the others."""
    for task in list_tasks():
        task_check(task)
