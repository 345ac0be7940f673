"""Rows without time: whole groups are dealt to the splits so that shares come out and strata are held.

A row without a group is a group of its own content, so that copies stay together. Large groups are dealt
first, since small ones can still mend what they leave; the order does not depend on the order of the rows.
"""

import numpy as np

from validators.splitting.index import Index, digest

Shares = tuple[tuple[str, float], ...]


def deal_groups(index: Index, rows: np.ndarray, shares: Shares, *, drawn: int | None = None) -> np.ndarray:
    """The split of each of `rows` (row numbers); `drawn` is a seed where the order of the groups is to be drawn."""
    names, of_row = np.unique(index.group[rows], return_inverse=True)
    order = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[order], np.arange(len(names) + 1))
    sizes = np.diff(starts)
    strata = index.stratum[rows]
    if drawn is None:
        turns = np.lexsort((names, -sizes))
    else:
        turns = np.argsort([digest(drawn, name) for name in names.tolist()], kind="stable")
    totals = np.bincount(strata, minlength=len(index.strata)).astype(float)
    portion = np.array([share for _, share in shares])
    missing = portion[:, None] * totals[None, :]  # rows each split still lacks, per stratum
    weight = 1.0 / np.maximum(totals, 1.0)
    lacking = missing.sum(axis=1)
    home = np.empty(len(names), dtype=np.int16)
    for turn in turns[sizes[turns] > 1].tolist():
        members = strata[order[starts[turn] : starts[turn + 1]]]
        found, counts = np.unique(members, return_counts=True)
        gain = ((2 * missing[:, found] - counts) * counts * weight[found]).sum(axis=1) / len(members)
        ties = np.flatnonzero(gain >= gain.max() - 1e-9)
        home[turn] = chosen = int(ties[np.argmax(lacking[ties] / portion[ties])])
        missing[chosen, found] -= counts
        lacking[chosen] -= len(members)
    singles = turns[sizes[turns] == 1]
    _deal_singles(singles, strata[order[starts[singles]]], missing, lacking, portion, home)
    return home[of_row]


def _deal_singles(
    singles: np.ndarray,
    strata: np.ndarray,
    missing: np.ndarray,
    lacking: np.ndarray,
    portion: np.ndarray,
    home: np.ndarray,
) -> None:
    """Groups of one row fill what each split lacks of their stratum; what is left over goes where most is lacking."""
    for stratum in np.unique(strata).tolist():
        here = singles[strata == stratum]
        wanted = np.maximum(missing[:, stratum], 0.0)
        wanted *= len(here) / max(wanted.sum(), 1e-12)
        counts = np.floor(wanted + 1e-9).astype(int)
        lacking -= counts
        for _ in range(len(here) - int(counts.sum())):
            chosen = int(np.argmax(lacking / portion))
            counts[chosen] += 1
            lacking[chosen] -= 1.0
        home[here] = np.repeat(np.arange(len(portion), dtype=np.int16), counts)
