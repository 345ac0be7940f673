"""Everything as one JSON object."""

from dataclasses import asdict
from typing import Any

import orjson

from validators.dataset import Tally


def render(tally: Tally) -> str:
    """Counts, shapes and findings."""
    return orjson.dumps(as_dict(tally), option=orjson.OPT_INDENT_2).decode() + "\n"


def as_dict(tally: Tally) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "rows": tally.rows, "pairs": tally.pairs, "checked": tally.checked, "tape_facts": tally.tape_facts, "total": tally.total,
        "shapes": tally.shapes, "counts": dict(sorted(tally.counts().items())),
        "findings": [asdict(finding) for finding in tally.findings],
    }  # fmt: skip
