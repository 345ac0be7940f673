"""Only the positions that count go through the vocabulary, on a CPU too.

TRL's loss skips masked positions where Triton runs; elsewhere it scores every position of prompt and padding, of which
the loss uses none, because some accelerators compile anew for each shape. A CPU does not, and with short answers to long
prompts that is most of the work. The losses are the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def score_answers_only(device: str) -> Iterator[None]:
    """Within it, TRL's fused head on a CPU takes the unmasked positions alone. Nothing changes on other devices."""
    from trl.trainer import utils

    name = "_use_triton"  # what the head asks to know whether shapes may vary; the kernels have a name of their own
    before = getattr(utils, name, None)
    if device != "cpu" or before is None:
        yield
        return

    def shapes_may_vary(device: Any) -> bool:
        return device.type == "cpu" or before(device)

    setattr(utils, name, shapes_may_vary)
    try:
        yield
    finally:
        setattr(utils, name, before)
