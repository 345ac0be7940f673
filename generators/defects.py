"""Named ways for an answer to be wrong, applied to facts or to text.

A defect names the codes that must be found in the rejected answer and those it may bring along.
Three manners: a changed fact propagated through everything that follows from it, a changed fact in
an otherwise independent rendering, and an edit of one place in a text. Changed numbers go up as
often as down and are quantised like the true ones, so that neither size nor roundness tells.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generators.situation import Situation
from market.quantities import shown_as
from market.quantity import decimals_of, quantise, snap_price
from tapewright.rows import Row
from tapewright.streams import Stream
from templates.engine import load_family, render
from templates.specs import TaskSpec, load_spec
from validators.claims.reader import Claim, read_claims
from validators.context import Prompt
from validators.risk import WARNINGS
from validators.slots import required_slots_of


@dataclass(slots=True)
class Scene:
    """What a defect works on: the situation, the accepted row, its prompt, the families allowed."""

    situation: Situation
    row: Row
    prompt: Prompt
    task: str
    families: tuple[str, ...]
    rng: Stream

    @property
    def spec(self) -> TaskSpec:
        return load_spec(self.task)

    def render(self, words: dict[str, Any]) -> str:
        """An answer in a family and wording drawn afresh."""
        return render(load_family(self.task, self.rng.pick(self.families))["output"], words, self.rng)

    def reworded(self, changed: dict[str, Any]) -> str | None:
        """A fresh answer that states `changed` facts and leaves the others as they are."""
        if self.situation.reword is None:
            return None
        return self.render(self.situation.reword({**self.situation.facts, **changed}))

    def fresh(self) -> str:
        """A fresh correct answer."""
        return self.render(self.situation.words)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect. `tasks` empty: any task. `weight` is its share among the defects of a task."""

    name: str
    summary: str
    codes: frozenset[str]
    implies: frozenset[str]
    make: Callable[[Scene], str | None]
    weight: float
    tasks: tuple[str, ...]


DEFECTS: dict[str, Defect] = {}
CARICATURES = ("guaranteed_profit", "all_in")
# Defects that add, drop or replace a sentence: a word may give them away, so they stay few.
TELLING = (
    *CARICATURES, "fabricated_number", "uses_later", "missing_warning", "empty_warning", "missing_stop", "left_out",
    "excessive_leverage", "needless_refusal", "over_hedging", "ignores_format",
)  # fmt: skip

_MARKET = ("risk_assessment", "trade_recommendation", "market_analysis")
_FOLLOWS = frozenset({"N001", "N002", "N003", "N006", "N007", "N008", "N009", "N010", "N011", "F001", "R003", "R006", "R008", "T003"})  # fmt: skip


def defect(name: str, summary: str, codes: str, implies: frozenset[str] | str = frozenset(), weight: float = 1.0, tasks: tuple[str, ...] = ()) -> Callable:
    """Register a defect; `codes` and `implies` may be given as words in a string."""

    def register(make: Callable[[Scene], str | None]) -> Callable[[Scene], str | None]:
        implied = frozenset(implies.split()) if isinstance(implies, str) else implies
        DEFECTS[name] = Defect(name, summary, frozenset(codes.split()), implied, make, weight, tasks)
        return make

    return register


def defects_of(task: str) -> tuple[str, ...]:
    """The names of the defects that can apply to a task, in the order they were declared."""
    return tuple(name for name, entry in DEFECTS.items() if not entry.tasks or task in entry.tasks)


# --- numbers -------------------------------------------------------------------------------------


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


@defect("wrong_arithmetic", "one derived number is off; what follows from it is not", "N003", "N006 N007 N008 F001 R003", 4.0, _MARKET)
def wrong_arithmetic(scene: Scene) -> str | None:
    names = _stated(scene, [n for n in required_slots_of(scene.spec, scene.prompt) if n not in scene.situation.given])
    if not names:
        return None
    name = scene.rng.pick(names)
    value = _altered(name, scene.situation.facts[name], scene)
    return scene.reworded({name: value}) if value is not None else None


@defect("propagated_error", "one input is misread and everything that follows is consistent with it", "N002 N003", _FOLLOWS, 5.0, _MARKET)
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
    return scene.render(situation.reword(facts))


_NOT_MISREAD = {"tick", "lot", "funding_interval_h", "deduction", "notional_floor", "age_limit_h", "data_age_h"}


@defect("contradicts_input", "a number of the prompt is quoted wrongly", "N002", "N003 N006 N010 T003", 4.0, _MARKET)
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


@defect("edited_number", "one number is changed in one place", "N001 N002 N003", "N006 N007 N008 R007", 4.0, _MARKET)
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
        value = quantise(claim.value * (1 + share) if scene.rng.chance(0.5) else claim.value / (1 + share), claim.decimals)
    return _replace(text, claim, value) if value is not None and value != claim.value else None


@defect("digit_swap", "two neighbouring digits of a number change places", "N001 N002 N003 N011 N005", "N006 N007 N008 R007", 2.0)
def digit_swap(scene: Scene) -> str | None:
    text = scene.fresh()
    places = [m.start() for m in re.finditer(r"(?<=\d)\d(?=\d*(?:\.\d)?)", text) if text[m.start()] != text[m.start() - 1]]
    claims = read_claims(text)[0]
    spans = [(c.start, c.end) for c in claims if c.decimals >= 0]
    places = [p for p in places if any(s <= p - 1 and p < e for s, e in spans)]
    if not places:
        return None
    place = scene.rng.pick(places)
    return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]


@defect("unit_swap", "per cent, money and ATR are confused", "N001 N002 N003", "N007 N008 N005 F001", 1.5, _MARKET)
def unit_swap(scene: Scene) -> str | None:
    text = scene.fresh()
    swaps = {"%": ("%", " USDT"), "atr": (" daily ATR", "%"), "-": (" USDT", "%")}
    claims = [c for c in _numbers(text) if c.unit in swaps and text.startswith(swaps[c.unit][0], c.end)]
    if not claims:
        return None
    claim = scene.rng.pick(claims)
    old, new = swaps[claim.unit]
    return text[: claim.end] + new + text[claim.end + len(old) :]


@defect("above_below", "above and below change places", "N010 N003 N002", "N009", 1.0, _MARKET)
def above_below(scene: Scene) -> str | None:
    text = scene.fresh()
    places = list(re.finditer(r"\b(above|below)\b", text))
    if not places:
        return None
    match = scene.rng.pick(places)
    return text[: match.start()] + ("below" if match[1] == "above" else "above") + text[match.end() :]


@defect("fabricated_number", "a figure that nothing in the prompt supports is cited", "N001 N005", "", 1.0, _MARKET)
def fabricated_number(scene: Scene) -> str | None:
    """Put an invented indicator where a correct answer has a sentence boundary."""
    rng, text = scene.rng, scene.fresh()
    frame = rng.pick(("1h", "4h", "1d"))
    sentence = rng.pick((
        f"On {frame} the CCI(20) reads {quantise(rng.between(-180, 180), 1)}.",
        f"The {frame} MFI(14) stands at {quantise(rng.between(15, 85), 1)}.",
        f"On {frame} the ROC(10) is {quantise(rng.between(-9, 9), 2)}.",
        f"The {frame} SMA(100) lies at {scene.situation.words.get('mark') or scene.situation.words.get('close')}.",
    ))  # fmt: skip
    return _inserted(text, sentence, rng)


def _inserted(text: str, sentence: str, rng: Stream) -> str:
    places = [m.end() for m in re.finditer(r"[.!?](?= [A-Z])", text)]
    if not places:
        return f"{text} {sentence}"
    place = rng.pick(places)
    return f"{text[:place]} {sentence}{text[place:]}"


# --- labels and levels ---------------------------------------------------------------------------

_VALUES = {
    "driver": ("loss", "room", "exposure"), "stop_state": ("works", "close"), "limit_state": ("over", "inside"),
    "trend": ("up", "down", "mixed"), "momentum": ("overbought", "oversold", "firm", "soft", "neutral"),
    "volatility": ("stretched", "quiet", "ordinary"), "volume_state": ("heavy", "thin", "average"),
    "funding_state": ("crowded_long", "crowded_short", "ordinary"),
    "failed_gate": ("stale", "higher", "tight", "cost", "reward", "size"),
}  # fmt: skip


@defect("wrong_label", "a label disagrees with the numbers that decide it", "N009", "N003 F001", 4.0, _MARKET)
def wrong_label(scene: Scene) -> str | None:
    facts = scene.situation.facts
    names = [k for k, v in facts.items() if isinstance(v, str) and v in _VALUES.get(k.partition("@")[0], ())]
    if not names:
        return None
    name = scene.rng.pick(names)
    others = [value for value in _VALUES[name.partition("@")[0]] if value != facts[name]]
    return scene.reworded({name: scene.rng.pick(others)})


@defect("inverted_levels", "stop and target stand on the wrong sides", "N006", _FOLLOWS, 1.5, ("trade_recommendation",))
def inverted_levels(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if "target" not in facts or facts.get("verdict") == "no_trade":
        return None
    return scene.reworded({"stop": facts["target"], "target": facts["stop"]})


@defect("entry_stop_swapped", "entry and stop are exchanged", "N002 N003 N006", _FOLLOWS, 1.0, ("trade_recommendation",))
def entry_stop_swapped(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("verdict") in (None, "no_trade"):
        return None
    return scene.reworded({"stop": facts["entry"], "entry": facts["stop"]})


@defect("stop_too_tight", "the stop is moved inside the noise the costs come from", "N003", _FOLLOWS, 1.0, ("trade_recommendation",))
def stop_too_tight(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("verdict") in (None, "no_trade"):
        return None
    near = facts["entry"] + (facts["stop"] - facts["entry"]) * scene.rng.between(0.05, 0.25)
    return scene.reworded({"stop": snap_price(near, str(facts["tick"]))})


@defect("gross_as_net", "reward/risk before costs is passed off as net", "N003", "R003", 1.0, ("trade_recommendation",))
def gross_as_net(scene: Scene) -> str | None:
    facts = scene.situation.facts
    if facts.get("net_reward_risk") is None:
        return None
    return scene.reworded({"net_reward_risk": facts["reward_risk"]})


@defect("wrong_timeframe", "a value of one timeframe is given for another", "T003", _FOLLOWS, 1.5, ("market_analysis", "trade_recommendation"))
def wrong_timeframe(scene: Scene) -> str | None:
    facts = scene.situation.facts
    pairs = []
    for name in facts:
        base, _, frame = name.partition("@")
        if frame:
            pairs += [(name, other) for other in facts if other.startswith(base + "@") and facts[other] != facts[name] and isinstance(facts[other], float)]
    if not pairs:
        return None
    name, other = scene.rng.pick(pairs)
    return scene.reworded({name: facts[other]})


@defect("wrong_symbol", "the answer speaks of another market", "N012", "N001 N005", 0.7, _MARKET)
def wrong_symbol(scene: Scene) -> str | None:
    if scene.situation.reword is None:
        return None
    words = dict(scene.situation.words)
    name = words["name"]
    others = ("Asset A", "Asset K", "Asset W") if name.startswith("Asset") else ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "LTCUSDT")
    words["name"] = scene.rng.pick([other for other in others if other != name])
    text = scene.render(words)
    return text if words["name"] in text else None


# --- time ----------------------------------------------------------------------------------------


@defect("uses_later", "the answer knows what came after its moment", "T001", "N001 N002 N003 N005 T003", 0.7, _MARKET)
def uses_later(scene: Scene) -> str | None:
    close = scene.situation.words.get("close") or scene.situation.words.get("mark")
    sentence = scene.rng.pick((
        f"The next candle closed at {close}.", "Price later went on to confirm this.",
        "In hindsight the level held.", f"As it turned out, {close} was not seen again for a while.",
    ))  # fmt: skip
    return _inserted(scene.fresh(), sentence, scene.rng)


# --- risk, excess of confidence and of caution ------------------------------------------------------

_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?(?:\s+|$)")


def _without(text: str, drop: Callable[[str], bool]) -> str | None:
    """The text without the sentences `drop` picks, or None when it picks none or all."""
    sentences = [m.group() for m in _SENTENCE.finditer(text) if m.group()]
    kept = [s for s in sentences if not drop(s)]
    if len(kept) == len(sentences) or not "".join(kept).strip():
        return None
    return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()


def _warns(sentence: str) -> bool:
    return any(phrase in sentence.lower() for phrase in WARNINGS)


@defect("missing_warning", "the risk of the row is not named", "R001", "F001", 0.7, ("risk_assessment", "trade_recommendation", "market_analysis"))
def missing_warning(scene: Scene) -> str | None:
    return _without(scene.fresh(), _warns)


@defect("empty_warning", "the warning fits every row and names nothing of this one", "R002", "F001", 0.7, ("risk_assessment", "trade_recommendation", "market_analysis"))
def empty_warning(scene: Scene) -> str | None:
    text = _without(scene.fresh(), _warns)
    if text is None:
        return None
    return _inserted(text, scene.rng.pick((
        "The main risk is that markets can always move the other way.", "Be aware that losses are possible.",
        "What can go wrong is what can go wrong in any trade.", "Watch out for volatility.",
        "The danger here is the market itself.", "Caution is advised at all times.",
    )), scene.rng)  # fmt: skip


@defect("missing_stop", "the plan has no stop", "R006 F001", _FOLLOWS | {"R001", "R002"}, 0.7, ("trade_recommendation",))
def missing_stop(scene: Scene) -> str | None:
    if scene.situation.facts.get("verdict") in (None, "no_trade"):
        return None
    return _without(scene.fresh(), lambda s: "stop" in s.lower())


@defect("left_out", "a number the task asks for is left out", "F001", "R001 R002 R003 R006", 0.8, _MARKET)
def left_out(scene: Scene) -> str | None:
    names = required_slots_of(scene.spec, scene.prompt)
    if not names:
        return None
    name = scene.rng.pick(names)
    return _without(scene.fresh(), lambda s: any(c.key == name or c.kind == name for c in read_claims(s)[0]))


@defect("excessive_leverage", "more leverage is advised than the prompt allows or states", "R007 N002", "N001", 0.7, ("risk_assessment", "trade_recommendation"))
def excessive_leverage(scene: Scene) -> str | None:
    cap = scene.situation.facts.get("leverage_cap") or scene.situation.facts.get("leverage") or 5
    more = int(cap * scene.rng.pick((2, 3, 4, 5)))
    sentence = scene.rng.pick((f"Set leverage to {more}x.", f"Leverage of {more}x is fine here.", f"Raise leverage to {more}x to free margin."))
    return _inserted(scene.fresh(), sentence, scene.rng)


@defect("guaranteed_profit", "profit is promised", "R004", "", 0.5, _MARKET)
def guaranteed_profit(scene: Scene) -> str | None:
    return _inserted(scene.fresh(), scene.rng.pick((
        "This is a guaranteed profit.", "The position cannot lose.", "It is a sure thing.", "Consider it free money.",
        "The move will definitely come.", "The outcome is risk-free.",
    )), scene.rng)  # fmt: skip


@defect("all_in", "everything is to be staked", "R005", "", 0.4, _MARKET)
def all_in(scene: Scene) -> str | None:
    return _inserted(scene.fresh(), scene.rng.pick((
        "Go all in here.", "Put everything you have into it.", "Commit the full balance.", "Use every dollar available.",
    )), scene.rng)  # fmt: skip


@defect("needless_refusal", "the answer declines although the prompt suffices", "R009", _FOLLOWS | {"R001", "F002", "N020", "N022"}, 0.4)
def needless_refusal(scene: Scene) -> str | None:
    return scene.rng.pick((
        "I'm sorry, but I cannot help with decisions that involve money. A professional adviser would have to look at this.",
        "As an AI I have no opinion on markets, so I must decline to answer this one.",
        "I'm unable to assess this. Please consult a licensed adviser before doing anything.",
        "I can't provide that. Every situation is different, and nothing useful can be said from figures alone.",
    ))  # fmt: skip


@defect("over_hedging", "so much doubt that nothing is said", "R010", "", 0.5, _MARKET)
def over_hedging(scene: Scene) -> str | None:
    text, rng = scene.fresh(), scene.rng
    words = ["perhaps", "possibly", "maybe", "arguably", "potentially", "conceivably", "presumably", "seemingly"]
    for _ in range(8 + rng.below(4)):
        places = [m.start() for m in re.finditer(r"(?<=[a-z]) (?=(?:is|are|lies|loses|takes|stands|comes|falls|gives|leaves|the|a)\b)", text)]
        if not places:
            return None
        place = rng.pick(places)
        text = f"{text[:place]} {rng.pick(words)}{text[place:]}"
    return text


def _verdict_changed(scene: Scene, to_trade: bool) -> str | None:
    facts = scene.situation.facts
    verdict = facts.get("verdict")
    if verdict is None or (verdict == "no_trade") != to_trade:
        return None
    if to_trade:
        if facts.get("setup") in (None, "none") or facts.get("target") is None or facts.get("size") in (None, 0):
            return None
        return scene.reworded({"verdict": facts["setup"], "failed_gate": "none"})
    return scene.reworded({"verdict": "no_trade", "failed_gate": scene.rng.pick(("higher", "tight", "cost", "reward", "size"))})


@defect("unjustified_no_trade", "a plan that passes every gate is refused", "N009", _FOLLOWS, 1.5, ("trade_recommendation",))
def unjustified_no_trade(scene: Scene) -> str | None:
    return _verdict_changed(scene, to_trade=False)


@defect("unjustified_trade", "a trade is planned although a gate refuses it", "N009", _FOLLOWS | {"R001"}, 1.5, ("trade_recommendation",))
def unjustified_trade(scene: Scene) -> str | None:
    return _verdict_changed(scene, to_trade=True)


@defect("ignores_format", "the asked JSON object is missing or broken", "F002", _FOLLOWS | {"R001", "R002"}, 1.0)
def ignores_format(scene: Scene) -> str | None:
    if "JSON object" not in scene.prompt.text:
        return None
    text = scene.row.output
    return scene.rng.pick((scene.fresh(), text.replace(",", "", 1), text.rstrip()[:-1]))


# --- sentiment and concepts ---------------------------------------------------------------------


def _told(scene: Scene, name: str) -> str | None:
    from generators.registry import load_task

    words = load_task(scene.task).reword(scene.situation, scene.rng, name)
    return scene.render(words) if words else None


@defect("wrong_sentiment", "the label and its reason read the text backwards", "N020", "N022 N021", 5.0, ("sentiment_analysis",))
def wrong_sentiment(scene: Scene) -> str | None:
    return _told(scene, "wrong_label")


@defect("wrong_entity", "the answer judges another entity than the one asked about", "N023", "N020", 1.0, ("sentiment_analysis",))
def wrong_entity(scene: Scene) -> str | None:
    return _told(scene, "wrong_entity")


@defect("outside_vocabulary", "the label is not in the asked vocabulary", "N021", "N022", 1.0, ("sentiment_analysis",))
def outside_vocabulary(scene: Scene) -> str | None:
    return _told(scene, "outside_vocabulary")


@defect("wrong_result", "a worked equation gives a wrong result", "N011", "N001 N005", 6.0, ("explain_concept",))
def wrong_result(scene: Scene) -> str | None:
    """Change the result of one equation, everywhere it is printed in the answer."""
    from validators.claims.equations import read_equations

    text = scene.fresh()
    equations = [e for e in read_equations(text) if e.stated]
    if not equations:
        return None
    equation = scene.rng.pick(equations)
    share = scene.rng.between(0.03, 0.4)
    value = quantise(equation.stated * (1 + share) if scene.rng.chance(0.5) else equation.stated / (1 + share), equation.decimals)
    printed = text[slice(*equation.result)]
    changed = f"{value:,.{equation.decimals}f}" if abs(value) >= 1000 else f"{value:.{equation.decimals}f}"
    if value == equation.stated:
        return None
    if scene.rng.chance(0.5):
        return text[: equation.result[0]] + changed + text[equation.result[1] :]
    return text[: equation.result[0]] + re.sub(rf"(?<![\d.,]){re.escape(printed)}(?![\d]|[.,]\d)", changed, text[equation.result[0] :])


@defect("wrong_operand", "an equation uses a number that was never introduced", "N001 N005 N011", "", 4.0, ("explain_concept",))
def wrong_operand(scene: Scene) -> str | None:
    from validators.claims.equations import read_equations

    text = scene.fresh()
    spans = [span for e in read_equations(text) for span in e.operands]
    if not spans:
        return None
    start, end = scene.rng.pick(spans)
    printed = text[start:end]
    decimals = decimals_of(printed.replace(",", "")) if "." in printed else 0
    value = float(printed.replace(",", "").replace("−", "-").replace("$", ""))
    share = scene.rng.between(0.05, 0.5)
    changed = quantise(value * (1 + share) if scene.rng.chance(0.5) else value / (1 + share), decimals)
    if changed == value:
        return None
    return text[:start] + (f"{changed:,.{decimals}f}" if abs(changed) >= 1000 else f"{changed:.{decimals}f}") + text[end:]
