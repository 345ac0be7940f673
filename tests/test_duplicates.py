"""Duplicates: what is found, what stays, and that neither depends on workers, on order or on a second run."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapewright.errors import ConfigError, FileError
from tapewright.inputs import parse, read_items
from tapewright.shapes import from_record
from validators.duplicates.candidates import plan_bands
from validators.duplicates.dedup import Terms, dedup, removed_path
from validators.duplicates.normal import normal
from validators.duplicates.rules import Duplicates
from validators.duplicates.shingles import shingle
from validators.duplicates.spans import differing_spans
from validators.rules import RULES

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data" / "text"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the public datasets are not beside the checkout")
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


# --- one text, many spellings ----------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_normal_text_is_normal(text):
    once = normal(text)
    assert normal(once) == once and "\n" not in once and "  " not in once


def test_spellings_of_one_text():
    same = {normal(text).casefold() for text in ("“Don’t” – ﬁne…", '"don\'t"  -\tfine...', '"DON\'T" - fine...\u200b')}
    assert len(same) == 1
    assert normal("1.5") != normal("15") and normal("a b") != normal("ab")
    assert len(normal("x" * 100_000)) < 40


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([*WORDS, "é", "Ärger", "3.5", "-7,", "“x”"]), max_size=9).map(" ".join), max_size=8
    )
)
def test_shingles_are_word_triples(texts):
    texts = [normal(text) for text in texts]
    made = shingle(texts)
    ends = np.cumsum(made.shingle_counts)
    seen = {}
    for text, end, count in zip(texts, ends, made.shingle_counts, strict=True):
        words = text.lower().split()
        triples = [tuple(words[i : i + 3]) for i in range(len(words) - 2)] or ([tuple(words)] if words else [])
        values = made.shingles[end - count : end].tolist()
        assert len(values) == len(triples)
        for triple, value in zip(triples, values, strict=True):
            assert seen.setdefault(triple, value) == value
    assert len(set(seen.values())) == len(seen)


def test_numbers_and_names_are_masked():
    def twin(text):
        return shingle([normal(text)]).twins[0]

    assert twin("Buy Apple at 5.") == twin("Buy Tesla Motors at 7.25.")
    assert twin("Buy Apple at 5.") != twin("Sell Apple at 5.")
    numbers = shingle(["Stop at 5.5, not (5.50)!"]).numbers
    assert numbers[0] == shingle(["5.5"]).numbers[0] and numbers[0] != numbers[1]


def test_bands_meet_their_recall():
    for tenths in range(3, 11):
        bands, length = plan_bands(tenths / 10)
        assert bands * length <= 128
        assert tenths < 4 or 1 - (1 - (tenths / 10) ** length) ** bands >= 0.99


# --- every kind ------------------------------------------------------------------------------------


def test_exact_copies_in_any_spelling(tmp_path):
    rows = [_row("An apple, it’s fine."), _row("AN  APPLE, it's fine."), _row("A pear.")]
    result, kept, removed = _run(tmp_path, *rows)
    assert len(kept) == 2 and result.sources[0].removed == {"exact": 1}
    assert removed[0]["of"]["line"] in (1, 2) and removed[0]["likeness"] == 1.0
    assert json.loads(removed[0]["row"]) in rows


def test_near_copy_with_its_evidence(tmp_path):
    text = _sentence(1)
    _, kept, removed = _run(tmp_path, _row(text, id="a"), _row(_changed(text, 20), id="b"), _row(_sentence(2), id="c"))
    assert [row["id"] for row in kept] in (["a", "c"], ["b", "c"])
    (case,) = removed
    assert case["kind"] == "near" and {case["id"], case["of"]["id"]} == {"a", "b"}
    assert case["likeness"] == pytest.approx(37 / 43, abs=1e-4) and case["numbers"] == 1.0
    assert "otherwise" in json.dumps(case["spans"]) and len(case["spans"]) == 1


def test_same_sentence_with_other_figures_is_another_row(tmp_path):
    wording = _sentence(3, 60)
    rows = [_row(f"{wording} entry {i * 7}.5 and stop {i * 3 + 1}.25") for i in range(1, 40)]
    result, kept, _ = _run(tmp_path, *rows)
    assert len(kept) == len(rows) and result.left["twin"] == len(rows) - 1
    result, kept, removed = _run(tmp_path, *rows, remove=("exact", "near", "twin"))
    assert len(kept) == 1 and {case["kind"] for case in removed} == {"twin"}


def test_long_instruction_with_short_inputs(tmp_path):
    """Rows that share a long instruction differ in what they ask about, however little that is."""
    prompt = _sentence(4, 150)
    rows = [_row("ok", f"{prompt} {_sentence(100 + i, 24)}") for i in range(120)]
    copy = _row("ok", f"{prompt} {_changed(_sentence(100, 24), 23)}")
    result, kept, removed = _run(tmp_path, *rows, copy)
    assert result.common > 100
    assert len(kept) == len(rows) and len(removed) == 1 and removed[0]["kind"] == "near"


def test_conflicts_are_told_and_removed_when_asked(tmp_path):
    rows = [_row("negative", "Sales fell?"), _row("positive", "Sales fell?"), _row("positive", "Sales rose?")]
    result, kept, _ = _run(tmp_path, *rows)
    assert len(kept) == 3 and result.left["conflict"] == 1
    result, kept, removed = _run(tmp_path, *rows, remove=("exact", "near", "conflict"))
    assert len(kept) == 2 and removed[0]["kind"] == "conflict"
    question = _sentence(5, 60)
    result, kept, _ = _run(tmp_path, _row("positive", question), _row("negative", question))
    assert len(kept) == 2, "near in text, but the labels contradict each other"


def test_swapped_pairs_contradict(tmp_path):
    a, b = _sentence(6), _sentence(7)
    pairs = [{"prompt": "Pick.", "chosen": a, "rejected": b}, {"prompt": "Pick.", "chosen": b, "rejected": a}]
    result, kept, _ = _run(tmp_path, *pairs, {"prompt": "Pick.", "chosen": _sentence(8), "rejected": b})
    assert len(kept) == 3 and result.left["conflict"] == 1


def test_labels_of_texts_and_ratings(tmp_path):
    result, kept, _ = _run(
        tmp_path, {"text": "Up.", "label": 1}, {"text": "up.", "label": 0}, {"text": "UP.", "label": 1}
    )
    assert len(kept) == 2 and result.left["conflict"] == 1
    result, kept, _ = _run(tmp_path, *({"prompt": "p", "completion": "c", "label": x} for x in (True, False, True)))
    assert len(kept) == 2 and result.left["conflict"] == 1
    talk = [{"from": "human", "value": "Add one."}, {"from": "gpt", "value": "Done."}]
    tools = [{"conversations": talk, "tools": [{"name": name}]} for name in ("add", "sum", "add")]
    assert len(_run(tmp_path, *tools)[1]) == 2


def test_repeated_ids(tmp_path):
    rows = [_row("One apple.", id="x"), _row("Two pears.", id="x"), _row("Three plums.", id="y")]
    result, kept, _ = _run(tmp_path, *rows)
    assert len(kept) == 3 and result.left["id"] == 1
    _, kept, removed = _run(tmp_path, *rows, remove=("exact", "id"))
    assert len(kept) == 2 and removed[0]["kind"] == "id"


def test_chosen_fields(tmp_path):
    rows = [_row("One.", "Name a fruit.", source="s1"), _row("Two.", "Name a fruit.", source="s2"), _row("Two.", "B", source="s2")]  # fmt: skip
    assert len(_run(tmp_path, *rows, fields=("instruction",))[1]) == 2
    assert len(_run(tmp_path, *rows, fields=("output", "source"))[1]) == 2
    with pytest.raises(ConfigError, match="instrucion"):
        _run(tmp_path, *rows, fields=("output", "instrucion"))
    with pytest.raises(ConfigError, match="rejected"):
        _run(tmp_path, *rows, fields=("rejected",))


# --- what stays ------------------------------------------------------------------------------------


def test_best_of_a_pair(tmp_path):
    text = _sentence(9)
    better, worse = _row(text), _row(_changed(text, 3, "{{placeholder}}") + " and more")
    for rows in ((better, worse), (worse, better)):
        assert _run(tmp_path, *rows)[1] == [better]
        assert _run(tmp_path, *rows, keep="longest")[1] == [worse]
        assert _run(tmp_path, *rows, keep="first")[1] == [rows[0]]


def test_no_chains(tmp_path):
    """Each of a row of texts is near the next only: none may go for the sake of one that went itself."""
    words = _sentence(10, 100).split()
    rows = []
    for step in range(12):
        changed = [*words]
        changed[: step * 4] = [f"new{i}" for i in range(step * 4)]
        rows.append(_row(" ".join(changed)))
    _, kept, removed = _run(tmp_path, *rows, near=0.85)
    stays = {row["output"] for row in kept}
    assert 3 <= len(kept) < len(rows)
    for case in removed:
        assert rows[case["of"]["line"] - 1]["output"] in stays and case["likeness"] >= 0.85


def test_copies_of_a_row_that_goes_point_to_the_one_that_stays(tmp_path):
    text = _sentence(11)
    rows = [_row(text), _row(text.upper()), _row(_changed(text, 4) + " longer than before")]
    _, kept, removed = _run(tmp_path, *rows)
    assert kept == [rows[2]] and [case["of"]["line"] for case in removed] == [3, 3]
    assert [case["kind"] for case in removed] == ["near", "near"]


def test_against_references(tmp_path):
    text = _sentence(12)
    source = _write(tmp_path / "train.jsonl", _row(text + " a longer one"), _row(_sentence(13)), _row(_sentence(14)))
    test = _write(tmp_path / "test.jsonl", _row(text), _row(text), _row(_sentence(14).upper()))
    out = tmp_path / "out.jsonl"
    result = dedup([source], Terms(most=1.0), output=out, references=[test])
    assert _read(out) == [_row(_sentence(13))]
    assert [source.name for source in result.sources] == [source] and result.rows == 3
    assert {case["of"]["source"] for case in _read(removed_path(out))} == {test}


def test_too_much_is_not_written(tmp_path):
    source, out = _write(tmp_path / "in.jsonl", *[_row("Same.")] * 9, _row("Other.")), tmp_path / "out.jsonl"
    report = tmp_path / "pairs.jsonl"
    result = dedup([source], Terms(), output=out, report=report)
    assert "80%" in result.refused and not out.exists() and sum(case["removed"] for case in _read(report)) == 8
    assert not dedup([source], Terms(force=True), output=out).refused
    assert len(_read(out)) == 2


def test_rows_that_cannot_be_read_are_put_aside(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        b'{"instruction": "a", "output": "b"}\n{broken\n[1, 2]\n{"strange": 1}\n{"strange": 1}\n"text"\n'
    )
    out = tmp_path / "out.jsonl"
    result = dedup([str(source)], Terms(), output=out)
    assert (result.rows, result.kept) == (6, 4)
    assert [case["kind"] for case in _read(removed_path(out))] == ["unreadable", "exact"]


def test_kept_lines_are_not_touched(tmp_path):
    line = '{"output" : "caf\\u00e9",  "instruction":"a"}'
    (tmp_path / "in.jsonl").write_text(line + "\n" + line + "\n\n", encoding="utf-8")
    dedup([str(tmp_path / "in.jsonl")], Terms(), output=tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == line + "\n"
    (tmp_path / "in.json").write_text("[" + line + ',\n {\n"text":\n1.50}]', encoding="utf-8")
    dedup([str(tmp_path / "in.json")], Terms(), output=tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == line + '\n{"text":1.5}\n'


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_packed_in_and_out(tmp_path, suffix):
    source = _write(tmp_path / "in.jsonl", _row("One."), _row("Two."), _row("one."))
    dedup([source], Terms(), output=tmp_path / f"a{suffix}")
    again = dedup([str(tmp_path / f"a{suffix}")], Terms(), output=tmp_path / "b.jsonl")
    assert again.rows == again.kept == 2
    assert [item.record["output"] for item in read_items(str(tmp_path / "b.jsonl"))] == ["One.", "Two."]


# --- a run that is cut off -------------------------------------------------------------------------


def test_interrupted_run_goes_on(tmp_path):
    source = _write(tmp_path / "in.jsonl", *({"instruction": f"Say {i}.", "output": _sentence(i, 60)} for i in range(60_000)))  # fmt: skip
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "cli.py", "dedup", source, "-o", str(out), "-j", "2", "--keep", "first"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
    folder = tmp_path / ".tapewright" / "out.jsonl.dedup"
    deadline = time.monotonic() + 60
    marks = folder / "shingles.bin"
    while time.monotonic() < deadline and not (marks.exists() and marks.stat().st_size > 1_000_000):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert b"Traceback" not in told and b"interrupted" in told
    state = json.loads((folder / "state.json").read_bytes())
    assert state["rows"] > 0 and not out.exists()
    result = dedup([source], Terms(keep="first"), output=out)
    assert result.rows == 60_000 and not folder.exists()
    fresh = tmp_path / "fresh" / "out.jsonl"
    dedup([source], Terms(keep="first"), output=fresh)
    assert fresh.read_bytes() == out.read_bytes()


# --- the command line ------------------------------------------------------------------------------


def _cli(*arguments):
    return subprocess.run([sys.executable, "cli.py", "dedup", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_command_line(tmp_path):
    source = _write(tmp_path / "in.jsonl", _row("One."), _row("one."), _row("Two."))
    done = _cli(source, "--dry-run")
    assert done.returncode == 0 and "3 rows in = 2 kept + 1 removed + 0 unreadable" in done.stderr and not done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]
    done = _cli(source, "-o", str(tmp_path / "out.jsonl"), "--max-removed", "0.1")
    assert done.returncode == 1 and "33%" in done.stderr and not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("{source}",), "--output"),
        (("{source}", "-o", "{source}"), "also an input"),
        (("{source}", "-o", "x.jsonl", "--near", "1.2"), "near"),
        (("{source}", "-o", "x.jsonl", "--remove", "nears"), "nears"),
        (("-", "-o", "x.jsonl"), "stdin"),
        (("nothing.jsonl", "-o", "x.jsonl"), "nothing.jsonl"),
        (("{source}", "-o", "x.doc"), "x.doc"),
        (("{source}", "--dry-run", "--against", "nothing"), "nothing"),
        (("{source}", "--dry-run", "--shape", "oval"), "oval"),
        (("{source}", "--dry-run", "-j", "-1"), "workers"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, arguments, told):
    source = _write(tmp_path / "in.jsonl", _row("One."))
    done = _cli(*(argument.format(source=source) for argument in arguments))
    assert done.returncode == 2 and told in done.stderr
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1


def test_no_room_to_write(tmp_path):
    source = _write(tmp_path / "in.jsonl", _row("One."))
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError):
        dedup([source], Terms(), output=tmp_path / "file" / "out.jsonl")


# --- rules -----------------------------------------------------------------------------------------


def _found(text, parts=1):
    rows = [from_record(parse("x", n, line.encode()).record) for n, line in enumerate(text.splitlines(), 1)]
    counters = [Duplicates() for _ in range(parts)]
    size = -(-len(rows) // parts)
    for number, row in enumerate(rows):
        counters[number // size].add(row, number + 1, None)
    whole = Duplicates()
    for part in counters:
        whole.merge(pickle.loads(pickle.dumps(part)))
    return list(whole.finish())


@pytest.mark.parametrize("code", ["D001", "D002", "D003", "D004"])
def test_rules_catch_bad_and_pass_good(code):
    entry = RULES[code]
    found = _found(entry.bad)
    assert code in {finding.code for finding in found}
    assert {finding.severity for finding in found if finding.code == code} == {entry.severity}
    assert _found(entry.good) == []
    assert _found(entry.bad, 2) == found


def test_counter_without_merging():
    alone = Duplicates()
    for line in (1, 2):
        alone.add(from_record(_row("One.")), line, None)
    assert [(finding.code, finding.line, finding.message) for finding in alone.finish()] == [
        ("D001", 2, "says what line 1 says")
    ]
    assert list(Duplicates().finish()) == []


# --- real and generated data -----------------------------------------------------------------------


@needs_shared
def test_known_copies_of_a_public_demo(tmp_path):
    source = SHARED / "llamafactory_demo" / "alpaca_en_demo.json"
    result = dedup([str(source)], Terms(), output=tmp_path / "out.jsonl")
    assert result.sources[0].removed == {"exact": 14}


@needs_shared
def test_nothing_invented_in_alpaca():
    result = dedup([str(SHARED / "alpaca" / "random_9k.json")], Terms())
    assert not result.sources[0].removed


@pytest.mark.slow
def test_seeds_share_no_row(tmp_path):
    from generators.command import run_generate  # noqa: F401  the command below is what users run

    names = []
    for seed in (42, 999, 777):
        out = tmp_path / f"{seed}.jsonl"
        command = [sys.executable, "cli.py", "generate", "-n", "2000", "--seed", str(seed), "-o", str(out), "-j", "2"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        names.append(str(out))
    result = dedup(names, Terms(keep="first"))
    removed = sum((source.removed for source in result.sources), start=result.sources[0].removed - result.sources[0].removed)  # fmt: skip
    assert removed["exact"] == 0 and removed["near"] < 6


def test_spans():
    assert differing_spans("a B c d", "a b X d e") == [{"kept": "c", "removed": "X"}, {"kept": "", "removed": "e"}]
    assert differing_spans("same words", "Same WORDS") == []
    assert len(json.dumps(differing_spans("x " * 5_000, "y " * 5_000))) < 1_000
