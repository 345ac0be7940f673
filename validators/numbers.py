"""Family N: every number of an answer stands in its prompt, follows from it, or is assumed aloud."""

import re
from typing import Any

from market.quantities import Quantities, shown_as
from validators.claims.reader import Claim
from validators.context import Answer
from validators.derivation import Known, last_place, numerals
from validators.grounding import assumptions, is_cut_down, stands_in_equation, stands_in_formula
from validators.ordinary import is_named, is_ordinary
from validators.rules import declare

_BTC = "Position: long 0.500 BTC, entry 60,000.0, stop 58,800.0. Equity: 10,000 USDT. Taker fee: 0.055%."
_PLAN = ("What does the stop cost?", _BTC, "The stop distance is {}.")

UNGROUNDED = declare(
    "N001", "ungrounded number",
    "A number neither stands in the prompt, nor follows from it by a formula, nor is introduced as an assumption.",
    "A model trained on it learns to invent prices.",
    ("What does the stop cost?", _BTC, "The RSI(14) on the 4h chart is 71.3."),
    ("What does the stop cost?", _BTC, "The stop is at 58,800.0."),
)  # fmt: skip
CONTRADICTS = declare(
    "N002", "contradicts the input",
    "A quantity the prompt states is given another value.",
    "The reader of the prompt can see that the answer is wrong.",
    ("What does the stop cost?", _BTC, "With the stop at 58,300.0 the plan is simple."),
    ("What does the stop cost?", _BTC, "With the stop at 58,800.0 the plan is simple."),
)  # fmt: skip
WRONG_ARITHMETIC = declare(
    "N003", "wrong arithmetic",
    "A quantity that follows from the prompt by a formula has another value than the formula gives.",
    "Wrong money arithmetic is the costliest thing a trading model can learn.",
    (_PLAN[0], _PLAN[1], _PLAN[2].format("1,260.0")),
    (_PLAN[0], _PLAN[1], _PLAN[2].format("1,200.0")),
)  # fmt: skip
UNREAD = declare(
    "N005", "unread numeral",
    "A numeral of a generated row that no claim explains.",
    "What cannot be read cannot be checked; the generator may not write it.",
    ("Explain.", _BTC, "Zork 12 fnord 99."),
    ("Explain.", _BTC, "Entry at 60,000.0."),
    task="risk_assessment",
)  # fmt: skip
ORDER = declare(
    "N006", "levels in an impossible order",
    "Stop, entry and target do not lie on the sides the direction asks for.",
    "A long with its stop above the entry loses by winning.",
    ("Plan a trade.", "Close 100.00.", "Go long: entry 100.00, stop 104.00, target 110.00."),
    ("Plan a trade.", "Levels: 100.00, 96.00, 110.00.", "Go long: entry 100.00, stop 96.00, target 110.00."),
)  # fmt: skip
OFF_GRID = declare(
    "N007", "price off the tick or size off the lot",
    "A price is not a multiple of the tick the prompt states, or a size not of the lot.",
    "The exchange refuses such an order.",
    ("Plan.", "Tick: 0.5. Lot: 0.001 BTC. Entry 60,000.0.", "Entry 60,000.3."),
    ("Plan.", "Tick: 0.5. Lot: 0.001 BTC. Entry 60,000.5.", "Entry 60,000.5."),
)  # fmt: skip
IMPOSSIBLE = declare(
    "N008", "impossible value",
    "A value outside what its kind can take: RSI above 100, a negative price, a score of 14.",
    "No market ever showed it.",
    ("Read the chart.", "4h RSI(14): 61.2.", "On the 4h chart RSI(14) is 161.2."),
    ("Read the chart.", "4h RSI(14): 61.2.", "On the 4h chart RSI(14) is 61.2."),
)  # fmt: skip
WRONG_LABEL = declare(
    "N009", "label contradicts the numbers",
    "A word such as uptrend, overbought, over the limit or no trade disagrees with the numbers that decide it.",
    "The label is what the model acts on.",
    ("Read the chart.", "4h: close 110.00, EMA(20) 105.00, EMA(50) 100.00.", "On the 4h chart the trend is down."),
    ("Read the chart.", "4h: close 110.00, EMA(20) 105.00, EMA(50) 100.00.", "On the 4h chart the trend is up."),
)  # fmt: skip
WRONG_RELATION = declare(
    "N010", "above and below confused",
    "The text puts one level above another and the numbers say the opposite.",
    "Direction words carry the reading as much as digits do.",
    ("Read the chart.", "4h: close 110.00, EMA(20) 105.00.", "On 4h the close is below the EMA(20)."),
    ("Read the chart.", "4h: close 110.00, EMA(20) 105.00.", "On 4h the close is above the EMA(20)."),
)  # fmt: skip
EQUATION = declare(
    "N011", "equation does not hold",
    "A calculation written out in the text gives another result than it states.",
    "A worked example is copied step by step.",
    ("Show it.", "", "Suppose 5,000 USDT: 5,000 × 1.5% = 80 USDT."),
    ("Show it.", "", "Suppose 5,000 USDT: 5,000 × 1.5% = 75 USDT."),
)  # fmt: skip
WRONG_SYMBOL = declare(
    "N012", "symbol the prompt does not name",
    "The answer speaks of another market than the prompt.",
    "An answer about the wrong market is wrong whatever its numbers.",
    ("Read BTCUSDT.", "4h close 110.00.", "ETHUSDT closed at 110.00."),
    ("Read BTCUSDT.", "4h close 110.00.", "BTCUSDT closed at 110.00."),
)  # fmt: skip
AGAINST_FACTS = declare(
    "N013", "text disagrees with the row's facts",
    "A claim has another value than the fact the row carries for it.",
    "One of the two was altered after the row was made.",
    ("Read.", "4h close 110.00.", "The close was 110.00 on 4h."),
    ("Read.", "4h close 110.00.", "The close was 110.00 on 4h."),
)  # fmt: skip

_EPSILON = 1e-9
_BOUNDS = {"score": (1, 10), "funding_percentile": (0, 100), "break_even_pct": (0, 100)}
_POSITIVE = {
    "entry",
    "stop",
    "target",
    "mark",
    "liquidation",
    "close",
    "open",
    "high",
    "low",
    "volume",
    "size",
    "notional",
}
_GRID_PRICES = {"entry", "stop", "target", "liquidation", "stop_nearest"}
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]+\b")
_ALIAS = re.compile(r"Asset [A-Z]\b")
# Labels with bands of our own, which a stranger may draw elsewhere.
_HOUSE_WORDS = frozenset(("momentum", "volatility", "volume_state", "funding_state", "hist_state"))
_COINS = frozenset(("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "ATOM", "AVAX", "BCH", "DOGE", "DOT", "FIL", "LINK", "LTC", "MATIC", "TRX", "UNI", "XLM"))  # fmt: skip


def agree(stated: float, decimals: int, true: float) -> bool:
    """True when `stated`, printed with `decimals`, is `true` to half a unit of its last digit."""
    return abs(stated - true) <= 0.5 * 10.0**-decimals + abs(true) * _EPSILON


def check_numbers(answer: Answer) -> None:
    """Apply every rule of the family that reads single claims."""
    if answer.spec is not None and answer.spec.timeless:
        if not answer.scripted:
            _check_timeless(answer)
        return
    if answer.spec is None:
        _check_stranger(answer)
        return
    prompt = answer.prompt
    quantities = prompt.quantities
    values = prompt.values
    for claim in answer.claims:
        if claim.decimals < 0:
            continue
        kind = claim.kind
        key = claim.key
        stated = claim.value
        if kind:
            found = values.get(key)
            if found is not None and any(agree(stated, claim.decimals, v) for v in found if not isinstance(v, str)):
                continue
            if found is None:
                true = quantities.get(key)
                if true is not None and not isinstance(true, str) and matches(claim, true):
                    continue
        _judge(answer, claim, quantities)


def _check_stranger(answer: Answer) -> None:
    """Judge a number of a text that is not ours only where nothing usual explains it; its kind may be misread.

    A number may rest on one that stands later in the text, so what is left open is looked at twice.
    """
    known = Known(numerals(answer.prompt.text))
    for number in answer.code_numbers:
        known.add(number)
    left = []
    for claim in answer.claims:
        if claim.decimals >= 0:
            if _is_explained(answer, claim, known):
                known.add(claim.value)
            else:
                left.append(claim)
    for claim in left:
        if not _is_explained(answer, claim, known):
            _judge(answer, claim, answer.prompt.quantities)
        known.add(claim.value)


def _is_explained(answer: Answer, claim: Claim, known: Known) -> bool:
    low, high = _bounds(claim.kind)
    if not low <= claim.value <= high and (high < float("inf") or _is_price(answer, claim)):
        return False
    if claim.frame and claim.strict and answer.prompt.values.get(claim.key) and is_named(claim, answer.lower):
        return any(matches(claim, value) for value in answer.prompt.values[claim.key])
    if claim.value in known or is_ordinary(claim, answer.text, answer.lower):
        return True
    # Readings of an oscillator are seen, never worked out.
    return not claim.kind.startswith("rsi_") and known.follows(claim.value, last_place(claim, answer.text))


def _is_price(answer: Answer, claim: Claim) -> bool:
    """Whether a number is its kind's beyond doubt: named by the words right before it, and not an amount of money."""
    return answer.text[claim.start : claim.start + 2].strip("-−+")[:1] != "$" and is_named(claim, answer.lower)


def _check_timeless(answer: Answer) -> None:
    """Without a market every number is quoted from the prompt, assumed aloud, or worked out in an equation."""
    for claim in answer.claims:
        if claim.unit == "stray":
            answer.report(
                UNREAD, f"nothing explains {answer.text[claim.start : claim.end][:60]!r}", claim.start, claim.end
            )
        elif (
            claim.decimals >= 0
            and claim.value not in answer.prompt.numbers
            and not (
                claim.value in assumptions(answer)
                or stands_in_equation(answer, claim)
                or is_cut_down(answer, claim)
                or stands_in_formula(answer, claim)
            )
        ):
            answer.report(
                UNGROUNDED, f"{claim.value:g} is neither given, assumed nor worked out", claim.start, claim.end
            )


def matches(claim: Claim, true: float) -> bool:
    """True when the claim states `true` as its kind is printed; a gap said with a word carries no sign."""
    stated = claim.value
    # A gap "from" or "short of" a level, and a money amount said with a verb, carry no sign of their own.
    if not claim.signed or (true < 0 <= stated and claim.kind.startswith("funding_")):
        stated, true = abs(stated), abs(true)
    shown = shown_as(claim.kind)
    if shown in ("price", "lot") or agree(stated, claim.decimals, true):
        return agree(stated, claim.decimals, true)
    return False


def _judge(answer: Answer, claim: Claim, quantities: Quantities) -> None:
    """Decide what is wrong with a claim that matches neither the prompt nor a formula."""
    kind, stated = claim.kind, claim.value
    low, high = _bounds(kind)
    if kind and not low <= stated <= high:
        answer.report(IMPOSSIBLE, f"{kind} {stated:g} is outside {low:g}–{high:g}", claim.start, claim.end)
        return
    if _assumed(answer, claim) or stands_in_equation(answer, claim):
        return
    if not kind:
        if claim.unit == "stray" or answer.generated:
            answer.report(
                UNREAD, f"nothing explains {answer.text[claim.start : claim.end][:60]!r}", claim.start, claim.end
            )
        elif stated not in answer.prompt.numbers:
            answer.report(UNGROUNDED, f"{stated:g} is not in the prompt", claim.start, claim.end)
        return
    values = answer.prompt.values
    others = _same_kind(values, quantities, claim)
    if not claim.strict and any(agree(stated, claim.decimals, true) for true in others):
        return
    found = values.get(claim.key)
    if found is not None:
        if claim.frame and any(agree(stated, claim.decimals, true) for true in others):
            answer.report(
                "T003", f"{kind} {stated:g} belongs to another frame than {claim.frame}", claim.start, claim.end
            )
        else:
            answer.report(
                CONTRADICTS, f"{claim.key} is {found[0]:g} in the prompt, not {stated:g}", claim.start, claim.end
            )
        return
    true = quantities.get(claim.key)
    if true is not None and not isinstance(true, str):
        if claim.frame and any(agree(stated, claim.decimals, other) for other in others):
            answer.report(
                "T003", f"{kind} {stated:g} belongs to another frame than {claim.frame}", claim.start, claim.end
            )
        else:
            answer.report(WRONG_ARITHMETIC, f"{claim.key} follows as {true:g}, not {stated:g}", claim.start, claim.end)
    elif claim.frame and any(agree(stated, claim.decimals, other) for other in others):
        answer.report("T003", f"{kind} {stated:g} belongs to another frame than {claim.frame}", claim.start, claim.end)
    elif answer.generated or stated not in answer.prompt.numbers:
        answer.report(
            UNGROUNDED,
            f"{claim.key} {stated:g} neither stands in the prompt nor follows from it",
            claim.start,
            claim.end,
        )


def _same_kind(values: dict[str, list[Any]], quantities: Quantities, claim: Claim) -> list[float]:
    if not claim.frame:
        return []
    frames = {key.partition("@")[2] for key in values if "@" in key}
    others = [quantities.get(f"{claim.kind}@{frame}") for frame in sorted(frames - {claim.frame})]
    return [other for other in others if isinstance(other, (int, float))]


def _bounds(kind: str) -> tuple[float, float]:
    if kind in _BOUNDS:
        return _BOUNDS[kind]
    if kind.startswith("rsi_") and kind[4:].isdigit():
        return 0, 100
    return (0, float("inf")) if kind in _POSITIVE else (float("-inf"), float("inf"))


def _assumed(answer: Answer, claim: Claim) -> bool:
    """True for a number introduced in a sentence of assumption, or repeated from one, in a stranger's text."""
    return not answer.spec and claim.value in assumptions(answer)


def check_equations(answer: Answer) -> None:
    """N011 on every equation of the text."""
    if "=" not in answer.text and "≈" not in answer.text:
        return
    for equation in answer.equations:
        if not equation.holds:
            gives = "nothing" if equation.value is None else f"{equation.value:.6g}"
            answer.report(
                EQUATION, f"the left side gives {gives}, not {equation.stated:g}", equation.start, equation.end
            )


def check_labels(answer: Answer) -> None:
    """N009 on words the numbers decide, N010 on above and below."""
    if answer.spec is not None and answer.spec.timeless:
        return
    quantities = answer.prompt.quantities
    values = answer.prompt.values
    for claim in answer.claims:
        if claim.decimals >= 0 or claim.kind in ("", "date", "rule", "frame", "higher_filter"):
            continue
        if answer.spec is None and claim.kind in _HOUSE_WORDS and claim.value not in ("overbought", "oversold"):
            continue
        if claim.kind == "side":
            true = quantities.get("side") or quantities.get("setup")
            if true in (None, "none") or len(set(values.get("side", ()))) > 1:
                continue
        elif claim.frame and not claim.strict:
            frames = {key.partition("@")[2] for key in values if "@" in key}
            truths = [quantities.get(f"{claim.kind}@{frame}") for frame in frames]
            truths = [truth for truth in truths if truth is not None]
            true = claim.value if not truths or claim.value in truths else truths[0]
        else:
            true = quantities.get(claim.key)
        if true is None and answer.generated and claim.frame and claim.strict:
            answer.report(WRONG_LABEL, f"nothing in the prompt decides {claim.key}", claim.start, claim.end)
        if isinstance(true, str) and true != claim.value:
            answer.report(WRONG_LABEL, f"{claim.key} is {true}, not {claim.value}", claim.start, claim.end)
    for relation in answer.relations:
        subject = quantities.get(f"{relation.subject}@{relation.frame}" if relation.frame else relation.subject)
        other = quantities.get(f"{relation.other}@{relation.frame}" if relation.frame else relation.other)
        if (
            isinstance(subject, float)
            and isinstance(other, float)
            and (subject > other) != relation.above
            and subject != other
        ):
            word = "above" if relation.above else "below"
            answer.report(
                WRONG_RELATION, f"{relation.subject} {subject:g} is not {word} {relation.other} {other:g}", 0, 1
            )


def check_levels(answer: Answer) -> None:
    """N006 on stop, entry and target; N007 on the grid."""
    if answer.spec is not None and answer.spec.timeless:
        return
    level: dict[str, float] = {}
    side = ""
    spans: dict[str, Claim] = {}
    for claim in answer.claims:
        if claim.kind in ("entry", "stop", "target") and claim.decimals >= 0:
            # A stranger's list number, distance or money may stand beside a word that is not its own.
            sure = answer.spec is not None or claim.value in answer.prompt.numbers or _is_price(answer, claim)
            if sure:
                level.setdefault(claim.kind, claim.value)
                spans.setdefault(claim.kind, claim)
        elif claim.kind == "side" and not side:
            side = claim.value
        if claim.decimals >= 0 and (claim.kind in _GRID_PRICES or claim.kind == "size"):
            _check_grid(answer, claim)
    side = side or answer.prompt.quantities.get("side") or ""
    if not side or "entry" not in level:
        return
    sign = 1 if side == "long" else -1
    for name, direction in (("stop", -1), ("target", 1)):
        if name in level and (level[name] - level["entry"]) * sign * direction <= 0:
            claim = spans[name]
            answer.report(
                ORDER,
                f"a {side} with entry {level['entry']:g} cannot have its {name} at {level[name]:g}",
                claim.start,
                claim.end,
            )


def _check_grid(answer: Answer, claim: Claim) -> None:
    step = answer.prompt.quantities.given.get("lot" if claim.kind == "size" else "tick")
    if not step or claim.value in answer.prompt.numbers:
        return
    count = claim.value / float(step)
    if abs(count - round(count)) > 1e-6 * max(1.0, abs(count)):
        answer.report(OFF_GRID, f"{claim.kind} {claim.value:g} is not a multiple of {step}", claim.start, claim.end)


def check_symbols(answer: Answer) -> None:
    """N012: symbols and coins of the answer that the prompt does not name."""
    text, prompt = answer.text, answer.prompt.text
    market = answer.spec is not None and not answer.spec.timeless
    for match in _CAPITALS.finditer(text):
        word = match.group()
        named = word.endswith("USDT") and len(word) > 4 or market and word in _COINS
        if named and word not in prompt:
            answer.report(WRONG_SYMBOL, f"{word} is not in the prompt", *match.span())
    if "Asset " in text:
        for match in _ALIAS.finditer(text):
            if match.group() not in prompt:
                answer.report(WRONG_SYMBOL, f"{match.group()} is not in the prompt", *match.span())


def check_facts(answer: Answer) -> None:
    """N013: claims against the facts a row carries; never an excuse, only a second check."""
    facts = answer.facts
    if not facts or answer.findings or (answer.spec is not None and answer.spec.timeless):
        return
    for claim in answer.claims:
        fact = facts.get(claim.key)
        if fact is None or claim.kind in ("side",):
            continue
        if claim.decimals < 0:
            if isinstance(fact, str) and fact != claim.value:
                answer.report(
                    AGAINST_FACTS,
                    f"{claim.key} is {fact} in the facts, {claim.value} in the text",
                    claim.start,
                    claim.end,
                )
        elif isinstance(fact, (int, float)) and not agree(abs(claim.value), claim.decimals, abs(fact)):
            answer.report(
                AGAINST_FACTS,
                f"{claim.key} is {fact:g} in the facts, {claim.value:g} in the text",
                claim.start,
                claim.end,
            )
