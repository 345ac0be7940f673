"""One JSON object per finding."""

from dataclasses import asdict

import orjson

from validators.dataset import Tally


def render(tally: Tally) -> str:
    """The findings in their order."""
    return "".join(orjson.dumps(asdict(finding)).decode() + "\n" for finding in tally.findings)
