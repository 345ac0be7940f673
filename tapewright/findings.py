"""What a check says: findings with a stable code, and the report they make up."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SEVERITIES = ("error", "warning", "info")


@dataclass(slots=True)
class Finding:
    """One disagreement. `evidence` is the text it rests on; `row` is an id or a file, `content` a hash of the row's texts."""

    code: str
    message: str
    severity: str = "error"
    row: str = ""
    line: int = 0
    field: str = ""
    evidence: str = ""
    content: str = ""

    def __str__(self) -> str:
        where = f"{self.row}:{self.line}" if self.line else self.row
        return f"{where} {self.code} [{self.field}] {self.message}".strip()


@dataclass(slots=True)
class Report:
    """Findings over some rows, with how many rows and numbers were looked at.

    `checked` counts rows with at least one number that could be checked: silence about the rest is
    not proof.
    """

    rows: int = 0
    checked: int = 0
    numbers: int = 0
    findings: list[Finding] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def counts(self) -> Counter[str]:
        """Findings per code."""
        return Counter(finding.code for finding in self.findings)
