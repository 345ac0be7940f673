"""Purged cross-validation: stretches of time take turns as the test, and train keeps clear of their windows.

With `test_folds` of more than one it is combinatorial: every choice of that many stretches is a test once
(López de Prado, Advances in Financial Machine Learning, 2018, chapters 7 and 12). A train row goes when its
window meets that of a test stretch, before it or after it, so purge and embargo hold on both sides; test
rows are never dropped for time.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tapewright.errors import ConfigError
from validators.splitting.deal import deal_groups
from validators.splitting.index import Index
from validators.splitting.plan import Plan
from validators.splitting.stretches import NOWHERE, block_edges

TRAIN, TEST = 0, 1


def assign_folds(index: Index, plan: Plan, rows: np.ndarray) -> np.ndarray:
    """The fold of each row; dated rows by stretches of equal size, the others by whole groups. NOWHERE outside `rows`."""
    fold = np.full(len(index), NOWHERE, dtype=np.int16)
    dated = rows[index.dated[rows]]
    if len(dated):
        moments = index.moment[dated]
        edges = block_edges(moments, plan.block_s)
        ordered = np.sort(moments)
        wanted = ordered[np.arange(1, plan.folds) * len(ordered) // plan.folds]
        cuts = np.unique(_nearest(edges, ordered, wanted)) if len(edges) else edges
        if len(cuts) < plan.folds - 1:
            raise ConfigError(
                f"the rows lie in too few blocks of time for {plan.folds} folds; ask for fewer, or a shorter --block"
            )
        fold[dated] = np.searchsorted(cuts, moments, side="right")
    others = rows[~index.dated[rows]]
    if len(others):
        shares = tuple((str(number), 1 / plan.folds) for number in range(plan.folds))
        drawn = plan.seed if plan.by == "random" else None
        fold[others] = deal_groups(index, others, shares, drawn=drawn)
    return fold


def _nearest(edges: np.ndarray, ordered: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The edges that leave the number of rows before them nearest to that before each wanted moment."""
    after = np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)
    before = np.maximum(after - 1, 0)
    goal = np.searchsorted(ordered, wanted)
    near_before = abs(np.searchsorted(ordered, edges[before]) - goal) < abs(
        np.searchsorted(ordered, edges[after]) - goal
    )
    return np.where(near_before, edges[before], edges[after])


def pairs_of_folds(index: Index, plan: Plan, fold: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, assignment to TRAIN, TEST or NOWHERE, the purged rows) for each choice of test folds."""
    hulls = {}
    for number in range(plan.folds):
        inside = (fold == number) & index.dated
        if inside.any():
            hulls[number] = int(index.first[inside].min()), int(index.last[inside].max())
    for chosen in combinations(range(plan.folds), plan.test_folds):
        testing = np.isin(fold, chosen)
        met = np.zeros(len(index), dtype=bool)
        for number in chosen:
            if number in hulls:
                first, last = hulls[number]
                met |= (index.last >= first) & (index.first <= last)
        assigned = np.where(testing, TEST, TRAIN).astype(np.int16)
        purged = ~testing & (fold != NOWHERE) & index.dated & met
        assigned[purged | (fold == NOWHERE)] = NOWHERE
        yield "fold" + "+".join(str(number + 1) for number in chosen), assigned, np.flatnonzero(purged)
