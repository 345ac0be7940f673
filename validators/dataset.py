"""Checking files of rows: every record is read, its prompt and answers checked, the findings placed.

A file's shape is that of its first readable row, unless it is given. Rows of our own tasks are held to
everything; rows of strangers to the schema, the texts, and, where they speak of a market or write an
equation down, to the numbers. Rules over the whole file report once, at the end. All findings are counted;
of each rule and file the first KEPT are kept, so that memory stays flat.
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from typing import Any

from market.candles import Tape
from tapewright.errors import RowError
from tapewright.findings import Finding, Report
from tapewright.inputs import BLOCK_ROWS, Block, Item, read_blocks
from tapewright.rows import Row
from tapewright.shapes import from_record, recognise
from tapewright.workers import map_in_order
from templates.specs import TaskSpec, list_tasks, load_spec
from validators.balance.file import Balance
from validators.check import check_answer, check_prompt, judge, task_check
from validators.context import Answer, read_prompt, unread_prompt
from validators.figures import check_figures, may_hold_figures
from validators.metadata import check_metadata
from validators.numbers import check_equations
from validators.pinescript.rules import check_code
from validators.preference import check_pair, check_worse, unfound
from validators.privacy import check_privacy
from validators.schema import EMPTY, MIXED, check_schema, problem, refused, sound_shape
from validators.tape import check_tape
from validators.text import check_text_rules
from validators.time import check_moment
from validators.topic import speaks_of_a_market

RowRule = Callable[[Row], Iterable[Finding]]
ROW_RULES: dict[str, RowRule] = {
    "S": check_schema,
    "X": check_text_rules,
    "C": check_pair,
    "V": check_privacy,
    "T": check_moment,
    "P": check_code,
}
KEPT = 1_000


_UNPRINTABLE = dict.fromkeys({*range(32), *range(127, 160)} - {9, 10, 13}, "\ufffd")


def _printable(text: str) -> str:
    """Text any report can hold: what rows smuggle in drives no terminal and breaks no encoder."""
    return text if text.isprintable() else text.encode("utf-8", "replace").decode().translate(_UNPRINTABLE)


@dataclass(slots=True)
class Tally(Report):
    """A report that also counts pairs, tape facts, rows per task, the shape of each file and the splits rows name.

    `found` counts all findings per (code, file); `findings` holds the first KEPT of each.
    """

    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    pairs: int = 0
    tape_facts: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, str] = field(default_factory=dict)
    splits: set[str] = field(default_factory=set)

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
        self.splits |= other.splits


@dataclass(frozen=True, slots=True)
class Options:
    """How a check is made. `use_facts=False` ignores facts and provenance, as if they had been deleted.

    `wants` says of a finding whether it is reported, whatever came before it; families whose letter is not in
    `families` are not run; D, duplicates, is run where it is asked for. Rows of more than `max_tokens` are counted where it is not 0.
    """

    shape: str = ""
    tape: Tape | None = None
    use_facts: bool = True
    wants: Callable[[Finding], bool] | None = None
    families: str = "SXNRTFCBVP"
    max_tokens: int = 0
    tokenizer: str = ""


def _balance(options: Options) -> Balance | None:
    if "B" not in options.families and "D" not in options.families:
        return None
    return Balance(options.families, options.max_tokens, options.tokenizer)


@dataclass(slots=True)
class Part:
    """What was found in some rows of one file that follow each other.

    `shapes` holds the line, content and place among the findings of the first row of each shape.
    """

    tally: Tally
    balance: Balance | None
    shapes: dict[str, tuple[int, str, int]]


def check_part(items: Iterable[Item], name: str, options: Options) -> Part:
    """Check rows one by one; what only the whole file shows is left to FileCheck."""
    part = Part(Tally(), _balance(options), {})
    tally = part.tally
    only_schema = options.families == "S" and not options.shape and options.tape is None
    for item in items:
        tally.rows += 1
        if only_schema and not item.problem and sound_shape(item.record) in part.shapes:
            continue
        findings = [problem(item)] if item.problem else []
        row = None
        if item.record is not None:
            try:
                found = options.shape or recognise(item.record)
                row = from_record(item.record, found)
            except RowError as error:
                findings.append(refused(str(error)))
            else:
                if found not in part.shapes:
                    part.shapes[found] = (item.line, _content(item, row), len(tally.findings))
                found_here, answer = check_row(row, tally, options)
                findings += found_here
                split = item.record.get("split") or row.provenance.get("split")
                if isinstance(split, str):
                    tally.splits.add(split)
                if part.balance is not None:
                    part.balance.add(row, item.line, answer)
        if findings:
            content = _content(item, row)
            for finding in findings:
                finding.row, finding.line, finding.content = name, item.line, content
                if options.wants is None or options.wants(finding):
                    tally.findings.append(finding)
    return part


class FileCheck:
    """The check of one file: `add` its parts in order, then `finish`. The findings do not depend on who made the parts.

    `known` says of a wanted finding that it is new; it sees every one in order.
    """

    def __init__(self, name: str, options: Options, known: Callable[[Finding], bool] | None = None) -> None:
        self.name, self.options, self.known = name, options, known
        self.tally = Tally()
        self.shape, self.mixed = options.shape, False
        self.balance = _balance(options)

    def add(self, part: Part) -> None:
        """Take in what was found in the rows that follow."""
        findings = part.tally.findings
        for found, (line, content, place) in part.shapes.items():
            if not self.shape:
                self.shape = found
            elif found != self.shape and not self.mixed:
                self.mixed = True
                message = f"the file began as {self.shape}, this row is {found}"
                mixed = Finding(MIXED, message, field="row", row=self.name, line=line, content=content)
                if self._wants(mixed):
                    findings.insert(place, mixed)
        part.tally.findings = []
        self.tally.add(part.tally)
        for finding in findings:
            self._take(finding)
        if self.balance is not None and part.balance is not None:
            self.balance.merge(part.balance)

    def finish(self) -> Tally:
        """The tally of the file, with what only the whole of it shows."""
        whole = list(self.balance.finish()) if self.balance is not None else []
        if not self.tally.rows:
            whole.append(Finding(EMPTY, "there is no row in it", field="file"))
        for finding in whole:
            finding.row = self.name
            if self._wants(finding):
                self._take(finding)
        if self.shape:
            self.tally.shapes[self.name] = self.shape
        return self.tally

    def _wants(self, finding: Finding) -> bool:
        return self.options.wants is None or self.options.wants(finding)

    def _take(self, finding: Finding) -> None:
        if self.known is None or self.known(finding):
            self.tally.take(finding)


def check_items(items: Iterable[Item], name: str = "", options: Options = Options()) -> Tally:
    """Check one file's items and say what was found, in the order of the rows, file-wide findings last."""
    whole = FileCheck(name, options)
    rest = iter(items)
    while block := list(islice(rest, BLOCK_ROWS)):
        whole.add(check_part(block, name, options))
    return whole.finish()


def check_records(records: Iterable[Any], options: Options = Options()) -> Tally:
    """`check_items` for rows that are dicts in memory; a finding's line is the number of its row, from 1."""
    return check_items((Item("", line, record) for line, record in enumerate(records, 1)), "", options)


def check_files(
    names: list[str], options: Options = Options(), *, tape: str = "", workers: int = 1,
    watch: Callable[[int], None] | None = None, known: Callable[[Finding], bool] | None = None,
) -> Iterator[tuple[str, Tally]]:  # fmt: skip
    """The tally of each file in turn; the same for any number of workers. `tape` names a source of candles."""
    if workers <= 1:
        _prepare(options, tape)
        parts = ((block, _check_block(block)) for block in _blocks(names, watch))
    else:
        parts = map_in_order(_check_block, _blocks(names, watch), workers, _prepare, (options, tape))
    whole: FileCheck | None = None
    for block, part in parts:
        if whole is None or block.source != whole.name:
            if whole is not None:
                yield whole.name, whole.finish()
            whole = FileCheck(block.source, options, known)
        whole.add(part)
    if whole is not None:
        yield whole.name, whole.finish()


def _blocks(names: list[str], watch: Callable[[int], None] | None) -> Iterator[Block]:
    """The blocks of all files; a file without rows has one block too, so that it is reported."""
    for name in names:
        block = None
        for block in read_blocks(name, watch):
            yield block
        if block is None:
            yield Block(name)


_options = Options()


def _prepare(options: Options, tape: str) -> None:
    """What a process does before it checks blocks."""
    global _options
    load_rules()
    _options = options
    if tape:
        from market.tape import load

        _options = replace(options, tape=load(tape))


def _check_block(block: Block) -> Part:
    return check_part(block.items(), block.source, _options)


def _content(item: Item, row: Row | None) -> str:
    """A hash of what a row says; ids and places do not count."""
    return content_of(row) if row is not None else _digest(item.raw or str(item.record))


def content_of(row: Row) -> str:
    """A hash of a row's texts."""
    return _digest("\x1f".join((row.instruction, row.input, row.output, row.rejected)))


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def check_row(row: Row, tally: Tally, options: Options) -> tuple[list[Finding], Answer | None]:
    """All findings on one row, and its answer where it speaks of a market; counts what could be checked into `tally`."""
    spec = load_spec(row.task_type) if row.task_type in _tasks() else None
    tally.tasks[row.task_type] += 1
    findings: list[Finding] = []
    for family, check in ROW_RULES.items():
        if family in options.families:
            findings += check(row)
    if findings and any(finding.code[0] == "S" and finding.severity == "error" for finding in findings):
        return findings, None
    answer = None
    if not _NUMBER_FAMILIES.isdisjoint(options.families):
        if spec is None and not speaks_of_a_market(row):
            findings += _check_only_figures(row, tally)
        else:
            answer = _read(row, spec, options)
            findings += _check_numbers(row, answer, tally, options)
    if "B" in options.families and (row.stated or row.as_of):
        findings += check_metadata(row, answer)
    if options.tape is not None and options.use_facts and row.facts:
        compared, disagreements = check_tape(row.facts, options.tape, row.provenance)
        tally.tape_facts += compared
        findings += disagreements
    return findings, answer


_NUMBER_FAMILIES = frozenset("NRTFCB")  # C: whether a rejected answer has its finding; B: what numbers are spread like


@functools.cache
def _tasks() -> frozenset[str]:
    return frozenset(list_tasks())


def _read(row: Row, spec: TaskSpec | None, options: Options) -> Answer:
    prompt = read_prompt(row.instruction, row.input, timeless=spec is not None and spec.timeless)
    facts = dict(row.facts) if options.use_facts and row.facts else None
    return Answer(prompt, row.output, "chosen" if row.rejected else "output", spec, spec is not None, facts)


def _check_numbers(row: Row, answer: Answer, tally: Tally, options: Options) -> list[Finding]:
    spec, prompt = answer.spec, answer.prompt
    findings = [finding for finding in judge(answer) if finding.code[0] != "P"]  # those come with the row's rules
    if spec is not None and not spec.timeless:
        findings += check_prompt(prompt)
    tally.numbers += len(prompt.numbers)
    tally.checked += bool(prompt.numbers)
    if row.rejected:
        rejected = check_answer(prompt, row.rejected, spec=spec, generated=spec is not None, field="rejected")
        findings += check_worse(row, findings, rejected)
        if spec is not None:
            tally.pairs += 1
            codes = row.provenance.get("codes")
            named = {str(code) for code in codes} if options.use_facts and isinstance(codes, list) else set()
            findings += unfound(row, {finding.code for finding in rejected}, named)
    return findings


def _check_only_figures(row: Row, tally: Tally) -> list[Finding]:
    """Equations and sums written out in a text about no market."""
    equations = "=" in row.output
    if not equations and not may_hold_figures(row.output.lower()):
        return []
    answer = Answer(unread_prompt(row.instruction, row.input), row.output, timeless=True)
    if equations:
        check_equations(answer)
        tally.checked += bool(answer.equations)
    check_figures(answer)
    return answer.findings


def load_rules() -> None:
    """Register every rule there is, those of single tasks and of `leakage` too: importing this module brings the others."""
    import validators.leakage.check  # noqa: F401  registers them

    for task in list_tasks():
        task_check(task)
