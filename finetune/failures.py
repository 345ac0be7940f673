"""What goes wrong while training, said in one line with the next step."""

import errno
import math
from collections.abc import Iterator
from contextlib import contextmanager

from tapewright.errors import FileError, TapewrightError


class TrainingError(TapewrightError, RuntimeError):
    """A training run that cannot go on: out of memory, a loss that is no number, nothing to train on."""


@contextmanager
def plainly(batch: int, max_length: int, output: str) -> Iterator[None]:
    """Turn the libraries' errors into ours. `batch`, `max_length` and `output` are what the advice names."""
    try:
        yield
    except TapewrightError:
        raise
    except MemoryError as error:
        raise TrainingError(_memory_advice(batch, max_length)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FileError(_disk_advice(output)) from error
        raise FileError(f"cannot write {output}: {error.strerror or error}") from error
    except Exception as error:
        said = str(error).lower()
        if "out of memory" in said or "can't allocate memory" in said or "not enough memory" in said:
            raise TrainingError(_memory_advice(batch, max_length)) from error
        if "no space left" in said or "disk quota" in said or "file write failed" in said:
            raise FileError(_disk_advice(output)) from error
        raise


def check_loss(loss: float, step: int) -> None:
    """Raises TrainingError for a loss that is not a number: nothing learnt after it would be worth keeping."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step}; lower learning_rate, use precision=bf16 or fp32 instead of fp16, "
            "or lower clip. The checkpoints before it are kept"
        )


def _memory_advice(batch: int, max_length: int) -> str:
    smaller = f"--set batch={max(1, batch // 2)}" if batch > 1 else f"--set max_length={max(128, max_length // 2)}"
    return (
        f"out of memory with batch {batch} and max_length {max_length}; try {smaller}, then --set checkpointing=true, "
        "a shorter max_length, or --set adapter=qlora"
    )


def _disk_advice(output: str) -> str:
    return f"no space left on the disk of {output}; free some, or give another --output. Whole checkpoints are kept: --resume goes on"  # fmt: skip
