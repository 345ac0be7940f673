"""Scripts checked per CPU-second, and bars run per CPU-second: python -m benchmarks.pine"""

import time
from collections.abc import Callable
from pathlib import Path

from market.tape import load
from validators.pinescript.check import check_script
from validators.pinescript.execution import ExecutionError, Program

SCRIPTS = Path(__file__).parent.parent / "tests" / "data" / "pine"
LINES, BARS = 60, 1_000
# Sixty lines with what strategies are made of: averages, bands, a state of its own, sizing, a bracket and a trailing stop.
STRATEGY = """//@version=6
strategy("Sixty lines", overlay = true, initial_capital = 10000, default_qty_type = strategy.percent_of_equity, default_qty_value = 10,
     commission_type = strategy.commission.percent, commission_value = 0.055, slippage = 1, pyramiding = 1)
int fastLength = input.int(12, "Fast", minval = 1)
int slowLength = input.int(26, "Slow", minval = 2)
int rsiLength = input.int(14, "RSI", minval = 2)
int atrLength = input.int(14, "ATR", minval = 1)
float stopMult = input.float(2.0, "Stop ATR")
float targetMult = input.float(3.0, "Target ATR")
bool useFilter = input.bool(true, "Filter")
type Setup
    float entry
    float stop
    int bar
var Setup setup = na
var int wins = 0
var array<float> results = array.new<float>()
average(float source, simple int length, simple string kind) =>
    switch kind
        "EMA" => ta.ema(source, length)
        "SMA" => ta.sma(source, length)
        => ta.wma(source, length)
slope(float source, int back) =>
    float change = source - source[back]
    change / back
method risk(Setup this) => math.abs(this.entry - this.stop)
float fast = average(close, fastLength, "EMA")
float slow = average(close, slowLength, "EMA")
float base = average(hl2, 50, "SMA")
float rsi = ta.rsi(close, rsiLength)
float atr = ta.atr(atrLength)
[middle, upper, lower] = ta.bb(close, 20, 2.0)
[macdLine, signalLine, histogram] = ta.macd(close, 12, 26, 9)
[plus, minus, adx] = ta.dmi(14, 14)
float highest = ta.highest(high, 20)[1]
float lowest = ta.lowest(low, 20)[1]
bool trending = not useFilter or adx > 18
bool goLong = ta.crossover(fast, slow) and rsi > 45 and trending and slope(base, 5) > 0
bool goShort = ta.crossunder(fast, slow) and rsi < 55 and trending and slope(base, 5) < 0
if goLong and strategy.position_size == 0
    setup := Setup.new(close, close - stopMult * atr, bar_index)
    strategy.entry("Long", strategy.long)
    strategy.exit("Out", "Long", stop = setup.stop, limit = close + targetMult * atr)
if goShort and strategy.position_size == 0
    setup := Setup.new(close, close + stopMult * atr, bar_index)
    strategy.entry("Short", strategy.short)
    strategy.exit("Out", "Short", stop = setup.stop, limit = close - targetMult * atr)
if strategy.closedtrades > results.size()
    float gained = strategy.closedtrades.profit(strategy.closedtrades - 1)
    results.push(gained)
    wins += gained > 0 ? 1 : 0
if strategy.position_size != 0 and bar_index - setup.bar > 48
    strategy.close_all(comment = "time")
float rate = results.size() > 0 ? wins / results.size() * 100 : na
plot(fast, "Fast", color = fast > slow ? color.teal : color.maroon)
plot(slow, "Slow")
plot(upper, "Upper"), plot(lower, "Lower"), plot(highest, "High"), plot(lowest, "Low")
plot(rate, "Win rate", display = display.data_window)
bgcolor(histogram > 0 and close > middle ? color.new(color.green, 90) : na)
plotshape(goLong, "Long", shape.triangleup, location.belowbar)
"""


def seconds(work: Callable[[], object], least: float = 0.5) -> float:
    """CPU-seconds of one call, the best of three runs of at least `least` seconds each."""
    best = float("inf")
    for _ in range(3):
        turns, start = 0, time.process_time()
        while (spent := time.process_time() - start) < least:
            work()
            turns += 1
        best = min(best, spent / turns)
    return best


def checked(source: str) -> object:
    """A script checked anew: the checker keeps the last few."""
    check_script.cache_clear()
    return check_script(source)


def measure() -> None:
    """Print the tables."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted((SCRIPTS / "valid").glob("*.pine"))}
    lines = sum(source.count("\n") for source in sources.values())
    spent = seconds(lambda: [checked(source) for source in sources.values()])
    sixty = seconds(lambda: checked(STRATEGY))
    print(f"checker: {lines / LINES / spent:,.0f} scripts of {LINES} lines per CPU-second over {len(sources)} scripts,")
    print(f"         {1 / sixty:,.0f} of the sixty-line strategy\n")
    series = load().series("bybit", "BTCUSDT", "1h")
    print(f"| script | lines | compile, ms | {BARS:,} bars, ms | bars per CPU-second |\n|---|---:|---:|---:|---:|")
    for name, source in {"sixty lines": STRATEGY, **sources}.items():
        try:
            program = Program(source)
            run = seconds(lambda: program.run(series, bars=slice(0, BARS)), 0.2)  # noqa: B023
        except ExecutionError as error:
            print(f"| {name} | {error} |")
            continue
        made = seconds(lambda: Program(source), 0.2)  # noqa: B023
        count = source.count("\n")
        print(f"| {name} | {count} | {made * 1e3:.1f} | {run * 1e3:.1f} | {BARS / run:,.0f} |", flush=True)


if __name__ == "__main__":
    measure()
