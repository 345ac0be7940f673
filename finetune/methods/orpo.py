"""Odds-ratio preference optimisation: answers and preferences in one loss, without a reference model."""

from typing import Any

from finetune.data import PAIRS, Example
from finetune.prompts import render_answer, render_prompt
from finetune.recipe import Recipe

KIND = PAIRS


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's ORPOTrainer; it encodes prompt and answer together and takes only texts."""
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    config = ORPOConfig(**arguments, max_length=recipe.max_length, beta=recipe.beta)
    return ORPOTrainer(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks,
        train_dataset=_dataset(train, tokenizer), eval_dataset=_dataset(validation, tokenizer) if validation else None,
    )  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """Loss and how often the chosen answer has the better odds, on validation."""
    found = trainer.evaluate()
    accuracy = found.get("eval_rewards/accuracies", 0.0)
    return {"validation_loss": found["eval_loss"], "accuracy": accuracy}, [
        f"validation loss {found['eval_loss']:.4f}, chosen above rejected in {accuracy:.1%}"
    ]


def _dataset(examples: list[Example], tokenizer: Any) -> Any:
    from datasets import Dataset

    return Dataset.from_dict({
        "prompt": [render_prompt(example.row, tokenizer) for example in examples],
        "chosen": [render_answer(example.row, tokenizer) for example in examples],
        "rejected": [render_answer(example.row, tokenizer, example.row.rejected) for example in examples],
    })  # fmt: skip
