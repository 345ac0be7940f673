"""What `validate` shows."""

import sys
from pathlib import Path
from typing import Any

import orjson

from tapewright import files as row_files
from tapewright.findings import Finding
from validators.dataset import Tally, check_rows
from validators.rules import rule


def run_validate(
    files: tuple[Path, ...], tape: str | None, no_facts: bool, report_format: str, limit: int, exit_zero: bool
) -> int:
    """Check the files and print a report; returns the exit code."""
    loaded = None
    if tape:
        from market.tape import load

        loaded = load(tape)
    total = Tally()
    for path in files:
        tally = check_rows(row_files.read_records(path), name=str(path), tape=loaded, use_facts=not no_facts)
        total.rows += tally.rows
        total.checked += tally.checked
        total.numbers += tally.numbers
        total.pairs += tally.pairs
        total.tape_facts += tally.tape_facts
        total.findings += tally.findings
    if report_format == "json":
        sys.stdout.write(orjson.dumps(_as_json(total), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _print_text(total, limit)
    return 1 if total.findings and not exit_zero else 0


def _print_text(total: Tally, limit: int) -> None:
    for finding in total.findings[: limit or None]:
        evidence = f" — {finding.evidence}" if finding.evidence else ""
        sys.stdout.write(f"{finding}{evidence}\n")
    if limit and len(total.findings) > limit:
        sys.stdout.write(f"… and {len(total.findings) - limit} more; --limit 0 shows all\n")
    for code, count in sorted(total.counts().items()):
        sys.stdout.write(f"{code} {rule(code).name}: {count}\n")
    share = total.checked / total.rows if total.rows else 0
    tape = f", {total.tape_facts:,} tape facts derived again" if total.tape_facts else ""
    pairs = f", {total.pairs:,} pairs" if total.pairs else ""
    sys.stderr.write(
        f"{total.rows:,} rows{pairs}, {len(total.findings):,} findings; "
        f"{share:.0%} of rows hold numbers that could be checked{tape}\n"
    )


def _as_json(total: Tally) -> dict[str, Any]:
    return {
        "rows": total.rows, "pairs": total.pairs, "checked": total.checked, "tape_facts": total.tape_facts,
        "counts": dict(total.counts()), "findings": [_plain(finding) for finding in total.findings],
    }  # fmt: skip


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        name: getattr(finding, name) for name in ("code", "severity", "row", "line", "field", "message", "evidence")
    }


def explain_codes(codes: list[str]) -> None:
    """What rules mean, with their examples."""
    from validators.check import load_rules

    load_rules()
    for code in codes:
        entry = rule(code)
        bad = f"\n  bad:  {entry.bad[2]}\n  good: {entry.good[2]}" if entry.bad[2] else ""
        sys.stdout.write(f"{entry.code} {entry.name} ({entry.severity})\n  {entry.summary}\n  Why: {entry.why}{bad}\n")
