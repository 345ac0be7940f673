"""Reports in the forms people and machines read: `--report FORM[=FILE]`, several at once.

Each form is one module with `render(tally) -> str`. A form without a file goes to stdout.
"""

import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tapewright import files
from tapewright.errors import ConfigError, suggest
from validators.dataset import Tally

FORMS = ("rich", "text", "json", "jsonl", "github", "gitlab", "junit", "sarif", "markdown")


def parse_reports(wanted: Iterable[str]) -> list[tuple[str, Path | None]]:
    """`sarif=out.sarif` → ("sarif", Path). Nothing wanted: tables for a person, lines for a pipe.

    On GitHub Actions, annotations (unless something else takes stdout) and the step summary come by themselves. Raises ConfigError for an
    unknown form and when two forms want stdout.
    """
    reports: list[tuple[str, Path | None]] = []
    for text in wanted:
        form, _, target = text.partition("=")
        if form not in FORMS:
            raise ConfigError(f"no report form {form!r}.{suggest(form, list(FORMS))} Known: {', '.join(FORMS)}")
        reports.append((form, Path(target) if target else None))
    free = all(target is not None for _, target in reports)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        if free:
            reports.append(("github", None))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            reports.append(("markdown", Path(summary)))
    elif not reports:
        reports.append(("rich" if sys.stdout.isatty() else "text", None))
    if sum(target is None for _, target in reports) > 1:
        raise ConfigError("two reports want stdout; give all but one a file, e.g. --report sarif=out.sarif")
    return reports


def write_reports(tally: Tally, reports: list[tuple[str, Path | None]]) -> None:
    """Render and write every report; the step summary of GitHub is appended to, files are replaced whole."""
    for form, target in reports:
        text = importlib.import_module(f"validators.reporters.{form}").render(tally)
        if target is None:
            sys.stdout.write(text)
        elif str(target) == os.environ.get("GITHUB_STEP_SUMMARY"):
            with target.open("a", encoding="utf-8") as stream:
                stream.write(text)
        else:
            with files.whole(target) as out:
                out.write(text.encode("utf-8", "replace"))
