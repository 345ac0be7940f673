"""Many generated scripts: each checked, read back, and run on the tape; how many programs differ, and how many trade.

`python -m benchmarks.pine_scripts --count 10000` prints the table; `--write` puts twenty of them into docs/pinescript.md.
"""

import argparse
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from generators.pinescript.program import Program, draw_program
from generators.pinescript.words import facts_of
from generators.pinescript.writer import write
from market.candles import Series
from market.tape import load
from tapewright.errors import TapewrightError
from tapewright.streams import stream
from validators.pinescript.check import check_script
from validators.pinescript.execution import execute
from validators.pinescript.reading import read_script

PAGE = Path(__file__).parents[1] / "docs" / "pinescript.md"
BARS = 2_000
SHOWN = 20
_FRAMES = {"15m": ("1h", "60"), "1h": ("1h", "60"), "4h": ("4h", "240"), "1d": ("1d", "D")}
_STRING = re.compile(r'"[^"]*"')
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*|(?<![\w.])\d+(?:\.\d+)?")


def programs(count: int, seed: int) -> Iterator[Program]:
    """`count` programs, two strategies to each indicator."""
    for index in range(count):
        yield draw_program("indicator" if index % 3 == 2 else "strategy", stream("pine", seed, index))


def masked(source: str) -> str:
    """The script without comments, with texts and numbers blanked and its own names numbered as they come."""
    code = _STRING.sub('""', "\n".join(line for line in source.split("\n") if not line.lstrip().startswith("//")))
    own = set(re.findall(r"^\s*(?:var )?(?:\w+(?:<\w+>)? )?(\w+) (?:=|:=) ", code, re.MULTILINE))
    own |= {name for names in re.findall(r"^\[([\w, ]+)\] =", code, re.MULTILINE) for name in names.split(", ")}
    names: dict[str, str] = {}

    def mask(match: re.Match) -> str:
        word = match[0]
        return "0" if word[0].isdigit() else names.setdefault(word, f"n{len(names)}") if word in own else word

    return _WORD.sub(mask, code)


def _series(program: Program, tape) -> tuple[Series, str]:
    frame, period = _FRAMES[program.frame]
    return tape.series("bybit", "BTCUSDT", frame), period


def measure(count: int, seed: int) -> tuple[Counter, list[str]]:
    """Counts over `count` scripts, and the first things that went wrong."""
    tape = load("bundled")
    counts: Counter = Counter()
    wrong: list[str] = []
    shapes: set[str] = set()
    variants: set[str] = set()
    for index, program in enumerate(programs(count, seed)):
        source = write(program)
        counts[program.kind] += 1
        shapes.add(masked(source))
        variants.add(program.variant)
        start = time.process_time()
        problems = check_script(source)
        counts["check_us"] += round(1e6 * (time.process_time() - start))
        facts = facts_of(program)
        reading = read_script(source)
        missing = [call for call in facts["calls"].split("; ") if call and call not in reading.everything.calls]
        sides = set(reading.entries) ^ set(program.sides) if program.kind == "strategy" else set()
        if problems or missing or sides:
            counts["with findings"] += 1
            wrong += [f"{index}: {[*map(str, problems), *missing, *sides]}"]
        series, period = _series(program, tape)
        start = time.process_time()
        try:
            # Every script meets another stretch of the market.
            first = stream("stretch", seed, index).below(max(1, series.n - BARS))
            run = execute(source, series, timeframe=period, bars=slice(first, first + BARS))
        except TapewrightError as error:
            counts["failed"] += 1
            wrong.append(f"{index}: {error}")
            continue
        finally:
            counts["run_us"] += round(1e6 * (time.process_time() - start))
        counts["lines"] += source.count("\n")
        counts["traded"] += bool(run.orders)
        counts["trades"] += len(run.trades)
        empty = [plot.title for plot in run.plots.values() if plot.kind == "plot" and all(v != v for v in plot.values)]
        counts["with an empty plot"] += bool(empty)
    counts["distinct"], counts["variants"] = len(shapes), len(variants)
    return counts, wrong


def _table(counts: Counter, count: int) -> str:
    strategies = counts["strategy"]
    rows = (
        ("scripts", f"{count:,} ({strategies:,} strategies, {counts['indicator']:,} indicators)"),
        ("with a finding of family P, a call, number or side that is not read back", f"{counts['with findings']}"),
        (f"failed on {BARS:,} candles", f"{counts['failed']}"),
        ("distinct programs once numbers, texts, comments and names are masked", f"{counts['distinct']:,}"),
        ("distinct sets of parts and direction", f"{counts['variants']:,}"),
        ("strategies that placed an order on their stretch", f"{counts['traded']:,} ({counts['traded'] / max(strategies, 1):.1%})"),
        ("closed trades", f"{counts['trades']:,}"),
        ("scripts with a line that stayed empty (a stop without a trade, a daily average on few days)", f"{counts['with an empty plot']:,}"),
        ("lines in the mean", f"{counts['lines'] / max(count - counts['failed'], 1):.0f}"),
        ("checked per CPU-second", f"{1e6 * count / max(counts['check_us'], 1):,.0f}"),
        (f"compiled and run on {BARS:,} candles per CPU-second", f"{1e6 * count / max(counts['run_us'], 1):,.0f}"),
    )  # fmt: skip
    return "| | |\n|---|---:|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _page(table: str, seed: int, count: int) -> str:
    shown = []
    seen: set[str] = set()
    for program in programs(400, seed):
        if program.signal.slug not in seen and len(shown) < SHOWN:
            seen.add(program.signal.slug)
            parts = ", ".join(part.slug.replace("_", " ") for part in program.parts[1:])
            shown.append(f"## {len(shown) + 1}. {program.title}\n\n{program.direction}; {parts or 'nothing else'}\n\n```pine\n{write(program)}```")  # fmt: skip
    head = PAGE.read_text(encoding="utf-8").split("<!-- written below -->")[0] if PAGE.exists() else "# PineScript\n\n"
    return (
        f"{head}<!-- written below -->\n\n`python -m benchmarks.pine_scripts --count {count} --write`\n\n{table}\n\n"
        "# Twenty scripts\n\nThe first of as many signals, as they are written.\n\n" + "\n\n".join(shown) + "\n"
    )


def main() -> None:
    """Print the table, and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--write", action="store_true", help="write docs/pinescript.md")
    options = parser.parse_args()
    counts, wrong = measure(options.count, options.seed)
    table = _table(counts, options.count)
    print(table)
    print("\n".join(wrong[:10]))
    if options.write:
        PAGE.write_text(_page(table, options.seed, options.count), encoding="utf-8")


if __name__ == "__main__":
    main()
