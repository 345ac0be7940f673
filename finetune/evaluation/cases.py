"""The rows a model is asked: read from any shape, picked evenly over the tasks, each prompt read once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tapewright.errors import ConfigError, RowError
from tapewright.inputs import expand, read_items
from tapewright.rows import Row
from tapewright.shapes import from_record
from tapewright.streams import stream
from templates.specs import TaskSpec, list_tasks, load_spec
from validators.context import Prompt, read_prompt


@dataclass
class Case:
    """One row to be answered. `group` ties rows of one time block or subject together; rows of none stand alone."""

    number: int
    row: Row
    spec: TaskSpec

    @cached_property
    def prompt(self) -> Prompt:
        """The prompt as the checker reads it."""
        return read_prompt(self.row.instruction, self.row.input, timeless=self.spec.timeless)

    @property
    def group(self) -> str:
        """What is resampled together."""
        return self.row.group or f"row {self.number}"


def read_cases(names: Iterable[str], rows: int = 0, seed: int = 42) -> tuple[list[Case], Counter]:
    """(cases in file order, rows left out by reason). `rows` draws so many, evenly over the tasks; 0 takes all.

    Raises ConfigError where no row can be scored.
    """
    cases: list[Case] = []
    left: Counter = Counter()
    for name in expand(list(names)):
        for item in read_items(name):
            if item.problem:
                left[item.message or item.problem] += 1
                continue
            try:
                row = from_record(item.record)
            except RowError as error:
                left[str(error)] += 1
                continue
            if row.task_type not in list_tasks():
                left[f"no task of ours ({row.task_type or 'no task_type'})"] += 1
            elif not (row.instruction or row.input):
                left["no prompt"] += 1
            else:
                cases.append(Case(len(cases), row, load_spec(row.task_type)))
    if not cases:
        why = "; ".join(f"{count} rows: {reason}" for reason, count in left.most_common(3))
        raise ConfigError(f"no row to evaluate in {', '.join(names)} ({why or 'empty'}); rows of `generate` name their task")  # fmt: skip
    return (_draw(cases, rows, seed) if 0 < rows < len(cases) else cases), left


def _draw(cases: list[Case], rows: int, seed: int) -> list[Case]:
    """So many of each task as its share of the cases, largest remainders first, drawn without order."""
    tasks: dict[str, list[Case]] = {}
    for case in cases:
        tasks.setdefault(case.spec.name, []).append(case)
    exact = {task: rows * len(own) / len(cases) for task, own in tasks.items()}
    taken = {task: int(share) for task, share in exact.items()}
    by_rest = sorted(exact, key=lambda task: (taken[task] - exact[task], task))
    for task in by_rest[: rows - sum(taken.values())]:
        taken[task] += 1
    kept: list[Case] = []
    for task, own in tasks.items():
        kept += stream("evaluate", seed, task).sample(own, taken[task])
    return sorted(kept, key=lambda case: case.number)
