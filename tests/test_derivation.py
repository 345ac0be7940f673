"""What a number in a stranger's text may follow from, and how the rules for strangers do on rows by other hands."""

import pytest

from validators.check import check_text
from validators.derivation import Known, numerals


@pytest.mark.parametrize(
    ("given", "stated", "place"),
    [
        ([20_250, 19_750], 2.47, 0.01),  # the stop in per cent of the entry
        ([2.4e6, 15], 3_600, 1),  # basis points of an amount
        ([2.4e6, 15, 20_250, 19_750], 7.2, 0.1),  # the position that risks them
        ([28_450, 27_800, 29_900], 2.23, 0.01),  # a multiple of the risk
        ([82_550, 35, 0.5], 84_495.8, 0.1),  # a liquidation estimate
        ([1_841.38, 1_757.50], 1_799.44, 0.01),  # a midpoint
        ([1_758.30, 1_780.00], 21.70, 0.01),
        ([1.2, 365], 22.9, 0.1),  # a daily figure over a year
        ([162.5, 181.25, 312.5], 656.25, 0.01),  # a total
    ],
)
def test_usual_sums_are_reached(given, stated, place):
    assert Known(given).follows(stated, place)


@pytest.mark.parametrize("stated", [71.3, 63.21, 18_888.0, 1_263.0])
def test_invented_numbers_are_not(stated):
    assert not Known([20_250, 19_750, 21_250]).follows(stated, 0.01)


def test_tables_parted_by_commas_are_read_both_ways():
    assert {112_500, 111_200, 2.4e6, 15} <= set(numerals("pair,side,entry\nBTC,long,112500,111200,$2.4m,15 bps"))
    assert {500, 100, 250} <= set(numerals("a,500,100,250,x"))
    assert numerals("A close of 61,000.5 and 1,758.30.") == [61_000.5, 1_758.3]


@pytest.mark.parametrize(
    ("output", "codes"),
    [
        ("The EMA 20 and the 200-day average agree; RSI 14 is under 70.", set()),
        ("1. Risk 1% of 10,000 = 100 USDT. 2. Size 0.08 BTC.", set()),
        ("The S&P 500 matters more than a ratio of 2 to 1.", set()),
        ("The stop at 59,730.0 is close.", {"N002"}),
        ("RSI is 61.3 on my screen.", {"N001"}),
    ],
)
def test_numbers_of_a_strangers_answer(output, codes):
    prompt = ("Is this sensible?", "Long BTC, entry 60,000.0, stop 58,750.0, account 10,000 USDT, risk 1%.")
    assert {f.code for f in check_text(*prompt, output)} == codes


def test_rows_by_other_hands_raise_few_alarms_and_show_altered_numbers():
    from benchmarks.other_writers import measure

    halves = measure()
    for name, most in (("tuned on", 0.04), ("unseen", 0.06)):
        half = halves[name]
        assert half.rows == 500 and half.checked > 200
        assert half.alarmed <= most * half.rows
        assert half.found >= 0.35 * half.altered
