"""The loss mask as it will be used, shown before training: one example per task, what is learnt marked."""

from collections.abc import Sequence
from typing import Any

from finetune.data import Example
from finetune.failures import TrainingError

IGNORED = -100
TAIL = 60  # characters of the prompt that are shown


def labels_of(example: Example) -> list[int]:
    """Labels of prompt and answer: only tokens of the answer are learnt."""
    return [IGNORED] * len(example.prompt) + example.answer


def count_trained(labels: Sequence[Sequence[int]]) -> int:
    """Tokens that count in the loss. Raises TrainingError where there are none."""
    count = sum(token != IGNORED for line in labels for token in line)
    if not count:
        raise TrainingError("no token would count in the loss: every answer is empty or cut off; look at max_length and the data")  # fmt: skip
    return count


def preview(examples: Sequence[Example], tokenizer: Any, colour: bool) -> list[str]:
    """Lines that show, for the first example of each task, which tokens are learnt; decoded from the labels themselves."""
    lines = []
    seen: set[str] = set()
    for example in examples:
        task = example.row.task_type or "rows"
        if task in seen:
            continue
        seen.add(task)
        labels = labels_of(example)
        ids = [*example.prompt, *example.answer]
        unseen = tokenizer.decode([token for token, label in zip(ids, labels) if label == IGNORED])
        learnt = tokenizer.decode([token for token in labels if token != IGNORED])
        trained = sum(token != IGNORED for token in labels)
        marked = f"\x1b[32m{learnt}\x1b[0m" if colour else f"⟦{learnt}⟧"
        lines.append(f"{task} ({example.place}): {len(ids) - trained} tokens of the prompt are not learnt, {trained} of the answer are")  # fmt: skip
        lines.append(f"  …{unseen[-TAIL:]}{marked}".replace("\n", "\n  "))
    return lines
