"""What a stranger's row is about, as far as the check has to know."""

import re

from tapewright.rows import Row
from validators.figures import holds_digit

# A text is about a market when it holds one of the first and another of either; "leverage" and "entry" are everyday English.
_TRADING_TERMS = ("stop-loss", "stop loss", "take-profit", "take profit", "liquidation", "rsi(", "rsi ", "macd", "usdt", "funding rate", "entry price", "long position", "short position", "risk/reward", "risk-reward", "position size", "bollinger", "drawdown", "win rate", "profit factor", "backtest", "back-test", "trading bot", "trading signal", "crypto", "bitcoin")  # fmt: skip
_MARKET_TERMS = ("leverage", "ema", "atr", "candle", "perpetual", "bullish", "bearish", "stop at", "stop:", "entry:", "entry at", "margin", "btc", "eth")  # fmt: skip

# Words of trade and of the street that speak of a market where a number follows two different ones of them.
_NUMBERED_TERMS = re.compile(
    r"\b(entry|entered|stop|target|leverage|ema|sma|atr|rsi|macd|adx|support|resistance|funding|liquidation|closed?|swing (?:high|low))\b"
    r"(?:[^.\n\d]|\.(?=\S)){0,18}\d"
)
# Without a number there is nothing but advice and promises to check.
_WITHOUT_NUMBERS = ("profit", "trading", "crypto", "bitcoin", "leverage", "stop-loss", "stop loss")
_TWO_OF = ("entry", "entered", "stop", "rsi", "ema", "sma", "atr", "macd", "resistance", "leverage")


def speaks_of_a_market(row: Row) -> bool:
    """Whether the rules about numbers, risk and time concern a stranger's row."""
    text = f"{row.instruction}\n{row.input}\n{row.output}".lower()
    if not holds_digit(text) and not [term for term in _WITHOUT_NUMBERS if term in text]:
        return False
    found = [term for term in _TRADING_TERMS if term in text]
    if len(found) > 1 or found and any(re.search(rf"\b{re.escape(term)}", text) for term in _MARKET_TERMS):
        return True
    if not [term for term in _TWO_OF if term in text]:
        return False
    numbered = set(_NUMBERED_TERMS.findall(text))
    return len(numbered) > 1 and not numbered.isdisjoint(_TWO_OF)
