"""Kahneman-Tversky optimisation: answers that are labelled right or wrong one by one, or the two halves of pairs."""

from typing import Any

from finetune.data import LABELLED, Example
from finetune.recipe import Recipe

KIND = LABELLED


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's KTOTrainer on answers that are encoded already."""
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.kto_trainer import KTOTrainer

    class EncodedAnswers(KTOTrainer):
        """Takes the ids as they come."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    config = KTOConfig(**arguments, max_length=recipe.max_length, beta=recipe.beta)
    return EncodedAnswers(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks,
        train_dataset=_dataset(train, recipe.batch), eval_dataset=_dataset(validation, recipe.batch) if validation else None,
    )  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """Loss and mean rewards on validation."""
    found = trainer.evaluate()
    rewards = {key.removeprefix("eval_"): value for key, value in found.items() if key.startswith("eval_rewards/")}
    shown = ", ".join(f"{key} {value:.3f}" for key, value in sorted(rewards.items()))
    return {"validation_loss": found["eval_loss"], "rewards": rewards}, [
        f"validation loss {found['eval_loss']:.4f}, {shown}"
    ]


def split_pairs(examples: list[Example]) -> list[tuple[list[int], list[int], bool]]:
    """(prompt, answer, label) of labelled answers; a pair gives two."""
    made = []
    for example in examples:
        made.append((example.prompt, example.answer, example.label))
        if example.rejected:
            made.append((example.prompt, example.rejected, False))
    return made


def _dataset(examples: list[Example], batch: int) -> Any:
    """With each answer its neighbour's: the KL term is estimated from prompts and answers that do not belong together."""
    from datasets import Dataset

    answers = split_pairs(examples)
    others: list[list[int]] = []
    for start in range(0, len(answers), batch):
        part = [answer for _, answer, _ in answers[start : start + batch]]
        others += [part[-1], *part[:-1]]
    return Dataset.from_dict({
        "prompt_ids": [prompt for prompt, _, _ in answers],
        "completion_ids": [answer for _, answer, _ in answers],
        "KL_completion_ids": others,
        "label": [label for _, _, label in answers],
    })  # fmt: skip
