"""How varied the wording is, with numbers and entity names masked.

distinct-3: different word trigrams over all trigrams, on the first 400,000 of them; the xz ratio:
compressed over raw size of the first 2 MB; and the commonest opening of five words. The published
figures of Alpaca are .742 and .285 by the same measures.
"""

import lzma
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tapewright import files
from tapewright.shapes import from_record

TRIGRAMS = 400_000
BYTES = 2_000_000

_NUMBER = re.compile(r"[-+−]?\$?\d[\d,]*(?:\.\d+)?")
_ENTITY = re.compile(
    r"\b(?:[A-Z0-9]{2,10}USDT|Asset [A-Z]|BTC|ETH|SOL|BNB|XRP|ADA|ATOM|AVAX|BCH|DOGE|DOT|ETC|LINK|LTC|NEAR|TRX|UNI|XLM)\b"
)
_WORD = re.compile(r"[a-z#@]+(?:['-][a-z]+)*")


def masked(text: str) -> str:
    """`text` with numbers as # and market names as @."""
    return _ENTITY.sub("@", _NUMBER.sub("#", text))


def measure(texts: Iterable[str]) -> dict[str, Any]:
    """distinct_3, xz_ratio, top_opening and its share over the given outputs."""
    seen: set[tuple[str, str, str]] = set()
    total = size = rows = 0
    sample: list[bytes] = []
    openings: Counter[str] = Counter()
    for text in texts:
        rows += 1
        plain = masked(text)
        words = _WORD.findall(plain.lower())
        openings[" ".join(words[:5])] += 1
        if total < TRIGRAMS:
            trigrams = list(zip(words, words[1:], words[2:]))[: TRIGRAMS - total]
            seen.update(trigrams)
            total += len(trigrams)
        if size < BYTES:
            raw = plain.encode()[: BYTES - size]
            sample.append(raw)
            size += len(raw)
    opening, count = openings.most_common(1)[0] if openings else ("", 0)
    return {
        "rows": rows, "trigrams": total, "distinct_3": len(seen) / max(total, 1),
        "xz_ratio": len(lzma.compress(b"".join(sample), preset=9)) / max(size, 1),
        "top_opening": opening, "top_opening_share": count / max(rows, 1),
    }  # fmt: skip


def measure_files(paths: list[Path]) -> dict[str, Any]:
    """`measure` over the answers of files, with the same per task."""
    outputs: list[tuple[str, str]] = []
    for path in paths:
        for _, record in files.read_records(path):
            row = from_record(record)
            outputs.append((row.task_type, row.output))
    result = measure(text for _, text in outputs)
    result["tasks"] = {
        task: measure(t for name, t in outputs if name == task) for task in sorted({name for name, _ in outputs})
    }
    return result
