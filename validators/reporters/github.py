"""GitHub Actions annotations, one per rule and file: a step shows ten errors and ten warnings, no more."""

from collections import Counter

from tapewright.findings import Finding
from validators.dataset import Tally
from validators.rules import rule

LIMIT = 10
_LEVEL = {"error": "error", "warning": "warning", "info": "notice"}


def render(tally: Tally) -> str:
    """Workflow commands, the commonest rules first, at most ten per level."""
    groups: dict[tuple[str, str], Finding] = {}
    for finding in tally.findings:
        key = (finding.code, finding.row)
        groups.setdefault(key, finding)
    shown: Counter[str] = Counter()
    lines = []
    for key, count in tally.found.most_common():
        if key not in groups:
            continue
        first = groups[key]
        level = _LEVEL[first.severity]
        shown[level] += 1
        if shown[level] > LIMIT:
            continue
        more = f" (and {count - 1:,} more in this file)" if count > 1 else ""
        title = f"{first.code} {rule(first.code).name}"
        place = f"file={_property(first.row)},line={max(first.line, 1)},title={_property(title)}"
        lines.append(f"::{level} {place}::{_data(first.message + more)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
