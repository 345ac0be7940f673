"""The shortcut probes on few rows: each figure within its limit and the noise of its sample.

`python -m benchmarks.probes` gives the figures on many rows and says what they rest on.
"""

import pytest

pytest.importorskip("sklearn")

from benchmarks import probes

pytestmark = pytest.mark.slow
ROWS = 600


@pytest.fixture(scope="module")
def made():
    jobs = [("alpaca", task) for task in ("sentiment_analysis", "trade_recommendation", "risk_assessment")]
    jobs += [("preference", task) for task in ("market_analysis", "risk_assessment", "trade_recommendation")]
    return probes.make_all(jobs, ROWS, 2)


def _share(probe):
    return float(probe.figure.split("%")[0]) / 100


def _noise(n, errors=3.0):
    return errors * 0.5 / n**0.5


def test_words_do_not_give_what_a_number_decides(made):
    probe, _ = probes.probe_sentiment(made["alpaca", "sentiment_analysis"])
    assert probe.n > ROWS / 4
    points = float(probe.figure.partition("(")[2].split()[0]) / 100
    assert abs(points) <= probes.CHANCE_LIMIT + _noise(probe.n), probe


def test_prompts_do_not_give_the_plan(made):
    for probe in probes.probe_plans(made["alpaca", "trade_recommendation"]):
        points = float(probe.figure.partition("(")[2].split()[0]) / 100
        assert abs(points) <= probes.CHANCE_LIMIT + _noise(probe.n), probe


def test_leverage_does_not_give_the_score(made):
    explained = probes.probe_scores(made["alpaca", "risk_assessment"])[0]
    assert float(explained.figure) < 0.45 + 0.06, explained


def test_no_ratio_is_a_habit_and_sides_are_balanced(made):
    plans = [row for group in made["alpaca", "trade_recommendation"] for row in group]
    pairs = [row for group in made["preference", "trade_recommendation"] for row in group]
    for probe in probes.probe_ratios(plans):
        assert probe.passed, probe
    for probe in probes.probe_balance(plans, pairs):
        if "against" in probe.limit or "within" in probe.limit:
            chosen, rejected = (float(part.strip("% ")) / 100 for part in probe.figure.split("against"))
            assert abs(chosen - rejected) <= 0.05 + _noise(probe.n), probe
        elif "no-trade" in probe.name:
            assert 0.4 <= _share(probe) <= 0.5, probe
        else:
            assert abs(_share(probe) - 0.5) <= 0.05 + _noise(probe.n), probe


@pytest.mark.parametrize("task", ["market_analysis", "risk_assessment", "trade_recommendation"])
def test_answers_do_not_give_away_which_is_rejected(made, task):
    grouped = made["preference", task]
    pairs = [(row, group) for group, rows in enumerate(grouped) for row in rows]
    for probe in probes.probe_pairs(task, pairs, ("length", "words", "digits and roundness")):
        assert _share(probe) <= probes.TELL_LIMIT + _noise(probe.n), probe
    assert probes.probe_defects(pairs).passed


def test_the_probe_would_see_a_tell(made):
    """A sentence that stands in rejected answers only is found; so is a rounder number."""
    from dataclasses import replace

    grouped = made["preference", "trade_recommendation"]
    told = [
        (replace(row, rejected=f"{row.rejected} Mind how you go."), group)
        for group, rows in enumerate(grouped)
        for row in rows
    ]
    assert not probes.probe_pairs("told", told, ("words",))[0].passed
    round_ = [
        (replace(row, rejected=f"{row.rejected} 100 200 300 400."), group)
        for group, rows in enumerate(grouped)
        for row in rows
    ]
    assert not probes.probe_pairs("round", round_, ("digits and roundness",))[0].passed
