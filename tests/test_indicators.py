"""Indicators against TA-Lib, against plain arithmetic, and against a changed future."""

import numpy as np
import pytest

from market.indicators import compute
from market.tape import load

talib = pytest.importorskip("talib", reason="TA-Lib is the independent second opinion")

SETTLED = 250  # bars after which seeds no longer matter even where conventions differ
NAMES = ("open", "high", "low", "close", "volume")


def candles(symbol="BTCUSDT", frame="1h", count=3_000):
    series = load().series("bybit", symbol, frame)
    return {name: np.array(series.columns[name])[:count] for name in NAMES}


@pytest.fixture(scope="module")
def hourly():
    return candles()


@pytest.fixture(scope="module")
def computed(hourly):
    return compute(hourly, 1)


def reference(c):
    upper, middle, lower = talib.BBANDS(c["close"], 20, 2.0, 2.0)
    macd, signal, histogram = talib.MACD(c["close"], 12, 26, 9)
    return {
        "ema_20": talib.EMA(c["close"], 20),
        "ema_50": talib.EMA(c["close"], 50),
        "ema_200": talib.EMA(c["close"], 200),
        "rsi_14": talib.RSI(c["close"], 14),
        "atr_14": talib.ATR(c["high"], c["low"], c["close"], 14),
        "adx_14": talib.ADX(c["high"], c["low"], c["close"], 14),
        "macd": macd,
        "macd_signal": signal,
        "macd_hist": histogram,
        "bb_upper": upper,
        "bb_mid": middle,
        "bb_lower": lower,
    }


@pytest.mark.parametrize("symbol,frame", [("BTCUSDT", "1h"), ("XRPUSDT", "4h"), ("SOLUSDT", "1d")])
def test_agrees_with_talib(symbol, frame):
    c = candles(symbol, frame)
    ours = compute(c, {"1h": 1, "4h": 4, "1d": 24}[frame])
    for name, theirs in reference(c).items():
        assert np.array_equal(np.isnan(ours[name]), np.isnan(theirs)), f"{name}: other warm-up"
        scale = c["close"] if name.startswith("macd") else np.abs(theirs)
        error = (np.abs(ours[name] - theirs) / scale)[SETTLED:]
        assert error.max() <= 1e-9, f"{name}: relative error {error.max():.1e}"
        from_start = np.nanmax(np.abs(ours[name] - theirs) / scale)
        assert from_start <= 1e-9, f"{name}: differs by {from_start:.1e} during warm-up"


@pytest.mark.parametrize("frame,hours", [("1h", 1), ("4h", 4), ("1d", 24)])
def test_the_future_changes_nothing(frame, hours):
    c = candles("ETHUSDT", frame, 900)
    before = compute(c, hours)
    rng = np.random.default_rng(7)
    for i in (0, 5, 19, 27, 100, 333, 700, 898):
        altered = {name: values.copy() for name, values in c.items()}
        for values in altered.values():
            values[i + 1 :] *= rng.uniform(0.2, 5.0, len(values) - i - 1)
        after = compute(altered, hours)
        assert after.keys() == before.keys()
        for name in before:
            same = np.array_equal(before[name][: i + 1], after[name][: i + 1], equal_nan=True)
            assert same, f"{name} up to bar {i} knew what came after it"


def test_a_shorter_history_gives_the_same_values(hourly, computed):
    cut = compute({name: values[:1_000] for name, values in hourly.items()}, 1)
    for name, values in cut.items():
        assert np.array_equal(values, computed[name][:1_000], equal_nan=True), name


def test_windows_do_not_feel_where_the_frame_starts(hourly, computed):
    late = compute({name: values[500:] for name, values in hourly.items()}, 1)
    for name in ("vol_20", "bb_mid", "bb_upper", "volume_mean_20", "high_20", "low_20", "median_range_pct"):
        assert np.array_equal(late[name][150:], computed[name][650:]), name


def test_returns_and_volume_by_hand(hourly, computed):
    i, close, volume = 777, hourly["close"], hourly["volume"]
    returns = close[i - 19 : i + 1] / close[i - 20 : i] - 1
    assert computed["vol_20"][i] == pytest.approx(np.std(returns) * np.sqrt(8760) * 100, rel=1e-12)
    assert computed["volume_mean_20"][i] == pytest.approx(volume[i - 20 : i].mean(), rel=1e-12)
    assert computed["volume_ratio"][i] == pytest.approx(volume[i] / volume[i - 20 : i].mean(), rel=1e-12)
    assert computed["change_pct"][i] == pytest.approx((close[i] / close[i - 1] - 1) * 100)
    assert computed["change_24h_pct"][i] == pytest.approx((close[i] / close[i - 24] - 1) * 100)
    for j in range(20, 300):
        assert computed["high_20"][j] == hourly["high"][j - 20 : j].max()
        assert computed["low_20"][j] == hourly["low"][j - 20 : j].min()
    ranges = (hourly["high"] - hourly["low"]) / close * 100
    assert computed["range_pct"][i] == pytest.approx(ranges[i], rel=1e-12)
    assert computed["median_range_pct"][i] == pytest.approx(np.median(ranges[i - 99 : i + 1]), rel=1e-12)


def test_each_frame_has_its_own_change_and_volatility(hourly):
    four, day = compute(hourly, 4), compute(hourly, 24)
    close = hourly["close"]
    assert four["change_24h_pct"][50] == pytest.approx((close[50] / close[44] - 1) * 100)
    assert "change_24h_pct" not in day and "change_7d_pct" not in four
    assert day["change_7d_pct"][50] == pytest.approx((close[50] / close[43] - 1) * 100)
    assert four["vol_20"][50] == pytest.approx(day["vol_20"][50] * np.sqrt(6))


def test_a_swing_is_known_three_bars_late():
    highs = np.array([10, 11, 12, 15, 12, 11, 10, 10, 10, 10.0])
    flat = {"open": highs - 1, "high": highs, "low": highs - 2, "close": highs - 1, "volume": highs}
    columns = compute(flat, 1)
    assert np.isnan(columns["swing_high"][:6]).all()
    assert (columns["swing_high"][6:] == 15).all()
    assert np.isnan(columns["swing_low"]).all()


def test_a_swing_is_strictly_beyond_its_neighbours():
    lows = np.array([9, 8, 7, 5, 5, 7, 8, 9, 4, 9, 9, 9, 9.0])
    flat = {"open": lows + 1, "high": lows + 2, "low": lows, "close": lows + 1, "volume": lows}
    swing_low = compute(flat, 1)["swing_low"]
    assert np.isnan(swing_low[:11]).all()
    assert (swing_low[11:] == 4).all()


def test_short_and_silent_markets():
    for count in range(0, 45):
        still = {name: np.full(count, 100.0) for name in NAMES} | {"volume": np.zeros(count)}
        columns = compute(still, 1)
        assert all(len(values) == count for values in columns.values())
    assert columns["rsi_14"][-1] == 50.0
    assert columns["adx_14"][-1] == 0.0
    assert np.isnan(columns["volume_ratio"]).all()
    assert not any(np.isinf(values).any() for values in columns.values())
