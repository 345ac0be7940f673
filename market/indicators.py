"""Every indicator column of one series, computed once from its candles.

Conventions and seeds are TA-Lib's, so a reader can check any value with a second library. A
column is NaN until it has seen enough bars, and its value at bar i is a function of bars 0..i.

Sums over a window are written as element-wise additions in a fixed order, and smoothing as one
scalar recursion: both give the same last bit on every CPU and, for windows, wherever the frame
starts. numpy's reductions and polars' rolling deviation promise neither.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

HOURS_PER_YEAR = 8760
PIVOT_BARS = 3

Array = np.ndarray
_NAN = float("nan")


def compute(candles: Mapping[str, Any], frame_hours: int) -> dict[str, Array]:
    """Return float64 columns by name, each as long as the candles.

    `candles` is a polars DataFrame or a mapping of arrays with open, high, low, close and volume,
    oldest first, evenly spaced. The result repeats those five and adds:

    - ema_20, ema_50, ema_200: exponential mean of the close, alpha 2/(n+1), seeded with the mean
      of the first n closes.
    - rsi_14, atr_14, adx_14: Wilder, "New Concepts in Technical Trading Systems" (1978), with
      TA-Lib's seeds. RSI of a market that has not moved at all is 50 (TA-Lib says 0).
    - macd, macd_signal, macd_hist: 12, 26, 9.
    - bb_mid, bb_upper, bb_lower: 20 bars, 2 population standard deviations.
    - vol_20: population deviation of the last 20 simple returns, annualised by the square root of
      the bars in 8,760 hours, in percent.
    - volume_mean_20: mean volume of the 20 bars before this one; volume_ratio: volume over it.
    - change_pct: close against the close before; change_24h_pct (frames below a day) and
      change_7d_pct (daily) against the close that much earlier; all in percent.
    - high_20, low_20: extremes of the 20 bars before this one.
    - swing_high, swing_low: the last pivot known by then. A pivot is strictly beyond the three bars
      on either side, hence known only once the third bar after it has closed.
    - range_pct: (high - low) / close in percent; median_range_pct: its median over 100 bars.
    """
    opened, high, low, close, volume = (
        np.ascontiguousarray(candles[name], dtype=np.float64) for name in ("open", "high", "low", "close", "volume")
    )
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    with np.errstate(divide="ignore", invalid="ignore"):
        for span in (20, 50, 200):
            columns[f"ema_{span}"] = _ema(close, span)
        columns["rsi_14"] = _rsi(close, 14)
        columns |= _macd(close, 12, 26, 9)
        columns["atr_14"] = _wilder(_true_range(high, low, close), 14, first=1)
        columns["adx_14"] = _adx(high, low, close, 14)

        middle = _mean(close, 20)
        deviation = _deviation(close, middle, 20)
        columns["bb_mid"] = middle
        columns["bb_upper"] = middle + 2.0 * deviation
        columns["bb_lower"] = middle - 2.0 * deviation

        returns = close / _earlier(close, 1) - 1.0
        bars_per_year = HOURS_PER_YEAR / frame_hours
        columns["vol_20"] = _deviation(returns, _mean(returns, 20), 20) * sqrt(bars_per_year) * 100.0

        columns["volume_mean_20"] = _earlier(_mean(volume, 20), 1)
        ratio = volume / columns["volume_mean_20"]
        ratio[~np.isfinite(ratio)] = _NAN  # twenty bars without a trade have no ratio
        columns["volume_ratio"] = ratio

        columns["change_pct"] = _change_pct(close, 1)
        if frame_hours < 24:
            columns["change_24h_pct"] = _change_pct(close, 24 // frame_hours)
        else:
            columns["change_7d_pct"] = _change_pct(close, 168 // frame_hours)

        columns["high_20"] = _earlier(_rolling("max", high, 20), 1)
        columns["low_20"] = _earlier(_rolling("min", low, 20), 1)
        columns["swing_high"] = _last_pivot(high, PIVOT_BARS)
        columns["swing_low"] = -_last_pivot(-low, PIVOT_BARS)
        columns["range_pct"] = (high - low) / close * 100.0
        columns["median_range_pct"] = _rolling("median", columns["range_pct"], 100)
    return columns


def _earlier(values: Array, bars: int) -> Array:
    """The value `bars` bars ago; NaN where there was none."""
    shifted = np.full(len(values), _NAN)
    shifted[bars:] = values[: max(0, len(values) - bars)]
    return shifted


def _change_pct(close: Array, bars: int) -> Array:
    return (close / _earlier(close, bars) - 1.0) * 100.0


def _mean(values: Array, window: int) -> Array:
    """Mean of the last `window` values, summed oldest first."""
    total = _earlier(values, window - 1)
    for back in range(window - 2, -1, -1):
        total = total + _earlier(values, back)
    return total / window


def _deviation(values: Array, means: Array, window: int) -> Array:
    """Population standard deviation of the last `window` values around their mean."""
    total = (_earlier(values, window - 1) - means) ** 2
    for back in range(window - 2, -1, -1):
        total = total + (_earlier(values, back) - means) ** 2
    return np.sqrt(total / window)


def _rolling(kind: str, values: Array, window: int) -> Array:
    """Rolling max, min or median: order statistics, so no rounding to worry about."""
    import polars as pl

    series = pl.Series(values)
    rolled = getattr(series, f"rolling_{kind}")(window_size=window)
    return rolled.fill_null(_NAN).to_numpy()


def _smooth(values: Array, alpha: float, seed: float, first: int) -> Array:
    """s[first] = seed, then s[i] = s[i-1] + alpha·(x[i] - s[i-1]); NaN before `first`."""
    import polars as pl

    seeded = values[first:].copy()
    seeded[0] = seed
    smoothed = np.full(len(values), _NAN)
    smoothed[first:] = pl.Series(seeded).ewm_mean(alpha=alpha, adjust=False).to_numpy()
    return smoothed


def _sum_in_order(values: Array) -> float:
    total = 0.0
    for value in values.tolist():
        total += value
    return total


def _ema(values: Array, span: int, first: int | None = None) -> Array:
    """Exponential mean whose seed, the plain mean of `span` values, ends at index `first`."""
    first = span - 1 if first is None else first
    if len(values) <= first:
        return np.full(len(values), _NAN)
    seed = _sum_in_order(values[first - span + 1 : first + 1]) / span
    return _smooth(values, 2.0 / (span + 1), seed, first)


def _wilder(values: Array, window: int, first: int) -> Array:
    """Wilder's mean (alpha 1/n), seeded with the plain mean of n values from index `first` on."""
    end = first + window - 1
    if len(values) <= end:
        return np.full(len(values), _NAN)
    seed = _sum_in_order(values[first : end + 1]) / window
    return _smooth(values, 1.0 / window, seed, end)


def _rsi(close: Array, window: int) -> Array:
    change = close - _earlier(close, 1)
    gain = _wilder(np.where(change > 0, change, 0.0), window, first=1)
    loss = _wilder(np.where(change < 0, -change, 0.0), window, first=1)
    both = gain + loss
    return np.where(both == 0.0, 50.0, 100.0 * gain / both)


def _macd(close: Array, fast: int, slow: int, signal: int) -> dict[str, Array]:
    """TA-Lib seeds the fast mean at the bar where the slow one begins, and shows nothing before
    the signal line exists."""
    line = _ema(close, fast, first=slow - 1) - _ema(close, slow)
    start = slow + signal - 2
    smoothed = _ema(line, signal, first=start)
    line[:start] = _NAN
    return {"macd": line, "macd_signal": smoothed, "macd_hist": line - smoothed}


def _true_range(high: Array, low: Array, close: Array) -> Array:
    before = _earlier(close, 1)
    return np.fmax(high - low, np.fmax(np.abs(high - before), np.abs(low - before)))


def _adx(high: Array, low: Array, close: Array, window: int) -> Array:
    """Wilder's running sums start from n-1 bars, not n: TA-Lib follows his book here."""
    up = high - _earlier(high, 1)
    down = _earlier(low, 1) - low
    moves = (
        np.where((up > down) & (up > 0), up, 0.0),
        np.where((down > up) & (down > 0), down, 0.0),
        _true_range(high, low, close),
    )
    count = len(close)
    if count < 2 * window:
        return np.full(count, _NAN)
    plus, minus, true_range = (
        _smooth(move, 1.0 / window, _sum_in_order(move[1:window]) / window, window - 1) for move in moves
    )
    plus, minus = plus / true_range, minus / true_range
    both = plus + minus
    index = np.where(both > 0.0, 100.0 * np.abs(plus - minus) / both, 0.0)
    return _wilder(index, window, first=window)


def _last_pivot(highs: Array, side: int) -> Array:
    """At each bar, the most recent high that `side` later bars have already failed to reach."""
    import polars as pl

    count = len(highs)
    if count < 2 * side + 1:
        return np.full(count, _NAN)
    middle = highs[side : count - side]
    pivot = np.ones(len(middle), dtype=bool)
    for shift in (*range(-side, 0), *range(1, side + 1)):
        pivot &= middle > highs[side + shift : count - side + shift]
    known = np.full(count, _NAN)
    known[2 * side :] = np.where(pivot, middle, _NAN)
    return pl.Series(known).fill_nan(None).forward_fill().fill_null(_NAN).to_numpy()
