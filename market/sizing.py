"""Size, risk, reward and costs of a plan. Prices and costs in quote currency, fractions for rates."""


def risk_per_unit(entry: float, stop: float) -> float:
    """|entry − stop|: what one unit loses at the stop before costs."""
    return abs(entry - stop)


def costs_per_unit(entry: float, exit_price: float, fee: float, slippage: float) -> float:
    """Round trip per unit: entry·(fee + slippage) + exit·fee. Slippage is counted once, at the entry."""
    return entry * (fee + slippage) + exit_price * fee


def position_size(budget: float, entry: float, stop: float, fee: float = 0.0, slippage: float = 0.0) -> float:
    """Units that lose `budget` at the stop, costs included; not yet floored to the lot."""
    return budget / (risk_per_unit(entry, stop) + costs_per_unit(entry, stop, fee, slippage))


def inverse_position_size(budget_coin: float, entry: float, stop: float) -> float:
    """Contracts (quote currency each) that lose `budget_coin` coins: budget / |1/entry − 1/stop|."""
    return budget_coin / abs(1.0 / entry - 1.0 / stop)


def reward_risk(entry: float, stop: float, target: float) -> float:
    """Gross reward over risk: |target − entry| / |entry − stop|."""
    return abs(target - entry) / abs(entry - stop)


def net_reward_risk(entry: float, stop: float, target: float, fee: float, slippage: float = 0.0) -> float:
    """(reward − costs to the target) / (risk + costs to the stop)."""
    reward = abs(target - entry) - costs_per_unit(entry, target, fee, slippage)
    return reward / (risk_per_unit(entry, stop) + costs_per_unit(entry, stop, fee, slippage))


def break_even_rate(reward_risk_net: float) -> float:
    """Share of wins at which a plan earns nothing: 1 / (1 + R:R), with R:R net of costs.

    Equal to (d + c) / (d + c + RR·d − c) of the gross figures, d the stop distance and c the costs.
    """
    return 1.0 / (1.0 + reward_risk_net)


def expectancy(win_rate: float, win: float, loss: float) -> float:
    """p·W − (1 − p)·L, losses positive."""
    return win_rate * win - (1.0 - win_rate) * loss


def kelly(win_rate: float, payoff: float) -> float:
    """p − (1 − p)/b: the growth-optimal fraction; practice uses half of it or less."""
    return win_rate - (1.0 - win_rate) / payoff
