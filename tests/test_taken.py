"""What a run remembers of its rows: every shared run of words is noticed, in a few bytes each, across a restart."""

import random

import numpy as np
import pytest

from generators.runs import RunTable
from generators.taken import RUN, Taken
from tapewright.rows import Row


def _words(rng, count):
    return " ".join("".join(rng.choices("abcdefghij", k=5)) for _ in range(count))


def _row(instruction, data="", output=""):
    return Row(instruction, data, output, "task", "family")


def _meta():
    return {"identities": [], "said": []}


def test_table_counts_like_a_dictionary():
    rng, table, known = random.Random(3), RunTable(), {}
    for _ in range(400):
        drawn = [
            rng.getrandbits(64) if rng.random() < 0.7 else rng.randrange(200) << 40 for _ in range(rng.randrange(60))
        ]
        keys, owner = RunTable.keys(np.array(drawn, dtype=np.uint64)), rng.randrange(4)
        owners, counts = table.get(keys)
        for key, first, count in zip(keys.tolist(), owners.tolist(), counts.tolist()):
            assert count == min(known.get(key, (0, 0))[1], 3)
            assert not count or first == known[key][0]
        table.add(keys, owner)
        for key in keys.tolist():
            first, count = known.get(key, (owner, 0))
            known[key] = first, count + 1
    assert table.size == len(known)
    with pytest.raises(ValueError, match="owner 16"):
        table.add(keys, 16)


def test_a_shared_run_is_noticed_wherever_it_stands():
    rng, taken, shared = random.Random(1), Taken(apart=True), _words(random.Random(2), RUN)
    taken.add(_row(f"{_words(rng, 30)} {shared} {_words(rng, 3)}"), "train", _meta())
    for place in range(0, 60, 7):
        words = _words(rng, 60).split()
        row = _row(" ".join([*words[:place], shared, *words[place:]]))
        assert taken.clashes(row, "test") == 1
        assert taken.clashes(row, "train") == 0
    assert taken.clashes(_row(" ".join([*words, *shared.split()[1:]])), "test") == 0
    taken.add(row, "train", _meta())
    taken.add(_row(f"{shared} {_words(rng, 4)}"), "val", _meta())
    assert taken.clashes(_row(f"{shared} {_words(rng, 5)}"), "test") == 0  # said three times: wording


def test_rows_with_a_time_and_runs_without_splits_are_not_held_apart():
    row = _row(_words(random.Random(4), 40))
    for apart, moment in ((True, "2024-01-01 00:00 UTC"), (False, "")):
        taken, meta = Taken(apart), _meta()
        row.as_of = moment
        taken.add(row, "train", meta)
        assert (taken.clashes(row, "test"), meta["said"], len(taken.rows)) == (0, [], 1)


def test_a_restart_knows_the_same():
    rng, taken, meta = random.Random(5), Taken(apart=True), _meta()
    rows = [_row(_words(rng, 20), f"{_words(rng, 9)}. {_words(rng, 6)}.", _words(rng, 30)) for _ in range(50)]
    for number, row in enumerate(rows):
        taken.add(row, ("train", "val", "test")[number % 3], meta)
    again = Taken(apart=True)
    again.restore(meta)
    for row in rows:
        for split in ("train", "val", "test"):
            assert again.clashes(row, split) == taken.clashes(row, split)
    assert again.rows == taken.rows
