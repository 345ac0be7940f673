"""Splitting files of rows: read, assign, check for leaks, set aside what leaks, check again, write.

Rows in = rows of all splits + rows set aside, always. Records are written as they were read: JSON lines byte
for byte, whatever their shape. Every file appears whole or not at all; the rows set aside lie beside the
output in the hidden folder, each with its reason.
"""

import contextlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from tapewright import files
from tapewright.errors import ConfigError
from tapewright.inputs import Item, expand, read_blocks
from validators.splitting.deal import deal_groups
from validators.splitting.folds import TEST, TRAIN, assign_folds, pairs_of_folds
from validators.splitting.index import Index, read_index
from validators.splitting.plan import Plan
from validators.splitting.stretches import NOWHERE, assign_stretches, keep_groups_whole

WINDOW, DIVIDED = "window crosses a cut", "group in two splits"
MOST_ROUNDS = 20

# Which of these rows leak from one side to the other: (number → reason to set it aside, what was counted).
Check = Callable[[list[str], Plan, np.ndarray, tuple[str, ...]], tuple[dict[int, str], Counter[str]]]


@dataclass(slots=True)
class Part:
    """One file written: its name, rows, and rows per stratum."""

    name: str
    path: Path
    rows: int
    strata: Counter[str]


@dataclass(slots=True)
class Result:
    """What a split did. Per fold or for the one split: `rows == sum(part.rows) + aside.total()`."""

    name: str
    rows: int
    parts: list[Part]
    aside: Counter[str]
    counted: Counter[str] = field(default_factory=Counter)
    miss: float = 0.0
    worst: str = ""


def split(names: Iterable[str], output: Path | None, plan: Plan, check: Check | None) -> tuple[list[Result], Path]:
    """Split the rows of `names`; returns a result per fold (one without folds) and where rows set aside are listed.

    `check` finds leaks between the parts; None leaves them unlooked for. Raises ConfigError for files in the
    way and for plans that cannot be met, FileError for what cannot be read or written.
    """
    with _readable(expand(names)) as inputs:
        output = output or _beside(inputs[0])
        suffix = files.suffix_of(output)
        index = read_index(inputs, plan)
        if not len(index):
            raise ConfigError("there is no row to split")
        results: list[Result] = []
        asides: list[tuple[str, dict[int, str]]] = []
        aside_path = output.parent / files.HIDDEN / f"{output.name}.aside.jsonl"
        files.hidden_folder(output)
        with files.locked(output):
            for fold, names_of_parts, assigned, reasons in _assignments(index, plan):
                counted = _settle(inputs, plan, names_of_parts, assigned, reasons, check)
                _refuse_empty(names_of_parts, assigned, reasons)
                parts = []
                for number, part in enumerate(names_of_parts):
                    path = _path(output, suffix, f"{fold}-{part}" if fold else part)
                    if any(name != "-" and Path(name).resolve() == path.resolve() for name in inputs):
                        raise ConfigError(f"{path} is also an input; choose another --output, so that nothing is lost")
                    here = assigned == number
                    files.write_from_lines(path, _lines(inputs, here))
                    strata = Counter({index.strata[n]: int(c) for n, c in enumerate(np.bincount(index.stratum[here], minlength=len(index.strata))) if c})  # fmt: skip
                    parts.append(Part(part, path, int(here.sum()), strata))
                asides.append((fold, reasons))
                result = Result(fold, len(index), parts, Counter(reasons.values()), counted)
                _measure(result)
                results.append(result)
            _write_asides(aside_path, inputs, asides)
    return results, aside_path


def _assignments(index: Index, plan: Plan) -> Iterator[tuple[str, tuple[str, ...], np.ndarray, dict[int, str]]]:
    """(fold, names of its parts, split number per row or NOWHERE, reason per row set aside)."""
    readable = np.ones(len(index), dtype=bool)
    readable[list(index.refused)] = False
    if plan.folds:
        rows = np.flatnonzero(readable)
        fold = assign_folds(index, plan, rows)
        for name, assigned, purged in pairs_of_folds(index, plan, fold):
            reasons = {**index.refused, **dict.fromkeys(purged.tolist(), WINDOW)}
            testing = np.unique(index.group[assigned == TEST])
            divided = np.flatnonzero((assigned == TRAIN) & np.isin(index.group, testing))
            _put_aside(assigned, reasons, divided, DIVIDED)
            yield name, ("train", "test"), assigned, reasons
        return
    index.dated &= readable
    assigned = assign_stretches(index, plan)
    reasons = dict(index.refused)
    _put_aside(assigned, reasons, np.flatnonzero(index.dated & (assigned == NOWHERE)), WINDOW)
    others = np.flatnonzero(readable & ~index.dated)
    if len(others):
        drawn = plan.seed if plan.by == "random" else None
        assigned[others] = deal_groups(index, others, plan.shares, drawn=drawn)
    _put_aside(assigned, reasons, keep_groups_whole(assigned, index.group), DIVIDED)
    yield "", tuple(name for name, _ in plan.shares), assigned, reasons


def _put_aside(assigned: np.ndarray, reasons: dict[int, str], rows: np.ndarray, reason: str) -> None:
    assigned[rows] = NOWHERE
    reasons |= dict.fromkeys(rows.tolist(), reason)


def _settle(
    inputs: list[str], plan: Plan, names: tuple[str, ...], assigned: np.ndarray, reasons: dict[int, str], check: Check | None,
) -> Counter[str]:  # fmt: skip
    """Set aside what leaks until nothing does. Returns what the last check counted, which is what the files hold."""
    if check is None or len(names) < 2:
        return Counter()
    for _ in range(MOST_ROUNDS):
        leaking, counted = check(inputs, plan, assigned, names)
        if not leaking:
            return counted
        for number, reason in leaking.items():
            assigned[number] = NOWHERE
            reasons[number] = reason
    raise ConfigError(f"rows still leak after {MOST_ROUNDS} rounds of setting them aside; run `dedup` first")


def _refuse_empty(names: tuple[str, ...], assigned: np.ndarray, reasons: dict[int, str]) -> None:
    for number, name in enumerate(names):
        if not (assigned == number).any():
            why = ", ".join(f"{count:,} for {reason}" for reason, count in sorted(Counter(reasons.values()).items()))
            aside = f"{len(reasons):,} are set aside ({why})" if reasons else "too few groups"
            raise ConfigError(
                f"{name} would stay empty: {len(assigned):,} rows, {aside}; ask for fewer or larger parts"
            )


def _measure(result: Result) -> None:
    """How far the strata of each part lie from those of all parts together, 0 to 1, and the worst of them in words."""
    whole: Counter[str] = Counter()
    for part in result.parts:
        whole.update(part.strata)
    total = whole.total()
    worst = 0.0
    for part in result.parts:
        if not part.rows:
            continue
        shift = {name: part.strata[name] / part.rows - count / total for name, count in whole.items()}
        result.miss = max(result.miss, sum(map(abs, shift.values())) / 2)
        name = max(shift, key=lambda key: (abs(shift[key]), key))
        if abs(shift[name]) > worst:
            worst = abs(shift[name])
            result.worst = f"{name or '(none)'} is {part.strata[name] / part.rows:.1%} of {part.name}, {whole[name] / total:.1%} of all"


def _lines(names: list[str], wanted: np.ndarray) -> Iterator[bytes]:
    number = 0
    for name in names:
        for block in read_blocks(name):
            for part in block.parts:
                if wanted[number]:
                    yield _line(part)
                number += 1


def _line(part: Item | tuple[int, bytes]) -> bytes:
    """A record as one line: as it was where it is JSON on a line, otherwise written anew."""
    if isinstance(part, tuple):
        text = part[1]
        if b"\n" in text or b"\r" in text:
            return orjson.dumps(orjson.loads(text), option=orjson.OPT_APPEND_NEWLINE)
        return text + b"\n"
    return orjson.dumps(part.record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)


def _write_asides(path: Path, inputs: list[str], asides: list[tuple[str, dict[int, str]]]) -> None:
    with files.whole(path) as target:
        for fold, reasons in asides:
            number = 0
            for name in inputs:
                for block in read_blocks(name):
                    for part in block.parts:
                        if number in reasons:
                            line = part[0] if isinstance(part, tuple) else part.line
                            if isinstance(part, tuple):
                                raw = part[1].decode("utf-8", "replace")
                            else:
                                raw = part.raw or _line(part).decode().rstrip("\n")
                            case = {"source": name, "line": line, "reason": reasons[number], "row": raw}
                            target.write(orjson.dumps({"fold": fold} | case if fold else case, option=orjson.OPT_APPEND_NEWLINE))  # fmt: skip
                        number += 1


def _path(output: Path, suffix: str, name: str) -> Path:
    return output.with_name(f"{output.name.removesuffix(suffix)}-{name}{suffix}")


def _beside(name: str) -> Path:
    """`data.csv.gz` → `data.jsonl` in the same folder; packing and Parquet are kept where we write them."""
    path = Path(name)
    for suffix in sorted(files.SUFFIXES, key=len, reverse=True):
        if path.name.endswith(suffix):
            return path
    return path.with_name(path.name.split(".")[0] + ".jsonl")


@contextlib.contextmanager
def _readable(names: list[str]) -> Iterator[list[str]]:
    """File names that can be read more than once: stdin is kept in a temporary file meanwhile."""
    if "-" not in names:
        yield names
        return
    stream = sys.stdin.buffer
    lead = stream.peek(4)[:4] if hasattr(stream, "peek") else b""  # type: ignore[attr-defined]
    packed = ".gz" if lead[:2] == b"\x1f\x8b" else ".zst" if lead == b"\x28\xb5\x2f\xfd" else ""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / f"stdin.jsonl{packed}"
        with kept.open("wb") as target:
            shutil.copyfileobj(stream, target)
        yield [str(kept) if name == "-" else name for name in names]
