"""Shared by the tests: the bundled tape, opened once per process; a Hub, rows for it, and the command line."""

import json
import os
import time

import pytest
from local_hub import WRITER, LocalHub

from cli import cli
from cli import main as start


@pytest.fixture(scope="session")
def tape():
    from market.tape import load

    return load()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Generated rows in three shapes and splits, with their manifests."""
    folder = tmp_path_factory.mktemp("made")
    for name, shape, size, seed in (("instruction", "alpaca", 60, 3), ("preference", "preference", 20, 4), ("conversation", "sharegpt", 20, 5)):  # fmt: skip
        call = ["generate", "-n", str(size), "--seed", str(seed), "--format", shape, "--tasks", "sentiment_analysis=0.5,explain_concept=0.5"]  # fmt: skip
        cli.main([*call, "--split", "train=0.8,val=0.1,test=0.1", "-o", str(folder / f"{name}.jsonl"), "-j", "1"], standalone_mode=False)  # fmt: skip
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub, and an environment in which ours is the only one."""
    for name in os.environ:
        if name.startswith("HF_") or "proxy" in name.lower():
            monkeypatch.delenv(name)
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-login"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.chdir(tmp_path)
    with LocalHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield server


@pytest.fixture
def run(capsys):
    """Runs the command line in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        capsys.readouterr()
        try:
            start([str(one) for one in arguments])
            code = 0
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def rows(tmp_path):
    """Writes rows that are in order, `n` of them, to a file named for a split."""

    def write(name="rows-train.jsonl", n=4, **more):
        records = [
            {"id": str(i), "instruction": f"How many legs have {i} spiders and {i + 1} cats in all?", "output": f"They have {12 * i + 4} legs, I think.", **more}
            for i in range(n)
        ]  # fmt: skip
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return write
