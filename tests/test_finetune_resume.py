"""kill -9 at a random step, then --resume: the same weights, bit for bit."""

import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from tapewright import files
from tests.finetune_models import make_model, make_rows, write_rows

STEPS = 10
# One process imports the libraries; each run is a child of it, which can be killed like any other.
_LIBRARIES = ["torch", "trl.trainer.sft_trainer", "trl.trainer.dpo_trainer", "peft", "finetune.train", "cli"]


def _train(arguments):
    import torch

    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    torch.set_num_threads(1)
    import cli

    cli.main(arguments)


def _arguments(tmp, method, adapter, output):
    start = ["--from", str(tmp / "start")] if method == "dpo" else []
    settings = {
        "adapter": adapter, "max_steps": STEPS, "rank": 4, "batch": 4, "effective_batch": 8, "evaluate_every": 2,
        "max_length": 64, "learning_rate": 1e-3, "device": "cpu", "patience": 0,
        **({"embedding_learning_rate": 1e-2} if adapter == "full" else {}),
    }  # fmt: skip
    return [
        "finetune", method, "--data", str(tmp / f"{method}.jsonl"), "--model", str(tmp / "model"), "-o", str(output), "--resume",
        *start, *(part for key, value in settings.items() for part in ("--set", f"{key}={value}")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def start():
    """Starts a run in a child process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LIBRARIES)

    def begin(arguments):
        child = context.Process(target=_train, args=(arguments,))
        child.start()
        return child

    return begin


@pytest.fixture(scope="module")
def ground(tmp_path_factory, start):
    """A base, rows, and an adapter for the preference runs to go on from."""
    tmp = tmp_path_factory.mktemp("resume")
    make_model(tmp / "model")
    write_rows(tmp / "sft.jsonl", make_rows(96))
    write_rows(tmp / "dpo.jsonl", make_rows(96, 2, pairs=True))
    child = start(_arguments(tmp, "sft", "lora", tmp / "start"))
    child.join()
    assert child.exitcode == 0
    return tmp


def _kill_at(child, folder: Path, step: int) -> bool:
    """Kill the run once a checkpoint of `step` or later is whole; says whether it was alive."""
    while child.is_alive():
        if any(int(mark.parent.name.rpartition("-")[2]) >= step for mark in folder.glob("checkpoints/*/COMPLETE")):
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            return True
        time.sleep(0.002)
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "adapter"), [("sft", "lora"), ("sft", "qlora"), ("dpo", "lora"), ("dpo", "qlora"), ("sft", "full")]
)
def test_a_killed_run_ends_with_the_same_weights(ground, start, method, adapter):
    whole, broken = ground / f"{method}-{adapter}-whole", ground / f"{method}-{adapter}-broken"
    child = start(_arguments(ground, method, adapter, whole))
    child.join()
    assert child.exitcode == 0
    step = random.Random().choice([2, 4, 6])
    assert _kill_at(start(_arguments(ground, method, adapter, broken)), broken, step), "over before it could be killed"
    name = "model.safetensors" if adapter == "full" else "adapter_model.safetensors"
    assert not (broken / name).exists()
    child = start(_arguments(ground, method, adapter, broken))
    child.join()
    assert child.exitcode == 0
    assert files.sha256_of(broken / name) == files.sha256_of(whole / name), f"killed after step {step}"
