"""What `finetune` and its subcommands do once their options are parsed."""

import os
import sys
from pathlib import Path
from typing import Any

import orjson

from finetune.recipe import list_recipes, load_recipe, parse_settings
from tapewright.errors import ConfigError

DATA_ADVICE = "name rows with --data, e.g. those of `generate --split train=0.8,val=0.1,test=0.1 -o rows.jsonl`: --data rows-train.jsonl"  # fmt: skip


def run_finetune(
    method: str, recipe: str | None, *, data: tuple[str, ...], validation: tuple[str, ...], model: str, start: str,
    settings: tuple[str, ...], output: Path | None, shape: str, resume: bool, force: bool, dry_run: bool,
) -> None:  # fmt: skip
    """Train by one method, or with `dry_run` say what that would take."""
    _need_libraries()
    overrides: dict[str, Any] = parse_settings(settings)
    if model:
        overrides["model"] = model
    chosen = load_recipe(recipe, overrides, method=method)
    if dry_run:
        from finetune.estimate import estimate_run, tell_estimate

        for line in tell_estimate(estimate_run(chosen, data, shape)):
            _print(line)
        return
    if not data:
        raise ConfigError(DATA_ADVICE)
    from finetune.train import Run, run_training

    target = output or Path("models") / method
    run = Run(
        chosen, data, target, validation, start or None, shape, resume, force, say=_say, colour=sys.stderr.isatty()
    )  # fmt: skip
    report = run_training(run)
    speed = f" at {report['tokens_per_s']:,.0f} tokens/s" if report.get("tokens_per_s") else ""
    _say(f"{target}: {report['steps']['done']:,} steps in {report['seconds']:,.0f} s{speed}; weights, report, plot and card are there")  # fmt: skip


def run_demo(*, output: Path, size: int, seed: int, force: bool, resume: bool) -> None:
    """Everything from rows to two adapters with the embedded model."""
    _need_libraries()
    from finetune.demo import run_all

    run_all(output, size=size, seed=seed, force=force, resume=resume, say=_say)


def run_merge(adapter: str, *, model: str, output: Path, dequantised: bool, dtype: str) -> None:
    """Merge an adapter into its base and say how near the result is."""
    _need_libraries()
    from finetune.merge import merge_adapter, trained_on_four_bits, write_merged

    if trained_on_four_bits(adapter) and not dequantised:
        _say("trained on four bits; --dequantised merges into the rounded weights it was trained on")
    merged = merge_adapter(adapter, model=model or None, dequantised=dequantised, dtype=dtype)
    write_merged(merged, output)
    _say(f"{output}: merged; logits differ by {merged.difference:.2e} of the largest")


def run_export(folder: str, *, output: Path, evaluation: Path | None, dequantised: bool) -> None:
    """Adapter, merged model and card in one folder."""
    _need_libraries()
    from finetune.export import export_run

    difference = export_run(folder, output, evaluation=evaluation, dequantised=dequantised)
    _say(f"{output}: adapter/, merged/ and README.md; merging moved the logits by {difference:.2e} of the largest")


def run_push_model(folder: Path, *, repo: str, private: bool, pull_request: bool, revision: str, overwrite: bool, dry_run: bool, token_stdin: bool) -> None:  # fmt: skip
    """Push an exported folder; the commit's address goes to stdout."""
    from converters.hub.repository import Target, connect
    from finetune.push import plan_push, push_model

    hub, target = connect(token_stdin=token_stdin), Target(repo, "model", revision)
    if dry_run:
        plan = plan_push(hub, target, folder, private=private, overwrite=overwrite)
        for what, paths in (("add", plan.adds), ("change", plan.changes)):
            for path in paths:
                _say(f"{what} {path}")
        _say("one commit would be made" if plan.adds or plan.changes else "nothing would be committed")
        return
    if not hub.token:
        raise ConfigError(
            "there is no token: log in with `hf auth login`, or give one in HF_TOKEN or with --token-stdin"
        )
    outcome = push_model(hub, target, folder, private=private, pull_request=pull_request, overwrite=overwrite, say=_say)
    if not outcome.made:
        _say(f"{target} holds exactly this already; no commit was made")
        return
    _print(outcome.pull_request or outcome.url)


def run_pairs(
    *, model: str, data: tuple[str, ...], output: Path, samples: int, length: int, temperature: float, seed: int,
    rows: int, shape: str,
) -> None:  # fmt: skip
    """Pairs of a model's own answers."""
    _need_libraries()
    from finetune.models import load_model
    from finetune.pairs import make_pairs

    tally = make_pairs(
        load_model(model), data, output, samples=samples, length=length, temperature=temperature, seed=seed, rows=rows,
        shape=shape,
    )  # fmt: skip
    _say(f"{tally.answers:,} answers to {tally.prompts:,} prompts, {tally.accepted:,} different ones accepted")
    for reason, count in tally.without.most_common():
        _say(f"no pair for {count:,} prompts: {reason}")
    _say(f"{output}: {tally.pairs:,} pairs  sha256 {tally.sha256}")


def list_all_recipes(as_json: bool) -> None:
    """The recipes that come along."""
    found = {name: load_recipe(name) for name in list_recipes()}
    if as_json:
        sys.stdout.buffer.write(orjson.dumps({n: r.model_dump() for n, r in found.items()}, option=orjson.OPT_INDENT_2) + b"\n")  # fmt: skip
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "what for", "model", "adapter", "batch", "length", title="Recipes")
    for name, recipe in found.items():
        adapter = recipe.adapter if recipe.quantisation == "none" else f"{recipe.adapter}, {recipe.quantisation}"
        batch = f"{recipe.batch}×{recipe.accumulation(max(1, recipe.gpus))}"
        table.add_row(name, recipe.summary, recipe.model or "embedded", adapter, batch, str(recipe.max_length))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _need_libraries() -> None:
    """Raises ConfigError where the training libraries are not installed."""
    import importlib.util

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    missing = [name for name in ("torch", "transformers", "trl", "peft") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"training needs {', '.join(missing)}: pip install 'tapewright[finetune]'")
    import warnings

    warnings.filterwarnings("ignore")  # the libraries' advice to each other; ours comes as errors


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
