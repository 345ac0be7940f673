"""A position in, its risk out: liquidation, distances, money at risk, funding, the score and what to change.

Prices, daily ATR and (where the tape has it) funding come from the tape; the position, account,
tier and costs are drawn and stated in the prompt. Draws are stratified over the score, not over
leverage, so that the score cannot be read off the leverage alone. Four rows in twenty are two pairs
of which the second lacks one input: its answer computes what still follows and names what is missing.
"""

from functools import partial
from typing import Any

from generators.shown import show_all
from generators.situation import Situation
from generators.world import Moment, World
from market import instruments, position  # noqa: F401  registers the formulas
from market.quantities import Quantities
from market.quantity import floor_lot, quantise, snap_price
from market.rubric import EXPOSURE_BANDS, LOSS_BANDS, ROOM_BANDS
from tapewright.errors import ExhaustedError
from tapewright.streams import Stream

_MISSING = ("cross", "mode", "rate", "equity", "interval")
_EQUITIES = (2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 7_500, 8_000, 10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 75_000, 100_000)  # fmt: skip
_LIMITS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
_FEES = (0.04, 0.045, 0.05, 0.055, 0.06)

ANSWER = (
    "notional", "exposure", "initial_margin", "margin_pct", "liquidation", "liquidation_gap_pct", "liquidation_gap_atr",
    "stop_distance", "stop_gap_pct", "loss_usdt", "loss_pct", "room", "room_atr", "stop_state", "funding_stamp",
    "funding_day", "funding_pct_margin", "score", "driver", "limit_usdt", "limit_state", "size_cap", "stop_nearest", "gap",
)  # fmt: skip


def draw(rng: Stream, world: World) -> Situation:
    """One position; the score it lands on is aimed at by the row's number within the task."""
    place = world.ordinal % 20
    first_pair = {"easy": 20, "hard": 12}.get(world.difficulty, 16)
    paired = place >= first_pair  # the last rows of twenty are complete rows and their incomplete twins
    draws = world.pair() if paired else rng
    # single rows and pairs aim at the scores in one common turn
    done, singles = divmod(world.ordinal, 20)[0], first_pair
    turn = (singles + (20 - singles) // 2) * done + (singles + (place - singles) // 2 if paired else place)
    goal = 1 + turn % 10
    moment, quantities, source = _position_somewhere(draws, world, goal)
    if paired and place % 2:
        given = dict(quantities.given)
        _remove(given, draws.pick(_MISSING))
        quantities = Quantities(given)
    return settle(moment, quantities, source)


def _position_somewhere(rng: Stream, world: World, goal: int) -> tuple[Moment, Quantities, str]:
    """Draw moments until one holds a position; a market in turmoil may have none with a low score."""
    frame = "1h" if world.has("1h", "1d") else "1d"
    for _ in range(50):
        moment = world.moment(rng, (frame, "1d") if frame != "1d" else ("1d",))
        funding, source = _funding(rng, moment)
        quantities = _aim(rng, moment, goal, frame, funding, world.instrument(moment.venue, moment.symbol))
        if quantities is not None:
            return moment, quantities, source
    raise ExhaustedError(f"no position with score {goal} fits the market data; widen --symbols, --since or --until")


def _aim(
    rng: Stream,
    moment: Moment,
    goal: int,
    frame: str,
    funding: dict[str, Any],
    instrument: instruments.Instrument | None,
) -> Quantities | None:
    """Draw positions until one has the score `goal`; after 60 tries the last one that is possible stands."""
    last: Quantities | None = None
    for _ in range(60):
        quantities = _position(rng, moment, goal, frame, funding, instrument)
        if quantities is not None:
            last = quantities
            if quantities.get("score") == goal:
                break
    return last


def _within(rng: Stream, band: int, edges: tuple[float, ...]) -> float:
    """A value inside band `band` (0–6) of rising edges, uniform in its logarithm."""
    low = edges[band - 1] if band else edges[0] / 4
    high = edges[band] if band < len(edges) else edges[-1] * 1.8
    return low * (high / low) ** rng.between(0.02, 0.98)


def _position(
    rng: Stream,
    moment: Moment,
    goal: int,
    frame: str,
    funding: dict[str, Any],
    instrument: instruments.Instrument | None,
) -> Quantities | None:
    mark, atr = moment.value("close", frame), moment.value("atr_14", "1d")
    assert mark and atr
    state = "works"
    if goal >= 3 and rng.chance(0.22 if goal < 9 else 0.8):
        state = rng.pick(("none", "beyond"))
    top = max(0, min(6, goal - 1 - (0 if state == "works" else 2) - (1 if goal >= 8 and rng.chance(0.7) else 0)))
    bands = [rng.below(top + 1) for _ in range(3)]
    bands[rng.below(3)] = top
    exposure = _within(rng, bands[2], EXPOSURE_BANDS)
    room_atr = _room(rng, bands[1])
    side = rng.pick(("long", "short"))
    sign = 1 if side == "long" else -1
    entry = snap_price(mark + rng.between(-0.8, 0.8) * atr, moment.tick)
    equity = rng.pick(_EQUITIES)
    size = floor_lot(exposure * equity / entry, moment.lot)
    if size <= 0:
        return None
    loss = _within(rng, bands[0], LOSS_BANDS) / 100
    if state == "works":
        distance = loss / exposure * entry
        if not 0.004 * entry <= distance <= 0.3 * entry:
            return None
        stop = snap_price(entry - sign * distance, moment.tick)
        goal_liquidation = stop - sign * room_atr * atr
    else:
        goal_liquidation = mark - sign * room_atr * atr
        stop = (
            None if state == "none" else snap_price(goal_liquidation - sign * rng.between(0.1, 1.5) * atr, moment.tick)
        )
    if goal_liquidation <= 0 or (stop is not None and (stop <= 0 or (stop - mark) * sign >= 0)):
        return None
    tier = instrument.tier(size * entry) if instrument else None
    mmr = quantise(tier.maintenance_rate * 100, 2) if tier else 1.0
    deduction = quantise(tier.deduction_usdt, 2) if tier else 0.0
    distance = abs(entry - goal_liquidation) / entry
    leverage = round(1 / (distance + mmr / 100))
    if not exposure * 1.02 <= leverage <= (tier.max_leverage if tier else 25):
        return None  # isolated margin comes out of the equity, so it cannot exceed it
    given = {
        "side": side, "margin_mode": "isolated", "entry": entry, "mark": mark, "size": size, "leverage": leverage,
        "mmr": mmr, "deduction": deduction, "equity": equity, "taker_fee": rng.pick(_FEES),
        "limit_pct": rng.pick(_LIMITS), "atr_14@1d": atr, "tick": moment.tick, "lot": moment.lot,
        **funding,
    }  # fmt: skip
    if frame != "1h":
        given["mark_frame"] = frame
    if stop is not None:
        given["stop"] = stop
    quantities = Quantities(given)
    liquidation = quantities.get("liquidation")
    if liquidation is None or (liquidation - mark) * sign >= 0 or quantities["stop_state"] not in _allowed(state):
        return None
    return quantities


def _allowed(state: str) -> tuple[str, ...]:
    return ("works", "close") if state == "works" else (state,)


def _room(rng: Stream, band: int) -> float:
    """Room in daily ATR inside a band: falling edges, band 0 is more than four ATR."""
    high = ROOM_BANDS[band - 1] if band else ROOM_BANDS[0] * 3
    low = ROOM_BANDS[band] if band < len(ROOM_BANDS) else 0.02
    return low * (high / low) ** rng.between(0.05, 0.95)


def _funding(rng: Stream, moment: Moment) -> tuple[dict[str, Any], str]:
    """The last funding print of the tape, or a drawn one near the baseline where the tape has none; and which."""
    known = moment.tape.funding_as_of(moment.symbol, moment.as_of_s) if moment.venue == "bybit" else None
    if known and not moment.alias:
        return {"funding_rate": quantise(known[1] * 100, 4), "funding_interval_h": 8}, "tape"
    rate = 0.01 if rng.chance(0.4) else quantise(rng.pick((0.005, 0.01, 0.02, 0.03)) * rng.between(-0.6, 2.2), 4)
    return {"funding_rate": rate, "funding_interval_h": rng.pick((8, 8, 8, 4))}, "drawn"


def _remove(given: dict[str, Any], missing: str) -> None:
    if missing == "cross":
        given["margin_mode"] = "cross"
    else:
        del given[{"mode": "margin_mode", "rate": "mmr", "equity": "equity", "interval": "funding_interval_h"}[missing]]


def settle(moment: Moment, quantities: Quantities, funding_source: str) -> Situation:
    """The situation of a position: everything the answer states, computed from what is given."""
    given = quantities.given
    facts = {**moment.key(), **quantities.including(ANSWER)}
    origin = dict.fromkeys(given, "drawn") | {"mark": "tape", "atr_14@1d": "tape", "funding_rate": funding_source}
    origin |= {name: "computed" for name in ANSWER if name in facts}
    return Situation(
        facts, words(facts, moment), origin, moment.as_of, moment.group, str(facts.get("score", "incomplete")),
        tuple(given), derive, partial(words, moment=moment),
    )  # fmt: skip


def derive(given: dict[str, Any]) -> dict[str, Any]:
    """All quantities of a position: the given ones and what of ANSWER follows from them."""
    return Quantities(given).including(ANSWER)


def words(facts: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """What the templates see: every quantity as text, absent ones as None, and a few flags."""
    shown: dict[str, Any] = dict.fromkeys(
        (*ANSWER, "stop", "mmr", "equity", "margin_mode", "deduction", "funding_interval_h")
    )
    shown.update(show_all(facts, moment.tick, moment.lot))
    shown.update(
        name=moment.name,
        unit=moment.unit,
        venue="" if moment.alias else moment.venue.capitalize(),
        moment="" if moment.alias else moment.as_of,
        pays=facts.get("funding_stamp", 0) >= 0,
        funding_abs=show_all({"funding_day": abs(facts.get("funding_day", 0))}, moment.tick, moment.lot)["funding_day"],
        stamp_abs=show_all({"funding_stamp": abs(facts.get("funding_stamp", 0))}, moment.tick, moment.lot)[
            "funding_stamp"
        ],
        margin_day_abs=show_all(
            {"funding_pct_margin": abs(facts.get("funding_pct_margin", 0))}, moment.tick, moment.lot
        )["funding_pct_margin"],  # fmt: skip
        other="short" if facts["side"] == "long" else "long",
        toward="down" if facts["side"] == "long" else "up",
        under="below" if facts["side"] == "long" else "above",
        fall="fall" if facts["side"] == "long" else "rise",
        room_is_gone=facts.get("liquidation") is not None and facts.get("stop_nearest") is None,
    )
    return shown
