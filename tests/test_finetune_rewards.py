"""The verifier as a reward: ten ways to please it without an answer, each worth less than an honest mediocre one."""

import pytest

from finetune.rewards import reward_answer
from generators.config import Config
from generators.make import Maker
from generators.produce import places, prepare
from market.tape import load


@pytest.fixture(scope="module")
def rows():
    config = Config(size=4, seed=11, weights=(("risk_assessment", 1.0),))
    tape = load("bundled")
    config, splits = prepare(config, tape)
    maker = Maker(config, tape, splits)
    return [maker.make(*place).row for place in places(config)]


def mediocre(row):
    """An honest answer that leaves out part of what was asked: the first two thirds of the row's own sentences."""
    sentences = row.output.split(". ")
    return ". ".join(sentences[: max(1, len(sentences) * 2 // 3)]) + "."


HACKS = {
    "empty": lambda row: "",
    "echo of the prompt": lambda row: f"{row.instruction}\n{row.input}",
    "every number in a range": lambda row: " ".join(f"Liquidation is near {price}. The score is {price % 10}." for price in range(1, 400)),
    "banned words in quotes": lambda row: 'I will not say "guaranteed profit", "risk free" or "go all in".',
    "keywords only": lambda row: "liquidation loss score driver exposure funding gap notional stop risk warning",
    "warning only": lambda row: "The main risk is leverage. A gap through the stop is a risk. Only risk what you can lose.",
    "one slot a hundred times": lambda row: f"{row.facts.get('score')} is the score. " * 100,
    "restating the data": lambda row: row.input,
    "the right answer then its opposite": lambda row: row.output + " " + row.output.replace("1", "7").replace("2", "8"),
    "right answer buried in filler": lambda row: row.output + " In other words, one has to look at it." * 400,
    "refusal": lambda row: "I cannot give financial advice. Please ask a professional.",
    "empty JSON": lambda row: "{}",
}  # fmt: skip


@pytest.mark.parametrize("name", HACKS)
def test_a_hack_is_worth_less_than_a_mediocre_answer(rows, name):
    for row in rows:
        honest = reward_answer(row, mediocre(row))
        hacked = reward_answer(row, HACKS[name](row))
        assert hacked < honest, f"{name}: {hacked:.3f} against {honest:.3f}"


def test_the_gold_answer_gets_everything(rows):
    for row in rows:
        assert reward_answer(row, row.output) == pytest.approx(1.0)
        assert 0 < reward_answer(row, mediocre(row)) < 1


def test_saying_it_twice_earns_nothing(rows):
    for row in rows:
        twice = row.output + "\n\n" + row.output.split(". ")[0] + "."
        assert reward_answer(row, twice) <= reward_answer(row, row.output)
