"""What an answer had to state and whether it did: the slots of its task, each right, wrong or missing.

A slot is a claim kind that `task.toml` requires and the prompt lets a reader derive. It is right when every claim of
that kind in the answer agrees with what follows from the prompt, wrong when one of them does not (so a range of
guesses is wrong, and so is a number said twice with two values), missing when there is none. A value the prompt prints
is a copy: it counts apart and never towards accuracy. Tasks without slots in `task.toml` have one of their own: the
label of a sentiment, the worked example of an explanation, the script of a PineScript task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tapewright.findings import Finding
from templates.specs import TaskSpec
from validators.check import judge
from validators.claims.equations import read_equations
from validators.claims.reader import Claim
from validators.context import Answer, Prompt, read_prompt
from validators.numbers import matches
from validators.pinescript.fences import code_blocks
from validators.sentiment_analysis import stated_label
from validators.slots import required_slots_of

RIGHT, WRONG, MISSING = "right", "wrong", "missing"
INVENTED = frozenset(("N001", "N002", "N003", "N005", "N008", "N011", "N012", "N025", "N029", "T003"))
_SCRIPT = "script"


@dataclass(slots=True)
class SlotScore:
    """The slots of one answer, and the checker's findings on it.

    `derived` and `copied` map each required slot to right, wrong or missing; `claims` counts the numbers stated that
    the prompt does not print, `invented` those of them (and of the quoted ones) that nothing explains.
    """

    derived: dict[str, str]
    copied: dict[str, str]
    claims: int
    invented: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def required(self) -> int:
        """How many slots had to be worked out."""
        return len(self.derived)

    @property
    def right(self) -> int:
        """How many of them are right."""
        return sum(state == RIGHT for state in self.derived.values())

    @property
    def wrong(self) -> int:
        """How many are stated with another value, or with several."""
        return sum(state == WRONG for state in self.derived.values())

    @property
    def missing(self) -> int:
        """How many are not stated at all."""
        return sum(state == MISSING for state in self.derived.values())

    @property
    def precision(self) -> float:
        """Right among the slots stated; 0 where none is."""
        return self.right / stated if (stated := self.right + self.wrong) else 0.0

    @property
    def recall(self) -> float:
        """Right among the slots required; 0 where none is."""
        return self.right / self.required if self.required else 0.0


def score_answer(
    instruction: str, data: str, answer: str, spec: TaskSpec, facts: Mapping[str, Any] | None = None,
    reference: str | None = None, prompt: Prompt | None = None,
) -> SlotScore:  # fmt: skip
    """Score one answer to a prompt of a task of ours.

    `facts` give the gold label of a sentiment, nothing else; `reference`, the row's own answer, says whether an
    explanation owes a worked example; `prompt` spares reading the same prompt again.
    """
    prompt = prompt or read_prompt(instruction, data, timeless=spec.timeless)
    read = Answer(prompt, answer, spec=spec)
    findings = judge(read)
    invented = {(finding.code, finding.evidence, finding.message) for finding in findings if finding.code in INVENTED}
    if spec.slots:
        derived, copied = _market_slots(read, spec)
    else:
        derived, copied = _own_slot(read, findings, dict(facts or {}), reference), {}
    claims = sum(c.decimals >= 0 and c.value not in prompt.numbers for c in read.claims)
    return SlotScore(derived, copied, max(claims, len(invented)), len(invented), findings)


def _market_slots(answer: Answer, spec: TaskSpec) -> tuple[dict[str, str], dict[str, str]]:
    prompt = answer.prompt
    stated: dict[str, list[Claim]] = {}
    for claim in answer.claims:
        stated.setdefault(claim.kind, []).append(claim)
    derived: dict[str, str] = {}
    copied: dict[str, str] = {}
    for slot in required_slots_of(spec, prompt):
        kind, _, frame = slot.partition("@")
        found = stated.get(kind, [])
        # A frame carried over from an earlier line is no more than a guess: used where nothing names the right one.
        own = [c for c in found if c.frame in ("", frame)] or [c for c in found if not c.strict]
        state = _state_of(own, prompt.quantities[slot])
        (copied if slot in prompt.values else derived)[slot] = state
    return derived, copied


def _state_of(claims: list[Claim], true: Any) -> str:
    if not claims:
        return MISSING
    if isinstance(true, str):
        return RIGHT if all(claim.value == true for claim in claims) else WRONG
    return RIGHT if all(claim.decimals >= 0 and matches(claim, true) for claim in claims) else WRONG


def _own_slot(answer: Answer, findings: list[Finding], facts: dict[str, Any], reference: str | None) -> dict[str, str]:
    """The one slot of a task that requires no claim kinds."""
    assert answer.spec is not None
    if answer.spec.name == "sentiment_analysis":
        return {"label": _label_state(answer, findings, facts)}
    wrong = any(finding.severity == "error" for finding in findings)
    if answer.spec.name.startswith("pinescript"):
        if answer.spec.name != "pinescript_explain" and not holds_script(answer.text):
            return {_SCRIPT: MISSING}
        return {_SCRIPT: WRONG if wrong else RIGHT}
    if reference is not None and not read_equations(reference):
        return {}
    if not answer.equations:
        return {"example": MISSING}
    return {"example": WRONG if wrong else RIGHT}


def holds_script(text: str) -> bool:
    """Whether a text holds a block of PineScript."""
    return next(code_blocks(text), None) is not None


def _label_state(answer: Answer, findings: list[Finding], facts: dict[str, Any]) -> str:
    label = stated_label(Answer(answer.prompt, answer.text, spec=answer.spec))
    if label is None:
        return (
            WRONG if any(finding.code == "N022" and "none" not in finding.message for finding in findings) else MISSING
        )
    if gold := facts.get("label"):
        return RIGHT if label[0] == gold else WRONG
    return WRONG if any(finding.code in ("N020", "N021") for finding in findings) else RIGHT
