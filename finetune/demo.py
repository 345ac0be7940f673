"""`finetune` alone: rows, base, SFT and DPO with the embedded model, on any machine, ready for `evaluate`.

It leaves `base/`, `sft/`, `dpo/` and `rows-test.jsonl`, whose time and template families training never saw.
"""

import os
from collections.abc import Callable
from pathlib import Path

from finetune.embedded import SPLITS, copy_embedded
from finetune.models import quieten
from finetune.recipe import load_recipe
from finetune.train import Run, run_training
from generators.config import Config
from generators.produce import produce
from tapewright import __version__

RECIPE = "cpu-demo"
ROWS, PAIRS = 8_000, 12_000
# The one task so small a model learns in minutes: short prompts, and a label that hangs on words rather than on sums.
TASKS, ANSWERS = (("sentiment_analysis", 1.0),), "json"
OTHER_SEED = 500_000  # pairs are drawn apart from the rows


def run_all(output: Path, *, size: int, seed: int, force: bool, resume: bool, say: Callable[[str], None]) -> None:
    """Generate, train twice, and say what to do next."""
    quieten()
    rows = size or ROWS
    say("Rows: generating")
    _generate(output / "rows.jsonl", rows, seed, "alpaca", force)
    _generate(output / "pairs.jsonl", max(40, rows * PAIRS // ROWS), seed + OTHER_SEED, "preference", force)
    say("Base: the embedded model (tiny; made in about a minute, then kept)")
    base = copy_embedded(output / "base")
    for method, kind, model in (("sft", "rows", base), ("dpo", "pairs", output / "sft")):
        say(f"{method.upper()}:")
        recipe = load_recipe(RECIPE, {"model": str(model), "seed": seed}, method=method)
        target = output / method
        run_training(Run(
            recipe, [str(output / f"{kind}-train.jsonl")], target, hold_out=True, resume=resume or _begun(target), force=force, say=say,
        ))  # fmt: skip
    say(f"Now measure it: tapewright evaluate {output}/base {output}/sft {output}/dpo --data {output}/rows-test.jsonl")


def _generate(path: Path, size: int, seed: int, shape: str, force: bool) -> None:
    config = Config(
        size=size, seed=seed, weights=TASKS, shape=shape, answer_format=ANSWERS, splits=SPLITS, version=__version__
    )
    produce(config, path, workers=min(2, os.cpu_count() or 1), force=force)


def _begun(target: Path) -> bool:
    return (target / "run.json").is_file()
