"""`finetune` and `evaluate` with nothing else said, for three seeds: does training help, and by how much?

    python -m benchmarks.demo_seeds FOLDER [--seeds 42,43,44]

A seed whose report lies in FOLDER/SEED/evaluation is only read. Prints two tables: slot accuracy of base, SFT and SFT+DPO
beside every trivial baseline, and what DPO changes against SFT, measure by measure.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODELS = ("base", "sft", "dpo")


def run_seed(folder: Path, seed: int) -> None:
    """Both commands as a user types them, rows of the train side for the baselines to learn from; says how long."""
    tool = [sys.executable, str(ROOT / "cli.py")]
    asked = [str(folder / name) for name in MODELS]
    data = ["--data", str(folder / "rows-test.jsonl"), "--train", str(folder / "rows-train.jsonl")]
    for call in (["finetune", "-o", str(folder), "--seed", str(seed)], ["evaluate", *asked, *data, "-o", str(folder / "evaluation")]):  # fmt: skip
        begun = time.perf_counter()
        subprocess.run([*tool, *call], check=True, stdout=subprocess.DEVNULL)
        print(f"seed {seed}: `{call[0]}` took {(time.perf_counter() - begun) / 60:.1f} min", flush=True)


def shown(found: dict[str, float] | None) -> str:
    """A share with its interval, in per cent."""
    if found is None:
        return "–"
    return f"{100 * found['value']:.1f} ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def changes(report: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    """Measures that DPO moved, in points where they are shares; those that did not move at all are left out."""
    found = report["differences"]["dpo - sft"]
    return [(name, value) for name, value in found.items() if value and (value["value"] or value["low"] or value["high"])]  # fmt: skip


def main() -> None:
    """Run what has not been run, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="42,43,44")
    options = parser.parse_args()
    reports = {}
    for seed in options.seeds.split(","):
        place = options.folder / seed / "evaluation" / "report.json"
        if not place.is_file():
            run_seed(options.folder / seed, int(seed))
        reports[seed] = json.loads(place.read_text())
    names = list(next(iter(reports.values()))["measures"])
    print("\nSlot accuracy, %\n\n| seed | rows | " + " | ".join(names) + " |\n|---|---:|" + "---:|" * len(names))
    for seed, report in reports.items():
        cells = [shown(report["measures"][name]["slot_accuracy"]) for name in names]
        print(f"| {seed} | {report['measures']['sft']['slot_accuracy']['n']:,} | " + " | ".join(cells) + " |")
    moved = {seed: dict(changes(report)) for seed, report in reports.items()}
    every = list(dict.fromkeys(name for found in moved.values() for name in found))
    print("\nSFT+DPO against SFT, paired\n\n| measure | " + " | ".join(f"seed {seed}" for seed in moved) + " |\n|---|" + "---:|" * len(moved))  # fmt: skip
    for name in every:
        cells = [_signed(name, found.get(name)) for found in moved.values()]
        print(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")


def _signed(name: str, found: dict[str, float] | None) -> str:
    if found is None:
        return "0"
    times, digits = (1, 3) if name in ("perplexity", "score_error", "score_kappa") else (100, 1)
    low, high = found["low"] * times, found["high"] * times
    mark = "**" if low > 0 or high < 0 else ""
    return f"{mark}{found['value'] * times:+.{digits}f}{mark} ({low:+.{digits}f} to {high:+.{digits}f})"


if __name__ == "__main__":
    main()
