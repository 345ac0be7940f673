"""Defects that only one task can have: a sentiment read backwards, an equation that does not hold."""

import re

from generators.defects.registry import Scene, defect
from generators.registry import load_task
from market.quantity import decimals_of, quantise
from tapewright.streams import Stream
from validators.claims.equations import read_equations

_OUTSIDE_IN_JSON = 0.12


def _told(scene: Scene, name: str) -> str | None:
    words = load_task(scene.task).reword(scene.situation, scene.rng, name)
    return scene.render(words) if words else None


@defect(
    "wrong_sentiment",
    "the label and its reason read the text backwards",
    "N020",
    "N022 N021",
    weight=6,
    tasks=("sentiment_analysis",),
    manner="independent",
)
def wrong_sentiment(scene: Scene) -> str | None:
    return _told(scene, "wrong_label")


@defect(
    "wrong_entity",
    "the answer judges another entity than the one asked about",
    "N023",
    "N020",
    weight=0.7,
    tasks=("sentiment_analysis",),
    manner="independent",
)
def wrong_entity(scene: Scene) -> str | None:
    return _told(scene, "wrong_entity")


@defect(
    "outside_vocabulary",
    "the label is not in the asked vocabulary",
    "N021",
    "N022",
    weight=0.7,
    tasks=("sentiment_analysis",),
    manner="independent",
)
def outside_vocabulary(scene: Scene) -> str | None:
    # A bare label cannot speak of another name, so that neutral rows, whose label is in every vocabulary, often have no
    # defect left; were this always to be had, few chosen answers would be neutral.
    if scene.form == "json" and not scene.rng.chance(_OUTSIDE_IN_JSON):
        return None
    return _told(scene, "outside_vocabulary")


# Numbers a formula uses by itself.
_CONSTANTS = {"0.5", "1", "2", "3", "8", "12", "24", "100", "252", "365", "1000", "10000"}


def _grain(units: int) -> int:
    """The largest 1, 5, 10, 50, … that divides a count of last digits: how round a number is."""
    grain = 1
    while units and units % (grain * 10) == 0:
        grain *= 10
    return grain * 5 if units and units % (grain * 5) == 0 else grain


def _alike(value: float, decimals: int, rng: Stream, low: float, high: float) -> float:
    """Another number, up or down by a share in [low, high), and exactly as round: roundness must not tell."""
    units = round(abs(value) * 10**decimals)
    if not units:
        return value
    grain = _grain(units)
    share = rng.between(low, high)
    goal = units * (1 + share) if rng.chance(0.5) else units / (1 + share)
    nearest = round(goal / grain)
    for step in (0, 1, -1, 2, -2, 3, -3):
        changed = (nearest + step) * grain
        if changed > 0 and changed != units and _grain(changed) == grain:
            return quantise((1 if value >= 0 else -1) * changed / 10**decimals, decimals)
    return value


@defect(
    "wrong_result",
    "a worked equation gives a wrong result",
    "N011",
    "N001 N005",
    weight=6,
    tasks=("explain_concept",),
    manner="edited",
)
def wrong_result(scene: Scene) -> str | None:
    """Change the result of one equation, everywhere it is printed in the answer."""
    text = scene.fresh()
    equations = [e for e in read_equations(text) if e.stated]
    if not equations:
        return None
    equation = scene.rng.pick(equations)
    value = _alike(equation.stated, equation.decimals, scene.rng, 0.03, 0.4)
    printed = text[slice(*equation.result)]
    changed = f"{value:,.{equation.decimals}f}" if abs(value) >= 1000 else f"{value:.{equation.decimals}f}"
    if value == equation.stated:
        return None
    if scene.rng.chance(0.5):
        return text[: equation.result[0]] + changed + text[equation.result[1] :]
    return text[: equation.result[0]] + re.sub(
        rf"(?<![\d.,]){re.escape(printed)}(?![\d]|[.,]\d)", changed, text[equation.result[0] :]
    )


@defect(
    "wrong_operand",
    "an equation uses a number that was never introduced",
    "N001 N005 N011",
    "",
    weight=1.5,
    tasks=("explain_concept",),
    manner="edited",
)
def wrong_operand(scene: Scene) -> str | None:
    text = scene.fresh()
    spans = [span for equation in read_equations(text) for span in equation.operands]
    spans = [span for span in spans if text[slice(*span)].replace(",", "") not in _CONSTANTS]
    if not spans:
        return None
    start, end = scene.rng.pick(spans)
    printed = text[start:end].replace(",", "")
    decimals = decimals_of(printed) if "." in printed else 0
    value = float(printed.replace("−", "-").replace("$", ""))
    changed = _alike(value, decimals, scene.rng, 0.05, 0.5)
    if changed == value:
        return None
    return (
        text[:start] + (f"{changed:,.{decimals}f}" if abs(changed) >= 1000 else f"{changed:.{decimals}f}") + text[end:]
    )
