"""What `pine check` and `pine format` do once their options are parsed."""

import sys
from pathlib import Path

from tapewright import files
from tapewright.errors import ConfigError, FileError
from tapewright.findings import SEVERITIES, Finding
from validators.dataset import Tally
from validators.pinescript.check import check_script
from validators.pinescript.parser import parse
from validators.pinescript.printer import show
from validators.pinescript.problems import Problems
from validators.reporters import parse_reports, write_reports

ENDING = ".pine"


def _scripts(names: tuple[str, ...]) -> list[str]:
    """File names for files and folders of scripts, and `-` for standard input."""
    found: list[str] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(str(script) for script in path.rglob(f"*{ENDING}"))
            if not inside:
                raise FileError(f"{name}: no {ENDING} file in this folder")
            found += inside
        elif name == "-" or path.is_file():
            found.append(name)
        else:
            raise FileError(f"no file {name}")
    return list(dict.fromkeys(found))


def _source(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise FileError(f"{name}: {error.strerror or error}") from error
    return raw.decode("utf-8", "replace")


def run_check(names: tuple[str, ...], report: tuple[str, ...], ignore: str, fail_on: str, exit_zero: bool) -> int:
    """Check scripts and write the reports; returns the exit code (0 clean, 1 problems)."""
    reports = parse_reports(report)
    left_out = tuple(code.strip().upper() for code in ignore.split(",") if code.strip())
    tally = Tally()
    for name in _scripts(names):
        tally.rows += 1
        source = _source(name)
        lines = source.split("\n")
        for problem in check_script(source):
            if left_out and problem.code.startswith(left_out):
                continue
            evidence = lines[problem.line - 1].strip() if problem.line <= len(lines) else ""
            tally.take(
                Finding(
                    problem.code, f"{problem.message} (column {problem.column})", problem.severity, name, problem.line, "code", evidence[:120]
                )
            )  # fmt: skip
    write_reports(tally, reports)
    sys.stderr.write(f"{tally.rows:,} scripts, {tally.total:,} problems\n")
    worst = SEVERITIES.index(fail_on)
    failed = any(SEVERITIES.index(finding.severity) <= worst for finding in tally.findings)
    return 1 if failed and not exit_zero else 0


def run_format(names: tuple[str, ...], write: bool) -> int:
    """Print scripts anew, or write them in place; a script with syntax errors is left as it is (exit code 1)."""
    scripts = _scripts(names)
    if write and "-" in scripts:
        raise ConfigError("standard input cannot be written in place; leave out --write")
    status = 0
    for name in scripts:
        source, problems = _source(name), Problems()
        tree = parse(source, problems)
        if problems:
            first = problems[0]
            sys.stderr.write(f"{name}:{first.line}:{first.column} {first.code} {first.message}; left as it is\n")
            status = 1
            continue
        text = show(tree, source)
        if not write:
            sys.stdout.write(text)
        elif text != source:
            with files.whole(Path(name)) as out:
                out.write(text.encode())
            sys.stderr.write(f"{name}: formatted\n")
    return status
