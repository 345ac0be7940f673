"""The tables a run ends with."""

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from generators.defects import DEFECTS
from generators.produce import Summary

_QUANTILES = {"min": 0, "p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "max": 1}


def _lengths(summary: Summary) -> dict[str, int]:
    """Quantiles of the answer lengths."""
    total = sum(summary.lengths.values())
    found: dict[str, int] = {}
    seen = 0
    for length in sorted(summary.lengths):
        seen += summary.lengths[length]
        for name, share in _QUANTILES.items():
            if name not in found and seen > share * (total - 1):
                found[name] = length
    return found


def show_summary(
    console: Console, summary: Summary, wording: dict[str, Any] | None, expectancy: list[dict[str, Any]] | None
) -> None:
    """Rows per task and label, no-trade share, lengths, redraws, files."""
    if summary.unchanged:
        console.print(f"Nothing to do: {', '.join(summary.files)} is finished and unchanged.")
    table = Table(title=f"{summary.rows:,} rows")
    for column in ("task", "rows", "labels"):
        table.add_column(column, justify="right" if column == "rows" else "left", overflow="fold")
    for task, count in sorted(summary.tasks.items()):
        labels = summary.labels.get(task, {})
        shown = ", ".join(f"{name} {n / count:.1%}" for name, n in sorted(labels.items(), key=_natural)[:14])
        table.add_row(task, f"{count:,}", shown)
    console.print(table)
    if summary.defects:
        defects = Table(title="Rejected answers by defect")
        for column in ("defect", "pairs", "share"):
            defects.add_column(column, justify="left" if column == "defect" else "right")
        total = sum(summary.defects.values())
        for name, count in sorted(summary.defects.items(), key=lambda item: -item[1]):
            defects.add_row(name, f"{count:,}", f"{count / total:.1%}")
        console.print(defects)
        manners = Counter()
        for name, count in summary.defects.items():
            manners[DEFECTS[name.partition(": ")[2]].manner] += count
        console.print("By manner: " + ", ".join(f"{name} {count / total:.1%}" for name, count in manners.most_common()))
    lengths = _lengths(summary)
    if lengths:
        console.print("Answer length in characters: " + ", ".join(f"{n} {v:,}" for n, v in lengths.items()))
    refused = ", ".join(f"{reason} {count:,}" for reason, count in sorted(summary.refused.items())) or "none"
    console.print(f"Redraws: {summary.collisions:,} for repeating an earlier row; refused by the checker: {refused}")
    if summary.resumed_rows:
        console.print(f"Resumed after {summary.resumed_rows:,} finished rows.")
    if wording:
        console.print(
            f"Wording: distinct-3 {wording['distinct_3']:.3f}, xz ratio {wording['xz_ratio']:.3f}, "
            f"commonest opening {wording['top_opening_share']:.2%} ({wording['top_opening']!r})"
        )
    if expectancy is not None:
        console.print(_expectancy_table(expectancy))
    for name, sha in summary.files.items():
        console.print(f"{name}  sha256 {sha}", soft_wrap=True)


def _natural(item: tuple[str, int]) -> tuple[int, str]:
    name = item[0]
    return (int(name), "") if name.isdigit() else (99, name)


def _expectancy_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Net expectancy per trade in R, beside a random direction with the same stop")
    for column in ("rule", "frame", "symbol", "trades", "net R", "95 % interval", "random R"):
        table.add_column(column, justify="left" if column in ("rule", "frame", "symbol") else "right")
    for row in rows:
        table.add_row(
            row["rule"], row["frame"], row["symbol"], f"{row['trades']:,}", f"{row['net_r']:+.3f}",
            f"{row['low']:+.3f} … {row['high']:+.3f}", f"{row['random_r']:+.3f}",
        )  # fmt: skip
    return table


def summary_as_json(
    summary: Summary, wording: dict[str, Any] | None, expectancy: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "rows": summary.rows, "unchanged": summary.unchanged, "tasks": dict(summary.tasks),
        "labels": {task: dict(labels) for task, labels in summary.labels.items()}, "defects": dict(summary.defects),
        "refused": dict(summary.refused), "collisions": summary.collisions, "resumed_rows": summary.resumed_rows,
        "lengths": _lengths(summary),
        "files": {str(Path(name)): sha for name, sha in summary.files.items()}, "wording": wording, "expectancy": expectancy,
    }  # fmt: skip
