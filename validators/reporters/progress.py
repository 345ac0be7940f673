"""A bar of bytes read while files are checked: on a terminal only, silent otherwise."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def watching(names: list[str]) -> Iterator[Callable[[int], None] | None]:
    """A function to tell of bytes read, or None where nobody would see the bar."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    sizes = [Path(name).stat().st_size for name in names if name != "-"]
    columns = TextColumn("checking"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=sum(sizes) if len(sizes) == len(names) else None)
        yield lambda count: progress.advance(bar, count)
