"""Benchmarks from a Hub: the tests' own server says yes, no, wait and nothing at all."""

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from local_hub import LocalHub

from tapewright.errors import ConfigError, FileError, NetworkError
from validators.leakage import public

hub = pytest.importorskip("huggingface_hub")
ROOT = Path(__file__).parent.parent
REPOSITORY = "zeroshot/twitter-financial-news-sentiment"
SENTENCES = ["$ACME beats its forecast for the third time in a row", "$MNO cut to hold by a broker nobody knows"]
FILES = {
    "sent_valid.csv": "text,label\n" + "".join(f'"{text}",{number}\n' for number, text in enumerate(SENTENCES)),
    "README.md": "# not fetched\n",
}


@contextmanager
def _hub(status=200, code=""):
    with LocalHub() as server:
        server.seed(REPOSITORY, {name: text.encode() for name, text in FILES.items()})
        if status != 200:
            server.misbehave(times=1_000, status=status, code=code, headers={"Retry-After": "0"})
        yield server.url, server.requests


def _leakage(folder, endpoint, *more, train=(), **environment):
    rows = [{"instruction": "Name a colour, please.", "input": "", "output": "Red."}, *train]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("HF_") and "proxy" not in name.lower()
    }
    environment = {
        **kept, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_ETAG_TIMEOUT": "2", "HF_HUB_DOWNLOAD_TIMEOUT": "2", **environment,
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "cli.py"), "leakage", "--train", "train.jsonl", "--benchmark", "tfns", *more]
    out = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)
    assert "Traceback" not in out.stderr
    return out


def test_benchmark_is_fetched_and_compared(tmp_path):
    with _hub() as (endpoint, asked):
        assert _leakage(tmp_path, endpoint).returncode == 0
        told = {"instruction": f"Is this good news? {SENTENCES[0]}", "input": "", "output": "Yes."}
        out = _leakage(tmp_path, endpoint, "--report", "jsonl", train=[told])
        assert out.returncode == 1
        (case,) = [json.loads(line) for line in out.stdout.splitlines()]
        assert (case["code"], case["test_row"]["line"], case["train_row"]["line"]) == ("L004", 2, 2)
        assert any("sent_valid.csv" in path for _, path, _ in asked)
        assert not any("README" in path for _, path, _ in asked)
    assert _leakage(tmp_path, endpoint, train=[told], HF_HUB_OFFLINE="1").returncode == 1  # what was fetched is used


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "GatedRepo", "HF_TOKEN"), (401, "RepoNotFound", "HF_TOKEN"), (403, "", "(403)"),
        (404, "RepoNotFound", "no such dataset"), (404, "RevisionNotFound", "no such dataset"),
        (429, "", "too many requests"), (500, "", "(500), try again"), (503, "", "(503), try again"),
    ],
)  # fmt: skip
def test_what_the_hub_refuses_is_one_line(tmp_path, status, code, words):
    with _hub(status, code) as (endpoint, asked):
        out = _leakage(tmp_path, endpoint)
    assert asked
    _is_one_line(out, words)


def test_without_a_hub_it_is_one_line(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    _is_one_line(_leakage(tmp_path, endpoint), "no connection to the Hub")
    _is_one_line(_leakage(tmp_path, endpoint, HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE forbids")


def _is_one_line(out, words):
    assert out.returncode == 2
    lines = [line for line in out.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, out.stderr
    assert "Twitter Financial News Sentiment" in lines[0]
    assert "--benchmark tfns=PATH" in lines[0]
    assert words in lines[0]


def test_benchmarks_offline(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise ConnectionError("no route to the Hub\nmore lines")

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    with pytest.raises(
        NetworkError, match="could not be fetched: no route to the Hub; download it and give --benchmark tfns=PATH"
    ):
        public.read_benchmark("tfns")
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(FileError, match="no text of FiQA"):
        public.read_benchmark("fiqa")
    (tmp_path / "a.csv").write_text("sentence\nhello there\n")
    assert len(public.read_benchmark("fiqa")[1]) == 1


def test_hub_library_is_needed_only_for_the_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"install tapewright\[hub\]"):
        public.read_benchmark("fpb")
