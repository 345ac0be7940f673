"""Peak memory of the process that makes and writes rows.

    python -m benchmarks.memory [--million] [--format alpaca]

Each size runs in a process of its own with one worker; the slope between sizes is what a row costs.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from generators.config import Config
from generators.produce import produce
from generators.registry import resolve_weights

ROOT = Path(__file__).parent.parent


def peak_of(rows: int, shape: str) -> float:
    """Peak resident MiB of a process of its own that writes `rows` rows."""
    call = [sys.executable, "-m", "benchmarks.memory", "--one", str(rows), "--format", shape]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{rows:,} rows: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout)


def _one(rows: int, shape: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        weights = tuple(resolve_weights(None).items())
        produce(Config(rows, weights=weights, shape=shape, version="memory"), Path(folder) / "rows.jsonl", workers=1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)  # KiB on Linux


def main() -> None:
    """Print a line per size and the slope."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", action="store_true", help="also 1,000,000 rows (the better part of an hour)")
    parser.add_argument("--format", default="alpaca", help="shape of the rows")
    parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _one(options.one, options.format)
        return
    sizes = [10_000, 100_000] + [1_000_000] * options.million
    peaks = []
    print("| rows | peak MiB | bytes per further row |\n|---:|---:|---:|")
    for size in sizes:
        peaks.append(peak_of(size, options.format))
        slope = (peaks[-1] - peaks[-2]) * 2**20 / (size - sizes[len(peaks) - 2]) if len(peaks) > 1 else None
        print(f"| {size:,} | {peaks[-1]:,.0f} | {'' if slope is None else f'{slope:,.0f}'} |", flush=True)


if __name__ == "__main__":
    main()
