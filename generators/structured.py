"""Answers as JSON: the required statements of a task as one object whose keys are claim kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

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


def structured_answer(facts: Mapping[str, Any], words: Mapping[str, Any], task: str) -> Structured | None:
    """The object a task's slots make of the facts; None for a task without structured answer.

    A task may name its own keys in words["json"]; otherwise its slots are used.
    """
    own = words.get("json")
    values: dict[str, Any] = dict(own) if own else _from_slots(facts, task)
    if not values:
        return None
    return Structured(tuple(values), orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())


def _from_slots(facts: Mapping[str, Any], task: str) -> dict[str, Any]:
    values = {}
    for slot in load_spec(task).slots:
        kind, _, condition = slot.partition(" when ")
        label, _, allowed = condition.partition("=")
        if condition and str(facts.get(label)) not in allowed.split("|"):
            continue
        if kind.endswith("@"):
            kind += facts.get("frame", "")
        if facts.get(kind) is not None:
            values[kind] = facts[kind]
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


def in_form(text: str, answer: Structured | None, form: str) -> str:
    """The answer in the form asked for: text, the object alone, or both."""
    if answer is None or form == "text":
        return text
    return answer.text if form == "json" else f"{text}\n\n{answer.text}"
