"""Defects of time, warning and confidence: sentences added, dropped or replaced. They stay few."""

import re
from collections.abc import Callable

from generators.defects.registry import FOLLOWS, MARKET, Scene, defect
from tapewright.streams import Stream
from validators.claims.reader import read_claims
from validators.risk import WARNINGS
from validators.slots import required_slots_of


def inserted(text: str, sentence: str, rng: Stream) -> str:
    places = [m.end() for m in re.finditer(r"[.!?](?= [A-Z])", text)]
    if not places:
        return f"{text} {sentence}"
    place = rng.pick(places)
    return f"{text[:place]} {sentence}{text[place:]}"


@defect(
    "uses_later",
    "the answer knows what came after its moment",
    "T001",
    "N001 N002 N003 N005 T003",
    weight=0.4,
    tasks=MARKET,
    manner="telling",
)
def uses_later(scene: Scene) -> str | None:
    close = scene.situation.words.get("close") or scene.situation.words.get("mark")
    sentence = scene.rng.pick((
        f"The next candle closed at {close}.", "Price later went on to confirm this.",
        "In hindsight the level held.", f"As it turned out, {close} was not seen again for a while.",
    ))  # fmt: skip
    return inserted(scene.fresh(), sentence, scene.rng)


# --- risk, excess of confidence and of caution ------------------------------------------------------

_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?(?:\s+|$)")


def without(text: str, drop: Callable[[str], bool]) -> str | None:
    """The text without the sentences `drop` picks, or None when it picks none or all."""
    sentences = [m.group() for m in _SENTENCE.finditer(text) if m.group()]
    kept = [s for s in sentences if not drop(s)]
    if len(kept) == len(sentences) or not "".join(kept).strip():
        return None
    return re.sub(r"\n{3,}", "\n\n", "".join(kept)).strip()


def _warns(sentence: str) -> bool:
    return any(phrase in sentence.lower() for phrase in WARNINGS)


@defect(
    "missing_warning",
    "the risk of the row is not named",
    "R001",
    "F001",
    weight=0.4,
    tasks=("risk_assessment", "trade_recommendation", "market_analysis"),
    manner="telling",
)
def missing_warning(scene: Scene) -> str | None:
    return without(scene.fresh(), _warns)


@defect(
    "empty_warning",
    "the warning fits every row and names nothing of this one",
    "R002",
    "F001",
    weight=0.4,
    tasks=("risk_assessment", "trade_recommendation", "market_analysis"),
    manner="telling",
)
def empty_warning(scene: Scene) -> str | None:
    text = without(scene.fresh(), _warns)
    if text is None:
        return None
    return inserted(text, scene.rng.pick((
        "The main risk is that markets can always move the other way.", "Be aware that losses are possible.",
        "What can go wrong is what can go wrong in any trade.", "Watch out for volatility.",
        "The danger here is the market itself.", "Caution is advised at all times.",
    )), scene.rng)  # fmt: skip


@defect(
    "missing_stop",
    "the plan has no stop",
    "R006 F001",
    FOLLOWS | {"R001", "R002"},
    weight=0.4,
    tasks=("trade_recommendation",),
    manner="telling",
)
def missing_stop(scene: Scene) -> str | None:
    if scene.situation.facts.get("verdict") in (None, "no_trade"):
        return None
    return without(scene.fresh(), lambda s: "stop" in s.lower())


@defect(
    "left_out",
    "a number the task asks for is left out",
    "F001",
    "R001 R002 R003 R006",
    weight=0.5,
    tasks=MARKET,
    manner="telling",
)
def left_out(scene: Scene) -> str | None:
    names = required_slots_of(scene.spec, scene.prompt)
    if not names:
        return None
    name = scene.rng.pick(names)
    return without(scene.fresh(), lambda s: any(c.key == name or c.kind == name for c in read_claims(s)[0]))


@defect(
    "excessive_leverage",
    "more leverage is advised than the prompt allows or states",
    "R007 N002",
    "N001",
    weight=0.4,
    tasks=("risk_assessment", "trade_recommendation"),
    manner="telling",
)
def excessive_leverage(scene: Scene) -> str | None:
    cap = scene.situation.facts.get("leverage_cap") or scene.situation.facts.get("leverage") or 5
    more = int(cap * scene.rng.pick((2, 3, 4, 5)))
    sentence = scene.rng.pick(
        (
            f"Set leverage to {more}x.",
            f"Leverage of {more}x is fine here.",
            f"Raise leverage to {more}x to free margin.",
        )
    )
    return inserted(scene.fresh(), sentence, scene.rng)


@defect(
    "guaranteed_profit",
    "profit is promised",
    "R004",
    "",
    weight=0.4,
    tasks=MARKET,
    manner="telling",
)
def guaranteed_profit(scene: Scene) -> str | None:
    return inserted(scene.fresh(), scene.rng.pick((
        "This is a guaranteed profit.", "The position cannot lose.", "It is a sure thing.", "Consider it free money.",
        "The move will definitely come.", "The outcome is risk-free.",
    )), scene.rng)  # fmt: skip


@defect(
    "all_in",
    "everything is to be staked",
    "R005",
    "",
    weight=0.3,
    tasks=MARKET,
    manner="telling",
)
def all_in(scene: Scene) -> str | None:
    return inserted(scene.fresh(), scene.rng.pick((
        "Go all in here.", "Put everything you have into it.", "Commit the full balance.", "Use every dollar available.",
    )), scene.rng)  # fmt: skip


@defect(
    "needless_refusal",
    "the answer declines although the prompt suffices",
    "R009",
    FOLLOWS | {"R001", "F002", "N020", "N022"},
    weight=0.3,
    manner="telling",
)
def needless_refusal(scene: Scene) -> str | None:
    return scene.rng.pick((
        "I'm sorry, but I cannot help with decisions that involve money. A professional adviser would have to look at this.",
        "As an AI I have no opinion on markets, so I must decline to answer this one.",
        "I'm unable to assess this. Please consult a licensed adviser before doing anything.",
        "I can't provide that. Every situation is different, and nothing useful can be said from figures alone.",
    ))  # fmt: skip


@defect(
    "over_hedging",
    "so much doubt that nothing is said",
    "R010",
    "",
    weight=0.3,
    tasks=MARKET,
    manner="telling",
)
def over_hedging(scene: Scene) -> str | None:
    text, rng = scene.fresh(), scene.rng
    words = ["perhaps", "possibly", "maybe", "arguably", "potentially", "conceivably", "presumably", "seemingly"]
    for _ in range(8 + rng.below(4)):
        places = [
            m.start()
            for m in re.finditer(
                r"(?<=[a-z]) (?=(?:is|are|lies|loses|takes|stands|comes|falls|gives|leaves|the|a)\b)", text
            )
        ]
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
        return scene.reworded({"verdict": facts["setup"], "side": facts["setup"], "failed_gate": "none"})
    return scene.reworded(
        {"verdict": "no_trade", "failed_gate": scene.rng.pick(("higher", "tight", "cost", "reward", "size"))}
    )


@defect(
    "unjustified_no_trade",
    "a plan that passes every gate is refused",
    "N009",
    FOLLOWS | {"R001"},
    weight=1.5,
    tasks=("trade_recommendation",),
    manner="independent",
)
def unjustified_no_trade(scene: Scene) -> str | None:
    return _verdict_changed(scene, to_trade=False)


@defect(
    "unjustified_trade",
    "a trade is planned although a gate refuses it",
    "N009 F001",
    FOLLOWS | {"R001"},
    weight=1.5,
    tasks=("trade_recommendation",),
    manner="independent",
)
def unjustified_trade(scene: Scene) -> str | None:
    return _verdict_changed(scene, to_trade=True)


@defect(
    "ignores_format",
    "the asked JSON object is missing or broken",
    "F002",
    FOLLOWS | {"R001", "R002"},
    weight=1,
    manner="telling",
)
def ignores_format(scene: Scene) -> str | None:
    if "JSON object" not in scene.prompt.text:
        return None
    text = scene.row.output
    return scene.rng.pick((scene.fresh(), text.replace(",", "", 1), text.rstrip()[:-1]))
