"""Blends by share, and two versions of a dataset compared."""

import json

import pytest

import cli
from converters.compare import compare
from converters.mix import mix
from tapewright.errors import ConfigError, FileError


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def _rows(word, count):
    return [{"instruction": f"{word} {i}", "input": "", "output": f"answer {i}"} for i in range(count)]


@pytest.fixture
def pair(tmp_path):
    return _write(tmp_path / "a.jsonl", _rows("ours", 500)), _write(tmp_path / "b.jsonl", _rows("theirs", 300))


def test_a_blend_holds_its_shares_in_every_prefix(pair, tmp_path):
    sources, sha256 = mix([(pair[0], 0.8), (pair[1], 0.2)], tmp_path / "o.jsonl", size=400, seed=3)
    rows = [json.loads(line)["instruction"] for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert len(rows) == len(set(rows)) == 400 and [source.taken for source in sources] == [320, 80]
    for end in range(10, 400, 10):
        assert abs(sum(row.startswith("ours") for row in rows[:end]) - 0.8 * end) <= 1
    again = mix([(pair[0], 0.8), (pair[1], 0.2)], tmp_path / "p.jsonl", size=400, seed=3)
    other = mix([(pair[0], 0.8), (pair[1], 0.2)], tmp_path / "q.jsonl", size=400, seed=4)
    assert again[1] == sha256 != other[1]


def test_without_a_size_the_shares_decide(pair, tmp_path):
    sources, _ = mix([(pair[0], 0.5), (pair[1], 0.5)], tmp_path / "o.jsonl")
    assert [source.taken for source in sources] == [300, 300]


def test_a_blend_that_cannot_be_is_refused(pair, tmp_path):
    output = tmp_path / "o.jsonl"
    with pytest.raises(ConfigError, match="300 rows, and 400"):
        mix([(pair[0], 0.5), (pair[1], 0.5)], output, size=800)
    with pytest.raises(ConfigError, match="add up"):
        mix([(pair[0], 0.5), (pair[1], 0.4)], output)
    with pytest.raises(ConfigError, match="twice"):
        mix([(pair[0], 0.5), (pair[0], 0.5)], output)
    chat = _write(tmp_path / "c.jsonl", [{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}])  # fmt: skip
    with pytest.raises(ConfigError, match="different shapes"):
        mix([(pair[0], 0.5), (chat, 0.5)], output)
    (tmp_path / "d.jsonl").write_text('{"instruction": "x"')
    with pytest.raises(FileError, match="d.jsonl:1"):
        mix([(pair[0], 0.5), (str(tmp_path / "d.jsonl"), 0.5)], output)
    assert not output.exists()


def test_rows_are_known_by_what_they_say(tmp_path):
    old = [{"id": f"r{i}", **row} for i, row in enumerate(_rows("x", 6))]
    new = [dict(row) for row in old[::-1]]  # another order
    new[0]["output"] = "another"  # r5 changed
    del new[3]  # r2 went
    new.append({"id": "r9", "instruction": "fresh", "input": "", "output": "row"})
    found = compare(_write(tmp_path / "old.jsonl", old), _write(tmp_path / "new.jsonl", new))
    assert found.same == 4 and found.removed == [3] and found.added == [6] and found.changed == [(6, 1, "r5")]
    shaped = [{"question": row["instruction"], "answer": row["output"]} for row in old]
    assert compare(str(tmp_path / "old.jsonl"), _write(tmp_path / "qa.jsonl", shaped)).equal


def test_a_row_that_stands_twice_counts_twice(tmp_path):
    rows = _rows("x", 2)
    found = compare(_write(tmp_path / "a.jsonl", [*rows, rows[0]]), _write(tmp_path / "b.jsonl", rows))
    assert found.same == 2 and found.removed == [3] and not found.equal


def test_the_commands_say_what_they_did(pair, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["mix", f"{pair[0]}=0.75", f"{pair[1]}=0.25", "-n", "100", "-o", str(tmp_path / "o.jsonl")])
    assert not stop.value.code and "75 of 500 rows (75%)" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        cli.main(["mix", pair[0], "-o", str(tmp_path / "o.jsonl")])
    assert stop.value.code == 2 and "not FILE=SHARE" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        cli.main(["diff", pair[0], pair[1]])
    shown = capsys.readouterr()
    assert stop.value.code == 1 and "… and 480 more" in shown.out and "300 added, 500 removed" in shown.err
    with pytest.raises(SystemExit) as stop:
        cli.main(["diff", pair[0], pair[0], "--json"])
    assert not stop.value.code and json.loads(capsys.readouterr().out)["same"] == 500
