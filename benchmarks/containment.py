"""13-gram containment of a test side in a train side: ours, a polars semi-join, Python sets. One process each.

python -m benchmarks.containment                     # 100,000 train × 5,000 test documents of 60 words
python -m benchmarks.containment --rows 1000000      # how time and memory grow
python -m benchmarks.containment --file TRAIN.jsonl --test TEST.jsonl    # from files of rows, parsing included

Of the test documents 500 stand in a train document, half of each or more, among its own words; found and false
count test documents. Memory is the peak of the process above what Python and the documents take.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

LENGTH, SHARE = 13, 0.5
TESTS, PLANTED = 5_000, 500


def words() -> list[str]:
    """Twenty thousand made-up words."""
    rng = random.Random(1)
    return [
        "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(2, 10))) for _ in range(20_000)
    ]


def documents(rows: int, length: int) -> tuple[list[str], list[str]]:
    """(train, test) documents; test document i < PLANTED stands in a train document."""
    rng, known = random.Random(2), words()
    test = [" ".join(rng.choices(known, k=length)) for _ in range(TESTS)]
    train = [" ".join(rng.choices(known, k=length)) for _ in range(rows)]
    for number in range(PLANTED):
        source, place = test[number].split(), rng.randrange(rows)
        start = rng.randrange(length // 4)
        own = train[place].split()
        train[place] = " ".join([*own[:10], *source[start : start + length * 3 // 4], *own[10:]])
    return train, test


def ours(train: list[str], test: list[str]) -> set[int]:
    """Runs of words hashed by numpy, looked up in a table of the test side's."""
    import numpy as np

    from validators.leakage.containment import Containment

    containment = Containment(test, SHARE)
    for first in range(0, len(train), 1_000):
        part = train[first : first + 1_000]
        containment.look(part, np.arange(first, first + len(part)))
    return {found.unit for found in containment.found()}


def python_sets(train: list[str], test: list[str]) -> set[int]:
    """Joined 13-grams in a dict; every gram of every train document is looked up."""
    grams: dict[str, list[int]] = {}
    totals = []
    for number, text in enumerate(test):
        own = set(_grams(text))
        totals.append(len(own))
        for gram in own:
            grams.setdefault(gram, []).append(number)
    found = set()
    for text in train:
        counts: dict[int, int] = {}
        for gram in set(_grams(text)):
            for number in grams.get(gram, ()):
                counts[number] = counts.get(number, 0) + 1
        found.update(number for number, count in counts.items() if count >= SHARE * totals[number])
    return found


def _grams(text: str) -> Iterator[str]:
    parts = text.casefold().split()
    return (" ".join(parts[i : i + LENGTH]) for i in range(len(parts) - LENGTH + 1))


def polars_join(train: list[str], test: list[str]) -> set[int]:
    """13-grams exploded in polars, train semi-joined with test, batches of ten thousand documents."""
    import polars as pl

    def exploded(texts: list[str], first: int) -> pl.DataFrame:
        split = pl.DataFrame({"row": range(first, first + len(texts)), "word": texts}).with_columns(
            pl.col("word").str.to_lowercase().str.split(" ")
        )
        shifted = split.explode("word").with_columns(
            pl.col("word").shift(-i).over("row").alias(f"w{i}") for i in range(1, LENGTH)
        )
        whole = shifted.drop_nulls()
        return whole.select("row", pl.concat_str("word", *(f"w{i}" for i in range(1, LENGTH)), separator=" ").hash().alias("gram")).unique()  # fmt: skip

    sought = exploded(test, 0)
    totals = sought.group_by("row").len("total")
    found: set[int] = set()
    for first in range(0, len(train), 10_000):
        grams = exploded(train[first : first + 10_000], first).join(
            sought.select("gram").unique(), on="gram", how="semi"
        )
        pairs = grams.join(sought, on="gram", suffix="_test").group_by("row", "row_test").len()
        enough = pairs.join(totals, left_on="row_test", right_on="row").filter(pl.col("len") >= SHARE * pl.col("total"))
        found.update(enough["row_test"].to_list())
    return found


WAYS = {"ours": ours, "python sets": python_sets, "polars semi-join": polars_join}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_one(way: str, rows: int, length: int) -> None:
    """Print one line of the table. Learning the test side counts, importing libraries does not."""
    train, test = documents(rows, length)
    WAYS[way](train[:5], test[:5])
    before = _peak_mib()
    start = time.process_time()
    found = WAYS[way](train, test)
    spent = time.process_time() - start
    wanted = set(range(PLANTED))
    print(
        f"| {way} | {rows:,} | {rows / spent:,.0f} | {_peak_mib() - before:,.0f} | {_peak_mib():,.0f} | {len(found & wanted)} of {PLANTED} | {len(found - wanted)} |"
    )


def run_files(train: str, test: str) -> None:
    """Rate of L003 and L004 alone over files, reading and parsing included."""
    from validators.leakage.check import Options, find_leaks
    from validators.leakage.sides import side_of_files

    start = time.process_time()
    (found,) = find_leaks(side_of_files(train, [train]), [side_of_files(test, [test])], Options(codes=("L003", "L004")))
    spent = time.process_time() - start
    print(f"{found.train.rows:,} train × {found.test.rows:,} test rows: {found.train.rows / spent:,.0f} rows per CPU-s, peak {_peak_mib():,.0f} MiB, {dict(found.counts())}")  # fmt: skip


def main() -> None:
    """Run every way in a process of its own, one core."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file")
    parser.add_argument("--test")
    options = parser.parse_args()
    if options.file:
        run_files(options.file, options.test)
    elif options.way:
        run_one(options.way, options.rows, options.words)
    else:
        print(
            f"| way | train documents of {options.words} words | per CPU-s | MiB above the documents | MiB in all | found | false |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
        for way in WAYS:
            again = [sys.executable, "-m", "benchmarks.containment", "--way", way, "--rows", str(options.rows), "--words", str(options.words)]  # fmt: skip
            subprocess.run(again, check=True, env={**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"})


if __name__ == "__main__":
    main()
