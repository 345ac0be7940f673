"""The command line: each bad input is one line and exit 2, nothing is left half-written, Ctrl-C resumes."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import cli

ROOT = Path(__file__).parent.parent


@pytest.fixture
def call(capsys):
    """Run a command in this process; returns (exit code, stdout, stderr)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
            sys.exit(0)
        out, err = capsys.readouterr()
        return stop.value.code or 0, out, err

    return run


def _refused(result, *parts):
    code, out, err = result
    assert code == 2, err
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), err
    assert "Traceback" not in err and "internal error" not in err
    for part in parts:
        assert part in err, err


def _left_behind(folder):
    """Files of rows, whole or half-written; locks and manifests do not count."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


# --- what generate refuses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (["--tasks", "risk_assesment=1"], ["no task 'risk_assesment'", "Did you mean 'risk_assessment'?"]),
        (["--tasks", "nope=1"], ["no task 'nope'", "explain_concept"]),
        (["--tasks", "risk_assessment=0.7"], ["add up to 0.7, not 1"]),
        (["--tasks", "risk_assessment=-1,explain_concept=2"], ["cannot be negative"]),
        (["--tasks", "risk_assessment"], ["not name=share"]),
        (["--tasks", "risk_assessment=x"], ["not name=share"]),
        (["--tasks", "risk_assessment=0.5,risk_assessment=0.5"], ["stands twice"]),
        (["--tasks", "risk_assessment=nan"], ["nan"]),
        (["--size", "0"], ["size is 0"]),
        (["--size", "-5"], ["size is -5"]),
        (["--size", "many"], ["'many' is not a valid integer"]),
        (["--seed", "x"], ["'x' is not a valid integer"]),
        (["--symbols", "BTCUSD"], ["no 'BTCUSD'", "Did you mean 'BTCUSDT'?", "`market`"]),
        (
            ["--hold-out", "sentiment_analysis/fieldz"],
            ["'sentiment_analysis/fieldz'", "Did you mean 'sentiment_analysis/fields'?"],
        ),
        (["--split", "train=0.9"], ["add up to 1, not 0.9"]),
        (["--split", "train=nan"], ["nan"]),
        (["--since", "yesterday"], ["'yesterday' is not a date"]),
        (["--since", "2031-01-01"], ["no candles between"]),
        (["--since", "2024-02-01", "--until", "2024-01-01"], ["not before"]),
        (["--since", "2024-01-01", "--until", "2024-02-01", "--split", "a=0.5,b=0.5"], ["too short"]),
        (["--anonymize", "1.5"], ["between 0 and 1"]),
        (["--anonymize", "nan"], ["between 0 and 1"]),
        (["--workers", "-1"], ["workers is -1"]),
        (["--format", "xml"], ["'xml' is not one of"]),
        (["--source", "nowhere.csv"], ["no market source at 'nowhere.csv'"]),
        (["--source", "bybit"], ["--symbols and --since"]),
        (["--max-tokens", "5"], ["over --max-tokens"]),
        (["--max-tokens", "-5"], ["cannot be negative"]),
        (["--max-tokens", "90", "--tokenizer", "nowhere.json"], ["no tokenizer file 'nowhere.json'"]),
        (["--row", "12"], ["row 12 is not in 0–11"]),
        (["--row", "-1"], ["row -1 is not in 0–11"]),
        (["--sise", "4"], ["No such option '--sise'", "--size"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_option_is_one_line(call, tmp_path, arguments, parts):
    _refused(
        call(
            "generate",
            "-n",
            "12",
            "-j",
            "1" if "--workers" not in arguments else "0",
            "-o",
            tmp_path / "a.jsonl",
            *arguments,
        ),
        *parts,
    )
    assert not _left_behind(tmp_path)


def test_unknown_command_and_output_format(call, tmp_path):
    _refused(call("generat"), "No such command 'generat'")
    _refused(
        call("generate", "-n", "5", "-o", tmp_path / "rows.txt"), "cannot tell the format of 'rows.txt'", ".parquet"
    )
    _refused(call("generate", "-n", "5", "-o", tmp_path), "is a directory")
    assert not _left_behind(tmp_path)


def test_unwritable_output_folder(call, tmp_path):
    (tmp_path / "file").write_text("x")
    _refused(call("generate", "-n", "5", "-j", "1", "-o", tmp_path / "file" / "a.jsonl"), "cannot write", "--output")
    assert (tmp_path / "file").read_text() == "x"
    if Path("/proc").is_dir():
        _refused(call("generate", "-n", "5", "-j", "1", "-o", "/proc/nowhere/a.jsonl"), "cannot write", "--output")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_full_disk_leaves_nothing(call, tmp_path, monkeypatch, failing):
    """No space when the file is put in place: one line, no half file, and the next run goes on to the same bytes."""
    whole, target = tmp_path / "whole.jsonl", tmp_path / "a.jsonl"
    arguments = ["generate", "-n", "40", "-j", "1", "--tasks", "sentiment_analysis=1", "-o"]
    assert call(*arguments, whole)[0] == 0

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(f"tapewright.files.os.{failing}", full)
        _refused(call(*arguments, target), "No space left on device", "nothing was left half-written")
    assert not target.exists() and not list(tmp_path.glob(".a.jsonl*.part"))
    assert call(*arguments, target)[0] == 0
    assert target.read_bytes() == whole.read_bytes()


def test_full_disk_while_blocks_are_written(call, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    code, out, err = call(
        "generate", "-n", "10", "-j", "1", "--tasks", "sentiment_analysis=1", "-o", tmp_path / "a.jsonl"
    )
    assert not (tmp_path / "a.jsonl").exists() and out == ""
    _refused((code, out, err), "No space left on device")


# --- a user's own candles --------------------------------------------------------------------------

HEADER = "ts,open,high,low,close,volume"


def _candles(hours, close="close", broken=None):
    rng, price, moment = random.Random(3), 100.0, datetime(2023, 1, 1, tzinfo=UTC)
    lines = [HEADER.replace("close", close)]
    for number in range(hours):
        last = price
        price = round(last * (1 + rng.uniform(-0.01, 0.01)), 4)
        high, low = max(last, price) * 1.002, min(last, price) * 0.998
        shown = "cheap" if number == broken else f"{price:.4f}"
        lines.append(f"{moment:%Y-%m-%d %H:%M},{last:.4f},{high:.4f},{low:.4f},{shown},{rng.uniform(10, 500):.3f}")
        moment += timedelta(hours=1)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text, parts",
    [
        (_candles(400, close="closing"), ["no column 'close'", "'closing'"]),
        (_candles(400, broken=6), ["row 7", "close is 'cheap', not a number"]),
        ("", ["is empty"]),
        (HEADER + "\n", ["no candles, only a header"]),
        ("1,2,3\n4,5,6\n", ["add a header"]),
        (_candles(20), ["MINE"]),
        (_candles(400), ["no symbol has 1d candles"]),
        (_candles(400).replace("2023-01-03 05:00", "2023-01-03 04:00"), ["row 54", "same time as row 53"]),
    ],
    ids=[
        "missing column",
        "text for a price",
        "empty",
        "header only",
        "no header",
        "no whole day",
        "too short",
        "doubled time",
    ],
)
def test_bad_candles_are_named(call, tmp_path, text, parts):
    source = tmp_path / "MINE.csv"
    source.write_text(text)
    result = call(
        "generate", "-n", "4", "-j", "1", "--tasks", "market_analysis=1", "--source", source, "-o", tmp_path / "a.jsonl"
    )
    _refused(result, *(parts if parts == ["no symbol has 1d candles"] else ["MINE.csv", *parts]))
    assert [path.name for path in _left_behind(tmp_path)] == ["MINE.csv"]


def test_good_candles_give_rows_of_that_symbol(call, tmp_path):
    source, target = tmp_path / "MINE.csv", tmp_path / "a.jsonl"
    source.write_text(_candles(24 * 330))
    arguments = ["--tasks", "market_analysis=0.5,risk_assessment=0.5", "--anonymize", "0", "--source", source]
    code, _, err = call("generate", "-n", "20", "-j", "1", *arguments, "-o", target)
    assert code == 0, err
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == 20 and all("MINE" in row["instruction"] + row["input"] for row in rows)
    assert call("validate", target)[0] == 0
    assert call("validate", "--tape", source, target)[0] == 0
    assert "MINE" in call("market", "--source", source)[1]


# --- the other commands ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A small file of every task and one of pairs."""
    folder = tmp_path_factory.mktemp("rows")
    for shape in ("alpaca", "preference"):
        with pytest.raises(SystemExit):
            cli.main(["generate", "-n", "30", "-j", "1", "--format", shape, "-o", str(folder / f"{shape}.jsonl")])
            sys.exit(0)
    return folder


def test_validate_exit_codes(call, rows, tmp_path):
    for name in ("alpaca", "preference"):
        code, out, err = call("validate", rows / f"{name}.jsonl", "--tape", "bundled")
        assert code == 0 and out == "" and "30 rows" in err and "0 findings" in err
    lines = (rows / "alpaca.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    record = next(r for r in records if r["task_type"] == "risk_assessment")
    record["output"] += " RSI(14) on 4h is 161.2."
    bad = tmp_path / "bad.jsonl"
    bad.write_text("\n".join(json.dumps(r) for r in records) + "\n")
    code, out, err = call("validate", bad)
    assert code == 1 and "N008" in out and "bad.jsonl:" in out and "Traceback" not in err
    assert call("validate", "--exit-zero", bad)[0] == 0
    code, out, _ = call("validate", "--report", "json", bad, rows / "preference.jsonl")
    report = json.loads(out)
    assert code == 1 and report["rows"] == 60 and report["counts"]["N008"] == 1
    line = records.index(record) + 1
    assert {(f["row"], f["line"]) for f in report["findings"]} == {(str(bad), line)}
    assert call("validate", "--no-facts", rows / "alpaca.jsonl")[0] == 0


def test_validate_refuses_what_it_cannot_read(call, rows, tmp_path):
    _refused(call("validate", tmp_path / "missing.jsonl"), "no file", "missing.jsonl")
    _refused(call("validate"), "Missing argument")
    _refused(call("validate", "--tape", "nowhere", rows / "alpaca.jsonl"), "no market source at 'nowhere'")
    _refused(call("validate", "--shape", "xml", rows / "alpaca.jsonl"), "'xml'")
    _refused(call("validate", "--explain", "N999"), "N999")


@pytest.mark.parametrize(
    "name, data, places",
    [
        ("strange.jsonl", b'{"question": "a", "reply": "b"}\n[1, 2]\n', [("S001", 1), ("S001", 2)]),
        ("packed.jsonl.gz", b"\x1f\x8b\x08\x00", [("S002", 0)]),
        ("table.parquet", b"PAR1 no", [("S002", 0)]),
        ("cut.jsonl", None, [("S002", 30)]),
    ],
)
def test_unreadable_rows_are_findings_with_their_line(call, rows, tmp_path, name, data, places):
    path = tmp_path / name
    path.write_bytes((rows / "alpaca.jsonl").read_bytes()[:-200] if data is None else data)
    code, out, err = call("validate", path)
    assert code == 1 and "Traceback" not in err and "internal error" not in err
    for finding, line in places:
        assert f"{name}:{line}: {finding}" in out if line else f"{name}: {finding}" in out, out


def test_tasks_show_market_and_one_row(call, rows):
    code, out, _ = call("tasks", "--json")
    listed = json.loads(out)
    assert code == 0 and "risk_assessment" in listed and listed["risk_assessment"]["families"]
    code, out, _ = call("tasks")
    assert code == 0 and "trade_recommendation" in out
    for name in ("alpaca", "preference"):
        for line in (rows / f"{name}.jsonl").read_text().splitlines()[:12]:
            record = json.loads(line)
            code, out, err = call("show", rows / f"{name}.jsonl", record["id"])
            assert code == 0 and record["id"] in out and "Claims" in out, err
            assert not record.get("defect") or record["defect"] in out
    assert call("show", rows / "alpaca.jsonl", "3")[0] == 0  # a line number does as well
    _refused(call("show", rows / "alpaca.jsonl", "nobody"), "no row with id or line 'nobody'")
    _refused(call("show", rows / "missing.jsonl", "1"), "no file")
    code, out, _ = call("market")
    assert code == 0 and "BTCUSDT" in out and "sha256" in out
    _refused(call("market", "--source", "nowhere"), "no market source")
    whole = [json.loads(line) for line in (rows / "alpaca.jsonl").read_text().splitlines()]
    code, out, _ = call("generate", "-n", "30", "--row", "7")
    assert code == 0 and json.loads(out) == whole[7]
    code, out, _ = call("validate", "--explain", "N003", "R004")
    assert code == 0 and "N003" in out and "R004" in out


def test_fetch_without_an_exchange(call, tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    target = tmp_path / "snapshot.parquet"
    options = ["--symbols", "BTCUSDT", "--since", "2024-01-01", "--endpoint", "http://127.0.0.1:9", "-o", target]
    _refused(call("market", "fetch", *options), "did not answer")
    assert not target.exists()


def test_summary_as_json_and_finished_run(call, tmp_path):
    target = tmp_path / "a.jsonl"
    arguments = ["generate", "-n", "20", "-j", "1", "--tasks", "sentiment_analysis=1", "--json", "-o", target]
    code, out, _ = call(*arguments)
    assert code == 0 and str(target) in out and json.loads(out)
    stamp = target.stat().st_mtime_ns
    assert call(*arguments)[0] == 0 and target.stat().st_mtime_ns == stamp
    _refused(call("generate", "-n", "21", "-j", "1", "--tasks", "sentiment_analysis=1", "-o", target), "--force")
    assert target.stat().st_mtime_ns == stamp


# --- as a process ----------------------------------------------------------------------------------


def _process(*arguments, **options):
    return subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)], capture_output=True, text=True, **options
    )


def test_help_is_quick_and_light():
    """A quarter of a second on an idle machine; the best of five, with room for a busy one."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        done = _process("--help")
        seconds.append(time.perf_counter() - started)
        assert done.returncode == 0 and "generate" in done.stdout and not done.stderr
    assert min(seconds) < 0.5
    heavy = ("torch", "transformers", "datasets", "polars", "pandas", "pybit", "numpy", "sklearn", "faker")
    code = f"import sys, cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\nprint([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_has_help():
    for command in cli.cli.commands:
        done = _process(command, "--help")
        assert done.returncode == 0 and "Usage" in done.stdout, command


def test_errors_of_a_process_have_no_traceback(tmp_path):
    done = _process("generate", "-n", "0", "-o", tmp_path / "a.jsonl")
    assert (done.returncode, done.stdout) == (2, "") and done.stderr == "error: size is 0; ask for at least one row\n"


def test_closed_pipe_is_no_error(rows):
    command = f'"{sys.executable}" "{ROOT / "cli.py"}" tasks --json | head -c 20'
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True)
    assert done.stderr == "" and done.stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_interrupted_run_says_how_to_go_on(tmp_path, workers):
    """Ctrl-C reaches the whole group: exit 130, a line that says what to do, and the same bytes afterwards."""
    size, whole, target = "2200", tmp_path / "whole.jsonl", tmp_path / "a.jsonl"
    arguments = ["generate", "-n", size, "--tasks", "sentiment_analysis=0.5,risk_assessment=0.5"]
    command = [sys.executable, str(ROOT / "cli.py"), *arguments, "-j", workers, "-o", str(target)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and process.poll() is None:
        if list((tmp_path / ".tapewright").glob("a.jsonl.*.blocks/*.json")):
            break
        time.sleep(0.02)
    assert process.poll() is None, "the run ended before it could be interrupted"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Interrupted" in err and "again" in err and out == ""
    assert "Traceback" not in err
    assert not target.exists()
    assert _process(*arguments, "-j", "2", "-o", whole).returncode == 0
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and target.read_bytes() == whole.read_bytes()
    assert not list((tmp_path / ".tapewright").glob("*.blocks"))
