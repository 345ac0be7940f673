"""The one check, used by `generate`, by certification, by `validate`, and as a score and a reward."""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

from tapewright.findings import Finding
from templates.specs import TaskSpec
from validators.context import Answer, Prompt, read_prompt
from validators.figures import check_figures
from validators.numbers import (
    UNREAD,
    check_equations,
    check_facts,
    check_labels,
    check_levels,
    check_numbers,
    check_symbols,
)
from validators.risk import check_plan, check_promises, check_warning
from validators.slots import check_format, check_slots
from validators.time import check_time


@functools.cache
def task_check(task: str) -> Callable[[Answer], None] | None:
    """What a task alone can check: `check_task` of a module of this room that bears the task's name."""
    if importlib.util.find_spec(f"validators.{task}") is None:
        return None
    return importlib.import_module(f"validators.{task}").check_task


def check_answer(
    prompt: Prompt, text: str, *, spec: TaskSpec | None = None, generated: bool = False,
    facts: Mapping[str, Any] | None = None, field: str = "output",
) -> list[Finding]:  # fmt: skip
    """All findings on one answer to a prompt that has been read.

    `spec` adds what its task owes; `generated` also refuses numerals nothing explains; `facts` are
    a second check on claims and never an excuse.
    """
    return judge(Answer(prompt, text, field, spec, generated, dict(facts) if facts else None))


def judge(answer: Answer) -> list[Finding]:
    """All findings on an answer that has been read."""
    spec = answer.spec
    check_numbers(answer)
    check_equations(answer)
    if spec is None:
        check_figures(answer)  # our own tasks' numbers are held to their formulas one by one
    check_labels(answer)
    check_levels(answer)
    check_symbols(answer)
    check_promises(answer)
    check_plan(answer)
    check_warning(answer)
    if spec is not None and (own := task_check(spec.name)) is not None:
        own(answer)
    check_time(answer)
    check_slots(answer)
    check_format(answer)
    check_facts(answer)
    return answer.findings


def check_prompt(prompt: Prompt) -> list[Finding]:
    """N005 on numerals of a generated market prompt that no claim explains."""
    return [
        Finding(UNREAD, f"nothing explains {prompt.text[max(0, c.start - 30) : c.end + 10]!r}", field="instruction")
        for c in prompt.claims
        if not c.kind and c.decimals >= 0
    ]


def check_text(
    instruction: str, data: str, output: str, *, spec: TaskSpec | None = None,
    generated: bool = False, facts: Mapping[str, Any] | None = None,
) -> list[Finding]:  # fmt: skip
    """Read the prompt and check one answer to it."""
    prompt = read_prompt(instruction, data, timeless=spec is not None and spec.timeless)
    return check_answer(prompt, output, spec=spec, generated=generated, facts=facts)
