"""`validate` compares the splits that files or rows name, and what leaked is a finding with its place and evidence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tapewright.errors import ConfigError
from validators.dataset import KEPT, Tally, load_rules
from validators.leakage.check import codes
from validators.leakage.rules import named_sides, report_leaks
from validators.leakage.splits import sides_of_files, split_of_file
from validators.rules import RULES
from validators.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
load_rules()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _row(number, **more):
    words = [f"{LETTERS[(number * 7 + place) % 26]}{LETTERS[(number + place * 3) % 26]}{number}" for place in range(24)]
    return {
        "instruction": f"Sum up note {number}, please.",
        "input": " ".join(words),
        "output": f"Note {number}.",
    } | more


TRAIN, TEST = [_row(number) for number in range(40)], [_row(number) for number in range(100, 110)]


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def _validate(folder, *arguments):
    command = [sys.executable, str(ROOT / "cli.py"), "validate", *arguments, "--report", "jsonl"]
    out = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert "Traceback" not in out.stderr
    return out, [case for line in out.stdout.splitlines() if (case := json.loads(line))["code"][0] == "L"]


@pytest.fixture
def leaking(tmp_path):
    _write(tmp_path / "notes-train.jsonl", [*TRAIN, TEST[3]])
    _write(tmp_path / "notes-test.jsonl", TEST)
    return tmp_path


def test_files_named_like_splits_are_compared(leaking):
    out, found = _validate(leaking, "notes-train.jsonl", "notes-test.jsonl")
    assert out.returncode == 1
    assert "splits compared: train → test" in out.stderr
    case = next(case for case in found if case["code"] == "L001")
    assert (case["file"] if "file" in case else case["row"]).endswith("notes-test.jsonl")
    assert case["line"] == 4
    assert "notes-train.jsonl:41" in case["message"]
    assert "note 103" in case["evidence"]


@pytest.mark.parametrize("words", [["--no-leakage"], ["--ignore", "L"], ["--select", "S,X"]])
def test_comparing_can_be_left_out(leaking, words):
    out, found = _validate(leaking, "notes-train.jsonl", "notes-test.jsonl", *words)
    assert not found
    assert "compared" not in out.stderr


def test_settings_say_whether_to_compare(leaking):
    (leaking / "tapewright.toml").write_text("[validate]\nleakage = false\n")
    assert not _validate(leaking, "notes-train.jsonl", "notes-test.jsonl")[1]
    assert _validate(leaking, "notes-train.jsonl", "notes-test.jsonl", "--leakage")[1]
    (leaking / "tapewright.toml").write_text('[validate]\nleakage = "no"\n')
    out, _ = _validate(leaking, "notes-train.jsonl", "notes-test.jsonl")
    assert out.returncode == 2
    assert "wrong type" in out.stderr
    (leaking / "tapewright.toml").write_text("[validate]\nleakage = true\n")
    assert load_settings(leaking, leakage=None).leakage is True
    assert load_settings(leaking, leakage=False).leakage is False


def test_rules_are_chosen_by_code():
    assert Settings().leaks() == tuple(codes())
    assert Settings(select=("L00",), ignore=("L008",)).leaks() == tuple(codes())[:-1]
    assert Settings(select=("N",)).leaks() == ()
    assert Settings(leakage=False, select=("L",)).leaks() == ()
    assert "L" not in Settings().families()
    assert Settings(select=("L001",)).asks_for_leaks()
    assert not Settings().asks_for_leaks()


def test_rows_that_name_their_split_are_compared(tmp_path):
    rows = [row | {"split": "train"} for row in (*TRAIN, TEST[3])]
    rows += [row | {"provenance": json.dumps({"split": "validation"})} for row in TEST]
    _write(tmp_path / "all.jsonl", rows)
    out, found = _validate(tmp_path, "all.jsonl")
    assert "train → validation" in out.stderr
    assert {case["line"] for case in found if case["code"] == "L001"} == {45}
    for select in ("L", "S,L"):
        assert {case["line"] for case in _validate(tmp_path, "all.jsonl", "--select", select)[1]} == {45}


def test_other_columns_called_split_are_believed_only_when_asked(tmp_path):
    _write(tmp_path / "a.jsonl", [row | {"split": "left"} for row in TRAIN] + [TRAIN[2] | {"split": "right"}])
    assert not _validate(tmp_path, "a.jsonl")[1]
    assert _validate(tmp_path, "a.jsonl", "--leakage")[1]


@pytest.mark.parametrize("words", [["--leakage"], ["--select", "L"], ["--select", "L003"]])
def test_nothing_to_compare_is_one_line(tmp_path, words):
    _write(tmp_path / "rows.jsonl", TRAIN)
    out, _ = _validate(tmp_path, "rows.jsonl", *words)
    assert out.returncode == 2
    assert "name two splits" in out.stderr
    with pytest.raises(ConfigError, match="stdin"):
        named_sides(["-"], set(), "", asked=True)
    assert named_sides(["-"], {"train", "test"}, "", asked=False) == []


def test_a_baseline_knows_leaks(leaking):
    files = ("notes-train.jsonl", "notes-test.jsonl", "--baseline", "known.json")
    assert _validate(leaking, *files, "--update-baseline")[0].returncode == 0
    out, found = _validate(leaking, *files)
    assert (out.returncode, found) == (0, [])


@pytest.mark.parametrize("code", codes())
def test_examples_leak_and_do_not(tmp_path, code):
    for words, expected in ((RULES[code].bad, True), (RULES[code].good, False)):
        (tmp_path / "rows.jsonl").write_text(str(words))
        sides = named_sides([str(tmp_path / "rows.jsonl")], {"train", "test"}, "", asked=False)
        tally = Tally()
        report_leaks(sides, codes(), tally, lambda finding: True, lambda finding: True)
        assert (code in tally.counts()) == expected
        assert all(finding.line and finding.row for finding in tally.findings)


def test_all_leaks_are_counted_and_the_first_listed(tmp_path):
    many = [_row(number) for number in range(KEPT + 50)]
    names = [_write(tmp_path / "train.jsonl", many), _write(tmp_path / "test.jsonl", many)]
    tally = Tally()
    said = report_leaks(sides_of_files(names), ["L001"], tally, lambda finding: True, lambda finding: True)
    assert said == "train → test"
    assert (tally.total, len(tally.findings)) == (KEPT + 50, KEPT)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.jsonl", "train"), ("a/b-train.jsonl.gz", "train"), ("rows_validation.parquet", "val"), ("x.dev.json", "val"),
        ("TEST.csv", "test"), ("test-00000-of-00002.parquet", "test"), ("latest.jsonl", ""), ("contest.jsonl", ""),
        ("training-notes.jsonl", ""), ("train.txt", ""), ("train/rows.jsonl", ""),
    ],
)  # fmt: skip
def test_names_of_files(name, split):
    assert split_of_file(name) == split


def test_splits_of_generate_stay_clean(tmp_path):
    generate = [
        sys.executable,
        str(ROOT / "cli.py"),
        "generate",
        "--size",
        "1000",
        "--split",
        "train=.8,val=.1,test=.1",
    ]
    subprocess.run([*generate, "-o", str(tmp_path / "g.jsonl")], check=True, capture_output=True)
    out, _ = _validate(tmp_path, *(f"g-{name}.jsonl" for name in ("train", "val", "test")))
    assert (out.returncode, out.stdout) == (0, "")
    assert "train → val, train → test, val → test" in out.stderr
