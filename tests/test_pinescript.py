"""The checker of scripts: what is right passes, what is wrong is refused for its reason and on its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.pinescript.check import check_script
from validators.pinescript.parser import parse
from validators.pinescript.printer import show
from validators.pinescript.problems import Problems

SCRIPTS = Path(__file__).parent / "data" / "pine"
GOOD = sorted([*(SCRIPTS / "valid").glob("*.pine"), *(SCRIPTS / "idioms").glob("*.pine")])
BROKEN = {entry["name"]: entry for entry in json.loads((SCRIPTS / "broken" / "manifest.json").read_text())}
# What each defect is called here. The line is that of the manifest, or, where that names the line something was taken
# from, or the head of the block, the line that is wrong because of it.
NAMED = {
    "b01": "P003", "b02": "P010", "b03": "P012", "b04": "P027", "b05": "P006", "b06": "P019", "b07": "P016", "b08": "P015", "b09": "P017",
    "b10": "P013", "b11": "P014", "b12": "P005", "b13": "P028", "b14": "P026", "b15": "P020", "b16": "P023", "b17": "P024", "b18": "P002",
    "b19": "P012", "b20": "P012", "b21": "P025", "b22": "P029", "b23": "P005", "b24": "P021",
}  # fmt: skip
OTHER_LINE = {"b04": 11, "b10": 13, "b14": 21}


def _errors(source):
    return [problem for problem in check_script(source) if problem.severity == "error"]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_scripts_pass(path):
    problems = check_script(path.read_text(encoding="utf-8"))
    assert [str(problem) for problem in problems if problem.code not in ("P007", "P043")] == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_scripts_have_one_error_with_its_reason_and_line(name):
    found = _errors((SCRIPTS / "broken" / f"{name}.pine").read_text(encoding="utf-8"))
    assert [problem.code for problem in found] == [NAMED[name[:3]]]
    assert found[0].line == OTHER_LINE.get(name[:3], BROKEN[name]["line"])


@pytest.mark.parametrize(("name", "code"), [("r01", "P040"), ("r02", "P041"), ("r03", "P042"), ("r04", "P044")])
def test_misleading_scripts_are_flagged(name, code):
    (path,) = (SCRIPTS / "repaint").glob(f"{name}*.pine")
    assert code in {problem.code for problem in check_script(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_printed_script_reads_the_same(path):
    source = path.read_text(encoding="utf-8")
    once = show(parse(source, Problems()), source)
    problems = Problems()
    assert show(parse(once, problems), once) == once and not problems
    assert [(p.code, p.subject) for p in check_script(once)] == [(p.code, p.subject) for p in check_script(source)]
    assert once.count("//") == source.count("//")


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("x = close >\n     open ? 1 : 2\nplot(x)", []),  # five spaces go on with the line before
        ("x = (close\n + open)\nplot(x)", []),
        ("f(int a, b = 2) => a + b\nplot(f(1))", []),
        ("f(int a, b = 2) => a + b\nplot(f())", ["P015"]),
        ("f(int a) => a\nplot(f(1.5))", ["P019"]),
        ("int a = 1.5\nplot(a)", ["P021"]),
        ("a = 1\na := 2.5\nplot(a)", ["P021"]),
        ("plot(math.max(close, open)[1])", []),
        ('plot(close["a"])', ["P019"]),
        ("a = close\nplot(a.b)\nplot(c)", ["P010"]),
        ("if close\n    alert('x')", ["P023"]),
        ("array<float> a = array.new<float>()\na.pussh(1)", ["P012"]),
        ("plot(ta.ema(close, input.int(10)))", []),
        ("plot(undefinedThing)\nplot(undefinedThing)", ["P010"]),  # told once
        ("s = 'a' + 1\nplot(close)", ["P022"]),
        ("plot(close, title = str.tostring(close))", ["P020"]),
        ("while close > 0\n    break\nplot(close)", []),
        ("plot(close", ["P003"]),
        ("for i = 0 to 10\n    label.new(bar_index, high, str.tostring(i))", []),
    ],
)
def test_small_scripts(body, codes):
    found = _errors(f'//@version=6\nindicator("x")\n{body}\n')
    assert [problem.code for problem in found] == codes, found


def test_version_five_converts_what_six_refuses():
    body = 'indicator("x")\nif bar_index\n    alert("a")\nplot(close, transp = 20)\n'
    assert _errors("//@version=5\n" + body) == []
    assert [problem.code for problem in _errors("//@version=6\n" + body)] == ["P023", "P029"]


def test_several_errors_are_told_in_order_and_none_follows_from_another():
    source = '//@version=6\nindicator("x")\na = ta.smma(close, 5)\nb = a + "x"\nplot(ta.sma(close))\nplot(b)\n'
    assert [(problem.line, problem.code) for problem in _errors(source)] == [(3, "P012"), (5, "P015")]


def test_mutants_are_found_on_their_line():
    from benchmarks.pine_mutations import KINDS, measure

    made, killed, survivors = measure(
        [path.read_text(encoding="utf-8") for path in GOOD if not path.stem.startswith("v4")], 480
    )
    assert len(made) == len(KINDS) and killed.total() >= 0.995 * made.total(), survivors[:1]


_PIECES = st.sampled_from(
    ["//@version=6\n", 'indicator("x")\n', "if ", "for ", "switch\n", "    ", "  ", "\n", "(", ")", "[", "]", "=", ":=", "=>", "?", ":", ",", ".", "a", "close",
     "ta.sma", "1", '"', "'", "type T\n", "var ", "float ", "array<float>", "not ", "and ", "-", "*", "\t", "#ff0000", "method ", "enum E\n", "import a/b/1\n", "é", "\x00"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_no_text_breaks_the_checker(source):
    for problem in check_script(source):
        assert problem.line >= 1 and problem.message


def test_deep_nesting_is_a_problem_and_no_crash():
    assert _errors('//@version=6\nindicator("x")\nplot(' + "(" * 5_000 + "1" + ")" * 5_000 + ")\n")


def test_code_blocks_of_rows_are_checked():
    from tapewright import check

    row = {"instruction": "Write it.", "output": 'Here:\n\n```pine\n//@version=6\nindicator("x")\nplot(clsoe)\n```\n'}
    (finding,) = [finding for finding in check([row]).findings if finding.code[0] == "P"]
    assert finding.code == "P010" and finding.message.startswith("line 6:") and finding.evidence == "plot(clsoe)"
    assert not check([row | {"output": row["output"].replace("clsoe", "close")}]).findings


def test_commands(tmp_path):
    from click.testing import CliRunner

    from cli import cli

    (tmp_path / "a.pine").write_text('//@version=6\nindicator( "x" ) // title\nplot( close+1 )\n')
    (tmp_path / "b.pine").write_text('//@version=6\nindicator("x")\nplot(clsoe)\n')
    run = CliRunner().invoke
    assert run(cli, ["pine", "check", str(tmp_path / "a.pine")]).exit_code == 0
    found = run(cli, ["pine", "check", str(tmp_path), "--report", "json"])
    assert found.exit_code == 1 and '"P010"' in found.output
    shown = run(cli, ["pine", "format", str(tmp_path / "a.pine")])
    assert '//@version=6\nindicator("x") // title\nplot(close + 1)\n' in shown.output
    assert run(cli, ["pine", "format", "--write", str(tmp_path / "a.pine")]).exit_code == 0
    assert (tmp_path / "a.pine").read_text() == '//@version=6\nindicator("x") // title\nplot(close + 1)\n'
