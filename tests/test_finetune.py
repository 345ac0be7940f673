"""Every method and adapter trains, leaves what it promises, and learns what there is to learn."""

import pytest

from finetune.models import load_model
from finetune.recipe import load_recipe
from finetune.train import Run, run_training
from tests.finetune_models import make_model, make_rows, write_rows

SMALL = {"max_steps": 4, "batch": 4, "effective_batch": 4, "rank": 4, "max_length": 64, "evaluate_every": 2, "device": "cpu"}  # fmt: skip
SMALL |= {"learning_rate": 1e-3, "generations": 2, "answer_length": 8}


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    import torch

    torch.set_num_threads(1)
    tmp = tmp_path_factory.mktemp("ground")
    make_model(tmp / "model")
    write_rows(tmp / "answers.jsonl", make_rows(60))
    write_rows(tmp / "pairs.jsonl", make_rows(60, 2, pairs=True))
    labelled = [{"text": row["input"], "label": row["output"][12:-1]} for row in make_rows(120, 3)]
    write_rows(tmp / "labels.jsonl", labelled)
    return tmp


def train(ground, method, output, data, said=None, **settings):
    recipe = load_recipe(None, {**SMALL, "model": str(ground / "model"), **settings}, method=method)
    lines = said if said is not None else []
    return run_training(Run(recipe, [str(ground / data)], output, force=True, say=lines.append))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "data"),
    [("orpo", "pairs"), ("kto", "pairs"), ("reward", "pairs"), ("grpo", "answers"), ("rloo", "answers"), ("classify", "labels")],
)  # fmt: skip
def test_each_method_trains(ground, tmp_path, method, data):
    report = train(ground, method, tmp_path / method, f"{data}.jsonl")
    assert report["steps"]["done"] == 4
    for name in ("train_report.json", "loss.png", "README.md", "adapter_model.safetensors", "tokenizer.json"):
        assert (tmp_path / method / name).stat().st_size > 0
    assert not (tmp_path / method / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["lora", "qlora", "dora", "adalora", "prefix", "prompt", "full"])
def test_each_adapter_trains_and_loads(ground, tmp_path, adapter):
    import torch

    report = train(ground, "sft", tmp_path / adapter, "answers.jsonl", adapter=adapter, virtual_tokens=4)
    assert report["parameters"]["trained"] > 0
    loaded = load_model(str(tmp_path / adapter))
    ids = torch.tensor([[5, 6, 7, 8]])
    changed = loaded.model(input_ids=ids).logits
    base = load_model(str(ground / "model")).model(input_ids=ids).logits
    assert changed.shape[-1] == base.shape[-1]
    assert not torch.equal(changed[:, -4:], base)
