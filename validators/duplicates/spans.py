"""Where two texts differ, in words: the evidence that goes with a pair."""

from difflib import SequenceMatcher

LONGEST = 600  # words compared one by one; of longer stretches only the ends are cut off
SHOWN = 200  # characters of a span


def differing_spans(kept: str, removed: str) -> list[dict[str, str]]:
    """Each place where the texts differ: the words of the one and of the other."""
    a, b = kept.split(), removed.split()
    low_a, low_b = kept.casefold().split(), removed.casefold().split()
    if len(low_a) != len(a) or len(low_b) != len(b):
        a, b = low_a, low_b
    start = 0
    while start < min(len(a), len(b)) and low_a[start] == low_b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and low_a[-1 - end] == low_b[-1 - end]:
        end += 1
    middle_a, middle_b = low_a[start : len(a) - end], low_b[start : len(b) - end]
    if (
        min(len(middle_a), len(middle_b)) == 0
        or len(middle_a) == len(middle_b) == 1
        or len(middle_a) * len(middle_b) > LONGEST**2
    ):
        places = [(0, len(middle_a), 0, len(middle_b))]
    elif (runs := _in_place(middle_a, middle_b)) is not None:
        places = runs
    else:
        steps = SequenceMatcher(None, middle_a, middle_b, autojunk=False).get_opcodes()
        places = [place for tag, *place in steps if tag != "equal"]
    return [
        {"kept": _cut(a[start + i : start + j]), "removed": _cut(b[start + k : start + l])}
        for i, j, k, l in places
        if j > i or l > k
    ]


def _in_place(a: list[str], b: list[str]) -> list[tuple[int, int, int, int]] | None:
    """Where two texts of the same length differ word by word, unless in more than a quarter of the words."""
    if len(a) != len(b):
        return None
    differ = [place for place, (x, y) in enumerate(zip(a, b)) if x != y]
    if 4 * len(differ) > len(a):
        return None
    runs: list[tuple[int, int, int, int]] = []
    for place in differ:
        first = runs.pop()[0] if runs and runs[-1][1] == place else place
        runs.append((first, place + 1, first, place + 1))
    return runs


def _cut(words: list[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
