"""A table of rules for a person at a terminal, with the first examples of each."""

import io
import shutil
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from validators.dataset import Tally
from validators.rules import rule

EXAMPLES = 2


def render(tally: Tally) -> str:
    """A table: code, name, count, examples with their places."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=sys.stdout.isatty(), width=shutil.get_terminal_size((100, 24)).columns)
    if not tally.findings:
        console.print("[green]No findings.[/green]")
        return out.getvalue()
    table = Table(show_lines=True)
    for column in ("rule", "count", "examples"):
        table.add_column(column, overflow="fold", justify="right" if column == "count" else "left")
    colours = {"error": "red", "warning": "yellow", "info": "blue"}
    for code, count in tally.counts().most_common():
        entry = rule(code)
        shown = [f for f in tally.findings if f.code == code][:EXAMPLES]
        lines = [
            f"{escape(f.row)}:{f.line} {escape(f.message)}"
            + (f"\n  [dim]{escape(f.evidence)}[/dim]" if f.evidence else "")
            for f in shown
        ]
        table.add_row(f"[{colours[entry.severity]}]{code}[/] {entry.name}", f"{count:,}", "\n".join(lines))
    console.print(table)
    return out.getvalue()
