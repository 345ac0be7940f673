"""Margin, liquidation, funding and fees of perpetual contracts, linear (USDT) and inverse (coin).

q = contracts, EP = entry, L = leverage; rates are fractions (0.005 = 0.5 %), money is USDT for
linear and coin for inverse contracts. Formulas: the exchange's help centre ("Liquidation Price
Calculation under Isolated Mode", "Margin parameters", "FAQ — P&L Calculation", "Perpetual/Futures
contract fees explained", "What is funding rate and predicted rate"). The mark-based linear forms
are derived from "equity equals maintenance margin at the liquidation price", which is their
property test.

`formula` is "classic" (maintenance margin fixed at entry) or "mark" (at the liquidation price).
Leverage changes margin and liquidation, never profit and loss.
"""

FORMULA_VERSION = "isolated-mark-2026-05"


def position_value(q: float, price: float, inverse: bool = False) -> float:
    """Linear q·P in USDT, inverse q/P in coin."""
    return q / price if inverse else q * price


def initial_margin(q: float, entry: float, leverage: float, inverse: bool = False) -> float:
    """Position value at entry divided by leverage; the estimated closing fee is not included."""
    return position_value(q, entry, inverse) / leverage


def maintenance_margin(q: float, price: float, mmr: float, deduction: float = 0.0, inverse: bool = False) -> float:
    """Position value × maintenance rate − tier deduction."""
    return position_value(q, price, inverse) * mmr - deduction


def tier_deductions(limits: list[float], rates: list[float]) -> list[float]:
    """Deduction per tier: ded_n = limit_{n−1}·(MMR_n − MMR_{n−1}) + ded_{n−1}, ded_1 = 0.

    `limits[n]` is the largest position value of tier n, `rates[n]` its maintenance rate.
    """
    deductions = [0.0]
    for n in range(1, len(rates)):
        deductions.append(limits[n - 1] * (rates[n] - rates[n - 1]) + deductions[-1])
    return deductions


def profit(q: float, entry: float, exit_price: float, long: bool, inverse: bool = False) -> float:
    """Gross profit: ±q(exit − EP) in USDT, or ±q(1/EP − 1/exit) in coin."""
    sign = 1.0 if long else -1.0
    return sign * q * ((1.0 / entry - 1.0 / exit_price) if inverse else (exit_price - entry))


def fee(q: float, price: float, rate: float, inverse: bool = False) -> float:
    """Trading fee of one fill."""
    return position_value(q, price, inverse) * rate


def funding_payment(q: float, mark: float, rate: float, long: bool, inverse: bool = False) -> float:
    """What the position pays at one funding stamp (negative: it receives). Longs pay when rate > 0."""
    payment = position_value(q, mark, inverse) * rate
    return payment if long else -payment


def bankruptcy_price(entry: float, leverage: float, long: bool, inverse: bool = False) -> float | None:
    """Price at which the initial margin is lost; None where there is no such price (inverse short at 1x)."""
    if not inverse:
        return entry * (1.0 - 1.0 / leverage) if long else entry * (1.0 + 1.0 / leverage)
    if long:
        return entry * leverage / (leverage + 1.0)
    return entry * leverage / (leverage - 1.0) if leverage > 1.0 else None


def liquidation_price(
    q: float,
    entry: float,
    leverage: float,
    mmr: float,
    long: bool,
    *,
    deduction: float = 0.0,
    extra: float = 0.0,
    taker: float = 0.0,
    inverse: bool = False,
    formula: str = "mark",
) -> float | None:
    """Estimated liquidation price of an isolated position, or None where none exists.

    `extra` is margin added by hand (USDT or coin); `taker` enters only the inverse mark-based form,
    as the exchange publishes it. Cross margin has no liquidation price of one position: do not call
    this for it.
    """
    if inverse:
        price = _inverse_liquidation(q, entry, leverage, mmr, long, deduction, extra, taker, formula)
    elif formula == "classic":
        room = (initial_margin(q, entry, leverage) - maintenance_margin(q, entry, mmr, deduction) + extra) / q
        price = entry - room if long else entry + room
    elif long:
        price = (q * entry * (1.0 - 1.0 / leverage) - extra - deduction) / (q * (1.0 - mmr))
    else:
        price = (q * entry * (1.0 + 1.0 / leverage) + extra + deduction) / (q * (1.0 + mmr))
    return price if price is not None and price > 0.0 else None


def _inverse_liquidation(
    q: float, entry: float, leverage: float, mmr: float, long: bool,
    deduction: float, extra: float, taker: float, formula: str,
) -> float | None:  # fmt: skip
    value = q / entry
    margin = value / leverage
    if formula == "classic":
        room = margin - maintenance_margin(q, entry, mmr, deduction, inverse=True) + extra
        bottom = value + room if long else value - room
        return q / bottom if bottom > 0.0 else None
    if long:
        return q * (1.0 + mmr) / (value + margin + extra / (1.0 + taker) + deduction)
    bottom = value - margin - extra / (1.0 - taker) - deduction
    return q * (1.0 - mmr) / bottom if bottom > 0.0 else None


def funding_rate(premium: float, interval_h: float = 8.0, cap: float = 0.0075) -> float:
    """F = P̄ + clamp(I − P̄, ±0.05 %), I = 0.01 %·interval/8 h, then capped at ±`cap`; all fractions."""
    interest = 0.0001 * interval_h / 8.0
    rate = premium + max(-0.0005, min(0.0005, interest - premium))
    return max(-cap, min(cap, rate))
