"""Rows with time: each split owns a stretch, and a row belongs to it when its whole window lies inside.

Cuts lie between time blocks, so that a block is never divided, whatever the symbol. What two splits lose at
a cut is the purge before it and the embargo after it: no window of one meets a window of the other.
"""

from itertools import permutations

import numpy as np

from tapewright.errors import ConfigError
from tapewright.streams import stream
from validators.splitting.index import Index
from validators.splitting.plan import Plan
from validators.splitting.window import show_span

MOST_CUTS = 400  # places tried for a cut; more would be finer than a thousandth of the rows
NOWHERE = -1

_EARLIEST, _LATEST = -(2**62), 2**62


def assign_stretches(index: Index, plan: Plan) -> np.ndarray:
    """Which split each dated row goes to; NOWHERE for rows whose window crosses a cut, and for undated ones.

    `time` keeps the splits in their order, `random` draws the order, `group` takes the order that holds the
    strata best. Raises ConfigError when the rows span too little time.
    """
    assigned = np.full(len(index), NOWHERE, dtype=np.int16)
    dated = np.flatnonzero(index.dated)
    if not len(dated):
        return assigned
    count = len(plan.shares)
    if count == 1:
        assigned[dated] = 0
        return assigned
    moments, first, last = index.moment[dated], index.first[dated], index.last[dated]
    places = _places(moments, plan.block_s)
    held = _held(first, last, places)
    orders = list(permutations(range(count)))
    if plan.by == "time":
        orders = orders[:1]
    elif plan.by == "random":
        orders = [orders[stream(plan.seed, "order").below(len(orders))]]
    best: tuple[float, np.ndarray] | None = None
    for order in orders:
        cuts = _choose(held, [plan.shares[number][1] for number in order])
        if cuts is None:
            continue
        edges = [_EARLIEST, *(int(places[cut]) for cut in cuts), _LATEST]
        chosen = np.full(len(dated), NOWHERE, dtype=np.int16)
        for place, number in enumerate(order):
            chosen[(first >= edges[place]) & (last < edges[place + 1])] = number
        miss = strata_miss(chosen, index.stratum[dated], plan.shares) if len(orders) > 1 else 0.0
        if best is None or miss < best[0] - 1e-12:
            best = miss, chosen
    if best is None:
        span, window = int(moments.max() - moments.min()), int((last - first).max())
        raise ConfigError(
            f"rows over {show_span(span)} cannot hold {count} splits whose windows of up to {show_span(window)} do not "
            'meet; give a shorter --purge and --embargo, fewer splits, or --time-column "" to leave time out of it'
        )
    assigned[dated] = best[1]
    return assigned


def block_edges(moments: np.ndarray, block_s: int) -> np.ndarray:
    """Where time may be cut: the beginning of every block that holds a row, but the first."""
    begins = moments // block_s * block_s if block_s else moments
    return np.unique(begins)[1:]


def _places(moments: np.ndarray, block_s: int) -> np.ndarray:
    edges = block_edges(moments, block_s)
    if len(edges) > MOST_CUTS:  # keep those between equal numbers of rows
        ordered = np.sort(moments)
        wanted = ordered[np.linspace(0, len(ordered) - 1, MOST_CUTS).astype(int)]
        edges = np.unique(edges[np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)])
    return edges


def _held(first: np.ndarray, last: np.ndarray, places: np.ndarray) -> np.ndarray:
    """held[a, b]: rows whose window lies from edge a to before edge b; edge 0 is the beginning, the last one the end."""
    size = len(places) + 2
    begins = np.searchsorted(places, first, side="right")  # the last edge at or before the window
    ends = np.searchsorted(places, last, side="right") + 1  # the first edge after it
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (begins, ends), 1)
    return counts[::-1].cumsum(axis=0)[::-1].cumsum(axis=1)


def _choose(held: np.ndarray, shares: list[float]) -> list[int] | None:
    """Indices into the places, one per cut, that bring the kept rows nearest to the shares; None if a split stays empty."""
    size = len(held)
    end = size - 1
    if size < len(shares) + 1:
        return None
    inner = np.arange(1, end)
    if len(shares) == 2:
        kept = [held[0, inner], held[inner, end]]
    else:
        kept = [
            np.broadcast_to(held[0, inner][:, None], (len(inner), len(inner))),
            held[1:end, 1:end],
            np.broadcast_to(held[inner, end][None, :], (len(inner), len(inner))),
        ]
    total = sum(kept)
    off = sum(abs(count / np.maximum(total, 1) - share) for count, share in zip(kept, shares))
    off = np.where(np.minimum.reduce(kept) > 0, off, np.inf)
    place = np.unravel_index(int(np.argmin(off)), off.shape)
    if not np.isfinite(off[place]):
        return None
    return [int(part) for part in place]


def strata_miss(assigned: np.ndarray, stratum: np.ndarray, shares: tuple[tuple[str, float], ...]) -> float:
    """Mean distance between the make-up of each split and that of all rows placed, 0 to 1."""
    placed = assigned != NOWHERE
    width = int(stratum.max(initial=0)) + 1
    whole = np.bincount(stratum[placed], minlength=width) / max(int(placed.sum()), 1)
    misses = []
    for number in range(len(shares)):
        inside = assigned == number
        part = np.bincount(stratum[inside], minlength=width) / max(int(inside.sum()), 1)
        misses.append(float(abs(part - whole).sum()) / 2)
    return sum(misses) / len(misses)


def keep_groups_whole(assigned: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Rows of a group that lies in two splits, all but those in the split that has most of it (the first of equals)."""
    placed = np.flatnonzero(assigned != NOWHERE)
    pairs, counts = np.unique(np.stack([group[placed], assigned[placed].astype(np.int64)]), axis=1, return_counts=True)
    if not len(counts):
        return placed
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    groups, splits = pairs[0][order], pairs[1][order]
    head = np.concatenate([[True], groups[1:] != groups[:-1]])
    home = splits[head][np.searchsorted(groups[head], group[placed])]
    return placed[home != assigned[placed]]
