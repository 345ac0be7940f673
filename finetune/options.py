"""The options of `finetune` and its subcommands; nothing else is imported until one of them runs."""

from pathlib import Path
from typing import Any

import click


@click.group(invoke_without_command=True)
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=Path("models/demo"), help="Folder for data, base and adapters.")  # fmt: skip
@click.option("--size", "-n", default=0, help="Rows to generate; 0 for as many as the demo takes.")
@click.option("--seed", default=42, help="Seed of the rows and of the training.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint.")
@click.option("--force", is_flag=True, help="Train anew where a finished run lies.")
@click.pass_context
def finetune(ctx: click.Context, **options: Any) -> None:
    """Train a model; alone: generate rows, then SFT and DPO with the embedded tiny model, offline on a CPU."""
    if ctx.invoked_subcommand is None:
        from finetune.command import run_demo

        run_demo(**options)


def _add_method(name: str, summary: str) -> None:
    """One subcommand per method; all take the same options."""

    @finetune.command(name, help=summary)
    @click.argument("recipe", required=False)
    @click.option("--data", multiple=True, metavar="FILE", help="Rows to train on, any shape; may be repeated.")
    @click.option("--validation", multiple=True, metavar="FILE", help="Default: the -val file beside a -train file, or a part held out.")  # fmt: skip
    @click.option("--model", default="", help="Folder or Hub name of the base; default the recipe's, else the embedded one.")  # fmt: skip
    @click.option("--from", "start", default="", metavar="ADAPTER", help="Go on from this adapter, e.g. models/sft.")
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key of the recipe; may be repeated.")  # fmt: skip
    @click.option("--output", "-o", type=click.Path(path_type=Path), default=None, help=f"Folder for the result; default models/{name}.")  # fmt: skip
    @click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
    @click.option("--resume", is_flag=True, help="Go on from the last checkpoint; the result is the same, bit for bit.")
    @click.option("--force", is_flag=True, help="Train anew where another or a finished run lies.")
    @click.option("--dry-run", is_flag=True, help="Print parameters, memory by part, steps and tokens; train nothing.")
    def train(recipe: str | None, **options: Any) -> None:
        from finetune.command import run_finetune

        run_finetune(name, recipe, **options)


for _name, _summary in (
    ("sft", "Supervised fine-tuning: the model learns the answers."),
    ("dpo", "Preference pairs: the chosen answer up, the rejected one down."),
    ("orpo", "Answers and preferences in one run, without a reference model."),
    ("kto", "Answers that are labelled right or wrong, one by one."),
    ("reward", "A reward model from preference pairs."),
    ("rloo", "Reinforcement learning from sampled answers (REINFORCE, leave one out)."),
    ("grpo", "Reinforcement learning from sampled answers; by default the checker is the reward."),
    ("classify", "Sentiment labels: a classifier with class weights and macro F1."),
):
    _add_method(_name, _summary)


@finetune.command()
@click.argument("adapter")
@click.option("--model", default="", help="Another copy of the base; default what the adapter names.")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder for the merged model.")
@click.option("--dequantised", is_flag=True, help="Merge into the 4-bit weights written out in full, as QLoRA was trained on.")  # fmt: skip
@click.option("--dtype", default="auto", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), help="Precision of the result.")  # fmt: skip
def merge(adapter: str, **options: Any) -> None:
    """Merge an adapter into its full-precision base; logits are compared before anything is written."""
    from finetune.command import run_merge

    run_merge(adapter, **options)


@finetune.command()
@click.argument("folder")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder for adapter/, merged/ and README.md.")  # fmt: skip
@click.option("--evaluation", type=click.Path(dir_okay=False, path_type=Path), default=None, help="JSON report of evaluate for the card.")  # fmt: skip
@click.option("--dequantised", is_flag=True, help="As in merge.")
def export(folder: str, **options: Any) -> None:
    """Write a finished run's adapter, merged model and model card to one folder."""
    from finetune.command import run_export

    run_export(folder, **options)


@finetune.command("push-model")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--repo", required=True, metavar="USER/NAME", help="Model repository; made where it is missing.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--pr", "pull_request", is_flag=True, help="Open a pull request instead of committing to main.")
@click.option("--revision", default="", help="Branch to commit to; default main.")
@click.option("--overwrite", is_flag=True, help="Replace files that the last push did not leave so.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--token-stdin", is_flag=True, help="Read the token from stdin; otherwise HF_TOKEN or the login store.")
def push_model(folder: Path, **options: Any) -> None:
    """Push what export wrote to the Hub, in one commit."""
    from finetune.command import run_push_model

    run_push_model(folder, **options)


@finetune.command()
@click.option("--from", "model", required=True, metavar="MODEL", help="Folder of a model or adapter, or a Hub name.")
@click.option("--data", multiple=True, required=True, metavar="FILE", help="Rows of our tasks, whose prompts are asked.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.jsonl[.gz|.zst] or FILE.parquet.")  # fmt: skip
@click.option("--samples", default=8, help="Answers to each prompt.")
@click.option("--length", default=512, help="Longest answer in tokens.")
@click.option("--temperature", default=1.0, help="Of sampling.")
@click.option("--rows", default=0, help="Only the first so many prompts; 0 for all.")
@click.option("--seed", default=42, help="Of sampling.")
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
def pairs(**options: Any) -> None:
    """Make preference pairs of a model's own answers: the checker accepts one and refuses the other."""
    from finetune.command import run_pairs

    run_pairs(**options)


@finetune.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def recipes(as_json: bool) -> None:
    """List the recipes that come along."""
    from finetune.command import list_all_recipes

    list_all_recipes(as_json)
