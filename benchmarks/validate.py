"""What `validate` finds on public datasets, and how fast it is.

    python -m benchmarks.validate --data FOLDER            # findings per rule and dataset
    python -m benchmarks.validate --data FOLDER --sample X # 50 random findings of one family, to judge by hand
    python -m benchmarks.validate --data FOLDER --speed    # rows per CPU-second

FOLDER holds alpaca/random_9k.json, llamafactory_demo/*.json, gsm8k/train.json, ultrafeedback/*.jsonl and
tatqa/dev.json. Nothing of their texts is kept.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tapewright.findings import Finding
from tapewright.inputs import Item, read_items
from validators import dataset
from validators.dataset import Tally, check_items, load_rules
from validators.rules import RULES

SETS = {
    "Alpaca 9k": "alpaca/random_9k.json",
    "demo Alpaca": "llamafactory_demo/alpaca_en_demo.json",
    "demo DPO": "llamafactory_demo/dpo_en_demo.json",
    "demo KTO": "llamafactory_demo/kto_en_demo.json",
    "demo tools": "llamafactory_demo/glaive_toolcall_en_demo.json",
    "demo identity": "llamafactory_demo/identity.json",
    "GSM8K": "gsm8k/train.json",
    "UltraFeedback": "ultrafeedback/train_clean.jsonl",
    "TAT-QA": "tatqa/dev.json",
}


def tatqa_items(path: Path) -> Iterator[Item]:
    """The questions of TAT-QA as rows: table and paragraphs as input, answer and derivation as output."""
    number = 0
    for context in json.loads(path.read_text(encoding="utf-8")):
        table = "\n".join(" | ".join(cells) for cells in context["table"]["table"])
        data = "\n".join([table, *(paragraph["text"] for paragraph in context["paragraphs"])])
        for question in context["questions"]:
            number += 1
            answer = question["answer"]
            answer = ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
            percent = "%" if question["scale"] == "percent" else ""
            derivation = question["derivation"]
            worked = question["answer_type"] == "arithmetic" and derivation and not any(c in derivation for c in "=<>")
            text = f"{derivation} = {answer}{percent}" if worked else f"{answer}{percent}"
            yield Item(str(path), number, {"instruction": question["question"], "input": data, "output": text})


def items_of(name: str, folder: Path) -> Iterable[Item]:
    """The items of one of SETS."""
    path = folder / SETS[name]
    return tatqa_items(path) if name == "TAT-QA" else read_items(str(path))


def check_all(folder: Path) -> dict[str, Tally]:
    """Every set that is there, checked with every rule."""
    return {name: check_items(items_of(name, folder), name) for name in SETS if (folder / SETS[name]).is_file()}


def table(tallies: dict[str, Tally]) -> str:
    """Markdown: findings per rule and dataset."""
    codes = sorted({code for tally in tallies.values() for code in tally.counts()})
    lines = ["| rule | " + " | ".join(tallies) + " |", "|---|" + "---:|" * len(tallies)]
    lines.append("| rows | " + " | ".join(f"{tally.rows:,}" for tally in tallies.values()) + " |")
    lines.append("| rows with checkable numbers | " + " | ".join(f"{t.checked:,}" for t in tallies.values()) + " |")
    for code in codes:
        counts = [tally.counts()[code] for tally in tallies.values()]
        lines.append(f"| {code} {RULES[code].name} | " + " | ".join(f"{n:,}" if n else "" for n in counts) + " |")
    return "\n".join(lines) + "\n"


def sample(tallies: dict[str, Tally], family: str, count: int, folder: Path) -> Iterator[str]:
    """`count` random findings of one family with their rows, the same ones every time."""
    found: list[tuple[str, Finding]] = [
        (name, finding) for name, tally in tallies.items() for finding in tally.findings if finding.code.startswith(family)
    ]  # fmt: skip
    records: dict[str, dict[int, Any]] = {}
    for name, finding in random.Random(7).sample(found, min(count, len(found))):
        if name not in records:
            records[name] = {item.line: item.record for item in items_of(name, folder)}
        record = json.dumps(records[name].get(finding.line), ensure_ascii=False)
        yield f"{name}:{finding.line} {finding.code} [{finding.field}] {finding.message} — {finding.evidence}\n    {record[:700]}\n"


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sample", metavar="FAMILY", help="print random findings of a family or rule")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--speed", action="store_true", help="measure rows per CPU-second")
    options = parser.parse_args()
    load_rules()
    if options.speed:
        from benchmarks.validate_speed import measure

        measure(options.data)
        return
    dataset.KEPT = sys.maxsize
    tallies = check_all(options.data)
    if options.sample:
        for text in sample(tallies, options.sample, options.count, options.data):
            print(text)
    else:
        print(table(tallies))


if __name__ == "__main__":
    main()
