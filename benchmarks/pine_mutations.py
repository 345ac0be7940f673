"""Single mutations of good scripts, and the share that the checker finds on the right line, give or take one.

Each mutation changes one thing that a compiler refuses; scripts that `generate` writes are mutated beside those of the
tests. Run it as `python -m benchmarks.pine_mutations --count 2000`.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

from generators.pinescript.mutations import KINDS, Subject
from generators.pinescript.program import draw_program
from generators.pinescript.writer import write
from tapewright.streams import stream
from validators.pinescript.check import check_script

SCRIPTS = Path(__file__).parents[1] / "tests" / "data" / "pine"
WRITTEN = 200  # generated scripts among those that are mutated


def measure(
    sources: list[str], count: int, seed: int = 1
) -> tuple[Counter[str], Counter[str], list[tuple[str, str, int, list[str]]]]:
    """Mutants made and killed per kind, and the survivors with what was found in them."""
    rng = random.Random(seed)
    subjects = [Subject(source) for source in sources]
    made: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    survivors = []
    tries = 0
    while made.total() < count and tries < 60 * count:
        tries += 1
        kind = KINDS[tries % len(KINDS)]
        mutant = kind(rng.choice(subjects), rng)
        if mutant is None:
            continue
        source, line, _ = mutant
        found = [problem for problem in check_script(source) if problem.severity == "error"]
        made[kind.__name__] += 1
        if any(abs(problem.line - line) <= 1 for problem in found):
            killed[kind.__name__] += 1
        else:
            survivors.append((kind.__name__, source, line, [str(problem) for problem in found]))
    return made, killed, survivors


def main() -> None:
    """Print the table, and the first survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--show", type=int, default=0, help="survivors to print")
    options = parser.parse_args()
    paths = [*sorted((SCRIPTS / "valid").glob("*.pine")), *sorted((SCRIPTS / "idioms").glob("v[56]*.pine"))]
    sources = [path.read_text(encoding="utf-8") for path in paths]
    sources += [write(draw_program(("strategy", "indicator")[i % 2], stream("mutations", i))) for i in range(WRITTEN)]
    made, killed, survivors = measure(sources, options.count)
    print("| mutation | made | found on the line, ±1 |\n|---|---:|---:|")
    for kind in KINDS:
        name = kind.__name__
        if made[name]:
            print(f"| {name.replace('_', ' ')} | {made[name]} | {killed[name] / made[name]:.1%} |")
    print(f"| all | {made.total()} | {killed.total() / made.total():.2%} |")
    for name, source, line, found in survivors[: options.show]:
        print(f"\n{name}, line {line}: {found}\n" + "\n".join(source.split("\n")[max(0, line - 3) : line + 2]))


if __name__ == "__main__":
    main()
