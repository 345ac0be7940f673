"""What the reader knows: phrases that announce a number, units, labels, and words it must not misread.

Each line of CONCEPTS is `phrases | unit=kind …`. A number takes the kind its nearest phrase has for
the unit that follows it; the unit `-` is "none, or a currency". A unit may be narrowed by what
follows (`% of equity`). A kind ending in `@` belongs to a timeframe. A new kind of claim is one
line here, and one formula in `market/` where it can be derived.
"""

import re
from collections.abc import Iterable

CONCEPTS = """
entry, entry price, enter, enters, entered, average entry, entry level, get in, entry reference, reference price, buy limit, sell limit | -=entry
stop, stops, stop-loss, stop loss, stop price, protective stop, stop trigger, stop order, exit stop, initial stop | -=stop %=stop_gap_pct
exit, exit price, exited at, exit at, exit fill, sold out at, covered at | -=exit
long, short, buy, sell, bought, sold, longed, shorted | coin=size
stop distance, distance to the stop, distance from entry to stop, gap to the stop, risk per unit | -=stop_distance %=stop_gap_pct
target, targets, take-profit, take profit, profit target, objective | -=target %=target_gap_pct R=reward_risk
target distance, distance to the target, reward per unit | -=target_distance %=target_gap_pct
mark, mark price, marked, mark at | -=mark
liquidation, liquidation price, liquidation estimate, liquidated, liquidates, liquidation level, estimated liquidation, forced close, forced exit | -=liquidation %=liquidation_gap_pct atr=liquidation_gap_atr
liquidation distance, distance to liquidation, from liquidation, away from liquidation, gap to liquidation, cushion, cushion to liquidation | %=liquidation_gap_pct atr=liquidation_gap_atr
room, room from stop to liquidation, room past the stop, between stop and liquidation, room behind the stop, from the stop to liquidation, gap behind the stop | -=room atr=room_atr
equity, account equity, account, balance, capital, wallet | -=equity
notional, position value, notional value, exposure, face value, gross exposure | -=notional x=exposure
exposure ratio, notional over equity, notional to equity, times equity, exposure to equity | -=exposure x=exposure
size, position size, quantity, position, amount, qty | -=size coin=size
initial margin, margin posted, posted margin, isolated margin, collateral, margin behind it, margin at stake, margin | -=initial_margin %=margin_pct %equity=margin_pct
leverage, levered, leveraged, geared | -=leverage x=leverage
leverage cap, maximum leverage, max leverage, leverage limit, leverage ceiling | -=leverage_cap x=leverage_cap
maintenance margin rate, maintenance rate, mmr | %=mmr
maintenance deduction, deduction, mm deduction, tier deduction | -=deduction
taker fee, fee, fees, taker, fee rate | %=taker_fee
slippage, slip | %=slippage
funding rate, funding, funding print, last funding | %=funding_rate -=funding_day %margin=funding_pct_margin -day=funding_day -stamp=funding_stamp %margin-day=funding_pct_margin
funding per stamp, each stamp, every stamp, per stamp, a stamp, funding stamp, at each stamp, stamp costs, stamp pays | -=funding_stamp
funding per day, a day in funding, funding cost, daily funding, funding bill, carry, per day, a day, over a day, each day | -=funding_day %=funding_pct_margin %margin=funding_pct_margin %margin-day=funding_pct_margin
funding interval, every, settles every, interval, settled every | h=funding_interval_h
annualised, annualized, annual rate, a year, annualises, annualised funding, per year | %=funding_annual_pct
percentile, funding percentile | -=funding_percentile th=funding_percentile
loss at the stop, stopped out, lose, loses, losing, loss, stop-out, stop out, stop-out loss, loss with fees, at risk, risking, risks, costs the account, planned loss, would cost | -=loss_usdt %=loss_pct %equity=loss_pct
plan loss, full loss, loss including costs, risk in money, money at risk, worst planned loss, loses with costs | -=risk_usdt
risk limit, limit per position, per-position limit, own limit, house limit, risk budget, budget, risk per trade, allowed loss, loss limit, limit per trade, the limit, limit of | %=limit_pct %equity=limit_pct -=limit_usdt
size cap, largest size, cut to, down to, reduce to, trim to, size of at most, no more than, maximum size, size inside the limit, cut the size to, reduce the size to, trim the position to, bring the size down to, take the size down to | -=size_cap coin=size_cap
nearest stop, stop no lower than, stop no higher than, lift the stop to, lower the stop to, move the stop to, stop inside, bring the stop to, pull the stop to, shift the stop to | -=stop_nearest
score, risk score, scores, rating, rated | -=score
out of, scale of | -=score_top
reward/risk, reward-to-risk, gross reward/risk, r:r, gross r:r, risk/reward, gross, before costs, reward to risk, gross multiple | -=reward_risk R=reward_risk
net reward/risk, net r:r, net, after costs, net of costs, net reward-to-risk, net multiple, after fees and slippage | -=net_reward_risk R=net_reward_risk
floor, minimum, net floor, at least, required, needs at least, reward floor, minimum net reward/risk, minimum net r:r, net r:r floor | -=reward_floor R=reward_floor
cost in r, round-trip cost, round trip | -=cost_r R=cost_r
cost, costs, costs take | R=cost_r
cost cap, cost limit, costs above, cost ceiling, costs allowed, cost allowance | -=cost_cap R=cost_cap
break-even win rate, break-even, breaks even, break even, wins needed, to break even, must win, has to win, of such trades, trades must win | %=break_even_pct
minimum notional, smallest order, notional floor, minimum order, minimum order value, exchange minimum | -=notional_floor
data age, age of the data, candle closed, hours old, old, data is | h=data_age_h
expires after, valid for, good for, cancelled after, expiry, lapses after, expire after, stands for, order life, for the next | bars=expiry_bars
age limit, stale after, data older than, freshness limit, no older than | h=age_limit_h
stop multiple, atr multiple, stop offset, offset, buffer | atr=stop_multiple x=stop_multiple
target multiple, times the risk, target at | R=target_multiple x=target_multiple
rsi floor, rsi at or under, rsi at or below, oversold line, rsi from | -=rsi_low
rsi ceiling, rsi at or over, rsi at or above, overbought line, rsi to | -=rsi_high
adx cap, adx at or under, adx ceiling, adx at or below, adx limit | -=adx_cap
tick, tick size | -=tick
lot, lot size, size step, quantity step | -=lot coin=lot
open, opened, bar open | -=open@
high, bar high, bar's high | -=high@
low, bar low, bar's low | -=low@
price, last price, trades, trading, quoted | -=close@
close, closed, closes, closing price, last close, settled, last candle | -=close@ %=change_pct@
change, change on the bar, bar change, move, on the bar, candle change, against the previous close, from the previous close | %=change_pct@
24h change, change over 24h, over 24h, in 24h, last 24h | %=change_24h_pct@
7d change, change over 7d, over 7d, in 7d, last 7d | %=change_7d_pct@
volume, traded volume, turnover in coins | -=volume@ coin=volume@ x=volume_ratio@ ratio=volume_ratio@
mean volume, average volume, 20-bar mean, 20-bar average, 20-bar mean volume | -=volume_mean_20@ x=volume_ratio@
volume ratio, relative volume, its 20-bar mean, volume against its 20-bar mean, volume against the mean | -=volume_ratio@ x=volume_ratio@
macd, macd line, macd(12, 26, 9) | -=macd@
macd signal, signal line, signal | -=macd_signal@
macd histogram, histogram | -=macd_hist@
upper band, upper bollinger band, upper bollinger, bollinger upper | -=bb_upper@
lower band, lower bollinger band, lower bollinger, bollinger lower | -=bb_lower@
middle band, mid-band, bollinger middle, middle bollinger band, band midline | -=bb_mid@
band width, bollinger width, width of the bands, bands span, width | %=band_width_pct@
realised volatility, realized volatility, annualised volatility, realised vol, volatility | %=vol_20@
median bar range, median range, median bar, typical bar, typical range | %=median_range_pct@
bar range, range of the bar, bar's range, spans, bar covers | %=bar_range_pct@
atr in percent, atr as a share of price, atr(14) is, of the price, of price, of the last price, share of price | %=atr_pct@
place in the range, of the range, range position, of its 20-bar range, of the 20-bar range, way up the range | %=range_place_pct@
swing high, last swing high, confirmed swing high | -=swing_high@
swing low, last swing low, confirmed swing low | -=swing_low@
loss bands, room bands, exposure bands, bands, band edges | -=band_edge %=band_edge atr=band_edge x=band_edge
"""

# Averages, bands, swings and ranges: what price can be above or below, and by how much.
LEVEL_KINDS = {"ema", "sma", "bb", "swing", "high", "low", "vwap"}

MODIFIERS = {
    "of equity": "equity", "of the account": "equity", "of account equity": "equity", "of the equity": "equity", "of capital": "equity",
    "of the margin": "margin", "of margin": "margin", "of posted margin": "margin", "of the posted margin": "margin",
    "of its margin": "margin", "of the margin a day": "margin-day", "of margin a day": "margin-day",
    "of the posted margin a day": "margin-day", "of margin per day": "margin-day",
    "of posted margin a day": "margin-day", "of the margin per day": "margin-day",
    "of the range": "range", "of its range": "range", "of the way up the range": "range",
    "a day": "day", "per day": "day", "each day": "day", "daily": "day", "in a day": "day",
    "per stamp": "stamp", "a stamp": "stamp", "each stamp": "stamp", "at each stamp": "stamp", "every stamp": "stamp",
}  # fmt: skip

UNITS = {
    "%": "%", "percent": "%", "per cent": "%", "x": "x", "×": "x", "times": "x", "fold": "x", "r": "R",
    "usdt": "-", "usd": "-", "dollars": "-", "atr": "atr", "daily atr": "atr", "atrs": "atr", "atr(14)": "atr",
    "h": "h", "hours": "h", "hour": "h", "days": "d", "day": "d", "bp": "bp", "bps": "bp", "basis points": "bp",
    "th": "th", "st": "th", "nd": "th", "rd": "th", "percentage points": "pp", "points": "pp",
    "candles": "bars", "bars": "bars", "candle": "bars",
    "units": "coin", "contracts": "coin", "coins": "coin", "tokens": "coin",
    "btc": "coin", "eth": "coin", "sol": "coin", "bnb": "coin", "xrp": "coin", "ada": "coin", "atom": "coin",
    "avax": "coin", "bch": "coin", "doge": "coin", "dot": "coin", "etc": "coin", "fil": "coin", "link": "coin",
    "ltc": "coin", "matic": "coin", "near": "coin", "trx": "coin", "uni": "coin", "xlm": "coin", "coin": "coin",
}  # fmt: skip

FRAMES = {
    "1h": "1h", "hourly": "1h", "one-hour": "1h", "1-hour": "1h", "h1": "1h", "60-minute": "1h",
    "4h": "4h", "4-hour": "4h", "four-hour": "4h", "h4": "4h",
    "1d": "1d", "daily": "1d", "1-day": "1d", "d1": "1d", "one-day": "1d", "24-hour": "1d",
}  # fmt: skip

# `label | value: phrase, phrase; value: …`. A value of `-` names phrases that must not be misread.
LABELS = """
side | long: long, go long, long side, buy; short: short, go short, short side, sell short; -: long-term, short-term, short term, long term, short of, shortfall, long lower, long upper, as long as, no longer, long run, short run, in short, longs pay, shorts pay, buy limit, sell limit, shorts collect, longs collect, crowded long, crowded short, for long, before long, too short, short paragraph, short note, short memo, short answer, short summary, short version, short text, short reply, short plan, short report, crowded longs, crowded shorts
margin_mode | isolated: isolated, isolated margin; cross: cross margin, cross, cross-margin; -: ema cross, crossover, cross above, cross below, crosses
verdict | no_trade: no trade, stand aside, stay flat, pass on this, no position, do nothing here, nothing to do here, sit this one out, leave it alone, stay out, not a trade, skip this one, flat is the answer, remain flat, hold off, keep out, nothing to trade here
driver | loss: driver is the loss at the stop, driven by the loss at the stop, driven by the money at the stop, loss reading drives, driver is the loss, driven by the loss reading, driver is the margin at stake, driven by the margin at stake, loss band is the highest, loss sets the score, loss sets it, loss reading that drives; room: driver is the room to liquidation, driven by the room to liquidation, driver is the room, room reading drives, driven by the room reading, liquidation room drives, room band is the highest, room sets the score, room sets it, room reading that drives; exposure: driver is the exposure, driven by the exposure, driver is notional over equity, driven by notional over equity, exposure reading drives, driven by the exposure reading, exposure band is the highest, exposure sets the score, exposure sets it, exposure reading that drives
stop_state | none: no stop, without a stop, no working stop, stop is missing, stop: none, unprotected; beyond: stop lies beyond liquidation, stop sits beyond liquidation, liquidation comes before the stop, liquidation comes first, liquidation would come first, stop is out of reach, beyond liquidation; close: stop is close to liquidation, stop sits close to liquidation, stop and liquidation are close, close to liquidation, uncomfortably near liquidation; works: stop works, stop comes first, stop would trigger first, stop comes before liquidation, stop sits before liquidation, stop is reached first, ahead of liquidation, stop fires first, stop acts first
gap | cross: no liquidation price of its own, cross margin has no single liquidation price, liquidation depends on the whole account; mode: margin mode is not given, margin mode is missing, margin mode is not stated, without the margin mode; rate: maintenance rate is not given, maintenance rate is missing, maintenance margin rate is missing, without the maintenance rate; equity: equity is not given, equity is missing, without the equity, account size is missing; budget: risk budget is not given, risk budget is missing, without the risk budget; budget: risk budget is not given, risk budget is missing, without the risk budget; interval: funding interval is not given, funding interval is missing, without the funding interval
limit_state | over: over the limit, above the limit, exceeds the limit, beyond the limit, breaks the limit, outside the limit, more than the limit; inside: inside the limit, within the limit, under the limit, below the limit, respects the limit, within limits
trend@ | up: uptrend, up-trend, trending up, trend is up, trend points up, trend up, bullish trend, rising structure; down: downtrend, down-trend, trending down, trend is down, trend points down, trend down, bearish trend, falling structure; mixed: no clear trend, trend is mixed, mixed trend, averages are mixed, trend mixed, no trend, trendless, averages disagree, not trending
momentum@ | overbought: overbought; oversold: oversold; firm: momentum is firm, firm momentum, momentum firm, firm; soft: momentum is soft, soft momentum, momentum soft, soft; neutral: momentum is neutral, neutral momentum, momentum neutral; -: overbought line, oversold line, not overbought, not oversold, overbought at, oversold at, overbought from, oversold up
volatility@ | stretched: volatility is stretched, stretched volatility, volatility stretched, stretched; quiet: volatility is quiet, quiet volatility, volatility quiet, quiet; ordinary: volatility is ordinary, ordinary volatility, volatility ordinary
hist_state@ | positive: is positive, positive side, over its signal; negative: is negative, negative side, under its signal
volume_state@ | heavy: volume is heavy, heavy volume, volume heavy, heavy; thin: volume is thin, thin volume, volume thin, thin; average: volume is average, average volume for the bar, volume about average, volume average, ordinary volume; -: thin book, thin liquidity
funding_state | crowded_long: longs are crowded, crowded longs, crowded long, longs crowded; crowded_short: shorts are crowded, crowded shorts, crowded short, shorts crowded; ordinary: funding is ordinary, ordinary funding, funding ordinary, no crowding, funding unremarkable, nothing crowded
failed_gate | stale: stale, data is stale, too old; setup: no setup, setup is absent, setup is not there, rule is not met, setup missing, setup is missing; higher: daily filter fails, against the daily filter, daily filter blocks, daily trend disagrees, daily filter refuses; tight: stop is too tight, too tight, tighter than the median bar, inside ordinary noise; cost: costs are too high, costs too high, cost too high, costs eat too much, cost check fails; reward: net reward/risk is too low, reward too low, pays too little, reward falls short, net r:r is too low; size: size is too small, size too small, below the exchange minimum, under the exchange minimum, order is too small
rule | breakout: breakout, breakout rule; pullback: pullback, pullback rule; reversion: reversion, mean reversion, reversion rule; range: range rule, range-fade, range fade
frame | 1h: decision frame: 1h, main frame: 1h, main frame is 1h, reading frame: 1h, decision frame is 1h, decides on 1h, 1h decision frame; 4h: decision frame: 4h, main frame: 4h, main frame is 4h, reading frame: 4h, decision frame is 4h, decides on 4h, 4h decision frame; 1d: decision frame: 1d, main frame: 1d, main frame is 1d, reading frame: 1d, decision frame is 1d, decides on 1d, 1d decision frame
higher_filter | on: daily filter: on, daily filter is on, with the daily filter
"""

PERIODIC = re.compile(r"(ema|sma|rsi|atr|adx|cci|wma|vwma|roc|mfi)\((\d+)\)$")
RANGE_LEVEL = re.compile(r"(\d+)-(?:bar|period|candle)$")


def _phrases(table: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in table.strip().splitlines():
        names, _, kinds = line.rpartition(" | ")
        units = dict(pair.split("=") for pair in kinds.split())
        for phrase in names.split(","):
            found.setdefault(phrase.strip(), {}).update(units)
    # the one comma inside a phrase
    if "macd(12" in found:
        units = found.pop("macd(12")
        for rest in ("26", "9)"):
            found.pop(rest, None)
        found["macd(12,26,9)"] = units
    return found


def _labels(table: str) -> dict[str, tuple[str, str] | None]:
    found: dict[str, tuple[str, str] | None] = {}
    for line in table.strip().splitlines():
        label, _, values = line.partition(" | ")
        for part in values.split(";"):
            value, _, phrases = part.strip().partition(": ")
            for phrase in phrases.split(", "):
                found[phrase.strip()] = None if value == "-" else (label, value)
    return found


PHRASES = _phrases(CONCEPTS)
LABEL_PHRASES = _labels(LABELS)
LABEL_PHRASES = {phrase.replace(":", ""): entry for phrase, entry in LABEL_PHRASES.items()}


def _longest(phrases: Iterable[str], word: int) -> dict[str, int]:
    """How many words the longest phrase has that begins (word 0) or ends (word −1) with a given word."""
    longest: dict[str, int] = {}
    for phrase in phrases:
        words = phrase.split()
        longest[words[word]] = max(longest.get(words[word], 0), len(words))
    return longest


PHRASES_FROM, PHRASES_TO = _longest(PHRASES, 0), _longest(PHRASES, -1)
LABELS_FROM = _longest(LABEL_PHRASES, 0)
