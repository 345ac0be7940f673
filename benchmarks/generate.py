"""How fast rows are made, where the time goes, and how fast others write a row of the same size.

    python -m benchmarks.generate [--rows 5000] [--with-data-designer PYTHON]

Rows per second of CPU time, one process, one run, market data already loaded; templates are compiled
inside the measured time, as in a short run. The nine-field row is one wording of some 510
characters: six fields drawn, three computed from them. The others write it; ours also reads it
back and checks it. NVIDIA Data Designer runs without a model in an environment of its own
(`python -m venv X && X/bin/pip install data-designer`, then `--with-data-designer X/bin/python`).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import orjson

from generators.config import Config
from generators.make import Maker
from generators.produce import places, prepare
from generators.registry import list_tasks, resolve_weights
from market.quantity import quantise
from market.sizing import reward_risk
from market.tape import load
from tapewright import files
from tapewright.rows import Row, identity, to_record
from tapewright.streams import Stream, stream

ROOT = Path(__file__).parent.parent

# --- our rows ------------------------------------------------------------------------------------


def _make_and_write(weights: dict[str, float], shape: str, rows: int, seed: int) -> float:
    """CPU seconds to make, check and encode `rows` rows."""
    tape = load()
    config, splits = prepare(Config(rows, seed, tuple(weights.items()), shape=shape, version="bench"), tape)
    maker = Maker(config, tape, splits)
    started = time.process_time()
    seen = set()
    for place in places(config):
        row = maker.make(*place).row
        seen.add(identity(row))
        files.encode_lines([to_record(row, shape, place[2])])
    return time.process_time() - started


def our_rates(rows: int) -> Iterator[tuple[str, str, float, float]]:
    """(what, shape, rows per CPU-second from cold templates, the same warm)."""
    mixes = {task: {task: 1.0} for task in list_tasks()} | {"default mix": resolve_weights(None)}
    for shape in ("alpaca", "preference"):
        for name, weights in mixes.items():
            cold = _make_and_write(weights, shape, rows, 1)
            warm = _make_and_write(weights, shape, rows, 2)
            yield name, shape, rows / cold, rows / warm


class Clock:
    """CPU time per stage; a stage entered inside another takes its time from the outer one."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._stack: list[str] = ["rest"]
        self._last = time.process_time()

    def _tick(self) -> None:
        now = time.process_time()
        self.spent[self._stack[-1]] += now - self._last
        self._last = now

    def timed(self, stage: str, call: Callable) -> Callable:
        """`call` with its time booked to `stage`."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self._tick()
            self._stack.append(stage)
            try:
                return call(*args, **kwargs)
            finally:
                self._tick()
                self._stack.pop()

        return wrapper

    def stop(self) -> dict[str, float]:
        self._tick()
        return dict(self.spent)


_STAGES = {
    "draw": ("generators.make.Maker._draw",),
    "render": ("generators.make.Maker._render", "generators.defects.registry.render"),
    "read": ("generators.make.read_prompt", "validators.context.read_claims", "validators.context.read_equations"),
    "compare": ("generators.make.check_answer", "generators.make.check_prompt", "generators.pairs.check_answer"),
    "write": ("benchmarks.generate.to_record", "tapewright.files.encode_lines", "benchmarks.generate.identity"),
}


def our_stages(rows: int, shape: str) -> dict[str, float]:
    """Share of CPU time per stage on the default mix, templates warm."""
    import importlib

    weights = resolve_weights(None)
    _make_and_write(weights, shape, min(rows, 1000), 3)
    here = sys.modules[__name__]
    clock = Clock()
    with ExitStack() as stack:
        for stage, names in _STAGES.items():
            for name in names:
                owner_name, _, attribute = name.rpartition(".")
                if owner_name == "benchmarks.generate":
                    owner: Any = here
                elif owner_name.endswith("Maker"):
                    owner = Maker
                else:
                    owner = importlib.import_module(owner_name)
                stack.enter_context(patch.object(owner, attribute, clock.timed(stage, getattr(owner, attribute))))
        clock.spent.clear()
        clock._last = time.process_time()
        _make_and_write(weights, shape, rows, 4)
        spent = clock.stop()
    total = sum(spent.values())
    return {stage: spent.get(stage, 0.0) / total for stage in (*_STAGES, "rest")}


# --- the nine-field row --------------------------------------------------------------------------

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")
INSTRUCTION = "State the stop distance, the target distance and the reward/risk of this {{ side }} plan for {{ symbol }}, and what can go wrong."
INPUT = (
    "Plan for {{ symbol }}: {{ side }}, entry {{ entry }}, stop {{ stop }}, target {{ target }}, size {{ size }} units. "
    "Prices are in USDT, before costs."
)
OUTPUT = (
    "The plan is {{ side }} from an entry of {{ entry }}. The stop at {{ stop }} lies at a stop distance of {{ stop_distance }} USDT, "
    "the target at {{ target }} at a target distance of {{ target_distance }} USDT, so reward/risk is {{ reward_risk }} before costs. "
    "The main risk is a gap through the stop at {{ stop }}, where a size of {{ size }} units fills late."
)
FIELDS = ("symbol", "side", "entry", "stop_distance", "target_distance", "size", "stop", "target", "reward_risk")


def _computed(drawn: dict[str, Any]) -> dict[str, Any]:
    sign = 1 if drawn["side"] == "long" else -1
    stop = quantise(drawn["entry"] - sign * drawn["stop_distance"], 1)
    target = quantise(drawn["entry"] + sign * drawn["target_distance"], 1)
    return drawn | {
        "stop": stop,
        "target": target,
        "reward_risk": quantise(reward_risk(drawn["entry"], stop, target), 2),
    }


def _drawn(rng: Stream) -> dict[str, Any]:
    return _computed({
        "symbol": rng.pick(SYMBOLS), "side": rng.pick(("long", "short")), "entry": quantise(rng.between(400, 900), 1),
        "stop_distance": quantise(rng.between(5, 40), 1), "target_distance": quantise(rng.between(30, 90), 1),
        "size": quantise(rng.between(0.1, 9), 2),
    })  # fmt: skip


def plain_jinja(rows: int) -> float:
    """A template compiled once and a stream per row."""
    import jinja2

    template = jinja2.Environment().from_string(f"{INSTRUCTION}\n{INPUT}\n{OUTPUT}")
    started = time.process_time()
    for index in range(rows):
        orjson.dumps({"text": template.render(_drawn(stream(42, "bench", index)))})
    return time.process_time() - started


def faker_jinja(rows: int) -> float:
    """Faker for the fields, a template compiled once for the text."""
    import jinja2
    from faker import Faker

    template = jinja2.Environment().from_string(f"{INSTRUCTION}\n{INPUT}\n{OUTPUT}")
    fake = Faker()
    fake.seed_instance(42)
    started = time.process_time()
    for _ in range(rows):
        fields = _computed({
            "symbol": fake.random_element(SYMBOLS), "side": fake.random_element(("long", "short")),
            "entry": fake.pyfloat(min_value=400, max_value=900, right_digits=1),
            "stop_distance": fake.pyfloat(min_value=5, max_value=40, right_digits=1),
            "target_distance": fake.pyfloat(min_value=30, max_value=90, right_digits=1),
            "size": fake.pyfloat(min_value=1, max_value=9, right_digits=2),
        })  # fmt: skip
        orjson.dumps({"text": template.render(fields)})
    return time.process_time() - started


def our_engine(rows: int) -> float:
    """Our wording engine, then reader and checker: every number read back from the text and recomputed."""
    from templates.engine import compile_text, render
    from validators.check import check_answer
    from validators.context import read_prompt

    sections = [compile_text(text) for text in (INSTRUCTION, INPUT, OUTPUT)]

    def findings(row: Row) -> list:
        return check_answer(read_prompt(row.instruction, row.input), row.output, generated=True, facts=row.facts)

    def make(index: int) -> Row:
        rng = stream(42, "bench", index)
        facts = _drawn(rng)
        words = {name: f"{value:.2f}" if name in ("size", "reward_risk") else value for name, value in facts.items()}
        instruction, data, output = (render(section, words, rng) for section in sections)
        return Row(instruction, data, output, "bench", "nine", facts=facts)

    # the check is real: it is silent on the row and speaks when one figure of it is changed
    probe = make(0)
    assert not findings(probe), [str(finding) for finding in findings(probe)]
    for name in ("stop_distance", "target_distance", "reward_risk"):
        shown = f"{probe.facts[name]:.2f}" if name == "reward_risk" else str(probe.facts[name])
        wrong = f"{probe.facts[name] + 1:.2f}" if name == "reward_risk" else str(quantise(probe.facts[name] + 1, 1))
        changed = Row(probe.instruction, probe.input, probe.output.replace(shown, wrong), "bench", "nine", facts={})
        assert findings(changed), name
    started = time.process_time()
    for index in range(rows):
        row = make(index)
        assert not (found := findings(row)), (index, str(found[0]), row.output)
        orjson.dumps({"text": f"{row.instruction}\n{row.input}\n{row.output}"})
    return time.process_time() - started


# Run by the interpreter of --with-data-designer; prints rows, CPU seconds, wall seconds and one text.
_DATA_DESIGNER = """
import json, sys, tempfile, time
import data_designer.config as dd
from data_designer.interface import DataDesigner

rows, symbols, text = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
builder = dd.DataDesignerConfigBuilder(model_configs=[])

def sampled(name, kind, params):
    builder.add_column(dd.SamplerColumnConfig(name=name, sampler_type=kind, params=params))

def uniform(low, high, places):
    return dd.SamplerType.UNIFORM, dd.UniformSamplerParams(low=low, high=high, decimal_places=places)

sampled("symbol", dd.SamplerType.CATEGORY, dd.CategorySamplerParams(values=symbols))
sampled("side", dd.SamplerType.CATEGORY, dd.CategorySamplerParams(values=["long", "short"]))
sampled("entry", *uniform(400, 900, 1))
sampled("stop_distance", *uniform(5, 40, 1))
sampled("target_distance", *uniform(30, 90, 1))
sampled("size", *uniform(0.1, 9, 2))
for name, expression in (
    ("stop", "{{ (entry - stop_distance if side == 'long' else entry + stop_distance) | round(1) }}"),
    ("target", "{{ (entry + target_distance if side == 'long' else entry - target_distance) | round(1) }}"),
    ("reward_risk", "{{ (target_distance / stop_distance) | round(2) }}"),
    ("text", text),
):
    builder.add_column(dd.ExpressionColumnConfig(name=name, expr=expression))
with tempfile.TemporaryDirectory() as folder:
    designer = DataDesigner(artifact_path=folder, auto_configure_logging=False)
    cpu, wall = time.process_time(), time.perf_counter()
    data = designer.create(builder, num_records=rows, dataset_name="nine").load_dataset()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps([len(data), cpu, wall, data["text"].iloc[0]]))
"""


def data_designer(python: str, rows: int) -> tuple[int, float, float, str]:
    """(rows, CPU seconds, wall seconds, a text) of NVIDIA Data Designer on the nine-field row, no model."""
    call = [
        python,
        "-c",
        _DATA_DESIGNER,
        str(rows),
        orjson.dumps(SYMBOLS).decode(),
        f"{INSTRUCTION}\n{INPUT}\n{OUTPUT}",
    ]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"data-designer failed: {done.stderr.strip().splitlines()[-1]}")
    return tuple(orjson.loads(done.stdout.strip().splitlines()[-1]))


# --- from the shell ------------------------------------------------------------------------------


def cold_wall(*arguments: str) -> float:
    """Seconds from the shell's point of view."""
    started = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "cli.py"), *arguments], check=True, capture_output=True, cwd=ROOT)
    return time.perf_counter() - started


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000, help="rows per measurement")
    parser.add_argument("--with-data-designer", metavar="PYTHON", help="interpreter that has data-designer installed")
    options = parser.parse_args()
    rows = options.rows
    load()

    print("| our rows | shape | rows per CPU-s, templates cold | warm |\n|---|---|---:|---:|")
    for name, shape, cold, warm in our_rates(rows):
        print(f"| {name} | {shape} | {cold:,.0f} | {warm:,.0f} |", flush=True)

    print(
        "\n| where the time goes (default mix) | "
        + " | ".join((*_STAGES, "rest"))
        + " |\n|---"
        + "|---:" * (len(_STAGES) + 1)
        + "|"
    )
    for shape in ("alpaca", "preference"):
        print(
            f"| {shape} | " + " | ".join(f"{share:.0%}" for share in our_stages(rows, shape).values()) + " |",
            flush=True,
        )

    probe = _drawn(stream(42, "bench", 0))
    import jinja2

    length = len(jinja2.Template(f"{INSTRUCTION}\n{INPUT}\n{OUTPUT}").render(probe))
    print(f"\n| nine fields, {length} characters | rows per CPU-s | checks its numbers |\n|---|---:|---|")
    print(f"| Jinja compiled once, stream per row | {4 * rows / plain_jinja(4 * rows):,.0f} | no |")
    print(f"| Faker and Jinja | {rows / faker_jinja(rows):,.0f} | no |")
    print(f"| our engine, read back and checked | {4 * rows / our_engine(4 * rows):,.0f} | yes |", flush=True)
    if options.with_data_designer:
        done, cpu, wall, text = data_designer(options.with_data_designer, rows)
        assert len(text) > 0.9 * length, text
        print(
            f"| NVIDIA Data Designer without a model ({done / wall:,.0f} rows/s of wall time) | {done / cpu:,.0f} | no |"
        )
    else:
        print("| NVIDIA Data Designer | not measured: give an interpreter with --with-data-designer | no |")

    print("\n| from the shell, cold | seconds |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        seconds = cold_wall("generate", "-n", "10000", "-j", "2", "-o", f"{folder}/rows.jsonl")
        print(f"| `generate -n 10000 -j 2` | {seconds:.1f} |")
    print(f"| `--help`, median of seven | {median(cold_wall('--help') for _ in range(7)):.2f} |")


if __name__ == "__main__":
    main()
