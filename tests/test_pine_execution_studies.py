"""Every `ta.*` of the evaluator against arithmetic written here, TA-Lib, and the columns of the tape."""

import math

import numpy as np
import pytest

from market.tape import load
from validators.pinescript.builtins import table
from validators.pinescript.execution import ExecutionError, execute

BARS = 600
NAMES = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def series():
    return load().series("bybit", "ETHUSDT", "1h")


@pytest.fixture(scope="module")
def c(series):
    return {name: np.array(series.columns[name][:BARS]) for name in NAMES}


def run(series, body, bars=BARS, version=6):
    source = f'//@version={version}\nindicator("x")\n{body}\n'
    return execute(source, series, symbol="ETHUSDT", variables=True, bars=slice(0, bars)).variables


def column(series, expression, **options):
    return np.array(run(series, f"x = {expression}", **options)["x"], dtype=float)


def rolling(values, n, measure):
    """`measure` of each full window, nan before."""
    found = np.full(len(values), np.nan)
    for i in range(n - 1, len(values)):
        window = values[i - n + 1 : i + 1]
        if not np.isnan(window).any():
            found[i] = measure(window)
    return found


def before(values, n=1):
    return np.concatenate([np.full(n, np.nan), values[:-n]])


def smoothed(values, n, alpha):
    """Exponential mean, seeded with the mean of the first n known values."""
    found, first = np.full(len(values), np.nan), int(np.argmax(~np.isnan(values)))
    found[first + n - 1] = values[first : first + n].mean()
    for i in range(first + n, len(values)):
        found[i] = alpha * values[i] + (1 - alpha) * found[i - 1]
    return found


def ema(values, n):
    return smoothed(values, n, 2 / (n + 1))


def rma(values, n):
    return smoothed(values, n, 1 / n)


def sma(values, n):
    return rolling(values, n, np.mean)


def wma(values, n):
    return rolling(values, n, lambda w: (w * np.arange(1, n + 1)).sum() / (n * (n + 1) / 2))


def ranges(c):
    previous = before(c["close"])
    found = np.maximum(c["high"] - c["low"], np.maximum(abs(c["high"] - previous), abs(c["low"] - previous)))
    return found


def true_first(c):
    found = ranges(c)
    found[0] = c["high"][0] - c["low"][0]
    return found


def alma(values, n, offset, sigma):
    weights = np.exp(-((np.arange(n) - offset * (n - 1)) ** 2) / (2 * (n / sigma) ** 2))
    return rolling(values, n, lambda w: (w * weights).sum() / weights.sum())


def money_flow(c, source, n):
    change = source - before(source)
    up = np.where(change <= 0, 0, source) * c["volume"]
    down = np.where(change >= 0, 0, source) * c["volume"]
    return 100 - 100 / (1 + rolling(up, n, np.sum) / rolling(down, n, np.sum))


def spearman(window):
    ranks = np.array([(window < x).sum() + ((window == x).sum() + 1) / 2 for x in window])
    n = len(window)
    return 100 * (1 - 6 * ((ranks - np.arange(1, n + 1)) ** 2).sum() / (n * (n * n - 1)))


def rank_interpolated(window, p):
    ordered, n = np.sort(window), len(window)
    return float(np.interp(p / 100, (np.arange(1, n + 1) - 0.5) / n, ordered))


def twice(values, short, long):
    change = values - before(values)
    return ema(ema(change, long), short) / ema(ema(np.abs(change), long), short)


def dmi(c, n):
    up, down = c["high"] - before(c["high"]), before(c["low"]) - c["low"]
    plus = np.where(np.isnan(up), np.nan, np.where((up > down) & (up > 0), up, 0))
    minus = np.where(np.isnan(up), np.nan, np.where((down > up) & (down > 0), down, 0))
    span = rma(ranges(c), n)
    a, b = 100 * rma(plus, n) / span, 100 * rma(minus, n) / span
    return a, b, 100 * rma(abs(a - b) / (a + b), n)


def pivots(values, left, right, sign):
    found = np.full(len(values), np.nan)
    v = sign * values
    for i in range(left, len(values) - right):
        others = np.concatenate([v[i - left : i], v[i + 1 : i + right + 1]])
        if (v[i] > others).all():
            found[i + right] = values[i]
    return found


def correlated(a, b, n):
    found = np.full(len(a), np.nan)
    for i in range(n - 1, len(a)):
        found[i] = np.corrcoef(a[i - n + 1 : i + 1], b[i - n + 1 : i + 1])[0, 1]
    return found


def since(condition):
    found, last = [], None
    for i, true in enumerate(condition):
        last = i if true else last
        found.append(math.nan if last is None else i - last)
    return np.array(found)


def day_vwap(series, c):
    typical = (c["high"] + c["low"] + c["close"]) / 3
    days = np.array(series.opened[: len(typical)]) // 86_400
    found = []
    for i in range(len(typical)):
        same = days[: i + 1] == days[i]
        found.append((typical[: i + 1][same] * c["volume"][: i + 1][same]).sum() / c["volume"][: i + 1][same].sum())
    return np.array(found)


def cases(c, series):
    close, high, low, volume = c["close"], c["high"], c["low"], c["volume"]
    typical, change = (high + low + close) / 3, close - before(close)
    opened = c["open"]
    up, down = (
        np.where(change > 0, change, np.where(np.isnan(change), np.nan, 0)),
        np.where(change < 0, -change, np.where(np.isnan(change), np.nan, 0)),
    )
    bands = np.sqrt(rolling(close, 20, np.var)) * 2
    spread = rolling(high, 14, np.max) - rolling(low, 14, np.min)
    line = ema(close, 12) - ema(close, 26)
    crossed = (close > opened) & (before(close) <= before(opened))
    plus, minus, adx = dmi(c, 14)
    last = np.arange(len(close))
    accumulated = np.cumsum(np.where(high == low, 0, (2 * close - low - high) / (high - low) * volume))
    return {
        "ta.sma(close, 20)": sma(close, 20), "ta.ema(close, 20)": ema(close, 20), "ta.rma(close, 14)": rma(close, 14),
        "ta.wma(close, 10)": wma(close, 10), "ta.hma(close, 16)": wma(2 * wma(close, 8) - wma(close, 16), 4),
        "ta.vwma(close, 20)": sma(close * volume, 20) / sma(volume, 20),
        "ta.swma(close)": rolling(close, 4, lambda w: (w * [1, 2, 2, 1]).sum() / 6),
        "ta.alma(close, 9, 0.85, 6)": alma(close, 9, 0.85, 6),
        "ta.linreg(close, 14, 2)": rolling(close, 14, lambda w: np.polyval(np.polyfit(np.arange(14), w, 1), 11)),
        "ta.rsi(close, 14)": 100 - 100 / (1 + rma(up, 14) / rma(down, 14)), "ta.mom(close, 10)": close - before(close, 10),
        "ta.roc(close, 10)": 100 * (close / before(close, 10) - 1), "ta.change(close)": change,
        "ta.change(close, 3)": close - before(close, 3),
        "ta.stoch(close, high, low, 14)": 100 * (close - rolling(low, 14, np.min)) / spread,
        "ta.wpr(14)": 100 * (close - rolling(high, 14, np.max)) / spread,
        "ta.cci(hlc3, 20)": (typical - sma(typical, 20)) / (0.015 * rolling(typical, 20, lambda w: abs(w - w.mean()).mean())),
        "ta.cmo(close, 9)": 100 * (rolling(up, 9, np.sum) - rolling(down, 9, np.sum)) / (rolling(up, 9, np.sum) + rolling(down, 9, np.sum)),
        "ta.mfi(hlc3, 14)": money_flow(c, typical, 14), "ta.tsi(close, 13, 25)": twice(close, 13, 25),
        "ta.cog(close, 10)": rolling(close, 10, lambda w: -(w[::-1] * np.arange(1, 11)).sum() / w.sum()),
        "ta.rci(close, 9)": rolling(close, 9, spearman), "ta.bbw(close, 20, 2)": 200 * bands / sma(close, 20),
        "ta.kcw(close, 20, 1.5)": 3 * ema(ranges(c), 20) / ema(close, 20), "ta.tr": ranges(c), "ta.tr(true)": true_first(c),
        "ta.atr(14)": rma(true_first(c), 14), "ta.highest(20)": rolling(high, 20, np.max), "ta.lowest(20)": rolling(low, 20, np.min),
        "ta.highest(close, 7)": rolling(close, 7, np.max), "ta.lowest(close, 7)": rolling(close, 7, np.min),
        "ta.highestbars(20)": rolling(high, 20, lambda w: -float(np.argmax(w[::-1]))),
        "ta.lowestbars(close, 9)": rolling(close, 9, lambda w: -float(np.argmin(w[::-1]))),
        "ta.stdev(close, 20)": rolling(close, 20, np.std), "ta.stdev(close, 20, false)": rolling(close, 20, lambda w: w.std(ddof=1)),
        "ta.variance(close, 20)": rolling(close, 20, np.var), "ta.dev(close, 20)": rolling(close, 20, lambda w: abs(w - w.mean()).mean()),
        "ta.median(close, 8)": rolling(close, 8, np.median), "ta.range(close, 8)": rolling(close, 8, np.ptp),
        "ta.mode(math.round(close / 10), 12)": rolling(np.floor(close / 10 + 0.5), 12, lambda w: (lambda v, k: v[k.argmax()])(*np.unique(w, return_counts=True))),
        "ta.percentrank(close, 20)": rolling(close, 21, lambda w: 100 * (w[:-1] <= w[-1]).mean()),
        "ta.percentile_nearest_rank(close, 15, 40)": rolling(close, 15, lambda w: np.sort(w)[5]),
        "ta.percentile_linear_interpolation(close, 15, 42)": rolling(close, 15, lambda w: rank_interpolated(w, 42)),
        "ta.correlation(close, volume, 20)": correlated(close, volume, 20), "ta.cum(volume)": np.cumsum(volume),
        "ta.max(close)": np.maximum.accumulate(close), "ta.min(close)": np.minimum.accumulate(close),
        "math.sum(close, 10)": rolling(close, 10, np.sum), "ta.obv": np.concatenate([[0], np.cumsum(np.sign(change[1:]) * volume[1:])]),
        "ta.accdist": accumulated, "ta.pvt": np.concatenate([[0], np.cumsum(change[1:] / close[:-1] * volume[1:])]),
        "ta.iii": (2 * close - high - low) / ((high - low) * volume), "ta.wvad": (close - opened) / (high - low) * volume,
        "ta.wad": np.concatenate([[0], np.cumsum(np.where(change > 0, close - np.minimum(low, before(close)), np.where(change < 0, close - np.maximum(high, before(close)), 0))[1:])]),
        "ta.nvi": np.cumprod(np.where(volume < before(volume), 1 + change / before(close), 1)),
        "ta.pvi": np.cumprod(np.where(volume > before(volume), 1 + change / before(close), 1)),
        "ta.crossover(close, open) ? 1 : 0": crossed.astype(float),
        "ta.crossunder(close, open) ? 1 : 0": ((close < opened) & (before(close) >= before(opened))).astype(float),
        "ta.cross(close, open) ? 1 : 0": (crossed | (close < opened) & (before(close) >= before(opened))).astype(float),
        "ta.rising(close, 3) ? 1 : 0": ((close > before(close)) & (close > before(close, 2)) & (close > before(close, 3))).astype(float),
        "ta.falling(close, 2) ? 1 : 0": ((close < before(close)) & (close < before(close, 2))).astype(float),
        "ta.barssince(ta.crossover(close, open))": since(crossed),
        "ta.valuewhen(ta.crossover(close, open), high, 1)": np.array([(lambda at: high[at[-2]] if len(at) > 1 else np.nan)(np.flatnonzero(crossed[: i + 1])) for i in last]),
        "ta.pivothigh(3, 2)": pivots(high, 3, 2, 1), "ta.pivotlow(low, 4, 4)": pivots(low, 4, 4, -1), "ta.vwap": day_vwap(series, c), "ta.vwap(hlc3)": day_vwap(series, c),
        "fixnan(ta.pivothigh(3, 2))": np.array([(lambda k: k[-1] if len(k) else np.nan)(p[: i + 1][~np.isnan(p[: i + 1])]) for p in [pivots(high, 3, 2, 1)] for i in last]),
        "ta.bb(close, 20, 2)": (sma(close, 20), sma(close, 20) + bands, sma(close, 20) - bands),
        "ta.kc(close, 20, 1.5)": (ema(close, 20), ema(close, 20) + 1.5 * ema(ranges(c), 20), ema(close, 20) - 1.5 * ema(ranges(c), 20)),
        "ta.kc(close, 20, 1.5, false)": (ema(close, 20), ema(close, 20) + 1.5 * ema(high - low, 20), ema(close, 20) - 1.5 * ema(high - low, 20)),
        "ta.macd(close, 12, 26, 9)": (line, ema(line, 9), line - ema(line, 9)), "ta.dmi(14, 14)": (plus, minus, adx),
    }  # fmt: skip


@pytest.fixture(scope="module")
def expected(c, series):
    with np.errstate(divide="ignore", invalid="ignore"):
        return cases(c, series)


def agree(ours, theirs, what):
    ours = np.array(ours, dtype=float)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs)), f"{what}: na on other bars"
    known = ~np.isnan(theirs)
    scale = np.maximum(np.abs(theirs[known]), np.abs(theirs[known]).mean())
    worst = (np.abs(ours[known] - theirs[known]) / np.where(scale == 0, 1, scale)).max()
    assert worst <= 1e-9, f"{what}: off by {worst:.1e}"


def test_every_study_agrees_with_plain_arithmetic(series, expected):
    for expression, theirs in expected.items():
        if isinstance(theirs, tuple):
            names = ", ".join("abc"[: len(theirs)])
            found = run(series, f"[{names}] = {expression}")
            for name, values in zip("abc", theirs):
                agree(found[name], values, f"{expression} {name}")
        else:
            agree(column(series, expression), theirs, expression)


def test_no_study_is_left_out(expected):
    """What the test above does not name has a test of its own below."""
    named = " ".join(expected)
    elsewhere = {"ta.supertrend", "ta.sar", "ta.pivot_point_levels"}
    known = {name for name in (*table().functions, *table().values) if name.startswith("ta.")}
    assert {name for name in known if name not in named} == elsewhere


def test_studies_agree_with_the_columns_of_the_tape(series):
    body = """
[m, s, h] = ta.macd(close, 12, 26, 9)
[mid, up, low_] = ta.bb(close, 20, 2)
[p, n, adx_14] = ta.dmi(14, 14)
ema_20 = ta.ema(close, 20)
ema_50 = ta.ema(close, 50)
ema_200 = ta.ema(close, 200)
rsi_14 = ta.rsi(close, 14)
atr_14 = ta.atr(14)
high_20 = ta.highest(20)[1]
low_20 = ta.lowest(20)[1]
"""
    found = run(series, body, bars=1_500)
    names = {"macd": "m", "macd_signal": "s", "macd_hist": "h", "bb_mid": "mid", "bb_upper": "up", "bb_lower": "low_"}
    plain = ("ema_20", "ema_50", "ema_200", "rsi_14", "atr_14", "adx_14", "high_20", "low_20")
    # Seeds differ (the fast mean of MACD, the first true range): what is left of them after 900 bars is nothing.
    for tape_name, name in (names | {name: name for name in plain}).items():
        ours, theirs = np.array(found[name][900:]), np.array(series.columns[tape_name][900:1_500])
        scale = 1_000.0 if tape_name.startswith("macd") else np.abs(theirs)
        assert (np.abs(ours - theirs) / scale).max() <= 1e-9, tape_name


def test_studies_agree_with_talib(series, c):
    talib = pytest.importorskip("talib", reason="TA-Lib is the independent second opinion")
    close, high, low = c["close"], c["high"], c["low"]
    for expression, theirs in {
        "ta.wma(close, 10)": talib.WMA(close, 10), "ta.linreg(close, 14, 0)": talib.LINEARREG(close, 14), "ta.roc(close, 10)": talib.ROC(close, 10),
        "ta.cci(hlc3, 20)": talib.CCI(high, low, close, 20), "ta.wpr(14)": talib.WILLR(high, low, close, 14),
        "ta.stdev(close, 20)": talib.STDDEV(close, 20),
    }.items():  # fmt: skip
        ours = column(series, expression)
        known = ~np.isnan(theirs)
        assert np.abs(ours[known] - theirs[known]).max() <= 1e-6 * np.abs(theirs[known]).max(), expression


def stop_and_reverse(c, clamp_first):
    """Wilder's parabolic; `clamp_first` holds the stop behind the last two lows (highs) before asking whether it was hit."""
    high, low, close = c["high"], c["low"], c["close"]
    up = close[1] > close[0]
    stop, best, speed = (low[0], high[1], 0.02) if up else (high[0], low[1], 0.02)
    found = [math.nan]
    for i in range(1, len(close)):
        stop += speed * (best - stop)
        held = min(stop, *low[max(i - 2, 0) : i]) if up else max(stop, *high[max(i - 2, 0) : i])
        asked = held if clamp_first else stop
        if low[i] < asked if up else high[i] > asked:
            up = not up
            stop, speed = (min(low[i], best), 0.02) if up else (max(high[i], best), 0.02)
            best = high[i] if up else low[i]
        elif i > 1:
            better = max(best, high[i]) if up else min(best, low[i])
            speed = min(speed + 0.02 * (better != best), 0.2)
            best = better
        stop = min(stop, *low[max(i - 2, 0) : i]) if up else max(stop, *high[max(i - 2, 0) : i])
        found.append(stop)
    return np.array(found)


def test_parabolic_stop(series, c):
    agree(column(series, "ta.sar(0.02, 0.02, 0.2)"), stop_and_reverse(c, False), "ta.sar")
    talib = pytest.importorskip("talib", reason="TA-Lib is the independent second opinion")
    theirs = talib.SAR(c["high"], c["low"], 0.02, 0.2)  # which holds the stop first, and begins otherwise
    assert np.abs(stop_and_reverse(c, True)[5:] - theirs[5:]).max() < 1e-9


def test_supertrend(series, c):
    """Bands that only tighten while the price stays on their side, and a line that changes sides when it is broken."""
    n, factor = 10, 3.0
    size, middle, close = rma(true_first(c), n), (c["high"] + c["low"]) / 2, c["close"]
    line, direction = np.full(BARS, np.nan), np.full(BARS, 1.0)
    upper = lower = None
    for i in range(BARS):
        if np.isnan(size[i]):
            continue
        new_upper, new_lower = middle[i] + factor * size[i], middle[i] - factor * size[i]
        if upper is not None:
            new_lower = new_lower if new_lower > lower or close[i - 1] < lower else lower
            new_upper = new_upper if new_upper < upper or close[i - 1] > upper else upper
            if direction[i - 1] == 1:
                direction[i] = -1 if close[i] > new_upper else 1
            else:
                direction[i] = 1 if close[i] < new_lower else -1
        upper, lower = new_upper, new_lower
        line[i] = lower if direction[i] == -1 else upper
    found = run(series, f"[line_, direction] = ta.supertrend({factor}, {n})")
    settled = slice(60, None)  # before the first full window the language compares with bands of zero
    assert np.abs(np.array(found["line_"])[settled] - line[settled]).max() < 1e-9
    assert (np.array(found["direction"])[settled] == direction[settled]).all()
    assert {-1, 1} == set(found["direction"][60:])


def test_pivot_levels(series, c):
    body = 'levels = ta.pivot_point_levels("Traditional", timeframe.change("D"))\nx = levels.get(0)\ny = levels.get(1)'
    found = run(series, body, bars=100)
    days = np.array(series.opened[:100]) // 86_400
    day = days == days[0] + 1
    high, low, close = c["high"][:100][day].max(), c["low"][:100][day].min(), c["close"][:100][day][-1]
    at = int(np.flatnonzero(days == days[0] + 2)[0])
    p = (high + low + close) / 3
    assert found["x"][at] == pytest.approx(p) and found["y"][at] == pytest.approx(2 * p - low)


def test_na_values_are_left_out(series):
    gappy = "bar_index % 3 == 0 ? na : close"
    c = np.array(series.columns["close"][:60])
    kept = [c[i] for i in range(60) if i % 3]
    assert column(series, f"ta.sma({gappy}, 4)", bars=60)[-1] == pytest.approx(np.mean(kept[-4:]))
    assert column(series, f"ta.highest({gappy}, 4)", bars=60)[-1] == max(kept[-4:])
    assert column(series, f"ta.ema({gappy}, 4)", bars=60)[57] == column(series, f"ta.ema({gappy}, 4)", bars=60)[56]


def test_anchored_vwap_and_its_bands(series, c):
    found = run(series, "[v, up, low_] = ta.vwap(close, bar_index == 10, 2)", bars=40)
    weights, prices = c["volume"][10:40], c["close"][10:40]
    mean = (weights * prices).sum() / weights.sum()
    width = 2 * math.sqrt((weights * prices**2).sum() / weights.sum() - mean**2)
    assert found["v"][-1] == pytest.approx(mean) and found["up"][-1] == pytest.approx(mean + width, rel=1e-7)
    assert found["low_"][-1] == pytest.approx(mean - width, rel=1e-7)


def test_a_length_must_be_a_whole_number_above_zero(series):
    for length in ("0", "-1", "bar_index"):
        with pytest.raises(ExecutionError, match="a length is"):
            column(series, f"ta.sma(close, {length})", bars=5)
    assert column(series, "ta.sma(close, math.min(bar_index + 1, 5))", bars=20)[1] == pytest.approx(
        np.mean(series.columns["close"][:2])
    )
