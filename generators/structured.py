"""Answers as JSON: what a task's answer must state, as one object whose keys are claim kinds.

Every object of a task has the same keys, so that asking for them gives no answer away: the plan of a trade and the gate
that forbids it are both asked for, and what the answer does not rest on is null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tapewright.streams import Stream
from templates.specs import load_spec

# What the schema says of a key, by the last word of the kind.
_NOTES = {
    "pct": "per cent", "usdt": "USDT", "atr": "daily ATR", "day": "USDT a day", "risk": "R", "r": "R", "h": "hours",
}  # fmt: skip
_LEADS = ("Answer only with", "Return nothing but", "Reply with just", "Give only")
_LEADS_AFTER_TEXT = ("After the text, add", "Close with", "End the answer with", "Then append")
_NULLS = (
    "null for what is not needed or cannot be known", "use null for a key that is not needed or cannot be known",
    "what is not needed or cannot be known is null", "put null where a value is not needed or cannot be known",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Structured:
    """One object and its text; `keys` are in the order of the object."""

    keys: tuple[str, ...]
    text: str


def structured_answer(facts: Mapping[str, Any], words: Mapping[str, Any], task: str) -> Structured:
    """The object a task's slots make of the facts; a task may name its own keys in words["json"]."""
    values: dict[str, Any] = dict(words.get("json") or _from_slots(facts, task))
    return Structured(tuple(values), orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())


def _from_slots(facts: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Each slot with its fact; None where its condition fails or the fact is not to be had.

    A slot whose condition is about itself (`verdict when verdict=no_trade`) is known either way.
    """
    values: dict[str, Any] = {}
    for slot in load_spec(task).slots:
        kind, _, condition = slot.partition(" when ")
        label, _, allowed = condition.partition("=")
        if kind.endswith("@"):
            kind += facts.get("frame", "")
        applies = label in ("", kind) or str(facts.get(label)) in allowed.split("|")
        if values.get(kind) is None:
            values[kind] = facts.get(kind) if applies else None
    return values


def add_schema(instruction: str, answer: Structured, *, both: bool, rng: Stream) -> str:
    """The instruction with the form it asks for: the keys, their units, and where the object goes."""
    notes = ", ".join(
        f'"{key}"' + (f" ({_NOTES[tail]})" if (tail := key.split("_")[-1]) in _NOTES else "") for key in answer.keys
    )
    lead = rng.pick(_LEADS_AFTER_TEXT if both else _LEADS)
    if len(answer.keys) == 1:
        return f"{instruction} {lead} one JSON object with the key {notes}."
    return f"{instruction} {lead} one JSON object with the keys {notes}; {rng.pick(_NULLS)}."


def in_form(text: str, answer: Structured, form: str) -> str:
    """The answer in the form asked for: the object alone, or after the text."""
    return answer.text if form == "json" else f"{text}\n\n{answer.text}"
