"""Family P: code blocks of a row are checked as the compiler would, and for habits that compile and mislead."""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.pinescript.check import check_script
from validators.pinescript.fences import code_blocks
from validators.rules import declare

_OPEN = '//@version=6\nindicator("Example")\n'
_STRATEGY = '//@version=6\nstrategy("Example")\n'
_EXIT = '\nif ta.crossunder(close, open)\n    strategy.close("L")'
_ENTRY = 'if ta.crossover(close, open)\n    strategy.entry("L", strategy.long)'


def _answer(script: str) -> tuple[str, str, str]:
    return "Write the script.", "", f"```pine\n{script}\n```"


def _declare(
    code: str, name: str, summary: str, why: str, bad: str, good: str, severity: str = "error", head: str = _OPEN
) -> None:
    declare(code, name, summary, why, _answer(head + bad), _answer(head + good), severity)


_declare(
    "P001",
    "sign that is none of the language's",
    "A character stands in the code that no token begins with.",
    "The compiler stops there.",
    "plot(close @ 2)",
    "plot(close * 2)",
)
_declare(
    "P002",
    "text not closed",
    "A quotation mark is opened and the line ends.",
    "The rest of the line is swallowed.",
    'plot(close, "Close)',
    'plot(close, "Close")',
)
_declare(
    "P003",
    "bracket not closed",
    "A bracket is opened, and a new statement begins inside of it.",
    "The compiler reports it lines later, where it is hard to find.",
    "a = math.max(open, close\nplot(a)",
    "a = math.max(open, close)\nplot(a)",
)
_declare(
    "P004",
    "syntax error",
    "Something else was expected at this place.",
    "The script does not compile.",
    "a = 1 +\nplot(close)",
    "a = 1 + 2\nplot(close + a)",
)
_declare(
    "P005",
    "wrong indentation",
    "A block is missing, or a line is indented by something else than four spaces.",
    "Indentation is what makes a block.",
    'if close > open\n  alert("up")',
    'if close > open\n    alert("up")',
)
_declare(
    "P006",
    "no declaration",
    "The declaration is missing, given twice, or does not come first.",
    "Without it nothing is drawn and nothing is traded.",
    "//@version=6\nplot(close)",
    '//@version=6\nindicator("Example")\nplot(close)',
    head="",
)
_declare(
    "P007",
    "old version",
    "The script is of a version before 5, of which only the syntax is checked.",
    "Training on it teaches names that are gone.",
    '//@version=4\nstudy("Example")\nplot(close)',
    '//@version=6\nindicator("Example")\nplot(close)',
    "info",
    head="",
)
_declare(
    "P010",
    "unknown name",
    "A variable or type is used that was never declared.",
    "The script does not compile.",
    "plot(clsoe)",
    "plot(close)",
)
_declare(
    "P011",
    "unknown function",
    "A function is called that neither the language nor the script has.",
    "It was made up.",
    "plot(average(close))",
    "plot(ta.sma(close, 20))",
)
_declare(
    "P012",
    "unknown member",
    "A namespace, type or enum has nothing of that name.",
    "It was made up, or misspelt.",
    "plot(ta.smma(close, 20))",
    "plot(ta.rma(close, 20))",
)
_declare(
    "P013",
    "reassigned and never declared",
    "A name that was never declared is given a value with `:=`.",
    "The script does not compile.",
    "if close > open\n    last := close\nplot(close)",
    "float last = na\nif close > open\n    last := close\nplot(last)",
)
_declare(
    "P014",
    "declared twice",
    "A name is declared twice in one block.",
    "The second one was meant to be `:=`.",
    "a = close\na = open\nplot(a)",
    "a = close\na := open\nplot(a)",
)
_declare(
    "P015",
    "argument missing",
    "A call lacks an argument that has no default.",
    "The script does not compile.",
    "plot(ta.sma(close))",
    "plot(ta.sma(close, 20))",
)
_declare(
    "P016",
    "too many arguments",
    "A call has more arguments than the function takes.",
    "The script does not compile.",
    "plot(ta.sma(close, 20, 3))",
    "plot(ta.sma(close, 20))",
)
_declare(
    "P017",
    "unknown argument",
    "A call names an argument the function does not have.",
    "The script does not compile.",
    "plot(close, colour = color.red)",
    "plot(close, color = color.red)",
)
_declare(
    "P018",
    "argument given twice",
    "An argument is given by place and by name.",
    "The script does not compile.",
    "plot(ta.sma(close, 20, length = 10))",
    "plot(ta.sma(close, length = 10))",
)
_declare(
    "P019",
    "argument of a wrong type",
    "An argument is of another type than the function takes.",
    "The script does not compile.",
    'plot(ta.sma(close, "20"))',
    "plot(ta.sma(close, 20))",
)
_declare(
    "P020",
    "argument that changes from bar to bar",
    "An argument must be known on the first bar and is a series.",
    "The compiler refuses it.",
    "plot(ta.ema(close, bar_index % 10 + 1))",
    "plot(ta.ema(close, 10))",
)
_declare(
    "P021",
    "value of a wrong type",
    "A variable is given a value of another type than it has, or none.",
    "The script does not compile.",
    'float a = "up"\nplot(a)',
    "float a = 1.0\nplot(a)",
)
_declare(
    "P022",
    "operator between wrong types",
    "An operator stands between values it does not work on.",
    "The script does not compile.",
    'plot(close - "a")',
    "plot(close - 1)",
)
_declare(
    "P023",
    "condition is no truth value",
    "A number or text stands where true or false is needed; version 6 does not convert.",
    "The script does not compile, or meant another comparison.",
    'if close\n    alert("a")',
    'if close > 0\n    alert("a")',
)
_declare(
    "P024",
    "na for bool",
    "A truth value is na, which version 6 does not have.",
    "The script does not compile.",
    "bool up = na\nplot(up ? 1 : 0)",
    "bool up = false\nplot(up ? 1 : 0)",
)
_declare(
    "P025",
    "names and values differ in number",
    "A tuple has other than as many names as its value has parts.",
    "The script does not compile.",
    "[line1, line2] = ta.macd(close, 12, 26, 9)\nplot(line1 - line2)",
    "[line1, line2, bars] = ta.macd(close, 12, 26, 9)\nplot(line1 - line2 + bars)",
)
_declare(
    "P026",
    "only at the top level",
    "A function that draws or registers something is called in a block.",
    "The compiler refuses it.",
    "if close > open\n    plot(close)",
    "plot(close > open ? close : na)",
)
_declare(
    "P027",
    "order in an indicator",
    "An order such as strategy.entry stands in a script that is no strategy.",
    "The compiler refuses it.",
    'if close > open\n    strategy.entry("L", strategy.long)\nplot(close)',
    "plot(close)",
)
_declare(
    "P028",
    "name of version 4",
    "A built-in is called by the name it had before version 5.",
    "It is gone.",
    "plot(sma(close, 20))",
    "plot(ta.sma(close, 20))",
)
_declare(
    "P029",
    "argument of version 5",
    "An argument is given that version 6 took away, such as transp or when.",
    "It is gone.",
    "plot(close, transp = 50)",
    "plot(close, color = color.new(color.blue, 50))",
)
_declare(
    "P040",
    "looks ahead",
    "Another timeframe is asked for with lookahead_on and without an offset: an error in a strategy, a warning elsewhere, where some draw the running day on purpose.",
    "Tests know the future and live trading does not.",
    'plot(request.security(syminfo.tickerid, "D", close, lookahead = barmerge.lookahead_on))',
    'plot(request.security(syminfo.tickerid, "D", close[1], lookahead = barmerge.lookahead_on))',
)
_declare(
    "P041",
    "drawn into the past",
    "A plot has a negative offset.",
    "The picture shows signals on bars that did not have them.",
    "plot(close, offset = -5)",
    "plot(close, offset = 5)",
    "warning",
)
_declare(
    "P042",
    "decides on every tick",
    "A strategy is calculated on every tick.",
    "Its test decides at the close of a bar and its live run does not.",
    '//@version=6\nstrategy("Example", calc_on_every_tick = true)\n' + _ENTRY + _EXIT,
    _STRATEGY + _ENTRY + _EXIT,
    "warning",
    head="",
)
_declare(
    "P043",
    "signal on a varip",
    "A signal rests on a variable that keeps its value between ticks.",
    "Live and tested bars differ.",
    "varip int ticks = 0\nticks += 1\nplotshape(ticks > 5)",
    "var int bars = 0\nbars += 1\nplotshape(bars > 5)",
    "warning",
)
_declare(
    "P044",
    "never exits",
    "A strategy enters in one direction and never leaves.",
    "It is a purchase and no strategy.",
    _ENTRY,
    _ENTRY + _EXIT,
    "warning",
    head=_STRATEGY,
)
_declare(
    "P045",
    "stop that is not there",
    "The title speaks of a stop, and no order has one.",
    "The reader relies on it.",
    '//@version=6\nstrategy("With ATR stop")\n'
    + _ENTRY
    + '\nif close < open\n    strategy.exit("X", "L", limit = high)',
    '//@version=6\nstrategy("With ATR stop")\n' + _ENTRY + '\nstrategy.exit("X", "L", stop = low)',
    "warning",
    head="",
)
_declare(
    "P046",
    "never used",
    "An input or a variable is declared and never read.",
    "The reader turns a knob that does nothing.",
    "length = input.int(20)\nplot(close)",
    "length = input.int(20)\nplot(ta.sma(close, length))",
    "warning",
)
_declare(
    "P047",
    "over a limit",
    "More plots than 64, or more drawings asked for than the language keeps.",
    "The compiler refuses it.",
    '//@version=6\nindicator("Example", max_labels_count = 900)\nplot(close)',
    '//@version=6\nindicator("Example", max_labels_count = 500)\nplot(close)',
    head="",
)


def check_code(row: Row) -> Iterator[Finding]:
    """Family P on the code blocks of the answer."""
    yield from script_findings(row.output, "output")


def script_findings(text: str, field: str) -> Iterator[Finding]:
    """Family P on the code blocks of a text."""
    for block in code_blocks(text):
        code = block.source
        if "//@version" not in code and not re.search(r"^(?:indicator|strategy|library)\(", code, re.MULTILINE):
            continue  # a fragment: what it rests on is not there
        offset = text.count("\n", 0, block.start)
        for problem in check_script(code):
            place = f"line {problem.line + offset}: {problem.message}"
            source = code.split("\n")[problem.line - 1].strip() if problem.line <= code.count("\n") + 1 else ""
            yield Finding(problem.code, place, problem.severity, field=field, evidence=source[:120])
