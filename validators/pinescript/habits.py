"""What compiles and is wrong all the same: scripts that look ahead, never exit, or promise a stop they do not have."""

import re
from collections.abc import Iterator

from validators.pinescript import syntax as s
from validators.pinescript.checker import Checker
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of, walk

_PLOTS = ("plot", "plotshape", "plotchar", "plotarrow", "plotbar", "plotcandle", "bgcolor", "barcolor", "fill", "hline")
_OFFSETS = {"plot": 7, "plotshape": 6, "plotchar": 6, "plotarrow": 4, "bgcolor": 1, "barcolor": 1}
_EXITS = ("strategy.exit", "strategy.close", "strategy.close_all")
_STOP_ARGUMENTS = ("stop", "loss", "trail_points", "trail_price", "trail_offset")
# What is the same from the first moment of a bar to its last.
_KNOWN_EARLY = frozenset(
    [
        "open",
        "time",
        "time_close",
        "time_tradingday",
        "bar_index",
        "year",
        "month",
        "weekofyear",
        "dayofmonth",
        "dayofweek",
        "na",
    ]
)
_OF_THE_PAST = ("pivot_point_levels",)  # of the period before
_MOST_PLOTS = 64
_MOST_OBJECTS = {"max_labels_count": 500, "max_lines_count": 500, "max_boxes_count": 500, "max_polylines_count": 100}


def check_habits(checker: Checker, source: str) -> None:
    """P040 to P047."""
    calls = sorted(((path_of(call.function), call) for call in checker.script.calls), key=lambda entry: entry[1].place)
    problems = checker.problems
    for name, call in calls:
        if name == "request.security":
            _check_lookahead(checker, call)
        if name in _OFFSETS:
            offset = _argument(call, "offset", _OFFSETS[name])
            if isinstance(offset, s.Unary) and offset.operator == "-":
                problems.add(
                    "P041",
                    f"{name}() with a negative offset is drawn on bars that did not know it yet",
                    call.place,
                    "warning",
                )
        if name == "strategy":
            tick = _argument(call, "calc_on_every_tick", 99)
            if isinstance(tick, s.Literal) and tick.text == "true":
                problems.add(
                    "P042",
                    "calc_on_every_tick: live bars are decided tick by tick, tested ones at their close",
                    call.place,
                    "warning",
                )
        if name in ("indicator", "strategy"):
            for argument in call.arguments:
                most = _MOST_OBJECTS.get(argument.name)
                if (
                    most
                    and isinstance(argument.value, s.Literal)
                    and argument.value.kind == "int"
                    and int(argument.value.text) > most
                ):
                    problems.add(
                        "P047", f"{argument.name} is {argument.value.text}; the limit is {most}", argument.place
                    )
    drawn = [call for name, call in calls if name in _PLOTS[:8]]
    if len(drawn) > _MOST_PLOTS:
        problems.add("P047", f"{len(drawn)} plots; a script may have {_MOST_PLOTS}", drawn[_MOST_PLOTS].place)
    if checker.kind_of_script == "strategy":
        _check_orders(calls, problems, source)
    _check_varip(checker, calls)
    if not any(problem.severity == "error" for problem in problems):
        _check_unused(checker)  # otherwise what a wrong line would have used counts as unused


def _argument(call: s.Call, name: str, place: int) -> s.Expression | None:
    for argument in call.arguments:
        if argument.name == name:
            return argument.value
    by_place = [argument.value for argument in call.arguments if not argument.name]
    return by_place[place] if place < len(by_place) else None


def _check_lookahead(checker: Checker, call: s.Call) -> None:
    """P040 where what is asked for is known at the end of its bar only.

    An error in a strategy, whose test it falsifies. Elsewhere a warning, as the compiler takes it and well-known
    indicators do it, and of a series whose name is put together, too: such are most often figures of a company.
    """
    ahead = _argument(call, "lookahead", 4)
    value = _argument(call, "expression", 2)
    if ahead is None or path_of(ahead) != "barmerge.lookahead_on" or value is None:
        return
    frame = _argument(call, "timeframe", 1)
    if frame is not None and (
        path_of(frame) == "timeframe.period" or isinstance(frame, s.Literal) and len(frame.text) == 2
    ):
        return  # the chart's own bars
    nodes = list(_meant(checker, value))
    if any(isinstance(node, s.Index) or isinstance(node, s.Attribute) and node.name in _OF_THE_PAST for node in nodes):
        return
    names = {node.name for node in nodes if isinstance(node, s.Name)}
    if names & checker.imports or not (names & checker.table.values.keys() - _KNOWN_EARLY or "ta" in names):
        return  # nobody can say, or what is asked for does not change within a bar
    symbol = _argument(call, "symbol", 0)
    named = symbol is None or not any(isinstance(node, s.Binary) for node in _meant(checker, symbol))
    severity = "error" if named and checker.kind_of_script == "strategy" else "warning"
    message = "lookahead_on without an offset shows the past what only the future knew; ask for value[1]"
    checker.problems.add("P040", message, ahead.place, severity)


def _meant(checker: Checker, value: s.Expression) -> Iterator[s.Node]:
    """The nodes of an expression, of the variables it names and of the functions it calls."""
    waiting: list[object] = [value]
    seen: set[str] = set()
    while waiting:
        for node in walk([waiting.pop()]):
            yield node
            if isinstance(node, s.Name) and node.name not in seen:
                seen.add(node.name)
                waiting += [variable.value for variable in checker.every if variable.name == node.name]
                waiting += [function.body for function in checker.functions.get(node.name, ())]
                waiting += [assign.value for assign in checker.script.assigns if path_of(assign.target) == node.name]


def _check_orders(calls: list[tuple[str, s.Call]], problems: Problems, source: str) -> None:
    entries = [call for name, call in calls if name == "strategy.entry"]
    if entries and not any(name in _EXITS or name == "strategy.order" for name, _ in calls):
        directions = {path_of(value) for call in entries if (value := _argument(call, "direction", 1)) is not None}
        if len(directions) == 1:
            problems.add("P044", "the strategy enters and never exits", entries[0].place, "warning")
    title = next((call for name, call in calls if name == "strategy"), None)
    said = " ".join(
        argument.value.text
        for argument in (title.arguments if title else [])
        if isinstance(argument.value, s.Literal) and argument.value.kind == "string"
    )
    if re.search(r"\bstops?\b(?![ -]?and[ -]?reverse)", said, re.IGNORECASE):
        given = {
            argument.name
            for name, call in calls
            if name in (*_EXITS, "strategy.entry", "strategy.order")
            for argument in call.arguments
        }
        closes = any(name in ("strategy.close", "strategy.close_all") for name, _ in calls)
        if not given & set(_STOP_ARGUMENTS) and not closes and title is not None:
            problems.add(
                "P045", f"{said.strip(chr(34))!r} speaks of a stop, and no order has one", title.place, "warning"
            )


def _check_varip(checker: Checker, calls: list[tuple[str, s.Call]]) -> None:
    names = {variable.name: variable for variable in checker.every if variable.mode == "varip"}
    if not names:
        return
    tests = [
        node.condition for node in walk(checker.script.statements) if isinstance(node, s.If) and _orders(node.body)
    ]
    tests += [
        argument.value
        for name, call in calls
        if name in ("alertcondition", "plotshape")
        for argument in call.arguments[:1]
    ]
    for node in walk(tests):
        if isinstance(node, s.Name) and node.name in names:
            message = f"{node.name!r} is varip: a signal that rests on it differs between live and tested bars"
            checker.problems.add("P043", message, node.place, "warning", subject=node.name)


def _orders(body: list[s.Statement]) -> bool:
    return any(isinstance(node, s.Call) and path_of(node.function).startswith("strategy.") for node in walk(body))


def _check_unused(checker: Checker) -> None:
    for variable in checker.every:
        if (
            variable.used
            or variable.value is None
            or variable.name.startswith("_")
            or checker.kind_of_script == "library"
        ):
            continue
        asked = isinstance(variable.value, s.Call) and path_of(variable.value.function).partition(".")[0] == "input"
        what = "input" if asked else "variable"
        if not asked and isinstance(variable.value, s.Call):
            continue  # drawn or registered: the call itself is what it is for
        message = f"{what} {variable.name!r} is never used"
        checker.problems.add("P046", message, variable.place, "warning" if asked else "info", subject=variable.name)
