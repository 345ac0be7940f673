"""Supervised fine-tuning: the model learns the answers, token by token."""

from typing import Any

from finetune.data import ANSWERS, Example
from finetune.mask import count_trained, labels_of
from finetune.recipe import Recipe

KIND = ANSWERS


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's SFTTrainer on rows that are encoded already, so that its mask is the one that was shown."""
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    config = SFTConfig(
        **arguments, max_length=recipe.max_length, packing=recipe.packing, eval_packing=False,
        packing_strategy="bfd", dataset_kwargs={"skip_prepare_dataset": not recipe.packing},
    )  # fmt: skip
    count_trained([labels_of(example) for example in train])
    return SFTTrainer(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks,
        train_dataset=_dataset(train), eval_dataset=_dataset(validation) if validation else None,
    )  # fmt: skip


def _dataset(examples: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict({
        "input_ids": [[*example.prompt, *example.answer] for example in examples],
        "labels": [labels_of(example) for example in examples],
    })  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """Loss on the answers of validation, as the weights that are kept have it."""
    found = trainer.evaluate()
    return {"validation_loss": found["eval_loss"]}, [f"validation loss {found['eval_loss']:.4f} nat per token"]
