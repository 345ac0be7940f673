"""What `validate` does once its options are parsed."""

import os
import sys
from pathlib import Path
from typing import Any

from tapewright.errors import ConfigError
from tapewright.inputs import expand
from tapewright.shapes import SHAPES
from tapewright.tokens import token_counter
from validators.dataset import KEPT, Options, Tally, check_files, load_rules
from validators.reporters import parse_reports, write_reports
from validators.reporters.progress import watching
from validators.rules import RULES, rule
from validators.settings import Sieve, load_settings, read_baseline, tolerate, write_baseline


def run_validate(
    files: tuple[str, ...], *, shape: str, tape: str | None, no_facts: bool, report: tuple[str, ...], select: str, ignore: str,
    severity: str | None, fail_on: str | None, baseline: Path | None, update_baseline: bool, duplicates: bool, leakage: bool | None,
    max_tokens: int, tokenizer: str, workers: int, exit_zero: bool,
) -> int:  # fmt: skip
    """Check the files, write the reports; returns the exit code (0 clean, 1 findings)."""
    from validators.leakage.rules import named_sides, report_leaks

    load_rules()
    settings = load_settings(
        Path.cwd(),
        select=_codes(select),
        ignore=_codes(ignore),
        severity=severity,
        fail_on=fail_on,
        duplicates=duplicates,
        leakage=leakage,
    )
    reports = parse_reports(report)
    if shape and shape not in SHAPES:
        raise ConfigError(f"no shape {shape!r}; known: {', '.join(SHAPES)}")
    if max_tokens < 0:
        raise ConfigError(f"max tokens is {max_tokens}; it cannot be negative")
    if tokenizer and not max_tokens:
        raise ConfigError("--tokenizer counts for --max-tokens; give both")
    if tokenizer:
        token_counter(tokenizer)  # complains now rather than in a worker
    if update_baseline and baseline is None:
        raise ConfigError("--update-baseline needs --baseline FILE")
    sieve = Sieve(read_baseline(baseline) if baseline and not update_baseline else None, update_baseline)
    options = Options(
        shape=shape,
        use_facts=not no_facts,
        wants=settings.wants,
        families=settings.families(),
        max_tokens=max_tokens,
        tokenizer=tokenizer,
    )
    total = Tally()
    names = expand(files)
    workers = _count_workers(workers, names)
    with watching(names) as watch:
        for name, tally in check_files(names, options, tape=tape or "", workers=workers, watch=watch, known=sieve):
            _say(f"{name}: {tally.rows:,} rows, shape {tally.shapes.get(name, 'unknown')}")
            total.add(tally)
    codes = settings.leaks()
    sides = named_sides(names, total.splits, shape, asked=settings.asks_for_leaks()) if codes else []
    if sides:
        _say("splits compared: " + report_leaks(sides, codes, total, settings.wants, sieve))
    if update_baseline and baseline is not None:
        write_baseline(baseline, sieve.seen)
        _say(f"{sieve.seen.total():,} findings written to {baseline}")
        return 0
    tolerated = tolerate(total, settings)
    write_reports(total, reports)
    _say(_last_line(total, tolerated, sieve.known))
    return 1 if settings.fails(total) and not exit_zero else 0


def run_clean(files: tuple[str, ...], output: Path, quarantine: Path | None, shape: str) -> None:
    """Clean and say what became of every row."""
    from validators.clean import clean, quarantine_path

    load_rules()
    done = clean(files, output, quarantine, shape)
    for code, count in sorted(done.fixes.items()):
        _say(f"fixed {code} {rule(code).name}: {count:,}")
    for code, count in sorted(done.reasons.items()):
        _say(f"put aside for {code} {rule(code).name}: {count:,}")
    _say(f"{done.rows:,} rows in = {done.kept:,} kept + {done.quarantined:,} quarantined")
    _say(f"kept in {output}, quarantined in {quarantine or quarantine_path(output)}")


SMALL = 8 * 2**20  # bytes below which starting processes takes longer than the check


def _count_workers(asked: int, names: list[str]) -> int:
    if asked < 0:
        raise ConfigError(f"workers is {asked}; use 0 for one per core")
    if asked:
        return asked
    large = any(name == "-" for name in names) or sum(Path(name).stat().st_size for name in names) > SMALL
    return os.cpu_count() or 1 if large else 1


def _codes(text: str) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in text.split(",") if part.strip())


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _last_line(total: Tally, tolerated: int, known: int) -> str:
    share = total.checked / total.rows if total.rows else 0
    parts = [f"{total.rows:,} rows"]
    if total.pairs:
        parts.append(f"{total.pairs:,} pairs")
    parts.append(f"{total.total:,} findings")
    if total.total > len(total.findings):
        parts[-1] += f" (the first {KEPT:,} of each rule and file are listed)"
    if tolerated:
        parts.append(f"{tolerated:,} within the limits set")
    if known:
        parts.append(f"{known:,} known from the baseline")
    line = ", ".join(parts) + f"; numbers could be checked in {share:.0%} of rows"
    return line + (f"; {total.tape_facts:,} tape facts derived again" if total.tape_facts else "")


def explain_codes(codes: list[str]) -> None:
    """What rules mean, with their examples; `all` lists every rule on a line."""
    load_rules()
    if codes == ["all"]:
        for code, entry in sorted(RULES.items()):
            sys.stdout.write(f"{code} {entry.name} ({entry.severity}): {entry.summary}\n")
        return
    for code in codes:
        entry = rule(code.upper())
        sys.stdout.write(f"{entry.code} {entry.name} ({entry.severity})\n  {entry.summary}\n  Why: {entry.why}\n")
        if entry.bad:
            sys.stdout.write(f"  bad:  {_example(entry.bad)}\n  good: {_example(entry.good)}\n")


def _example(example: Any) -> str:
    text = example if isinstance(example, str) else " | ".join(part for part in example if part)
    lines = text.splitlines()
    return " ⏎ ".join(lines[:3]) + (f" … ({len(lines)} lines)" if len(lines) > 3 else "")
