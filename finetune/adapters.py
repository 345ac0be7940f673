"""The small part that is trained: LoRA and its relatives, prefix and prompt tuning, or the whole model."""

from typing import Any

from finetune.models import Loaded
from finetune.recipe import Recipe
from tapewright.errors import ConfigError


def attach(loaded: Loaded, recipe: Recipe, *, task: str = "CAUSAL_LM", steps: int = 0) -> Any:
    """The model with a fresh adapter as the recipe asks, trainable parameters in fp32.

    `steps` is the length of the run, which AdaLoRA plans its ranks by. Raises ConfigError where the architecture has
    none of the modules named in `targets`.
    """
    model = loaded.model
    if recipe.adapter == "full":
        model.requires_grad_(True)
        return model
    if recipe.quantisation == "nf4":
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.checkpointing)
    from peft import get_peft_model

    try:
        model = get_peft_model(model, adapter_config(recipe, task, steps))
    except ValueError as error:
        targets = ", ".join(recipe.targets)
        raise ConfigError(f"this model has no modules {targets}; use --set targets=all-linear, or its own names ({str(error).splitlines()[0][:120]})") from error  # fmt: skip
    train_in_fp32(model)
    return model


def adapter_config(recipe: Recipe, task: str, steps: int) -> Any:
    """The peft configuration of a recipe."""
    import peft

    kind: Any = getattr(peft.TaskType, task)
    if recipe.adapter == "prefix":
        return peft.PrefixTuningConfig(task_type=kind, num_virtual_tokens=recipe.virtual_tokens)
    if recipe.adapter == "prompt":
        return peft.PromptTuningConfig(task_type=kind, num_virtual_tokens=recipe.virtual_tokens)
    targets: Any = recipe.targets
    if targets in (["auto"], ["all-linear"]):
        targets = None if targets == ["auto"] else "all-linear"
    shared: dict[str, Any] = {
        "task_type": kind, "lora_alpha": recipe.alpha, "lora_dropout": recipe.dropout, "target_modules": targets,
    }  # fmt: skip
    if recipe.adapter == "adalora":
        total = max(steps, 10)
        return peft.AdaLoraConfig(
            **shared, init_r=recipe.rank, target_r=max(1, recipe.rank // 2), total_step=total,
            tinit=total // 5, tfinal=total // 5, deltaT=max(1, total // 50),
        )  # fmt: skip
    return peft.LoraConfig(**shared, r=recipe.rank, use_dora=recipe.adapter == "dora", bias="none")


def train_in_fp32(model: Any) -> None:
    """Every trainable parameter in fp32.

    TRL casts an adapter on a 4-bit base to bf16, and resuming loads it as fp32: the run after a resume is then another
    one than the run without. In fp32 throughout, both give the same bits, and small updates are not lost either.
    """
    import torch

    for parameter in model.parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()
