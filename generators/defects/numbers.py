"""Defects of numbers, labels and levels: the largest pool, since only the numbers tell.

Changed numbers go up as often as down and are quantised like the true ones, so that neither size
nor roundness gives them away.
"""

import re

from generators.defects.registry import FOLLOWS, MARKET, Scene, defect
from generators.defects.words import inserted
from market.quantities import shown_as
from market.quantity import quantise, snap_price
from validators.claims.reader import Claim, read_claims
from validators.slots import required_slots_of


def _altered(name: str, value: float, scene: Scene) -> float | None:
    """Another value of the same kind, up or down alike, quantised the same way; None if none fits."""
    rng, facts = scene.rng, scene.situation.facts
    up = rng.chance(0.5)
    base = name.partition("@")[0]
    if base == "score":
        step = 1 + rng.below(3)
        changed = value + step if up else value - step
        return int(changed) if 1 <= changed <= 10 else None
    share = rng.between(0.02, 0.3)
    changed = value * (1 + share) if up else value / (1 + share)
    tick, lot = str(facts.get("tick", "0.01")), str(facts.get("lot", "0.01"))
    shown = shown_as(name)
    if base == "leverage":
        changed = round(value * (1 + 2 * share) if up else value / (1 + 2 * share))
    elif shown == "lot" or base == "size":
        changed = snap_price(changed, lot)
    elif shown == "price" or base in _PRICES or base.startswith(_LEVELS):
        changed = snap_price(changed, tick)
    else:
        changed = quantise(changed, _decimals_printed(scene, name, value))
    return changed if (changed > 0) == (value > 0) and changed != value else None


_PRICES = {"entry", "stop", "target", "mark", "close", "open", "high", "low", "liquidation"}
_LEVELS = ("ema_", "bb_", "swing_", "high_", "low_", "atr_14")


def _decimals_printed(scene: Scene, name: str, value: float) -> int:
    """How many decimals the prompt or the chosen answer prints for this quantity."""
    for claim in scene.prompt.claims:
        if claim.key == name and claim.decimals >= 0:
            return claim.decimals
    return 2


def _stated(scene: Scene, names: tuple[str, ...] | list[str]) -> list[str]:
    facts = scene.situation.facts
    return [name for name in names if isinstance(facts.get(name), (int, float)) and facts[name] not in (0, True, False)]


@defect(
    "wrong_arithmetic",
    "one derived number is off; what follows from it is not",
    "N003",
    "N006 N007 N008 F001 R003",
    weight=4,
    tasks=MARKET,
    manner="independent",
)
def wrong_arithmetic(scene: Scene) -> str | None:
    names = _stated(scene, [n for n in required_slots_of(scene.spec, scene.prompt) if n not in scene.situation.given])
    if not names:
        return None
    name = scene.rng.pick(names)
    value = _altered(name, scene.situation.facts[name], scene)
    return scene.reworded({name: value}) if value is not None else None


@defect(
    "propagated_error",
    "one input is misread and everything that follows is consistent with it",
    "N002 N003",
    FOLLOWS,
    weight=12,
    tasks=MARKET,
    manner="propagated",
)
def propagated_error(scene: Scene) -> str | None:
    situation = scene.situation
    if situation.derive is None or situation.reword is None:
        return None
    names = [n for n in _stated(scene, situation.given) if n not in _NOT_MISREAD]
    name = scene.rng.pick(names)
    value = _altered(name, situation.facts[name], scene)
    if value is None:
        return None
    given = {key: situation.facts[key] for key in situation.given} | {name: value}
    key = {k: v for k, v in situation.facts.items() if k in ("venue", "symbol", "as_of", "price_factor")}
    facts = {**key, **situation.derive(given)}
    if any(isinstance(facts.get(k), type(None)) for k in required_slots_of(scene.spec, scene.prompt)):
        return None
    return scene.render(situation.reword(facts), facts)


_NOT_MISREAD = {"tick", "lot", "funding_interval_h", "deduction", "notional_floor", "age_limit_h", "data_age_h"}


@defect(
    "contradicts_input",
    "a number of the prompt is quoted wrongly",
    "N002",
    "N003 N006 N010 T003",
    weight=3,
    tasks=MARKET,
    manner="independent",
)
def contradicts_input(scene: Scene) -> str | None:
    names = [n for n in _stated(scene, scene.situation.given) if n not in _NOT_MISREAD]
    if not names:
        return None
    name = scene.rng.pick(names)
    value = _altered(name, scene.situation.facts[name], scene)
    return scene.reworded({name: value}) if value is not None else None


def _numbers(text: str) -> list[Claim]:
    return [c for c in read_claims(text)[0] if c.decimals >= 0 and c.kind not in ("score_top", "")]


def _replace(text: str, claim: Claim, value: float) -> str:
    printed = text[claim.start : claim.end]
    sign = "+" if printed[:1] == "+" else ""
    comma = "," if "," in printed or abs(value) >= 1000 and claim.unit != "json" else ""
    return text[: claim.start] + f"{value:{sign}{comma}.{claim.decimals}f}" + text[claim.end :]


@defect(
    "edited_number",
    "one number is changed in one place",
    "N001 N002 N003",
    "N006 N007 N008 R007",
    weight=6,
    tasks=MARKET,
    manner="edited",
)
def edited_number(scene: Scene) -> str | None:
    text = scene.fresh()
    claims = [c for c in _numbers(text) if c.value]
    if not claims:
        return None
    claim = scene.rng.pick(claims)
    if claim.kind == "score":
        value = _altered("score", claim.value, scene)
    else:
        share = scene.rng.between(0.02, 0.3)
        value = quantise(
            claim.value * (1 + share) if scene.rng.chance(0.5) else claim.value / (1 + share), claim.decimals
        )
    return _replace(text, claim, value) if value is not None and value != claim.value else None


@defect(
    "digit_swap",
    "two neighbouring digits of a number change places",
    "N001 N002 N003 N011 N005",
    "N006 N007 N008 R007",
    weight=1.2,
    manner="edited",
)
def digit_swap(scene: Scene) -> str | None:
    text = scene.fresh()
    places = [
        m.start() for m in re.finditer(r"(?<=\d)\d(?=\d*(?:\.\d)?)", text) if text[m.start()] != text[m.start() - 1]
    ]
    claims = read_claims(text)[0]
    spans = [(c.start, c.end) for c in claims if c.decimals >= 0]
    places = [p for p in places if any(s <= p - 1 and p < e for s, e in spans)]
    if not places:
        return None
    place = scene.rng.pick(places)
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]


@defect(
    "unit_swap",
    "per cent, money and ATR are confused",
    "N001 N002 N003",
    "N007 N008 N005 F001",
    weight=0.6,
    tasks=("risk_assessment", "trade_recommendation"),
    manner="edited",
)
def unit_swap(scene: Scene) -> str | None:
    text = scene.fresh()
    swaps = {"%": ("%", " USDT"), "atr": (" daily ATR", "%"), "-": (" USDT", "%")}
    claims = [c for c in _numbers(text) if c.unit in swaps and text.startswith(swaps[c.unit][0], c.end)]
    if not claims:
        return None
    claim = scene.rng.pick(claims)
    old, new = swaps[claim.unit]
    return text[: claim.end] + new + text[claim.end + len(old) :]


@defect(
    "above_below",
    "above and below change places",
    "N010 N003 N002",
    "N009",
    weight=1,
    tasks=MARKET,
    manner="edited",
)
def above_below(scene: Scene) -> str | None:
    text = scene.fresh()
    places = list(re.finditer(r"\b(above|below)\b", text))
    if not places:
        return None
    match = scene.rng.pick(places)
    return text[: match.start()] + ("below" if match[1] == "above" else "above") + text[match.end() :]


# Readings correct answers have too: an exotic name alone would give the invention away.
_READINGS = (
    ("rsi_14", "RSI(14)", 25, 75, 1), ("adx_14", "ADX(14)", 12, 45, 1), ("volume_ratio", "volume ratio", 0.3, 2.2, 2),
    ("vol_20", "realised volatility", 25, 110, 2),
)  # fmt: skip


@defect(
    "fabricated_number",
    "a figure that nothing in the prompt supports is cited",
    "N001 N005",
    "T003",
    weight=0.5,
    tasks=MARKET,
    manner="telling",
)
def fabricated_number(scene: Scene) -> str | None:
    """Put a familiar reading of a frame the prompt does not show where a correct answer has a sentence boundary."""
    rng, text, values = scene.rng, scene.fresh(), scene.prompt.values
    absent = [
        (kind, frame)
        for kind in _READINGS
        for frame in ("1h", "4h", "1d")
        if f"{kind[0]}@{frame}" not in values and kind[0] not in values
    ]
    if not absent:
        return None
    (kind, name, low, high, decimals), frame = rng.pick(absent)
    value = f"{quantise(rng.between(low, high), decimals):.{decimals}f}" + ("%" if kind == "vol_20" else "")
    sentence = rng.pick((
        f"{name[0].upper()}{name[1:]} on {frame} is {value}.", f"The {frame} {name} is {value}.",
        f"On {frame} the {name} stands at {value}.",
    ))  # fmt: skip
    return inserted(text, sentence, rng)


# --- labels and levels ---------------------------------------------------------------------------

# How often each label is right. A wrong label is kept with probability min(1, p(wrong) / p(true)), so that
# labels are as frequent in rejected answers as in chosen ones.
_SHARES = {
    "driver": {"loss": 0.74, "room": 0.24, "exposure": 0.02},
    "stop_state": {"works": 0.85, "close": 0.15},
    "limit_state": {"over": 0.5, "inside": 0.5},
    "trend": {"up": 0.33, "down": 0.37, "mixed": 0.3},
    "momentum": {"soft": 0.31, "neutral": 0.3, "firm": 0.29, "overbought": 0.06, "oversold": 0.04},
    "volatility": {"ordinary": 0.66, "stretched": 0.3, "quiet": 0.05},
    "volume_state": {"average": 0.45, "thin": 0.37, "heavy": 0.18},
    "funding_state": {"ordinary": 0.88, "crowded_short": 0.08, "crowded_long": 0.04},
    "failed_gate": {"reward": 0.16, "size": 0.12, "stale": 0.11, "tight": 0.11, "cost": 0.06, "higher": 0.03},
}


@defect(
    "wrong_label",
    "a label disagrees with the numbers that decide it",
    "N009",
    "N003 F001",
    weight=4,
    tasks=MARKET,
    manner="independent",
)
def wrong_label(scene: Scene) -> str | None:
    facts = scene.situation.facts
    names = [k for k, v in facts.items() if isinstance(v, str) and v in _SHARES.get(k.partition("@")[0], ())]
    if not names:
        return None
    name = scene.rng.pick(names)
    shares = _SHARES[name.partition("@")[0]]
    wrong = scene.rng.pick([value for value in shares if value != facts[name]])
    if not scene.rng.chance(min(1.0, shares[wrong] / shares[facts[name]])):
        return None
    return scene.reworded({name: wrong})


@defect(
    "inverted_levels",
    "stop and target stand on the wrong sides",
    "N006",
    FOLLOWS,
    weight=1,
    tasks=("trade_recommendation",),
    manner="independent",
)
def inverted_levels(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if "target" not in facts or facts.get("verdict") == "no_trade":
        return None
    return scene.reworded({"stop": facts["target"], "target": facts["stop"]})


@defect(
    "entry_stop_swapped",
    "entry and stop are exchanged",
    "N002 N003 N006",
    FOLLOWS,
    weight=1,
    tasks=("trade_recommendation",),
    manner="independent",
)
def entry_stop_swapped(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("verdict") in (None, "no_trade"):
        return None
    return scene.reworded({"stop": facts["entry"], "entry": facts["stop"]})


@defect(
    "stop_too_tight",
    "the stop is moved inside the noise the costs come from",
    "N003",
    FOLLOWS,
    weight=1,
    tasks=("trade_recommendation",),
    manner="independent",
)
def stop_too_tight(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("verdict") in (None, "no_trade"):
        return None
    near = facts["entry"] + (facts["stop"] - facts["entry"]) * scene.rng.between(0.05, 0.25)
    return scene.reworded({"stop": snap_price(near, str(facts["tick"]))})


@defect(
    "gross_as_net",
    "reward/risk before costs is passed off as net",
    "N003",
    "R003",
    weight=1,
    tasks=("trade_recommendation",),
    manner="independent",
)
def gross_as_net(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("net_reward_risk") is None:
        return None
    return scene.reworded({"net_reward_risk": facts["reward_risk"]})


@defect(
    "wrong_timeframe",
    "a value of one timeframe is given for another",
    "T003",
    FOLLOWS,
    weight=1.5,
    tasks=("market_analysis", "trade_recommendation"),
    manner="independent",
)
def wrong_timeframe(scene: Scene) -> str | None:
    facts = scene.situation.facts
    pairs = []
    for name in facts:
        base, _, frame = name.partition("@")
        if frame:
            pairs += [
                (name, other)
                for other in facts
                if other.startswith(base + "@") and facts[other] != facts[name] and isinstance(facts[other], float)
            ]
    if not pairs:
        return None
    name, other = scene.rng.pick(pairs)
    return scene.reworded({name: facts[other]})


@defect(
    "wrong_symbol",
    "the answer speaks of another market",
    "N012",
    "N001 N005",
    weight=0.7,
    tasks=MARKET,
    manner="independent",
)
def wrong_symbol(scene: Scene) -> str | None:
    if scene.situation.reword is None:
        return None
    words = dict(scene.situation.words)
    name = words["name"]
    others = (
        ("Asset A", "Asset K", "Asset W")
        if name.startswith("Asset")
        else ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "LTCUSDT")
    )
    words["name"] = scene.rng.pick([other for other in others if other != name])
    text = scene.render(words)
    return text if words["name"] in text else None
