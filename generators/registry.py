"""The tasks there are: a generator module, a template folder and a task_type are one word."""

import functools
import importlib
import math
from types import ModuleType

from tapewright.errors import ConfigError, TemplateError, suggest
from templates.specs import list_tasks, load_spec

__all__ = ["list_tasks", "load_spec", "load_task", "resolve_weights"]


@functools.cache
def load_task(name: str) -> ModuleType:
    """The generator module of a task. It has `draw(rng, world) -> Situation`."""
    load_spec(name)
    module = importlib.import_module(f"generators.{name}")
    if not hasattr(module, "draw"):
        raise TemplateError(f"generators/{name}.py has no draw(rng, world)")
    return module


def resolve_weights(wanted: dict[str, float] | None) -> dict[str, float]:
    """Shares per task that add up to 1. None takes every task's own weight.

    Raises ConfigError for an unknown task, a negative share, or shares that do not add up to 1.
    """
    known = list_tasks()
    if not wanted:
        own = {name: load_spec(name).weight for name in known}
        total = sum(own.values())
        return {name: weight / total for name, weight in own.items()}
    for name, weight in wanted.items():
        if name not in known:
            raise ConfigError(f"no task {name!r}.{suggest(name, known)} Known: {', '.join(known)}")
        if not math.isfinite(weight) or weight < 0:
            raise ConfigError(f"weight of {name} is {weight:g}; weights cannot be negative or without a value")
    total = sum(wanted.values())
    if abs(total - 1) > 1e-6:
        raise ConfigError(f"weights add up to {total:g}, not 1: {', '.join(f'{k}={v:g}' for k, v in wanted.items())}")
    return dict(wanted)
