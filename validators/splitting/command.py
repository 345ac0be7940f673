"""What `split` does once its options are parsed."""

import sys
from pathlib import Path
from typing import Any

from tapewright.errors import ConfigError
from tapewright.shapes import SHAPES
from validators.splitting.plan import Plan, shares_of
from validators.splitting.split import Result, split
from validators.splitting.window import HORIZON_BARS, MEMORY_BARS


def run_split(
    files: tuple[str, ...], *, output: Path | None, train: float | None, val: float | None, test: float | None,
    stratify: str, check: bool, shape: str, **options: Any,
) -> None:  # fmt: skip
    """Split, write, and say what became of every row."""
    if shape and shape not in SHAPES:
        raise ConfigError(f"no shape {shape!r}; known: {', '.join(SHAPES)}")
    if files == ("-",) and output is None:
        raise ConfigError("rows from stdin need --output FILE")
    names = tuple(name.strip() for name in stratify.split(",") if name.strip())
    plan = Plan(shares=shares_of(train, val, test), stratify=names, shape=shape, **options)
    results, aside = split(files, output, plan, _leaks if check else None)
    for result in results:
        _tell(result, plan, check)
    if sum(result.aside.total() for result in results):
        _say(f"Rows set aside, with their reasons: {aside}")


def _leaks(*arguments: Any) -> Any:
    from validators.leakage.between import leaking_rows

    return leaking_rows(*arguments)


def _tell(result: Result, plan: Plan, checked: bool) -> None:
    fold = f"{result.name}: " if result.name else ""
    kept = sum(part.rows for part in result.parts)
    for part in result.parts:
        _say(f"{fold}{part.name}: {part.rows:,} rows, {part.rows / max(kept, 1):.1%}, {part.path}")
    sums = " + ".join(f"{part.rows:,} {part.name}" for part in result.parts)
    _say(f"{fold}{result.rows:,} rows in = {sums} + {result.aside.total():,} set aside")
    for reason, count in sorted(result.aside.items()):
        _say(f"{fold}set aside, {reason}: {count:,}")
    if plan.stratify and result.worst:
        _say(f"{fold}strata ({', '.join(plan.stratify)}) deviate by {result.miss:.1%} at most; {result.worst}")
    if any(reason.startswith("window") for reason in result.aside) and plan.purge_s is None:
        _say(f"{fold}purge: {HORIZON_BARS} candles of each row's frame; embargo: its longest look-back (at most {MEMORY_BARS} candles or 90 days of funding)")  # fmt: skip
    if checked and len(result.parts) > 1:
        *leaks, families = result.counted.items()
        counts = ", ".join(f"{name} {count:,}" for name, count in leaks)
        _say(f"{fold}leaks between the files as written: {sum(count for _, count in leaks):,} ({counts})")
        _say(f"{fold}{families[0]}: {families[1]:,} rows, a rate and no leak")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
