"""Conditions in, a conditional plan or an honest no-trade out.

The prompt names a rule, its parameters and the gates; the plan follows from the printed numbers
alone. Of twenty rows eleven are trades, nine are not; five of those nine are twins of a trade that
differ from it in one deciding number. Two of the trades lack what their size needs and say so;
each has a complete twin. Candles are drawn where a rule sees a setup, never by what
came after; `--natural` draws them as they come.
"""

from functools import partial
from typing import Any

import numpy as np

from generators.shown import show_all
from generators.situation import Situation
from generators.world import Moment, World
from market import plan, position, reading  # noqa: F401  registers the formulas
from market.quantities import Quantities
from market.quantity import quantise
from tapewright.streams import Stream

COLUMNS = (
    "close", "change_pct", "ema_20", "ema_50", "rsi_14", "adx_14", "atr_14", "bb_upper", "bb_mid", "bb_lower",
    "high_20", "low_20", "swing_high", "swing_low", "median_range_pct",
)  # fmt: skip
DAILY = ("close", "ema_50")
ANSWER = (
    "setup", "failed_gate", "verdict", "side", "entry", "stop", "target", "stop_distance", "stop_gap_pct",
    "target_distance", "target_gap_pct", "reward_risk", "net_reward_risk", "cost_r", "break_even_pct", "limit_usdt", "size",
    "notional", "exposure", "risk_usdt", "gap",
)  # fmt: skip
TRADE_ONLY = ("entry", "stop", "target", "size")

_FRAMES = ("4h", "1d", "1h")
_FRAME_WEIGHTS = (0.55, 0.35, 0.1)
_HOURS = {"1h": 1, "4h": 4, "1d": 24}
_EQUITIES = (2_000, 3_000, 4_000, 5_000, 7_500, 8_000, 10_000, 12_500, 15_000, 20_000, 25_000, 30_000, 40_000, 60_000, 80_000, 100_000)  # fmt: skip
_STOP_MULTIPLES = {"breakout": (1.2, 3.0), "pullback": (0.2, 1.2), "reversion": (0.8, 2.4), "range": (0.2, 1.2)}
# What a twin changes, by the gate it is to fail.
_TWIN_GATES = ("stale", "tight", "cost", "reward", "size", "setup")


def draw(rng: Stream, world: World) -> Situation:
    """One row; its number within the task says whether it is a trade, a twin or neither."""
    if world.natural:
        return settle(*_natural(rng, world))
    pair = world.ordinal // 2 % 10
    if pair < {"easy": 3, "hard": 8}.get(world.difficulty, 5):
        shared = world.pair()
        moment, quantities = _trade(shared, world)
        if world.ordinal % 2:
            quantities = _twin(shared, quantities)
        return settle(moment, quantities)
    if pair < 7 and world.difficulty != "easy":  # a complete plan and its twin without equity or budget
        shared = world.pair()
        moment, quantities = _trade(shared, world)
        if world.ordinal % 2 and quantities.get("verdict") != "no_trade":
            missing = shared.pick(("equity", "limit_pct"))
            quantities = Quantities({name: value for name, value in quantities.given.items() if name != missing})
        return settle(moment, quantities)
    if pair < 8:
        return settle(*_trade(rng, world))
    return settle(*_refused(rng, world))


def _natural(rng: Stream, world: World) -> tuple[Moment, Quantities]:
    """A candle and a rule drawn uniformly."""
    rule, frame = rng.pick(plan.RULES), _frame(rng, world)
    moment = world.moment(rng, (frame,) if frame == "1d" else (frame, "1d"))
    return moment, Quantities(_given(rng, moment, frame, rule, 0.5))


def _frame(rng: Stream, world: World) -> str:
    frame = rng.weighted(_FRAMES, _FRAME_WEIGHTS)
    return frame if world.has(frame, "1d") else "1d"


def _trade(rng: Stream, world: World) -> tuple[Moment, Quantities]:
    """Draw until every gate passes; the last draw stands after 80 tries."""
    for _ in range(80):
        moment, quantities = _with_setup(rng, world)
        if quantities is not None and quantities.get("verdict") in ("long", "short"):
            return moment, quantities
    return _natural(rng, world)


def _with_setup(rng: Stream, world: World) -> tuple[Moment, Quantities | None]:
    """A moment at which a rule sees a setup, with parameters it passes under where it can."""
    rule, frame = rng.pick(plan.RULES), _frame(rng, world)
    moment = world.moment(rng, (frame,) if frame == "1d" else (frame, "1d"), where=partial(_candidates, rule))
    given = _given(rng, moment, frame, rule, 0.5)
    _agree(given, frame, rule, rng)
    del given["reward_floor"]
    quantities = Quantities(given)
    net = quantities.get("net_reward_risk")
    if net is None or net < 1.3:
        return moment, None
    quantities.add("reward_floor", rng.pick([floor for floor in _FLOORS if floor <= net]))
    return moment, quantities


_FLOORS = (1.3, 1.4, 1.5, 1.6, 1.7, 1.75, 1.8, 2.0, 2.25, 2.5)


def _candidates(rule: str, columns: dict[str, memoryview]) -> np.ndarray:
    """Candles at which `rule` sees a setup worth a plan: looks at the candle and before it only."""
    c = {name: np.asarray(columns[name]) for name in (*COLUMNS,)}
    with np.errstate(invalid="ignore", divide="ignore"):
        if rule == "breakout":
            found = (c["close"] > c["high_20"]) | (c["close"] < c["low_20"])
        elif rule == "pullback":
            room_up = (c["swing_high"] - c["ema_20"]) / (c["ema_20"] - c["swing_low"] + 0.3 * c["atr_14"])
            room_down = (c["ema_20"] - c["swing_low"]) / (c["swing_high"] - c["ema_20"] + 0.3 * c["atr_14"])
            up = (
                (c["ema_20"] > c["ema_50"])
                & (c["close"] > c["ema_20"])
                & (c["swing_low"] < c["ema_20"])
                & (room_up > 1.5)
            )
            down = (
                (c["ema_20"] < c["ema_50"])
                & (c["close"] < c["ema_20"])
                & (c["swing_high"] > c["ema_20"])
                & (room_down > 1.5)
            )
            found = up | down
        elif rule == "reversion":
            low = (c["close"] < c["bb_lower"]) & (c["rsi_14"] <= 38)
            found = low | ((c["close"] > c["bb_upper"]) & (c["rsi_14"] >= 62))
        else:
            place = (c["close"] - c["low_20"]) / (c["high_20"] - c["low_20"])
            found = (c["adx_14"] <= 28) & (((place >= 0) & (place <= 0.25)) | ((place >= 0.75) & (place <= 1)))
    return np.flatnonzero(found)


def _given(rng: Stream, moment: Moment, frame: str, rule: str, filter_share: float) -> dict[str, Any]:
    """Everything the prompt states, parameters drawn without looking at the candle."""
    low, high = _STOP_MULTIPLES[rule]
    given: dict[str, Any] = {"rule": rule, "frame": frame, "tick": moment.tick, "lot": moment.lot}
    for name in COLUMNS:
        value = moment.value(name, frame)
        if value is not None:
            given[f"{name}@{frame}"] = value
    if frame != "1d" and rng.chance(filter_share):
        given["higher_filter"] = "on"
        for name in DAILY:
            given[f"{name}@1d"] = moment.value(name, "1d")
    given["stop_multiple"] = quantise(rng.between(low, high), 2)
    if rule == "breakout":
        given["target_multiple"] = quantise(rng.between(1.8, 3.9), 2)
    if rule in ("pullback", "reversion"):
        given["rsi_low"] = (35 if rule == "pullback" else 24) + rng.below(12)
        given["rsi_high"] = 100 - given["rsi_low"] if rule == "reversion" else 62 + rng.below(14)
    if rule == "range":
        given["adx_cap"] = 17 + rng.below(9)
    given |= {
        "equity": rng.pick(_EQUITIES), "limit_pct": rng.pick((0.5, 0.75, 1.0, 1.25, 1.5, 2.0)),
        "leverage_cap": rng.pick((2, 3, 4, 5, 8, 10)), "taker_fee": rng.pick((0.04, 0.045, 0.05, 0.055, 0.06)),
        "slippage": rng.pick((0.01, 0.02, 0.03, 0.04)), "reward_floor": rng.pick(_FLOORS[:7]), "cost_cap": rng.pick((0.1, 0.12, 0.15, 0.2)),
        "notional_floor": rng.pick((5, 10, 20, 50, 100)), "expiry_bars": 2 + rng.below(10),
        "age_limit_h": _HOURS[frame], "data_age_h": quantise(_HOURS[frame] * rng.between(0.02, 0.9), 1),
    }  # fmt: skip
    return given


def _agree(given: dict[str, Any], frame: str, rule: str, rng: Stream) -> None:
    """Move the rule's own thresholds so that they admit this candle, by a drawn margin."""
    rsi, adx = given.get(f"rsi_14@{frame}"), given.get(f"adx_14@{frame}")
    if rule == "pullback" and rsi is not None:
        side = rsi if given[f"ema_20@{frame}"] > given[f"ema_50@{frame}"] else 100 - rsi
        given["rsi_high"] = max(given["rsi_high"], int(side) + 1 + rng.below(6))
        given["rsi_low"] = min(given["rsi_low"], int(side) - rng.below(4))
    elif rule == "reversion" and rsi is not None:
        low = min(int(min(rsi, 100 - rsi)) + 1 + rng.below(4), 42)
        given["rsi_low"], given["rsi_high"] = max(given["rsi_low"], low), 100 - max(given["rsi_low"], low)
    elif rule == "range" and adx is not None:
        given["adx_cap"] = max(given["adx_cap"], int(adx) + 1 + rng.below(4))


def _twin(rng: Stream, quantities: Quantities) -> Quantities:
    """The same situation with one deciding number changed so that a gate refuses it."""
    given = dict(quantities.given)
    order = list(_TWIN_GATES)
    while order:
        gate = order.pop(rng.below(len(order)))
        for name, value in _changes(rng, given, quantities, gate):
            changed = Quantities({**given, name: value})
            if changed.get("failed_gate") == gate:
                return changed
    return Quantities({**given, "data_age_h": quantise(given["age_limit_h"] * rng.between(1.2, 4), 1)})


def _changes(rng: Stream, given: dict[str, Any], q: Quantities, gate: str) -> list[tuple[str, Any]]:
    """Single changes that may make `gate` the first to fail, in the order they are tried."""
    if gate == "stale":
        return [("data_age_h", quantise(given["age_limit_h"] * rng.between(1.1, 5), 1))]
    if gate == "tight":
        return [
            ("stop_multiple", quantise(given["stop_multiple"] * share, 2)) for share in (rng.between(0.3, 0.6), 0.2)
        ]
    if gate == "cost":
        cost = q["cost_r"]
        cap = quantise(cost * rng.between(0.55, 0.95), 2)
        return (
            [("slippage", quantise(given["slippage"] + rng.between(0.05, 0.3), 2)), ("cost_cap", cap)][
                :: rng.pick((1, -1))
            ]
            if cap > 0
            else []
        )
    if gate == "reward":
        net = q["net_reward_risk"]
        floors = [floor for floor in (*_FLOORS, 2.75, 3.0, 3.25, 3.5, 4.0) if floor > net]
        return [("reward_floor", floors[0] if len(floors) == 1 else rng.pick(floors[:3]))] if floors else []
    if gate == "size":
        return [
            ("notional_floor", float(int(q["notional"] * rng.between(1.05, 2.5)) // 10 * 10 + 10)),
            ("equity", rng.pick((50, 100, 200))),
        ]
    rsi = given[f"rsi_14@{given['frame']}"]
    if given["rule"] == "pullback":
        side = rsi if q["setup"] == "long" else 100 - rsi
        return [("rsi_high", int(side) - rng.below(5))]
    if given["rule"] == "reversion":
        side = rsi if q["setup"] == "long" else 100 - rsi
        name = "rsi_low" if q["setup"] == "long" else "rsi_high"
        edge = int(side) - 1 - rng.below(5)
        return [(name, edge if name == "rsi_low" else 100 - edge)]
    if given["rule"] == "range":
        return [("adx_cap", max(8, int(given[f"adx_14@{given['frame']}"]) - rng.below(4)))]
    return []


def _refused(rng: Stream, world: World) -> tuple[Moment, Quantities]:
    """A row without trade that is nobody's twin: most have no setup, some fail the daily filter."""
    for _ in range(60):
        if rng.chance(0.35):
            moment, quantities = _with_setup(rng, world)
            if quantities is None or quantities["frame"] == "1d":
                continue
        else:
            moment, quantities = _natural(rng, world)
        if quantities.get("verdict") == "no_trade":
            return moment, quantities
    return _natural(rng, world)


def settle(moment: Moment, quantities: Quantities) -> Situation:
    """The situation of a plan."""
    given = quantities.given
    facts = {**moment.key(), **quantities.including(ANSWER)}
    origin = {name: "tape" if "@" in name else "drawn" for name in given}
    origin |= {name: "computed" for name in ANSWER if name in facts}
    return Situation(
        facts, words(facts, moment), origin, moment.as_of, moment.group, facts.get("verdict", "no_trade"),
        tuple(given), derive, partial(words, moment=moment),
    )  # fmt: skip


def derive(given: dict[str, Any]) -> dict[str, Any]:
    """All quantities of a plan: the given ones and what of ANSWER follows."""
    return Quantities(given).including(ANSWER)


def words(facts: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """What the templates see: the decision frame's columns without suffix, the daily ones with `d_`."""
    shown: dict[str, Any] = dict.fromkeys((*ANSWER, *COLUMNS, "d_close", "d_ema_50", "higher_filter", "rsi_low", "rsi_high", "adx_cap", "target_multiple", "equity", "limit_pct"))  # fmt: skip
    frame = facts["frame"]
    for name, text in show_all(facts, moment.tick, moment.lot).items():
        base, _, suffix = name.rpartition("_")
        if suffix == frame and base in COLUMNS:
            shown[base] = text
        if suffix == "1d" and base in DAILY:
            shown[f"d_{base}"] = text
        shown[name] = text
    side = facts.get("setup", "none")
    long = side == "long"
    shown.update(
        name=moment.name, unit=moment.unit, frame=frame, side=side, other="short" if long else "long",
        venue="" if moment.alias else moment.venue.capitalize(), moment="" if moment.alias else moment.as_of,
        trade=facts.get("verdict") in ("long", "short"), gate=facts.get("failed_gate"), long=long,
        buy="buy" if long else "sell", beyond="below" if long else "above", ahead="above" if long else "below",
        limit_order=facts["rule"] == "pullback", trigger="mark" if facts["expiry_bars"] % 2 else "last",
        swing=shown["swing_low"] if long else shown["swing_high"], swing_name="swing low" if long else "swing high",
        edge=shown["low_20"] if long else shown["high_20"],
    )  # fmt: skip
    return shown
