"""Rows of every format written and checked again from the file alone.

    python -m benchmarks.recheck [--rows 100000] [--keep FOLDER]

A fifth of the rows goes to each of: alpaca, sharegpt, instruction-response, alpaca with JSON answers,
preference. Each file is checked as it is, again with facts and provenance deleted, and its tape facts
are derived from the candles. Prints rows, pairs, findings and unread numerals; exits 1 on any finding.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from generators.config import Config
from generators.produce import produce
from generators.registry import resolve_weights
from market.tape import load
from tapewright import __version__
from tapewright.inputs import Item, read_items
from validators.dataset import Options, check_items, load_rules

RUNS = (
    ("alpaca", "text"), ("sharegpt", "text"), ("instruction-response", "text"), ("alpaca", "json"), ("preference", "text"),
)  # fmt: skip


def bare(name: str) -> Iterator[Item]:
    """The items of a file with facts and provenance deleted."""
    for item in read_items(name):
        item.record = {key: value for key, value in item.record.items() if key not in ("facts", "provenance")}
        yield item


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, default=None, help="keep the files in this folder")
    options = parser.parse_args()
    load_rules()
    tape = load()
    weights = tuple(resolve_weights(None).items())
    total = 0
    print("| format | answers | rows | pairs | findings | without facts | tape facts | against the tape |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        for seed, (shape, form) in enumerate(RUNS, 100):
            path = folder / f"{shape}-{form}.jsonl"
            config = Config(options.rows // len(RUNS), seed, weights, shape, form, version=__version__)
            produce(config, path, workers=os.cpu_count() or 1)
            whole = check_items(read_items(str(path)), str(path), Options(tape=tape))
            without = check_items(bare(str(path)), str(path))
            errors = [f for f in whole.findings if f.severity == "error"]
            against = sum(f.code == "N014" for f in errors)
            blind = [f for f in without.findings if f.severity == "error"]
            total += len(errors) + len(blind)
            print(
                f"| {shape} | {form} | {whole.rows:,} | {whole.pairs:,} | {len(errors) - against} | {len(blind)} "
                f"| {whole.tape_facts:,} | {against} |",
                flush=True,
            )
            for finding in (*errors[:3], *blind[:3]):
                print(f"  {finding} — {finding.evidence}", file=sys.stderr)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
