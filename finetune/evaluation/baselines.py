"""Trivial answers every model must beat: no trade to everything, the input again, the commonest label, one fixed answer."""

from collections import Counter
from collections.abc import Callable, Sequence

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
    """The commonest label of the task among `known`, of the vocabulary asked for; ties go to the first in the alphabet."""
    facts = case.row.facts
    if case.spec.name == "sentiment_analysis":
        same = [other.row.facts for other in known if other.row.facts.get("vocabulary") == facts.get("vocabulary")]
        return f"{_commonest([str(found['label']) for found in same if 'label' in found]) or 'neutral'}".capitalize()
    if case.spec.name == "trade_recommendation":
        verdict = _commonest([str(v) for other in known if (v := other.prompt.quantities.get("verdict"))])
        return "No trade." if verdict in ("", "no_trade") else f"Go {verdict}."
    if case.spec.name == "risk_assessment":
        score = _commonest([str(v) for other in known if (v := other.prompt.quantities.get("score")) is not None])
        return f"The score is {score or 5}."
    return ""


def _commonest(values: list[str]) -> str:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value), default="")


def _fixed(case: Case, known: list[Case]) -> str:
    """One real answer of the task to every prompt; to its own prompt the next one, so that no row is given its answer."""
    others = [other for other in known[:2] if other.row.output != case.row.output]
    return others[0].row.output if others else ""
