"""Answers as JSON: the required statements of a task as one object whose keys are claim kinds."""

from dataclasses import dataclass
from typing import Any

import orjson

from generators.situation import Situation
from tapewright.streams import Stream
from templates.specs import load_spec

# What the schema says of a key, by the last word of the kind.
_NOTES = {
    "pct": "per cent", "usdt": "USDT", "atr": "daily ATR", "day": "USDT a day", "risk": "R", "r": "R",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Structured:
    """One object and its text; `keys` are in the order of the object."""

    keys: tuple[str, ...]
    text: str


def structured_answer(situation: Situation, task: str) -> Structured | None:
    """The object a task's slots make of the facts; None for a task without structured answer.

    A task may name its own keys in words["json"]; otherwise its slots are used.
    """
    own = situation.words.get("json")
    values: dict[str, Any] = dict(own) if own else _from_slots(situation, task)
    if not values:
        return None
    return Structured(tuple(values), orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())


def _from_slots(situation: Situation, task: str) -> dict[str, Any]:
    values = {}
    for slot in load_spec(task).slots:
        kind, _, condition = slot.partition(" when ")
        label, _, allowed = condition.partition("=")
        if condition and str(situation.facts.get(label)) not in allowed.split("|"):
            continue
        if kind.endswith("@"):
            kind += situation.facts.get("frame", "")
        if situation.facts.get(kind) is not None:
            values[kind] = situation.facts[kind]
    if "warning" in situation.words:
        values["warning"] = situation.words["warning"]
    return values


def add_schema(instruction: str, answer: Structured, *, both: bool, rng: Stream) -> str:
    """The instruction with the form it asks for: the keys, their units, and where the object goes."""
    notes = ", ".join(
        f'"{key}"' + (f" ({_NOTES[tail]})" if (tail := key.split("_")[-1]) in _NOTES else "") for key in answer.keys
    )
    if both:
        lead = rng.pick(("After the text, add", "Close with", "End the answer with", "Then append"))
        return f"{instruction} {lead} one JSON object with the keys {notes}."
    lead = rng.pick(("Answer only with", "Return nothing but", "Reply with just", "Give only"))
    return f"{instruction} {lead} one JSON object with the keys {notes}."
