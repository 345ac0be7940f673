"""JUnit XML: one test case per rule and file, failed with the places it was broken at."""

import re
from collections import defaultdict
from xml.sax.saxutils import escape, quoteattr

from tapewright.findings import Finding
from validators.dataset import Tally
from validators.rules import rule

PLACES = 50
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(tally: Tally) -> str:
    """A test suite; a clean run has one passing case."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in tally.findings:
        groups[finding.code, finding.row].append(finding)
    cases = []
    for (code, row), found in sorted(groups.items()):
        places = "\n".join(f"line {f.line}: {f.message}" for f in found[:PLACES])
        more = f"\n… and {count - PLACES:,} more" if (count := tally.found[code, row]) > PLACES else ""
        name, kind = quoteattr(f"{code} {rule(code).name}"), quoteattr(found[0].severity)
        cases.append(
            f"  <testcase classname={quoteattr(_legal(row) or 'rows')} name={name}>\n"
            f"    <failure message={quoteattr(f'{tally.found[code, row]:,} findings')} type={kind}>{escape(_legal(places + more))}</failure>\n"
            "  </testcase>\n"
        )
    body = "".join(cases) or '  <testcase classname="rows" name="no findings"/>\n'
    count = max(len(cases), 1)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="tapewright validate" tests="{count}" failures="{len(cases)}">\n'
        f"{body}</testsuite>\n"
    )


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
