"""What `dedup` does once its options are parsed."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tapewright.errors import ConfigError
from validators.duplicates.choose import CONFLICT, EXACT, ID, KINDS, TWIN
from validators.duplicates.dedup import Result, Terms, dedup, removed_path
from validators.duplicates.sources import Silent, Watch

SMALL = 8 * 2**20  # bytes below which starting processes takes longer than the work
_LEFT = {
    CONFLICT: "answer a question otherwise than an earlier row",
    ID: "carry the id of an earlier row",
    TWIN: "differ from an earlier row in numbers and names only",
}


def run_dedup(
    files: tuple[str, ...], *, near: float, fields: str, against: tuple[str, ...], remove: str, keep: str,
    max_removed: float, shape: str, output: Path | None, report: Path | None, dry_run: bool, force: bool, workers: int,
) -> int:  # fmt: skip
    """Remove duplicates and say what became of every row; returns the exit code (1 where too much would go)."""
    if output is None and not dry_run:
        raise ConfigError("name a file for the rows that stay with --output, or look first with --dry-run")
    kinds = tuple(_parts(remove))
    terms = Terms(
        near=near, fields=tuple(_parts(fields)), remove=tuple(dict.fromkeys((EXACT, *kinds))), keep=keep,
        most=max_removed, force=force, shape=shape, workers=_count_workers(workers, (*files, *against)),
    )  # fmt: skip
    target = None if dry_run else output
    with _watching() as watch:
        result = dedup(list(files), terms, output=target, references=list(against), report=report, watch=watch)
    _tell(result, terms)
    if report is not None:
        _say(f"pairs in {report}")
    if result.refused:
        _say(f"warning: {result.refused}")
        return 1
    if target is not None:
        _say(f"kept in {target}, removed in {removed_path(target)}")
    return 0


def _tell(result: Result, terms: Terms) -> None:
    for source in result.sources:
        went = ", ".join(f"{source.removed[kind]:,} {kind}" for kind in KINDS if source.removed[kind])
        unread = f", {source.unreadable:,} unreadable" if source.unreadable else ""
        _say(
            f"{source.name}: {source.rows:,} rows, {source.kept:,} kept"
            + (f", removed: {went}" if went else "")
            + unread
        )
    stay = result.kept
    for kind, words in _LEFT.items():
        if result.left[kind]:
            also = "" if kind in terms.remove else f"; --remove {kind} takes them out"
            _say(f"of the rows kept {result.left[kind]:,} ({result.left[kind] / stay:.2%}) {words}{also}")
    if result.common:
        _say(f"{result.common:,} word triples are common wording and did not count as a row's own")
    removed = sum(source.removed.total() for source in result.sources)
    unreadable = sum(source.unreadable for source in result.sources)
    _say(f"{result.rows:,} rows in = {stay:,} kept + {removed:,} removed + {unreadable:,} unreadable")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _count_workers(asked: int, names: Iterable[str]) -> int:
    if asked < 0:
        raise ConfigError(f"workers is {asked}; use 0 for one per core")
    if asked:
        return asked
    size = sum(Path(name).stat().st_size if Path(name).is_file() else SMALL + 1 for name in names)
    return os.cpu_count() or 1 if size > SMALL else 1


@contextlib.contextmanager
def _watching() -> Iterator[Watch]:
    """A bar for each step, on a terminal only."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description:<12}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)


class _Bars:
    """One bar, renamed at each step."""

    def __init__(self, progress) -> None:
        self.progress, self.bar = progress, progress.add_task("", total=None)

    def step(self, text: str, names: Iterable[str] = ()) -> Callable[[int], None] | None:
        """The bar of this step, from nothing."""
        total = sum(Path(name).stat().st_size for name in names) or None
        self.progress.reset(self.bar, description=text, total=total)
        return lambda count: self.progress.advance(self.bar, count)
