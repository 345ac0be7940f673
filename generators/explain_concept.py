"""Questions about trading concepts: definition, purpose, a common mistake, a worked example.

The words come from `templates/explain_concept/concepts/*.toml`; the numbers of the example are
drawn and computed here, so that every numeral of an answer is either introduced as an assumption,
given in the prompt, or the printed result of a printed equation. Timeless: no market is read.
"""

from decimal import Decimal
from typing import Any

from generators.concepts import Concept, draw_numbers, list_slugs, load_concepts, show
from generators.situation import Situation
from tapewright.streams import Stream
from templates.engine import compile_text, render

# What a question asks for, with its share: everything; definition and example; the mistake; an
# introduction for a newcomer; the meaning without figures; a calculation on given numbers; a quiz.
KINDS = ("full", "brief", "mistake", "newcomer", "meaning", "compute", "check")
_WEIGHTS = (24, 14, 15, 14, 11, 13, 9)
_FEWEST_WORDS, _MOST_WORDS = 61, 190


def draw(rng: Stream, world: Any = None) -> Situation:
    """Draw one concept, a kind of question and the numbers of the example. `world` is not used."""
    concept = load_concepts()[rng.pick(list_slugs())]
    numbers = draw_numbers(concept, rng)
    decimals = concept.decimals()
    facts: dict[str, Any] = {"concept": concept.slug}
    for name, value in numbers.items():
        facts[name] = float(value) if decimals[name] else int(value)
    origin = {item.name: "drawn" for item in concept.draws} | {item.name: "computed" for item in concept.computes}
    return Situation(
        facts=facts,
        words=_words(concept, numbers, decimals, rng),
        origin={"concept": "drawn", **origin},
        group=f"concept:{concept.slug}",
        label=concept.category,
    )


def _words(concept: Concept, numbers: dict[str, Decimal], decimals: dict[str, int], rng: Stream) -> dict[str, Any]:
    printed = {name: show(value, decimals[name]) for name, value in numbers.items()}

    def text(wordings: tuple[str, ...]) -> str:
        return render(compile_text(rng.pick(wordings)), printed, rng)

    kind = rng.weighted(KINDS, _WEIGHTS)
    parts = {key: text(getattr(concept, key)) for key in ("definition", "why", "mistake", "setup", "work")}
    length = {key: len(value.split()) for key, value in parts.items()}
    given = kind in ("compute", "check")
    example = parts["work"] if given else f"{parts['setup']} {parts['work']}"
    show_example = kind in ("full", "brief", "newcomer", "compute", "check") or (kind == "mistake" and rng.chance(0.5))
    show_mistake = kind in ("full", "mistake", "meaning", "check") or (kind == "newcomer" and rng.chance(0.4))
    show_why = kind in ("full", "newcomer", "meaning") or (kind == "mistake" and not show_example)
    told = length["definition"] + (length["work"] if given else length["setup"] + length["work"]) * show_example
    told += length["why"] * show_why + length["mistake"] * show_mistake
    if told < _FEWEST_WORDS and not show_why:
        show_why, told = True, told + length["why"]
    if told < _FEWEST_WORDS and not show_mistake:
        show_mistake = True
    elif told < _FEWEST_WORDS:
        kind, show_example = "full", True
    elif told > _MOST_WORDS and kind in ("full", "newcomer"):
        kind, show_why, show_mistake = "brief", False, False
    return {
        "kind": kind,
        "name": rng.pick(concept.names),
        "title": concept.title.partition(" (")[0],
        "be": "are" if concept.plural else "is",
        "mean": "mean" if concept.plural else "means",
        "pronoun": "they" if concept.plural else "it",
        "object": "them" if concept.plural else "it",
        "category": "DeFi" if concept.category == "defi" else concept.category.replace("_", " "),
        "level": concept.level,
        "definition": parts["definition"],
        "why": parts["why"],
        "mistake": parts["mistake"],
        "setup": parts["setup"],
        "work": parts["work"],
        "example": example,
        "find": text((concept.find,)),
        "given": given,
        "show_why": show_why,
        "show_mistake": show_mistake,
        "show_example": show_example,
    }
