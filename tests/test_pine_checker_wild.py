"""Scripts as people write them: every one of `wild` compiles, whatever hand it is written in, and is printed without loss.

They use what is right and seldom: texts over several lines, lines that go on at odd places, statements with commas,
names that are those of the language, values and arguments of both versions.
"""

from pathlib import Path

import pytest

from validators.pinescript.check import check_script
from validators.pinescript.parser import parse
from validators.pinescript.printer import show
from validators.pinescript.problems import Problems

WILD = {path.stem: path for path in sorted((Path(__file__).parent / "data" / "pine" / "wild").glob("*.pine"))}


def _errors(source):
    return [str(problem) for problem in check_script(source) if problem.severity == "error"]


def _tabbed(source):
    lines = []
    for line in source.split("\n"):
        inner = line.lstrip(" ")
        indent = len(line) - len(inner)
        lines.append("\t" * (indent // 4) + " " * (indent % 4) + inner)
    return "\n".join(lines)


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize(
    "written",
    [str, lambda source: source.replace("\n", "\r\n"), _tabbed, lambda source: "\ufeff" + source, str.rstrip],
    ids=["as it is", "carriage returns", "tabs", "byte order mark", "no last line end"],
)
def test_what_compiles_is_not_refused(name, written):
    assert _errors(written(WILD[name].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", WILD)
def test_what_is_printed_reads_the_same(name):
    source = WILD[name].read_text(encoding="utf-8")
    problems = Problems()
    once = show(parse(source, problems), source)
    assert show(parse(once, problems), once) == once and not problems
    assert _errors(once) == []


def _codes(body, version=6, head='indicator("x")'):
    found = check_script(f"//@version={version}\n{head}\n{body}\n")
    return [problem.code for problem in found if problem.severity == "error"]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("enum A\n    one = k\n    two = 'b'\nplot(close)", ["P010"]),
        ("enum A\n    one = 5\nplot(close)", ["P021"]),
        ("enum A\n    one = 'a' + \"b\"\n    two\nplot(close)", []),
        # a text goes on over lines that are indented as continued lines are, and over any line between three marks
        ("s = 'a\n     b'\nlog.info(s)", []),
        ("s = 'a\n    b'\nlog.info(s)", ["P002", "P005", "P010", "P002", "P004"]),
        ("plot(close, 'Close)\nplot(open, 'Open')", ["P002"]),
        ('s = """a "b"\nc"""\nlog.info(s)\nplot(nothing)', ["P010"]),
        # whole numbers divided may give a whole number where one is asked for
        ("n = input.int(14)\nplot(ta.wma(close, n / 2))", []),
        ("n = input.float(14)\nplot(ta.wma(close, n))", ["P019"]),
        # what `var` keeps is known as early as it was
        ("var shown = input.bool(true)\nplot(close, display = shown ? display.all : display.none)", []),
        ("varip n = 1\nplot(ta.ema(close, n))", ["P020"]),
        ("var n = 1\nn += 1\nplot(ta.ema(close, n))", ["P020"]),
        ("n = input.int(5)\nf() =>\n    n = 1\n    n += 1\n    n\nplot(ta.ema(close, n) + f())", []),
        # brackets: arguments may stand at the very left, a statement may not
        ("plot(\nclose,\ntitle = 'a'\n)", []),
        ("x = math.max(close, open\ny = 5\nplot(x + y)", ["P003"]),
        ("x = math.max(close,\nvar y = 5\nplot(y)", ["P015", "P003"]),
        # methods of libraries, and variables called like namespaces
        ("import a/b/1 as lib\narray.new_float(1).smooth()\nplot(close.smooth())", []),
        ("array.new_float(1).smooth()", ["P012"]),
        ("f(label label) => label.set_text('a')\nf(label.new(bar_index, high))", []),
        ("f(label label) => label.set_text(5)\nf(label.new(bar_index, high))", ["P019"]),
    ],
)
def test_rights_and_wrongs_side_by_side(body, codes):
    assert _codes(body) == codes


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ("close", ["P040"]),
        ("close[1]", []),
        ("open", []),
        ("[open, time]", []),
        ("ta.atr(5)", ["P040"]),
        ("late()", ["P040"]),
        ("early()", []),
        ("kept", []),
        ("ta.pivot_point_levels('Traditional', true)", []),
    ],
)
def test_a_request_looks_ahead_by_what_it_asks_for(asked, codes):
    body = f"late() => ta.sma(close, 3)\nearly() => ta.sma(close, 3)[1]\nkept = high[1]\nlog.info(str.tostring(late() + early() + kept))\n_ = request.security(syminfo.tickerid, 'D', {asked}, lookahead = barmerge.lookahead_on)"
    if asked[0] == "[":
        body = body.replace("_ = ", "[_, _] = ")
    assert _codes(body, head='strategy("x")') == codes
    assert _codes(body) == []  # an indicator is warned
    assert _codes(body.replace("'D'", "timeframe.period"), head='strategy("x")') == []
    found = check_script(f'//@version=6\nindicator("x")\n{body}\n')
    assert [problem.code for problem in found if problem.severity == "warning"] == codes


def test_version_five_takes_what_version_six_does_not():
    for body in ("if nz(close > open, true)\n    alert('a')", "plot(close, transp = 50)"):
        assert _codes(body, 5) == [] and _codes(body) != []
    orders = "strategy.entry('L', strategy.long)\nstrategy.close('L', close > open)"
    assert _codes(orders, 5, 'strategy("x")') == [] and _codes(orders, 6, 'strategy("x")') == ["P019"]
