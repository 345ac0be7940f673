"""The three ways in which training corrupts a model in silence, each with its mend, each seen without it."""

import pytest
import torch

from finetune.adapters import train_in_fp32
from finetune.merge import PROBES, compare_logits, merge_adapter
from finetune.models import keep_four_bits_intact, load_model, load_weights
from finetune.recipe import load_recipe
from finetune.train import Run, run_training
from tests.finetune_models import make_model, make_rows, write_rows


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    torch.set_num_threads(1)
    tmp = tmp_path_factory.mktemp("traps")
    make_model(tmp / "model", width=128)
    write_rows(tmp / "rows.jsonl", make_rows(80))
    return tmp


@pytest.fixture(scope="module")
def adapter(ground):
    settings = {"model": str(ground / "model"), "adapter": "qlora", "max_steps": 12, "batch": 8, "effective_batch": 8}
    settings |= {"learning_rate": 5e-3, "max_length": 64, "device": "cpu", "targets": ["all-linear"], "patience": 0}
    recipe = load_recipe(None, settings, method="sft")
    run_training(Run(recipe, [str(ground / "rows.jsonl")], ground / "adapter", say=lambda line: None))
    return ground / "adapter"


def _four_bit(ground, mended):
    from transformers import AutoModelForCausalLM

    model = load_weights(AutoModelForCausalLM, str(ground / "model"), "nf4", "fp32", "cpu")
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            assert module.support_avx512bf16_for_cpu is False, "loading mends"
            module.support_avx512bf16_for_cpu = True  # as on a CPU with AVX512-BF16
    if mended:
        keep_four_bits_intact(model)
    return model


def _weights(model):
    return torch.cat([p.data.flatten().float() for n, p in model.named_parameters() if "proj" in n])


def _look(model, monkeypatch):
    """An evaluation's forward pass; the kernel that reads repacked weights need not exist on this CPU."""
    import bitsandbytes as bnb

    monkeypatch.setattr(
        bnb, "matmul_4bit", lambda x, weight, **_: x.new_zeros(*x.shape[:-1], weight.quant_state.shape[0])
    )
    model.eval()
    with torch.no_grad():
        model(input_ids=torch.tensor([[4, 5, 6, 7]]))


@pytest.mark.slow
@pytest.mark.parametrize("mended", [True, False])
def test_an_evaluation_leaves_four_bit_weights_as_they_were(ground, monkeypatch, mended):
    model = _four_bit(ground, mended)
    before = _weights(model).clone()
    _look(model, monkeypatch)
    after = _weights(model)
    unchanged = before.shape == after.shape and torch.equal(before, after)
    assert unchanged is mended


@pytest.mark.slow
@pytest.mark.parametrize("mended", [True, False])
def test_an_adapter_on_four_bits_survives_a_checkpoint(ground, tmp_path, monkeypatch, mended):
    """What is trained, and what a checkpoint gives back, have the same type: else resuming is another run."""
    seen = {}
    if not mended:
        monkeypatch.setattr("finetune.train.train_in_fp32", lambda model: None)
    import finetune.train

    inside = finetune.train._train

    def look(run, trainer):
        seen.update({str(p.dtype) for p in trainer.model.parameters() if p.requires_grad} and {p.dtype: 1 for p in trainer.model.parameters() if p.requires_grad})  # fmt: skip
        return inside(run, trainer)

    monkeypatch.setattr(finetune.train, "_train", look)
    settings = {"model": str(ground / "model"), "adapter": "qlora", "max_steps": 1, "max_length": 64, "device": "cpu"}
    recipe = load_recipe(None, settings, method="sft")
    run_training(Run(recipe, [str(ground / "rows.jsonl")], tmp_path / "out", say=lambda line: None))
    assert (set(seen) == {torch.float32}) is mended


def test_trainable_weights_become_fp32_and_others_do_not():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)).bfloat16()
    model[0].requires_grad_(False)
    train_in_fp32(model)
    assert model[0].weight.dtype == torch.bfloat16
    assert model[1].weight.dtype == torch.float32


@pytest.mark.slow
def test_merging_goes_into_full_precision(adapter):
    """Merging into four bits moves the logits by much more than ours does."""
    with torch.no_grad():
        loaded = load_model(str(adapter), quantisation="nf4", device="cpu")
        probes = [torch.tensor([loaded.tokenizer(text)["input_ids"]]) for text in PROBES]
        trained = [loaded.model(input_ids=probe).logits for probe in probes]
        rounded = loaded.model.merge_and_unload()
        unmended = compare_logits(trained, [rounded(input_ids=probe).logits for probe in probes])
        merged = merge_adapter(str(adapter), dequantised=True, device="cpu")
        mended = compare_logits(trained, [merged.loaded.model(input_ids=probe).logits for probe in probes])
    assert merged.difference < 1e-4
    assert mended < 0.01 < unmended
