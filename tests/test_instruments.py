"""Ticks and lots against every candle of the tape; tiers against their own arithmetic."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.candles import FRAME_SECONDS
from market.instruments import (
    LATE_FILLS,
    instrument,
    known,
    lot,
    lot_for_price,
    tick,
    tick_for_price,
)
from market.tape import load
from tapewright.errors import ConfigError, SourceError

TAPE = load()


def off_grid(values, step, relative=1e-9, absolute=1e-9):
    """Which values are no multiple of `step`, within a share of their size or of a step."""
    count = values / float(step)
    return np.abs(count - np.round(count)) > np.maximum(absolute, relative * np.abs(count))


def prices(series):
    return np.stack([np.array(series.columns[name]) for name in ("open", "high", "low", "close")])


@pytest.mark.parametrize("venue,symbol", TAPE.symbols())
def test_every_price_is_on_the_tick_and_no_coarser_one_would_do(venue, symbol):
    contract = instrument(venue, symbol)
    frame = TAPE.frames(venue, symbol)[0]
    series = TAPE.series(venue, symbol, frame)
    opened = np.array(series.opened)
    late = np.isin(opened, LATE_FILLS.get((venue, symbol), ()))
    bounds = [0, *contract.changes, 4_000_000_000]
    for step, (since, until) in zip(contract.ticks, pairwise(bounds), strict=True):
        inside = (opened >= since) & (opened + FRAME_SECONDS[frame] <= until)
        assert inside.sum() > 30, f"{symbol}: too few candles on tick {step} to tell"
        p = prices(series)[:, inside & ~late]
        assert not off_grid(p, step).any(), f"{symbol}: prices off tick {step}"
        for coarser in (10, 5, 2):
            share = off_grid(p, Decimal(step) * coarser).mean()
            assert share > 0.25, f"{symbol}: tick {step} is needlessly fine, {coarser} times it nearly does"
    for at in LATE_FILLS.get((venue, symbol), ()):
        old, new = (contract.ticks[contract.ticks.index(contract.tick(at)) + k] for k in (-1, 0))
        candle = prices(series)[:, opened == at]
        assert off_grid(candle, new).any() and not off_grid(candle, old).any()


@pytest.mark.parametrize("venue,symbol", TAPE.symbols())
def test_a_tick_changes_on_the_candle_that_shows_it(venue, symbol):
    """The first candle off a coarser grid, or the last one off the grid to come, tells when."""
    contract = instrument(venue, symbol)
    frame = TAPE.frames(venue, symbol)[0]
    series = TAPE.series(venue, symbol, frame)
    opened = np.array(series.opened)
    late = np.isin(opened, LATE_FILLS.get((venue, symbol), ()))
    for at, (old, new) in zip(contract.changes, pairwise(contract.ticks), strict=True):
        assert tick(venue, symbol, at - 1) == old and tick(venue, symbol, at) == new
        coarse, finer_after = max(old, new, key=Decimal), Decimal(new) < Decimal(old)
        telling = off_grid(prices(series), coarse).any(axis=0) & ~late
        around = np.abs(opened - at) <= 30 * 86_400
        shown = opened[telling & around]
        assert (shown.min() if finer_after else shown.max() + FRAME_SECONDS[frame]) == at


@pytest.mark.parametrize("venue,symbol", TAPE.symbols())
def test_every_volume_is_a_number_of_lots(venue, symbol):
    series = TAPE.series(venue, symbol, TAPE.frames(venue, symbol)[0])
    volume = np.array(series.columns["volume"])
    step = lot(venue, symbol, series.close_time(0))
    # Volumes run to 1e11 lots, so only the last bits of a float may be forgiven; the exchange's own
    # sums of mid 2020 carry another 1e-5 lots of noise.
    assert not off_grid(volume, step, 1e-14, 1e-4).any()
    assert off_grid(volume, Decimal(step) * 10, 1e-14, 1e-4).mean() > 0.5


def test_tiers_add_up():
    for venue, symbol in TAPE.symbols():
        contract = instrument(venue, symbol)
        assert contract.max_leverage == contract.tiers[0].max_leverage
        assert contract.tiers[0].deduction_usdt == 0.0 and contract.source == "drawn"
        for low, high in pairwise(contract.tiers):
            assert high.number == low.number + 1 and high.source == "drawn"
            assert high.limit_usdt > low.limit_usdt and high.max_leverage < low.max_leverage
            # FACTS C: the deduction makes maintenance margin continuous where one tier ends.
            at_edge = [low.limit_usdt * t.maintenance_rate - t.deduction_usdt for t in (low, high)]
            assert at_edge[0] == pytest.approx(at_edge[1], abs=0.02)
        for tier in contract.tiers:
            assert tier.maintenance_rate < 1 / tier.max_leverage
            assert contract.tier(tier.limit_usdt) is tier
        assert contract.tier(1e12) is None and contract.tier(1).number == 1


def test_unknown_contracts_are_answered_with_known_ones():
    assert known("bybit", "BTCUSDT") and not known("bybit", "ADAUSDT")
    with pytest.raises(SourceError, match="Did you mean 'bybit BTCUSDT'.*tick_for_price"):
        tick("bybit", "BTCUSD", 1.7e9)


@given(st.floats(1e-8, 1e7))
def test_any_price_has_a_tick_and_a_lot(price):
    step, quantity = Decimal(tick_for_price(price)), Decimal(lot_for_price(price))
    assert 0 < float(step) / price <= 1.0000001e-5 and float(step) / price > 1.9e-6
    assert str(step.normalize().as_tuple().digits) in ("(1,)", "(5,)")
    assert "E" not in tick_for_price(price) and quantity <= 1
    assert float(quantity) * price <= 100.0000001


def test_ticks_of_some_prices():
    assert [tick_for_price(p) for p in (67_234.5, 100.0, 0.5, 3.2, 1_000_000)] == [
        *("0.5", "0.001", "0.000005", "0.00001", "10")
    ]
    assert [lot_for_price(p) for p in (67_234.5, 3_000, 140.0, 0.5)] == ["0.001", "0.01", "0.1", "1"]
    for nonsense in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="above zero"):
            tick_for_price(nonsense)
