"""Scripts that are generated: right for the checker, read back as they were asked for, and run as they are meant."""

import random
import re
from types import SimpleNamespace

import pytest

from generators.pinescript.blocks import library
from generators.pinescript.flaws import FLAWS, spoil
from generators.pinescript.mutations import Subject
from generators.pinescript.older import write_both
from generators.pinescript.program import draw_program
from generators.pinescript.words import facts_of
from generators.pinescript.writer import write
from generators.splits import plan_splits
from tapewright.streams import Stream, stream
from templates.engine import compile_text, render
from templates.specs import load_spec
from validators.check import check_text
from validators.pinescript import syntax as s
from validators.pinescript.check import check_script
from validators.pinescript.execution import execute
from validators.pinescript.fences import blank_code, code_blocks, code_numbers
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems
from validators.pinescript.reading import read_script
from validators.pinescript.tree import path_of, walk

COUNT = 240


def _programs(count=COUNT, seed=3):
    for index in range(count):
        yield draw_program("indicator" if index % 3 == 2 else "strategy", stream("test", seed, index))


@pytest.fixture(scope="module")
def written():
    return [(program, write(program)) for program in _programs()]


@pytest.fixture(scope="module")
def candles():
    """A market that moves enough for every signal: a random walk with a tide."""
    rng = random.Random(5)
    rows, close = [], 20_000.0
    for bar in range(900):
        drift = 0.004 if bar // 90 % 2 else -0.004
        before, close = close, max(2_000.0, close * (1 + rng.gauss(drift, 0.012)))
        high, low = max(before, close) * (1 + abs(rng.gauss(0, 0.004))), min(before, close) * (1 - abs(rng.gauss(0, 0.004)))  # fmt: skip
        rows.append(
            (1_600_000_000 // 3_600 * 3_600 + bar * 3_600, before, high, low, close, rng.lognormvariate(3, 0.8))
        )
    return dict(zip(("open_time", "open", "high", "low", "close", "volume"), map(list, zip(*rows))))


def test_there_are_enough_parts_and_all_are_drawn(written):
    parts = library()
    assert len(parts.signals) >= 40 and len(parts.filters) >= 10
    several = list(_programs(2_000, seed=8))
    assert {program.signal.slug for program in several} == set(parts.signals)
    assert {part.slug for program in several for part in program.filters} == set(parts.filters)
    used = {part.slug for program in several for part in program.parts}
    assert used >= {*parts.exits, *parts.sizes}


def test_parts_of_one_script_never_share_a_name():
    parts = library()
    groups = [parts.filters.values(), parts.exits.values(), parts.sizes.values()]
    names = [drawn.name for group in groups for part in group for drawn in part.draws]
    assert len(names) == len(set(names))
    for signal in parts.signals.values():
        assert not {drawn.name for drawn in signal.draws} & set(names), signal.slug


def test_generated_scripts_have_no_problem(written):
    assert [(program.variant, list(map(str, found))) for program, source in written if (found := check_script(source))] == []  # fmt: skip


def test_scripts_say_what_was_asked(written):
    for program, source in written:
        reading = read_script(source)
        facts = facts_of(program)
        assert reading.kind == program.kind and reading.version == 6
        assert [call for call in facts["calls"].split("; ") if call and call not in reading.everything.calls] == []
        assert {facts[name] for name in program.numbers if name in facts} <= reading.everything.numbers
        if program.kind == "strategy":
            assert set(reading.entries) == set(program.sides)
            exits = {role for role in ("stop", "target", "trail") if getattr(program, role) is not None}
            assert exits == reading.exits - {"close"}
            leaves = program.time is not None or program.natural or program.opposite and program.direction != "both"
            assert leaves == ("close" in reading.exits)


def test_generated_scripts_run_and_trade(written, candles):
    traded = 0
    for _, source in written:
        run = execute(source, candles, timeframe="60")
        assert run.bars == len(candles["close"]) and run.plots
        traded += bool(run.orders)
    strategies = sum(program.kind == "strategy" for program, _ in written)
    assert traded >= 0.9 * strategies


def test_no_call_that_needs_every_bar_is_skipped_on_some(written):
    """`ta.*` behind `and`, `or`, a ternary or inside a block is not computed on every bar of version 6."""

    def stateful(nodes):
        return [path for node in walk(nodes) if isinstance(node, s.Call) and (path := path_of(node.function)).startswith("ta.")]  # fmt: skip

    for _, source in written:
        for node in walk(parse(source, Problems()).statements):
            if isinstance(node, s.Binary) and node.operator in ("and", "or"):
                assert stateful([node.right]) == [], source
            elif isinstance(node, s.Ternary):
                assert stateful([node.yes, node.no]) == [], source
            elif isinstance(node, s.If):
                assert stateful(node.body + node.otherwise) == [], source


def test_programs_differ_in_more_than_their_numbers():
    from benchmarks.pine_scripts import masked

    assert len({masked(write(program)) for program in _programs(400, seed=4)}) >= 396


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_each_flaw_is_the_only_problem_of_some_script(flaw, written):
    found = 0
    for index, (_, source) in enumerate(written):
        mutant = flaw.make(Subject(source), stream("flaw", index))
        if mutant is None:
            continue
        problems = check_script(mutant[0])
        found += len(problems) == 1 and problems[0].code in flaw.codes and problems[0].line == mutant[1]
        if found >= 3:
            break
    assert found >= 1
    words = {"subject": "x", "line": "3", "was": "a", "now": "b"}
    for wording in (*flaw.wrong, *flaw.mend):
        assert render(compile_text(wording), words, Stream(1))


def test_a_spoilt_script_has_one_problem_where_it_says(written):
    for index, (_, source) in enumerate(written[:60]):
        flawed = spoil(source, stream("spoil", index))
        if flawed is not None:
            (problem,) = check_script(flawed.source)
            assert problem.line == flawed.line and problem.code in flawed.flaw.codes


def test_both_versions_trade_alike(candles):
    """The older script and its migration draw the same lines and fill the same orders."""
    seen = set()
    for index, program in enumerate(_programs(150, seed=6)):
        both = write_both(program, stream("both", index))
        if both is None:
            continue
        old, new, changes = both
        assert [problem for problem in check_script(old) if problem.severity == "error"] == []
        assert list(check_script(new)) == []
        seen |= {change.name for change in changes}
        for change in changes:
            assert change.lines and all(1 <= line <= old.count("\n") for line in change.lines)
        before, after = execute(old, candles, timeframe="60"), execute(new, candles, timeframe="60")
        assert [str(order) for order in before.orders] == [str(order) for order in after.orders], new
        assert before.equity == after.equity
        assert {title: repr(plot.values) for title, plot in before.plots.items()} == {
            title: repr(plot.values) for title, plot in after.plots.items()
        }
    assert seen == {"version", "margin", "when", "transp", "number"}


def test_a_make_up_belongs_to_one_split():
    splits = plan_splits((("train", 0.8), ("val", 0.1), ("test", 0.1)), ["pinescript_strategy"], 1_500_000_000, 1_700_000_000, ())  # fmt: skip
    variants = [program.variant for program in _programs(300, seed=2)]
    owners = [[name for name, split in splits.items() if split.may_use(variant)] for variant in variants]
    assert all(len(names) == 1 for names in owners)
    shares = [sum(names == [name] for names in owners) / len(owners) for name in splits]
    assert shares[0] == pytest.approx(0.8, abs=0.08) and min(shares[1:]) > 0.04


# --- reading -----------------------------------------------------------------------------------

_HEAD = '//@version=6\nstrategy("T", pyramiding = 2)\n'


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        ("n = input.int(9)\nx = ta.ema(close, n)\nplot(x)", {"ta.ema(close, 9)"}),
        ("plot(ta.ema(length = 9, source = close))", {"ta.ema(close, 9)"}),
        ("f(float v, int n) => ta.ema(v, n)\nplot(f(hl2, 21))", {"ta.ema(hl2, 21)"}),
        ("src = input.source(hlc3)\nn = input(14, 'Length')\nplot(ta.rsi(src, n))", {"ta.rsi(hlc3, 14)"}),
        ("const int n = 5\na = ta.sma(close, n)\nplot(ta.ema(a, n + 1))", {"ta.sma(close, 5)", "ta.ema(ta.sma(close, 5), 5 + 1)"}),
        ("[m, u, l] = ta.bb(close, 20, 2)\nplot(u)", {"ta.bb(close, 20, 2)"}),
        ("f(int n) =>\n    a = ta.sma(close, n)\n    a * 2\nplot(f(7))", {"ta.sma(close, 7)"}),
    ],
)  # fmt: skip
def test_calls_are_read_with_their_numbers(body, calls):
    assert calls <= read_script(_HEAD + body).everything.calls


def test_entries_and_exits_are_read():
    reading = read_script(
        _HEAD + "n = input.float(1.5, 'Stop %')\nup = ta.crossover(close, ta.sma(close, 50))\nif up\n"
        "    stopPrice = close * (1 - n / 100)\n    strategy.entry('L', strategy.long, qty = 3)\n"
        "    strategy.exit('X', 'L', stop = stopPrice, limit = close + 2.5 * (close - stopPrice))\n"
        "strategy.close('L', when = ta.rsi(close, 2) > 90)"
    )
    assert set(reading.entries) == {"long"} and reading.exits == {"stop", "target", "close"}
    assert "ta.sma(close, 50)" in reading.entries["long"].calls and 50 in reading.entries["long"].numbers
    assert 1.5 in reading.stops.numbers and 2.5 in reading.targets.numbers and 2.5 not in reading.stops.numbers
    assert 90 in reading.closes.numbers and reading.sizes.numbers == {3.0}
    assert reading.inputs == {"Stop %": "1.5"} and reading.declared == {"pyramiding": "2"}


def test_a_stop_that_follows_the_price_trails():
    body = "var float t = na\nt := math.max(nz(t, low), close - 3 * ta.atr(14))\nstrategy.exit('X', 'L', stop = t)"
    reading = read_script(_HEAD + body)
    assert reading.exits == {"trail"} and 3 in reading.trails.numbers and not reading.stops.numbers


# --- answers -----------------------------------------------------------------------------------

ASK = "Write a Pine Script v6 strategy: go long when RSI(14) crosses above 30, long only, with a 2% stop and a target at 1.5 times the risk."
SCRIPT = """```pine
//@version=6
strategy("RSI", overlay = false)
length = input.int(14, "RSI length")
stopPercent = input.float(2.0, "Stop %")
ratio = input.float(1.5, "Reward/risk")
rsi = ta.rsi(close, length)
if ta.crossover(rsi, 30) and strategy.position_size == 0
    stopPrice = close * (1 - stopPercent / 100)
    strategy.entry("L", strategy.long)
    strategy.exit("X", "L", stop = stopPrice, limit = close + ratio * (close - stopPrice))
plot(rsi)
```
"""
TALK = "It goes long when RSI(14) crosses above 30. The stop lies 2% away, the target 1.5 times as far. A good backtest proves nothing."  # fmt: skip


def _codes(answer, ask=ASK, task="pinescript_strategy", **more):
    return {finding.code for finding in check_text(ask, "", answer, spec=load_spec(task), generated=True, **more)}


def test_a_right_answer_has_no_finding():
    assert _codes(SCRIPT + TALK) == set()
    facts = {"script": "strategy", "direction": "long", "calls": "ta.rsi(close, 14)", "stop_numbers": "stop_percent", "stop_percent": 2.0}  # fmt: skip
    assert _codes(SCRIPT + TALK, facts=facts) == set()


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ([("int(14", "int(21"), ("RSI(14)", "RSI(21)")], {"N025"}),
        ([("rsi, 30", "rsi, 35"), ("above 30", "above 35")], {"N025"}),
        ([("strategy.long", "strategy.short")], {"N026"}),
        ([("stop = stopPrice, ", "")], {"N026"}),
        ([(", limit = close + ratio * (close - stopPrice)", "")], {"N026", "P046"}),
        ([("RSI(14)", "RSI(16)")], {"N001", "F004"}),
        ([("A good backtest proves nothing.", "Enjoy.")], {"F004"}),
        ([("goes long", "goes short")], {"N026"}),
        ([("ta.rsi(close, length)", "ta.rsi(close)")], {"P015"}),
        ([("```pine", "```pine\n//@version=6\nindicator('x')\nplot(close)\n```\n```pine")], {"F003"}),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_wrong_for_its_reason(changes, codes):
    answer = SCRIPT + TALK
    for before, after in changes:
        assert before in answer
        answer = answer.replace(before, after)
    found = _codes(answer)
    assert codes <= found and found - codes <= {"P046", "F004", "N025"}, found


def test_facts_are_held_against_the_script():
    for facts in ({"direction": "short"}, {"calls": "ta.ema(close, 14)"}, {"stop_numbers": "x", "x": 3.0}, {"script": "indicator"}):  # fmt: skip
        assert _codes(SCRIPT + TALK, facts=facts) == {"N013"}


def test_prose_is_read_without_its_script():
    text = f"Before 12.\n{SCRIPT}After 7."
    blank = blank_code(text)
    assert len(blank) == len(text) and blank.count("\n") == text.count("\n")
    assert "Before 12." in blank and "After 7." in blank and "input" not in blank
    assert {14.0, 2.0, 1.5, 30.0, 100.0} <= code_numbers(text) and 12.0 not in code_numbers(text)
    assert next(code_blocks(text)).source.startswith("//@version=6")


def test_code_is_rendered_as_it_was_written():
    template = compile_text("{% if true %}{% endif %}A  text , here.\n```pine\n{{ code }}\n```\n\n\n\nMore .")
    code = "x = a ? b : c\ny  =  f( 1 , 2 )\n    z :=  1"
    assert render(template, {"code": code}, Stream(1)) == f"A text, here.\n```pine\n{code}\n```\n\nMore."


def test_every_task_of_scripts_is_drawn_without_a_tape():
    """A world whose tape has daily candles only still gives strategies to run."""
    from generators.pinescript.trial import _frame

    world = SimpleNamespace(has=lambda frame: frame == "1d")
    assert _frame("15m", world) == "1d" and _frame("1d", world) == "1d"  # type: ignore[arg-type]


def test_named_lines_of_a_repair_are_checked():
    broken = '```pine\n//@version=6\nindicator("T")\nn = input.int(20, "N")\n\nplot(ta.emaa(close, n))\n```'
    mended = broken.replace("emaa", "ema")
    ask = f"Fix this script.\n\n{broken}"
    assert _codes(f"Line 5: there is no `ta.emaa`.\n{mended}", ask, "pinescript_fix") == set()
    assert _codes(f"Line 3: the input is wrong.\n{mended}", ask, "pinescript_fix") == {"N001", "N028"}
    assert _codes(f"Line 5: there is no `ta.emaa`.\n{broken}", ask, "pinescript_fix") == {"P012"}
    assert _codes(f"Line 5 is wrong.\n{mended.replace('20', '30')}", ask, "pinescript_fix") == {"N029"}


def test_masking_keeps_the_shape():
    from benchmarks.pine_scripts import masked

    one = '//@version=6\nindicator("A")\n// note\nint a = input.int(3, "N")\nplot(ta.ema(close, a))\n'
    other = (
        re.sub("A", "B", one).replace("int a", "int b").replace(", a)", ", b)").replace("(3", "(9").replace("note", "x")
    )
    assert masked(one) == masked(other) != masked(one.replace("ta.ema", "ta.sma"))
