"""What `convert`, `mix` and `diff` do once their options are parsed."""

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import orjson

from converters.compare import as_report, compare
from converters.convert import Account, Options, convert, left_path, preview
from converters.formats import Format, format_named, formats
from converters.mix import mix
from converters.text import check_template
from tapewright.errors import ConfigError, FileError
from tapewright.inputs import expand

SMALL = 8 * 2**20  # bytes below which starting processes takes longer than the work


def run_convert(
    names: tuple[str, ...], *, to: str, output: Path | None, shape: str, template: Path | None, keep_metadata: bool, max_tokens: int,
    tokenizer: str, dry_run: bool, listing: bool, workers: int,
) -> int:  # fmt: skip
    """Convert, or show the first row, or list the formats; returns the exit code (1 where no row could be written)."""
    if listing:
        _list(formats())
        return 0
    if not names or not to:
        raise ConfigError("name the files to read and, with --to, a format; --list shows the formats")
    chosen = format_named(to)
    options = Options(to, shape, _read_template(template), keep_metadata, max_tokens, tokenizer)
    if dry_run:
        for record in preview(list(names), options):
            sys.stdout.write(orjson.dumps(record, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
        return 0
    if output is None:
        raise ConfigError("name a file with --output, or look first with --dry-run")
    with _watching(list(names)) as watch:
        account = convert(list(names), output, options, workers=_count_workers(workers, names), watch=watch)
    _tell(account, chosen, output)
    return 0 if account.written or not account.rows else 1


def run_mix(sources: tuple[str, ...], *, output: Path, size: int, seed: int) -> int:
    """Blend files by share and say what was taken of each."""
    shares = []
    for source in sources:
        name, sign, share = source.rpartition("=")
        try:
            shares.append((name, float(share)))
        except ValueError:
            raise ConfigError(f"{source!r} is not FILE=SHARE, e.g. general.jsonl=0.2") from None
        if not sign or not name:
            raise ConfigError(f"{source!r} is not FILE=SHARE, e.g. general.jsonl=0.2")
    taken, sha256 = mix(shares, output, size=size, seed=seed)
    for source in taken:
        _say(f"{source.name}: {source.taken:,} of {source.rows:,} rows ({source.share:.0%})")
    _say(f"{output}  sha256 {sha256}")
    return 0


def run_diff(old: str, new: str, *, as_json: bool, most: int) -> int:
    """Compare two versions; returns 0 where they hold the same rows, else 1."""
    found = compare(old, new)
    if as_json:
        sys.stdout.write(orjson.dumps(as_report(found)).decode() + "\n")
        return 0 if found.equal else 1
    for old_line, new_line, name in found.changed[:most]:
        sys.stdout.write(f"~ {old}:{old_line} -> {new}:{new_line} ({name})\n")
    for sign, file, lines in (("-", old, found.removed), ("+", new, found.added)):
        for line in lines[:most]:
            sys.stdout.write(f"{sign} {file}:{line}\n")
        if len(lines) > most:
            sys.stdout.write(f"{sign} … and {len(lines) - most:,} more\n")
    unread = f", {found.unreadable:,} unreadable" if found.unreadable else ""
    _say(f"{found.same:,} rows in both, {len(found.changed):,} changed, {len(found.added):,} added, {len(found.removed):,} removed{unread}")  # fmt: skip
    return 0 if found.equal else 1


def _read_template(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        template = path.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not readable as text ({error})") from error
    check_template(template)
    return template


def _tell(account: Account, chosen: Format, output: Path) -> None:
    for reason, count in account.left.most_common():
        _say(f"left out {count:,}: {reason} ({', '.join(account.places[reason])}{', …' if count > len(account.places[reason]) else ''})")  # fmt: skip
    for what, count in sorted(account.lost.items()):
        _say(f"{count:,} rows had {what}, which {chosen.name} does not hold")
    left = account.left.total()
    records = f" as {account.records:,} records" if account.records != account.written else ""
    _say(f"{account.rows:,} rows in = {account.written:,} written{records} + {left:,} left out")
    if account.records < chosen.fewest:
        _say(f"warning: {chosen.client} takes {chosen.fewest} rows or more")
    for name, sha256 in account.files.items():
        _say(f"{output.with_name(name)}  sha256 {sha256}")
    if left:
        _say(f"the rows left out, with their reasons, are in {left_path(output)}")


def _list(known: dict[str, Format]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("format", "trains on", "client", "version", "holds besides", title="Formats")
    for name, entry in sorted(known.items()):
        table.add_row(name, entry.kind, entry.client, entry.version, ", ".join(sorted(entry.holds)))
    Console().print(table)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _count_workers(asked: int, names: tuple[str, ...]) -> int:
    if asked < 0:
        raise ConfigError(f"workers is {asked}; use 0 for one per core")
    if asked:
        return asked
    size = sum(Path(name).stat().st_size for name in expand(names) if Path(name).is_file())
    return os.cpu_count() or 1 if size > SMALL else 1


@contextmanager
def _watching(names: list[str]):
    """A bar on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    total = sum(Path(name).stat().st_size for name in expand(names) if Path(name).is_file())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("converting", total=total or None)
        watch: Callable[[int], None] = lambda count: progress.advance(bar, count)  # noqa: E731
        yield watch
