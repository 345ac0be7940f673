"""What an evaluation found, as tables: measures by model, slot accuracy by task, differences, wins, speed, worst answers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finetune.evaluation.cases import Case
from finetune.evaluation.grade import Grade
from finetune.evaluation.human import Opinion
from finetune.evaluation.measures import (
    BY_NAME,
    MEASURES,
    Estimate,
    Measure,
    Resampling,
    difference,
    estimate,
    of_both,
    of_task,
    wins,
)

WORST = 20
_EXCERPT = 600  # characters of a prompt or an answer in the list of the worst


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, rows of text, and what has to be known to read them."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass(slots=True)
class Evaluation:
    """Grades of several models on the same cases. `models` are models proper, in order; `trivial` are the baselines."""

    cases: list[Case]
    models: dict[str, list[Grade]]
    trivial: dict[str, list[Grade]]
    resampling: Resampling
    settings: dict[str, Any] = field(default_factory=dict)
    opinions: list[Opinion] = field(default_factory=list)

    @property
    def everyone(self) -> dict[str, list[Grade]]:
        """Models and baselines."""
        return self.models | self.trivial


def tables(found: Evaluation) -> list[Table]:
    """All tables that have anything to show, in the order of a report."""
    made = [
        measures_table(found),
        tasks_table(found),
        *_differences(found),
        _drift(found),
        _wins(found),
        _speed(found),
        _opinions(found),
    ]
    return [table for table in made if table is not None and table.rows]


def measures_table(found: Evaluation) -> Table:
    """One row per measure that applies, one column per model."""
    rows = []
    for measure in MEASURES:
        estimates = [estimate(measure, grades, found.resampling) for grades in found.everyone.values()]
        if any(estimates):
            n = max(value.n for value in estimates if value)
            title = f"{measure.title}{', %' if measure.percent else ''} {_arrow(measure)}".rstrip()
            rows.append([title, f"{n:,}", *(_cell(measure, value) for value in estimates)])
    return Table(
        "Measures", ["measure", "n", *found.everyone], rows,
        "95 % bootstrap intervals over groups of rows (time blocks, subjects). ↑ more is better, ↓ less is better; * as good as can be.",
    )  # fmt: skip


def tasks_table(found: Evaluation) -> Table:
    """Slot accuracy, one row per task."""
    rows = []
    for task in sorted({case.spec.name for case in found.cases}):
        measure = of_task(BY_NAME["slot_accuracy"], task)
        estimates = [estimate(measure, grades, found.resampling) for grades in found.everyone.values()]
        if any(estimates):
            n = max(value.n for value in estimates if value)
            rows.append([task, f"{n:,}", *(_cell(measure, value) for value in estimates)])
    return Table("Slot accuracy by task, %", ["task", "n", *found.everyone], rows)


def _differences(found: Evaluation) -> list[Table]:
    names = list(found.models)
    pairs = [
        (one, two)
        for at, two in enumerate(names)
        for one in names[:at]
        if at - names.index(one) == 1 or one == names[0]
    ]
    return [_difference(found, one, two) for one, two in dict.fromkeys(pairs)]


def _difference(found: Evaluation, one: str, two: str) -> Table:
    rows = []
    tasks = sorted({case.spec.name for case in found.cases})
    measures = [*MEASURES, *(of_task(BY_NAME["slot_accuracy"], task) for task in tasks)]
    titles = [*(measure.title for measure in MEASURES), *(f"slot accuracy, {task}" for task in tasks)]
    for measure, title in zip(measures, titles):
        change = difference(measure, found.models[one], found.models[two], found.resampling)
        if change is None or np.isnan(change.value):
            continue
        rows.append([title, _signed(measure, change.value), f"{_signed(measure, change.low)} to {_signed(measure, change.high)}", verdict(measure, change)])  # fmt: skip
    return Table(f"{two} against {one}", ["measure", "difference", "95 % interval", ""], rows, "Paired: the same rows in the same resamples. Percentages differ in points.")  # fmt: skip


def verdict(measure: Measure, change: Estimate) -> str:
    """better, worse or nothing: an interval that holds 0 proves neither."""
    if measure.higher_is_better is None or not (change.low > 0 or change.high < 0):
        return ""
    return "better" if (change.low > 0) == measure.higher_is_better else "worse"


def _drift(found: Evaluation) -> Table:
    """How far the two scorers are apart, model by model in the order of training, and what that has changed."""
    apart = BY_NAME["scorers_apart"]
    rows: list[list[str]] = []
    first: list[Grade] | None = None
    for name, grades in found.models.items():
        value = estimate(apart, grades, found.resampling)
        if value is None or np.isnan(value.value):
            continue
        cells = [_cell(of_both(measure), estimate(of_both(measure), grades, found.resampling)) for measure in (BY_NAME["slot_accuracy"], BY_NAME["json_slots"])]  # fmt: skip
        drift = "", ""
        if first is not None:
            change = difference(apart, first, grades, found.resampling)
            assert change is not None
            said = f"{_signed(apart, change.value)} ({_signed(apart, change.low)} to {_signed(apart, change.high)})"
            drift = said, "learns the checker" if change.low > 0 else ""
        first = grades if first is None else first
        rows.append([name, f"{value.n:,}", *cells, _signed(apart, value.value), *drift])
    return Table("Drift between the scorers, %", ["model", "n", "checker", "second scorer", "apart", "since the first model", ""], rows,
        "Over the rows both scored. A gap that grows by more than chance says that training taught the checker rather than the facts.")  # fmt: skip


def _wins(found: Evaluation) -> Table:
    rows = []
    everyone = found.everyone
    for two in found.models:
        for one in everyone:
            if one != two and not (
                one in found.models and list(found.models).index(one) > list(found.models).index(two)
            ):
                won, tied, lost = wins(everyone[one], everyone[two])
                rate = (won + tied / 2) / max(1, won + tied + lost)
                rows.append([two, one, f"{won:,}", f"{tied:,}", f"{lost:,}", f"{100 * rate:.1f}"])
    return Table("Wins, row by row", ["model", "against", "won", "tied", "lost", "win rate, %"], rows, "More slots right wins, else fewer findings; a tie counts half.")  # fmt: skip


def _speed(found: Evaluation) -> Table | None:
    rows = []
    for name, grades in found.models.items():
        seconds = np.array([grade.said.seconds for grade in grades if grade.said.seconds])
        if not len(seconds):
            continue
        tokens = sum(grade.said.tokens for grade in grades)
        whole = found.settings.get("seconds", {}).get(name)
        p50, p95, p99 = np.quantile(seconds, (0.5, 0.95, 0.99))
        rows.append([
            name, f"{seconds.mean():.2f}", f"{p50:.2f}", f"{p95:.2f}", f"{p99:.2f}", f"{tokens / max(1, len(grades)):.0f}",
            f"{tokens / whole:.0f}" if whole else "–",
        ])  # fmt: skip
    batch = found.settings.get("batch", 1)
    return Table("Speed", ["model", "mean, s", "P50", "P95", "P99", "tokens an answer", "tokens/s"], rows, f"Seconds until an answer is whole, {batch} asked at once.")  # fmt: skip


def _opinions(found: Evaluation) -> Table:
    by_model: dict[str, list[Opinion]] = {}
    for opinion in found.opinions:
        by_model.setdefault(opinion.model, []).append(opinion)
    rows = []
    for model, own in by_model.items():
        scores = np.array([opinion.score for opinion in own], dtype=float)
        rng = np.random.default_rng(42)
        means = rng.choice(scores, (2_000, len(scores))).mean(1)
        low, high = np.quantile(means, (0.025, 0.975))
        rows.append(
            [
                model,
                f"{len(own)}",
                f"{scores.mean():.2f}",
                f"{low:.2f} to {high:.2f}",
                f"{100 * (scores >= 4).mean():.0f}",
            ]
        )
    return Table("Read by people, 1–5", ["model", "answers", "mean", "95 % interval", "4 or 5, %"], rows)


def definitions() -> Table:
    """What each measure means."""
    return Table(
        "Definitions", ["measure", "definition"], [[measure.title, measure.definition] for measure in MEASURES]
    )


def worst(found: Evaluation, name: str, count: int = WORST) -> list[tuple[Case, Grade]]:
    """The answers with the least right and the most wrong, of one model."""
    pairs = list(zip(found.cases, found.models[name]))
    pairs.sort(key=lambda pair: (pair[1].slots.recall if pair[1].slots.required else not pair[1].slots.findings, -len(pair[1].wrong_because), pair[0].number))  # fmt: skip
    return [pair for pair in pairs if pair[1].wrong_because][:count]


def excerpt(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT].rstrip()} […]"


def as_data(found: Evaluation) -> dict[str, Any]:
    """Everything the tables say, as numbers."""
    everyone = found.everyone

    def told(value: Estimate | None) -> dict[str, Any] | None:
        if value is None or np.isnan(value.value):
            return None
        return {"value": value.value, "low": value.low, "high": value.high, "n": value.n}

    tasks = sorted({case.spec.name for case in found.cases})
    names = list(found.models)
    changes = {}
    for at, two in enumerate(names):
        for one in names[:at]:
            changes[f"{two} - {one}"] = {
                measure.name: told(difference(measure, found.models[one], found.models[two], found.resampling))
                for measure in MEASURES
            }
    return {
        "rows": len(found.cases),
        "settings": found.settings,
        "measures": {name: {m.name: told(estimate(m, grades, found.resampling)) for m in MEASURES} for name, grades in everyone.items()},
        "slot_accuracy_by_task": {
            name: {task: told(estimate(of_task(BY_NAME["slot_accuracy"], task), grades, found.resampling)) for task in tasks}
            for name, grades in everyone.items()
        },
        "differences": changes,
        "definitions": {measure.name: measure.definition for measure in MEASURES},
    }  # fmt: skip


def _cell(measure: Measure, value: Estimate | None) -> str:
    if value is None or np.isnan(value.value):
        return "–"
    star = "*" if measure.ceiling is not None and value.value == measure.ceiling else ""
    return f"{measure.show(value.value)}{star} ({measure.show(value.low)}–{measure.show(value.high)})"


def _signed(measure: Measure, value: float) -> str:
    shown = measure.show(value)
    return shown if shown.startswith("-") or shown == "–" else f"+{shown}"


def _arrow(measure: Measure) -> str:
    return {True: "↑", False: "↓", None: ""}[measure.higher_is_better]
