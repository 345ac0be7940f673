"""Family F: an answer states what its task asks for, in the form the prompt asks for."""

import functools

import orjson

from templates.specs import TaskSpec
from validators.context import Answer, Prompt
from validators.rules import declare

_POSITION = (
    "Position: long 0.500 BTC, entry 60,000.0, mark 60,100.0, isolated margin, leverage 10x. Equity: 10,000 USDT. "
    "Maintenance margin rate: 0.50%, maintenance deduction: 0 USDT."
)
SLOT_MISSING = declare(
    "F001", "required statement missing",
    "The task asks for a quantity, the prompt allows it to be derived, and the answer leaves it out.",
    "A model learns to skip the hard number.",
    ("Assess the risk.", _POSITION, "Notional is 30,000.00 USDT. The main risk is the 10x leverage."),
    ("Assess the risk.", _POSITION, "Liquidation is near 54,271.4. The main risk is the 10x leverage."),
    task="risk_assessment",
)  # fmt: skip
WRONG_FORMAT = declare(
    "F002", "asked format ignored",
    "The prompt asks for a JSON object and the answer holds none that parses, or asks for text and gets JSON.",
    "Code that reads the answer breaks.",
    ('Answer only with a JSON object {"score": …}.', _POSITION, "Liquidation is near 54,271.4."),
    ('Answer only with a JSON object {"liquidation": …}.', _POSITION, '{"liquidation": 54271.4}'),
)  # fmt: skip


@functools.cache
def _parse_slot(slot: str) -> tuple[str, str, tuple[str, ...]]:
    """`stop when verdict=long|short` → ("stop", "verdict", ("long", "short"))."""
    kind, _, condition = slot.partition(" when ")
    label, _, allowed = condition.partition("=")
    return kind.strip(), label.strip(), tuple(allowed.split("|")) if allowed else ()


def required_slots_of(spec: TaskSpec, prompt: Prompt) -> list[str]:
    """The kinds an answer must state: those of the task that the prompt lets a reader derive."""
    quantities = prompt.quantities
    needed = []
    for slot in spec.slots:
        kind, label, allowed = _parse_slot(slot)
        if label and quantities.get(label) not in allowed:
            continue
        if kind.endswith("@"):  # in the frame the prompt decides on
            kind += quantities.get("frame", "")
        if quantities.get(kind) is not None:
            needed.append(kind)
    return needed


def check_slots(answer: Answer) -> None:
    """F001 per missing kind."""
    if answer.spec is None or not answer.spec.slots:
        return
    stated = {claim.kind for claim in answer.claims}
    for kind in required_slots_of(answer.spec, answer.prompt):
        if kind.partition("@")[0] not in stated:
            answer.report(SLOT_MISSING, f"{kind} follows from the prompt and is not stated")


def check_format(answer: Answer) -> None:
    """F002: a JSON object is there, alone or after text, exactly when the prompt asks for one."""
    asked = "JSON object" in answer.prompt.text
    if not asked:
        if answer.spec is not None and answer.text.lstrip().startswith("{"):
            answer.report(WRONG_FORMAT, "the answer is a JSON object; the prompt asks for none")
        return
    start, end = answer.text.find("{"), answer.text.rfind("}")
    if start < 0 or end < start:
        answer.report(WRONG_FORMAT, "the prompt asks for a JSON object; there is none")
        return
    try:
        orjson.loads(answer.text[start : end + 1])
    except orjson.JSONDecodeError as error:
        answer.report(WRONG_FORMAT, f"the JSON object does not parse: {error}")
