"""Cleaning accounts for every row, changes nothing twice, and loses nothing when it is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapewright.errors import ConfigError, FileError
from tapewright.inputs import read_items
from validators.clean import clean, fix, quarantine_path
from validators.dataset import check_items, load_rules

ROOT = Path(__file__).parent.parent
load_rules()


def _row(n, **changes):
    return {"id": f"r{n}", "instruction": f"Name city number {n}.", "input": "", "output": f"It is town {n}."} | changes


def _write(path, *rows):
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def _errors(path):
    return [f for f in check_items(read_items(str(path)), str(path)).findings if f.severity == "error"]


MESSY = (
    _row(1, input="<noinput>"), _row(2, output="N/A"), _row(3, output="Par\u200bis."), b'{"instruction": "cut', _row(5),
    b'{"id": "r6", "instruction": "Say six.", "output": "five", "output": "Six it is."}', _row(1, output="Again."),
    {"prompt": "Other shape.", "completion": "Indeed."}, b'{"instruction": "x", "output": "\\ud83d"}', [1, 2],
)  # fmt: skip


def test_every_row_is_accounted_for(tmp_path):
    source, out = _write(tmp_path / "in.jsonl", *MESSY), tmp_path / "out.jsonl"
    done = clean([source], out)
    assert (done.rows, done.kept, done.quarantined) == (10, 4, 6)
    assert done.fixes == {"X002": 1, "X009": 1, "S010": 1}
    assert done.reasons == {"X001": 1, "S002": 1, "B001": 1, "S013": 1, "S012": 1, "S001": 1}
    kept = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in kept] == ["r1", "r3", "r5", "r6"]
    assert kept[0]["input"] == "" and kept[1]["output"] == "Paris." and kept[3]["output"] == "Six it is."
    aside = [json.loads(line) for line in quarantine_path(out).read_text().splitlines()]
    assert [case["line"] for case in aside] == [2, 4, 7, 8, 9, 10]
    assert all(case["source"] == source and case["codes"] and case["reasons"] for case in aside)
    assert [case["row"] for case in aside][1] == '{"instruction": "cut'
    assert not _errors(out)


def test_contradicting_pairs_and_shapes_over_files(tmp_path):
    left, right = "The left one, please.", "The right one, please."
    one = _write(tmp_path / "a.jsonl", {"prompt": "Pick.", "chosen": left, "rejected": right})
    two = _write(tmp_path / "b.jsonl", {"prompt": "Pick.", "chosen": right, "rejected": left}, _row(1))
    done = clean([one, two], tmp_path / "out.jsonl")
    assert done.kept == 1 and done.reasons == {"B005": 1, "S013": 1}
    assert not _errors(tmp_path / "out.jsonl")


def test_twice_changes_nothing(tmp_path):
    source = _write(tmp_path / "in.jsonl", *MESSY)
    clean([source], tmp_path / "one.jsonl")
    done = clean([str(tmp_path / "one.jsonl")], tmp_path / "two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert done.kept == done.rows and not done.fixes
    again = clean([source], tmp_path / "one.jsonl")
    assert again.kept == 4


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet"])
def test_output_formats_hold_the_same_rows(tmp_path, name):
    source = _write(tmp_path / "in.jsonl", *map(_row, range(5)))
    clean([source], tmp_path / name)
    assert [item.record for item in read_items(str(tmp_path / name))] == [_row(n) for n in range(5)]


def test_parquet_with_other_types(tmp_path):
    import datetime
    import decimal

    frame = pl.DataFrame({
        "instruction": ["Say."], "output": ["So be it."], "at": [datetime.date(2024, 1, 2)], "raw": [b"\xff"],
        "price": [decimal.Decimal("1.5")], "long": [datetime.timedelta(hours=1)],
    })  # fmt: skip
    frame.write_parquet(tmp_path / "in.parquet")
    done = clean([str(tmp_path / "in.parquet")], tmp_path / "out.jsonl")
    assert done.kept == 1
    assert json.loads((tmp_path / "out.jsonl").read_text())["at"] == "2024-01-02"


def test_input_is_never_the_output(tmp_path, monkeypatch):
    source = _write(tmp_path / "in.jsonl", _row(1))
    before = Path(source).read_bytes()
    (tmp_path / "link.jsonl").symlink_to(source)
    monkeypatch.chdir(tmp_path)
    for out in (Path(source), Path("in.jsonl"), Path("./link.jsonl")):
        with pytest.raises(ConfigError, match="also an input"):
            clean([source], out)
    for aside in (Path(source), Path("out.jsonl")):
        with pytest.raises(ConfigError, match="choose another --quarantine"):
            clean([source], Path("out.jsonl"), aside)
    with pytest.raises(FileError, match=r"\.jsonl"):
        clean([source], Path("out.xml"))
    assert Path(source).read_bytes() == before


def test_fixes_are_safe():
    record = {"instruction": "a\u2028b", "input": " No Input ", "output": ["x\x00", {"k": "y\ufeff"}], "n": 1}
    fixed, fixes = fix(record)
    assert fixed == {"instruction": "a\nb", "input": "", "output": ["x", {"k": "y"}], "n": 1}
    assert fixes == {"X009": 3, "X002": 1}
    assert fix(fixed) == (fixed, {})
    assert record["input"] == " No Input "
    emoji = {
        "instruction": "a",
        "output": "\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    }
    assert fix(emoji)[0] == emoji  # joiners inside emoji and Persian words are spelling


def test_killed_in_the_middle(tmp_path):
    source = _write(tmp_path / "in.jsonl", *map(_row, range(60_000)))
    out = tmp_path / "out.jsonl"
    out.write_bytes(b"old\n")
    before = Path(source).read_bytes()
    process = subprocess.Popen([sys.executable, "cli.py", "clean", source, "-o", str(out)], cwd=ROOT, stderr=-1)
    deadline = time.monotonic() + 30
    while not any(p.stat().st_size for p in tmp_path.glob(".out.jsonl.*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert out.read_bytes() == b"old\n" and Path(source).read_bytes() == before
    assert not quarantine_path(out).exists()
    _write(tmp_path / "short.jsonl", _row(1), _row(2, output=""))
    done = clean([str(tmp_path / "short.jsonl")], out)
    assert (done.kept, done.quarantined) == (1, 1) and len(quarantine_path(out).read_text().splitlines()) == 1


_TEXTS = st.sampled_from(
    ["", "N/A", "Fine.", "<noinput>", "a\x00b", "=SUM(1)", "x\u2028y", "{{ name }}", "1 + 1 = 3", "é€"]
)
_RECORDS = st.one_of(
    st.fixed_dictionaries({"instruction": _TEXTS, "input": _TEXTS, "output": _TEXTS}, optional={"id": _TEXTS}),
    st.fixed_dictionaries({"prompt": _TEXTS, "chosen": _TEXTS, "rejected": _TEXTS}),
    st.fixed_dictionaries({"messages": st.lists(st.fixed_dictionaries({
        "role": st.sampled_from(["user", "assistant", "system", "tool", "narrator"]), "content": _TEXTS}), max_size=4)}),
    st.dictionaries(st.sampled_from(["instruction", "output", "text", "id", "label"]), st.one_of(_TEXTS, st.none(), st.integers())),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_RECORDS, max_size=6))
def test_whatever_comes_in_what_goes_out_is_clean(tmp_path, records):
    out = tmp_path / "out.jsonl"
    done = clean([_write(tmp_path / "in.jsonl", *records)], out)
    assert done.rows == len(records) == done.kept + done.quarantined
    assert len(out.read_bytes().splitlines()) == done.kept
    assert done.kept == 0 or not _errors(out)
    first = out.read_bytes()
    again = clean([str(out)], tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == first and again.kept == done.kept and not again.fixes
