"""The formats there are: each module of this room that declares FORMATS, one file per client."""

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.dialogue import Dialogue
from tapewright.errors import ConfigError, suggest

Record = dict[str, Any]
SFT, PREFERENCE, UNPAIRED, PROMPTS = "answers", "pairs", "labelled answers", "prompts"


@dataclass(frozen=True, slots=True)
class Format:
    """What one client reads.

    `kind` is what it trains on, `holds` what it can say beside a prompt and an answer (names of `dialogue`), `version`
    the release its rules were taken from and `source` where. `encode` gives the record; `refuses` says why the client
    would not take one, or nothing. `companion` gives a file that belongs beside the data, by name.
    """

    name: str
    client: str
    version: str
    source: str
    kind: str
    holds: frozenset[str]
    encode: Callable[[Dialogue, str], Record]
    refuses: Callable[[Record], str] = lambda record: ""
    columns: tuple[str, ...] = ()
    companion: Callable[[Path], Mapping[str, Any]] | None = None
    companion_name: str = ""
    suffix: str = ".jsonl"
    fewest: int = 1  # rows below which the client takes no file
    extra_columns: bool = True  # whether the client bears columns of ours


_OTHERS = ("__init__", "formats", "dialogue", "convert", "command", "mix", "compare")


@functools.cache
def formats() -> dict[str, Format]:
    """Every format by name: a sorted walk of the folder."""
    found: dict[str, Format] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in _OTHERS:
            continue
        module = importlib.import_module(f"converters.{path.stem}")
        for entry in getattr(module, "FORMATS", ()):
            found[entry.name] = entry
    return found


def format_named(name: str) -> Format:
    """The format of that name. Raises ConfigError with the nearest one."""
    known = formats()
    if name not in known:
        raise ConfigError(f"no format {name!r}.{suggest(name, sorted(known))} `convert --list` shows them all")
    return known[name]


# --- checks that several clients share -----------------------------------------------------------


def bad_messages(messages: Any, *, system: bool = True, tools: bool = True, alternate: bool = False) -> str:
    """Why a list of chat messages would be refused: roles, empty contents, order, and who speaks last."""
    if not isinstance(messages, list) or not messages:
        return "there are no messages"
    before = ""
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ("system", "user", "assistant", "tool"):
            return f"message {place} has the role {role!r}"
        if role == "system" and (not system or place):
            return "a system message stands behind others" if place else "a system message is not taken"
        if role == "tool" and not tools:
            return "tool messages are not taken"
        if not content and not message.get("tool_calls"):
            return f"message {place} ({role}) is empty"
        if alternate and role == before:
            return f"two {role} messages follow each other"
        before = role
    if messages[-1]["role"] != "assistant":
        return "the last message is not the assistant's"
    return ""


def empty(record: Record, *names: str) -> str:
    """Which of these texts is empty."""
    return next((f"{name} is empty" for name in names if not record.get(name)), "")
