"""How long a run is and what its trainer is told: the arguments that all trainers share."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.models import choose_device, choose_dtype
from finetune.recipe import Recipe

LOOKS = 4  # at validation in a run that does not say how often
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps of the optimiser in all, and how often validation is looked at and a checkpoint written, in steps."""

    steps: int
    evaluate_every: int
    save_every: int


def count_devices() -> int:
    """How many processes train together, as `accelerate launch` says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def plan_run(recipe: Recipe, examples: int, devices: int = 1) -> Plan:
    """The plan of a run over so many examples."""
    per_epoch = math.ceil(examples / (recipe.batch * recipe.accumulation(devices) * devices))
    steps = recipe.max_steps or max(1, math.ceil(per_epoch * recipe.epochs))
    evaluate = recipe.evaluate_every or max(1, steps // LOOKS)
    save = recipe.save_every or evaluate
    if save % evaluate:
        save = evaluate * max(1, save // evaluate)  # the best weights can only be kept where both fall together
    return Plan(steps, evaluate, save)


def shared_arguments(recipe: Recipe, plan: Plan, output: Path, validated: bool) -> dict[str, Any]:
    """What every trainer's configuration takes. Precision and checkpointing are always said: TRL's defaults need a GPU."""
    device = choose_device(recipe.device)
    dtype = choose_dtype(recipe.precision, device)
    optimisers = {
        "adamw": "adamw_torch", "adamw_8bit": "adamw_bnb_8bit", "paged_adamw_8bit": "paged_adamw_8bit",
    }  # fmt: skip
    every = plan.evaluate_every if validated else recipe.save_every or plan.save_every
    arguments: dict[str, Any] = {
        "output_dir": str(output / CHECKPOINTS),
        "per_device_train_batch_size": recipe.batch,
        "per_device_eval_batch_size": recipe.batch,
        "gradient_accumulation_steps": recipe.accumulation(count_devices()),
        "max_steps": plan.steps,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": recipe.scheduler,
        "warmup_steps": math.ceil(recipe.warmup * plan.steps),
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.clip,
        "optim": optimisers[recipe.optimiser],
        "bf16": dtype == "bf16" and device == "cuda",
        "fp16": dtype == "fp16" and device == "cuda",
        "use_cpu": device == "cpu",
        "gradient_checkpointing": recipe.checkpointing,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "save_strategy": "steps",
        "save_steps": plan.save_every if validated else every,
        "save_total_limit": 2,
        "eval_strategy": "steps" if validated else "no",
        "eval_steps": every if validated else None,
        "dataloader_pin_memory": device == "cuda",
        "dataloader_num_workers": 0,
    }
    if recipe.checkpointing:
        arguments["gradient_checkpointing_kwargs"] = {"use_reentrant": False}
    if validated and recipe.patience:
        arguments |= {
            "load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False,
        }  # fmt: skip
    return arguments
