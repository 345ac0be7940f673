"""Quantities as text: one place that knows how many decimals and which separators each kind has."""

from collections.abc import Mapping
from typing import Any

from market.quantities import DECIMALS, FORMULAS
from market.quantity import decimals_of

# Kinds that are given rather than derived.
_GIVEN = {
    "leverage": "g", "leverage_cap": "g", "equity": "money", "deduction": "usdt", "mmr": "pct", "taker_fee": "pct3",
    "slippage": "pct", "funding_rate": "rate_pct", "funding_interval_h": "g", "funding_percentile": "whole", "expiry_bars": "g",
    "limit_pct": "pct", "mark": "price", "size": "lot", "entry": "price", "stop": "price", "target": "price",
    "tick": "step", "lot": "step", "notional_floor": "g", "data_age_h": "g", "age_limit_h": "g", "rsi_low": "g",
    "rsi_high": "g", "adx_cap": "g", "cost_cap": "ratio", "reward_floor": "ratio", "stop_multiple": "ratio",
    "target_multiple": "ratio", "volume_ratio": "ratio", "rsi_14": "one", "adx_14": "one", "vol_20": "pct",
    "median_range_pct": "pct", "change_pct": "signed", "change_24h_pct": "signed", "change_7d_pct": "signed",
    "macd": "fine", "macd_signal": "fine", "macd_hist": "fine",
}  # fmt: skip


def show(name: str, value: Any, price_decimals: int, lot_decimals: int) -> str:
    """The text of one quantity, without its unit, e.g. `67,234.5` or `+1.20`."""
    if isinstance(value, str):
        return value
    base = name.partition("@")[0]
    style = FORMULAS[base][1] if base in FORMULAS and base not in _GIVEN else _GIVEN.get(base, "price")
    if style == "price":
        return f"{value:,.{price_decimals}f}"
    if style == "lot":
        return f"{value:,.{lot_decimals}f}"
    if style in DECIMALS:
        return f"{value:,.{DECIMALS[style]}f}"
    return _STYLES[style](value, price_decimals)


_STYLES = {
    "g": lambda value, _: f"{value:g}",
    "money": lambda value, _: f"{value:,.0f}" if value == int(value) else f"{value:,.2f}",
    "pct3": lambda value, _: f"{value:.3f}",
    "whole": lambda value, _: f"{value:.0f}",
    "one": lambda value, _: f"{value:.1f}",
    "signed": lambda value, _: f"{value:+.2f}",
    "fine": lambda value, decimals: f"{value:,.{decimals + 1}f}",
    "step": lambda value, _: str(value),
    "volume": lambda value, _: f"{value:,.0f}" if value >= 1000 else f"{value:,.2f}",
}
_GIVEN["volume"] = _GIVEN["volume_mean_20"] = "volume"


def show_all(facts: Mapping[str, Any], tick: str, lot: str) -> dict[str, str]:
    """Every quantity of `facts` as text, by name; frames become a suffix (`rsi_14@4h` → `rsi_14_4h`)."""
    price_decimals, lot_decimals = decimals_of(tick), decimals_of(lot)
    return {name.replace("@", "_"): show(name, value, price_decimals, lot_decimals) for name, value in facts.items()}
