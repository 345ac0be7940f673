"""SARIF 2.1.0, for code scanning: stable rule ids, relative paths, our own fingerprints."""

import re
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import orjson

from tapewright import __version__
from validators.dataset import Tally
from validators.rules import RULES

LIMIT = 5_000  # what GitHub keeps
_LEVEL = {"error": "error", "warning": "warning", "info": "note"}


def render(tally: Tally) -> str:
    """One run with the rules that fired and at most LIMIT results."""
    used = sorted({finding.code for finding in tally.findings})
    rules = [
        {
            "id": code, "name": re.sub(r"\W", "", RULES[code].name.title()),
            "shortDescription": {"text": RULES[code].summary}, "fullDescription": {"text": f"{RULES[code].summary} {RULES[code].why}"},
            "defaultConfiguration": {"level": _LEVEL[RULES[code].severity]},
        }
        for code in used
    ]  # fmt: skip
    results = []
    for finding in tally.findings[:LIMIT]:
        mark = blake2b(
            f"{finding.code}\x1f{finding.field}\x1f{finding.content or finding.evidence or finding.message}\x1f{finding.message}".encode(
                "utf-8", "replace"
            ),
            digest_size=16,
        )
        results.append({
            "ruleId": finding.code, "ruleIndex": used.index(finding.code), "level": _LEVEL[finding.severity],
            "message": {"text": finding.message + (f" — {finding.evidence}" if finding.evidence else "")},
            "partialFingerprints": {"rowContent/v1": mark.hexdigest()},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": _relative(finding.row)}, "region": {"startLine": max(finding.line, 1)},
            }}],
        })  # fmt: skip
    run = {
        "tool": {"driver": {"name": "tapewright", "version": __version__, "rules": rules}},
        "results": results, "columnKind": "utf16CodeUnits",
    }  # fmt: skip
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def _relative(name: str) -> str:
    """The path from the current folder as a URI; a whole file: URI for what lies outside of it."""
    place = Path(name).resolve()
    return quote(place.relative_to(Path.cwd()).as_posix()) if place.is_relative_to(Path.cwd()) else place.as_uri()
