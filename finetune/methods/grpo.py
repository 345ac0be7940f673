"""Group relative policy optimisation: several answers to a prompt, each learnt from by how it compares with the others.

The objective is PPO's, clipped; TRL keeps it and RLOO where it has dropped PPO itself.
"""

from typing import Any

from finetune.data import PROMPTS, Example
from finetune.methods.sampling import encode, measure_rewards, prompts_dataset, reward_of, sampling_arguments
from finetune.recipe import Recipe

__all__ = ["KIND", "encode", "make_trainer", "measure"]
KIND = PROMPTS


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's GRPOTrainer with the checker, or a reward model, as its reward."""
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    from finetune.methods.sampling import as_rendered

    config = GRPOConfig(**sampling_arguments(arguments, recipe), beta=recipe.beta)
    return as_rendered(GRPOTrainer)(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks, reward_funcs=reward_of(train, recipe),
        train_dataset=prompts_dataset(train, tokenizer),
    )  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """Mean reward of the first and of the last steps."""
    return measure_rewards(trainer)
