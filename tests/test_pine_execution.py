"""Whole scripts on the bundled tape: they run, they do not look ahead, and they fail with one kind of error only."""

import json
import math
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from market.tape import load
from validators.pinescript.check import check_script
from validators.pinescript.execution import ExecutionError, Program, execute

HERE = Path(__file__).parent / "data" / "pine"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "pine" / "valid"
SCRIPTS = sorted(
    [*(HERE / "valid").glob("*.pine"), *(HERE / "idioms").glob("*.pine"), *(HERE / "repaint").glob("*.pine")]
)
BARS = slice(0, 1_000)
LIBRARIES = {
    "someone/Helpers/3": '//@version=5\nlibrary("Helpers")\nexport smooth(float s, simple int n) => ta.ema(s, n)\n'
}
# Bars of a higher frame read ahead: that this is seen is what the test of the future is for.
AHEAD = {"r01_lookahead_on"}


@pytest.fixture(scope="module")
def series():
    return load().series("bybit", "BTCUSDT", "1h")


def run(path, data, bars=None, **options):
    return execute(path.read_text(encoding="utf-8"), data, libraries=LIBRARIES, bars=bars, **options)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_run(path, series):
    found = run(path, series, BARS)
    assert all(len(plot.values) == found.bars == 1_000 for plot in found.plots.values())
    if found.kind == "strategy":
        assert found.orders and len(found.equity) == 1_000
        total = found.initial_capital + sum(trade.profit for trade in found.trades)
        assert found.initial_capital + found.net_profit == pytest.approx(total)
        assert all(trade.entry_bar <= trade.exit_bar for trade in found.trades)
        assert all(
            series.columns["low"][f.bar] - 1 <= f.price <= series.columns["high"][f.bar] + 1 for f in found.orders
        )


def test_a_loop_over_an_empty_array_stops_without_its_guard(series):
    source = (HERE / "idioms" / "v5_arrays_udt_methods.pine").read_text(encoding="utf-8")
    assert execute(source, series, libraries=LIBRARIES, bars=BARS).drawings["line"] > 10
    unguarded = source.replace("if array.size(prices) > 0", "if bar_index >= 0")
    with pytest.raises(ExecutionError, match="index -1 in an array of 0") as caught:
        execute(unguarded, series, libraries=LIBRARIES, bars=BARS)
    line = next(n for n, text in enumerate(unguarded.split("\n"), 1) if "array.get(prices, i)" in text)
    assert (caught.value.line, caught.value.bar) == (line, 0)


@pytest.mark.parametrize("path", sorted(SHARED.glob("*.pine")), ids=lambda path: path.stem)
def test_shared_scripts_run(path, series):
    assert run(path, series, BARS).bars == 1_000


if not SHARED.is_dir():

    @pytest.mark.skip(reason="no ../shared/pine here")
    def test_shared_scripts():
        pass


def outcome(found, end):
    """Everything a run has said up to bar `end`, as text."""
    plots = {name: plot.values[: end + 1] for name, plot in found.plots.items()}
    fills = [tuple(fill) for fill in found.orders if fill.bar <= end]
    trades = [(t.entry_id, t.entry_bar, t.exit_bar, t.exit_price, t.profit) for t in found.trades if t.exit_bar <= end]
    alerts = [(alert.bar, alert.message) for alert in found.alerts if alert.bar <= end]
    return repr((plots, fills, trades, found.equity[: end + 1], alerts))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_future_changes_nothing(path, series):
    names = ("open", "high", "low", "close", "volume")
    data = {name: np.array(series.columns[name][:400]) for name in names} | {"open_time": list(series.opened[:400])}
    program = Program(path.read_text(encoding="utf-8"), libraries=LIBRARIES)
    # On a chart of hours, in frames of four: what is asked for of other frames is then really of others.
    inputs = (
        {"Higher timeframe": "240", "First": "240"}
        if "tf" in program.compiled.text or program.compiled.requests
        else {}
    )
    program = Program(path.read_text(encoding="utf-8"), libraries=LIBRARIES, inputs=inputs)
    before = program.run(data)
    rng, leaks = np.random.default_rng(11), 0
    for end in (0, 9, 61, 198, 333, 398):
        altered = {name: np.array(values) for name, values in data.items()}
        for name in names:
            altered[name][end + 1 :] *= rng.uniform(0.5, 2.0)
        leaks += outcome(program.run(altered), end) != outcome(before, end)
    assert leaks if path.stem in AHEAD else not leaks


def test_a_shorter_history_gives_the_same_values(series):
    for path in SCRIPTS:
        if path.stem not in AHEAD:
            long, short = run(path, series, slice(0, 500)), run(path, series, slice(0, 300))
            if "barstate.islast" not in path.read_text(encoding="utf-8"):
                assert outcome(long, 299) == outcome(short, 299), path.stem


def _mutated(source, rng):
    """A script with a few words of its own in other places, or left out."""
    words = source.split(" ")
    for _ in range(rng.randint(1, 2)):
        at, other = rng.randrange(len(words)), rng.randrange(len(words))
        words[at] = rng.choice((words[other], "", "na", "0", "close", words[at] + "[1]", "-1", "true", '"a"'))
    return " ".join(words)


def test_no_script_fails_with_anything_but_its_own_error(series):
    rng, ran, failed = random.Random(5), 0, 0
    sources = [path.read_text(encoding="utf-8") for path in SCRIPTS]
    for _ in range(400):
        source = _mutated(rng.choice(sources), rng)
        try:
            execute(source, series, libraries=LIBRARIES, bars=slice(0, 60))
            ran += 1
        except ExecutionError as error:
            assert "\n" not in str(error)[:60] and error.reason
            failed += 1
    assert ran > 20 and failed > 20


def test_what_the_checker_accepts_runs(series):
    """Broken scripts the checker refuses may or may not run; of those it accepts none is unknown to the evaluator."""
    rng = random.Random(9)
    sources = [path.read_text(encoding="utf-8") for path in SCRIPTS if "v4" not in path.stem]
    for _ in range(150):
        source = _mutated(rng.choice(sources), rng)
        if any(problem.severity == "error" for problem in check_script(source)):
            continue
        try:
            execute(source, series, libraries=LIBRARIES, bars=slice(0, 60))
        except ExecutionError as error:
            assert error.bar >= 0 or "before the first bar" in str(error) or "is not here" in str(error), (
                f"{error}\n{source}"
            )


# --- other programs, where somebody has installed them ----------------------------------------------

_PINETS = """
const { PineTS } = require('pinets');
const data = JSON.parse(require('fs').readFileSync(0));
(async () => {
  const run = await new PineTS(data, 'X', '60').run(($) => {
    const { close } = $.data;
    const { ta, plotchar } = $.pine;
    plotchar(ta.ema(close, 20), 'ema');
    plotchar(ta.rsi(close, 14), 'rsi');
    const [line, direction] = ta.supertrend(3, 10);
    plotchar(line, 'line');
  });
  const found = {};
  for (const [name, plot] of Object.entries(run.plots)) found[name] = plot.data.map((point) => point.value);
  console.log(JSON.stringify(found));
})();
"""


def test_values_agree_with_pinets(series):
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", "require('pinets')"], capture_output=True).returncode:
        pytest.skip("needs node and an installed pinets (npm install pinets; NODE_PATH)")
    names = ("open", "high", "low", "close", "volume")
    bars = [
        {name: series.columns[name][i] for name in names}
        | {"openTime": series.opened[i] * 1000, "closeTime": series.opened[i] * 1000 + 3_599_999}
        for i in range(500)
    ]
    said = subprocess.run([node, "-e", _PINETS], input=json.dumps(bars), capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr[-500:]
    theirs = json.loads(said.stdout)
    body = 'plot(ta.ema(close, 20), "ema")\nplot(ta.rsi(close, 14), "rsi")\n[line, d] = ta.supertrend(3, 10)\nplot(line, "line")\n'
    ours = execute(f'//@version=5\nindicator("x")\n{body}', series, bars=slice(0, 500)).plots
    for name in ("ema", "rsi", "line"):
        pairs = [(a, b) for a, b in zip(ours[name].values[100:], theirs[name][100:]) if b is not None]
        assert pairs and all(math.isclose(a, b, rel_tol=1e-6) for a, b in pairs), name


def test_verdicts_agree_with_pine_lint():
    lint = shutil.which("pine-lint")
    if lint is None:
        pytest.skip("needs pine-lint on PATH")
    for path in sorted((HERE / "valid").glob("*.pine")):
        assert subprocess.run([lint, str(path)], capture_output=True, timeout=60).returncode == 0, path.stem
        assert not [
            problem for problem in check_script(path.read_text(encoding="utf-8")) if problem.severity == "error"
        ]
