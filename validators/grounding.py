"""What grounds a number that no prompt states: an assumption made aloud, an equation, a formula's own integer."""

import re

from validators.claims.reader import Claim
from validators.context import Answer

_ASSUMES = re.compile(r"\b(?:suppose|assum\w+|say|imagine|take|consider|picture|let|given|with an? account of|hypothetical\w*|for example|for instance|e\.g\.)\b", re.IGNORECASE)  # fmt: skip


def assumptions(answer: Answer) -> frozenset[float]:
    """Numbers of sentences that assume, outside any equation."""
    known = answer.__dict__.get("assumptions")
    if known is None:
        numbers = set()
        spans = [span for equation in answer.equations for span in (*equation.operands, equation.result)]
        start = 0
        for sentence in re.split(r"((?<=[.!?])\s+|\n)", answer.prose):
            if _ASSUMES.search(sentence):
                for match in _PLAIN_NUMBER.finditer(sentence):
                    if not any(low <= start + match.start() < high for low, high in spans):
                        numbers.add(_number(match.group()))
            start += len(sentence)
        known = answer.__dict__["assumptions"] = frozenset(numbers)
    return known


_PLAIN_NUMBER = re.compile(r"(?<![\w.,])[-−]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


def _number(printed: str) -> float:
    return float(printed.replace(",", "").replace("−", "-").replace("$", ""))


# Integers a formula uses by itself: 1 − p, 100 −, √365, half of …
_STRUCTURAL = {0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 20.0, 24.0, 26.0, 50.0, 52.0, 100.0, 200.0, 252.0, 365.0, 8760.0, 10000.0, 1000.0}  # fmt: skip


def stands_in_equation(answer: Answer, claim: Claim) -> bool:
    """True for an operand that is grounded, the result of an equation that holds, or a repeat of one."""
    if not answer.equations:
        return False
    grounded = answer.__dict__.get("grounded")
    if grounded is None:
        results = {equation.stated for equation in answer.equations if equation.holds}
        grounded = answer.__dict__["grounded"] = results | set(answer.prompt.numbers) | assumptions(answer)
    for equation in answer.equations:
        if equation.result[0] <= claim.start < equation.result[1]:
            return True  # N011 judges it
        if any(start <= claim.start < end for start, end in equation.operands):
            return (
                answer.spec is None or claim.value in grounded or claim.value in _STRUCTURAL or -claim.value in grounded
            )
    return claim.value in grounded


_AROUND = "÷×+−/^(=-*"


def stands_in_formula(answer: Answer, claim: Claim) -> bool:
    """True for the 1 of `d/(1 − d)`: an integer a formula uses by itself, next to an operator."""
    if claim.value not in _STRUCTURAL:
        return False
    before, after = answer.text[: claim.start].rstrip()[-1:], answer.text[claim.end :].lstrip()[:1]
    return bool(before and before in _AROUND or after and after in _AROUND)


_CUTS = re.compile(r"\b(?:cut|round\w*|floor\w*|trunc\w*|down)\b[^.;]{0,40}$", re.IGNORECASE)


def is_cut_down(answer: Answer, claim: Claim) -> bool:
    """True for a result said to be rounded down to a lot: 23.437 coins, cut to 23.4."""
    if not _CUTS.search(answer.text[max(0, claim.start - 60) : claim.start]):
        return any(
            claim.value == other.value and other.start < claim.start and is_cut_down(answer, other)
            for other in answer.claims
            if other.decimals >= 0 and other.start < claim.start
        )
    step = 10.0**-claim.decimals
    return any(0 <= equation.stated - claim.value < step + 1e-9 for equation in answer.equations if equation.holds)
