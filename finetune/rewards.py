"""The verifier as a reward: a number between 0 and 1 for an answer to a row of one of our tasks.

    reward = recall × precision × soundness × brevity

`recall` and `precision` are of the slots the task requires and the prompt does not print: stated with the right value,
among those required and among those stated. A slot counts once however often it is said, a range of guesses makes it
wrong, and what the prompt prints earns nothing. An answer that states none of its slots rightly gets 0. `soundness`
halves for each error the checker finds besides, so invented numbers, broken arithmetic, promises and missing warnings
cost. `brevity` falls off where an answer is longer than LONGER times the row's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

from finetune.evaluation.slots import SlotScore, score_answer
from tapewright.rows import Row
from templates.specs import list_tasks, load_spec

LEAST_RECALL = 0.25  # of the required slots; below it nothing else counts
LONGER = 1.5  # times the row's own answer, up to where length costs nothing
SHORTEST = 240  # characters any answer may have
Reward = Callable[..., list[float]]


def reward_answer(row: Row, answer: str) -> float:
    """The reward of one answer, between 0 and 1. Rows of no task of ours are judged by the checker's findings alone."""
    if not answer.strip() or row.task_type not in list_tasks():
        return 0.0
    score = score_answer(row.instruction, row.input, answer, load_spec(row.task_type), row.facts, row.output)
    if not score.required or score.recall < LEAST_RECALL:
        return 0.0
    return score.recall * score.precision * _soundness(score) * _brevity(answer, row.output)


def verifier_reward(rows: Sequence[Row]) -> Reward:
    """A reward function for TRL's trainers; the column `row` of the dataset says which of `rows` was asked."""

    def verifier(completions: Sequence[str], row: Sequence[int], **_: Any) -> list[float]:
        return [reward_answer(rows[number], text) for number, text in zip(row, completions)]

    return verifier


def model_reward(folder: str, rows: Sequence[Row], device: str) -> Reward:
    """A reward function that asks a reward model made by `finetune reward`."""
    from finetune.models import load_scorer
    from finetune.prompts import encode_answer, encode_prompt

    scorer = load_scorer(folder, 1, device=device)

    def reward_model(completions: Sequence[str], row: Sequence[int], **_: Any) -> list[float]:
        import torch

        scores = []
        with torch.inference_mode():
            for number, text in zip(row, completions):
                ids = [*encode_prompt(rows[number], scorer), *encode_answer(rows[number], scorer, text)]
                scores.append(scorer.model(input_ids=torch.tensor([ids], device=scorer.device)).logits[0, 0].item())
        return scores

    return reward_model


def _soundness(score: SlotScore) -> float:
    """Halved for each error besides wrong and missing slots, which recall and precision count already."""
    errors = sum(finding.severity == "error" for finding in score.findings)
    return 0.5 ** max(0, errors - score.wrong - score.missing)


def _brevity(answer: str, reference: str) -> float:
    """1 up to the length that is free, then down as its inverse."""
    free = max(SHORTEST, LONGER * len(reference))
    return min(1.0, free / len(answer))
