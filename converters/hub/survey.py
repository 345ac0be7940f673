"""One pass over the files of a dataset: what its card tells, the columns of its tables, and nothing that grows with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from converters.hub.columns import Columns
from converters.hub.commit import refuse_secrets
from tapewright import files
from tapewright.errors import ConfigError, RowError
from tapewright.inputs import Item, read_blocks
from tapewright.rows import Row
from tapewright.shapes import from_record, recognise
from validators.leakage.splits import split_of_file, split_of_record

CONFIGS = {
    "alpaca": "instruction", "instruction-response": "instruction", "prompt-completion": "instruction",
    "question-answer": "instruction", "preference": "preference", "openai-preference": "preference", "kto": "rated",
    "sharegpt": "conversation", "messages": "conversation", "text": "text",
}  # fmt: skip
ORDER = ("instruction", "preference", "conversation", "rated", "text")
SPLITS = {"": "train", "val": "validation", "valid": "validation", "dev": "validation"}  # as the Hub spells them
MOST_KINDS = 1_000  # different labels, groups and so on that are told apart
CANDIDATES = 64  # rows of a task its example is chosen from
_LABELS = ("label", "verdict", "score", "flaw")


@dataclass(slots=True)
class Part:
    """The rows of one configuration and split: how many, and the bytes of their JSON."""

    rows: int = 0
    json_bytes: int = 0


@dataclass(slots=True)
class Task:
    """What the rows of one task are like."""

    rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    groups: set[str] = field(default_factory=set)
    families: set[str] = field(default_factory=set)
    candidates: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)

    def example(self) -> tuple[str, Row]:
        """(configuration, row) of middling length among the first of train; of another split only where there is none."""
        chosen = self.candidates.get("train") or next(iter(self.candidates.values()))
        ranked = sorted(chosen, key=lambda entry: (len(entry[1].instruction + entry[1].input + entry[1].output), entry[1].id))  # fmt: skip
        return ranked[len(ranked) // 2]


@dataclass(slots=True)
class Source:
    """A file that was read: its bytes, its rows, and the parts they went to."""

    name: str
    sha256: str
    rows: int = 0
    parts: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Survey:
    """What was seen. Lengths are of characters; `origins` counts (seed, tape, version) as rows state them."""

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    columns: dict[str, Columns] = field(default_factory=dict)
    shapes: dict[str, tuple[str, str]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    lengths: dict[str, Counter[int]] = field(default_factory=dict)
    moments: Counter[str] = field(default_factory=Counter)
    markets: Counter[tuple[str, str]] = field(default_factory=Counter)
    origins: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sources: list[Source] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    first: str = ""
    last: str = ""

    @property
    def rows(self) -> int:
        """Rows that go into the tables."""
        return sum(part.rows for part in self.parts.values())

    def configs(self) -> list[str]:
        """Names of the configurations, the one loaded by default first."""
        return sorted({config for config, _ in self.parts}, key=ORDER.index)

    def splits(self, config: str) -> list[str]:
        """Names of the splits of a configuration, in the order they are used."""
        usual = ("train", "validation", "test")
        found = {split for name, split in self.parts if name == config}
        return sorted(found, key=lambda name: (usual.index(name) if name in usual else len(usual), name))


def survey(names: list[str], shape: str, token: str) -> Survey:
    """Read the files once. Raises ConfigError for a secret anywhere in a row and for shapes that share no table."""
    seen = Survey()
    for name in names:
        source = Source(name, files.sha256_of(Path(name)))
        seen.sources.append(source)
        for block in read_blocks(name):
            found: dict[str, list[dict[str, Any]]] = {}
            for item in block.items():
                placed = place(item, shape)
                if isinstance(placed, str):
                    seen.left_out[placed] += 1
                    continue
                config, split, row = placed
                text = orjson.dumps(item.record, default=str).decode("utf-8", "replace")
                refuse_secrets([(f"{name}:{item.line}", text)], token)
                _see_shape(seen, config, row.shape, name)
                part = seen.parts.setdefault((config, split), Part())
                part.rows += 1
                part.json_bytes += len(text)
                source.rows += 1
                source.parts[config, split] += 1
                found.setdefault(config, []).append(item.record)
                _see_row(seen, config, split, row)
            for config, records in found.items():
                seen.columns.setdefault(config, Columns()).see(records, name)
    if not seen.rows:
        raise ConfigError("there is no row in these files that could be pushed")
    return seen


def place(item: Item, shape: str) -> tuple[str, str, Row] | str:
    """(configuration, split, row) an item belongs to, or why it can go nowhere."""
    if item.record is None:
        return item.message or item.problem
    try:
        found = shape or recognise(item.record)
        row = from_record(item.record, found)
    except RowError as error:
        return str(error)
    split = split_of_file(item.source) or split_of_record(item.record)
    split = SPLITS.get(split, split)
    if not split.replace(".", "_").isidentifier():
        raise ConfigError(f"{item.source}:{item.line}: a split cannot be called {split!r}: letters, digits and '_'")
    return CONFIGS[found], split, row


def records_of(names: list[str], shape: str) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """(configuration, split, records that follow each other there), block by block and in order."""
    for name in names:
        for block in read_blocks(name):
            found: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for item in block.items():
                placed = place(item, shape)
                if not isinstance(placed, str):
                    found.setdefault(placed[:2], []).append(item.record)
            for (config, split), records in found.items():
                yield config, split, records


def _see_shape(seen: Survey, config: str, shape: str, name: str) -> None:
    known, where = seen.shapes.setdefault(config, (shape, name))
    if known != shape:
        raise ConfigError(f"{where} holds {known} rows and {name} {shape} rows, which share no table; bring them to one shape with `convert` first")  # fmt: skip


def _see_row(seen: Survey, config: str, split: str, row: Row) -> None:
    task = seen.tasks.setdefault(row.task_type, Task())
    task.rows += 1
    _count(task.defects, row.defect)
    _count(task.labels, _label(row))
    for known, found in ((task.groups, row.group), (task.families, row.family)):
        if found and len(known) < MOST_KINDS:
            known.add(found)
    candidates = task.candidates.setdefault(split, [])
    if len(candidates) < CANDIDATES:
        candidates.append((config, row))
    _measure(seen, "prompt", len(row.instruction) + len(row.input) + len(row.system))
    _measure(seen, "answer", len(row.output))
    if row.rejected:
        _measure(seen, "rejected answer", len(row.rejected))
    if row.as_of:
        seen.first = min(seen.first or row.as_of, row.as_of)
        seen.last = max(seen.last, row.as_of)
        _count(seen.moments, row.as_of[:4])
    venue, symbol = row.facts.get("venue"), row.facts.get("symbol")
    if isinstance(venue, str) and isinstance(symbol, str):
        seen.markets[venue, symbol] += 1
    known = row.provenance
    if "seed" in known:
        seen.origins[str(known["seed"]), str(known.get("tape", "")), str(known.get("code", ""))] += 1


def _label(row: Row) -> str:
    """What a row's answer comes to: a label it states, or the fact that its task is decided by."""
    if row.label:
        return row.label
    named = next((row.facts[name] for name in _LABELS if name in row.facts), None)
    if named is None and isinstance(frame := row.facts.get("frame"), str):
        named = row.facts.get(f"trend@{frame}")
    return "" if named is None or isinstance(named, (dict, list)) else str(named)


def _count(counter: Counter[str], kind: str) -> None:
    if kind and (kind in counter or len(counter) < MOST_KINDS):
        counter[kind] += 1


def _measure(seen: Survey, name: str, length: int) -> None:
    seen.lengths.setdefault(name, Counter())[length] += 1


def percentile(lengths: Counter[int], share: float) -> int:
    """The least length that at least `share` of the texts do not exceed."""
    needed, passed = share * lengths.total(), 0
    for length in sorted(lengths):
        passed += lengths[length]
        if passed >= needed:
            return length
    return 0
