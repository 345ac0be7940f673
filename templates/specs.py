"""Task specifications: what `templates/<task>/task.toml` says, checked when it is loaded.

summary = "one line for the list of tasks"
weight = 0.2                      # share in the default mix
timeless = false                  # true: no market, no as_of
warning = true                    # an answer owes a risk warning
slots = ["liquidation", …]        # claim kinds an answer states where the prompt lets them be derived
order = ["brief", "memo", …]      # template families; the last are the first to be held out
"""

import functools
import tomllib
from dataclasses import dataclass

from tapewright.errors import ConfigError, TemplateError, suggest
from templates.engine import FOLDER


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task as its folder describes it. `families` is in the order of the file."""

    name: str
    summary: str
    weight: float
    timeless: bool
    warning: bool
    slots: tuple[str, ...]
    families: tuple[str, ...]


_KEYS = {"summary": str, "weight": (int, float), "timeless": bool, "warning": bool, "slots": list, "order": list}


@functools.cache
def load_spec(task: str) -> TaskSpec:
    """Read and check one task.toml. Raises TemplateError naming the file and the key."""
    path = FOLDER / task / "task.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"no task {task!r}.{suggest(task, list_tasks())} `tasks` lists what there is") from None
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{task}/task.toml: {error}") from error
    for key, value in data.items():
        if key not in _KEYS:
            raise TemplateError(f"{task}/task.toml: unknown key {key!r}.{suggest(key, list(_KEYS))}")
        if not isinstance(value, _KEYS[key]):
            raise TemplateError(f"{task}/task.toml: {key} = {value!r} has the wrong type")
    missing = [key for key in _KEYS if key not in data]
    if missing:
        raise TemplateError(f"{task}/task.toml: missing {', '.join(missing)}")
    on_disk = {file.stem for file in path.parent.glob("*.j2") if not file.stem.startswith("_")}
    if set(data["order"]) != on_disk:
        raise TemplateError(
            f"{task}/task.toml: order lists {sorted(data['order'])} but the folder holds {sorted(on_disk)}"
        )
    return TaskSpec(
        name=task,
        summary=data["summary"],
        weight=float(data["weight"]),
        timeless=data["timeless"],
        warning=data["warning"],
        slots=tuple(data["slots"]),
        families=tuple(data["order"]),
    )


@functools.cache
def list_tasks() -> list[str]:
    """The names of all tasks: a sorted walk of the folder."""
    return sorted(path.parent.name for path in FOLDER.glob("*/task.toml"))
