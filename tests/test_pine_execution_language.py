"""What scripts mean when they run: the past, blocks, functions, objects, texts, frames, and how they fail."""

import math
from datetime import UTC, datetime

import pytest

from tapewright.errors import SourceError, TapewrightError
from validators.pinescript.execution import ExecutionError, Program, execute

nan = math.nan
BARS = 8


def candles(count=BARS, seconds=3_600, start=0):
    closes = [100.0 + i for i in range(count)]
    return {
        "open": [c - 0.5 for c in closes], "high": [c + 1 for c in closes], "low": [c - 1 for c in closes], "close": closes,
        "volume": [10.0] * count, "open_time": [start + seconds * i for i in range(count)],
    }  # fmt: skip


def run(body, version=6, data=None, kind="indicator", **options):
    source = f'//@version={version}\n{kind}("x")\n{body}\n'
    return execute(source, data or candles(), variables=True, **options)


def last(body, name="x", **options):
    return run(body, **options).variables[name][-1]


def same(left, right):
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right or left != left and right != right


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7), ("7 / 2", 3.5), ("-7 % 3", -1), ("7 % -3", 1), ("1 / 0", nan), ("5 % 0", nan), ("2.5 % 1", 0.5),
        ("na + 1", nan), ("na > 1", False), ("na == na", False), ("1 != na", False), ("nz(na, 4)", 4), ("nz(na)", 0), ("na(na)", True),
        ("math.max(1, na)", nan), ("math.max(1, 5, 3)", 5), ("math.round(2.5)", 3), ("math.round(-2.5)", -2), ("math.round(1.2345, 2)", 1.23),
        ("math.sqrt(-1)", nan), ("math.log(0)", nan), ("math.pow(2, 10)", 1024), ("math.sign(-3)", -1), ("math.floor(-1.5)", -2),
        ("math.avg(1, 2, 6)", 3), ("math.abs(-4)", 4), ("int(-2.7)", -2), ("math.round_to_mintick(1.26)", 1.3), ("not (1 > 2)", True),
        ("true and not false or false", True), ("1 < 2 ? 3 : 4", 3), ("math.exp(1000)", nan), ("'a' + \"b\"", "ab"), ("1.0 == 1", True),
        ("math.pi > 3", True), ("1e3", 1000), ("color.new(color.red, 50)", "#F2364580"), ("color.rgb(1, 2, 3)", "#010203"), ("color.r(#0A0B0C)", 10),
        ("color.t(color.new(color.red, 0))", 0), ("math.todegrees(math.pi)", 180), ("str.tostring(1.5)", "1.5"), ("str.tostring(3)", "3"),
        ("str.tostring(1 / 3)", "0.3333333333"), ("str.tostring(na)", "NaN"), ("str.tostring(1234.567, '#,###.##')", "1,234.57"),
        ("str.tostring(0.5, '0.00')", "0.50"), ("str.tostring(12.3456, format.mintick)", "12.3"), ("str.tostring(0.256, '#.#%')", "25.6%"),
        ("str.tostring(12.3, format.percent)", "12.30%"), ("str.tostring(1234567, format.volume)", "1.235M"), ("str.tostring(true)", "true"),
        ("str.tostring(array.from(1, 2))", "[1, 2]"), ("str.format('{0} and {1,number,#.#}', 'a', 2.345)", "a and 2.3"),
        ("str.format(\"it''s {0}\", 1)", "it's 1"), ("str.format('{0,date,yyyy-MM-dd}', 0)", "1970-01-01"), ("str.length('abc')", 3),
        ("str.upper('ab')", "AB"), ("str.contains('abc', 'b')", True), ("str.pos('abc', 'c')", 2), ("str.substring('abcd', 1, 3)", "bc"),
        ("str.replace('a-a-a', 'a', 'b', 1)", "a-b-a"), ("str.replace_all('a-a', 'a', 'b')", "b-b"), ("str.split('a,b', ',').get(1)", "b"),
        ("str.tonumber('1.5')", 1.5), ("str.tonumber('x')", nan), ("str.repeat('ab', 2, '-')", "ab-ab"), ("str.match('ab12', '[0-9]+')", "12"),
        ("str.trim(' a ')", "a"), ("str.startswith('abc', 'ab')", True), ("str.format_time(0, 'yyyy-MM-dd HH:mm')", "1970-01-01 00:00"),
        ("timestamp(2020, 1, 2, 3, 4, 5)", 1_577_934_245_000), ("timestamp('2020-01-02 00:00 +0000')", 1_577_923_200_000),
        ("timestamp('UTC+2', 2020, 1, 2, 2, 0)", 1_577_923_200_000), ("timestamp('02 Jan 2020')", 1_577_923_200_000),
        ("hl2", 107.0), ("ohlc4", 106.875), ("bar_index", 7), ("last_bar_index", 7), ("syminfo.ticker", "BTCUSDT"), ("syminfo.mintick", 0.1),
        ("timeframe.period", "60"), ("timeframe.in_seconds('D')", 86_400), ("timeframe.isintraday", True), ("hour", 7), ("dayofweek", 5),
        ("dayofweek == dayofweek.thursday", True), ("hour(0, 'UTC+3')", 3), ("time - time[1]", 3_600_000), ("time_close - time", 3_600_000),
        ("barstate.islast", True), ("barstate.isfirst", False), ("close[100]", nan), ("ta.change(close) > 0", True), ("close[bar_index]", 100.0),
        ("math.sum(1, 3)", 3), ("fixnan(bar_index > 5 ? na : close)", 105), ("ticker.standard(syminfo.tickerid)", "BTCUSDT"),
    ],
)  # fmt: skip
def test_expressions(expression, value):
    assert same(last(f"x = {expression}"), value)


def test_ints_divide_otherwise_in_version_five():
    assert last("x = 7 / 2", version=5) == 3 and last("x = -7 / 2", version=5) == -3
    assert last("x = 7 / 2.0", version=5) == 3.5 and last("x = bar_index / 2", version=5) == 3.5
    assert last("x = input.int(7) / 2", version=5) == 3.5  # only constants keep to ints


COUNTING = "var calls = array.new<int>()\nf() =>\n    calls.push(1)\n    true\n"


@pytest.mark.parametrize(("version", "seen"), [(5, 2 * BARS), (6, 0)])
def test_and_or_are_lazy_from_version_six_on(version, seen):
    found = run(COUNTING + "a = close < 0 and f()\nb = close > 0 or f()\nn = calls.size()\n", version)
    assert found.variables["n"][-1] == seen
    assert found.variables["a"][-1] is False and found.variables["b"][-1] is True


def test_a_truth_value_before_the_first_bar():
    body = "up = close > 0\nbefore = up[1]\nx = before ? 1 : 2\n"
    assert run(body).variables["before"][0] is False
    assert run(body, 5).variables["before"][0] != run(body, 5).variables["before"][0]
    assert run(body, 5).variables["x"][0] == 2


def test_history_of_anything():
    body = (
        "a = (close - open)[1]\nb = ta.sma(close, 2)[2]\nc = close\nc += 1\nd = c[1]\nn = 2\ne = close[n]\n"
        "f = bar_index[1]\ng = (close > 102)[1]\n"
    )
    found = run(body).variables
    assert same(found["a"][:2], [nan, 0.5]) and same(found["b"][:5], [nan, nan, nan, 100.5, 101.5])
    assert same(found["d"][:3], [nan, 101, 102]) and same(found["e"][:4], [nan, nan, 100, 101])
    assert same(found["f"][:2], [nan, 0]) and found["g"][:5] == [False, False, False, False, True]


def test_each_call_of_a_function_has_a_past_of_its_own():
    body = "f(s) =>\n    var n = 0\n    n += 1\n    p = s * 2\n    p[1] + n\na = f(close)\nb = f(open)\nc = f(close) + f(close)\n"
    found = run(body).variables
    assert found["a"][1:3] == [202, 205] and found["b"][1] == 2 * 99.5 + 2 and found["c"][2] == 2 * 205


def test_a_function_called_now_and_then_remembers_its_calls():
    found = run("f(s) => s[1]\nx = 0.0\nif bar_index % 2 == 0\n    x := f(close)\n").variables
    assert same(found["x"][:5], [nan, 0, 100, 0, 102])  # two bars ago, when it was last called


def test_var_keeps_and_plain_names_begin_anew():
    found = run(
        "var a = 0\na += 1\nb = 0\nb += 1\nvarip c = 5\nc -= 1\nvar first = close\nvar arr = array.from(close)\nd = arr.get(0)"
    ).variables
    assert found["a"][-1] == BARS and found["b"][-1] == 1 and found["c"][-1] == 5 - BARS
    assert found["first"][-1] == found["d"][-1] == 100


def test_var_inside_a_block_is_given_its_value_when_it_is_reached():
    found = run("x = 0.0\nif bar_index >= 3\n    var start = close\n    x := start\n").variables
    assert found["x"][-1] == 103


def test_conditions_as_values():
    body = (
        "a = if close > 105\n    1\nelse if close > 103\n    2\nelse\n    3\nb = if close > 1000\n    1\n"
        'c = switch\n    close > 106 => "x"\n    close > 104 =>\n        "y"\n    => "z"\nd = switch bar_index\n    0 => 10\n    7 => 20\n'
        "[e, f] = if bar_index > 3\n    [1, 2]\nelse\n    [3, 4]\ng = if close > 1000\n    true\n"
    )
    found = run(body).variables
    assert (found["a"][-1], found["a"][4], found["a"][0]) == (1, 2, 3) and same(found["b"][-1], nan)
    assert (found["c"][-1], found["c"][5], found["c"][0]) == ("x", "y", "z")
    assert same([found["d"][0], found["d"][1], found["d"][-1]], [10, nan, 20])
    assert (found["e"][0], found["f"][-1]) == (3, 2) and found["g"][-1] is False


@pytest.mark.parametrize(
    ("loop", "value"),
    [
        ("for i = 0 to 4\n    x += i", 10), ("for i = 4 to 0\n    x := x * 10 + i", 43210), ("for i = 0 to 10 by 3\n    x += i", 18),
        ("for i = 5 to 1 by 2\n    x := x * 10 + i", 531), ("for i = 0 to 9\n    if i == 3\n        continue\n    if i == 6\n        break\n    x += i", 12),
        ("for v in array.from(1, 2, 3)\n    x += v", 6), ("for [i, v] in array.from(5, 6)\n    x += i * v", 6), ("for i = 0 to na\n    x += 1", 0),
        ("while x < 7\n    x += 2", 8), ("for i = 0 to 2\n    for j = 0 to i\n        x += 1", 6),
        ("a = array.from(1, 2)\nfor i = 0 to a.size() - 1\n    x += a.get(i)\n    if i < 2\n        a.push(9)", 21),
        ("for [k, v] in m\n    x += v", 3),
    ],
)  # fmt: skip
def test_loops(loop, value):
    assert last('m = map.new<string, int>()\nm.put("a", 1)\nm.put("b", 2)\nx = 0\n' + loop) == value


def test_a_loop_has_a_value():
    assert last("x = for i = 0 to 3\n    i * 2") == 6
    assert last("n = 0\nx = while n < 3\n    n += 1\n    n * 10") == 30


def test_studies_in_a_loop_keep_their_turns_apart():
    found = run(
        "x = 0.0\nfor i = 1 to 3\n    x += ta.sma(close, i)\ny = ta.sma(close, 1) + ta.sma(close, 2) + ta.sma(close, 3)"
    ).variables
    assert same(found["x"], found["y"])


def test_functions_with_defaults_names_and_several_values():
    body = (
        "f(int a, int b = 10, int c = 100) => a + b + c\nx = f(1) + f(1, c = 0) + f(b = 2, a = 1)\n"
        "g(a) =>\n    [a, a * 2]\n[p, q] = g(4)\nadd(int a, int b) => a + b\nadd(string a, string b) => b + a\ny = add('a', 'b')\nz = add(1, 2)\n"
    )
    found = run(body).variables
    assert found["x"][-1] == 111 + 11 + 103 and (found["p"][-1], found["q"][-1]) == (4, 8)
    assert found["y"][-1] == "ba" and found["z"][-1] == 3


TYPES = """
type Zone
    float top
    float bottom = 1.0
    int hits
enum Side
    up = "Up!"
    down
method touch(Zone z, float price) =>
    if price > z.top
        z.hits := nz(z.hits) + 1
    z
var zone = Zone.new(103, hits = 0)
var other = zone.copy()
zone.touch(close).touch(close)
zone.bottom += 1
hits = zone.hits
bottom = zone.bottom
kept = other.hits
Side side = close > 103 ? Side.up : Side.down
said = str.tostring(side)
same_ = side == Side.up
var list = array.new<Zone>()
list.push(Zone.new(close))
tops = list.last().top + list.get(0).top
before = zone[1]
"""


def test_objects_enums_and_methods():
    found = run(TYPES).variables
    assert found["hits"][-1] == 8 and found["bottom"][-1] == 1 + BARS and found["kept"][-1] == 0
    assert found["said"][0] == "down" and found["said"][-1] == "Up!" and found["same_"][-1] is True
    assert found["tops"][-1] == 207


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("a.push(4)\nx = a.size()", 4), ("x = a.pop() + a.shift()", 5), ("a.set(1, 9)\nx = a.get(1)", 9), ("a.insert(0, 7)\nx = a.first()", 7),
        ("x = a.remove(0) * 10 + a.size()", 32), ("a.sort(order.ascending)\nx = a.get(0) * 10 + a.last()", 13), ("a.reverse()\nx = a.first()", 2),
        ("x = a.sum()", 6), ("x = a.avg()", 2), ("x = a.max() - a.min()", 2), ("x = a.max(1)", 2), ("x = a.median()", 2), ("x = a.stdev()", (2 / 3) ** 0.5),
        ("x = a.variance(false)", 1), ("x = a.indexof(2)", 2), ("x = a.includes(5)", False), ("x = a.slice(1, 3).size()", 2), ("x = a.join('-')", "3-1-2"),
        ("b = a.copy()\nb.clear()\nx = a.size()", 3), ("x = array.from(3, 1).concat(a).size()", 5), ("x = a.range()", 2), ("a.fill(0)\nx = a.sum()", 0),
        ("x = a.sort_indices().get(0)", 1), ("x = array.from(1, 3, 5).binary_search(3)", 1), ("x = a.percentile_nearest_rank(50)", 2), ("x = a.every()", False),
        ("x = array.new<float>(2, 1.5).sum()", 3), ("x = array.new_int(3, 2).sum()", 6), ("x = a.covariance(array.from(3, 1, 2))", 2 / 3),
        ("x = array.get(a, 0)", 3), ("x = a.abs().sum()", 6), ("x = na(array.new<float>(1).get(0))", True), ("x = a.unshift(5)\ny = 1", None),
        ("m = matrix.new<float>(2, 2, 1)\nm.set(0, 1, 3)\nx = m.get(0, 1) + m.avg()", 4.5), ("m = matrix.new<float>(2, 3, 1)\nx = m.rows() * 10 + m.columns()", 23),
        ("m = matrix.new<float>(2, 2, 2)\nm.set(0, 0, 4)\nx = m.det()", 4), ("m = matrix.new<float>(2, 2, 2)\nx = m.mult(m).get(0, 0) + m.sum(1).get(0, 0)", 11),
        ("m = matrix.new<int>(0, 0)\nm.add_row(0, array.from(1, 2))\nx = m.transpose().rows() + m.row(0).get(1)", 4),
        ("m = matrix.new<float>(2, 2, 0)\nm.set(0, 0, 2)\nm.set(1, 1, 4)\nx = m.inv().get(1, 1)", 0.25),
        ("m = map.new<string, float>()\nm.put('a', 1)\nx = m.get('a') + nz(m.get('b'), 5)", 6), ("m = map.new<int, int>()\nx = m.contains(1)", False),
        ("m = map.new<string, int>()\nm.put('a', 1)\nm.put('b', 2)\nm.remove('a')\nx = m.keys().get(0) + str.tostring(m.size()) + str.tostring(m.values().sum())", "b12"),
    ],
)  # fmt: skip
def test_collections(body, value):
    if value is None:
        with pytest.raises(ExecutionError, match="no value"):
            last("a = array.from(3, 1, 2)\n" + body)
    else:
        assert same(
            last("a = array.from(3, 1, 2)\n" + body), pytest.approx(value) if isinstance(value, float) else value
        )


def test_inputs_have_defaults_and_can_be_set():
    body = (
        'enum E\n    a = "First"\n    b = "Second"\n'
        'n = input.int(3, "Length", minval = 1)\nsrc = input.source(close, "Source")\nm = input.string("A", "Mode", options = ["A", "B"])\n'
        'f = input.float(1.5)\ne = input.enum(E.a, "Which")\nk = input.bool(true, "On")\nx = n\ny = src\nz = str.tostring(e)\nt = input.time(timestamp("2020-01-01"))'
    )
    found = run(body).variables
    assert (found["x"][-1], found["y"][-1], found["f"][-1], found["z"][-1]) == (3, 107, 1.5, "First")
    changed = run(body, inputs={"Length": 5, "Source": "high", "Mode": "B", "f": 2, "Which": "Second", "On": False})
    assert (changed.variables["x"][-1], changed.variables["y"][-1], changed.variables["f"][-1]) == (5, 108, 2)
    assert (
        changed.variables["z"][-1] == "Second" and changed.inputs["Mode"] == "B" and changed.variables["k"][-1] is False
    )
    for bad in ({"Length": 0}, {"Length": "x"}, {"Mode": "C"}, {"Source": "nothing"}, {"Which": "Third"}):
        with pytest.raises(ExecutionError, match="is set to"):
            run(body, inputs=bad)


def test_plots_alerts_drawings_and_logs():
    body = (
        'plot(close, "C")\nplot(open)\nplotshape(close > 103, "S")\nplotcandle(open, high, low, close)\nhline(3)\nbgcolor(close > 1 ? color.red : na)\n'
        'p = plot(high, "C")\nfill(p, p)\nalertcondition(bar_index == 2, "T", "M")\nif bar_index > 5\n    alert("a " + str.tostring(close))\n    alert("a")\n'
        "var l = label.new(bar_index, high, 'hi')\nl.set_y(close)\ny = l.get_y()\nn = label.new(bar_index, low)\nlabel.delete(n[1])\nc = label.all.size()\n"
        'var t = table.new(position.top_right, 2, 2)\nt.cell(1, 1, "v" + str.tostring(bar_index))\nlog.info("{0}!", bar_index)\n'
        "ln = line.new(0, 10, 10, 20)\np5 = ln.get_price(5)\n"
    )
    found = run(body)
    assert list(found.plots) == ["C", "plot 2", "S", "plotcandle 4", "C 5"] and found.plots["C"].values[-1] == 107
    assert found.plots["S"].kind == "plotshape" and found.plots["plotcandle 4"].values[0] == (99.5, 101, 99, 100)
    assert [(a.bar, a.message) for a in found.alerts] == [(2, "M"), (6, "a 106"), (6, "a"), (7, "a 107"), (7, "a")]
    assert found.drawings == {"label": BARS + 1, "table": 1, "line": BARS}
    assert found.tables == [{(1, 1): "v7"}] and found.logs[-1] == (7, "info", "7!")
    assert found.variables["y"][-1] == 107 and found.variables["c"][-1] == 2 and found.variables["p5"][-1] == 15


def test_sessions_and_days():
    data = candles(72, start=1_700_006_400)  # Wednesday 2023-11-15, midnight UTC
    body = (
        'inside = not na(time(timeframe.period, "0900-1700"))\nweekend = not na(time("60", "0000-0000:17"))\nnew_day = timeframe.change("D")\n'
        'ny = not na(time(timeframe.period, "0930-1600:23456", "America/New_York"))\nday = time("D")\n'
    )
    found = run(body, data=data).variables
    hours = [datetime.fromtimestamp(second, UTC) for second in data["open_time"]]
    assert found["inside"] == [9 <= at.hour < 17 for at in hours] and not any(found["weekend"])
    assert found["new_day"] == [at.hour == 0 and i > 0 for i, at in enumerate(hours)]
    assert found["ny"] == [15 <= at.hour < 21 for at in hours]  # half past nine is 14:30 in winter
    assert found["day"][30] == 1_700_006_400_000 + 86_400_000


def higher(data, hours, offset=0):
    """(open, high, low, close) of bars of so many hours."""
    groups = {}
    for i, second in enumerate(data["open_time"]):
        groups.setdefault(second // (hours * 3_600), []).append(i)
    return [
        (
            data["open"][g[0]],
            max(data["high"][i] for i in g),
            min(data["low"][i] for i in g),
            data["close"][g[-1]],
            g[-1],
        )
        for g in groups.values()
    ]


def test_security_gives_the_last_closed_bar_and_no_other():
    data = candles(20)
    body = (
        'c = request.security(syminfo.tickerid, "240", close)\n[h, l] = request.security("BTCUSDT", "240", [high, low])\n'
        'p = request.security(syminfo.tickerid, "240", close[1], lookahead = barmerge.lookahead_on)\n'
        'leak = request.security(syminfo.tickerid, "240", close, lookahead = barmerge.lookahead_on)\n'
        'm = request.security(syminfo.tickerid, "240", ta.sma(close, 2))\nsame_ = request.security(syminfo.tickerid, timeframe.period, close)\n'
        'gap = request.security(syminfo.tickerid, "240", close, barmerge.gaps_on)\n'
    )
    found = run(body, data=data).variables
    bars = higher(data, 4)
    for i in range(20):
        closed = [bar for bar in bars if bar[4] <= i]
        now = bars[i // 4]
        assert same(found["c"][i], closed[-1][3] if closed else nan)
        assert same((found["h"][i], found["l"][i]), (closed[-1][1], closed[-1][2]) if closed else (nan, nan))
        assert same(found["p"][i], bars[i // 4 - 1][3] if i >= 4 else nan)
        assert found["leak"][i] == now[3] and found["same_"][i] == data["close"][i]
        assert same(found["m"][i], (closed[-1][3] + closed[-2][3]) / 2 if len(closed) > 1 else nan)
        assert same(found["gap"][i], closed[-1][3] if closed and closed[-1][4] == i else nan)


def test_security_sees_what_the_script_computes():
    data = candles(40)
    body = (
        'n = input.int(2, "N")\nbase = ta.sma(close, n)\nvar total = 0.0\ntotal += close\nf(src, k) =>\n    v = src * k\n    request.security(syminfo.tickerid, "240", v)\n'
        'a = request.security(syminfo.tickerid, "240", base)\nb = request.security(syminfo.tickerid, "240", total)\nc = f(close, 3)\n'
        'd = request.security(ticker.heikinashi(syminfo.tickerid), "240", close)\nunder = request.security_lower_tf(syminfo.tickerid, "1", close).size()\n'
    )
    found = run(body, data=data).variables
    bars = higher(data, 4)
    assert found["a"][-1] == (bars[-1][3] + bars[-2][3]) / 2 and found["b"][-1] == sum(bar[3] for bar in bars)
    assert found["c"][-1] == 3 * bars[-1][3] and found["d"][-1] == sum(bars[-1][:4]) / 4 and found["under"][-1] == 0


def test_security_of_what_is_not_here():
    for body, words in (
        ('x = request.security("ETHUSDT", "240", close)', "only candles of"),
        ('x = request.security(syminfo.tickerid, "5", close)', "no shorter bars"),
        ('x = request.security(syminfo.tickerid, "abc", close)', "no timeframe"),
        ('x = request.earnings("A")', "asks for data"),
    ):
        with pytest.raises(ExecutionError, match=words) as caught:
            run(body)
        assert caught.value.line == 3


def test_libraries_are_given_as_sources():
    library = (
        '//@version=5\nlibrary("H")\nSCALE = 3\nexport type P\n    float v = 1.0\nhelp(float x) => x * SCALE\nexport half(float x) => help(x) / 2\n'
        "export method up(P p) =>\n    p.v += 1\n    p\n"
    )
    body = "import me/H/1 as h\nx = h.half(4)\nvar p = h.P.new()\np.up()\ny = p.v\n"
    found = run(body, libraries={"me/H/1": library}).variables
    assert found["x"][-1] == 6 and found["y"][-1] == 1 + BARS
    with pytest.raises(ExecutionError, match=r"me/H/1.*is not here"):
        run(body)


@pytest.mark.parametrize(
    ("body", "words", "line"),
    [
        ("x = array.new<float>(0)\ny = x.get(3)", "index 3 in an array of 0", 4),
        ("x = 0\nwhile true\n    x += 1", "does not end", 4),
        ("type P\n    float a\nP p = na\nx = p.a", "field 'a' of na", 6),
        ("x = close\ny = missing(1)", "no function 'missing'", 4),
        ("runtime.error('boo')", "boo", 3),
        ("f(x) => f(x)\ny = f(1)", "calls itself", 3),
        ("x = close +", "value expected", 3),
        ("x = close[-1]", "history offset", 3),
        ("if close > 0\n    x = 1\n    array.new<int>(-1)", "-1 elements", 5),
        ("a = array.from(1)\na.shift()\na.shift()", "empty array", 5),
        ("x = str.repeat('ab', 1000000)", "str.repeat", 3),
        ("var x = 10\nx *= x", "larger than an int", 4),
        ("var t = table.new(position.top_left, 1, 1)\nt.cell(2, 0, 'a')", "cell 2, 0 of a table", 4),
        ("x = nothing", "no name 'nothing'", 3),
        ("import a/b/1 as c", "is not here", 3),
        ("if true\n    plot(close)", "top level", 4),
        ("x = matrix.new<float>(1, 1).get(1, 0)", "element 1, 0 of a matrix", 3),
        ("f(a) => a\nx = f(1, 2)", "takes", 4),
        ("x = ta.valuewhen(close > 0, close, -1)", "occurrence", 3),
        ("x = str.match('aaaa', '(a+)+b')", "very long", 3),
    ],
)
def test_failures_name_the_line_and_what_is_wrong(body, words, line):
    with pytest.raises(ExecutionError, match=words.replace("(", r"\(")) as caught:
        run(body)
    assert caught.value.line == line and str(caught.value).startswith(f"line {line}")
    assert isinstance(caught.value, TapewrightError) and "Traceback" not in str(caught.value)


def test_very_deep_expressions_are_computed_or_refused():
    assert last("x = " + " + ".join(["1"] * 400)) == 400
    assert last("x = " + "(" * 60 + "1" + " + 1)" * 60) == 61
    chain = "".join(f"f{i}() => f{i - 1}() + f{i - 1}()\n" for i in range(1, 25))
    with pytest.raises(ExecutionError, match="too large"):
        run("f0() =>\n    var n = 1\n    n += 1\n    n\n" + chain + "x = f24()")


def test_candles_that_cannot_be_used():
    for change, words in (
        ({"close": [1.0]}, "values of 'close'"), ({"open": [nan] * BARS}, "is nan"), ({name: [] for name in candles()}, "no candles"),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=words):
            run("x = close", data=candles() | change)
    data = candles()
    del data["volume"]
    with pytest.raises(SourceError, match="no column 'volume'"):
        run("x = close", data=data)


def test_an_indicator_of_another_frame_wants_its_candles():
    source = '//@version=6\nindicator("x", timeframe = "240")\nplot(close)\n'
    with pytest.raises(ExecutionError, match="give candles of '240'"):
        execute(source, candles())
    assert execute(source, candles(seconds=14_400), timeframe="240").bars == BARS


def test_versions():
    with pytest.raises(ExecutionError, match="version 3"):
        run("x = close", 3)
    with pytest.raises(ExecutionError, match="version 1 "):
        execute("study('x')", candles())


def test_a_program_runs_again_from_the_beginning():
    program = Program(
        '//@version=6\nstrategy("x")\nvar n = 0\nn += 1\nif bar_index == 1\n    strategy.entry("L", strategy.long)\nplot(n)\n'
    )
    first, second = program.run(candles()), program.run(candles())
    assert first.plots["plot 1"].values == second.plots["plot 1"].values and len(second.orders) == 1
    assert program.run(candles(30)).bars == 30 and program.run(candles(30), bars=slice(5, 9)).bars == 4


def test_random_numbers_are_the_same_on_every_run():
    a, b = (run("x = math.random(1, 2)\ny = math.random(1, 2, 7)").variables for _ in range(2))
    assert a == b and len(set(a["x"])) == BARS and all(1 <= value <= 2 for value in a["x"]) and a["x"] != a["y"]
