"""Leaks between the parts of a split under way: which rows must be set aside, and what was counted."""

from collections import Counter

import numpy as np

from tapewright.inputs import Item
from validators.leakage.check import Found, Options, codes, find_leaks
from validators.leakage.families import FAMILY
from validators.leakage.sides import Side, side_of_files
from validators.rules import RULES
from validators.splitting.plan import Plan

# One of a pair of copies must go: the train row where it is the test row's only copy, else the test row.
_PAIRED = ("L001", "L002")


def leaking_rows(
    inputs: list[str], plan: Plan, assigned: np.ndarray, names: tuple[str, ...]
) -> tuple[dict[int, str], Counter[str]]:
    """({row number: reason}, leaks by the name of their kind) between every two parts; families are counted, never removed."""
    sides = [_side(inputs, plan, assigned, number, name) for number, name in enumerate(names)]
    options = Options(block_s=plan.block_s)
    leaking: dict[int, str] = {}
    counted: Counter[str] = Counter({RULES[code].name: 0 for code in codes()})
    for place in range(len(sides) - 1):
        for found in find_leaks(sides[place], sides[place + 1 :], options):
            for code, count in found.counts().items():
                counted[RULES[code].name] += count
            _choose(found, leaking)
    return leaking, counted


def _side(inputs: list[str], plan: Plan, assigned: np.ndarray, number: int, name: str) -> Side:
    def wanted(place: int, item: Item) -> bool:
        return bool(assigned[place] == number)

    return side_of_files(
        name, inputs, shape=plan.shape, wanted=wanted, spans=plan.spans, time_column=plan.time_column,
        group_column=plan.group_column,
    )  # fmt: skip


def _choose(found: Found, leaking: dict[int, str]) -> None:
    for code, leaks in found.leaks.items():
        if code == FAMILY:
            continue
        reason = f"leaks: {RULES[code].name}"
        for leak in leaks:
            if leak.train in leaking or leak.test in leaking and code != "L007":
                continue
            gone = leak.train if code == "L007" or (code in _PAIRED and leak.count == 1) else leak.test
            leaking[gone] = reason
