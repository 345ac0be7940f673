"""A push and a load of generated rows against a Hub on this machine: equal row by row, with time and memory.

    python -m benchmarks.hub FOLDER                  # generates 100,000 rows into FOLDER where it is empty (half an hour)
    python -m benchmarks.hub FOLDER --rows 1000 --card card.md

Each step is a process of its own; time is of the clock, memory the peak of its largest process. The Hub is the one of
the tests, without Xet and on the same machine: nothing here says how fast a network is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.local_hub import WRITER, LocalHub

ROOT = Path(__file__).parent.parent
REPOSITORY = "tapewright/trading-rows-100k"
RUNS = (
    ("instruction", "alpaca", 0.6, 42),
    ("preference", "preference", 0.2, 43),
    ("conversation", "sharegpt", 0.2, 44),
)
# Passages that two splits of independent runs share by chance: known, and borne within limits that the card names.
LIMITS = "[validate.limits]\nL003 = { max-rate = 0.001 }\nL004 = { max-rate = 0.001 }\n"


def measured(call: list[str], folder: Path, environment: dict[str, str]) -> tuple[str, float, float, float]:
    """(stdout, seconds by the clock, CPU seconds, peak MiB) of a command. Raises SystemExit where it fails."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(call, cwd=folder, env=environment, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(call[1:4])} … failed with {process.returncode}")
        out.seek(0)
        return out.read(), time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def generate(folder: Path, rows: int) -> None:
    """The files of three runs, one per shape, each with three splits."""
    for name, shape, share, seed in RUNS:
        call = [sys.executable, str(ROOT / "cli.py"), "generate", "-n", str(round(rows * share)), "--seed", str(seed), "--format", shape]  # fmt: skip
        call += ["--split", "train=0.9,val=0.05,test=0.05", "-o", str(folder / f"{name}.jsonl")]
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compare(folder: Path, streaming: bool) -> int:
    """How many rows `load_dataset` gives back as they stand in the files. Raises SystemExit at the first that differs."""
    from datasets import load_dataset

    equal = 0
    for config, *_ in RUNS:
        loaded = load_dataset(REPOSITORY, config, streaming=streaming)
        for split, short in (("train", "train"), ("validation", "val"), ("test", "test")):
            with (folder / f"{config}-{short}.jsonl").open(encoding="utf-8") as lines:
                for number, (line, row) in enumerate(zip(lines, loaded[split], strict=True), 1):
                    if json.loads(line) != row:
                        raise SystemExit(f"{config}/{split}: row {number} differs")
                    equal += 1
    return equal


def main() -> None:
    """Print a line per step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds the generated files, or will")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to generate where the folder holds none")
    parser.add_argument("--card", type=Path, help="write the pushed card here")
    parser.add_argument("--compare", choices=["table", "stream"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.compare:
        print(compare(folder, options.compare == "stream"))
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.jsonl")):
        generate(folder, options.rows)
    names = sorted(str(path) for path in folder.glob("*.jsonl"))
    with LocalHub() as hub, tempfile.TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_") and "proxy" not in name.lower()}  # fmt: skip
        environment = {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": WRITER, "PYTHONPATH": str(ROOT)}  # fmt: skip
        (Path(home) / "tapewright.toml").write_text(LIMITS)
        tool = [sys.executable, str(ROOT / "cli.py")]
        push = [*tool, "push", *names, "--repo", REPOSITORY, "--shard-mb", "64", "--title", "Trading rows with numbers that can be recomputed", "--license", "cc-by-4.0"]  # fmt: skip
        back = Path(home) / "back.jsonl"
        loading = [sys.executable, "-m", "benchmarks.hub", str(folder), "--compare"]
        steps = [
            ("push: check, survey, Parquet, card, commit", push), ("push again: nothing changed", push),
            ("`load_dataset`, every row compared", [*loading, "table"]), ("`load_dataset(streaming=True)`, every row compared", [*loading, "stream"]),
            ("pull", [*tool, "pull", REPOSITORY, "-o", str(back)]),
        ]  # fmt: skip
        print("| step | seconds | CPU s | peak MiB | came to |\n|---|---:|---:|---:|---|")
        for name, call in steps:
            before = len(hub.writes())
            told, seconds, cpu, peak = measured(call, Path(home), environment)
            came = f"{int(told):,} rows equal" if told.strip().isdigit() else f"{len(hub.writes()) - before} writing calls"  # fmt: skip
            if name == "pull":
                came = f"{same_bytes(names, back)} of {len(names)} files the same bytes"
            print(f"| {name} | {seconds:,.1f} | {cpu:,.1f} | {peak:,.0f} | {came} |", flush=True)
        tree = hub.repositories[REPOSITORY].tree()
        parquet = [file.size for path, file in tree.items() if path.endswith(".parquet")]
        print(f"\n{len(parquet)} Parquet files, {sum(parquet) / 2**20:,.0f} MiB, from {sum(Path(name).stat().st_size for name in names) / 2**20:,.0f} MiB of JSONL")  # fmt: skip
        if options.card:
            options.card.write_bytes(hub.content(REPOSITORY, "README.md"))


def same_bytes(names: list[str], back: Path) -> int:
    """How many of the files that were pushed came back byte for byte."""
    return sum((back.with_name(f"back-{Path(name).name}")).read_bytes() == Path(name).read_bytes() for name in names)


if __name__ == "__main__":
    main()
