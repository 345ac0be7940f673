"""kill -9 at a random step, then --resume: the same weights, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tapewright import files
from tests.finetune_models import make_model, make_rows, write_rows

ROOT = Path(__file__).parent.parent
STEPS = 8


def _command(tmp, method, adapter, output):
    start = ["--from", str(tmp / "sft")] if method == "dpo" else []
    return [
        sys.executable, str(ROOT / "cli.py"), "finetune", method, "--data", str(tmp / f"{method}.jsonl"), "--model", str(tmp / "model"),
        "-o", str(output), "--resume", *start, "--set", f"adapter={adapter}", "--set", f"max_steps={STEPS}", "--set", "rank=4",
        "--set", "batch=4", "--set", "effective_batch=8", "--set", "evaluate_every=2", "--set", "max_length=64",
        "--set", "learning_rate=1e-3", "--set", "device=cpu",
    ]  # fmt: skip


def _run(command, kill_after=None, folder=None):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TAPEWRIGHT_TRACEBACK": "1"}
    if kill_after is None:
        subprocess.run(command, check=True, capture_output=True, env=env)
        return True
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    marks = Path(folder) / "checkpoints"
    while process.poll() is None:
        if len(list(marks.glob("*/COMPLETE"))) >= 1:
            time.sleep(kill_after)
            break
        time.sleep(0.005)
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return not alive


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A base, rows, and an adapter for the preference runs to go on from, per kind of base."""
    tmp = tmp_path_factory.mktemp("resume")
    make_model(tmp / "model")
    write_rows(tmp / "sft.jsonl", make_rows(80))
    write_rows(tmp / "dpo.jsonl", make_rows(80, 2, pairs=True))
    _run(_command(tmp, "sft", "lora", tmp / "sft"))
    return tmp


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["lora", "qlora"])
@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_a_killed_run_ends_with_the_same_weights(started, method, adapter):
    whole, broken = started / f"{method}-{adapter}-whole", started / f"{method}-{adapter}-broken"
    _run(_command(started, method, adapter, whole))
    chance = random.Random(f"{method}/{adapter}")
    finished = _run(_command(started, method, adapter, broken), kill_after=chance.random() * 0.3, folder=broken)
    assert not finished, "the run was over before it could be killed: nothing is tested"
    assert not (broken / "adapter_model.safetensors").exists()
    _run(_command(started, method, adapter, broken))
    name = "adapter_model.safetensors"
    assert files.sha256_of(broken / name) == files.sha256_of(whole / name)
    assert files.sha256_of(whole / name) != files.sha256_of(started / "sft" / name)
