"""`validate`: no byte string is a traceback; settings, limits, baseline and exit codes do what they say."""

import gzip
import importlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cli
from tapewright.errors import ConfigError
from tapewright.findings import Finding
from tapewright.inputs import read_items
from validators.clean import clean
from validators.dataset import FileCheck, Options, check_files, check_items, check_part, load_rules
from validators.reporters import FORMS
from validators.settings import Settings, Sieve, baseline_key, load_settings

ROOT = Path(__file__).parent.parent
load_rules()


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
            sys.exit(0)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return stop.value.code or 0, out, err

    return run


def _row(n, **changes):
    return {"instruction": f"Name city number {n}.", "input": "", "output": f"It is town {n}."} | changes


def _write(path, rows):
    path.write_bytes(b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows) + b"\n")
    return path


BAD = [_row(1, output="N/A"), _row(2, input="none"), _row(3), _row(4, output="N/A")]

# --- whatever the bytes ------------------------------------------------------------------------------

_PIECES = st.sampled_from([
    b'{"instruction": "', b'"output": "', b'{"messages": [', b'{"role": "user", "content": ', b'"', b"}", b"]", b"[", b"{", b"\n", b",", b"\\",
    b"\\ud83d", b"\xff", b"\xef\xbb\xbf", b"\x00", b"NaN", b"1e999", b"9" * 40, b"null", b"true", b"\xe2\x80\xa8", b"\r\n", b"1 + 1 = 3",
    b"stop-loss at 5, leverage 1e9x, RSI 200", b"(" * 50 + b"1" + b")" * 50 + b" = 1", b"9^9^9^9 = 1", b'{"prompt": "a", "chosen": {"role": 1}, "rejected": []}',
    b'{"instruction": "a", "output": "2 / 0 = 1"}', b'{"conversations": [null]}', b'{"text": 1}', b'{"input": {"messages": []}, "preferred_output": []}',
    b'{"messages": [{"role": [], "tool_calls": [1, {"function": 2}], "content": null}]}', b'{"instruction": "a", "output": "b", "id": {}, "facts": 1, "task_type": "risk_assessment", "provenance": "[]"}',
    b'{"prompt": "a", "chosen": "b", "rejected": "c", "task_type": "trade_recommendation", "provenance": {"codes": 3}}',
    b'{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "tool_calls": {}}]}',
])  # fmt: skip
_BYTES = st.one_of(st.binary(max_size=80), st.lists(_PIECES, max_size=8).map(b"".join))
_NAMES = st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.parquet", "a.jsonl.gz", "a.json.zst"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_NAMES, _BYTES, st.booleans())
def test_no_bytes_are_a_traceback(tmp_path, name, data, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if packed and name.endswith(".gz") else data)
    tally = check_items(read_items(str(path)), str(path))
    for form in FORMS:
        importlib.import_module(f"validators.reporters.{form}").render(tally).encode()
    done = clean([str(path)], tmp_path / "out.jsonl")
    assert done.rows == tally.rows == done.kept + done.quarantined


@pytest.mark.parametrize(
    "record",
    [
        {"instruction": "a", "output": "b", "facts": "[1]", "provenance": {"codes": 3}, "task_type": "risk_assessment"},
        {"prompt": "a", "chosen": "b", "rejected": "c", "task_type": "risk_assessment", "provenance": {"codes": 3}},
        {"instruction": "a", "output": "b", "id": 7, "task_type": ["x"], "facts": {"close@4h": "x", "rsi@4h": None}, "defect": 1},
        {"messages": [{"role": [1], "content": "a", "tool_calls": "x"}]},
        {"instruction": "RSI stop-loss leverage 1e400", "output": "Risk/reward " + "9" * 400 + ", stop-loss 1e-400, leverage 10^400 = 1"},
        {"instruction": "a", "output": "9^9^9^9 = 1; 0^-1 = 2; sqrt(-4) = 2; 10^309 × 10^309 = 1"},
        {"instruction": "\ud800", "output": "\udfff stop-loss leverage"},
    ],
)  # fmt: skip
def test_strange_records_are_findings_at_worst(record):
    from tapewright.inputs import Item

    check_items([Item("f", 1, record)], "f")


@pytest.mark.parametrize(
    "name, data, code",
    [
        ("nan.jsonl", b'{"instruction": "Add.", "output": "2", "x": NaN}\n', "S011"),
        ("double.jsonl", b'{"instruction": "Add.", "output": "1", "output": "2"}\n', "S010"),
        ("half.jsonl", b'{"instruction": "Add.", "output": "\\ud83d"}\n', "S012"),
        ("cut.jsonl", b'{"instruction": "Add.", "output": "2"}\n{"instruction": "Ad', "S002"),
        ("deep.jsonl", b"[" * 200_000, "S002"),
        ("deep2.jsonl", b'{"a":' * 200_000, "S002"),
        ("long.jsonl", b'{"a": ' + b"9" * 5_000 + b"}", "S002"),
        ("empty.jsonl", b"", "S003"),
        ("empty.json", b"[]", "S003"),
        ("a.json.gz", b"\x1f\x8bgarbage", "S002"),
    ],
)
def test_hazards_through_the_command(call, tmp_path, name, data, code):
    (tmp_path / name).write_bytes(data)
    status, out, err = call("validate", name)
    assert status == 1 and f": {code} " in out, (out, err)


@pytest.mark.parametrize("data", [
    "\ufeff" + json.dumps(_row(1)), json.dumps(_row(1)) + "\r\n" + json.dumps(_row(2)) + "\r\n", json.dumps([_row(1), _row(2)], indent=1),
    json.dumps(_row(1), indent=2), "\n\n" + json.dumps(_row(1)),
])  # fmt: skip
def test_harmless_hazards_pass(call, tmp_path, data):
    (tmp_path / "a.json").write_text(data, newline="")
    assert call("validate", "a.json")[:2] == (0, "")


# --- exit codes --------------------------------------------------------------------------------------


def test_exit_codes(call, tmp_path):
    _write(tmp_path / "bad.jsonl", BAD)
    _write(tmp_path / "warn.jsonl", [_row(2, input="none")])
    _write(tmp_path / "good.jsonl", [_row(3)])
    assert call("validate", "good.jsonl")[0] == 0
    assert call("validate", "bad.jsonl")[0] == 1
    assert call("validate", "bad.jsonl", "--exit-zero")[0] == 0
    assert call("validate", "warn.jsonl")[0] == 0
    assert call("validate", "warn.jsonl", "--fail-on", "warning")[0] == 1
    assert call("validate", "warn.jsonl", "--fail-on", "info", "--severity", "error")[0] == 0
    for arguments in (["none.jsonl"], ["*.parquet"], ["good.jsonl", "none.jsonl"], ["--shape", "x", "good.jsonl"],
                      ["--report", "pdf", "good.jsonl"], ["--select", "Q9", "good.jsonl"], ["--update-baseline", "good.jsonl"],
                      ["--baseline", "none.json", "good.jsonl"]):  # fmt: skip
        status, out, err = call("validate", *arguments)
        assert status == 2 and out == "" and err.splitlines()[-1].startswith("error: "), arguments
    (tmp_path / "folder").mkdir()
    assert call("validate", "folder")[0] == 2
    status, out, err = call("validate", tmp_path)
    assert status == 1 and "bad.jsonl" in err and "good.jsonl" in err


def test_standard_input_and_what_is_said(tmp_path):
    command = [sys.executable, str(ROOT / "cli.py"), "validate", "-"]
    data = b"\n".join(orjson.dumps(row) for row in BAD)
    out = subprocess.run(command, input=data, capture_output=True, cwd=tmp_path)
    assert out.returncode == 1 and out.stdout.count(b"X001") == 2
    lines = out.stderr.decode().splitlines()
    assert lines[0] == "-: 4 rows, shape alpaca" and "numbers could be checked in 0% of rows" in lines[1]


def test_the_bar_shows_on_a_terminal_only(tmp_path):
    _write(tmp_path / "a.jsonl", [_row(n) for n in range(3_000)])
    command = [sys.executable, str(ROOT / "cli.py"), "validate", "a.jsonl"]
    quiet = subprocess.run(command, capture_output=True, cwd=tmp_path)
    assert b"checking" not in quiet.stderr
    main, side = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=side, cwd=tmp_path, env={**os.environ, "TERM": "xterm"})  # fmt: skip
    os.close(side)
    seen = b""
    while True:
        try:
            part = os.read(main, 65_536)
        except OSError:
            break
        if not part:
            break
        seen += part
    assert process.wait() == 0 and b"checking" in seen


def test_github_by_itself(call, tmp_path, monkeypatch):
    _write(tmp_path / "bad.jsonl", BAD)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    status, out, _ = call("validate", "bad.jsonl")
    assert status == 1 and out.startswith("::error file=bad.jsonl,line=1,title=X001")
    assert "X001" in (tmp_path / "summary.md").read_text()


# --- settings ----------------------------------------------------------------------------------------


def _codes(out):
    return sorted({word for word in out.split() if len(word) == 4 and word[1:].isdigit()})


def test_select_ignore_severity(call, tmp_path):
    _write(tmp_path / "bad.jsonl", BAD)
    assert _codes(call("validate", "bad.jsonl")[1]) == ["X001", "X002"]
    assert _codes(call("validate", "bad.jsonl", "--select", "X001,S")[1]) == ["X001"]
    assert _codes(call("validate", "bad.jsonl", "--select", "x")[1]) == ["X001", "X002"]
    assert _codes(call("validate", "bad.jsonl", "--ignore", "X001")[1]) == ["X002"]
    assert _codes(call("validate", "bad.jsonl", "--severity", "error")[1]) == ["X001"]
    assert call("validate", "bad.jsonl", "--ignore", "X")[0] == 0


def test_files_of_settings(call, tmp_path):
    _write(tmp_path / "bad.jsonl", BAD)
    (tmp_path / "pyproject.toml").write_text('[tool.tapewright.validate]\nignore = ["X001"]\nfail-on = "warning"\n')
    assert _codes(call("validate", "bad.jsonl")[1]) == ["X002"]
    (tmp_path / "tapewright.toml").write_text('[validate]\nignore = ["X002"]\n')
    assert _codes(call("validate", "bad.jsonl")[1]) == ["X001"]
    assert call("validate", "bad.jsonl", "--ignore", "X")[0] == 0
    (tmp_path / "pyproject.toml").write_text("not toml at all [")  # somebody else's to complain about
    assert call("validate", "bad.jsonl")[0] == 1


def test_limits(call, tmp_path):
    _write(tmp_path / "bad.jsonl", BAD)
    for limit, status in (("max-count = 2", 0), ("max-count = 1", 1), ("max-rate = 0.5", 0), ("max-rate = 0.4", 1)):
        (tmp_path / "tapewright.toml").write_text(f"[validate.limits.X001]\n{limit}\n")
        code, out, err = call("validate", "bad.jsonl")
        assert code == status and _codes(out) == (["X002"] if status == 0 else ["X001", "X002"])
        assert ("2 within the limits set" in err) is (status == 0)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[validate]\nselekt = []", "unknown key 'selekt'. Did you mean 'select'?"),
        ("[valdate]\n", "unknown key 'valdate'. Did you mean 'validate'?"),
        ('[validate]\nselect = "X"', "wrong type"),
        ("[validate]\nselect = [1]", "wrong type"),
        ('[validate]\nselect = ["Z001"]', "no rule 'Z001'"),
        ('[validate]\nseverity = "bad"', "severity 'bad'"),
        ("[validate.limits.X001]\nmax-cout = 3", "Did you mean 'max-count'?"),
        ('[validate.limits.X001]\nmax-count = "3"', "wrong type"),
        ("[validate.limits.Y001]\nmax-count = 3", "no rule 'Y001'"),
        ("[validate]\nlimits = {X001 = 3}", "limits.X001 = 3"),
        ("validate = 3", "must be a table"),
        ("[validate", "tapewright.toml"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, text, words):
    (tmp_path / "tapewright.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path)
    assert words in str(error.value) and "tapewright.toml" in str(error.value)


def test_rules_not_asked_for_are_not_run():
    assert Settings(select=("S", "X001")).families() == "SX"
    assert "X" not in Settings(ignore=("X",)).families() and "X" in Settings(ignore=("X001",)).families()
    items = list(read_items_of(BAD))
    assert check_items(items, "f", Options(families="S")).total == 0


def read_items_of(rows):
    from tapewright.inputs import Item

    return (Item("f", number, row) for number, row in enumerate(rows, 1))


# --- baseline ----------------------------------------------------------------------------------------


def test_baseline_goes_by_content(call, tmp_path):
    _write(tmp_path / "bad.jsonl", BAD)
    assert call("validate", "bad.jsonl", "--baseline", "base.json", "--update-baseline")[0] == 0
    status, out, err = call("validate", "bad.jsonl", "--baseline", "base.json")
    assert (status, out) == (0, "") and "3 known from the baseline" in err
    _write(tmp_path / "bad.jsonl", [_row(9), *reversed(BAD)])  # rows moved
    assert call("validate", "bad.jsonl", "--baseline", "base.json")[:2] == (0, "")
    (tmp_path / "bad.jsonl").rename(tmp_path / "other.jsonl")
    assert call("validate", "other.jsonl", "--baseline", "base.json")[:2] == (0, "")
    _write(tmp_path / "bad.jsonl", [*BAD, _row(5, output="N/A")])  # one is new
    status, out, _ = call("validate", "bad.jsonl", "--baseline", "base.json")
    assert status == 1 and out.startswith("bad.jsonl:5: X001") and out.count("\n") == 1
    _write(tmp_path / "bad.jsonl", [*BAD, BAD[0]])  # a known one stands twice
    assert call("validate", "bad.jsonl", "--baseline", "base.json")[0] == 1
    (tmp_path / "base.json").write_text("[]")
    assert call("validate", "bad.jsonl", "--baseline", "base.json")[0] == 2


def test_baseline_of_a_whole_file_stays_when_shares_change(call, tmp_path):
    same = [_row(n, instruction="Tell me.", output=f"Word {n} and so on it goes.") for n in range(80)]
    _write(tmp_path / "a.jsonl", [*same, *(_row(n) for n in range(20))])
    assert "B002" in call("validate", "a.jsonl")[1]
    call("validate", "a.jsonl", "--baseline", "base.json", "--update-baseline")
    _write(tmp_path / "a.jsonl", [*(_row(n) for n in range(30)), *same])
    assert "B002" not in call("validate", "a.jsonl", "--baseline", "base.json")[1]


def test_baseline_holds_more_than_is_kept():
    rows = [_row(n, output="N/A") for n in range(2_500)]

    def checked(sieve):
        whole = FileCheck("f", Options(), sieve)
        whole.add(check_part(read_items_of(rows), "f", Options()))
        return whole.finish()

    sieve = Sieve(collect=True)
    tally = checked(sieve)
    assert sum(count for count in sieve.seen.values()) == tally.total >= 2_500
    again = Sieve(sieve.seen)
    assert checked(again).total == 0
    assert again.known == tally.total


def test_findings_do_not_depend_on_the_number_of_workers(tmp_path):
    rows = [_row(n, output="N/A" if n % 7 == 0 else f"Answer {n} in full.", id=f"r{n % 2_900}") for n in range(3_000)]
    rows[2_400] = {"prompt": "Say it.", "completion": "It."}
    _write(tmp_path / "a.jsonl", rows)
    (tmp_path / "b.jsonl").write_bytes(b'{"a": 1')
    (tmp_path / "c.jsonl").touch()
    names = [str(tmp_path / name) for name in ("a.jsonl", "b.jsonl", "c.jsonl")]
    alone, shared = (dict(check_files(names, workers=workers)) for workers in (1, 3))
    assert list(alone) == list(shared) == names
    assert alone == shared
    assert {"X001", "B001", "S013"} <= set(alone[names[0]].counts())
    whole = check_items(read_items(names[0]), names[0])
    assert whole == alone[names[0]]


def test_the_key_knows_neither_place_nor_file():
    one = Finding("X001", "m", "error", "a.jsonl", 3, "output", "e", "abc")
    two = Finding("X001", "m", "error", "b.jsonl", 9, "output", "e", "abc")
    assert baseline_key(one) == baseline_key(two)
    assert baseline_key(one) != baseline_key(Finding("X001", "m", "error", "a.jsonl", 3, "output", "e", "abd"))


def test_rule_pages_are_as_the_registry_says():
    from benchmarks.rule_pages import FOLDER, pages

    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")} == pages(), (
        "run `python -m benchmarks.rule_pages`"
    )
