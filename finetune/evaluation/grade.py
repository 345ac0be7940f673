"""One answer, graded: everything the measures are made of, as plain counts and labels."""

from collections import Counter
from dataclasses import dataclass, field

from finetune.evaluation.cases import Case
from finetune.evaluation.slots import MISSING, SlotScore, holds_script, score_answer
from validators.claims.reader import read_claims
from validators.context import Answer
from validators.numbers import matches
from validators.risk import WARNINGS
from validators.sentiment_analysis import stated_label

FORMAT = frozenset(("F002", "N021", "N022"))
UNSAFE = frozenset(("R004", "R005", "R006", "R007", "R008", "R011", "R012", "R013"))
REFUSAL = frozenset(("R009",))
NO_TRADE = "no_trade"
UNCLEAR = "unclear"  # what an answer says that names no label, or several


@dataclass(slots=True)
class Said:
    """What a model said: its text, whether it came to an end by itself, and what that took.

    `tokens` is 0 and `seconds` 0.0 for answers no model wrote. `loss` is the summed negative log-likelihood (nats) of
    the row's own answer under the model, over `loss_tokens` tokens; 0 tokens where it was not measured.
    """

    text: str
    finished: bool = True
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    loss_tokens: int = 0


@dataclass(slots=True)
class Grade:
    """One answer's grades. Optional ones are None where the task does not ask for them."""

    task: str
    group: str
    number: int
    said: Said
    slots: SlotScore
    readable: bool
    well_formed: bool
    completed: bool
    unsafe: bool
    refused: bool
    warning_due: bool = False
    warned: bool = False
    keyword: bool = False
    warned_for_nothing: bool | None = None
    verdict: tuple[str, str] | None = None  # gold, said
    score: tuple[float, float | None] | None = None
    label: tuple[str, str] | None = None
    script_valid: bool | None = None
    second: tuple[int, int] | None = None  # right, asked, by the second scorer
    wrong_because: list[str] = field(default_factory=list)

    @property
    def hallucinated(self) -> bool:
        """At least one number nothing explains, or nothing to read at all."""
        return not self.readable or self.slots.invented > 0


def grade(case: Case, said: Said) -> Grade:
    """Grade one answer with the checker that guards the data."""
    row, spec, text = case.row, case.spec, said.text
    slots = score_answer(row.instruction, row.input, text, spec, row.facts, row.output, case.prompt)
    readable = _is_readable(text)
    if not readable:
        for states in (slots.derived, slots.copied):
            states.update(dict.fromkeys(states, MISSING))
    codes = {finding.code for finding in slots.findings}
    graded = Grade(
        task=spec.name, group=case.group, number=case.number, said=said, slots=slots, readable=readable,
        well_formed=readable and said.finished and not codes & FORMAT,
        completed=readable and not slots.missing and MISSING not in slots.copied.values(),
        unsafe=bool(codes & UNSAFE), refused=bool(codes & REFUSAL),
    )  # fmt: skip
    graded.wrong_because = _reasons(graded)
    _grade_warning(graded, case)
    quantities = case.prompt.quantities
    answer = Answer(case.prompt, text, spec=spec)
    if spec.name == "trade_recommendation" and (gold := quantities.get("verdict")):
        graded.verdict = (gold, _said_verdict(answer) if readable else UNCLEAR)
    if spec.name == "risk_assessment" and (true := quantities.get("score")) is not None:
        stated = {claim.value for claim in answer.claims if claim.kind == "score" and claim.decimals >= 0}
        graded.score = (float(true), stated.pop() if readable and len(stated) == 1 else None)
    if spec.name == "sentiment_analysis" and (gold := row.facts.get("label")):
        label = stated_label(answer) if readable else None
        graded.label = (str(gold), label[0] if label else UNCLEAR)
    if spec.name.startswith("pinescript") and spec.name != "pinescript_explain":
        graded.script_valid = readable and holds_script(text) and not any(code.startswith("P") for code in codes)
    return graded


def _is_readable(text: str) -> bool:
    """Whether there are words, and not one of them over and over: what is nothing scores nothing."""
    words = text.split()
    if not any(char.isalpha() for char in text):
        return False
    return len(words) < 24 or len({tuple(words[at : at + 3]) for at in range(len(words) - 2)}) * 4 >= len(words)


def _grade_warning(graded: Grade, case: Case) -> None:
    text = graded.said.text
    lower = text.lower()
    phrases = [phrase for phrase in WARNINGS if phrase in lower]
    graded.keyword = bool(phrases)
    graded.warning_due = case.spec.warning and case.prompt.quantities.get("verdict") != NO_TRADE
    if not graded.warning_due:
        if not any(phrase in case.row.output.lower() for phrase in WARNINGS):
            graded.warned_for_nothing = bool(phrases)
        return
    for phrase in phrases:
        at = lower.find(phrase)
        start = max(lower.rfind("\n", 0, at), lower.rfind(". ", 0, at)) + 1
        ends = [end for end in (lower.find("\n", at), lower.find(". ", at)) if end >= 0]
        if _has_right_number(text[start : min(ends, default=len(text))], case):
            graded.warned = graded.readable
            return


def _has_right_number(sentence: str, case: Case) -> bool:
    prompt = case.prompt
    for claim in read_claims(sentence)[0]:
        if claim.decimals < 0:
            continue
        true = prompt.quantities.get(claim.key) if claim.kind else None
        if claim.value in prompt.numbers or isinstance(true, (int, float)) and matches(claim, true):
            return True
    return False


def _said_verdict(answer: Answer) -> str:
    said = {claim.value for claim in answer.claims if claim.kind == "verdict"}
    if not said:
        said = {claim.value for claim in answer.claims if claim.kind == "side"}
    return said.pop() if len(said) == 1 else UNCLEAR


def _reasons(graded: Grade) -> list[str]:
    """What is wrong, worst first, in words."""
    reasons = [] if graded.readable else ["nothing readable"]
    reasons += [] if graded.said.finished else ["cut off before its end"]
    told = Counter(f"{finding.code} {finding.message}" for finding in graded.slots.findings)
    reasons += [f"{reason} ({count} times)" if count > 1 else reason for reason, count in told.items()]
    stated = {**graded.slots.derived, **graded.slots.copied}
    reasons += [f"{slot} {state}" for slot, state in stated.items() if state != "right"]
    return reasons
