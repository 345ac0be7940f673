"""One line per finding, as ruff prints them: `file:line: CODE message`."""

from validators.dataset import Tally


def render(tally: Tally) -> str:
    """The findings in their order, one a line."""
    return "".join(f"{line}\n" for line in map(_line, tally.findings))


def _line(finding) -> str:
    where = f"{finding.row}:{finding.line}" if finding.line else finding.row
    evidence = f" — {finding.evidence}" if finding.evidence else ""
    return " ".join(f"{where}: {finding.code} [{finding.field}] {finding.message}{evidence}".split())
