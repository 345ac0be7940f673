"""What the language's own variables and constants are in compiled code."""

import math

from validators.pinescript.builtins import table
from validators.pinescript.execution.values import Value

# Read from a list of the chart, one element a bar: name of the script → name of the list, type.
COLUMNS = {
    "open": ("open", "float"), "high": ("high", "float"), "low": ("low", "float"), "close": ("close", "float"), "volume": ("volume", "float"),
    "hl2": ("hl2", "float"), "hlc3": ("hlc3", "float"), "hlcc4": ("hlcc4", "float"), "ohlc4": ("ohlc4", "float"),
    "time": ("time", "int"), "time_close": ("time_close", "int"), "time_tradingday": ("time_tradingday", "int"),
    "year": ("year", "int"), "month": ("month", "int"), "weekofyear": ("weekofyear", "int"), "dayofmonth": ("dayofmonth", "int"),
    "dayofweek": ("dayofweek", "int"), "hour": ("hour", "int"), "minute": ("minute", "int"), "second": ("second", "int"),
    "ta.tr": ("tr_na", "float"), "ta.obv": ("obv", "float"), "ta.pvt": ("pvt", "float"), "ta.accdist": ("accdist", "float"),
    "ta.nvi": ("nvi", "float"), "ta.pvi": ("pvi", "float"), "ta.wad": ("wad", "float"), "ta.wvad": ("wvad", "float"), "ta.iii": ("iii", "float"),
    "session.isfirstbar": ("first_of_day", "bool"), "session.isfirstbar_regular": ("first_of_day", "bool"),
    "session.islastbar": ("last_of_day", "bool"), "session.islastbar_regular": ("last_of_day", "bool"),
}  # fmt: skip

# Read anew where it stands: name → Python, type. `broker`, `chart`, `drawings`, `bar` and `last` are local there.
READ = {
    "bar_index": ("bar", "int"), "last_bar_index": ("last", "int"), "last_bar_time": ("chart.time[last]", "int"),
    "timenow": ("chart.time_close[last]", "int"), "ask": ("nan", "float"), "bid": ("nan", "float"),
    "barstate.isfirst": ("(bar == 0)", "bool"), "barstate.islast": ("(bar == last)", "bool"), "barstate.isconfirmed": ("True", "bool"),
    "barstate.ishistory": ("True", "bool"), "barstate.isnew": ("True", "bool"), "barstate.isrealtime": ("False", "bool"),
    "barstate.islastconfirmedhistory": ("(bar == last)", "bool"),
    "session.ismarket": ("True", "bool"), "session.ispremarket": ("False", "bool"), "session.ispostmarket": ("False", "bool"),
    "syminfo.mintick": ("mintick", "float"), "syminfo.ticker": ("chart.ticker", "string"), "syminfo.tickerid": ("chart.symbol", "string"),
    "syminfo.main_tickerid": ("chart.symbol", "string"), "syminfo.prefix": ("chart.prefix", "string"), "syminfo.root": ("chart.ticker", "string"),
    "syminfo.description": ("chart.ticker", "string"), "syminfo.pointvalue": ("1.0", "float"), "syminfo.mincontract": ("broker.step_size", "float"),
    "syminfo.pricescale": ("round(1 / mintick)", "int"), "syminfo.minmove": ("1", "int"), "syminfo.type": ("'crypto'", "string"),
    "syminfo.currency": ("'USDT'", "string"), "syminfo.basecurrency": ("chart.ticker.removesuffix('USDT')", "string"),
    "syminfo.timezone": ("'Etc/UTC'", "string"), "syminfo.session": ("'24x7'", "string"), "syminfo.volumetype": ("'base'", "string"),
    "timeframe.period": ("chart.timeframe", "string"), "timeframe.main_period": ("rt.main_period", "string"),
    "timeframe.multiplier": ("split(chart.timeframe)[0]", "int"), "timeframe.isdaily": ("(split(chart.timeframe)[1] == 'D')", "bool"),
    "timeframe.isweekly": ("(split(chart.timeframe)[1] == 'W')", "bool"), "timeframe.ismonthly": ("(split(chart.timeframe)[1] == 'M')", "bool"),
    "timeframe.isdwm": ("(split(chart.timeframe)[1] in ('D', 'W', 'M'))", "bool"),
    "timeframe.isintraday": ("(split(chart.timeframe)[1] in ('', 'S'))", "bool"), "timeframe.isminutes": ("(split(chart.timeframe)[1] == '')", "bool"),
    "timeframe.isseconds": ("(split(chart.timeframe)[1] == 'S')", "bool"), "timeframe.isticks": ("False", "bool"),
    "chart.is_standard": ("True", "bool"), "chart.is_heikinashi": ("False", "bool"), "chart.is_kagi": ("False", "bool"),
    "chart.is_linebreak": ("False", "bool"), "chart.is_pnf": ("False", "bool"), "chart.is_range": ("False", "bool"),
    "chart.is_renko": ("False", "bool"), "chart.bg_color": ("'#FFFFFF'", "color"), "chart.fg_color": ("'#131722'", "color"),
    "chart.left_visible_bar_time": ("chart.time[0]", "int"), "chart.right_visible_bar_time": ("chart.time[last]", "int"),
    "label.all": ("drawings.all('label')", "array<label>"), "line.all": ("drawings.all('line')", "array<line>"),
    "box.all": ("drawings.all('box')", "array<box>"), "linefill.all": ("drawings.all('linefill')", "array<linefill>"),
    "polyline.all": ("drawings.all('polyline')", "array<polyline>"), "table.all": ("drawings.all('table')", "array<table>"),
    "strategy.position_size": ("broker.position", "float"), "strategy.position_avg_price": ("broker.mean_price", "float"),
    "strategy.position_entry_name": ("broker.entry_name()", "string"), "strategy.initial_capital": ("broker.initial_capital", "float"),
    "strategy.netprofit": ("broker.net_profit", "float"), "strategy.openprofit": ("broker.open_profit()", "float"),
    "strategy.equity": ("broker.equity()", "float"), "strategy.opentrades": ("len(broker.open_trades)", "int"),
    "strategy.closedtrades": ("len(broker.trades)", "int"), "strategy.closedtrades.first_index": ("0", "int"),
    "strategy.opentrades.capital_held": ("broker.capital_held()", "float"), "strategy.margin_liquidation_price": ("broker.liquidation()", "float"),
    "strategy.account_currency": ("'USDT'", "string"), "strategy.max_drawdown": ("broker.max_drawdown", "float"),
    "strategy.max_runup": ("broker.max_runup", "float"),
    **{
        f"strategy.{name}": (f"broker.figure({name!r})", kind)
        for name, kind in (
            ("wintrades", "int"), ("losstrades", "int"), ("eventrades", "int"), ("grossprofit", "float"), ("grossloss", "float"),
            ("grossprofit_percent", "float"), ("grossloss_percent", "float"), ("netprofit_percent", "float"), ("openprofit_percent", "float"),
            ("avg_trade", "float"), ("avg_trade_percent", "float"), ("avg_winning_trade", "float"), ("avg_winning_trade_percent", "float"),
            ("avg_losing_trade", "float"), ("avg_losing_trade_percent", "float"), ("max_drawdown_percent", "float"),
            ("max_runup_percent", "float"), ("max_contracts_held_all", "float"), ("max_contracts_held_long", "float"),
            ("max_contracts_held_short", "float"),
        )
    },
}  # fmt: skip

# Colours as the reference of the language's constants gives them.
COLORS = {
    "aqua": "#00BCD4", "black": "#363A45", "blue": "#2196F3", "fuchsia": "#E040FB", "gray": "#787B86", "green": "#4CAF50", "lime": "#00E676",
    "maroon": "#880E4F", "navy": "#311B92", "olive": "#808000", "orange": "#FF9800", "purple": "#9C27B0", "red": "#F23645", "silver": "#B2B5BE",
    "teal": "#089981", "white": "#FFFFFF", "yellow": "#FDD835",
}  # fmt: skip
_NUMBERS = {
    "math.pi": math.pi, "math.e": math.e, "math.phi": (1 + 5**0.5) / 2, "math.rphi": (5**0.5 - 1) / 2,
    **{f"dayofweek.{day}": i for i, day in enumerate(("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), 1)},
    **{f"display.{place}": bit for place, bit in (("none", 0), ("pane", 1), ("data_window", 2), ("price_scale", 4), ("status_line", 8), ("pine_screener", 16), ("all", 31))},
}  # fmt: skip


def constant(path: str) -> Value | None:
    """A constant such as `color.red`, `math.pi` or `strategy.long`: a colour, a number or its own last word."""
    known = _NUMBERS.get(path)
    if known is not None:
        kind = "float" if isinstance(known, float) else "int"
        return Value(repr(known), kind, atom=True, const=True, sure=True)
    space, _, word = path.rpartition(".")
    if space == "color" and word in COLORS:
        return Value(repr(COLORS[word]), "color", atom=True, const=True, sure=True)
    found = table().values.get(path)
    if found is None or path in COLUMNS or path in READ or not space:
        return None
    if found.qualifier != 0:  # a variable of the language, of which a chart of candles alone knows nothing
        return Value("nan", found.base if found.base != "unknown" else "?", atom=True)
    kind = "string" if found.base not in ("int", "float", "bool") else found.base
    return Value(repr(word), kind, atom=True, const=True, sure=True)
