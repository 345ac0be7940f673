"""Trivial answers every model must beat: no trade to everything, the input again, the commonest label, one fixed answer."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from finetune.evaluation.cases import Case
from finetune.evaluation.grade import Said

NO_TRADE_ANSWER = "No trade: the conditions of the rule are not met. The main risk is a loss beyond the stop."


def baselines(cases: Sequence[Case], known: Sequence[Case]) -> dict[str, list[Said]]:
    """Name → one answer per case. `known` are rows that may be learnt from: train rows, or the cases themselves."""
    return {
        "always no trade": [Said(NO_TRADE_ANSWER) for _ in cases],
        "copy the input": [Said(case.row.input or case.row.instruction) for case in cases],
        "majority label": _each(cases, known, _majority),
        "one fixed answer": _each(cases, known, _fixed),
    }


def _each(cases: Sequence[Case], known: Sequence[Case], make: Callable[[Case, list[Case]], str]) -> list[Said]:
    by_task: dict[str, list[Case]] = {}
    for case in known:
        by_task.setdefault(case.spec.name, []).append(case)
    return [Said(make(case, by_task.get(case.spec.name, []))) for case in cases]


def _majority(case: Case, known: list[Case]) -> str:
    """The commonest value of each label the task asks for, and of the score; ties go to the first in the alphabet."""
    if case.spec.name == "sentiment_analysis":
        facts = case.row.facts
        same = [other.row.facts for other in known if other.row.facts.get("vocabulary") == facts.get("vocabulary")]
        return f"{_commonest([str(found['label']) for found in same if 'label' in found]) or 'neutral'}".capitalize()
    if case.spec.name == "trade_recommendation":
        verdict = _commonest([str(v) for other in known if (v := other.prompt.quantities.get("verdict"))])
        return "No trade." if verdict in ("", "no_trade") else f"Go {verdict}."
    said = {}
    for slot in case.spec.slots:
        kind = slot.partition(" when ")[0].strip()
        values = [
            value for other in known if (value := other.prompt.quantities.get(_in_frame(kind, other))) is not None
        ]
        if values and (kind == "score" or isinstance(values[0], str)):
            said[_in_frame(kind, case)] = int(_commonest(values)) if kind == "score" else _commonest(values)
    return json.dumps(said) if said else ""


def _in_frame(kind: str, case: Case) -> str:
    return kind + str(case.prompt.quantities.get("frame", "")) if kind.endswith("@") else kind


def _commonest(values: list[Any]) -> Any:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value), default="")


def _fixed(case: Case, known: list[Case]) -> str:
    """One real answer of the task to every prompt; to its own prompt the next one, so that no row is given its answer."""
    others = [other for other in known[:2] if other.row.output != case.row.output]
    return others[0].row.output if others else ""
