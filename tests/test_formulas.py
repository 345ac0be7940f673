"""Formulas held to published examples and identities."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from market import margin, rubric, sizing
from market.quantities import Missing, Quantities
from market.quantity import ceil_price, floor_lot, floor_price, quantise, snap_price

price = st.floats(0.01, 100_000)
size = st.floats(0.001, 1_000)
leverage = st.floats(1.5, 100)
rate = st.floats(0.001, 0.01)


def test_published_liquidation_example():
    """The exchange's own example: long at 20,000, 50x, maintenance rate 0.5 %."""
    assert margin.liquidation_price(1, 20_000, 50, 0.005, True, formula="classic") == pytest.approx(19_700)
    assert margin.liquidation_price(1, 20_000, 50, 0.005, True) == pytest.approx(19_698.49, abs=0.005)


@given(price, size, leverage, rate, st.booleans())
def test_equity_is_maintenance_margin_at_liquidation(entry, q, lev, mmr, long):
    at = margin.liquidation_price(q, entry, lev, mmr, long)
    assume(at is not None)
    equity = margin.initial_margin(q, entry, lev) + margin.profit(q, entry, at, long)
    assert equity == pytest.approx(margin.maintenance_margin(q, at, mmr), rel=1e-6, abs=1e-6 * q * entry)


@given(price, size, st.floats(2, 100), rate, st.booleans())
def test_inverse_equity_is_maintenance_margin_at_liquidation(entry, q, lev, mmr, long):
    at = margin.liquidation_price(q, entry, lev, mmr, long, inverse=True)
    assume(at is not None)
    equity = margin.initial_margin(q, entry, lev, inverse=True) + margin.profit(q, entry, at, long, inverse=True)
    assert equity == pytest.approx(margin.maintenance_margin(q, at, mmr, inverse=True), rel=1e-6, abs=1e-9)


@given(price, size, rate, st.booleans(), st.floats(2, 50))
def test_more_leverage_brings_liquidation_nearer(entry, q, mmr, long, lev):
    less, more = (margin.liquidation_price(q, entry, x, mmr, long) for x in (lev, lev * 1.5))
    assume(less is not None and more is not None)
    assert abs(entry - more) < abs(entry - less)


def test_no_liquidation_price_is_none_and_not_a_number():
    assert margin.liquidation_price(1, 100, 1, 0.005, True) is None
    assert margin.liquidation_price(100, 100, 1, 0.005, False, inverse=True) is None
    assert margin.bankruptcy_price(100, 1, False, inverse=True) is None


@given(price, size, st.floats(0.5, 1.5), st.booleans())
def test_leverage_never_enters_profit(entry, q, move, long):
    assert margin.profit(q, entry, entry * move, long) == -margin.profit(q, entry, entry * move, not long)


def test_tier_deductions_keep_maintenance_margin_continuous():
    limits, rates = [100_000.0, 500_000.0, 1e9], [0.005, 0.01, 0.02]
    deductions = margin.tier_deductions(limits, rates)
    for n in range(2):
        low = margin.maintenance_margin(1, limits[n], rates[n], deductions[n])
        high = margin.maintenance_margin(1, limits[n], rates[n + 1], deductions[n + 1])
        assert low == pytest.approx(high)


def test_funding_sign_and_baseline():
    assert margin.funding_rate(0.0) == pytest.approx(0.0001)
    assert margin.funding_payment(2, 100, 0.0001, long=True) > 0 > margin.funding_payment(2, 100, 0.0001, long=False)


@given(st.floats(10, 1e6), price, price, st.floats(0, 0.001), st.floats(0, 0.001))
def test_size_times_distance_and_costs_is_the_budget(budget, entry, stop, fee, slip):
    assume(abs(entry - stop) > 1e-6 * entry)
    q = sizing.position_size(budget, entry, stop, fee, slip)
    loss = q * (abs(entry - stop) + sizing.costs_per_unit(entry, stop, fee, slip))
    assert loss == pytest.approx(budget, rel=1e-9)


@given(st.floats(0.01, 10), price, price)
def test_inverse_size_identity(budget, entry, stop):
    assume(abs(entry - stop) > 1e-6 * entry)
    q = sizing.inverse_position_size(budget, entry, stop)
    assert q * abs(1 / entry - 1 / stop) == pytest.approx(budget, rel=1e-9)


def test_net_reward_risk_of_the_known_example():
    """0.13 % round-trip cost, a 0.5 % stop at 2R: 1.38 net."""
    assert sizing.net_reward_risk(100, 99.5, 101, 0.00065) == pytest.approx(1.38, abs=0.005)


@given(st.floats(0.1, 10))
def test_kelly_is_zero_at_break_even(rr):
    assert sizing.kelly(sizing.break_even_rate(rr), rr) == pytest.approx(0, abs=1e-12)
    assert sizing.expectancy(sizing.break_even_rate(rr), rr, 1) == pytest.approx(0, abs=1e-9)


def test_rubric_adds_up():
    assert rubric.risk_score(0.4, 5, 0.4, stop_works=True).score == 1
    assert rubric.risk_score(3.2, 5, 0.4, stop_works=True) == rubric.Score(5, "loss", 4, 0, 0)
    assert rubric.risk_score(3.2, 0.2, 0.4, stop_works=True).score == 1 + 5 + 1
    assert rubric.risk_score(0.4, 5, 0.4, stop_works=False).score == 3
    assert rubric.risk_score(20, 0.01, 20, stop_works=False, funding_pct_margin_day=2).score == 10


def test_half_even_on_the_decimal_string():
    assert quantise(2.675, 2) == 2.68 and quantise(2.665, 2) == 2.66 and quantise(0.125, 2) == 0.12
    assert str(quantise(-0.001, 2)) == "0.0"


@given(st.floats(0.001, 1e6), st.sampled_from(["0.1", "0.5", "0.05", "0.001", "1", "0.0001"]))
def test_snapping_stays_on_the_grid(value, step):
    low, high, near = floor_price(value, step), ceil_price(value, step), snap_price(value, step)
    unit = float(step)
    assert low <= value + unit * 1e-6 and high >= value - unit * 1e-6 and low <= near <= high
    for snapped in (low, high, near):
        assert abs(snapped / unit - round(snapped / unit)) < 1e-5
    assert floor_lot(0.3, "0.1") == 0.3


def test_quantities_derive_and_refuse():
    q = Quantities({"side": "long", "size": 0.5, "entry": 60_000.0, "leverage": 10, "tick": "0.1"})
    assert q["notional"] == 30_000.0 and q["initial_margin"] == 3_000.0
    assert q.get("liquidation") is None  # no margin mode, no maintenance rate
    with pytest.raises(Missing):
        q["liquidation"]


def test_cross_margin_has_no_liquidation_price():
    given_values = {"side": "long", "size": 0.5, "entry": 60_000.0, "leverage": 10, "mmr": 0.5, "deduction": 0.0}
    assert Quantities({**given_values, "margin_mode": "cross"}).get("liquidation") is None
    isolated = Quantities({**given_values, "margin_mode": "isolated", "tick": "0.1"})
    assert math.isclose(isolated["liquidation"], 54_271.4, abs_tol=0.05)
    assert isolated.get("gap") == "equity"
