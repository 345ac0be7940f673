"""Answers asked for as JSON: the instruction does not contradict itself, and the question gives no answer away."""

import json
import re

import pytest

from generators.config import Config
from generators.produce import produce
from generators.structured import structured_answer
from tapewright import check, files
from tapewright.shapes import from_record
from templates.specs import load_spec

TASKS = ("market_analysis", "risk_assessment", "trade_recommendation", "sentiment_analysis")
# What an answer cannot be while it is one JSON object and nothing else.
OTHER_FORMS = re.compile(
    r"paragraph|prose|bullet|\btable\b|columns|heading|flowing|sentence|in text|as text|why\b|reason(?! first)|talk (?:me|it) |explain|"
    r"conversational|label only|only the label|label alone|running text|\bmemo|\bletter|what to change",
    re.IGNORECASE,
)


def row_as_record(row):
    return {"instruction": row.instruction, "input": row.input, "output": row.output, "task_type": row.task_type}


def made(folder, task, form, count=150, seed=11):
    path = folder / f"{task}-{form}.jsonl"
    produce(Config(count, seed, ((task, 1.0),), "alpaca", form, version="t"), path)
    return [from_record(record) for _, record in files.read_records(path)]


@pytest.mark.parametrize("task", TASKS)
def test_an_object_alone_is_asked_for_alone(tmp_path, task):
    rows = [row for row in made(tmp_path, task, "json") if row.family != "json_object"]
    for row in rows:
        asked = row.instruction.partition("one JSON object")[0]
        assert not OTHER_FORMS.search(asked), asked
        assert row.instruction.count("JSON object") == 1
        json.loads(row.output)
    assert len({row.family for row in rows}) == len(load_spec(task).families) - (task == "sentiment_analysis")


@pytest.mark.parametrize("task", TASKS[:3])
def test_the_keys_give_no_answer_away(tmp_path, task):
    asked, nulls, answers = set(), set(), set()
    for row in made(tmp_path, task, "json"):
        keys = re.findall(r'"([\w@]+)"', row.instruction)
        said = json.loads(row.output)
        assert list(said) == keys
        asked.add(tuple(key.partition("@")[0] for key in keys))
        nulls.add(tuple(key for key, value in said.items() if value is None))
        answers.add((row.facts.get("verdict"), row.facts.get("failed_gate"), row.facts.get("stop_state")))
    assert len(asked) == 1 and len(nulls) > 1
    assert task == "market_analysis" or len(answers) > 3


def test_a_null_stands_where_a_slot_does_not_apply():
    plan = {
        "verdict": "long",
        "failed_gate": "none",
        "side": "long",
        "entry": 100.0,
        "net_reward_risk": 2.1,
        "cost_r": 0.1,
    }
    said = json.loads(structured_answer(plan, {}, "trade_recommendation").text)
    assert (said["verdict"], said["entry"], said["net_reward_risk"]) == ("long", 100.0, 2.1)
    assert said["failed_gate"] is None and said["cost_r"] is None
    said = json.loads(
        structured_answer({**plan, "verdict": "no_trade", "failed_gate": "cost"}, {}, "trade_recommendation").text
    )
    assert (said["verdict"], said["failed_gate"], said["cost_r"]) == ("no_trade", "cost", 0.1)
    assert said["entry"] is None and said["side"] is None and said["net_reward_risk"] is None


def test_pairs_of_objects_keep_the_shares_of_the_labels(tmp_path):
    path = tmp_path / "pairs.jsonl"
    produce(Config(800, 5, (("sentiment_analysis", 1.0),), "preference", "json", version="t"), path)
    rows = [from_record(record) for _, record in files.read_records(path)]
    for side, least in (("output", 0.26), ("rejected", 0.2)):
        neutral = sum('"label": "neutral"' in getattr(row, side) for row in rows)
        assert least < neutral / len(rows) < 0.38, (side, neutral)
    assert sum(row.defect == "wrong_sentiment" for row in rows) > 0.55 * len(rows)


def test_objects_that_begin_alike_are_no_opening(tmp_path):
    rows = made(tmp_path, "trade_recommendation", "json")
    assert len({row.output.partition("side")[0] for row in rows}) < 12
    assert "B003" not in check([row_as_record(row) for row in rows]).counts()


def test_a_label_with_an_object_after_it_is_not_asked_for_alone(tmp_path):
    rows = made(tmp_path, "sentiment_analysis", "both", 400)
    assert not [row.instruction for row in rows if re.search("label only|only the label|label alone|nothing else", row.instruction)
                and row.family != "json_object"]  # fmt: skip
