"""What `leakage` does once its options are parsed."""

import importlib
import sys
from pathlib import Path
from typing import Any

from tapewright import files
from tapewright.errors import ConfigError
from tapewright.inputs import expand
from tapewright.shapes import SHAPES
from validators.dataset import load_rules
from validators.leakage.check import Found, Options, codes, find_leaks
from validators.leakage.public import is_benchmark, read_benchmark
from validators.leakage.report import EXAMPLES, KEPT, as_tally, cases_of, render, table_of
from validators.leakage.sides import Side, side_of_files
from validators.leakage.splits import pairs_of, sides_of_rows, splits_in
from validators.reporters import parse_reports
from validators.reporters.progress import watching
from validators.splitting.window import Spans


def run_leakage(
    names: tuple[str, ...], *, train: tuple[str, ...], test: tuple[str, ...], benchmark: tuple[str, ...], split_column: str,
    max_share: float, strict_families: bool, near: float, ngram_share: float, only: str, ignore: str,
    purge_s: int | None, embargo_s: int | None, block_s: int, time_column: str, group_column: str, shape: str,
    report: tuple[str, ...], exit_zero: bool,
) -> int:  # fmt: skip
    """Look for leaks, show them; returns the exit code (0 clean, 1 more than allowed)."""
    load_rules()
    if not 0 <= max_share <= 1:
        raise ConfigError(f"--max-share is {max_share:g}; it is a share between 0 and 1")
    if shape and shape not in SHAPES:
        raise ConfigError(f"no shape {shape!r}; known: {', '.join(SHAPES)}")
    reports = parse_reports(report) if report else []
    options = Options(near, ngram_share, block_s, _codes(only, ignore))
    columns: dict[str, Any] = {"spans": Spans(purge_s, embargo_s), "time_column": time_column, "group_column": group_column, "shape": shape}  # fmt: skip
    if names and (train or test):
        raise ConfigError("give FILES whose rows name their split, or --train and --test, not both")
    if not names and not (train and (test or benchmark)):
        raise ConfigError("give --train FILE and --test FILE or --benchmark, or FILES whose rows name their split")
    read = {name: expand([name]) for name in (*names, *train, *test)}
    if sum(name == "-" for files_of in read.values() for name in files_of):
        raise ConfigError("stdin can be read only once; give files")
    results: list[Found] = []
    with watching([name for files_of in read.values() for name in files_of]) as watch:
        columns["watch"] = watch
        tests = _benchmarks(benchmark, columns)
        if names:
            pairs = _pairs_by_column([file for name in names for file in read[name]], split_column, columns)
            pairs[0][1].extend(tests)
        else:
            one = side_of_files(", ".join(train), [file for name in train for file in read[name]], **columns)
            pairs = [(one, [*(side_of_files(name, read[name], **columns) for name in test), *tests])]
        for one, others in pairs:
            results += find_leaks(one, others, options)
    _refuse_empty(results)
    cases = cases_of(results, KEPT if reports else EXAMPLES)
    _show(results, cases, max_share, strict_families)
    for form, target in reports:
        _write(form, target, results, cases, max_share)
    failed = any(found.fails(max_share, strict_families) for found in results)
    return 1 if failed and not exit_zero else 0


def _codes(only: str, ignore: str) -> tuple[str, ...]:
    wanted, unwanted = (tuple(part.strip().upper() for part in text.split(",") if part.strip()) for text in (only, ignore))  # fmt: skip
    Options(codes=(*wanted, *unwanted))  # complains of unknown ones
    left = tuple(code for code in (wanted or codes()) if code not in unwanted)
    if not left:
        raise ConfigError("--only and --ignore leave no kind of leak to look for")
    return left


def _benchmarks(names: tuple[str, ...], columns: dict[str, Any]) -> list[Side]:
    columns = {**columns, "shape": ""}  # a benchmark has a shape of its own
    sides = []
    for name in names:
        if is_benchmark(name) or ("=" in name and not Path(name).exists()):
            title, items = read_benchmark(name)
            sides.append(Side(title, lambda items=items: iter(items)))
        else:
            sides.append(side_of_files(name, expand([name]), **columns))
    return sides


def _pairs_by_column(names: list[str], column: str, columns: dict[str, Any]) -> list[tuple[Side, list[Side]]]:
    """Every two splits the rows name, in the order train, val, test, others."""
    found = splits_in(names, column)
    if len(found) < 2:
        raise ConfigError(f"rows name {len(found)} splits in column {column!r} or their provenance; two are needed, or --train and --test")  # fmt: skip
    return pairs_of(sides_of_rows(names, found, column, **columns))


def _refuse_empty(results: list[Found]) -> None:
    for found in results:
        for side in (found.train, found.test):
            if side.rows == side.unreadable:
                raise ConfigError(f"{side.name}: no readable row, so nothing was compared")


def _show(results: list[Found], cases: list[Any], max_share: float, strict: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    out = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)
    table = Table(title="Rows that leaked from one side to the other", title_justify="left")
    table.add_column("kind")
    for found in results:
        head = (
            f"{escape(found.train.name)} → {escape(found.test.name)}\n{found.train.rows:,} → {found.test.rows:,} rows"
        )
        table.add_column(head, justify="right", overflow="fold")
    for kind, cells in table_of(results, max_share, strict):
        table.add_row(escape(kind), *(f"[red]{text}[/red]" if bad else text for text, bad in cells))
    out.print(table)
    shown: dict[str, int] = {}
    for case in cases:
        shown[case.leak.code] = shown.get(case.leak.code, 0) + 1
        if shown[case.leak.code] > EXAMPLES:
            continue
        test, train = (f"{entry.source}:{entry.line}" if entry else "" for entry in (case.test, case.train))
        out.print(escape(_printable(f"{case.leak.code} {test} ← {train}: {case.leak.message}")), soft_wrap=True)
        if case.marked:
            out.print(escape(_printable(f"     {case.marked}")), style="dim", soft_wrap=True)
    for side in {id(side): side for found in results for side in (found.train, found.test)}.values():
        if side.unreadable:
            out.print(escape(f"{side.name}: {side.unreadable:,} of {side.rows:,} rows could not be read"))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _write(form: str, target: Path | None, results: list[Found], cases: list[Any], max_share: float) -> None:
    if form in ("json", "jsonl"):
        text = render(form, results, cases, max_share)
    else:
        text = importlib.import_module(f"validators.reporters.{form}").render(as_tally(results, cases))
    if target is None:
        sys.stdout.write(text)
        return
    with files.whole(target) as out:
        out.write(text.encode("utf-8", "replace"))
