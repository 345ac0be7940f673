"""Watching a run: its losses, speed and time left; stopping on a loss that is no number; marking whole checkpoints."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from finetune.failures import check_loss

COMPLETE = "COMPLETE"  # written last into a checkpoint: without it a kill may have come between its files
_TO_KEEP = ("loss", "learning_rate", "grad_norm", "num_tokens", "mean_token_accuracy", "entropy", "kl", "reward")
_PREFIXES = ("rewards/", "logps/", "reward", "completions/", "kl", "objective/")


@dataclass
class History:
    """What a run logged: one entry per step, and one per look at validation. `seconds` counts steps only."""

    steps: list[dict[str, float]] = field(default_factory=list)
    looks: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    tokens: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


class Watch(TrainerCallback):
    """Collects the history, shows a bar on a terminal and a line per look at validation elsewhere."""

    def __init__(self, steps: int, history: History) -> None:
        self.steps, self.history = steps, history
        self._started = self._before = 0.0
        self._bar: Any = None
        self._row: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._before = float(state.num_input_tokens_seen or 0)
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._row = self._bar.add_task("training", total=self.steps, completed=state.global_step)
        self._bar.start()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.history.seconds += time.perf_counter() - self._started

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        logs = logs or {}
        if "eval_loss" in logs:
            self.history.looks.append({"step": state.global_step, **_numbers(logs, "eval_")})
            self._say(f"step {state.global_step}/{self.steps}: validation loss {logs['eval_loss']:.4f}")
        elif "loss" in logs:
            check_loss(float(logs["loss"]), state.global_step)
            self.history.steps.append({"step": state.global_step, **_numbers(logs, "")})
            self.history.tokens = float(logs.get("num_tokens", 0.0)) - self._before
            if self._bar:
                speed = f", {self.history.tokens_per_s:,.0f} tokens/s" if self.history.tokens else ""
                self._bar.update(self._row, completed=state.global_step, description=f"loss {float(logs['loss']):.4f}{speed}")  # fmt: skip

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and folder.is_dir():
            mark_complete(folder)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text)
        else:
            sys.stderr.write(text + "\n")


class RankSchedule(TrainerCallback):
    """AdaLoRA moves its ranks between the optimiser's step and the clearing of gradients."""

    def on_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        model.base_model.update_and_allocate(state.global_step)


def mark_complete(folder: Path) -> None:
    """Say that every file of a checkpoint is on disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    (folder / COMPLETE).write_text("")


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end."""
    found = [path for path in folder.glob("checkpoint-*") if (path / COMPLETE).is_file()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _numbers(logs: dict[str, Any], prefix: str) -> dict[str, float]:
    kept = {}
    for key, value in logs.items():
        name = key.removeprefix(prefix)
        if isinstance(value, (int, float)) and (name in _TO_KEEP or name.startswith(_PREFIXES)):
            kept[name] = float(value)
    return kept
