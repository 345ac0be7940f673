"""What goes wrong is said in one line, with the next step; and what a recipe, a template and an estimate must hold."""

import errno
import json
import shutil

import pytest
import torch

from finetune.data import hold_out, read_source
from finetune.estimate import Shape, count_trained, estimate_run, shape_of
from finetune.failures import check_loss, plainly
from finetune.mask import count_trained as count_trained_tokens
from finetune.mask import labels_of, preview
from finetune.models import load_model
from finetune.prompts import ALPACA, encode_answer, encode_prompt, render_answer, render_prompt
from finetune.recipe import METHODS, list_recipes, load_recipe
from finetune.train import Run, run_training, summarise_left
from tapewright.errors import TapewrightError
from tapewright.rows import Row
from tests.finetune_models import make_model, make_rows, write_rows


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    torch.set_num_threads(1)
    tmp = tmp_path_factory.mktemp("errors")
    make_model(tmp / "model")
    make_model(tmp / "other", seed=1)
    make_model(tmp / "wider", width=128)
    write_rows(tmp / "rows.jsonl", make_rows(40))
    write_rows(tmp / "pairs.jsonl", make_rows(40, pairs=True))
    (tmp / "empty.jsonl").write_text("")
    shutil.copytree(tmp / "model", tmp / "pickled")
    (tmp / "pickled" / "model.safetensors").rename(tmp / "pickled" / "pytorch_model.bin")
    settings = {"model": str(tmp / "model"), "max_steps": 1, "max_length": 64, "device": "cpu", "patience": 0}
    recipe = load_recipe(None, settings, method="sft")
    run_training(Run(recipe, [str(tmp / "rows.jsonl")], tmp / "adapter", say=lambda line: None))
    return tmp


def _train(ground, tmp_path, method="sft", data="rows.jsonl", recipe=None, **settings):
    overrides = {
        "model": str(ground / "model"),
        "max_steps": 1,
        "max_length": 64,
        "device": "cpu",
        "patience": 0,
        **settings,
    }
    chosen = load_recipe(recipe, overrides, method=method)
    return run_training(Run(chosen, [str(ground / data)], tmp_path / "out", say=lambda line: None))


CASES = {
    "a missing model": (lambda g, t: load_model(str(g / "nowhere")), ("no model folder", "embedded")),
    "weights that are no safetensors": (lambda g, t: load_model(str(g / "pickled")), ("safetensors", "refused")),
    "an adapter for another base": (lambda g, t: load_model(str(g / "other"), adapter=str(g / "adapter")), ("another base", "other weights")),
    "an adapter for another shape": (lambda g, t: load_model(str(g / "wider"), adapter=str(g / "adapter")), ("another base",)),
    "no GPU for a GPU recipe": (lambda g, t: _train(g, t, recipe="24gb", device="cuda"), ("no GPU", "cpu-demo")),
    "rows of the wrong shape": (lambda g, t: _train(g, t, "dpo"), ("no rejected answer", "--format preference")),
    "an empty file": (lambda g, t: _train(g, t, data="empty.jsonl"), ("empty",)),
    "a split that nothing is left of": (lambda g, t: _train(g, t, max_length=8), ("empty", "max_length")),
    "a loss that is no number": (lambda g, t: _train(g, t, learning_rate=1e30, max_steps=6, clip=1e9, batch=4, effective_batch=4, adapter="full"), ("loss", "learning_rate")),
    "targets the model does not have": (lambda g, t: _train(g, t, targets=["query_key"]), ("query_key", "all-linear")),
    "an unknown key": (lambda g, t: load_recipe(None, {"learning_rat": 1}), ("learning_rat", "Did you mean 'learning_rate'")),
    "an unknown recipe": (lambda g, t: load_recipe("24g"), ("24g", "Did you mean '24gb'")),
    "a value of the wrong type": (lambda g, t: load_recipe(None, {"rank": "many"}), ("rank", "integer")),
    "every weight on four bits": (lambda g, t: load_recipe(None, {"adapter": "full", "quantisation": "nf4"}), ("four bits", "qlora")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_said_in_one_line(ground, tmp_path, name, monkeypatch):
    if name == "no GPU for a GPU recipe":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    action, words = CASES[name]
    with pytest.raises(TapewrightError) as caught:
        action(ground, tmp_path)
    said = str(caught.value)
    assert "\n" not in said
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ("no space left", "--resume")),
        (RuntimeError("I/O error: No space left on device (os error 28)"), ("no space left",)),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), ("out of memory", "batch=2", "checkpointing", "qlora")),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), ("out of memory",)),
    ],
)  # fmt: skip
def test_libraries_errors_become_ours(error, words):
    with pytest.raises(TapewrightError) as caught, plainly(4, 512, "models/sft"):
        raise error
    for word in words:
        assert word in str(caught.value)


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), plainly(4, 512, "models/sft"):
        raise ZeroDivisionError


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_run(loss):
    with pytest.raises(TapewrightError, match="step 7"):
        check_loss(loss, 7)


def test_rows_left_out_are_named_and_counted(ground):
    rows = make_rows(6)
    rows[2]["output"] = ""
    rows[4]["output"] = "very " * 300
    write_rows(ground / "some.jsonl", rows)
    source = read_source([str(ground / "some.jsonl")], "answers")
    assert source.left == [("some.jsonl:3", "it has no answer")]
    from finetune.data import encode_rows

    kept, left = encode_rows(source, load_model(str(ground / "model")), 100)
    assert len(kept) == 4
    assert left[0][0] == "some.jsonl:5"
    assert summarise_left(source.left + left)[1].startswith("left out 1: ")


def test_the_mask_shows_the_answer_and_nothing_else(ground):
    loaded = load_model(str(ground / "model"))
    from finetune.data import encode_rows

    source = read_source([str(ground / "rows.jsonl")], "answers")
    examples, _ = encode_rows(source, loaded, 64)
    lines = preview(examples, loaded.tokenizer, colour=False)
    assert len(lines) == 2  # one task
    assert lines[1].endswith(f"<|answer|>⟦{examples[0].row.output}<|end|>⟧")
    assert count_trained_tokens([labels_of(examples[0])]) == len(examples[0].answer)
    with pytest.raises(TapewrightError, match="no token would count"):
        count_trained_tokens([[-100, -100]])


def test_held_out_rows_hang_on_words_alone(ground):
    source = read_source([str(ground / "rows.jsonl")], "answers")
    train, held = hold_out(source, 1)
    assert len(train.rows) + len(held.rows) == 40
    assert held.rows
    source.rows.reverse()
    assert {place for place, _ in hold_out(source, 1)[1].rows} == {place for place, _ in held.rows}


def test_the_alpaca_template_says_what_the_converter_says(ground):
    from converters.dialogue import dialogue_of
    from converters.text import DEFAULT, rendered

    tokenizer = load_model(str(ground / "model"), response_format="alpaca").tokenizer
    assert tokenizer.chat_template == ALPACA
    for data in ("Price: 3\n\nVolume: 4", ""):
        row = Row("What is it?", data, "It is three.", "", "")
        text = render_prompt(row, tokenizer) + render_answer(row, tokenizer)
        assert text == rendered(dialogue_of(row), DEFAULT) + tokenizer.eos_token
        assert tokenizer.decode(encode_prompt(row, tokenizer) + encode_answer(row, tokenizer)) == text


def test_the_template_travels_with_the_adapter(ground, tmp_path):
    _train(ground, tmp_path, response_format="alpaca")
    loaded = load_model(str(tmp_path / "out"))
    assert loaded.response_format == "alpaca"
    assert render_prompt(Row("A", "B", "", "", ""), loaded).startswith("### Instruction:\nA\n\n### Input:\nB")


def test_every_recipe_loads_and_can_be_planned():
    assert {"cpu-demo", "24gb", "40gb", "80gb", "llama", "mistral", "qwen", "phi", "gemma", "dpo-guide"} <= set(
        list_recipes()
    )
    for name in list_recipes():
        for method in METHODS:
            found = estimate_run(load_recipe(name, method=method), (), "")
            assert not found["gpu_memory_gb"] or found["total_bytes"] < found["gpu_memory_gb"] * 1e9, (name, method)


def test_an_encoder_is_counted_as_it_is():
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 80, "vocab_size": 99, "max_position_embeddings": 48}  # fmt: skip
    made = sum(parameter.numel() for parameter in BertModel(BertConfig(**sizes)).parameters())
    assert Shape(32, 3, 4, 4, 8, 80, 99, positions=48).parameters == made
    found = estimate_run(load_recipe("finbert", method="classify"), (), "")
    assert (found["parameters"], found["trained"]) == (109_482_240, 12 * 2 * 16 * (768 + 768))


def test_the_defaults_are_the_guides():
    sft, dpo = load_recipe(None, method="sft"), load_recipe(None, method="dpo")
    assert (sft.rank, sft.alpha, sft.dropout, sft.learning_rate, sft.epochs, sft.effective_batch) == (
        16,
        32,
        0.05,
        2e-4,
        3,
        16,
    )
    assert sft.targets == ["q_proj", "k_proj", "v_proj", "o_proj"]
    assert sft.scheduler == "cosine"
    assert (dpo.beta, dpo.epochs, dpo.learning_rate, dpo.loss_type, dpo.loss_weights) == (
        0.1,
        1,
        5e-6,
        ["sigmoid", "sft"],
        [1.0, 0.2],
    )
    assert load_recipe("dpo-guide", method="dpo").learning_rate == 5e-5


@pytest.mark.parametrize("adapter", ["lora", "dora", "prefix", "prompt", "full"])
def test_the_estimate_counts_what_is_trained(ground, adapter):
    from finetune.adapters import attach

    recipe = load_recipe(None, {"adapter": adapter, "model": str(ground / "model"), "rank": 4})
    loaded = load_model(str(ground / "model"), device="cpu", trainable=True)
    sizes = shape_of(str(ground / "model"))
    assert sizes.parameters == loaded.model.num_parameters()
    model = attach(loaded, recipe, steps=4)
    assert count_trained(recipe, sizes) == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_a_run_is_not_written_over(ground, tmp_path):
    _train(ground, tmp_path)
    with pytest.raises(TapewrightError, match="another run"):
        _train(ground, tmp_path, rank=8)
    report = json.loads((tmp_path / "out" / "train_report.json").read_text())
    assert _train(ground, tmp_path)["weights"] == report["weights"]  # finished and the same: nothing to do
