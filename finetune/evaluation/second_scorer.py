"""A second opinion on the slots that shares no code with the checker: ask for JSON, compare with the row's facts.

What has been the gate of the data or the reward of a run cannot judge its outcome alone. Here each row's facts say what
the task's slots are worth; the model is asked for them by name, as one JSON object; what it gives is compared key by
key. Keys that an answer does not rest on are asked for as well, so that the question gives nothing away: null is due
there, and a value that is not the row's own counts as one wrong. Nothing of `validators` or `market` is used.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from converters.dialogue import Dialogue
from finetune.evaluation.cases import Case
from tapewright.rows import Row
from templates.specs import TaskSpec

_ASK = "Answer only with a JSON object {keys}; null for what is not needed or cannot be known."
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_OBJECT = re.compile(r"\{.*?\}", re.DOTALL)


def keys_of(row: Row, spec: TaskSpec) -> dict[str, Any]:
    """Slot → gold value, None where null is due: the slots of the task that the row's facts hold as computed and its
    prompt does not print; the label of a sentiment. Empty where there is nothing to ask for.
    """
    facts = row.facts
    if spec.name == "sentiment_analysis":
        return {"label": facts["label"]} if facts.get("label") else {}
    computed = set((row.provenance.get("origin") or {}).get("computed") or facts)
    asked: dict[str, Any] = {}
    for slot in spec.slots:
        kind, _, condition = (part.strip() for part in slot.partition(" when "))
        label, _, allowed = condition.partition("=")
        if kind.endswith("@"):
            kind += str(facts.get("frame", ""))
        applies = label in ("", kind) or str(facts.get(label)) in allowed.split("|")
        if asked.get(kind) is None:
            asked[kind] = facts.get(kind) if applies else None
    gold = {
        kind: value for kind, value in asked.items()
        if value is None or kind in computed and not _is_printed(value, row.input)
    }  # fmt: skip
    return gold if any(value is not None for value in gold.values()) else {}


def questions(cases: Sequence[Case]) -> list[tuple[int, Dialogue]]:
    """(place in `cases`, dialogue) for every case that has keys to ask for."""
    asked = []
    for place, case in enumerate(cases):
        gold = keys_of(case.row, case.spec)
        if gold:
            keys = "{" + ", ".join(f'"{key}": …' for key in gold) + "}"
            told = f"{case.row.instruction}\n{_ASK.format(keys=keys)}"
            text = f"{told}\n\n{case.row.input}" if case.row.input else told
            asked.append(
                (place, Dialogue("", [{"role": "user", "content": text}], {"role": "assistant", "content": ""}))
            )
    return asked


def count_right(case: Case, text: str) -> tuple[int, int]:
    """(keys right, keys due) of one answer. Several objects count as the first; a key said twice is wrong.

    A null in its place earns nothing; a value in place of a null is one more key due, and not right, unless the row's
    facts hold it: what is true but not needed is neither.
    """
    gold = keys_of(case.row, case.spec)
    said = _parse(text)
    facts = case.row.facts
    filled = [key for key, value in gold.items() if value is None and said.get(key) is not None]
    wrong = sum(facts.get(key) is None or not _same(said[key], facts[key]) for key in filled)
    due = {key: value for key, value in gold.items() if value is not None}
    return sum(_same(said.get(key), value) for key, value in due.items()), len(due) + wrong


def _parse(text: str) -> dict[str, Any]:
    """The first JSON object of a text, empty where there is none. A key that is doubled is taken out."""
    match = _OBJECT.search(text)
    if match is None:
        return {}

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        return {name: value for name, value in pairs if names.count(name) == 1}

    try:
        found = json.loads(match.group(), object_pairs_hook=once)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same(said: Any, gold: Any) -> bool:
    """Equal words, or numbers equal at the digits the facts carry."""
    if said is None or isinstance(said, (bool, list, dict)):
        return False
    if isinstance(gold, str):
        return str(said).strip().lower().replace(" ", "_") == gold.lower().replace(" ", "_")
    if isinstance(said, str):
        numbers = _numbers(said)
        if len(numbers) != 1:
            return False
        said = float(numbers.pop())
    digits = _shown(gold).partition(".")[2]
    return abs(abs(float(said)) - abs(float(gold))) <= 0.5 * 10.0 ** -len(digits) + 1e-9


def _is_printed(value: Any, text: str) -> bool:
    """Whether the value can be read off the input; a number of one or two digits stands there by chance."""
    shown = _shown(value)
    return len(re.sub(r"\D", "", shown)) > 2 and shown in _numbers(text)


def _shown(value: Any) -> str:
    """A number as its shortest text: 75.0 → 75."""
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _numbers(text: str) -> set[str]:
    found = (match.replace(",", "") for match in _NUMBER.findall(text))
    return {number.rstrip("0").rstrip(".") if "." in number else number for number in found}
