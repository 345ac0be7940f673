"""What happened after each plan: a sidecar that is never a fact, never in a row, never trained on.

Market plans fill at the open of the next candle, limits when a later candle trades through them
before they expire. If one candle touches stop and target, the stop counts first and the candle is
called ambiguous. What is still open after `HORIZON_BARS` is closed at that close. Unfilled limits
are no trades. Results are in R, net of the stated taker fee on both fills and slippage at entry.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from market.candles import Series
from market.tape import load
from tapewright import files
from tapewright.shapes import from_record
from tapewright.streams import stream

HORIZON_BARS = 60
RESAMPLES = 1000


def write_outcomes(paths: list[Path], source: str, target: Path) -> list[dict[str, Any]]:
    """Write one JSONL line per plan and return the expectancy table.

    A line has the row's id, rule, frame, symbol, side, filled, net_r, bars, ambiguous, and
    random_r: the mean of both directions with the same distances.
    """
    tape = load(source)
    lines: list[dict[str, Any]] = []
    for path in paths:
        for _, record in files.read_records(path):
            row = from_record(record)
            facts = row.facts
            if row.task_type != "trade_recommendation" or facts.get("verdict") not in ("long", "short"):
                continue
            series = tape.series(facts["venue"], facts["symbol"], facts["frame"])
            lines.append({"id": record["id"], "group": row.group, **follow(facts, series)})
    with files.whole(target) as stream_out:
        stream_out.write(files.encode_lines(lines))
    return expectancy(lines)


def follow(facts: dict[str, Any], series: Series) -> dict[str, Any]:
    """The outcome of one plan on the candles after its moment."""
    moment = int(datetime.strptime(facts["as_of"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp())
    start = series.index_as_of(moment) + 1
    factor = facts.get("price_factor", 1.0)
    entry, stop, target = (facts[name] / factor for name in ("entry", "stop", "target"))
    fee, slip = facts["taker_fee"] / 100, facts["slippage"] / 100
    long = facts["verdict"] == "long"
    base = {"rule": facts["rule"], "frame": facts["frame"], "symbol": facts["symbol"], "side": facts["verdict"]}
    limit = facts["rule"] == "pullback"
    filled = _fill(series, start, entry, long, facts["expiry_bars"] if limit else 0)
    if filled is None:
        return {**base, "filled": False, "net_r": None, "bars": 0, "ambiguous": False, "random_r": None}
    index, price = filled
    net, bars, ambiguous = _exit(series, index, price, stop, target, long, fee, slip)
    # the other direction with the same distances, from the same fill
    other, _, _ = _exit(series, index, price, 2 * price - stop, 2 * price - target, not long, fee, slip)
    return {
        **base,
        "filled": True,
        "net_r": round(net, 4),
        "bars": bars,
        "ambiguous": ambiguous,
        "random_r": round((net + other) / 2, 4),
    }


def _fill(series: Series, start: int, entry: float, long: bool, expiry_bars: int) -> tuple[int, float] | None:
    if start >= series.n:
        return None
    if not expiry_bars:
        return start, series.columns["open"][start]
    for index in range(start, min(start + expiry_bars, series.n)):
        if series.columns["low"][index] <= entry if long else series.columns["high"][index] >= entry:
            opened = series.columns["open"][index]
            return index, min(opened, entry) if long else max(opened, entry)
    return None


def _exit(
    series: Series, start: int, price: float, stop: float, target: float, long: bool, fee: float, slip: float
) -> tuple[float, int, bool]:
    """(net R, bars held, whether one candle touched both)."""
    sign = 1 if long else -1
    risk = abs(price - stop)
    low, high, close = (series.columns[name] for name in ("low", "high", "close"))
    last = min(start + HORIZON_BARS, series.n) - 1
    out, ambiguous, index = close[last], False, last
    for index in range(start, last + 1):
        stopped = low[index] <= stop if long else high[index] >= stop
        reached = high[index] >= target if long else low[index] <= target
        if stopped or reached:
            out, ambiguous = (stop if stopped else target), stopped and reached
            break
    costs = price * (fee + slip) + out * fee
    return ((out - price) * sign - costs) / max(risk, 1e-12), index - start + 1, ambiguous


def expectancy(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Net expectancy per rule and frame (all symbols), then per symbol, with a time-block bootstrap interval."""
    cells: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["filled"]:
            cells[line["rule"], line["frame"], "all"].append(line)
            cells["all", line["frame"], line["symbol"]].append(line)
            cells["all", "all", "all"].append(line)
    table = []
    for (rule, frame, symbol), trades in sorted(cells.items()):
        if len(trades) < 20:
            continue
        low, high = _interval(trades)
        table.append({
            "rule": rule, "frame": frame, "symbol": symbol, "trades": len(trades),
            "net_r": round(fmean(t["net_r"] for t in trades), 4), "low": low, "high": high,
            "random_r": round(fmean(t["random_r"] for t in trades), 4),
        })  # fmt: skip
    return table


def _interval(trades: list[dict[str, Any]]) -> tuple[float, float]:
    """95 % of the means when whole time blocks are drawn with replacement."""
    blocks: dict[str, list[float]] = defaultdict(list)
    for trade in trades:
        blocks[trade["group"]].append(trade["net_r"])
    sums = [(sum(values), len(values)) for _, values in sorted(blocks.items())]
    rng = stream("bootstrap", len(sums))
    means = []
    for _ in range(RESAMPLES):
        drawn = [rng.pick(sums) for _ in sums]
        means.append(sum(s for s, _ in drawn) / sum(n for _, n in drawn))
    means.sort()
    return round(means[int(0.025 * RESAMPLES)], 4), round(means[int(0.975 * RESAMPLES) - 1], 4)
