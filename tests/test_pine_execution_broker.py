"""The broker of strategies, against fills worked out by hand."""

import pytest

from validators.pinescript.execution import ExecutionError, execute

FLAT = (100, 101, 99, 100)


def candles(*bars):
    """Hourly candles from (open, high, low, close)."""
    names = ("open", "high", "low", "close")
    columns = {name: [float(bar[place]) for bar in bars] for place, name in enumerate(names)}
    return columns | {"volume": [1.0] * len(bars), "open_time": [3_600 * i for i in range(len(bars))]}


def trade(bars, body, settings="", version=6, **options):
    source = f'//@version={version}\nstrategy("x"{settings})\n{body}\n'
    return execute(source, candles(*bars), mintick=1.0, variables=True, **options)


def on(bar, *orders):
    """Orders given on one bar."""
    return f"if bar_index == {bar}\n" + "".join(f"    {order}\n" for order in orders)


BUY = 'strategy.entry("L", strategy.long)'
SELL = 'strategy.entry("S", strategy.short)'


def closed(found):
    return [(t.entry_bar, t.entry_price, t.exit_bar, t.exit_price, t.qty, t.profit) for t in found.trades]


def test_a_market_order_is_filled_at_the_next_open():
    found = trade(
        [FLAT, (102, 104, 101, 103), (104, 105, 103, 104), (106, 107, 105, 106)],
        on(0, BUY) + on(2, 'strategy.close("L")'),
    )
    assert closed(found) == [(1, 102, 3, 106, 1, 4)]
    assert found.equity == [1_000_000, 1_000_001, 1_000_002, 1_000_004]
    assert [(f.bar, f.qty, f.price, f.kind) for f in found.orders] == [(1, 1, 102, "entry"), (3, -1, 106, "close")]


def test_an_order_of_the_last_bar_is_never_filled():
    found = trade([FLAT, FLAT], on(1, BUY))
    assert not found.orders and not found.open_trades


def test_orders_on_close_are_filled_on_their_own_bar():
    found = trade(
        [FLAT, (102, 104, 101, 103), (104, 105, 103, 104)],
        on(0, BUY) + on(2, "strategy.close_all()"),
        ", process_orders_on_close = true",
    )
    assert closed(found) == [(0, 100, 2, 104, 1, 4)]


def test_immediate_close():
    found = trade([FLAT, FLAT, (104, 105, 103, 104.5)], on(0, BUY) + on(2, "strategy.close_all(immediately = true)"))
    assert closed(found) == [(1, 100, 2, 104.5, 1, 4.5)]


BRACKET = on(0, BUY, 'strategy.exit("X", "L", stop = 95, limit = 105)')


@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((100, 106, 94, 100), 95),  # the low is as near as the high: low first
        ((101, 106, 94, 100), 105),  # the high is nearer: it comes first
        ((99, 106, 94, 100), 95),
        ((92, 106, 90, 100), 92),  # the open has gone past the stop
        ((108, 110, 90, 100), 108),  # and past the target
        ((100, 104, 95, 100), 95),  # touched is enough
        ((100, 105, 96, 100), 105),
    ],
)
def test_which_of_stop_and_target_is_met_first(bar, price):
    found = trade([FLAT, FLAT, bar], BRACKET)
    assert [(t.exit_bar, t.exit_price, t.exit_id) for t in found.trades] == [(2, price, "X")]


def test_an_exit_guards_the_bar_its_entry_is_filled_on():
    assert closed(trade([FLAT, (100, 101, 90, 95)], BRACKET)) == [(1, 100, 1, 95, 1, -5)]


def test_a_short_is_the_mirror():
    body = on(0, SELL, 'strategy.exit("X", "S", stop = 105, limit = 95)')
    assert closed(trade([FLAT, FLAT, (101, 106, 94, 100)], body)) == [(1, 100, 2, 105, 1, -5)]
    assert closed(trade([FLAT, FLAT, (99, 106, 94, 100)], body)) == [(1, 100, 2, 95, 1, 5)]


def test_profit_and_loss_are_ticks_from_the_entry():
    body = on(0, BUY, 'strategy.exit("X", "L", profit = 3, loss = 2)')
    assert closed(trade([FLAT, (110, 111, 109, 110), (110, 114, 109, 112)], body)) == [(1, 110, 2, 113, 1, 3)]
    assert closed(trade([FLAT, (110, 111, 109, 110), (110, 112, 107, 108)], body)) == [(1, 110, 2, 108, 1, -2)]


def test_limit_and_stop_entries():
    low = on(0, 'strategy.entry("L", strategy.long, limit = 98)')
    assert [f.price for f in trade([FLAT, (100, 101, 97, 99)], low).orders] == [98]
    assert [f.price for f in trade([FLAT, (96, 99, 95, 97)], low).orders] == [96]
    assert not trade([FLAT, (100, 101, 98.5, 99)], low).orders
    high = on(0, 'strategy.entry("L", strategy.long, stop = 103)')
    assert [f.price for f in trade([FLAT, FLAT, (101, 104, 100, 102)], high).orders] == [103]
    assert [f.price for f in trade([FLAT, (105, 106, 104, 105)], high).orders] == [105]


def test_a_stop_limit_order_waits_for_both():
    body = on(0, 'strategy.entry("L", strategy.long, stop = 103, limit = 102)')
    assert [f.price for f in trade([FLAT, (101, 104, 100, 101)], body).orders] == [102]
    assert not trade([FLAT, (101, 102.5, 100, 101)], body).orders


def test_an_entry_reverses():
    found = trade([FLAT, (100, 101, 99, 100), (110, 111, 109, 110), (105, 106, 104, 105)], on(0, BUY) + on(1, SELL))
    assert closed(found) == [(1, 100, 2, 110, 1, 10)]
    (short,) = found.open_trades
    assert (short.direction, short.qty, short.entry_price, short.exit_bar) == ("short", 1, 110, -1)
    assert found.equity[-1] == 1_000_000 + 10 + 5


def test_an_order_only_adds_and_takes_away():
    body = on(0, 'strategy.order("a", strategy.long, 3)') + on(1, 'strategy.order("b", strategy.short, 1)')
    found = trade([FLAT] * 4, body + "p = strategy.position_size")
    assert found.variables["p"] == [0, 3, 2, 2]


@pytest.mark.parametrize(
    ("pyramiding", "held"), [("", 1), (", pyramiding = 1", 1), (", pyramiding = 2", 2), (", pyramiding = 5", 3)]
)
def test_pyramiding(pyramiding, held):
    found = trade(
        [FLAT] * 4 + [(110, 111, 109, 110)],
        'if bar_index < 3\n    strategy.entry("L" + str.tostring(bar_index), strategy.long)\n',
        pyramiding,
    )
    assert len(found.open_trades) == held


def test_mean_price_and_first_in_first_out():
    bars = [FLAT, FLAT, (104, 105, 103, 104), (110, 111, 109, 110), (110, 111, 109, 110)]
    body = (
        on(0, BUY)
        + on(1, 'strategy.entry("M", strategy.long, 3)')
        + on(2, 'strategy.close("M", qty = 1)')
        + "m = strategy.position_avg_price"
    )
    found = trade(bars, body, ", pyramiding = 2")
    assert found.variables["m"][2] == (100 + 3 * 104) / 4
    assert [(t.entry_id, t.qty, t.exit_price) for t in found.trades] == [("L", 1, 110)]
    other = trade(bars, body, ', pyramiding = 2, close_entries_rule = "ANY"')
    assert [(t.entry_id, t.qty) for t in other.trades] == [("M", 1)] and len(other.open_trades) == 2


def test_partial_exits_are_filled_once_each():
    body = on(0, 'strategy.entry("L", strategy.long, 10)') + (
        "if strategy.position_size > 0\n"
        '    strategy.exit("half", "L", qty_percent = 50, limit = 105)\n'
        '    strategy.exit("rest", "L", limit = 110)\n'
    )
    bars = [FLAT, FLAT, (101, 106, 100, 105), (105, 107, 104, 106), (106, 112, 105, 111)]
    assert [(t.exit_id, t.qty, t.exit_price, t.exit_bar) for t in trade(bars, body).trades] == [
        ("half", 5, 105, 2), ("rest", 5, 110, 4)
    ]  # fmt: skip


def test_an_earlier_exit_keeps_its_part_from_a_later_one():
    body = on(
        0,
        'strategy.entry("L", strategy.long, 10)',
        'strategy.exit("a", "L", qty = 4, limit = 110)',
        'strategy.exit("b", "L", stop = 95)',
    )
    found = trade([FLAT, FLAT, (99, 100, 94, 95), (95, 96, 94, 95)], body)
    assert [(t.exit_id, t.qty) for t in found.trades] == [("b", 6)] and found.open_trades[0].qty == 4


def test_a_trailing_stop_follows_the_price():
    body = on(0, BUY, 'strategy.exit("T", "L", trail_points = 5, trail_offset = 3)')
    #      filled at 100; up to 108, so the stop is 105; then down through it
    found = trade([FLAT, FLAT, (101, 108, 100.5, 107), (107, 107.5, 103, 104)], body)
    assert closed(found) == [(1, 100, 3, 105, 1, 5)]
    # within one bar: nearer the high, so it goes up to 108 first and then falls through 105
    assert closed(trade([FLAT, FLAT, (106, 108, 100, 101)], body)) == [(1, 100, 2, 105, 1, 5)]
    # it never gained five points
    assert not trade([FLAT, FLAT, (101, 104.5, 90, 91)], body).trades
    gap = trade([FLAT, FLAT, (101, 108, 100.5, 107), (102, 103, 101, 102)], body)
    assert closed(gap) == [(1, 100, 3, 102, 1, 2)]


def test_a_trailing_stop_of_a_short():
    body = on(0, SELL, 'strategy.exit("T", "S", trail_price = 96, trail_offset = 2)')
    assert closed(trade([FLAT, FLAT, (99, 99.5, 93, 94), (94, 97, 93.5, 96)], body)) == [(1, 100, 3, 95, 1, 5)]


def test_a_moved_stop_replaces_the_one_before():
    body = on(0, BUY) + 'if strategy.position_size > 0\n    strategy.exit("X", "L", stop = close - 2)\n'
    found = trade([FLAT, (100, 101, 99, 100), (103, 106, 102, 105), (105, 106, 102.5, 103)], body)
    assert closed(found) == [(1, 100, 3, 103, 1, 3)]


def test_exits_leave_with_their_trades():
    """A stop of a position that was closed otherwise does not wait for the next one."""
    body = BRACKET + on(2, 'strategy.close("L")') + on(3, BUY)
    found = trade([FLAT, FLAT, FLAT, FLAT, FLAT, (100, 101, 90, 95)], body)
    assert len(found.trades) == 1 and len(found.open_trades) == 1


def test_comments_by_how_an_exit_ended():
    body = on(0, BUY, 'strategy.exit("X", "L", stop = 95, limit = 105, comment_profit = "tp", comment_loss = "sl")')
    assert trade([FLAT, FLAT, (101, 106, 100, 105)], body).trades[0].exit_comment == "tp"
    assert trade([FLAT, FLAT, (99, 100, 94, 95)], body).trades[0].exit_comment == "sl"


@pytest.mark.parametrize(
    ("settings", "qty"),
    [
        (", default_qty_value = 3", 3),
        (", default_qty_type = strategy.cash, default_qty_value = 500", 5),
        (", default_qty_type = strategy.percent_of_equity, default_qty_value = 10, initial_capital = 20000", 20),
    ],
)
def test_default_quantities(settings, qty):
    found = trade([FLAT, (110, 111, 109, 110)], on(0, BUY), settings)
    assert found.open_trades[0].qty == qty  # from the close of the bar the order was given on


def test_quantities_are_rounded_down_to_what_can_be_traded():
    found = trade(
        [FLAT, FLAT], on(0, BUY), ", default_qty_type = strategy.cash, default_qty_value = 123", mincontract=0.5
    )
    assert found.open_trades[0].qty == 1.0


@pytest.mark.parametrize(
    ("settings", "profit"),
    [
        (", commission_type = strategy.commission.percent, commission_value = 0.1", 10 - 0.2 - 0.21),
        (", commission_type = strategy.commission.cash_per_contract, commission_value = 0.5", 10 - 2),
        (", commission_type = strategy.commission.cash_per_order, commission_value = 3", 10 - 6),
        (", slippage = 1", 10 - 4),
    ],
)
def test_costs(settings, profit):
    bars = [FLAT, FLAT, (105, 106, 104, 105), (105, 106, 104, 105)]
    found = trade(bars, on(0, 'strategy.entry("L", strategy.long, 2)') + on(1, 'strategy.close("L")'), settings)
    assert found.trades[0].profit == pytest.approx(profit)
    assert found.equity[-1] == pytest.approx(1_000_000 + profit)


def test_limits_do_not_slip():
    found = trade([FLAT, FLAT, (101, 106, 100, 105)], BRACKET, ", slippage = 2")
    assert (found.trades[0].entry_price, found.trades[0].exit_price) == (102, 105)
    stopped = trade([FLAT, FLAT, (99, 100, 94, 95)], BRACKET, ", slippage = 2")
    assert stopped.trades[0].exit_price == 93


def test_orders_of_a_group_cancel_each_other():
    group = 'oca_name = "g", oca_type = strategy.oca.cancel'
    body = on(
        0,
        f'strategy.order("up", strategy.long, 1, stop = 103, {group})',
        f'strategy.order("down", strategy.short, 1, stop = 97, {group})',
    )
    found = trade([FLAT, (101, 104, 100, 103), (103, 104, 90, 91)], body)
    assert [(f.id, f.price) for f in found.orders] == [("up", 103)]


def test_orders_of_a_group_lessen_each_other():
    group = 'oca_name = "g", oca_type = strategy.oca.reduce'
    body = on(0, 'strategy.entry("L", strategy.long, 6)') + on(
        1,
        f'strategy.order("a", strategy.short, 6, stop = 95, {group})',
        f'strategy.order("b", strategy.short, 3, limit = 105, {group})',
    )
    found = trade([FLAT, FLAT, (101, 106, 100, 105), (99, 100, 94, 95)], body)
    assert [(f.id, f.qty) for f in found.orders] == [("L", 6), ("b", -3), ("a", -3)]


def test_cancelled_orders_are_not_filled():
    one = on(0, 'strategy.entry("L", strategy.long, stop = 105)') + on(1, 'strategy.cancel("L")')
    assert not trade([FLAT, FLAT, (104, 106, 103, 105)], one).orders
    assert not trade(
        [FLAT, FLAT, (104, 106, 103, 105)], one.replace('strategy.cancel("L")', "strategy.cancel_all()")
    ).orders


def test_entries_in_one_direction_only():
    found = trade(
        [FLAT, FLAT, (110, 111, 109, 110)],
        "strategy.risk.allow_entry_in(strategy.direction.long)\n" + on(0, BUY) + on(1, SELL),
    )
    assert closed(found) == [(1, 100, 2, 110, 1, 10)] and not found.open_trades


def test_margin_keeps_large_orders_out():
    settings = ", initial_capital = 1000, margin_long = 50"
    assert trade([FLAT, FLAT], on(0, 'strategy.entry("L", strategy.long, 20)'), settings).open_trades
    assert not trade([FLAT, FLAT], on(0, 'strategy.entry("L", strategy.long, 21)'), settings).open_trades


def test_from_version_six_on_positions_are_covered_in_full():
    large = on(0, 'strategy.entry("L", strategy.long, 11)')
    assert not trade([FLAT, FLAT], large, initial_capital=1_000).orders
    assert trade([FLAT, FLAT], large, version=5, initial_capital=1_000).orders


def test_margin_calls_close_four_times_what_is_lacking():
    """10 sold at 100 with 2,000: at 140 the equity is 1,600 and the margin 1,400; at 160 they are 1,400 and 1,600."""
    body = on(0, 'strategy.entry("S", strategy.short, 10)') + "p = strategy.margin_liquidation_price"
    found = trade([FLAT, FLAT, (120, 140, 119, 130), (150, 160, 149, 155)], body, initial_capital=2_000)
    assert found.variables["p"][1:3] == [150, 150]  # 2,000 + 10 · (100 - 150) = 10 · 150
    (call,) = found.trades
    assert (call.exit_id, call.exit_bar, call.exit_price, call.qty) == ("Margin call", 3, 160, 4 * 200 / 160)
    longs = trade(
        [FLAT, (100, 100, 100, 100), (90, 91, 80, 85)],
        on(0, 'strategy.entry("L", strategy.long, 20)'),
        ", margin_long = 50",
        initial_capital=1_000,
    )
    # at the open of 90 the equity is 800 and the margin 900
    assert longs.trades[0].exit_price == 90 and longs.trades[0].qty == pytest.approx(4 * (900 - 800) / 0.5 / 90)


def test_what_a_script_can_read():
    body = on(0, 'strategy.entry("L", strategy.long, 2)') + on(3, 'strategy.close("L", comment = "bye")') + (
        "size = strategy.position_size\nmoney = strategy.equity\nopen_ = strategy.openprofit\nnet = strategy.netprofit\n"
        "trades = strategy.closedtrades\nheld = strategy.opentrades\nwon = strategy.wintrades\nlost = strategy.losstrades\n"
        "first = strategy.opentrades.entry_price(0)\nexit_ = strategy.closedtrades.exit_price(0)\n"
        "gain = strategy.closedtrades.profit(0)\nbar_ = strategy.closedtrades.exit_bar_index(0)\n"
        "word = strategy.closedtrades.exit_comment(0)\nsold = strategy.closedtrades.size(0)\n"
        "up = strategy.closedtrades.max_runup(0)\ncapital = strategy.initial_capital\n"
    )  # fmt: skip
    bars = [FLAT, FLAT, (101, 108, 97, 104), (104, 105, 103, 104), (103, 104, 102, 103)]
    found = trade(bars, body, initial_capital=5_000).variables
    assert found["size"] == [0, 2, 2, 2, 0] and found["held"] == [0, 1, 1, 1, 0]
    assert found["money"] == [5_000, 5_000, 5_008, 5_008, 5_006] and found["open_"] == [0, 0, 8, 8, 0]
    assert found["net"][-1] == 6 and found["trades"][-1] == 1 and found["won"][-1] == 1 and found["lost"][-1] == 0
    assert found["first"][1] == 100 and found["first"][0] != found["first"][0] and found["exit_"][-1] == 103
    assert (found["gain"][-1], found["bar_"][-1], found["word"][-1], found["sold"][-1]) == (6, 4, "bye", 2)
    assert found["up"][-1] == 16 and found["capital"][0] == 5_000


def test_version_fives_when():
    found = trade([FLAT] * 3, 'strategy.entry("L", strategy.long, when = bar_index == 1)', version=5)
    assert [f.bar for f in found.orders] == [2]


def test_what_is_not_simulated_says_so():
    with pytest.raises(ExecutionError, match="calc_on_order_fills"):
        trade([FLAT], BUY, ", calc_on_order_fills = true")
    with pytest.raises(ExecutionError, match="direction is"):
        trade([FLAT], 'strategy.entry("L", "up")')
