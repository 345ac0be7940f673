"""Rows that are no copies but still trouble each other: one question with two answers, one id twice, template twins."""

from collections.abc import Callable

import numpy as np

from validators.duplicates.candidates import group
from validators.duplicates.words import mix

Column = Callable[[str], np.ndarray]  # loads a column of the marks
Pairs = tuple[np.ndarray, np.ndarray]  # rows, and the earlier row each is set against


def conflicts(column: Column, rows: np.ndarray) -> Pairs:
    """Rows that answer a question otherwise than the first row that asks it, and pairs that choose the reverse.

    Several pairs over one prompt are usual; only an answer chosen here and rejected there is a contradiction.
    """
    prompt, answer, refused = column("prompt"), column("answer"), column("refused")
    asked = rows[(prompt[rows] != 0) & (answer[rows] != 0)]
    single, paired = asked[refused[asked] == 0], asked[refused[asked] != 0]
    later, first = _against_first(prompt, single)
    differ = answer[later] != answer[first]
    swapped_later, swapped_first = _reversed(prompt, answer, refused, paired)
    return np.concatenate((later[differ], swapped_later)), np.concatenate((first[differ], swapped_first))


def label_conflicts(column: Column, rows: np.ndarray) -> Pairs:
    """`conflicts` where one of the answers is a label, or a pair chooses the reverse of another: one must be wrong."""
    later, first = conflicts(column, rows)
    label, refused = column("label"), column("refused")
    sure = ((label[later] != 0) & (label[first] != 0)) | (refused[later] != 0)
    return later[sure], first[sure]


def same_id(column: Column, rows: np.ndarray) -> Pairs:
    """Rows with the id of an earlier row."""
    ids = column("id")
    return _against_first(ids, rows[ids[rows] != 0])


def twins(column: Column, rows: np.ndarray) -> Pairs:
    """Rows that read as an earlier row does once numbers and names are masked."""
    keys = column("twin")
    return _against_first(keys, rows[keys[rows] != 0])


def _against_first(keys: np.ndarray, rows: np.ndarray) -> Pairs:
    shared, bounds = group(keys, rows)
    sizes = np.diff(bounds)
    first = np.repeat(shared[bounds[:-1]], sizes)
    later = shared != first
    order = np.argsort(shared[later], kind="stable")
    return shared[later][order], first[later][order]


def _reversed(prompt: np.ndarray, answer: np.ndarray, refused: np.ndarray, rows: np.ndarray) -> Pairs:
    """Pairs whose chosen answer another pair over the prompt rejects, with the first such pair."""
    nothing = np.zeros(0, dtype=np.int64)
    rows = rows[answer[rows] != refused[rows]]
    if not len(rows):
        return nothing, nothing
    chosen, rejected = mix(prompt[rows] + mix(answer[rows])), mix(prompt[rows] + mix(refused[rows]))
    order = np.argsort(rejected, kind="stable")
    places = np.searchsorted(rejected[order], chosen)
    places[places == len(rows)] = 0
    partner = rows[order[places]]
    found = (rejected[order[places]] == chosen) & (partner != rows)
    later, first = np.maximum(rows, partner)[found], np.minimum(rows, partner)[found]
    later, index = np.unique(later, return_index=True)
    return later, first[index]
