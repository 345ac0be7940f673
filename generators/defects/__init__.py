"""Named ways for an answer to be wrong. Each module registers its defects when it is imported."""

from generators.defects import numbers, scripts, tasks, words  # noqa: F401
from generators.defects.registry import CARICATURES, DEFECTS, Defect, Scene

__all__ = ["CARICATURES", "DEFECTS", "Defect", "Scene", "defects_of"]


def defects_of(task: str) -> tuple[str, ...]:
    """The names of the defects that can apply to a task, in the order they were declared."""
    return tuple(name for name, entry in DEFECTS.items() if not entry.tasks or task in entry.tasks)
