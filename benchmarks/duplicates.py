"""Duplicates: documents per CPU-second, recall and precision, memory, beside other tools; and how both grow.

python -m benchmarks.duplicates peers [--scale 1.0] [--text-dedup PYTHON]   # sets A, B and C
python -m benchmarks.duplicates growth [--least 10000] [--most 1000000] [--words 60]        # 10^4 rows and up, the whole command
python -m benchmarks.duplicates seeds [--rows 10000]                        # three seeds of `generate`

A: random-word documents with planted near copies. B: rows of one template, planted copies with one figure edited.
C: our own rows with planted paraphrases (words replaced) and number edits. A planted pair counts where its exact
Jaccard (of the shingles that are not common wording in B and C) is at least 0.8. Recall is over those pairs;
precision over the rows a tool removes: right is a row that is one of a planted pair.
"""

import argparse
import importlib.util
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from validators.duplicates.candidates import plan_bands
from validators.duplicates.choose import EXACT, NEAR, Ranks, Ties, choose, copies
from validators.duplicates.marks import Marks
from validators.duplicates.near import Search
from validators.duplicates.normal import normal
from validators.duplicates.reading import passage_of_text
from validators.duplicates.spool import Spool

NEAR_ENOUGH = 0.8
Texts = list[str]
Pairs = list[tuple[int, int]]


# --- data ------------------------------------------------------------------------------------------


def _words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(3, 9))) for _ in range(count)]


def random_documents(count: int, planted: int) -> tuple[Texts, Pairs]:
    """A."""
    rng = random.Random("A")
    vocabulary = _words(rng, 20_000)
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(60, 140))) for _ in range(count - planted)]
    pairs = []
    for source in rng.sample(range(count - planted), planted):
        words = texts[source].split()
        for place in rng.sample(range(len(words)), rng.randint(1, 4)):
            words[place] = rng.choice(vocabulary)
        pairs.append((source, len(texts)))
        texts.append(" ".join(words))
    return texts, pairs


FRAME = (
    "Answer as a risk desk would , in one paragraph and without advice , and use nothing but what is given here ; say"
    " first how far the stop lies from the entry , then what is lost when it is reached , then how far away the exchange"
    " would close the position on its own , and only at the end what the oscillator adds to that . Do not repeat the"
    " question , do not round where a figure is exact , and name the unit of each of them . The position on {} was opened at {} with a stop at {} and a target at {} . At a leverage of {} the margin comes to"
    " {} and the liquidation price to {} . The oscillator stands at {} while the average range over the last bars is {}"
    " , volume reached {} against a mean of {} and the funding rate of the hour was {} . Keep to the plan that was made"
    " before the trade , and size the next one only after this one has been closed . When the stop moves , all of this has to be worked out"
    " again from the beginning , since the loss , the size and the room to liquidation hang together and none of them"
    " can be changed alone ; whoever forgets that will find out at the worst moment , when there is no time to count ."
)


def _figure(rng: random.Random) -> str:
    return f"{rng.uniform(1, 99_999):,.2f}"


def template_documents(count: int, planted: int) -> tuple[Texts, Pairs]:
    """B."""
    rng = random.Random("B")
    texts = [FRAME.format(*(_figure(rng) for _ in range(12))) for _ in range(count - planted)]
    pairs = []
    for source in rng.sample(range(count - planted), planted):
        words = texts[source].split()
        place = rng.choice([place for place, word in enumerate(words) if word[0].isdigit()])
        words[place] = _figure(rng)
        pairs.append((source, len(texts)))
        texts.append(" ".join(words))
    return texts, pairs


def own_documents(count: int, planted: int, folder: Path) -> tuple[Texts, Pairs]:
    """C: generated rows; of every second planted copy two words are replaced, of the others one number."""
    out = folder / "own.jsonl"
    command = [sys.executable, "cli.py", "generate", "-n", str(count - planted), "-j", "2", "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    with out.open(encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        texts = [f"{row['instruction']} {row['input']} {row['output']}" for row in rows]
    rng = random.Random("C")
    vocabulary = _words(rng, 2_000)
    pairs = []
    for number, source in enumerate(rng.sample(range(len(texts)), planted)):
        words = texts[source].split()
        figures = [place for place, word in enumerate(words) if word[0].isdigit()]
        if number % 2 and figures:
            words[rng.choice(figures)] = _figure(rng)
        else:
            for place in rng.sample(range(len(words)), 2):
                words[place] = rng.choice(vocabulary)
        pairs.append((source, len(texts)))
        texts.append(" ".join(words))
    return texts, pairs


# --- what is right ---------------------------------------------------------------------------------


def triples(text: str) -> set[tuple[str, ...]]:
    """Word 3-shingles the plain way."""
    words = text.lower().split()
    return set(zip(words, words[1:], words[2:])) or {tuple(words)}


def jaccard(a: set, b: set) -> float:
    """Shared over all."""
    return len(a & b) / (len(a | b) or 1)


def true_pairs(texts: Texts, pairs: Pairs, common: set) -> Pairs:
    """The planted pairs that are alike enough."""
    sets = (((a, b), triples(texts[a]) - common, triples(texts[b]) - common) for a, b in pairs)
    return [pair for pair, first, second in sets if jaccard(first, second) >= NEAR_ENOUGH]


def common_triples(texts: Texts) -> set:
    """Triples in at least a hundredth of the documents, counted in all of them."""
    from collections import Counter

    counts: Counter = Counter()
    for text in texts:
        counts.update(triples(text))
    return {triple for triple, count in counts.items() if count >= max(50, len(texts) / 100)}


# --- tools: each returns the documents it would remove ---------------------------------------------


def ours(texts: Texts) -> set[int]:
    """The engine of `dedup` without files: marks, search, choice by length."""
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        for start in range(0, len(texts), 500):
            some = [passage_of_text(text) for text in texts[start : start + 500]]
            spool.append(Marks.of(some, range(start, start + len(some))))
        ranks = Ranks(spool.column("size"), np.zeros(spool.rows, dtype=bool))
        there = np.ones(spool.rows, dtype=bool)
        same = copies(spool.column("exact"), spool.column("more"), spool.column("letters"), there, ranks)
        there[list(same)] = False
        found = Search(spool, there, ranks, NEAR_ENOUGH).run()
        return set(choose(Ties(same, found.near), ranks, (EXACT, NEAR)))


def _joined(text: str) -> list[str]:
    words = text.lower().split()
    return [" ".join(words[i : i + 3]) for i in range(max(len(words) - 2, 1))]


def rensa_alone(texts: Texts) -> set[int]:
    """rensa's deduplicator as its documentation shows it, 128 values."""
    from rensa import RMinHashDeduplicator  # type: ignore[attr-defined]

    keep = RMinHashDeduplicator(threshold=NEAR_ENOUGH, num_perm=128, use_lsh=True)
    kept = keep.add_pairs((str(i), _joined(text)) for i, text in enumerate(texts))
    return {i for i, flag in enumerate(kept) if not flag}


def rensa_and_jaccard(texts: Texts) -> set[int]:
    """rensa's LSH with bands for a recall of .99, every candidate compared by exact Jaccard: no common wording."""
    from rensa import RMinHash, RMinHashLSH  # type: ignore[attr-defined]

    bands, length = plan_bands(NEAR_ENOUGH)
    index = RMinHashLSH(NEAR_ENOUGH, bands * length, bands)
    removed: set[int] = set()
    for start in range(0, len(texts), 10_000):
        tokens = [_joined(text) for text in texts[start : start + 10_000]]
        for number, sketch in enumerate(RMinHash.from_token_sets(tokens, num_perm=bands * length, seed=42), start):
            mine = None
            for other in sorted(index.query(sketch)):
                if other not in removed:
                    mine = mine or set(_joined(texts[number]))
                    if jaccard(mine, set(_joined(texts[other]))) >= NEAR_ENOUGH:
                        removed.add(number)
                        break
            index.insert(number, sketch)
    return removed


def datasketch_and_jaccard(texts: Texts) -> set[int]:
    """datasketch's LSH, 128 permutations, every candidate compared by exact Jaccard."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]

    index = MinHashLSH(threshold=NEAR_ENOUGH, num_perm=128)
    removed: set[int] = set()
    for number, text in enumerate(texts):
        tokens = set(_joined(text))
        sketch = MinHash(num_perm=128)
        sketch.update_batch([token.encode() for token in tokens])
        for other in sorted(index.query(sketch)):
            if other not in removed and jaccard(tokens, set(_joined(texts[other]))) >= NEAR_ENOUGH:
                removed.add(number)
                break
        index.insert(number, sketch)
    return removed


def text_dedup(python: str) -> Callable[[Texts], set[int]]:
    """text-dedup's minhash in another environment; it verifies nothing."""

    def run(texts: Texts) -> set[int]:
        with TemporaryDirectory() as folder:
            (Path(folder) / "texts.jsonl").write_text("\n".join(json.dumps({"i": i, "text": t}) for i, t in enumerate(texts)))  # fmt: skip
            subprocess.run([python, "-c", _TEXT_DEDUP], cwd=folder, check=True, capture_output=True)
            kept = {int(line) for line in (Path(folder) / "kept.txt").read_text().split()}
        return set(range(len(texts))) - kept

    return run


_TEXT_DEDUP = """
import runpy, sys, datasets
datasets.Dataset.from_json("texts.jsonl").save_to_disk("data")
sys.argv = ["minhash", "--path", "data", "--local", "--output", "out", "--column", "text", "--ngram", "3",
            "--threshold", "0.8", "--num_perm", "128", "--min_length", "1", "--num_proc", "1", "--cache_dir", "cache"]
try:
    runpy.run_module("text_dedup.minhash", run_name="__main__")
except SystemExit as stop:
    if stop.code: raise
open("kept.txt", "w").write(" ".join(map(str, datasets.load_from_disk("out")["i"])))
"""


# --- tables ----------------------------------------------------------------------------------------


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _measured(name: str, tool: Callable[[Texts], set[int]], texts: Texts, truth: Pairs) -> None:
    """One line of the table. Every tool runs in a process of its own, so that memory is its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        before, base = _cpu(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            removed: object = sorted(tool(texts))
        except Exception as error:
            removed = f"{type(error).__name__}: {error}"
        used = _cpu() - before
        peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        with os.fdopen(write, "w") as out:
            json.dump([used, max(peak - base, 0) // 1024, removed], out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        used, peak, removed = json.load(answer)
    os.waitpid(child, 0)
    if isinstance(removed, str):
        print(f"| {name} | failed: {removed[:100]} | | | | |", flush=True)
        return
    gone = set(removed)
    right = {row for pair in truth for row in pair}
    recall = sum(a in gone or b in gone for a, b in truth) / len(truth)
    precision = len(gone & right) / len(gone) if gone else 1.0
    print(
        f"| {name} | {len(texts) / used:,.0f} | {recall:.3f} | {precision:.3f} | {len(gone):,} | {peak:,} |", flush=True
    )


def peers(scale: float, python: str, only: str) -> None:
    """Sets A, B and C through every tool there is."""
    tools: dict[str, Callable[[Texts], set[int]]] = {
        "tapewright": ours,
        "rensa alone": rensa_alone,
        "rensa + exact Jaccard, bands for recall .99": rensa_and_jaccard,
    }
    if importlib.util.find_spec("datasketch"):
        tools["datasketch + exact Jaccard"] = datasketch_and_jaccard
    if python:
        tools["text-dedup"] = text_dedup(python)
    with TemporaryDirectory() as folder:
        for name in only:
            count, planted = {"A": (100_000, 10_000), "B": (20_000, 2_000), "C": (200_000, 20_000)}[name]
            count, planted = round(count * scale), round(planted * scale)
            if name == "C":
                texts, pairs = own_documents(count, planted, Path(folder))
            else:
                texts, pairs = (random_documents if name == "A" else template_documents)(count, planted)
            texts = [normal(text) for text in texts]
            truth = true_pairs(texts, pairs, set() if name == "A" else common_triples(texts))
            print(f"\n{name}: {count:,} documents, {planted:,} planted, {len(truth):,} of them alike enough\n")
            print("| tool | documents per CPU-second | recall | precision | removed | MiB above the texts |\n|---|---:|---:|---:|---:|---:|")  # fmt: skip
            for tool, run in tools.items():
                slow = ("rensa + exact", "datasketch") if name == "B" else ("datasketch",) if name == "C" else ()
                if tool.startswith(slow or "-") and scale > 0.25:
                    _measured(f"{tool} (2,000 of them)", run, *_part(texts, truth, 2_000))
                else:
                    _measured(tool, run, texts, truth)


def _part(texts: Texts, truth: Pairs, count: int) -> tuple[Texts, Pairs]:
    """The planted pairs at the end and as many texts as fit: where a tool compares all with all."""
    chosen = [row for pair in truth[: count // 10] for row in pair]
    rest = [row for row in range(len(texts)) if row not in set(chosen)][: count - len(chosen)]
    places = {row: place for place, row in enumerate((*rest, *chosen))}
    return [texts[row] for row in places], [(places[a], places[b]) for a, b in truth[: count // 10]]


def write_rows(path: Path, count: int, words: int) -> None:
    """Rows of random words, a tenth of them near copies of an earlier row."""
    rng = np.random.default_rng(7)
    vocabulary = np.array(_words(random.Random(7), 50_000))
    with path.open("w", encoding="utf-8") as out:
        for start in range(0, count, 10_000):
            size = min(10_000, count - start)
            drawn = rng.integers(0, len(vocabulary), (size, words))
            copied = rng.integers(0, size, size // 10)
            drawn[rng.choice(size, size // 10, replace=False)] = drawn[copied]
            drawn[np.arange(size), rng.integers(0, words, size)] = rng.integers(0, len(vocabulary), size)
            for number, row in enumerate(vocabulary[drawn], start):
                text = " ".join(row)
                out.write(f'{{"id": "r{number}", "instruction": "Say it.", "input": "", "output": "{text}"}}\n')


def growth(least: int, most: int, words: int, workers: Iterable[int]) -> None:
    """The whole command from 10^4 rows up: CPU, wall time, peak memory of the largest process, scratch space."""
    print("| rows | workers | rows per CPU-second | wall s | peak MiB | scratch MiB | removed |\n|---:|---:|---:|---:|---:|---:|---:|")  # fmt: skip
    count = least
    while count <= most:
        with TemporaryDirectory() as folder:
            source = Path(folder) / "rows.jsonl"
            write_rows(source, count, words)
            for processes in workers:
                _grown(source, count, processes)
        count *= 10


def _grown(source: Path, count: int, processes: int) -> None:
    out = source.parent / "out.jsonl"
    command = [
        sys.executable,
        "cli.py",
        "dedup",
        str(source),
        "-o",
        str(out),
        "-j",
        str(processes),
        "--keep",
        "longest",
    ]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    peak = scratch = 0
    while process.poll() is None:
        peak = max(peak, _anonymous(process.pid))
        scratch = max(scratch, sum(p.stat().st_size for p in source.parent.rglob("*.bin") if p.exists()))
        time.sleep(0.2)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = (process.stderr.read() if process.stderr else "").splitlines()
    removed = next(
        (found[1] for line in told if (found := re.search(r"([\d,]+) removed", line))), told[-1] if told else ""
    )
    print(f"| {count:,} | {processes} | {count / used:,.0f} | {wall:.1f} | {peak >> 10:,} | {scratch >> 20:,} | {removed} |", flush=True)  # fmt: skip


def _anonymous(pid: int) -> int:
    """KiB a process holds, pages of files not counted."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def seeds(rows: int) -> None:
    """Three seeds of `generate` held against each other: exact pairs, near pairs, twins."""
    from itertools import chain

    from tapewright.inputs import read_items

    with TemporaryDirectory() as folder:
        names = []
        for seed in (42, 999, 777):
            names.append(str(Path(folder) / f"{seed}.jsonl"))
            command = [sys.executable, "cli.py", "generate", "-n", str(rows), "--seed", str(seed), "-j", "2"]
            subprocess.run([*command, "-o", names[-1]], check=True, capture_output=True)
        records = [item.record for item in chain.from_iterable(map(read_items, names))]
        texts = [normal(f"{row['instruction']} {row['input']} {row['output']}") for row in records]
        print(f"{len(texts):,} rows, {rows:,} of each seed")
        print(f"| exact pairs | {len(texts) - len({text.casefold() for text in texts}):,} |")
        for name, slots in (("near pairs, common wording kept", False), ("near pairs as `dedup` counts them", True)):
            found = near_pairs(texts, slots)
            print(f"| {name} | {len(found):,} | {len(found) / len(texts):.3%} of rows |")
        groups = [{row["group"] for row in records[i * rows : (i + 1) * rows] if row["group"]} for i in range(3)]
        facts = [{row["facts"] for row in records[i * rows : (i + 1) * rows]} for i in range(3)]
        for first, second in ((0, 1), (0, 2), (1, 2)):
            shared = len(groups[first] & groups[second])
            print(f"| seeds {first + 1} and {second + 1}: time blocks in both | {shared:,} of {len(groups[first]):,} |")
            print(f"| … rows with the same facts | {len(facts[first] & facts[second]):,} |")


def near_pairs(texts: Texts, slots: bool) -> list[tuple[int, int]]:
    """Near pairs by shingles alone, or as `dedup` tells them."""
    from validators.duplicates import near as search
    from validators.duplicates.common import nothing_common
    from validators.duplicates.likeness import Judge

    class Plain(Judge):
        """Numbers count for nothing."""

        def _sets(self, name: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            held = super()._sets(name, rows)
            return held if name == "shingles" else (held[0][:0], held[0][:0])

    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        for start in range(0, len(texts), 500):
            some = [passage_of_text(text) for text in texts[start : start + 500]]
            spool.append(Marks.of(some, range(start, start + len(some))))
        ranks = Ranks(spool.column("size"), np.zeros(spool.rows, dtype=bool))
        kept = search.find_common, search.Judge
        if not slots:
            search.find_common, search.Judge = (lambda *_: nothing_common()), Plain
        try:
            return sorted(Search(spool, np.ones(spool.rows, dtype=bool), ranks, NEAR_ENOUGH).run().near)
        finally:
            search.find_common, search.Judge = kept


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["peers", "growth", "seeds"])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="ABC")
    parser.add_argument("--text-dedup", default="", metavar="PYTHON")
    parser.add_argument("--least", type=int, default=10_000)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=60)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--rows", type=int, default=10_000)
    chosen = parser.parse_args()
    if chosen.what == "peers":
        peers(chosen.scale, chosen.text_dedup, chosen.only)
    elif chosen.what == "growth":
        growth(chosen.least, chosen.most, chosen.words, [int(count) for count in chosen.workers.split(",")])
    else:
        seeds(chosen.rows)


if __name__ == "__main__":
    main()
