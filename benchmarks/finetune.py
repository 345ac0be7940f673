"""Our SFT and DPO against TRL's own trainers: same model, rows, settings and seed, in turn.

python -m benchmarks.finetune [--rows 200] [--steps 20] prints tokens per second of each, of ours with packing for sft, and
how far the loss curves of the first two lie apart. TRL is given the texts that our template renders and encodes them itself,
as `trl sft` and `trl dpo` do.
"""

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

from finetune.data import read_source
from finetune.models import load_model
from finetune.plan import plan_run, shared_arguments
from finetune.prompts import render_answer, render_prompt
from finetune.recipe import Recipe, load_recipe
from finetune.train import Run, run_training
from finetune.watch import History, Watch
from generators.config import Config
from generators.produce import produce


def make_rows(folder: Path, rows: int) -> dict[str, str]:
    """A file of answers and one of pairs."""
    made = {}
    for method, shape in (("sft", "alpaca"), ("dpo", "preference")):
        path = folder / f"{method}.jsonl"
        produce(Config(size=rows, seed=8, weights=(("sentiment_analysis", 1.0),), shape=shape), path)
        made[method] = str(path)
    return made


def train_ours(recipe: Recipe, data: str, output: Path) -> tuple[list[float], float]:
    """(losses, tokens per second) of our run; no row is held out."""
    report = run_training(Run(recipe, [data], output, [data], say=lambda line: None))
    return [entry["loss"] for entry in report["history"]], report["tokens_per_s"]


def train_trl(recipe: Recipe, data: str, output: Path) -> tuple[list[float], float]:
    """(losses, tokens per second) of TRL's trainer on the same texts."""
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from peft import LoraConfig
    from transformers import PrinterCallback, set_seed
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    disable_progress_bar()
    loaded = load_model(recipe.model or None, device="cpu")
    rows = [row for _, row in read_source([data], "pairs" if recipe.method == "dpo" else "answers").rows]
    arguments: dict[str, Any] = shared_arguments(recipe, plan_run(recipe, len(rows)), output, False) | {"save_strategy": "no"}  # fmt: skip
    columns = {"prompt": [render_prompt(row, loaded) for row in rows]}
    lora = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules=recipe.targets, task_type="CAUSAL_LM"
    )  # fmt: skip
    set_seed(recipe.seed)
    if recipe.method == "sft":
        columns["completion"] = [render_answer(row, loaded) for row in rows]
        config: Any = SFTConfig(**arguments, max_length=recipe.max_length)
        kind: Any = SFTTrainer
    else:
        columns["chosen"] = [render_answer(row, loaded) for row in rows]
        columns["rejected"] = [render_answer(row, loaded, row.rejected) for row in rows]
        config = DPOConfig(**arguments, max_length=recipe.max_length, beta=recipe.beta, loss_type=recipe.loss_type, loss_weights=recipe.loss_weights)  # fmt: skip
        kind = DPOTrainer
    dataset = Dataset.from_dict(columns)
    trainer = kind(model=loaded.model, args=config, processing_class=loaded.tokenizer, train_dataset=dataset, peft_config=lora)  # fmt: skip
    history = History()  # the same clock for both: steps alone, without loading and saving
    trainer.add_callback(Watch(recipe.max_steps, history))
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return [entry["loss"] for entry in history.steps], history.tokens_per_s


def main() -> None:
    """Run both, each twice in turn, and print the faster of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for method, data in make_rows(folder, asked.rows).items():
            settings = {"device": "cpu", "max_steps": asked.steps, "max_length": 512, "patience": 0, "dropout": 0.0}
            settings |= {"evaluate_every": asked.steps, "save_every": asked.steps, "batch": 8, "effective_batch": 8}
            recipe = load_recipe(None, settings, method=method)
            curves: dict[str, list[float]] = {}
            speeds: dict[str, float] = {}
            runs = [("ours", train_ours, recipe), ("trl", train_trl, recipe)]
            if method == "sft":
                packed = {"packing": True, "batch": 2, "effective_batch": 2}  # sequences of max_length, a few rows each
                runs.append(("ours packed", train_ours, recipe.model_copy(update=packed)))
            for turn in range(2):
                for name, train, how in runs:
                    curves[name], speed = train(how, data, folder / f"{method}-{name}-{turn}")
                    speeds[name] = max(speeds.get(name, 0.0), speed)
            apart = max(abs(a - b) for a, b in zip(curves["ours"], curves["trl"]))
            found = {"method": method, "tokens_per_s": {k: round(v) for k, v in speeds.items()}, "furthest_loss": apart}
            print(json.dumps(found))


if __name__ == "__main__":
    main()
