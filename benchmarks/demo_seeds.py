"""`finetune` and `evaluate` with nothing else said, for three seeds: does training help, and by how much?

    python -m benchmarks.demo_seeds FOLDER [--seeds 42,43,44]

What lies in FOLDER/SEED already is not made again. Beside the demo's models stands a control, `chosen`: SFT
that goes on over the chosen answers of the pairs, as DPO does, without the rejected ones. Prints slot accuracy beside every
trivial baseline, what DPO changes against SFT, measure by measure, and what it changes against the control.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TOOL = [sys.executable, str(ROOT / "cli.py")]
MODELS = {"base": "base", "sft": "SFT", "chosen": "SFT + chosen answers", "dpo": "SFT + DPO"}
NOT_SHARES = ("perplexity", "score_error", "score_kappa")


def run_seed(folder: Path, seed: int) -> None:
    """The demo, the control and their evaluation, as a user types them; says how long each took."""
    demo = ["-o", str(folder), "--seed", str(seed)]
    _timed("finetune", seed, ["finetune", *demo], folder / "dpo" / "train_report.json")
    pairs = folder / "chosen.jsonl"  # by this name validation is held out of it, as the demo does for DPO
    shutil.copy(folder / "pairs-train.jsonl", pairs)
    control = ["--data", str(pairs), "--model", str(folder / "sft"), "--set", f"seed={seed}", "-o", str(folder / "chosen"), "--force"]  # fmt: skip
    _timed("the control", seed, ["finetune", "sft", "cpu-demo", *control], folder / "chosen" / "train_report.json")
    data = ["--data", str(folder / "rows-test.jsonl"), "--train", str(folder / "rows-train.jsonl"), "--json-rows", "400"]  # fmt: skip
    made = folder / "evaluation" / "report.json"
    _timed("evaluate", seed, ["evaluate", *(str(folder / name) for name in MODELS), *data, "-o", str(made.parent)], made)  # fmt: skip


def _timed(name: str, seed: int, call: list[str], made: Path) -> None:
    """Run a command unless what it makes is there."""
    if made.is_file():
        return
    begun = time.perf_counter()
    subprocess.run([*TOOL, *call], check=True, stdout=subprocess.DEVNULL)
    print(f"seed {seed}: {name} took {(time.perf_counter() - begun) / 60:.1f} min", flush=True)


def shown(found: dict[str, float] | None) -> str:
    """A share with its interval, in per cent."""
    if found is None:
        return "–"
    return f"{100 * found['value']:.1f} ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def signed(name: str, found: dict[str, float] | None) -> str:
    """A difference with its interval, in points where the measure is a share; bold where the interval excludes 0."""
    if not found:
        return "0"
    times, digits = (1, 3) if name in NOT_SHARES else (100, 1)
    low, high = found["low"] * times, found["high"] * times
    mark = "**" if low > 0 or high < 0 else ""
    return f"{mark}{found['value'] * times:+.{digits}f}{mark} ({low:+.{digits}f} to {high:+.{digits}f})"


def print_changes(reports: dict[str, Any], pair: str) -> None:
    """One row per measure that differs for some seed."""
    found = {seed: report["differences"][pair] for seed, report in reports.items()}
    _head(["measure", *(f"seed {seed}" for seed in found)])
    for name in next(iter(found.values())):
        values = [one.get(name) for one in found.values()]
        if any(value and (value["value"] or value["low"] or value["high"]) for value in values):
            print(f"| {name.replace('_', ' ')} | " + " | ".join(signed(name, value) for value in values) + " |")


def _head(names: Sequence[str]) -> None:
    print("\n| " + " | ".join(names) + " |\n|---|" + "---:|" * (len(names) - 1))


def main() -> None:
    """Run what has not been run, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", default="42,43,44")
    options = parser.parse_args()
    reports = {}
    for seed in options.seeds.split(","):
        run_seed(options.folder / seed, int(seed))
        reports[seed] = json.loads((options.folder / seed / "evaluation" / "report.json").read_text())
    first = next(iter(reports.values()))["measures"]
    print(f"\nSlot accuracy, %, {first['sft']['slot_accuracy']['n']:,} rows of seed {next(iter(reports))}")
    _head(["seed", *(MODELS.get(name, name) for name in first)])
    for seed, report in reports.items():
        print(f"| {seed} | " + " | ".join(shown(report["measures"][name]["slot_accuracy"]) for name in first) + " |")
    for title, pair in (
        ("SFT + DPO against SFT", "dpo - sft"),
        ("SFT + DPO against SFT + chosen answers", "dpo - chosen"),
    ):
        print(f"\n{title}, in points, paired")
        print_changes(reports, pair)


if __name__ == "__main__":
    main()
