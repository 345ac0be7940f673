"""What a number of a stranger's answer may follow from: the sums people do with the numbers before them.

Our own rows are held to named formulas. A stranger's text has formulas of its own, so a number there is
called ungrounded only when no usual sum over the prompt's numbers, and those the answer has worked out
before, gives it: one operation, or a difference set against a number, a share of an amount, a position
from its risk, an amount after percentages, a root of time. With many numbers before it nearly any small
figure can be reached; then silence says little, which is why a report counts what could be checked.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from validators.claims.reader import Claim

MOST = 60  # numbers taken into account
FEW = 14  # of the first so many, sums of two steps are tried too
# Halves and thirds, funding stamps of a day, months, hours, weeks, trading days, days, and per cent and basis points.
_CONSTANTS = (2.0, 3.0, 4.0, 12.0, 24.0, 52.0, 100.0, 252.0, 365.0, 1_000.0, 10_000.0, 100_000.0)
# Pips, ticks, points and contracts: what a distance is multiplied by where the market's unit is not said.
_PER_POINT = (0.5, 2.0, 4.0, 5.0, 10.0, 12.5, 20.0, 25.0, 50.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
_FIBONACCI = (0.236, 0.382, 0.5, 0.618, 0.786)
_ROOTS = (7.0, 12.0, 24.0, 30.0, 52.0, 252.0, 365.0, 8_760.0)
_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_PRINTED = re.compile(r"[^\d]*(\d[\d,]*)(?:\.(\d+))?\s?(k|mn|m|bn|b|thousand|million|billion)?\b", re.IGNORECASE)


def last_place(claim: Claim, text: str) -> float:
    """The size of the last digit printed: 0.01 for 1.25, 1,000 for 165k, 100 for $1.4k."""
    printed = _PRINTED.match(text, claim.start)
    if printed is None:
        return 10.0**-claim.decimals
    scale = _SCALES.get((printed[3] or "").lower(), 1.0)
    return scale * 10.0 ** -len(printed[2] or "")


_NUMERAL = re.compile(
    r"(?<![\w.])(?:(?P<joined>\d{1,3}(?:,\d{3})+(?!\d))|\d+)(?:\.\d+)?(?:\s?(?P<scale>k|mn|m|bn|b|thousand|million|billion)\b)?|(?<=[A-Za-z])\d+(?:\.\d+)?",
    re.IGNORECASE,
)


def numerals(text: str) -> list[float]:
    """Every number printed in a text, however it is laid out; `112,500` in a table of commas is read both ways."""
    found: list[float] = []
    for match in _NUMERAL.finditer(text):
        digits = re.sub(r"[^\d.,]", "", match.group()).strip(".,")
        if not digits:
            continue
        value = float(digits.replace(",", ""))
        if match["scale"]:
            found.append(value * _SCALES[match["scale"].lower()])
        found.append(value)
        if match["joined"] and _is_table_line(text, match.start()):
            found += [float(part) for part in digits.split(",")]
    return found


def _is_table_line(text: str, at: int) -> bool:
    """Whether commas part the numbers of a line instead of its thousands."""
    line = text[text.rfind("\n", 0, at) + 1 : (text.find("\n", at) + 1 or len(text) + 1) - 1]
    return line.count(",") > 2 and ", " not in line


class Known:
    """Numbers one can work with; `follows` says whether a figure is a usual sum of them."""

    def __init__(self, numbers: Iterable[float]) -> None:
        kept = dict.fromkeys(abs(float(number)) for number in numbers if number and abs(number) < 1e15)
        self.numbers = list(kept)[:MOST]
        self._reached: list[np.ndarray] = []

    def __contains__(self, number: float) -> bool:
        return abs(number) in self.numbers

    def add(self, number: float) -> None:
        """One more number to work with; beyond MOST the oldest of those added goes."""
        number = abs(float(number))
        if not number or number >= 1e15 or number in self.numbers:
            return
        if len(self.numbers) >= MOST:
            del self.numbers[FEW]
        self.numbers.append(number)
        if len(self.numbers) <= FEW:
            self._reached = []
        elif self._reached:
            self._reached.append(_reach_with(number, self.numbers))

    def follows(self, stated: float, place: float) -> bool:
        """True when a sum gives `stated`, rounded or cut off at a last digit worth `place`."""
        if not self._reached:
            self._reached = [_reach(self.numbers)]
        target = abs(stated)
        low, high = target - place * 0.501 - target * 1e-9, target + place * 0.999 + target * 1e-9
        return any(np.searchsorted(part, low) < np.searchsorted(part, high) for part in self._reached)


def _sorted(found: list[np.ndarray]) -> np.ndarray:
    reached = np.abs(np.concatenate(found))
    return np.sort(reached[np.isfinite(reached)])


def _one_step(left: np.ndarray, right: np.ndarray, own: np.ndarray) -> list[np.ndarray]:
    """What one operation gives between `left` and `right`, and the differences to `own` set against all numbers."""
    left, right = left[:, None], right[None, :]
    sums, gaps = (left + own[None, :]).ravel(), np.unique(np.abs(left - own[None, :]))
    products, ratios = (left * right).ravel(), (left / right).ravel()
    afters = [(left * (1 + sign * own[None, :] / 100)).ravel() for sign in (1, -1)]
    return [
        sums, sums / 2, gaps, (gaps[:, None] * np.array(_PER_POINT)[None, :]).ravel(), _against(gaps, own), products, products / 100,
        products / 1e4, ratios, 1 / ratios, ratios * 100, 100 / ratios, 1e4 * ratios, np.abs(1 - ratios) * 100, *afters,
    ]  # fmt: skip


def _reach_with(number: float, numbers: list[float]) -> np.ndarray:
    """Every value one more number adds to what `_reach` gave for those before it, sorted."""
    with np.errstate(all="ignore"):
        own = np.array(numbers, dtype=float)
        return _sorted([*_one_step(np.array([number]), np.concatenate([own, _CONSTANTS]), own), *_totals(own)])


def _reach(numbers: list[float]) -> np.ndarray:
    """Every value the usual sums give, sorted."""
    with np.errstate(all="ignore"):
        own = np.array(numbers, dtype=float)
        base = np.concatenate([own, _CONSTANTS])
        found = [base, np.abs(100 - own), np.array([own.sum(), own.mean() if len(own) else 0.0])]
        found += [own * np.sqrt(root) for root in _ROOTS] + [own / np.sqrt(root) for root in _ROOTS]
        found += _one_step(own, base, own)
        found += [*_totals(own), *_two_steps(own[:FEW])]
        return _sorted(found)


def _against(values: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Values set against each number: as a ratio, in per cent and basis points, and times it."""
    ratios = (values[:, None] / own[None, :]).ravel()
    return np.concatenate([ratios, ratios * 100, ratios * 1e4, (values[:, None] * own[None, :]).ravel()])


def _totals(own: np.ndarray) -> Iterator[np.ndarray]:
    """Sums of numbers that stand in the same place of a list or a table: every k-th, up to a dozen of them."""
    for stride in range(1, 7):
        for count in range(3, 13):
            if (count - 1) * stride < len(own):
                yield sum(own[place * stride : len(own) - (count - 1 - place) * stride] for place in range(count))  # type: ignore[misc]


def _two_steps(own: np.ndarray) -> list[np.ndarray]:
    """Ratios of differences, positions from a share of an amount and a distance, amounts after shares of amounts, levels between levels."""
    gaps = np.unique(np.abs(own[:, None] - own[None, :]))
    gaps = gaps[gaps > 0]
    products = np.unique((own[:, None] * own[None, :]).ravel())
    shares = products / 100
    amounts = np.unique(np.concatenate([own, shares, shares / 100]))
    inside = np.concatenate(
        [
            gaps,
            gaps / 2,
            (gaps[:, None] * (own[own < 10])[None, :]).ravel(),
            (gaps[:, None] * np.array(_FIBONACCI)[None, :]).ravel(),
        ]
    )
    found = [_against(np.unique(own[:, None] + own[None, :]), own), _against(shares, own), _against(products, own)]
    found += [
        (gaps[:, None] / gaps[None, :]).ravel(),
        (amounts[:, None] / gaps[None, :]).ravel(),
        (amounts[:, None] * gaps[None, :]).ravel(),
    ]
    # a share of wins that pays for the losses, and a liquidation estimate with its room: 1/leverage − maintenance rate
    found += [(gaps[:, None] / (gaps[:, None] + gaps[None, :])).ravel() * 100]
    leverages, rates = own[(own >= 1) & (own <= 200)], own[own <= 5]
    rooms = np.abs((1 / leverages)[:, None] + np.concatenate([rates, -rates, [0.0]])[None, :] / 100).ravel()
    found += [rooms * 100] + [(own[:, None] * (1 + sign * rooms[None, :])).ravel() for sign in (1, -1)]
    for part in (shares, products, inside, shares / 100):
        found += [(own[:, None] - part[None, :]).ravel(), (own[:, None] + part[None, :]).ravel()]
    return found
