"""Family B, what a bag of words gives away: the label or the direction of an answer, numbers not looked at.

A naive Bayes classifier over the words of the prompt is fitted on some templates and tried on the
others. Rows are sampled by the smallest hashes of their texts, so the sample depends neither on order
nor on who counted.
"""

import heapq
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.balance.counts import file_finding
from validators.balance.repetition import digest
from validators.context import Answer
from validators.rules import declare

SAMPLE = 4_000
FEW = 200  # rows below which a share of right guesses says nothing
MARGIN = 0.15  # above always guessing the commonest label
MOST_LABELS = 12

_ROW = '{{"instruction": "{}", "input": "", "output": "{}"}}'
_THINGS = ("apples", "bonds", "copper", "dollars", "eggs", "flour", "gold", "hides", "iron", "jute", "kapok", "linen", "maize", "nickel", "oil", "paper", "quartz", "rice", "steel", "tin")  # fmt: skip
_PLACES = ("Aden", "Bonn", "Cork", "Dover", "Essen", "Fargo", "Ghent", "Hove", "Ipoh", "Jena", "Kiel", "Lodz")


def _labelled(verbs: tuple[str, str], label: str) -> str:
    told = [(thing, place) for thing in _THINGS for place in _PLACES]
    sides = [(i * 2_654_435_761 >> 7) % 2 for i in range(len(told))]
    return "\n".join(
        _ROW.format(f"Sellers of {thing} in {place} {verbs[side]}.", (label, "negative")[side])
        for side, (thing, place) in zip(sides, told)
    )  # fmt: skip


_DIRECTED = '{{"instruction": "Plan a trade in {} {}.", "input": "Close {:.2f}, levels {:.2f} and {:.2f}. {}", "output": "Go {}: entry {:.2f}, stop {:.2f}."}}'


def _directed(words: tuple[str, str]) -> str:
    lines = []
    for i, (thing, place) in enumerate((thing, place) for thing in _THINGS for place in _PLACES):
        up = (i * 2_654_435_761 >> 7) % 2 == 0
        close = 100 + i * 0.37
        stop = close - 1.13 - i % 7 * 0.19 if up else close + 1.13 + i % 7 * 0.19
        side = "long" if up else "short"
        lines.append(_DIRECTED.format(place, thing, close, stop, close + 9.71, words[not up], side, close, stop))
    return "\n".join(lines)


LABEL = declare(
    "B013", "words alone give the label", "A bag of the prompt's words guesses the label far better than its commonest value, on templates it was not fitted on.",
    "Where a number or the context should decide, the model learns the word instead.",
    _labelled(("cheered", "grumbled"), "positive"), _labelled(("spoke", "spoke"), "positive"), severity="info",
)  # fmt: skip
DIRECTION = declare(
    "B014", "words alone give the direction", "With the numbers left out, the prompt's words still tell long from short or from no trade.",
    "A direction has to follow from the numbers, or the model trades on wording.",
    _directed(("Mood: cheerful.", "Mood: gloomy.")), _directed(("Mood: even.", "Mood: even.")), severity="warning",
)  # fmt: skip

_WORDS = re.compile(r"[^\W\d_]{2,}")
_NUMBERS = re.compile(r"\d[\d.,:]*")
_LABEL_KEYS = ("label", "sentiment", "direction", "signal")


class Sample(NamedTuple):
    """One row: its label, its template and its words, and the hash it was drawn by."""

    drawn: int
    label: str
    template: int
    words: str


def label_of(text: str) -> str:
    """The label an answer consists of: up to three words, or the one a JSON object names."""
    if text.startswith("{"):
        try:
            record: Any = orjson.loads(text)
        except orjson.JSONDecodeError:
            return ""
        value = next((record[key] for key in _LABEL_KEYS if isinstance(record.get(key), str)), "")
        return value.casefold()
    words = text.split(None, 3)
    return " ".join(words).casefold().strip(" .") if 0 < len(words) <= 3 else ""


def _direction_of(answer: Answer) -> str:
    """Long, short or no trade where the answer decides it, empty where the prompt does."""
    if answer.prompt.quantities.given.get("side"):
        return ""
    for claim in answer.claims:
        if claim.kind == "verdict":
            return "no trade"
        if claim.kind == "side":
            return claim.value
    return ""


class WordBag:
    """Samples of labelled rows and of rows with a direction."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {LABEL: 0, DIRECTION: 0}
        self.samples: dict[str, list[Sample]] = {LABEL: [], DIRECTION: []}

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row."""
        if label := label_of(row.output):
            self._draw(LABEL, label, row)
        elif answer is not None and not answer.timeless and (side := _direction_of(answer)):
            self._draw(DIRECTION, side, row)

    def _draw(self, code: str, label: str, row: Row) -> None:
        self.seen[code] += 1
        kept = self.samples[code]
        drawn = -digest(row.instruction, row.input, row.output)  # a heap gives up its smallest: the largest hash
        if len(kept) >= SAMPLE and drawn <= kept[0].drawn:
            return
        prompt = f"{row.instruction}\n{row.input}".lower()
        template = digest(row.task_type, row.family) if row.family else digest(_NUMBERS.sub("0", prompt))
        self._keep(code, Sample(drawn, label, template, " ".join(sorted(set(_WORDS.findall(prompt))))))

    def _keep(self, code: str, sample: Sample) -> None:
        kept = self.samples[code]
        if len(kept) < SAMPLE:
            heapq.heappush(kept, sample)
        else:
            heapq.heappushpop(kept, sample)

    def merge(self, other: "WordBag") -> None:
        """Take in the samples of the rows that follow."""
        for code, samples in other.samples.items():
            self.seen[code] += other.seen[code]
            for sample in samples:
                self._keep(code, sample)

    def finish(self) -> Iterator[Finding]:
        """B013 and B014."""
        for code, samples in self.samples.items():
            if len(samples) < FEW:
                continue
            guessed = guess(sorted(samples, reverse=True))
            if guessed is None:
                continue
            right, base, words = guessed
            if right > base + MARGIN:
                message = f"words guess {right:.0%} of held-out rows, the commonest value is {base:.0%}; most telling: {', '.join(words)}"
                yield file_finding(code, message, evidence=", ".join(words))


def guess(samples: list[Sample]) -> tuple[float, float, list[str]] | None:
    """Share guessed right on held-out templates, share of the commonest label there, the five most telling words.

    None where there are no labels to tell apart or no templates to hold out. Words are taken as there
    or not (Bernoulli naive Bayes, add-one smoothing); telling is mutual information with the label.
    """
    import numpy as np

    counts = Counter(sample.label for sample in samples)
    labels = [label for label, count in counts.most_common() if count > 0.02 * len(samples)]
    templates = {sample.template for sample in samples}
    if not 2 <= len(labels) <= MOST_LABELS or len(templates) < 5:
        return None
    used = [sample for sample in samples if sample.label in labels]
    ranked = sorted(templates)
    held = {template for place, template in enumerate(ranked) if place % 4 == 0}
    seen = Counter(word for sample in used for word in sample.words.split())
    words = sorted(word for word, count in seen.most_common(4_000) if count >= 3)
    if not words:
        return None
    column = {word: place for place, word in enumerate(words)}
    there = np.zeros((len(used), len(words)), dtype=bool)
    for place, sample in enumerate(used):
        there[place, [column[word] for word in sample.words.split() if word in column]] = True
    truth = np.array([labels.index(sample.label) for sample in used])
    test = np.array([sample.template in held for sample in used])
    if test.sum() < FEW / 10 or (~test).sum() < FEW / 2:
        return None
    fitted, answers = there[~test], truth[~test]
    size = np.array([(answers == place).sum() for place in range(len(labels))])
    share = np.array([(fitted[answers == place].sum(axis=0) + 1) / (size[place] + 2) for place in range(len(labels))])
    score = (
        there[test] @ np.log(share / (1 - share)).T + np.log(1 - share).sum(axis=1) + np.log((size + 1) / size.sum())
    )
    right = float((score.argmax(axis=1) == truth[test]).mean())
    base = float(np.bincount(truth[test]).max() / test.sum())
    prior = (size + 1) / (size.sum() + len(labels))
    whole = (prior[:, None] * share).sum(axis=0)
    told = (prior[:, None] * (share * np.log(share / whole) + (1 - share) * np.log((1 - share) / (1 - whole)))).sum(
        axis=0
    )
    return right, base, [words[place] for place in np.argsort(-told, kind="stable")[:5]]
