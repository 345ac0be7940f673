"""Family B, how the numbers of trading answers are spread: ratios, stop multiples, last digits, warning sentences.

Limits are those we hold ourselves to: no reward/risk on more than 5 % of plans, no stop multiple on
more than 10 %, no warning sentence on more than 2 % of rows.
"""

import re
from collections import Counter
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.balance.counts import file_finding, merge
from validators.context import Answer
from validators.risk import WARNINGS
from validators.rules import declare

FEW_PLANS = 100
FEW_DIGITS = 200

_PLAN = '{{"instruction": "Plan trade {5}.", "input": "Close {0:.2f}, ATR(14) {4:.2f}. Levels: {1:.2f}, {2:.2f}.", "output": "{3}"}}'


def _plans(ratios: list[float], multiples: list[float], warning: str = "", step: float = 0.37) -> str:
    """A file of 120 plans with these reward/risk ratios and stop multiples, one after the other."""
    words = ("flat", "steady", "quiet", "brisk", "slow", "firm", "light", "heavy", "mixed", "calm", "choppy")
    lines = []
    for i in range(240):
        entry, atr = round(100 + i * step, 2), round(1 + i % 9 * 0.13, 2)
        stop = round(entry - multiples[i % len(multiples)] * atr, 2)
        target = round(entry + ratios[i % len(ratios)] * (entry - stop), 2)
        mood = f"{words[i % 11].capitalize()} tape with {words[i // 11 % 11]} bids and {words[(i * 7) % 11]} offers."
        said = (
            f"{mood} Go long: entry {entry:.2f}, stop {stop:.2f}, target {target:.2f}. {warning.format(stop)}".strip()
        )
        lines.append(
            _PLAN.format(entry, stop, target, said, atr, f"{words[i % 11]} {words[i // 11 % 11]} {words[i // 121]}")
        )
    return "\n".join(lines)


_RATIOS = [1.5 + i * 0.083 for i in range(37)]
_MULTIPLES = [1.0 + i * 0.071 for i in range(29)]
_CLEAN = _plans(_RATIOS, _MULTIPLES)

ONE_RATIO = declare(
    "B009", "one reward/risk dominates", "One reward/risk ratio stands on more than 5 % of the plans.",
    "The model learns the ratio and puts the target wherever it comes out.",
    _plans([2.0], _MULTIPLES), _CLEAN, severity="warning",
)  # fmt: skip
ONE_MULTIPLE = declare(
    "B010", "one stop multiple dominates", "One multiple of ATR sets more than 10 % of the stops.",
    "The model learns the multiple and never looks at the structure.",
    _plans(_RATIOS, [1.5]), _CLEAN, severity="warning",
)  # fmt: skip
LAST_DIGITS = declare(
    "B011", "last digits are not uniform", "More than a quarter of the prices in plans end in the same digit.",
    "Invented prices are round; a market's are not.",
    re.sub(r"(\d\.\d)\d", r"\g<1>0", _CLEAN), _CLEAN, severity="warning",
)  # fmt: skip
ONE_WARNING = declare(
    "B012", "one warning sentence dominates", "The same warning, numbers aside, stands in more than 2 % of the rows.",
    "A sentence that is always there says nothing, and is learnt first.",
    _plans(_RATIOS, _MULTIPLES, "The main risk is a gap through the stop at {:.2f}."), _CLEAN, severity="warning",
)  # fmt: skip

_STOCK_PHRASES = ("not financial advice", "do your own research", "afford to lose", "past performance")
_ALL_WARNINGS = (*WARNINGS, *_STOCK_PHRASES)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_DIGITS = re.compile(r"\d[\d.,]*")
_LEVELS = ("entry", "stop", "target")


class Spread:
    """Counts the numbers and warnings of answers about a market."""

    def __init__(self) -> None:
        self.rows = 0
        self.ratios: Counter[str] = Counter()
        self.multiples: Counter[str] = Counter()
        self.digits: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row."""
        if answer is None or answer.timeless or answer.spec is not None and answer.spec.timeless:
            return
        self.rows += 1
        levels: dict[str, float] = {}
        stated: dict[str, float] = {}
        coarse = str(answer.prompt.quantities.given.get("tick", "1")).rstrip("0")[-1:] != "1"
        for claim in answer.claims:
            if claim.decimals < 0:
                continue
            if claim.kind in _LEVELS:
                if claim.kind not in levels and not coarse and claim.end - claim.start > 3:
                    self.digits[answer.text[claim.end - 1]] += 1
                levels.setdefault(claim.kind, claim.value)
            elif claim.kind in ("reward_risk", "stop_multiple"):
                stated.setdefault(claim.kind, claim.value)
        self._count_plan(levels, stated, answer)
        lower = answer.lower
        if found := [phrase for phrase in _ALL_WARNINGS if phrase in lower]:
            for sentence in {_DIGITS.sub("0", part) for part in _SENTENCES.split(lower)}:
                if [phrase for phrase in found if phrase in sentence]:
                    self.warnings[sentence.strip(" -*>")] += 1

    def _count_plan(self, levels: dict[str, float], stated: dict[str, float], answer: Answer) -> None:
        ratio, multiple = stated.get("reward_risk"), stated.get("stop_multiple")
        if {"entry", "stop"} <= levels.keys() and levels["entry"] != levels["stop"]:
            risk = levels["entry"] - levels["stop"]
            if "target" in levels:
                ratio = (levels["target"] - levels["entry"]) / risk
            atr = next((v for k, (v, *_) in answer.prompt.values.items() if k.startswith("atr_14")), None)
            if isinstance(atr, float) and atr > 0:
                multiple = abs(risk) / atr
        if ratio is not None and 0 < ratio < 100:
            self.ratios[f"{ratio:.2f}"] += 1
        if multiple is not None and 0 < multiple < 100:
            self.multiples[f"{multiple:.2f}"] += 1

    def merge(self, other: "Spread") -> None:
        """Take in the counts of the rows that follow."""
        self.rows += other.rows
        for name in ("ratios", "multiples", "digits", "warnings"):
            merge(getattr(self, name), getattr(other, name))

    def finish(self) -> Iterator[Finding]:
        """B009 to B012."""
        for code, counter, limit, what in (
            (ONE_RATIO, self.ratios, 0.05, "plans have a reward/risk of"),
            (ONE_MULTIPLE, self.multiples, 0.10, "stops lie at a multiple of ATR of"),
        ):
            total = counter.total()
            if total >= FEW_PLANS:
                value, count = counter.most_common(1)[0]
                if count > limit * total:
                    yield file_finding(code, f"{count / total:.0%} of {total:,} {what} {value}")
        total = self.digits.total()
        if total >= FEW_DIGITS:
            digit, count = self.digits.most_common(1)[0]
            if count > 0.25 * total:
                yield file_finding(
                    LAST_DIGITS, f"{count / total:.0%} of {total:,} entries, stops and targets end in {digit}"
                )
        if self.warnings and self.rows >= FEW_PLANS:
            sentence, count = self.warnings.most_common(1)[0]
            if count > max(0.02 * self.rows, 5):
                yield file_finding(
                    ONE_WARNING,
                    f"{count / self.rows:.0%} of {self.rows:,} answers warn with the same sentence",
                    evidence=sentence,
                )
