"""Removing duplicates, whatever the rows: a second run finds nothing, one of each stays, order and workers do not matter."""

import json
import random
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from validators.duplicates import near as near_search
from validators.duplicates.dedup import Terms, dedup, removed_path
from validators.duplicates.normal import normal

WORDS = [a + b for a in ("kar", "lon", "mit", "sel", "vor", "tan", "ruk", "pel") for b in ("a", "em", "is", "ov", "ut", "yn")]  # fmt: skip


def _write(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)


def _read(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def _row(output, instruction="Tell me.", **more):
    return {"instruction": instruction, "input": "", "output": output, **more}


def _sentence(seed, length=40):
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def _changed(text, place, word="otherwise"):
    words = text.split()
    return " ".join([*words[:place], word, *words[place + 1 :]])


def _run(tmp_path, *records, name="out.jsonl", **terms):
    """(result, rows kept, rows removed) of one file."""
    source = _write(tmp_path / "in.jsonl", *records)
    out = tmp_path / name
    result = dedup([source], Terms(**{"most": 1.0, **terms}), output=out)
    assert result.rows == len(records)
    kept, removed = _read(out), _read(removed_path(out))
    assert len(kept) == result.kept and len(kept) + len(removed) == len(records)
    return result, kept, removed


_PIECES = st.lists(st.sampled_from(WORDS[:12]), min_size=1, max_size=30).map(" ".join)


@st.composite
def _families(draw):
    """Rows with copies, near copies and other figures among them."""
    rows = []
    for text in draw(st.lists(_PIECES, min_size=1, max_size=6)):
        for _ in range(draw(st.integers(1, 5))):
            kind = draw(st.integers(0, 3))
            words = text.split()
            if kind == 1:
                words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
            if kind == 2:
                words.append(str(draw(st.integers(1, 4))))
            rows.append(_row(" ".join(words).upper() if kind == 3 else " ".join(words)))
    return draw(st.permutations(rows))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_families(), threshold=st.sampled_from([0.5, 0.7, 0.9]), shuffled=st.randoms(use_true_random=False))
def test_removing_is_idempotent_and_keeps_one_of_each(tmp_path, rows, threshold, shuffled):
    result, kept, removed = _run(tmp_path, *rows, near=threshold)
    again, kept_again, _ = _run(tmp_path, *kept, near=threshold, name="again.jsonl")
    assert kept_again == kept and again.kept == result.kept
    kept_texts = [normal(row["output"]).casefold() for row in kept]
    assert len(set(kept_texts)) == len(kept_texts)
    for case in removed:  # nobody goes without one that stays, and so no cluster is emptied
        assert rows[case["of"]["line"] - 1] in kept and case["likeness"] >= threshold
    shuffled.shuffle(rows)
    other = _run(tmp_path, *rows, near=threshold, name="other.jsonl")[1]
    if len({len(row["output"]) for row in rows}) == len({row["output"] for row in rows}):
        assert {normal(row["output"]).casefold() for row in other} == set(kept_texts)


def test_order_of_rows_does_not_matter_where_ranks_differ(tmp_path):
    rows = []
    for family in range(30):
        text = _sentence(family, 50)
        rows += [_row(_changed(text, place, "x" * (place * 10 + 1))) for place in range(3)]
    kept = {json.dumps(row) for row in _run(tmp_path, *rows)[1]}
    assert len(kept) == 30
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        assert {json.dumps(row) for row in _run(tmp_path, *rows)[1]} == kept


def _template_rows(count, planted, seed=0):
    rng = random.Random(seed)
    frame = "On this chart the entry lies at {} and the stop at {} while the target waits at {} ; the index reads {} after {} bars , volume was {} against {} and the range of the day went from {} to {} with {} trades in {} minutes at {} a lot ."  # fmt: skip
    rows = [_row(frame.format(*(f"{rng.uniform(1, 9e4):.2f}" for _ in range(12)))) for _ in range(count)]
    for _ in range(planted):
        words = rows[rng.randrange(count)]["output"].split()
        place = rng.choice([i for i, word in enumerate(words) if word[0].isdigit()])
        words[place] = f"{rng.uniform(1, 9e4):.2f}"
        rows.append(_row(" ".join(words)))
    return rows


def test_one_template_with_planted_copies(tmp_path):
    rows = _template_rows(1_500, 150)
    result, kept, removed = _run(tmp_path, *rows)
    assert result.common > 10
    assert 145 <= len(removed) <= 150, "each planted row or its source goes, and nothing else does"
    again = _run(tmp_path, *kept, name="again.jsonl")[0]
    assert again.kept == len(kept)


def test_workers_do_not_change_a_byte(tmp_path, monkeypatch):
    rows = (
        _template_rows(2_500, 300) + [_row(_sentence(i)) for i in range(500)] + [_row(_sentence(i)) for i in range(50)]
    )
    source = _write(tmp_path / "in.jsonl", *rows)
    monkeypatch.setattr(near_search, "WORTH_SHARING", 0)
    outputs = []
    for workers in (1, 2, 3):
        out, report = tmp_path / f"{workers}" / "out.jsonl", tmp_path / f"{workers}.jsonl"
        dedup([source], Terms(workers=workers), output=out, report=report)
        outputs.append((out.read_bytes(), removed_path(out).read_bytes(), report.read_bytes()))
        assert not list((out.parent / ".tapewright").glob("*.dedup"))
    assert outputs[0] == outputs[1] == outputs[2]


def test_a_large_cluster_is_thinned_without_comparing_all_pairs(tmp_path):
    text = _sentence(15, 80)
    rows = [_row(_changed(text, 5 + i % 70, f"w{i}")) for i in range(300)] + [_row(_sentence(i, 60)) for i in range(100, 700)]  # fmt: skip
    result, kept, removed = _run(tmp_path, *rows, remove=("exact", "near"))
    left = [row for row in kept if row["output"].startswith(text[:20])]
    assert len(left) + len(removed) == 300
    again = _run(tmp_path, *kept, name="again.jsonl")[0]
    assert again.kept == result.kept


def _random_rows(seed):
    """Families of rows in which every text has a length of its own, so that ranks differ."""
    rng, rows = random.Random(seed), []
    for family in range(rng.randint(5, 40)):
        text = _sentence(f"{seed} {family}", rng.randint(3, 60))
        for _ in range(rng.randint(1, 6)):
            words = text.split()
            for _ in range(rng.randint(0, 3)):
                words[rng.randrange(len(words))] = rng.choice(WORDS)
            rows.append(_row(f"{' '.join(words)} {'z' * (len(rows) + 1)}" if rng.random() < 0.8 else text))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_neither_workers_nor_rounds_change_what_goes(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(near_search, "WORTH_SHARING", 0)
    source = _write(tmp_path / "in.jsonl", *_random_rows(seed))
    written = set()
    for workers in (1, 2):
        out = tmp_path / f"{workers}" / "out.jsonl"
        dedup([source], Terms(near=0.5, workers=workers, most=1.0), output=out)
        written.add((out.read_bytes(), removed_path(out).read_bytes()))
    assert len(written) == 1
    again = tmp_path / "again.jsonl"
    assert not sum(part.removed.total() for part in dedup([str(out)], Terms(near=0.5), output=again).sources)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_files_does_not_change_what_stays(tmp_path, seed):
    texts = {row["output"]: row for row in _random_rows(100 + seed)}
    rows = list({len(text): row for text, row in texts.items()}.values())  # no two of one rank
    random.Random(seed).shuffle(rows)
    names = [_write(tmp_path / f"{part}.jsonl", *rows[part::3]) for part in range(3)]
    kept = set()
    for number, order in enumerate(permutations(names)):
        out = tmp_path / f"out-{number}.jsonl"
        dedup(list(order), Terms(near=0.5, keep="longest", most=1.0), output=out)
        kept.add("\n".join(sorted(out.read_text().splitlines())))
    assert len(kept) == 1
