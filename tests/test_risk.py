"""Rules on plans, gains, records, persons and moments, each with sentences that break it and sentences that do not."""

import pytest

from tapewright.rows import Row
from validators.check import check_text
from validators.time import check_moment

LONG = "Long 0.5 BTC, entry 60,000. Liquidation price 54,300."
SHORT = "Short 0.5 BTC, entry 60,000. Liquidation price 65,700."


def _codes(prompt, answer):
    return {finding.code for finding in check_text("Answer.", prompt, answer)}


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (LONG, "Keep the long with a stop at 53,900."),
        (LONG, "The stop-loss goes to 54,300, which limits the damage."),
        (SHORT, "Hold the short; the stop is at 66,000."),
        ("", "Go long with a stop at 53,900. Liquidation is near 54,271, so the margin is small."),
        (LONG + " Stop: 52,000.", "The long is sound: the liquidation price of 54,300 is far away."),
    ],
)
def test_stop_beyond_liquidation(prompt, answer):
    assert "R008" in _codes(prompt, answer)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        (LONG, "Keep the long with a stop at 55,000."),
        (SHORT, "Hold the short; the stop is at 64,000."),
        (LONG, "A stop at 53,900 would never trigger on this long."),
        (LONG, "The long is liquidated at 54,300, before the stop at 53,900 can act."),
        (LONG, "Liquidation comes first: the stop of the long at 53,900 lies beyond it."),
        (LONG + " Stop: 52,000.", "The stop at 52,000 is useless here; bring the stop of the long to 55,500."),
        (LONG, "No trade."),
        ("Close 60,000.", "Stop at 53,900."),
        ("", "A long has its stop under the entry and a short above it; liquidation lies further away."),
    ],
)
def test_stops_that_work_or_are_named(prompt, answer):
    assert "R008" not in _codes(prompt, answer)


@pytest.mark.parametrize(
    ("prompt", "answer", "found"),
    [
        ("Max leverage 25x.", "Use leverage of 50x.", True),
        ("Tier 1: up to 50x for positions under 100,000 USDT.", "Set leverage to 75x.", True),
        ("The exchange caps leverage at 10x.", "I would take 20x here.", True),
        ("Tier 1: up to 50x. Tier 2: up to 25x.", "Set leverage to 50x.", False),
        ("Max leverage 25x.", "Leverage of 50x exceeds the maximum of 25x.", False),
        ("Max leverage 25x.", "Do not use 50x.", False),
        ("Leverage 10x.", "Reduce it; leverage of 10x is a lot.", False),
    ],
)
def test_leverage_beyond_a_tier(prompt, answer, found):
    assert ("R007" in _codes(prompt, answer)) is found


@pytest.mark.parametrize(
    "answer",
    [
        "Unlock massive profits with our RSI bot! Join now and double your money.",
        "The strategy offers huge gains and a steady income.",
        "Maximize your returns with our signals.",
        "Earn up to 5% daily. Sign up today.",
        "This token is going to the moon, so expect high returns.",
    ],
)
def test_benefit_without_risk(answer):
    assert "R011" in _codes("", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "The RSI bot aims at massive profits, but it can lose the whole margin.",
        "High returns come with high risk.",
        "Set a stop before you try to maximize your returns with our signals.",
        "Promises of huge gains and passive income are a sign of fraud.",
        "Profit is the exit price less the entry price, times the size.",
        "The company reported high profits.",
        "RSI(14) is at 61.2 and the trend is up.",
    ],
)
def test_benefit_with_its_risk(answer):
    assert "R011" not in _codes("", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "This strategy has a win rate of 80%.",
        "Our bot has made +320% for its users.",
        "The system returned 45 % with little effort.",
        "Back-tested, it shows a profit factor of 2.1.",
        "Our signals are right: 85% of trades won.",
        "Win rate: 78%",
        "My fund turned $1,000 into $25,000.",
        "This indicator boasts a 90% success rate.",
    ],
)
def test_performance_without_period_and_source(answer):
    assert "R012" in _codes("Tell me about the strategy.", answer)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("", "In the back-test of 2021 to 2023 this strategy had a win rate of 80%."),
        ("", "Over the last 12 months the fund returned 45%."),
        ("", "According to the exchange, this strategy has a win rate of 80%."),
        ("", "Our bot won 80% of its trades, a win rate of 80% in 250 trades."),
        ("Results: win rate 80%.", "This strategy has a win rate of 80%."),
        ("", "If the strategy had a win rate of 80%, it could pay 1:1."),
        ("", "With a win rate of 40% and 3R targets the expectancy is 0.6R."),
        ("", "You need a win rate of 34% to break even."),
        ("", "Beware of anyone whose bot returned 300%."),
        ("", "The stop is 2% away and the target 4%."),
        ("", "A profit factor of 1 means that gains and losses are equal."),
    ],
)
def test_performance_with_a_basis(prompt, answer):
    assert "R012" not in _codes(prompt, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Warren Buffett says that everybody should buy this dip.",
        "According to Elon Musk, Dogecoin is next.",
        "Cathie Wood has bought more of it.",
        "Michael Saylor, the chairman of Strategy, predicts 1,000,000.",
        "It follows Ray Dalio's advice.",
        "The analyst Jane Doe predicts a rally.",
        "Billionaire investor John Q. Public is buying the dip.",
    ],
)
def test_claims_about_real_people(answer):
    assert "R013" in _codes("What about BTC?", answer)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What is Buffett's first rule?", "Warren Buffett says: never lose money."),
        ("The analyst Jane Doe predicts a rally.", "The analyst Jane Doe predicts a rally: positive."),
        ("", "Bollinger bands were invented by John Bollinger."),
        ("", "Analysts said little about it."),
        ("", "A trader bought 2 BTC at 100."),
        ("", "Suppose the trader Anna bought 2 BTC at 100."),
        ("", "The musk melon trade sold out."),
        ("", "They trump expectations and said so."),
        ("", "Berkshire Hathaway holds cash."),
        ("", "Cramer's Rule solves linear equations."),
    ],
)
def test_other_names_pass(prompt, answer):
    assert "R013" not in _codes(prompt, answer)


AS_OF = "As of 2024-03-05 12:00 UTC. Close 61,000.0. Options expire 2024-06-28."


@pytest.mark.parametrize(
    ("prompt", "answer", "found"),
    [
        (AS_OF, "On 2024-05-03 BTC closed at 61,000.0.", True),
        (AS_OF + " On 2024-04-01 BTC traded at 70,000.", "It is quiet.", True),
        (AS_OF, "On 2024-03-05 BTC closed at 61,000.0.", False),
        (AS_OF, "The order is valid until 2024-03-09.", False),
        (AS_OF, "Options expire on 2024-06-28.", False),
        ("On 2031-05-03 BTC closed at 70,000.", "On 2031-05-03 it closed at 70,000.", False),  # no moment is stated
        ("", "On 2031-05-03 BTC closed at 70,000.", False),
    ],
)
def test_observations_after_the_stated_moment(prompt, answer, found):
    assert ("T004" in _codes(prompt, answer)) is found


@pytest.mark.parametrize(
    ("as_of", "answer", "found"),
    [
        ("2024-03-05 12:00 UTC", "On 2031-05-03 BTC closed at 70,000.", True),
        ("2024-03-05T12:00", "On 2024-03-05 13:00 BTC traded at 70,000.", True),
        ("2024-03-05 12:00 UTC", "On 2024-03-05 BTC closed at 70,000.", False),
        ("2024-03-05 12:00 UTC", "On 2031-05-03 the bond will be repaid; it was issued at par.", False),
        ("", "On 2031-05-03 BTC closed at 70,000.", False),
        ("unknown", "On 2031-05-03 BTC closed at 70,000.", False),
    ],
)
def test_observations_after_the_rows_moment(as_of, answer, found):
    row = Row("Read.", "", answer, task_type="", family="", as_of=as_of)
    assert bool(list(check_moment(row))) is found
