"""Direct preference optimisation: the chosen answer up, the rejected one down, held near the model it began as."""

from typing import Any

from finetune.data import PAIRS, Example
from finetune.preferences import read_pairs, summarise, tell
from finetune.recipe import Recipe

KIND = PAIRS


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """TRL's DPOTrainer on pairs that are encoded already."""
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    class EncodedPairs(DPOTrainer):
        """Takes the ids as they come: encoding them again could split the prompt's last token differently."""

        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

    config = DPOConfig(
        **arguments, max_length=recipe.max_length, beta=recipe.beta, loss_type=list(recipe.loss_type),
        loss_weights=list(recipe.loss_weights),
    )  # fmt: skip
    return EncodedPairs(
        model=model, args=config, processing_class=tokenizer, callbacks=callbacks,
        train_dataset=pairs_dataset(train), eval_dataset=pairs_dataset(validation) if validation else None,
    )  # fmt: skip


def pairs_dataset(examples: list[Example]) -> Any:
    """Prompt, chosen and rejected ids, each a column."""
    from datasets import Dataset

    return Dataset.from_dict({
        "prompt_ids": [example.prompt for example in examples],
        "chosen_ids": [example.answer for example in examples],
        "rejected_ids": [example.rejected for example in examples],
    })  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """What training did to the pairs of validation: the report's part and its lines."""
    found = summarise(read_pairs(trainer, validation, recipe.batch), recipe.beta)
    return {"preferences": found}, tell(found)
