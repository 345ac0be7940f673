"""Defects that only one task can have: a sentiment read backwards, an equation that does not hold."""

import re

from generators.defects.registry import Scene, defect
from generators.registry import load_task
from market.quantity import decimals_of, quantise
from validators.claims.equations import read_equations


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
    return _told(scene, "outside_vocabulary")


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
    share = scene.rng.between(0.03, 0.4)
    value = quantise(
        equation.stated * (1 + share) if scene.rng.chance(0.5) else equation.stated / (1 + share), equation.decimals
    )
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
    weight=4,
    tasks=("explain_concept",),
    manner="edited",
)
def wrong_operand(scene: Scene) -> str | None:
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
    return (
        text[:start] + (f"{changed:,.{decimals}f}" if abs(changed) >= 1000 else f"{changed:.{decimals}f}") + text[end:]
    )
