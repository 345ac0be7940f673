"""Cleaning a dataset: safe fixes applied and counted, what stays wrong put aside with its reason.

Rows in = rows kept + rows quarantined, always. A fix is safe when no meaning can change: an empty-input
marker becomes empty, control characters go, a doubled key keeps the value every parser keeps. Rows with
an error left go to the quarantine file with source, line, code and reason, and so do rows whose id stands
in an earlier row, that contradict an earlier pair, or that have another shape than the first; warnings
stay. Cleaning what has been cleaned changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tapewright import files
from tapewright.errors import ConfigError, RowError
from tapewright.findings import Finding
from tapewright.inputs import DUPLICATE, Item, expand, read_items
from tapewright.shapes import from_record, recognise
from validators.balance.repetition import CONTRADICTING, REPEATED_ID, choice_keys, digest
from validators.dataset import Options, Tally, check_row
from validators.schema import DOUBLE_KEY, MIXED, WRONG_TYPE, problem, refused
from validators.text import CONTROL, INPUT_MARKER, is_marker, without_control

FIXABLE = (INPUT_MARKER, CONTROL, DOUBLE_KEY)


@dataclass(slots=True)
class Cleaned:
    """What a run did. `kept + quarantined == rows`."""

    rows: int = 0
    kept: int = 0
    quarantined: int = 0
    fixes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def quarantine_path(output: Path) -> Path:
    """Where refused rows go unless another place is named."""
    return output.parent / files.HIDDEN / f"{output.name}.quarantine.jsonl"


def clean(names: Iterable[str], output: Path, quarantine: Path | None = None, shape: str = "") -> Cleaned:
    """Write the cleaned rows of `names` to `output` (JSONL, .gz, .zst or Parquet) and the refused ones aside.

    Both files appear whole or not at all. Raises FileError when something cannot be read or written and
    ConfigError when the output is one of the inputs.
    """
    inputs = expand(names)
    if any(name != "-" and Path(name).resolve() == output.resolve() for name in inputs):
        raise ConfigError(f"{output} is also an input; choose another --output, so that nothing is lost")
    aside = quarantine or quarantine_path(output)
    if any(aside.resolve() == taken.resolve() for taken in (output, *(Path(name) for name in inputs if name != "-"))):
        raise ConfigError(f"{aside} is also an input or the output; choose another --quarantine")
    files.hidden_folder(output)
    cleaner = _Cleaner(shape)
    with files.locked(output):
        files.write_from_lines(output, _lines(inputs, aside, cleaner))
    return cleaner.done


def _lines(inputs: list[str], aside: Path, cleaner: "_Cleaner") -> Iterator[bytes]:
    """The kept rows; the quarantine is complete on disk before the last of them is."""
    with files.whole(aside) as refused_rows:
        for name in inputs:
            for item in read_items(name):
                kept, findings = cleaner.take(item)
                if findings:
                    refused_rows.write(_case(item, name, findings))
                else:
                    yield kept


class _Cleaner:
    """Takes items one by one; remembers the shape, ids and choices of the rows it kept."""

    def __init__(self, shape: str) -> None:
        self.asked, self.shape = shape, shape
        self.ids: set[int] = set()
        self.choices: dict[int, int] = {}
        self.done = Cleaned()

    def take(self, item: Item) -> tuple[bytes, list[Finding]]:
        """The line to keep, or the errors that forbid it."""
        self.done.rows += 1
        fixes: Counter[str] = Counter()
        line, errors = b"", []
        if item.problem and item.problem != DUPLICATE:
            errors = [problem(item)]
        else:
            record, fixes = fix(item.record)
            if item.problem == DUPLICATE:
                fixes[DOUBLE_KEY] += 1
            try:
                line = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
                errors = self._errors(record)
            except RowError as error:
                errors = [refused(str(error))]
            except TypeError as error:
                errors = [Finding(WRONG_TYPE, f"cannot be written as JSON: {error}", field="row")]
        if errors:
            self.done.quarantined += 1
            self.done.reasons.update({finding.code for finding in errors})
        else:
            self.done.kept += 1
            self.done.fixes.update(fixes)
        return line, errors

    def _errors(self, record: Any) -> list[Finding]:
        found = self.asked or recognise(record)
        row = from_record(record, found)
        errors = [finding for finding in check_row(row, Tally(), Options())[0] if finding.severity == "error"]
        if self.shape and found != self.shape:
            errors.append(Finding(MIXED, f"the rows before are {self.shape}, this row is {found}", field="row"))
        name = digest(row.id) if row.id else 0
        if name in self.ids:
            errors.append(Finding(REPEATED_ID, f"id {row.id[:80]!r} stands in an earlier row", field="id"))
        choices = dict(choice_keys(row)) if row.rejected else {}
        if any(self.choices.get(key) == -sign for key, sign in choices.items()):
            errors.append(Finding(CONTRADICTING, "an earlier pair with this prompt chose the reverse", field="row"))
        if not errors:
            self.shape = found
            if name:
                self.ids.add(name)
            self.choices |= choices
        return errors


def fix(record: Any) -> tuple[Any, Counter[str]]:
    """The record with every safe fix applied, and how often each was."""
    fixes: Counter[str] = Counter()
    if not isinstance(record, dict):
        return record, fixes
    fixed = {key: _without_control(value, fixes) for key, value in record.items()}
    if "instruction" in fixed and isinstance(fixed.get("input"), str) and is_marker(fixed["input"]):
        fixed["input"] = ""
        fixes[INPUT_MARKER] += 1
    return fixed, fixes


def _without_control(value: Any, fixes: Counter[str]) -> Any:
    if isinstance(value, str):
        clean_text = without_control(value)
        if clean_text != value:
            fixes[CONTROL] += 1
        return clean_text
    if isinstance(value, list):
        return [_without_control(part, fixes) for part in value]
    if isinstance(value, dict):
        return {key: _without_control(part, fixes) for key, part in value.items()}
    return value


def _case(item: Item, name: str, findings: list[Finding]) -> bytes:
    raw = item.raw or orjson.dumps(item.record, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    case = {
        "source": name, "line": item.line, "codes": sorted({finding.code for finding in findings}),
        "reasons": [f"{finding.code} [{finding.field}] {finding.message}" for finding in findings], "row": raw,
    }  # fmt: skip
    return orjson.dumps(case, option=orjson.OPT_APPEND_NEWLINE)
