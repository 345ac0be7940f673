"""How each tape column is shown: what scales with the price, and to how many decimals it is quantised.

Prices of the grid (open, high, low, close, swings, ranges) lie on the tick; averages, bands and ATR
take the tick's decimals; MACD, a difference of averages, one more.
"""

from market.quantity import quantise, snap_price

GRID_PRICES = ("open", "high", "low", "close", "swing_high", "swing_low", "high_20", "low_20")
FREE_PRICES = ("ema_20", "ema_50", "ema_200", "bb_upper", "bb_mid", "bb_lower", "atr_14")
FINE_PRICES = ("macd", "macd_signal", "macd_hist")
PERCENTS = ("change_pct", "change_24h_pct", "change_7d_pct", "vol_20", "median_range_pct")
ONE_DECIMAL = ("rsi_14", "adx_14")
PRICES = frozenset((*GRID_PRICES, *FREE_PRICES, *FINE_PRICES))


def scaled(name: str, value: float, factor: float) -> float:
    """A column's value with prices multiplied by the factor of an anonymised row."""
    return value * factor if name in PRICES else value


def quantise_column(name: str, value: float, tick: str, price_decimals: int) -> float:
    """Quantise one tape column the way it is shown."""
    if name in GRID_PRICES:
        return snap_price(value, tick)
    if name in FREE_PRICES:
        return quantise(value, price_decimals)
    if name in FINE_PRICES:
        return quantise(value, price_decimals + 1)
    if name in PERCENTS or name == "volume_ratio":
        return quantise(value, 2)
    if name in ONE_DECIMAL:
        return quantise(value, 1)
    return quantise(value, 0 if value >= 1000 else 2)
