"""Oscillators: `ta.rsi`, `ta.macd`, `ta.stoch` and their kin. States as in `averages`.

Formulas: the reference entries of the functions, which print them as scripts.
"""

from math import fsum, nan

from validators.pinescript.execution.averages import Update, ema, rma, sma, total, whole
from validators.pinescript.execution.windows import mean_deviation


def rsi() -> Update:
    """Wilder's, over `ta.rma` of gains and losses; 100 where nothing was lost."""
    gains, losses, before = rma(), rma(), nan

    def update(x: float, n: int) -> float:
        nonlocal before
        change = x - before
        before = x
        up = gains(change if change > 0 else 0.0 if change == change else nan, n)
        down = losses(-change if change < 0 else 0.0 if change == change else nan, n)
        if down == 0:
            return 100.0
        return 100.0 - 100.0 / (1.0 + up / down) if up else 0.0

    return update


def macd() -> Update:
    """The line, its signal, and the difference of the two."""
    quick, slow, signal = ema(), ema(), ema()

    def update(x: float, fast_n: int, slow_n: int, signal_n: int) -> tuple[float, float, float]:
        line = quick(x, fast_n) - slow(x, slow_n)
        smoothed = signal(line, signal_n)
        return line, smoothed, line - smoothed

    return update


def stoch() -> Update:
    highs: list[float] = []
    lows: list[float] = []

    def update(x: float, high: float, low: float, n: int) -> float:
        n = whole(n)
        if high == high and low == low:
            highs.append(high)
            lows.append(low)
        if len(highs) < n:
            return nan
        top, bottom = max(highs[-n:]), min(lows[-n:])
        return 100.0 * (x - bottom) / (top - bottom) if top != bottom else nan

    return update


def cci() -> Update:
    values: list[float] = []

    def update(x: float, n: int) -> float:
        n = whole(n)
        if x == x:
            values.append(x)
        if len(values) < n:
            return nan
        window = values[-n:]
        below = 0.015 * mean_deviation(window)
        return (x - fsum(window) / n) / below if below else nan

    return update


def cmo() -> Update:
    gains, losses, before = total(), total(), nan

    def update(x: float, n: int) -> float:
        nonlocal before
        change = x - before
        before = x
        up = gains(change if change >= 0 else 0.0 if change == change else nan, n)
        down = losses(-change if change < 0 else 0.0 if change == change else nan, n)
        return 100.0 * (up - down) / (up + down) if up + down else nan

    return update


def mfi(chart) -> Update:
    above, below, volume, before = total(), total(), chart.volume, nan

    def update(bar: int, x: float, n: int) -> float:
        nonlocal before
        change = x - before
        before = x
        # The change of the first bar is na, no comparison with it holds, and it counts on both sides.
        up = above(volume[bar] * (0.0 if change <= 0 else x), n)
        down = below(volume[bar] * (0.0 if change >= 0 else x), n)
        if down == 0:
            return 100.0
        return 100.0 - 100.0 / (1.0 + up / down)

    return update


def tsi() -> Update:
    """Twice smoothed change over twice smoothed size of change, from -1 to 1."""
    outer, inner, size_outer, size_inner, before = ema(), ema(), ema(), ema(), nan

    def update(x: float, short: int, long: int) -> float:
        nonlocal before
        change = x - before
        before = x
        top = outer(inner(change, long), short)
        bottom = size_outer(size_inner(abs(change), long), short)
        return top / bottom if bottom else nan

    return update


def wpr(chart) -> Update:
    def update(bar: int, n: int) -> float:
        n = whole(n)
        if bar + 1 < n:
            return nan
        top, bottom = max(chart.high[bar + 1 - n : bar + 1]), min(chart.low[bar + 1 - n : bar + 1])
        return 100.0 * (chart.close[bar] - top) / (top - bottom) if top != bottom else nan

    return update


def bb() -> Update:
    """Middle, upper and lower band; population deviation."""
    values: list[float] = []
    mean = sma()

    def update(x: float, n: int, mult: float) -> tuple[float, float, float]:
        n = whole(n)
        middle = mean(x, n)
        if x == x:
            values.append(x)
        if middle != middle:
            return nan, nan, nan
        width = mult * (fsum([(value - middle) ** 2 for value in values[-n:]]) / n) ** 0.5
        return middle, middle + width, middle - width

    return update


def bbw() -> Update:
    """Width of the bands in percent of the middle."""
    bands = bb()

    def update(x: float, n: int, mult: float) -> float:
        middle, upper, lower = bands(x, n, mult)
        return 100.0 * (upper - lower) / middle if middle else nan

    return update


STATES = {
    "ta.rsi": rsi, "ta.macd": macd, "ta.stoch": stoch, "ta.cci": cci, "ta.cmo": cmo, "ta.tsi": tsi, "ta.bb": bb, "ta.bbw": bbw,
}  # fmt: skip
BAR_STATES = {"ta.mfi": mfi, "ta.wpr": wpr}
