"""GitLab code quality: a list of issues with stable fingerprints."""

from hashlib import blake2b

import orjson

from validators.dataset import Tally

_SEVERITY = {"error": "major", "warning": "minor", "info": "info"}


def render(tally: Tally) -> str:
    """A code-quality report."""
    issues = []
    seen: dict[str, int] = {}
    for finding in tally.findings:
        content = f"{finding.code}\x1f{finding.row}\x1f{finding.field}\x1f{finding.message}\x1f{finding.evidence}"
        seen[content] = seen.get(content, -1) + 1
        mark = blake2b(f"{content}\x1f{seen[content]}".encode("utf-8", "replace"), digest_size=16).hexdigest()
        issues.append({
            "description": f"{finding.code}: {finding.message}", "check_name": finding.code, "fingerprint": mark,
            "severity": _SEVERITY[finding.severity], "location": {"path": finding.row, "lines": {"begin": max(finding.line, 1)}},
        })  # fmt: skip
    return orjson.dumps(issues, option=orjson.OPT_INDENT_2).decode() + "\n"
