"""What looks at whole candles: `ta.atr`, `ta.dmi`, `ta.supertrend`, `ta.sar`, `ta.kc`, `ta.vwap`. States as in `averages`.

Formulas: the reference entries of the functions, which print them as scripts (`pine_supertrend`, `pine_sar`, …).
"""

from math import nan, sqrt

from validators.pinescript.execution.averages import Update, ema, rma
from validators.pinescript.execution.failure import ExecutionError


def atr(chart) -> Update:
    """`ta.rma` of the true range, which is high less low on the first bar."""
    smooth, ranges = rma(), chart.tr

    def update(bar: int, n: int) -> float:
        return smooth(ranges[bar], n)

    return update


def true_range(chart) -> Update:
    """`ta.tr(handle_na)`."""
    whole, first_na = chart.tr, chart.tr_na

    def update(bar: int, handle_na) -> float:
        return whole[bar] if handle_na is True else first_na[bar]

    return update


def dmi(chart) -> Update:
    """+DI, -DI and ADX; Wilder's smoothing."""
    size, plus, minus, smooth = rma(), rma(), rma(), rma()
    high, low, ranges = chart.high, chart.low, chart.tr_na
    last_plus, last_minus = nan, nan

    def update(bar: int, n: int, smoothing: int) -> tuple[float, float, float]:
        nonlocal last_plus, last_minus
        up = high[bar] - high[bar - 1] if bar else nan
        down = low[bar - 1] - low[bar] if bar else nan
        span = size(ranges[bar], n)
        rise = plus((up if up > down and up > 0 else 0.0) if bar else nan, n)
        fall = minus((down if down > up and down > 0 else 0.0) if bar else nan, n)
        if span and rise == rise:
            last_plus, last_minus = 100.0 * rise / span, 100.0 * fall / span
        both = last_plus + last_minus
        strength = smooth(abs(last_plus - last_minus) / (both or 1.0), smoothing)
        return last_plus, last_minus, 100.0 * strength

    return update


def supertrend(chart) -> Update:
    """The line and its direction: -1 while it runs below the price, 1 while above."""
    smooth, close, middle, ranges = rma(), chart.close, chart.hl2, chart.tr
    upper_before, lower_before, line_before, atr_before = nan, nan, nan, nan

    def update(bar: int, factor: float, n: int) -> tuple[float, int]:
        nonlocal upper_before, lower_before, line_before, atr_before
        size = smooth(ranges[bar], n)
        upper, lower = middle[bar] + factor * size, middle[bar] - factor * size
        before = close[bar - 1] if bar else nan
        known_lower = lower_before if lower_before == lower_before else 0.0
        known_upper = upper_before if upper_before == upper_before else 0.0
        if not (lower > known_lower or before < known_lower):
            lower = known_lower
        if not (upper < known_upper or before > known_upper):
            upper = known_upper
        if atr_before != atr_before:
            direction = 1
        elif line_before == known_upper:
            direction = -1 if close[bar] > upper else 1
        else:
            direction = 1 if close[bar] < lower else -1
        line = lower if direction == -1 else upper
        upper_before, lower_before, line_before, atr_before = upper, lower, line, size
        return line, direction

    return update


def sar(chart) -> Update:
    """Parabolic stop and reverse."""
    high, low, close = chart.high, chart.low, chart.close
    result, extreme, speed, below = nan, nan, nan, False

    def update(bar: int, start: float, inc: float, most: float) -> float:
        nonlocal result, extreme, speed, below
        fresh = False
        if bar == 1:
            below = close[1] > close[0]
            extreme = high[1] if below else low[1]
            result = low[0] if below else high[0]
            fresh, speed = True, start
        result += speed * (extreme - result)
        if below and result > low[bar]:
            fresh, below, speed = True, False, start
            result, extreme = max(high[bar], extreme), low[bar]
        elif not below and result < high[bar]:
            fresh, below, speed = True, True, start
            result, extreme = min(low[bar], extreme), high[bar]
        if not fresh and (high[bar] > extreme if below else low[bar] < extreme):
            extreme = high[bar] if below else low[bar]
            speed = min(speed + inc, most)
        if bar:
            pick, side = (min, low) if below else (max, high)
            result = pick(result, side[bar - 1])
            if bar > 1:
                result = pick(result, side[bar - 2])
        return result

    return update


def kc(chart) -> Update:
    """Keltner channels: middle, upper, lower."""
    mean, size = ema(), ema()

    def update(bar: int, x: float, n: int, mult: float, true_ranges=True) -> tuple[float, float, float]:
        middle = mean(x, n)
        width = mult * size(chart.tr_na[bar] if true_ranges is not False else chart.high[bar] - chart.low[bar], n)
        return middle, middle + width, middle - width

    return update


def kcw(chart) -> Update:
    """Width of the channel over its middle."""
    channel = kc(chart)

    def update(bar: int, x: float, n: int, mult: float, true_ranges=True) -> float:
        middle, upper, lower = channel(bar, x, n, mult, true_ranges)
        return (upper - lower) / middle if middle else nan

    return update


def vwap(chart) -> Update:
    """Mean price by volume since the anchor, by default the beginning of the UTC day; with a factor, its bands too."""
    volume, days = chart.volume, chart.first_of_day
    weight, weighted, squares = 0.0, 0.0, 0.0

    def update(bar: int, x: float, anchor=None, factor: float | None = None):
        nonlocal weight, weighted, squares
        if (days[bar] if anchor is None else anchor is True) or not bar:
            weight, weighted, squares = 0.0, 0.0, 0.0
        if x == x:
            weight += volume[bar]
            weighted += x * volume[bar]
            squares += x * x * volume[bar]
        mean = weighted / weight if weight else nan
        if factor is None:
            return mean
        width = factor * sqrt(max(squares / weight - mean * mean, 0.0)) if weight else nan
        return mean, mean + width, mean - width

    return update


_LEVELS = ("P", "R1", "S1", "R2", "S2", "R3", "S3", "R4", "S4", "R5", "S5")


def pivot_levels(chart) -> Update:
    """P, R1, S1, R2, S2, … of the period before the anchor (`ta.pivot_point_levels`), na where a kind has fewer."""
    first, levels = 0, [nan] * 11

    def update(bar: int, kind: str, anchor, developing=False) -> list[float]:
        nonlocal first, levels
        if anchor is True and bar:
            levels = _levels(kind, chart, first, bar, chart.open[bar])
            first = bar
        return _levels(kind, chart, first, bar + 1, chart.open[first]) if developing is True else list(levels)

    return update


def _levels(kind: str, chart, start: int, end: int, now: float) -> list[float]:
    high, low = max(chart.high[start:end]), min(chart.low[start:end])
    close, opened = chart.close[end - 1], chart.open[start]
    span, p = high - low, (high + low + close) / 3
    if kind == "Traditional":
        found = {
            "R1": 2 * p - low, "S1": 2 * p - high, "R2": p + span, "S2": p - span, "R3": 2 * p + high - 2 * low, "S3": 2 * p - 2 * high + low,
            "R4": 3 * p + high - 3 * low, "S4": 3 * p - 3 * high + low, "R5": 4 * p + high - 4 * low, "S5": 4 * p - 4 * high + low,
        }  # fmt: skip
    elif kind == "Fibonacci":
        found = {
            f"{s}{i}": p + d * r * span for i, r in ((1, 0.382), (2, 0.618), (3, 1.0)) for s, d in (("R", 1), ("S", -1))
        }
    elif kind == "Woodie":
        p = (high + low + 2 * now) / 4
        found = {"R1": 2 * p - low, "S1": 2 * p - high, "R2": p + span, "S2": p - span}
        found |= {"R3": high + 2 * (p - low), "S3": low - 2 * (high - p)}
        found |= {"R4": found["R3"] + span, "S4": found["S3"] - span}
    elif kind == "Classic":
        found = {"R1": 2 * p - low, "S1": 2 * p - high}
        found |= {f"{s}{i}": p + d * (i - 1) * span for i in (2, 3, 4) for s, d in (("R", 1), ("S", -1))}
    elif kind == "DM":
        x = high + 2 * low + close if opened > close else 2 * high + low + close
        x = high + low + 2 * close if opened == close else x
        p, found = x / 4, {"R1": x / 2 - low, "S1": x / 2 - high}
    elif kind == "Camarilla":
        found = {
            f"{s}{i}": close + d * 1.1 * span / r
            for i, r in enumerate((12, 6, 4, 2), 1)
            for s, d in (("R", 1), ("S", -1))
        }
        top = high / low * close if low else nan
        found |= {"R5": top, "S5": 2 * close - top}
    else:
        raise ExecutionError(f"no pivot levels {kind!r}; Traditional, Fibonacci, Woodie, Classic, DM or Camarilla")
    return [found.get(name, nan) if name != "P" else p for name in _LEVELS]


STATES: dict = {}
BAR_STATES = {
    "ta.atr": atr, "ta.tr": true_range, "ta.dmi": dmi, "ta.supertrend": supertrend, "ta.sar": sar, "ta.kc": kc, "ta.kcw": kcw,
    "ta.vwap": vwap, "ta.pivot_point_levels": pivot_levels,
}  # fmt: skip
