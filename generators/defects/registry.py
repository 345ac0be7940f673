"""Named ways for an answer to be wrong, applied to facts or to text.

A defect names the codes that must be found in the rejected answer and those it may bring along.
Three manners: a changed fact propagated through everything that follows from it, a changed fact in
an otherwise independent rendering, and an edit of one place in a text. Changed numbers go up as
often as down and are quantised like the true ones, so that neither size nor roundness tells.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generators.situation import Situation
from generators.structured import in_form, structured_answer
from tapewright.rows import Row
from tapewright.streams import Stream
from templates.engine import load_family, render
from templates.specs import TaskSpec, load_spec
from validators.context import Prompt


@dataclass(slots=True)
class Scene:
    """What a defect works on: the situation, the accepted row, its prompt, the families allowed."""

    situation: Situation
    row: Row
    prompt: Prompt
    task: str
    families: tuple[str, ...]
    rng: Stream
    form: str = "text"

    @property
    def spec(self) -> TaskSpec:
        return load_spec(self.task)

    def render(self, words: dict[str, Any], facts: dict[str, Any] | None = None) -> str:
        """An answer in a family and wording drawn afresh, in the form the prompt asks for."""
        text = render(load_family(self.task, self.rng.pick(self.families))["output"], words, self.rng)
        if self.form == "text":
            return text
        answer = structured_answer(self.situation.facts if facts is None else facts, words, self.task)
        return in_form(text, answer, self.form)

    def reworded(self, changed: dict[str, Any]) -> str | None:
        """A fresh answer that states `changed` facts and leaves the others as they are."""
        if self.situation.reword is None:
            return None
        facts = {**self.situation.facts, **changed}
        return self.render(self.situation.reword(facts), facts)

    def fresh(self) -> str:
        """A fresh correct answer."""
        return self.render(self.situation.words)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect. `tasks` empty: any task. `weight` is its share among the defects of a task.

    `manner` is "propagated", "independent" (a rendering of its own with a changed fact), "edited"
    (one place of a text) or "telling" (a sentence added, dropped or replaced).
    """

    name: str
    summary: str
    codes: frozenset[str]
    implies: frozenset[str]
    make: Callable[[Scene], str | None]
    weight: float
    tasks: tuple[str, ...]
    manner: str


DEFECTS: dict[str, Defect] = {}
CARICATURES = ("guaranteed_profit", "all_in")


MARKET = ("risk_assessment", "trade_recommendation", "market_analysis")
FOLLOWS = frozenset({"N001", "N002", "N003", "N006", "N007", "N008", "N009", "N010", "N011", "F001", "R003", "R006", "R008", "T003"})  # fmt: skip


def defect(
    name: str, summary: str, codes: str, implies: frozenset[str] | str = frozenset(), weight: float = 1.0,
    tasks: tuple[str, ...] = (), manner: str = "independent",
) -> Callable:  # fmt: skip
    """Register a defect; `codes` and `implies` may be given as words in a string."""

    def register(make: Callable[[Scene], str | None]) -> Callable[[Scene], str | None]:
        implied = frozenset(implies.split()) if isinstance(implies, str) else implies
        DEFECTS[name] = Defect(name, summary, frozenset(codes.split()), implied, make, weight, tasks, manner)
        return make

    return register
