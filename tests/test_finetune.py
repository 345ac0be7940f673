"""Every method and adapter trains, leaves what it promises, and learns what there is to learn."""

import json

import pytest

from finetune.models import load_model, load_scorer
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


@pytest.mark.slow
def test_sft_learns_and_dpo_says_what_it_did(ground, tmp_path):
    """From rows to an adapter that prefers what it was taught; the report's parts agree with each other."""
    said = []
    longer = {"max_steps": 60, "evaluate_every": 30, "batch": 8, "effective_batch": 8, "patience": 0, "adapter": "full"}
    sft = train(ground, "sft", tmp_path / "sft", "answers.jsonl", **longer, learning_rate=5e-3)
    assert sft["history"][0]["loss"] > 5 * sft["history"][-1]["loss"]
    assert sft["validation_loss"] < sft["validation"][0]["loss"] * 1.5
    assert sft["tokens_per_s"] > 0
    longer |= {"adapter": "lora", "model": str(tmp_path / "sft"), "max_steps": 20, "evaluate_every": 10}
    report = train(ground, "dpo", tmp_path / "dpo", "pairs.jsonl", said, **longer, learning_rate=5e-3)
    found = report["preferences"]
    assert found["margin"] > 0
    assert found["kl_per_token"] > 0
    assert found["accuracy"] > 0.9
    assert found["prefers_chosen"]["after"] >= found["prefers_chosen"]["before"]
    assert found["accuracy_by_defect"] == {"flipped_label": {"n": found["pairs"], "accuracy": found["accuracy"]}}
    change = found["logp_per_token"]["after"]["chosen"] - found["logp_per_token"]["before"]["chosen"]
    assert change == pytest.approx(found["chosen_change"])
    assert any(line.startswith("accuracy by defect: flipped_label") for line in said)


def test_falling_chosen_answers_are_warned_of():
    from finetune.preferences import Reading, summarise, tell

    readings = [Reading("flipped_label", -12.0, -30.0, -10.0, -12.0, 10, 10, 0.5)]
    assert tell(summarise(readings, 0.1))[-1].startswith("warning: the chosen answers fell by 0.20 nat")
    kept = [Reading("flipped_label", -10.5, -30.0, -10.0, -12.0, 10, 10, 0.5)]
    assert not any("warning" in line for line in tell(summarise(kept, 0.1)))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_the_embedding_takes_a_rate_of_its_own(ground, tmp_path, method):
    """Adam's first step moves each weight by its rate, so one step shows who had which."""
    settings = {"adapter": "full", "max_steps": 1, "warmup": 0, "scheduler": "constant", "learning_rate": 1e-4}
    train(ground, method, tmp_path / "run", f"{'pairs' if method == 'dpo' else 'answers'}.jsonl", **settings, embedding_learning_rate=1e-2)  # fmt: skip
    before = dict(load_model(str(ground / "model")).model.named_parameters())
    moved = {
        name: float((weight - before[name]).detach().abs().max())
        for name, weight in load_model(str(tmp_path / "run")).model.named_parameters()
    }
    assert moved.pop("model.embed_tokens.weight") == pytest.approx(1e-2, rel=0.01)
    assert max(moved.values()) == pytest.approx(1e-4, rel=0.01)


@pytest.mark.slow
def test_a_rate_without_effect_is_said(ground, tmp_path):
    said = []
    train(ground, "sft", tmp_path / "run", "answers.jsonl", said, embedding_learning_rate=1e-2)
    assert "embedding_learning_rate has no effect: lora does not train the embedding" in said


@pytest.mark.slow
def test_a_reward_model_is_a_reward(ground, tmp_path):
    train(ground, "reward", tmp_path / "reward", "pairs.jsonl", max_steps=40, learning_rate=5e-3)
    report = train(ground, "rloo", tmp_path / "rloo", "answers.jsonl", reward=str(tmp_path / "reward"))
    assert len({entry["reward"] for entry in report["history"] if "reward" in entry}) > 1
    assert load_scorer(str(tmp_path / "reward"), 1).model.config.num_labels == 1


@pytest.mark.slow
def test_an_export_holds_adapter_merged_model_and_card(ground, tmp_path):
    from finetune.export import export_run

    train(ground, "sft", tmp_path / "sft", "answers.jsonl")
    (tmp_path / "measured.json").write_text(json.dumps({"sft": {"slot accuracy": 0.5}}))
    assert (
        export_run(str(tmp_path / "sft"), tmp_path / "out", evaluation=tmp_path / "measured.json", device="cpu") < 1e-4
    )
    card = (tmp_path / "out" / "README.md").read_text()
    report = json.loads((tmp_path / "sft" / "train_report.json").read_text())
    for word in (report["data"]["sha256"], "learning_rate", "Limits", "sft slot accuracy: 0.5", "model"):
        assert word in card
    assert str(tmp_path) not in card + (tmp_path / "out" / "adapter" / "adapter_config.json").read_text()
    merged, adapted = load_model(str(tmp_path / "out" / "merged")), load_model(str(tmp_path / "sft"))
    import torch

    ids = torch.tensor([[5, 6, 7]])
    assert torch.allclose(merged.model(input_ids=ids).logits, adapted.model(input_ids=ids).logits, atol=1e-4)


def test_a_pair_is_made_of_what_the_checker_says():
    from finetune.pairs import Tally, choose_pair
    from generators.config import Config
    from generators.make import Maker
    from generators.produce import places, prepare
    from market.tape import load

    config = Config(size=1, seed=5, weights=(("risk_assessment", 1.0),))
    tape = load("bundled")
    config, splits = prepare(config, tape)
    row = Maker(config, tape, splits).make(*next(places(config))).row
    tally = Tally()
    wrong = row.output.replace("1", "3")
    chosen, rejected, codes = choose_pair(row, [row.output, wrong, "It will be fine."], tally)
    assert chosen == row.output
    assert rejected in (wrong, "It will be fine.")
    assert codes
    assert choose_pair(row, [wrong], tally) is None
    assert tally.without == {"no answer was accepted": 1}


@pytest.mark.slow
def test_only_positions_that_count_meet_the_vocabulary_and_the_loss_is_the_same(ground, monkeypatch):
    import torch
    from trl.kernels import chunked_logprob
    from trl.trainer.utils import add_fused_lm_head

    from finetune.answer_head import score_answers_only

    scored = []
    inner = chunked_logprob._forward_tile
    monkeypatch.setattr(chunked_logprob, "_forward_tile", lambda tile, *more, **named: (scored.append(len(tile)), inner(tile, *more, **named))[1])  # fmt: skip
    model = load_model(str(ground / "model"), device="cpu").model
    add_fused_lm_head(model)
    ids = torch.randint(5, 60, (3, 20), generator=torch.Generator().manual_seed(1))
    labels = torch.where(torch.arange(20) < 16, -100, ids)
    plain = model(input_ids=ids, labels=labels).loss.item()
    every = model(input_ids=ids, labels=labels, fused_lm_head=True).loss.item()
    assert sum(scored) == 3 * 19
    scored.clear()
    with score_answers_only("cpu"):
        few = model(input_ids=ids, labels=labels, fused_lm_head=True).loss.item()
    assert sum(scored) == 3 * 4
    assert few == pytest.approx(plain, abs=1e-5) and few == pytest.approx(every, abs=1e-5)
    scored.clear()
    model(input_ids=ids, labels=labels, fused_lm_head=True)
    assert sum(scored) == 3 * 19  # TRL is as it was


@pytest.mark.slow
def test_packed_rows_do_not_see_each_other(ground, tmp_path):
    """All rows of the run in one step: packed into one sequence they cost what they cost apart."""
    write_rows(tmp_path / "answers.jsonl", make_rows(10))
    settings = {"model": str(ground / "model"), "device": "cpu", "max_steps": 1, "max_length": 256, "adapter": "full", "patience": 0}  # fmt: skip
    losses = {}
    for packing, batch in ((False, 10), (True, 1)):
        recipe = load_recipe(None, {**settings, "packing": packing, "batch": batch, "effective_batch": batch}, method="sft")  # fmt: skip
        data = [str(tmp_path / "answers.jsonl")]
        report = run_training(Run(recipe, data, tmp_path / f"packed-{packing}", data, say=lambda line: None))
        losses[packing] = report["history"][0]["loss"]
    assert losses[True] == pytest.approx(losses[False], abs=1e-4)
