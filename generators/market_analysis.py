"""A data block in, a structured reading out: state, trend, momentum, volatility, volume, levels, scenarios.

Every column comes from the tape as of a closed candle; the higher frame shows only its own closed
candle. Labels follow the conventions the prompt states in words. Funding is read against its
baseline and its trailing percentile, never against zero. Nothing is predicted: two conditional
scenarios, and what would prove the reading wrong.
"""

from functools import partial
from typing import Any

from generators.shown import show_all
from generators.situation import Situation
from generators.world import Moment, World
from market import reading  # noqa: F401  registers the formulas
from market.quantities import Quantities
from market.quantity import quantise
from tapewright.streams import Stream

COLUMNS = (
    "open", "high", "low", "close", "change_pct", "volume", "volume_mean_20", "volume_ratio", "ema_20", "ema_50", "rsi_14",
    "macd", "macd_signal", "macd_hist", "atr_14", "bb_upper", "bb_mid", "bb_lower", "vol_20", "median_range_pct",
    "swing_high", "swing_low", "high_20", "low_20",
)  # fmt: skip
HIGHER = ("close", "ema_20", "ema_50", "rsi_14")
ANSWER = (
    "trend", "momentum", "volatility", "volume_state", "ema_20_gap_pct", "ema_50_gap_pct", "atr_pct", "range_place_pct",
    "band_width_pct", "bar_range_pct", "swing_high_gap_atr", "swing_low_gap_atr", "high_20_gap_pct", "low_20_gap_pct",
)  # fmt: skip
HIGHER_ANSWER = ("trend", "momentum", "ema_50_gap_pct")
FUNDING_ANSWER = ("funding_annual_pct", "funding_state")

_FRAME_SETS = (("4h", "1d"), ("1d",), ("1h", "4h"), ("1h", "1d"), ("4h",))
_WEIGHTS = (0.35, 0.3, 0.15, 0.1, 0.1)
# Columns a row may go without: the answer then speaks of the others.
_OPTIONAL = (("macd", "macd_signal", "macd_hist"), ("bb_upper", "bb_mid", "bb_lower"), ("vol_20",), ("open", "high", "low"), ("volume", "volume_mean_20", "volume_ratio"))  # fmt: skip


def draw(rng: Stream, world: World) -> Situation:
    """One market at one closed candle, on one or two frames."""
    frames = rng.weighted(_FRAME_SETS, _WEIGHTS)
    if not world.has(*frames):
        frames = ("1d",)
    moment = world.moment(rng, frames)
    return settle(moment, _given(rng, moment, frames, world.difficulty))


def _given(rng: Stream, moment: Moment, frames: tuple[str, ...], difficulty: str) -> dict[str, Any]:
    frame = frames[0]
    given: dict[str, Any] = {"frame": frame, "tick": moment.tick}
    left_out: set[str] = set()
    for group in _OPTIONAL:
        if rng.chance({"easy": 0.0, "hard": 0.4}.get(difficulty, 0.2)):
            left_out.update(group)
    names = [name for name in COLUMNS if name not in left_out]
    day_change = "change_7d_pct" if frame == "1d" else "change_24h_pct"
    for name in (*names, day_change):
        value = moment.value(name, frame)
        if value is not None:
            given[f"{name}@{frame}"] = value
    if len(frames) > 1:
        for name in HIGHER:
            value = moment.value(name, frames[1])
            if value is not None:
                given[f"{name}@{frames[1]}"] = value
    known = moment.tape.funding_as_of(moment.symbol, moment.as_of_s) if moment.venue == "bybit" else None
    if known and known[2] is not None and not moment.alias:
        given |= {
            "funding_rate": quantise(known[1] * 100, 4), "funding_interval_h": 8, "funding_percentile": quantise(known[2], 0),
        }  # fmt: skip
    return given


def settle(moment: Moment, given: dict[str, Any]) -> Situation:
    """The situation of a reading."""
    facts = {**moment.key(), **derive(given)}
    origin = dict.fromkeys(given, "tape") | {"frame": "drawn"}
    origin |= {name: "computed" for name in facts if name not in given and name not in moment.key()}
    return Situation(
        facts, words(facts, moment), origin, moment.as_of, moment.group, facts[f"trend@{given['frame']}"],
        tuple(given), derive, partial(words, moment=moment),
    )  # fmt: skip


def derive(given: dict[str, Any]) -> dict[str, Any]:
    """All quantities of a reading: the given ones and what follows on each frame."""
    quantities = Quantities(given)
    frame = given["frame"]
    wanted = [f"{name}@{frame}" for name in ANSWER]
    higher = _higher_frame(given)
    if higher:
        wanted += [f"{name}@{higher}" for name in HIGHER_ANSWER]
    if "funding_rate" in given:
        wanted += FUNDING_ANSWER
    return quantities.including(wanted)


def _higher_frame(facts: dict[str, Any]) -> str:
    frames = {name.partition("@")[2] for name in facts if "@" in name} - {facts["frame"]}
    return min(frames) if frames else ""


def words(facts: dict[str, Any], moment: Moment) -> dict[str, Any]:
    """What the templates see: main-frame values without suffix, higher-frame ones with `h_`."""
    frame, higher = facts["frame"], _higher_frame(facts)
    shown: dict[str, Any] = dict.fromkeys((*COLUMNS, *ANSWER, *FUNDING_ANSWER, "change_24h_pct", "change_7d_pct", "funding_rate", "funding_percentile"))  # fmt: skip
    shown |= {f"h_{name}": None for name in (*HIGHER, *HIGHER_ANSWER)}
    texts = show_all(facts, moment.tick, "1")
    for name in facts:
        base, _, suffix = name.partition("@")
        text = texts[name.replace("@", "_")]
        if suffix == frame:
            shown[base] = text
        elif suffix:
            shown[f"h_{base}"] = text
        else:
            shown[base] = text
    for base in (
        "ema_20_gap_pct",
        "ema_50_gap_pct",
        "swing_high_gap_atr",
        "swing_low_gap_atr",
        "high_20_gap_pct",
        "low_20_gap_pct",
    ):
        value = facts.get(f"{base}@{frame}")
        shown[f"{base}_abs"] = None if value is None else show_all({base: abs(value)}, moment.tick, "1")[base]
        shown[f"{base}_side"] = "above" if value is not None and value >= 0 else "below"
    value = facts.get(f"ema_50_gap_pct@{higher}")
    shown["h_gap_abs"] = None if value is None else f"{abs(value):.2f}"
    shown["h_gap_side"] = "above" if value is not None and value >= 0 else "below"
    shown.update(
        name=moment.name, frame=frame, higher=higher, venue="" if moment.alias else moment.venue.capitalize(),
        moment="" if moment.alias else moment.as_of, closed="" if moment.alias else moment.closed(frame),
        h_closed="" if moment.alias or not higher else moment.closed(higher),
        up=facts.get(f"trend@{frame}") == "up", down=facts.get(f"trend@{frame}") == "down",
        inside=_inside(facts, frame),
        same=higher and facts.get(f"trend@{higher}") == facts.get(f"trend@{frame}"),
        funding_annual_abs=f"{abs(facts['funding_annual_pct']):.2f}" if "funding_annual_pct" in facts else None,
        hist_positive=(facts.get(f"macd_hist@{frame}") or 0) >= 0,
    )  # fmt: skip
    return shown


def _inside(facts: dict[str, Any], frame: str) -> bool:
    """Whether the close lies inside the 20-bar range."""
    close, low, high = (facts.get(f"{name}@{frame}") for name in ("close", "low_20", "high_20"))
    return close is not None and low is not None and high is not None and low <= close <= high
