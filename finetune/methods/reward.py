"""A reward model from preference pairs: one number per answer, higher for the chosen one."""

from typing import Any

from finetune.data import PAIRS, Example, Source
from finetune.models import Loaded, load_scorer
from finetune.recipe import Recipe

KIND = PAIRS
TASK = "SEQ_CLS"


def load(recipe: Recipe, start: str | None, source: Source) -> Loaded:
    """The base with a head of one number."""
    return load_scorer(
        recipe.model or None, 1, adapter=start, quantisation=recipe.quantisation, dtype=recipe.precision,
        device=recipe.device, response_format=recipe.response_format, trainable=True,
    )  # fmt: skip


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's RewardTrainer on pairs that are encoded already."""
    from trl.trainer.reward_config import RewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    config = RewardConfig(**arguments, max_length=recipe.max_length)
    return RewardTrainer(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks,
        train_dataset=_dataset(train), eval_dataset=_dataset(validation) if validation else None,
    )  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """How often the chosen answer of a pair of validation is scored above the rejected one."""
    found = trainer.evaluate()
    accuracy = found.get("eval_accuracy", 0.0)
    return {"validation_loss": found["eval_loss"], "accuracy": accuracy}, [
        f"validation loss {found['eval_loss']:.4f}, chosen above rejected in {accuracy:.1%} of {len(validation):,} pairs"
    ]


def _dataset(examples: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict({
        "chosen_ids": [[*example.prompt, *example.answer] for example in examples],
        "rejected_ids": [[*example.prompt, *example.rejected] for example in examples],
    })  # fmt: skip
