"""Quantities of a trade plan: four named rules, the gates that refuse a trade, size, costs.

Everything is decided from numbers the prompt shows: the decision frame's indicators, the rule and
its parameters, costs, the account. On the tape none of these rules earns anything after costs on
short frames, so a plan is conditional and claims no edge.

| rule | long when (short mirrored) | entry | stop | target |
|---|---|---|---|---|
| breakout | close above the 20-bar high | close (market) | entry − k·ATR | entry + t·risk |
| pullback | EMA(20) above EMA(50), close above EMA(20), RSI(14) in its band | EMA(20) (limit) | swing low − k·ATR | swing high |
| reversion | close below the lower band and RSI(14) at or under its floor | close (market) | close − k·ATR | middle band |
| range | ADX(14) at or under its cap, close in the lower quarter of the 20-bar range | close (market) | range low − k·ATR | range high |
"""

from typing import Any

from market import sizing
from market.quantities import Missing, Quantities, formula

RULES = ("breakout", "pullback", "reversion", "range")

# Gates in the order they are read; the first that fails is the reason.
GATES = ("stale", "setup", "higher", "tight", "cost", "reward", "size")


def _at(q: Quantities, name: str) -> Any:
    return q[f"{name}@{q['frame']}"]


def _breakout(q: Quantities) -> str | None:
    close = _at(q, "close")
    return "long" if close > _at(q, "high_20") else "short" if close < _at(q, "low_20") else None


def _pullback(q: Quantities) -> str | None:
    close, fast, slow, rsi = (_at(q, name) for name in ("close", "ema_20", "ema_50", "rsi_14"))
    low, high = q["rsi_low"], q["rsi_high"]
    if fast > slow and close > fast and low <= rsi <= high:
        return "long"
    return "short" if fast < slow and close < fast and low <= 100 - rsi <= high else None


def _reversion(q: Quantities) -> str | None:
    close, rsi = _at(q, "close"), _at(q, "rsi_14")
    if close < _at(q, "bb_lower") and rsi <= q["rsi_low"]:
        return "long"
    return "short" if close > _at(q, "bb_upper") and rsi >= q["rsi_high"] else None


def _range(q: Quantities) -> str | None:
    if _at(q, "adx_14") > q["adx_cap"]:
        return None
    close, low, high = (_at(q, name) for name in ("close", "low_20", "high_20"))
    place = (close - low) / (high - low)
    return "long" if 0 <= place <= 0.25 else "short" if 0.75 <= place <= 1 else None


_SETUPS = {"breakout": _breakout, "pullback": _pullback, "reversion": _reversion, "range": _range}


@formula("setup", "label")
def setup(q: Quantities, _: str) -> str:
    """long, short or none: what the rule alone sees."""
    return _SETUPS[q["rule"]](q) or "none"


def _side(q: Quantities) -> str:
    side = q["setup"]
    if side == "none":
        raise Missing("setup")
    return side


def _signed(q: Quantities, distance: float) -> float:
    return distance if _side(q) == "long" else -distance


@formula("entry", "price")
def entry(q: Quantities, _: str) -> float:
    _side(q)
    return _at(q, "ema_20" if q["rule"] == "pullback" else "close")


@formula("stop", "price")
def stop(q: Quantities, _: str) -> float | None:
    long, rule = _side(q) == "long", q["rule"]
    if rule in ("breakout", "reversion"):
        anchor = q["entry"]
    elif rule == "pullback":
        anchor = _at(q, "swing_low" if long else "swing_high")
    else:
        anchor = _at(q, "low_20" if long else "high_20")
    level = anchor - _signed(q, q["stop_multiple"] * _at(q, "atr_14"))
    level = q.down(level) if long else q.up(level)
    return level if level > 0 and (level < q["entry"]) == long else None


@formula("target", "price")
def target(q: Quantities, _: str) -> float | None:
    long, rule = _side(q) == "long", q["rule"]
    if rule == "breakout":
        level = q["entry"] + _signed(q, q["target_multiple"] * q["stop_distance"])
    elif rule == "reversion":
        level = _at(q, "bb_mid")
    elif rule == "pullback":
        level = _at(q, "swing_high" if long else "swing_low")
    else:
        level = _at(q, "high_20" if long else "low_20")
    level = q.shown(level, "price")
    return level if level > 0 and (level > q["entry"]) == long else None


@formula("target_distance", "price")
def target_distance(q: Quantities, _: str) -> float:
    return abs(q["target"] - q["entry"])


@formula("target_gap_pct", "pct")
def target_gap_pct(q: Quantities, _: str) -> float:
    return q["target_distance"] / q["entry"] * 100


@formula("reward_risk", "ratio")
def reward_risk(q: Quantities, _: str) -> float:
    return sizing.reward_risk(q["entry"], q["stop"], q["target"])


@formula("net_reward_risk", "ratio")
def net_reward_risk(q: Quantities, _: str) -> float:
    return sizing.net_reward_risk(q["entry"], q["stop"], q["target"], q["taker_fee"] / 100, q["slippage"] / 100)


@formula("cost_r", "ratio")
def cost_r(q: Quantities, _: str) -> float:
    """Round-trip cost to the stop as a share of the gross risk."""
    cost = sizing.costs_per_unit(q["entry"], q["stop"], q["taker_fee"] / 100, q["slippage"] / 100)
    return cost / q["stop_distance"]


@formula("break_even_pct", "pct")
def break_even_pct(q: Quantities, _: str) -> float:
    return sizing.break_even_rate(q["net_reward_risk"]) * 100


@formula("size", "lot")
def size(q: Quantities, _: str) -> float:
    """Units within the risk budget and within equity × maximum leverage, floored to the lot."""
    by_risk = sizing.position_size(q["limit_usdt"], q["entry"], q["stop"], q["taker_fee"] / 100, q["slippage"] / 100)
    return min(by_risk, q["equity"] * q["leverage_cap"] / q["entry"])


@formula("risk_usdt", "usdt")
def risk_usdt(q: Quantities, _: str) -> float:
    """What the stated size loses at the stop, fees and slippage included."""
    fee, slippage = q["taker_fee"] / 100, q["slippage"] / 100
    return q["size"] * (q["stop_distance"] + sizing.costs_per_unit(q["entry"], q["stop"], fee, slippage))


def _passes(q: Quantities, gate: str) -> bool:
    if gate == "stale":
        return q["data_age_h"] <= q["age_limit_h"]
    if gate == "setup":
        return q["setup"] != "none"
    if gate == "higher":
        if q.get("higher_filter") is None:
            return True
        above = q["close@1d"] > q["ema_50@1d"]
        return above == (q["setup"] == "long")
    if gate == "tight":
        return q["stop_gap_pct"] >= _at(q, "median_range_pct")
    if gate == "cost":
        return q["cost_r"] <= q["cost_cap"]
    if gate == "reward":
        return q["net_reward_risk"] >= q["reward_floor"]
    return q["notional"] >= q["notional_floor"]


@formula("failed_gate", "label")
def failed_gate(q: Quantities, _: str) -> str:
    """The first gate that refuses the trade, or "none". A rule without levels counts as no setup."""
    for gate in GATES:
        try:
            if not _passes(q, gate):
                return gate
        except Missing:
            if gate in ("stale", "setup"):
                raise
            if gate == "size" and q.get("stop") is not None and q.get("limit_usdt") is None:
                continue  # without equity or budget the plan stands and only its size stays open
            return "setup" if q.get("stop") is None or q.get("target") is None else gate
    return "none"


@formula("verdict", "label")
def verdict(q: Quantities, _: str) -> str:
    """long, short or no_trade."""
    return q["setup"] if q["failed_gate"] == "none" else "no_trade"


@formula("side", "label")
def side(q: Quantities, _: str) -> str | None:
    """The direction of a plan that passes every gate."""
    return q["setup"] if q["verdict"] != "no_trade" else None
