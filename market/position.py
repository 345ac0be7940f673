"""Quantities of an open position: margin, liquidation, loss at the stop, funding, the risk score."""

from typing import Any

from market import margin, rubric, sizing
from market.quantities import Quantities, formula


def _is_long(q: Quantities) -> bool:
    return q["side"] == "long"


@formula("notional", "usdt")
def notional(q: Quantities, _: str) -> float:
    return margin.position_value(q["size"], q["entry"])


@formula("initial_margin", "usdt")
def initial_margin(q: Quantities, _: str) -> float:
    return q["notional"] / q["leverage"]


@formula("margin_pct", "pct")
def margin_pct(q: Quantities, _: str) -> float:
    """Isolated margin as per cent of equity: what a position without a working stop can lose."""
    return q["initial_margin"] / q["equity"] * 100


@formula("exposure", "ratio")
def exposure(q: Quantities, _: str) -> float:
    return q["notional"] / q["equity"]


@formula("liquidation", "price")
def liquidation(q: Quantities, _: str) -> float | None:
    """Mark-based estimate, isolated margin only; None where the position cannot be liquidated."""
    if q["margin_mode"] != "isolated":
        return None
    return margin.liquidation_price(
        q["size"], q["entry"], q["leverage"], q["mmr"] / 100, _is_long(q), deduction=q["deduction"]
    )


@formula("liquidation_gap_pct", "pct")
def liquidation_gap_pct(q: Quantities, _: str) -> float:
    """Distance from the mark price to liquidation in per cent of the mark."""
    return abs(q["mark"] - q["liquidation"]) / q["mark"] * 100


@formula("liquidation_gap_atr", "atr")
def liquidation_gap_atr(q: Quantities, _: str) -> float:
    return abs(q["mark"] - q["liquidation"]) / q["atr_14@1d"]


@formula("stop_distance", "price")
def stop_distance(q: Quantities, _: str) -> float:
    return sizing.risk_per_unit(q["entry"], q["stop"])


@formula("stop_gap_pct", "pct")
def stop_gap_pct(q: Quantities, _: str) -> float:
    """Distance from entry to stop in per cent of the entry."""
    return q["stop_distance"] / q["entry"] * 100


@formula("loss_usdt", "usdt")
def loss_usdt(q: Quantities, _: str) -> float:
    """Loss at the stop with taker fees on both fills."""
    fee = q["taker_fee"] / 100
    return q["size"] * (q["stop_distance"] + sizing.costs_per_unit(q["entry"], q["stop"], fee, 0.0))


@formula("loss_pct", "pct")
def loss_pct(q: Quantities, _: str) -> float:
    return q["loss_usdt"] / q["equity"] * 100


@formula("room", "price")
def room(q: Quantities, _: str) -> float:
    """From stop to liquidation, negative when liquidation comes first."""
    gap = q["stop"] - q["liquidation"]
    return gap if _is_long(q) else -gap


@formula("room_atr", "atr")
def room_atr(q: Quantities, _: str) -> float:
    return q["room"] / q["atr_14@1d"]


@formula("stop_state", "label")
def stop_state(q: Quantities, _: str) -> str:
    """none, beyond (liquidation first), close (within 0.25 daily ATR) or works."""
    if q.get("stop") is None:
        return "none"
    if q["room"] <= 0:
        return "beyond"
    return "close" if q["room"] < 0.25 * q["atr_14@1d"] else "works"


@formula("funding_stamp", "usdt")
def funding_stamp(q: Quantities, _: str) -> float:
    """What the position pays at one stamp; negative when it receives."""
    return margin.funding_payment(q["size"], q["mark"], q["funding_rate"] / 100, _is_long(q))


@formula("funding_day", "usdt")
def funding_day(q: Quantities, _: str) -> float:
    stamps = 24 / q["funding_interval_h"]
    return margin.funding_payment(q["size"], q["mark"], q["funding_rate"] / 100, _is_long(q)) * stamps


@formula("funding_pct_margin", "pct")
def funding_pct_margin(q: Quantities, _: str) -> float:
    return q["funding_day"] / q["initial_margin"] * 100


def _score(q: Quantities) -> rubric.Score:
    state = q["stop_state"]
    works = state in ("works", "close")
    return rubric.risk_score(
        q["loss_pct"] if works else q["margin_pct"],
        q["room_atr"] if works else q["liquidation_gap_atr"],
        q["exposure"],
        stop_works=works,
        funding_pct_margin_day=q["funding_pct_margin"],
    )


@formula("score", "int")
def score(q: Quantities, _: str) -> int:
    return _score(q).score


@formula("driver", "label")
def driver(q: Quantities, _: str) -> str:
    return _score(q).driver


@formula("limit_usdt", "usdt")
def limit_usdt(q: Quantities, _: str) -> float:
    """The loss the account's own limit allows on one position."""
    return q["equity"] * q["limit_pct"] / 100


@formula("size_cap", "lot")
def size_cap(q: Quantities, _: str) -> float:
    """The largest size whose loss at the stop, fees included, stays inside the limit."""
    return sizing.position_size(q["limit_usdt"], q["entry"], q["stop"], q["taker_fee"] / 100)


@formula("limit_state", "label")
def limit_state(q: Quantities, _: str) -> str | None:
    """Whether the loss at a working stop is inside the account's own limit."""
    if q["stop_state"] not in ("works", "close"):
        return None
    return "over" if q["loss_pct"] > q["limit_pct"] else "inside"


@formula("gap", "label")
def gap(q: Quantities, _: str) -> str | None:
    """The first thing missing that keeps a position from being assessed or a plan from being sized in full."""
    if q.given.get("rule") is not None:
        if q["verdict"] == "no_trade":
            return None
        return "equity" if q.get("equity") is None else "budget" if q.get("limit_pct") is None else None
    if q.given.get("size") is None or q.given.get("entry") is None:
        return None
    mode = q.get("margin_mode")
    if mode != "isolated":
        return "cross" if mode == "cross" else "mode"
    for name, missing in (("mmr", "rate"), ("equity", "equity"), ("funding_interval_h", "interval")):
        if q.get(name) is None:
            return missing
    return None


@formula("stop_nearest", "price")
def stop_nearest(q: Quantities, _: str) -> Any:
    """The stop that leaves 0.25 daily ATR before liquidation; None where the mark is there already."""
    gap, mark = 0.25 * q["atr_14@1d"], q.get("mark")
    price = q.up(q["liquidation"] + gap) if _is_long(q) else q.down(q["liquidation"] - gap)
    if mark is not None and (price >= mark if _is_long(q) else price <= mark):
        return None
    return price
