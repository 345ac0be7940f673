"""One training run, from rows to a folder that says what is in it."""

import importlib
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finetune.adapters import attach, train_in_fp32
from finetune.answer_head import score_answers_only
from finetune.data import PROMPTS, Example, Source, encode_rows, hold_out, read_source, require
from finetune.failures import TrainingError, plainly
from finetune.keep import save_trained, start_run, write_report
from finetune.mask import preview
from finetune.models import Loaded, load_model
from finetune.optimiser import rate_embedding
from finetune.plan import CHECKPOINTS, Plan, count_devices, plan_run, shared_arguments
from finetune.recipe import Recipe
from finetune.watch import History, RankSchedule, Watch, last_checkpoint


@dataclass(slots=True)
class Run:
    """What a run is given and what became of it. `start` is an adapter to go on from.

    `hold_out` validates on a part of the data even where a `-val` file lies beside it.
    """

    recipe: Recipe
    data: Sequence[str]
    output: Path
    validation: Sequence[str] = ()
    start: str | None = None
    shape: str = ""
    resume: bool = False
    force: bool = False
    say: Callable[[str], None] = print
    colour: bool = False
    hold_out: bool = False
    loaded: Loaded | None = None
    train: list[Example] = field(default_factory=list)
    held: list[Example] = field(default_factory=list)
    history: History = field(default_factory=History)
    report: dict[str, Any] = field(default_factory=dict)


def run_training(run: Run) -> dict[str, Any]:
    """Train as the recipe says and return the report that was written to `train_report.json`.

    Raises ConfigError, FileError or TrainingError, each one line with the next step.
    """
    recipe = run.recipe
    method = importlib.import_module(f"finetune.methods.{recipe.method}")
    source, validation = read_both(run, method.KIND)
    identity = {"recipe": recipe.model_dump(), "data": source.sha256, "validation": validation.sha256, "start": _name(run.start)}  # fmt: skip
    done = start_run(run.output, identity, run.resume, run.force)
    if done is not None:
        run.say(f"{run.output} is finished already; --force trains anew")
        return done
    with plainly(recipe.batch, recipe.max_length, str(run.output)):
        run.loaded = loaded = (
            method.load(recipe, run.start, source) if hasattr(method, "load") else load(recipe, run.start)
        )
        encode_both(run, source, validation, method)
        plan = plan_run(recipe, len(run.train), count_devices())
        tell_data(run, source, plan, masked=not hasattr(method, "TASK"))
        model = _prepared(run, plan, getattr(method, "TASK", "CAUSAL_LM"))
        with score_answers_only(loaded.model.device.type):
            trainer = _trainer(run, method, model, plan)
            train_in_fp32(trainer.model)  # what the trainer cast to bf16 on a 4-bit base
            result = _train(run, trainer)
            asked = run.held or method.KIND == PROMPTS
            measured, lines = method.measure(trainer, run.held, recipe) if asked else ({}, [])
        loaded.model = trainer.model
        weights = save_trained(run.output, loaded, recipe, source, identity)
    report = _report(run, source, plan, result, weights) | measured
    for line in lines:
        run.say(line)
    run.report = report
    write_report(run.output, report, run.history)
    shutil.rmtree(run.output / CHECKPOINTS, ignore_errors=True)
    return report


def read_both(run: Run, kind: str) -> tuple[Source, Source]:
    """The rows to train on and those to validate on: a file of their own, the `-val` beside `-train`, or a part held out."""
    source = read_source(run.data, kind, run.shape)
    if kind == PROMPTS:  # answers are sampled anew each step: there is no loss to stop early on
        return source, Source([], "")
    if run.validation:
        return source, read_source(run.validation, kind, run.shape)
    beside = [path for name in run.data if (path := _sibling(name)) is not None]
    if beside and len(beside) == len(run.data) and not run.hold_out:
        return source, read_source(beside, kind, run.shape)
    return hold_out(source, run.recipe.seed)


def load(recipe: Recipe, start: str | None) -> Loaded:
    """The base of a recipe, with the adapter to go on from."""
    return load_model(
        recipe.model or None, adapter=start, quantisation=recipe.quantisation, dtype=recipe.precision,
        device=recipe.device, response_format=recipe.response_format, trainable=True,
    )  # fmt: skip


def encode_both(run: Run, source: Source, validation: Source, method: Any) -> None:
    """Fill `train` and `held`; what is too long joins the rows left out."""
    recipe = run.recipe
    encode = method.encode if hasattr(method, "encode") else encode_rows
    run.train, left = encode(source, run.loaded, recipe.max_length)
    require(run.train, left, "train")
    source.left += left
    run.held, left = encode(validation, run.loaded, recipe.max_length)
    if validation.rows and not run.held:
        require(run.held, left, "validation")
    source.left += [(f"validation {place}", reason) for place, reason in left]


def tell_data(run: Run, source: Source, plan: Plan, *, masked: bool) -> None:
    """Say what is trained on, what is left out and why, and show the mask."""
    assert run.loaded is not None
    for line in summarise_left(source.left):
        run.say(line)
    rows = len(run.train) + len(run.held) + len(source.left)
    run.say(f"{rows:,} rows in = {len(run.train):,} to train on + {len(run.held):,} to validate on + {len(source.left):,} left out")  # fmt: skip
    if masked and run.train[0].answer:
        run.say("What is learnt, one example per task:")
        for line in preview(run.train, run.loaded.tokenizer, run.colour):
            run.say(line)
    run.say(f"{run.loaded.name}: {plan.steps:,} steps of {run.recipe.effective_batch} rows")


def summarise_left(left: list[tuple[str, str]]) -> list[str]:
    """One line per kind of reason, with its count and the first places."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for place, reason in left:
        kinds.setdefault("too long" if "max_length" in reason else reason, []).append((place, reason))
    lines = []
    for found in kinds.values():
        places = ", ".join(place for place, _ in found[:5]) + (", …" if len(found) > 5 else "")
        lines.append(f"left out {len(found):,}: {found[0][1]} ({places})")
    return lines


def _prepared(run: Run, plan: Plan, task: str) -> Any:
    """The model to train: a fresh adapter on the base, or the one it goes on from."""
    from transformers import set_seed

    loaded, recipe = run.loaded, run.recipe
    assert loaded is not None
    set_seed(recipe.seed)  # the adapter's first weights
    if run.start is None:
        return attach(loaded, recipe, task=task, steps=plan.steps)
    if recipe.quantisation == "nf4":
        from peft import prepare_model_for_kbit_training

        base = loaded.model.get_base_model()
        prepare_model_for_kbit_training(base, use_gradient_checkpointing=recipe.checkpointing)
        for name, parameter in loaded.model.named_parameters():
            if ".default" in name:
                parameter.requires_grad = True
    train_in_fp32(loaded.model)
    return loaded.model


def _trainer(run: Run, method: Any, model: Any, plan: Plan) -> Any:
    from transformers import EarlyStoppingCallback, PrinterCallback

    recipe, loaded = run.recipe, run.loaded
    assert loaded is not None
    callbacks: list[Any] = [Watch(plan.steps, run.history)]
    if recipe.adapter == "adalora":
        callbacks.append(RankSchedule())
    if run.held and recipe.patience:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    arguments = shared_arguments(recipe, plan, run.output, bool(run.held))
    trainer = method.make_trainer(model, loaded.tokenizer, run.train, run.held, recipe, arguments, callbacks)
    trainer.remove_callback(PrinterCallback)
    if recipe.embedding_learning_rate and recipe.adapter == "full":
        rate_embedding(trainer, recipe.embedding_learning_rate)
    elif recipe.embedding_learning_rate:
        run.say(f"embedding_learning_rate has no effect: {recipe.adapter} does not train the embedding")
    return trainer


def _train(run: Run, trainer: Any) -> Any:
    checkpoints = run.output / CHECKPOINTS
    last = last_checkpoint(checkpoints)
    if last is not None:
        run.say(f"going on from {last.name}")
    for path in checkpoints.glob("checkpoint-*"):
        if last is None or int(path.name.rpartition("-")[2]) > int(last.name.rpartition("-")[2]):
            shutil.rmtree(path)  # cut off while it was being written
    result = trainer.train(resume_from_checkpoint=str(last) if last else None)
    if not math.isfinite(result.training_loss):
        raise TrainingError(f"the mean loss is {result.training_loss}; lower learning_rate")
    return result


def _report(run: Run, source: Source, plan: Plan, result: Any, weights: dict[str, str]) -> dict[str, Any]:
    loaded, history = run.loaded, run.history
    assert loaded is not None
    trained = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    return {
        "method": run.recipe.method,
        "recipe": run.recipe.model_dump(),
        "base": {
            "name": loaded.name if not loaded.adapter else _name(loaded.source),
            "fingerprint": loaded.fingerprint,
        },
        "response_format": loaded.response_format,
        "data": {"files": source.files, "sha256": source.sha256},
        "rows": {"train": len(run.train), "validation": len(run.held), "left_out": len(source.left)},
        "left_out": [{"place": place, "reason": reason} for place, reason in source.left[:1000]],
        "parameters": {"trained": trained, "all": sum(parameter.numel() for parameter in loaded.model.parameters())},
        "steps": {"planned": plan.steps, "done": int(result.global_step)},
        "loss": result.training_loss,
        "seconds": round(history.seconds, 2),
        "tokens": int(history.tokens),
        "tokens_per_s": round(history.tokens_per_s, 1),
        "history": history.steps,
        "validation": history.looks,
        "weights": weights,
    }


def _sibling(name: str) -> str | None:
    path = Path(name)
    other = path.with_name(path.name.replace("-train.", "-val."))
    return str(other) if other != path and other.is_file() else None


def _name(source: str | None) -> str:
    from finetune.models import model_name

    return model_name(source) if source else ""
