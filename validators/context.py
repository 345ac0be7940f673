"""What one answer is checked against: the claims of its prompt, the quantities they give, its task."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from market import plan, position, reading  # noqa: F401  importing them registers their formulas
from market.quantities import Quantities
from tapewright.findings import Finding
from templates.specs import TaskSpec
from validators.claims.equations import Equation, read_equations
from validators.claims.reader import Claim, Relation, read_claims, read_numbers
from validators.pinescript.fences import blank_code, code_numbers
from validators.rules import RULES

# Kinds a prompt may state several values of; a claim need only match one.
_STEP_KINDS = ("tick", "lot")
# Labels a prompt gives; any other label in a prompt is part of a rule or a question.
_GIVEN_LABELS = {"side", "margin_mode", "rule", "frame", "higher_filter"}


def _step(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class Prompt:
    """A prompt that has been read. `values` holds every value stated per key, `numbers` all of them."""

    text: str
    claims: list[Claim]
    values: dict[str, list[Any]]
    quantities: Quantities
    numbers: frozenset[float]
    dates: tuple[str, ...]


def unread_prompt(instruction: str, data: str) -> Prompt:
    """A prompt of which only the text is known: for rules that look nothing up in it."""
    return Prompt(f"{instruction}\n{data}" if data else instruction, [], {}, Quantities({}), frozenset(), ())


def read_prompt(instruction: str, data: str, *, timeless: bool = False) -> Prompt:
    """Read instruction and input as one text, the way the trained model sees them.

    `timeless` reads numbers only: a text about no market names no quantities.

    Shapes without an input column join the two by an empty line; they are told apart again there.
    """
    if not data:
        instruction, _, data = instruction.partition("\n\n")
    text = f"{instruction}\n{data}" if data else instruction
    claims = read_numbers(text) if timeless else read_claims(text)[0]
    values: dict[str, list[Any]] = {}
    numbers = set()
    dates = []
    # The data say what is given: "keep it short" in an instruction is no side of a trade.
    inside = [claim for claim in claims if claim.start > len(instruction)]
    stated = {claim.kind for claim in inside if claim.decimals < 0}
    for claim in claims:
        if claim.kind == "date":
            dates.append(claim.value)
            continue
        if claim.decimals >= 0:
            numbers.add(claim.value)
            if claim.kind:
                values.setdefault(claim.key, []).append(claim.value)
        elif claim.kind in _GIVEN_LABELS and (claim.kind not in stated or claim.start > len(instruction)):
            values.setdefault(claim.key, []).append(claim.value)
    if len(set(values.get("side", ()))) > 1:
        del values["side"]  # a rule that names both directions gives none
    given = {key: found[0] for key, found in values.items()}
    for name in _STEP_KINDS:
        if name in given:
            given[name] = _step(given[name])
    return Prompt(text, claims, values, Quantities(given), frozenset(numbers), tuple(dates))


@dataclass
class Answer:
    """One answer under check: its text, claims and relations, and the findings collected so far."""

    prompt: Prompt
    text: str
    field: str = "output"
    spec: TaskSpec | None = None
    generated: bool = False
    facts: dict[str, Any] | None = None
    timeless: bool = False
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @cached_property
    def _read(self) -> tuple[list[Claim], list[Relation]]:
        if self.timeless or self.spec is not None and self.spec.timeless:
            return read_numbers(self.prose), []
        return read_claims(self.prose)

    @cached_property
    def prose(self) -> str:
        """The text without its scripts, sign for sign: what a script computes with is no claim."""
        return blank_code(self.text) if "@version" in self.text or "```pine" in self.text else self.text

    @property
    def scripted(self) -> bool:
        """Whether the answer holds a script or speaks of one: its task then holds the numbers against that."""
        return self.prose is not self.text or "@version" in self.prompt.text

    @cached_property
    def code_numbers(self) -> frozenset[float]:
        """The numbers of its scripts, which the prose may speak of."""
        return code_numbers(self.text) if self.prose is not self.text else frozenset()

    @property
    def claims(self) -> list[Claim]:
        return self._read[0]

    @property
    def relations(self) -> list[Relation]:
        return self._read[1]

    @cached_property
    def equations(self) -> list[Equation]:
        return read_equations(self.prose)

    @cached_property
    def lower(self) -> str:
        return self.text.lower()

    def report(self, code: str, message: str, start: int = 0, end: int = 0) -> None:
        """Add a finding; its evidence is the text around [start, end)."""
        evidence = " ".join(self.text[max(0, start - 40) : end + 20].split()) if end else ""
        line = self.text.count("\n", 0, start) + 1 if end else 0
        self.findings.append(
            Finding(code, message, RULES[code].severity, field=self.field, line=line, evidence=evidence)
        )
