"""What one draw gives: the facts of a row, as of a moment, and what the templates may say of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Situation:
    """One drawn situation with its answer.

    `facts` holds quantised numbers and labels by claim kind (`entry`, `rsi_14@4h`, `score`), and is
    what goes into the row; `words` holds the strings and flags the templates see. `origin` says per
    fact where it came from: `tape`, `computed` or `drawn`. `as_of` is `YYYY-MM-DD HH:MM UTC` or
    empty for a timeless task; `group` is the time block or, without time, the topic. `label` is
    what the summary table and the stratification count.

    For rejected answers: `given` names the facts the prompt states, `derive` makes all facts from
    changed given ones, `reword` makes words from changed facts. Tasks without numbers to change
    leave them out.
    """

    facts: dict[str, Any]
    words: dict[str, Any]
    origin: dict[str, str] = field(default_factory=dict)
    as_of: str = ""
    group: str = ""
    label: str = ""
    given: tuple[str, ...] = ()
    derive: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    reword: Callable[[dict[str, Any]], dict[str, Any]] | None = None
