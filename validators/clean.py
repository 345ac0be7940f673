"""Cleaning a dataset: safe fixes applied and counted, what stays wrong put aside with its reason.

Rows in = rows kept + rows quarantined, always. A fix is safe when no meaning can change: an empty-input
marker becomes empty, control characters go, a doubled key keeps the value every parser keeps. Rows with
an error left go to the quarantine file with source, line, code and reason; warnings stay. Cleaning what
has been cleaned changes nothing.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tapewright import files
from tapewright.errors import ConfigError, RowError
from tapewright.findings import Finding
from tapewright.inputs import DUPLICATE, Item, expand, read_items
from tapewright.shapes import from_record, recognise
from validators.dataset import Options, Tally, check_row
from validators.schema import DOUBLE_KEY, problem, refused
from validators.text import CONTROL, INPUT_MARKER, is_marker, without_control


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
    files.hidden_folder(output)
    done = Cleaned()
    with files.locked(output), contextlib.ExitStack() as stack:
        refused_rows = stack.enter_context(files.whole(aside))
        files.write_from_lines(output, _kept_lines(inputs, shape, done, refused_rows.write))
    return done


def _kept_lines(inputs: list[str], shape: str, done: Cleaned, put_aside: Callable[[bytes], Any]) -> Iterable[bytes]:
    for name in inputs:
        file_shape = shape
        for item in read_items(name):
            done.rows += 1
            record, findings = _cleaned(item, file_shape, done)
            if record is not None and not file_shape:
                file_shape = recognise(record)
            if record is None:
                done.quarantined += 1
                done.reasons.update({finding.code for finding in findings})
                put_aside(files.encode_lines([_case(item, name, findings)]))
            else:
                done.kept += 1
                yield files.encode_lines([record])


def _cleaned(item: Item, shape: str, done: Cleaned) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The fixed record, or None with the errors that are left."""
    if item.problem and item.problem != DUPLICATE:
        return None, [problem(item)]
    record, fixes = fix(item.record)
    if item.problem == DUPLICATE:
        fixes[DOUBLE_KEY] += 1
    try:
        found = recognise(record)
        if shape and found != shape:
            raise RowError(f"missing the columns of {shape}: this row is {found}")
        row = from_record(record, found)
    except RowError as error:
        return None, [refused(str(error))]
    errors = [finding for finding in check_row(row, Tally(), Options()) if finding.severity == "error"]
    if errors:
        return None, errors
    done.fixes.update(fixes)
    return record, []


def fix(record: Any) -> tuple[Any, Counter[str]]:
    """The record with every safe fix applied, and how often each was."""
    fixes: Counter[str] = Counter()
    if not isinstance(record, dict):
        return record, fixes
    fixed = {key: _without_control(value, fixes) for key, value in record.items()}
    if "instruction" in fixed and isinstance(fixed.get("input"), str):
        if is_marker(fixed["input"]):
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


def _case(item: Item, name: str, findings: list[Finding]) -> dict[str, Any]:
    raw = item.raw or orjson.dumps(item.record, default=str).decode()
    return {
        "source": name, "line": item.line, "codes": sorted({finding.code for finding in findings}),
        "reasons": [f"{finding.code} [{finding.field}] {finding.message}" for finding in findings], "row": raw,
    }  # fmt: skip
