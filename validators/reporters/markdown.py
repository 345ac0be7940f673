"""A Markdown summary: a table of rules with an example of each."""

import re

from validators.dataset import Tally
from validators.rules import rule

PLACE_CHARACTERS = 200


def render(tally: Tally) -> str:
    """What a pull request's summary shows."""
    head = f"### Tapewright: {tally.rows:,} rows, {tally.total:,} findings\n\n"
    if not tally.findings:
        return head + "No findings.\n"
    lines = ["| rule | severity | count | first place |", "|---|---|---:|---|"]
    for code, count in tally.counts().most_common():
        first = next(finding for finding in tally.findings if finding.code == code)
        place = " ".join(f"{first.row}:{first.line} {first.message}".split())
        place = re.sub(r"([\\`*_<>\[\]|&])", r"\\\1", place[:PLACE_CHARACTERS])
        lines.append(f"| {code} {rule(code).name} | {rule(code).severity} | {count:,} | {place} |")
    share = tally.checked / tally.rows if tally.rows else 0
    return head + "\n".join(lines) + f"\n\n{share:.0%} of rows hold numbers that could be checked.\n"
