"""Quantities of a market reading: where price stands, and the labels the house draws from it.

The labels are conventions, stated where they are used: trend by the order of close, EMA(20) and
EMA(50); momentum by RSI(14); volatility by the bar's ATR against its median range; volume against
its 20-bar mean; funding against the baseline of 0.01 % per 8 h, which is where a third of all
prints lie, so a positive rate alone says nothing.
"""

from market.quantities import Quantities, formula

LEVELS = (
    "ema_20",
    "ema_50",
    "ema_200",
    "bb_upper",
    "bb_mid",
    "bb_lower",
    "swing_high",
    "swing_low",
    "high_20",
    "low_20",
)


def _gap_pct(level: str) -> None:
    @formula(f"{level}_gap_pct", "pct")
    def gap(q: Quantities, frame: str) -> float:
        """Close relative to the level in per cent of the level; negative below it."""
        return (q["close" + frame] / q[level + frame] - 1) * 100


def _gap_atr(level: str) -> None:
    @formula(f"{level}_gap_atr", "atr")
    def gap(q: Quantities, frame: str) -> float:
        """Close relative to the level in ATR(14) of the same frame; negative below it."""
        return (q["close" + frame] - q[level + frame]) / q["atr_14" + frame]


for _level in LEVELS:
    _gap_pct(_level)
    _gap_atr(_level)


@formula("atr_pct", "pct")
def atr_pct(q: Quantities, frame: str) -> float:
    return q["atr_14" + frame] / q["close" + frame] * 100


@formula("range_place_pct", "pct")
def range_place_pct(q: Quantities, frame: str) -> float:
    """Where the close stands between the 20-bar low (0) and high (100)."""
    low, high = q["low_20" + frame], q["high_20" + frame]
    return (q["close" + frame] - low) / (high - low) * 100


@formula("band_width_pct", "pct")
def band_width_pct(q: Quantities, frame: str) -> float:
    return (q["bb_upper" + frame] - q["bb_lower" + frame]) / q["bb_mid" + frame] * 100


@formula("bar_range_pct", "pct")
def bar_range_pct(q: Quantities, frame: str) -> float:
    """High minus low of the last bar in per cent of its close."""
    return (q["high" + frame] - q["low" + frame]) / q["close" + frame] * 100


@formula("trend", "label")
def trend(q: Quantities, frame: str) -> str:
    close, fast, slow = q["close" + frame], q["ema_20" + frame], q["ema_50" + frame]
    if close > fast > slow:
        return "up"
    return "down" if close < fast < slow else "mixed"


@formula("momentum", "label")
def momentum(q: Quantities, frame: str) -> str:
    rsi = q["rsi_14" + frame]
    if rsi >= 70:
        return "overbought"
    if rsi <= 30:
        return "oversold"
    return "firm" if rsi >= 55 else "soft" if rsi <= 45 else "neutral"


@formula("volatility", "label")
def volatility(q: Quantities, frame: str) -> str:
    """ATR(14) in per cent against the median bar range: stretched from 1.3, quiet up to 0.8."""
    ratio = q["atr_pct" + frame] / q["median_range_pct" + frame]
    return "stretched" if ratio >= 1.3 else "quiet" if ratio <= 0.8 else "ordinary"


@formula("volume_state", "label")
def volume_state(q: Quantities, frame: str) -> str:
    ratio = q["volume_ratio" + frame]
    return "heavy" if ratio >= 1.5 else "thin" if ratio <= 0.66 else "average"


@formula("funding_annual_pct", "pct")
def funding_annual_pct(q: Quantities, _: str) -> float:
    """Simple annualisation: F · (24 / interval) · 365."""
    return q["funding_rate"] * (24 / q["funding_interval_h"]) * 365


@formula("funding_state", "label")
def funding_state(q: Quantities, _: str) -> str:
    """Against the baseline and the trailing 90 days, never against zero."""
    baseline = 0.01 * q["funding_interval_h"] / 8
    if q["funding_rate"] > 2 * baseline and q["funding_percentile"] >= 90:
        return "crowded_long"
    if q["funding_rate"] < 0 and q["funding_percentile"] <= 10:
        return "crowded_short"
    return "ordinary"


@formula("hist_state", "label")
def hist_state(q: Quantities, frame: str) -> str:
    """Side of zero of the MACD histogram."""
    return "positive" if q["macd_hist" + frame] >= 0 else "negative"
