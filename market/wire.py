"""Bybit's answers as numbers: strings, "" for what is absent, and rates in either of two units.

Everything raises SourceError naming the field and the place when an answer cannot be used.
"""

from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from market.margin import tier_deductions
from tapewright.errors import SourceError


def rows(result: dict, what: str) -> list:
    """The answer's list, which may be empty."""
    found = result.get("list")
    if not isinstance(found, list):
        raise SourceError(f"Bybit's answer to {what} has no list; has its format changed?")
    return found


def number(row: Any, key: Any, where: str, absent: bool = False) -> Any:
    """A finite number out of the string Bybit sends; "" means there is none."""
    try:
        text = row[key]
    except (KeyError, IndexError, TypeError):
        text = ""
    if text in ("", None):
        if absent:
            return None
        raise SourceError(f"Bybit left {key!r} empty in {where}; fetch again or choose other dates")
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = float("nan")
    if value - value != 0.0:
        raise SourceError(f"Bybit sent {text!r} as {key!r} in {where}, which is no number")
    return value


def step(row: dict, key: str, where: str) -> str | None:
    """A tick or lot as the shortest decimal string: "0.10" becomes "0.1"."""
    if number(row, key, where, absent=True) is None:
        return None
    with suppress(InvalidOperation):
        return f"{Decimal(str(row[key])).normalize():f}"
    raise SourceError(f"Bybit sent {row[key]!r} as {key!r} in {where}, which is no number")


def tiers(symbol: str, listed: list[dict]) -> list[dict[str, float]]:
    """Normalise the maintenance rate: "0.5" beside 100x is percent, "0.005" is a fraction.

    It lies between a twentieth of the initial-margin rate 1/leverage and that rate itself, on
    every tier of a table: only one of the two units can make that true.
    """
    where = f"{symbol} risk tiers"
    limits = [number(row, "riskLimitValue", where) for row in listed]
    leverages = [number(row, "maxLeverage", where) for row in listed]
    given = [number(row, "maintenanceMargin", where) for row in listed]
    for unit in (1.0, 100.0):
        rates = [float(Decimal(repr(value)) / int(unit)) for value in given]
        if all(0.05 < rate * x < 1.0 for rate, x in zip(rates, leverages, strict=True)):
            break
    else:
        raise SourceError(f"{where}: maintenance rates {given} fit no unit beside leverages {leverages}")
    ours = tier_deductions(limits, rates)
    return [
        {
            "limit_usdt": limit,
            "maintenance_rate": rate,
            "deduction_usdt": round(computed, 8) if said is None else said,
            "max_leverage": leverage,
        }
        for limit, rate, leverage, computed, said in zip(
            *(limits, rates, leverages, ours),
            [number(row, "mmDeduction", where, absent=True) for row in listed],
            strict=True,
        )
    ]
