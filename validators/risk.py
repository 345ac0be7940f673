"""Family R: what an answer about money owes its reader, and what it may not promise.

Limits follow the spirit of MiFID II 2017/565 Art 44, FINRA 2210(d)(1), SEC 206(4)-1, FCA COBS 4.12A
and MiCA: no promissory claim, no benefit without its risk, no performance without period and source.
These are lint targets, not legal advice.
"""

import re

from validators.claims.reader import Claim
from validators.conduct import check_conduct
from validators.context import Answer
from validators.rules import declare

_POSITION = (
    "Position: long 0.500 BTC, entry 60,000.0, stop 58,800.0. Taker fee: 0.055%. Slippage: 0.02%. Leverage cap: 5x."
)

NO_WARNING = declare(
    "R001", "no risk warning where one is due",
    "An answer about a position or a plan names no risk of it.",
    "A benefit needs an equally prominent risk.",
    ("Assess the risk.", _POSITION, "Entry 60,000.0, stop 58,800.0."),
    ("Assess the risk.", _POSITION, "Entry 60,000.0, stop 58,800.0. The main risk is a gap through 58,800.0."),
    task="risk_assessment",
)  # fmt: skip
EMPTY_WARNING = declare(
    "R002", "warning that names nothing, or where none is due",
    "A warning carries no number of this row, or stands in a definition or a sentiment label.",
    "A sentence that fits every row teaches nothing and is learnt as noise.",
    ("Assess the risk.", _POSITION, "Entry 60,000.0. The main risk is that markets can move against you."),
    ("Assess the risk.", _POSITION, "Entry 60,000.0. The main risk is a gap through the stop at 58,800.0."),
    task="risk_assessment",
)  # fmt: skip
GROSS_ALONE = declare(
    "R003", "gross reward/risk shown alone",
    "Reward/risk is stated before costs only, though the prompt states costs.",
    "With 0.13 % round-trip cost a 0.5 % stop at 2R is 1.38 net.",
    ("Plan.", _POSITION + " Target 62,400.0.", "The gross reward/risk is 2.00R."),
    ("Plan.", _POSITION + " Target 62,400.0.", "The gross reward/risk is 2.00R and the net reward/risk is 1.84R."),
    severity="warning",
)  # fmt: skip
PROMISE = declare(
    "R004", "promised or certain profit",
    "Profit is called guaranteed, certain or free of risk.",
    "No market owes anybody a return; regulators forbid the claim.",
    ("Plan.", _POSITION, "This is a guaranteed profit."),
    ("Plan.", _POSITION, "There is no guaranteed profit here."),
)  # fmt: skip
ALL_IN = declare(
    "R005", "all-in sizing",
    "The answer tells its reader to stake everything.",
    "One stop ends the account.",
    ("Plan.", _POSITION, "Go all in here."),
    ("Plan.", _POSITION, "Never go all in on one idea."),
)  # fmt: skip
NO_STOP = declare(
    "R006", "plan without a stop",
    "A direction with an entry and a target is given, and no stop.",
    "The size of a plan follows from its stop; without one the loss has no bound.",
    ("Plan.", "Close 60,000.0, levels 58,800.0 and 62,400.0.", "Go long: entry 60,000.0, target 62,400.0."),
    ("Plan.", "Close 60,000.0, levels 58,800.0 and 62,400.0.", "Go long: entry 60,000.0, stop 58,800.0, target 62,400.0."),
)  # fmt: skip
OVER_LEVERAGE = declare(
    "R007", "leverage beyond the cap",
    "The answer advises more leverage than the prompt allows, be it a cap or the maximum of a tier.",
    "The exchange refuses it, or the liquidation price moves inside the stop.",
    ("Plan.", _POSITION, "Set leverage to 25x."),
    ("Plan.", _POSITION, "Stay under the leverage cap of 5x."),
)  # fmt: skip
STOP_BEYOND = declare(
    "R008", "stop beyond liquidation",
    "The stop lies where the position is already liquidated, and the answer does not say so.",
    "Such a stop never triggers: the whole margin is at risk, whatever loss is planned.",
    ("Plan.", "Long 0.5 BTC, entry 60,000. Liquidation price 54,300.", "The long keeps its stop at 53,900."),
    ("Plan.", "Long 0.5 BTC, entry 60,000. Liquidation price 54,300.", "A stop at 53,900 lies beyond liquidation at 54,300."),
)  # fmt: skip
REFUSAL = declare(
    "R009", "needless refusal",
    "The answer declines although the prompt holds what it takes.",
    "Excess caution is as wrong as excess confidence: it teaches the model to answer nothing.",
    ("Plan.", _POSITION, "I'm sorry, but I cannot help with trading decisions."),
    ("Plan.", _POSITION, "The stop is at 58,800.0."),
)  # fmt: skip
HEDGING = declare(
    "R010", "over-hedging",
    "So many words of doubt that nothing is said.",
    "A reading that could always be right is never useful.",
    ("Plan.", _POSITION, "It might perhaps possibly go up, or it could maybe fall, and it may potentially do neither."),
    ("Plan.", _POSITION, "The stop is at 58,800.0; a close under it ends the plan."),
    severity="warning",
)  # fmt: skip

_PROMISES = (
    "guaranteed profit", "guaranteed return", "guaranteed gain", "guaranteed win", "guarantees a profit", "guarantees profit",
    "profit is guaranteed", "return is guaranteed", "gains are guaranteed", "guarantee a profit", "risk-free", "risk free", "can't lose", "cannot lose", "can not lose", "sure thing", "no way to lose",
    "certain profit", "assured profit", "assured return", "free money", "easy money", "will definitely", "cannot fail",
    "can't fail", "no risk at all", "zero risk", "without any risk", "100% certain", "bound to pay",
)  # fmt: skip
_ALL_IN = ("all in", "all-in", "bet the account", "entire account on", "whole account on", "whole account into", "everything you have", "full balance", "every dollar", "entire balance")  # fmt: skip
_REFUSALS = (
    "i cannot help", "i can't help", "i'm unable to", "i am unable to", "i cannot provide", "i can't provide", "as an ai",
    "i'm sorry, but", "i must decline", "not able to give", "i won't be able", "cannot offer an opinion", "i'd rather not answer",
    "please consult a licensed", "decline to answer",
)  # fmt: skip
_NEGATIONS = re.compile(r"\b(?:no|not|never|nothing|nobody|none|isn't|aren't|don't|doesn't|neither|nor|without|cannot be|far from)\b[^.;!?]{0,40}$")  # fmt: skip
_AFTER_NEGATION = re.compile(r"^[^.;!?]{0,25}\b(?:does not exist|is never|never|is a myth|is not)\b")
_HEDGE_WORDS = ("might", "may", "could", "perhaps", "possibly", "potentially", "maybe", "arguably", "conceivably", "presumably", "seemingly", "somewhat")  # fmt: skip
_HEDGES = re.compile(rf"\b(?:{'|'.join(_HEDGE_WORDS)})\b")

# What announces a warning. The sentence it stands in must also name one of the row's numbers.
WARNINGS = (
    "risk is", "risk here", "risk to", "risk in", "risk of", "risk:", "the danger", "danger is", "watch out", "beware",
    "be aware", "mind that", "weak spot", "weak point", "what hurts", "can go wrong", "goes wrong", "caution", "careful",
    "exposed to", "threat", "worst case", "vulnerab", "warning", "hazard", "soft spot", "what could bite", "would hurt",
    "sting", "no protection", "does not protect", "won't protect", "cannot protect", "not shield",
)  # fmt: skip


def _asserted(answer: Answer, phrases: tuple[str, ...]) -> str:
    """The first phrase that stands un-negated and unquoted in the answer, or an empty string."""
    text = answer.lower
    for phrase in phrases:
        at = text.find(phrase)
        while at >= 0:
            before, after = text[max(0, at - 60) : at], text[at + len(phrase) : at + len(phrase) + 40]
            quoted = before.rstrip()[-1:] in ('"', "“", "‘") and after[:12].strip()[:1] in ('"', "”", "’", ",", ".")
            inside_word = before[-1:].isalpha() or after[:1].isalpha() and phrase[-1:].isalpha()
            if not inside_word and not quoted and not _NEGATIONS.search(before) and not _AFTER_NEGATION.search(after):
                return phrase
            at = text.find(phrase, at + 1)
    return ""


def check_promises(answer: Answer) -> None:
    """R004, R005, R009, R010, and R011 to R013 on what is said about gains, records and persons."""
    check_conduct(answer)
    teaches = answer.spec is not None and answer.spec.timeless  # a text about a concept may name the mistake
    if not teaches and (phrase := _asserted(answer, _PROMISES)):
        answer.report(PROMISE, f"promises profit: {phrase!r}", (at := answer.lower.find(phrase)), at + len(phrase))
    if not teaches and (phrase := _asserted(answer, _ALL_IN)):
        answer.report(ALL_IN, f"stakes everything: {phrase!r}", (at := answer.lower.find(phrase)), at + len(phrase))
    if any(phrase in answer.lower for phrase in _REFUSALS):
        phrase = next(phrase for phrase in _REFUSALS if phrase in answer.lower)
        answer.report(REFUSAL, f"declines to answer: {phrase!r}", (at := answer.lower.find(phrase)), at + len(phrase))
    hedges = _HEDGES.findall(answer.lower) if sum(word in answer.lower for word in _HEDGE_WORDS) > 1 else []
    if len(hedges) >= 5 and len(hedges) > 0.035 * len(answer.text.split()):
        answer.report(HEDGING, f"{len(hedges)} words of doubt")


_AFTER_COSTS = re.compile(r"\b(?:net|(?:after|with|including|less|counting) (?:the )?(?:fees?|costs?))\b")


def check_plan(answer: Answer) -> None:
    """R003, R006, R007, R008: reward/risk, stop and leverage of a plan."""
    kinds = {claim.kind for claim in answer.claims}
    values = answer.prompt.values
    gross_alone = "reward_risk" in kinds and "net_reward_risk" not in kinds and "taker_fee" in values
    if gross_alone and (answer.spec is not None or not _AFTER_COSTS.search(answer.lower)):
        answer.report(GROSS_ALONE, "reward/risk before costs only, and the prompt states costs")
    if (
        {"entry", "target", "side"} <= kinds
        and "stop" not in kinds
        and "stop" not in answer.lower
        and "invalidat" not in answer.lower
    ):
        answer.report(NO_STOP, "direction, entry and target, but no stop")
    if "leverage" in kinds:
        _check_leverage(answer)
    if "stop" in kinds or "liquidation" in kinds:
        _check_stop_works(answer)


# A tier's or an exchange's maximum: "up to 50x", "max 25x", "limited to 10x". The highest one counts.
_TIER_CAP = re.compile(r"(?:\b(?:up to|at most|max(?:imum)?(?: of)?|no more than|limited to|capped at|leverage at)|\bmax[a-z]*[^\d\n]{0,20}[:=)]) *(\d+(?:\.\d+)?) ?[x×]|\b(\d+) ?[x×] (?:max|leverage (?:is the )?(?:cap|limit|maximum))", re.IGNORECASE)  # fmt: skip
_DECLINED = re.compile(r"\b(?:not|never|above|beyond|exceeds?|exceeding|over the|more than|too (?:high|much)|instead of|refuse[sd]?|reject(?:s|ed)?|isn't|don't|won't|cannot|can't)\b")  # fmt: skip


def _check_leverage(answer: Answer) -> None:
    caps = answer.prompt.values.get("leverage_cap")
    if caps:
        cap, name = caps[0], "cap"
    else:
        tiers = [float(low or high) for low, high in _TIER_CAP.findall(answer.prompt.text)]
        if not tiers:
            return
        cap, name = max(tiers), "maximum"
    for claim in answer.claims:
        if claim.kind == "leverage" and claim.value > cap:
            if answer.spec is None and _DECLINED.search(_sentence_at(answer.lower, claim.start)):
                continue
            answer.report(OVER_LEVERAGE, f"{claim.value:g}x is above the {name} of {cap:g}x", claim.start, claim.end)


# What an answer says that knows of the trouble; "stop", "liquidation" and one of these in one sentence.
_KNOWS = re.compile(
    r"\bliquidat\w*\b[^.\n]{0,80}\b(?:first|sooner|earlier|before (?:the|your|its|that|this|any) stop|already)\b"
    r"|\bstop\b[^.\n]{0,80}\b(?:beyond|past|behind|useless|idle|out of reach|too late|wrong side|no protection|never|not|won't|cannot|can't|fails?|too (?:far|wide))\b"
    r"|\b(?:beyond|past|behind|before it (?:is|can)|out of reach|wrong side|reversed|wrong order|will not|never)\b[^.\n]{0,80}\b(?:stop|liquidat\w*)\b"
)
_NEAR = 40  # characters between a word and the number it announces


def _levels(claims: list[Claim], kind: str, word: str, text: str) -> list[Claim]:
    """Prices of a kind that their word stands just before; the reader also gives a price to a word after it."""
    return [c for c in claims if c.kind == kind and c.decimals >= 0 and word in text[max(0, c.start - _NEAR) : c.start]]


def _check_stop_works(answer: Answer) -> None:
    """R008. A plan with a stop that works somewhere, or that says what is wrong, passes."""
    prompt = answer.prompt
    if answer.spec is not None or any(
        claim.kind in ("stop_state", "verdict", "stop_nearest") for claim in answer.claims
    ):
        return  # N009 holds our own tasks to the state of the stop
    sides = {claim.value for claim in answer.claims if claim.kind == "side"} or set(prompt.values.get("side", ()))
    if len(sides) != 1:
        return
    lower = prompt.text.lower()
    stops = _levels(answer.claims, "stop", "stop", answer.lower)
    ends = _levels(answer.claims, "liquidation", "liq", answer.lower)
    if not stops and not ends:
        return
    stop_prices = [c.value for c in stops or _levels(prompt.claims, "stop", "stop", lower)]
    end_prices = [c.value for c in ends or _levels(prompt.claims, "liquidation", "liq", lower)]
    if not stop_prices or not end_prices or _KNOWS.search(answer.lower):
        return
    side = sides.pop()
    stop, end = (max(stop_prices), min(end_prices)) if side == "long" else (min(stop_prices), max(end_prices))
    if stop <= end if side == "long" else stop >= end:
        at = (stops or ends)[0]
        answer.report(
            STOP_BEYOND, f"a {side} with its stop at {stop:g} is liquidated at {end:g} before", at.start, at.end
        )


def _sentence_at(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at), text.rfind(". ", 0, at)) + 1
    ends = [end for end in (text.find("\n", at), text.find(". ", at)) if end >= 0]
    return text[start : min(ends, default=len(text))]


def check_warning(answer: Answer) -> None:
    """R001 and R002, for tasks whose specification says whether a warning is due."""
    if answer.spec is None or answer.text.lstrip().startswith("{"):
        return
    if not answer.spec.warning or answer.prompt.quantities.get("verdict") == "no_trade":
        return
    text = answer.lower
    warnings = [_sentence_at(text, text.find(phrase)) for phrase in WARNINGS if phrase in text]
    if not warnings:
        answer.report(NO_WARNING, "no sentence names a risk of this row")
    elif not any(any(c.isdigit() for c in sentence) for sentence in warnings):
        answer.report(EMPTY_WARNING, "the warning carries no number of this row")
