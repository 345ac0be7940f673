"""Which split a file or a row says it belongs to, and the sides that are compared for it."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from tapewright.inputs import Item
from validators.leakage.sides import Side, side_of_files

ORDER = ("train", "val", "test")
_SAME = {"training": "train", "valid": "val", "validation": "val", "dev": "val"}
_NAMED = re.compile(
    r"(?:^|[-_.])(train|training|val|valid|validation|dev|test)(?:-\d+-of-\d+)?"
    r"\.(?:jsonl|ndjson|json|parquet|csv)(?:\.gz|\.zst)?$"
)


def split_of_file(name: str) -> str:
    """train, val or test where a file is named like one: `rows-train.jsonl`, `test-00000-of-00001.parquet`."""
    match = _NAMED.search(Path(name).name.lower())
    return _SAME.get(match[1], match[1]) if match else ""


def is_usual(split: str) -> bool:
    """Whether a split has a name that says what it is for."""
    return _SAME.get(split.lower(), split.lower()) in ORDER


def split_of_record(record: Any, column: str = "split") -> str:
    """The split a row names, in a column or in its provenance."""
    if not isinstance(record, dict):
        return ""
    value = record.get(column)
    if isinstance(value, str) and value:
        return value
    provenance = record.get("provenance")
    if isinstance(provenance, str) and '"split"' in provenance:
        try:
            provenance = orjson.loads(provenance)
        except orjson.JSONDecodeError:
            return ""
    value = provenance.get("split") if isinstance(provenance, dict) else ""
    return value if isinstance(value, str) else ""


def sides_of_files(names: Iterable[str], **options: Any) -> list[Side]:
    """A side for every split that files are named after."""
    files: dict[str, list[str]] = {}
    for name in names:
        if split := split_of_file(name):
            files.setdefault(split, []).append(name)
    return [side_of_files(split, files[split], **options) for split in _in_order(files)]


def sides_of_rows(names: list[str], splits: Iterable[str], column: str = "split", **options: Any) -> list[Side]:
    """A side for every one of `splits`, whose rows are spread over the files."""

    def rows_of(split: str) -> Callable[[int, Item], bool]:
        return lambda _, item: split_of_record(item.record, column) == split

    return [side_of_files(split, names, wanted=rows_of(split), **options) for split in _in_order(splits)]


def splits_in(names: list[str], column: str = "split") -> set[str]:
    """Every split that a row of some files names."""
    return {name for item in side_of_files("all", names).items() if (name := split_of_record(item.record, column))}


def pairs_of(sides: list[Side]) -> list[tuple[Side, list[Side]]]:
    """Each side with those after it: training comes first, what is examined last."""
    return [(side, sides[place + 1 :]) for place, side in enumerate(sides[:-1])]


def _in_order(splits: Iterable[str]) -> list[str]:
    def rank(split: str) -> int:
        plain = _SAME.get(split.lower(), split.lower())
        return ORDER.index(plain) if plain in ORDER else len(ORDER)

    return sorted(set(splits), key=lambda split: (rank(split), split))
