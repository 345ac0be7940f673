"""A script as one Python function: what it declares, asks for and plots; the rest is left to the classes below it."""

from dataclasses import dataclass, field
from typing import Any

from validators.pinescript import syntax as s
from validators.pinescript.builtins import Builtin
from validators.pinescript.execution.calls import Given, Module
from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.functions import Functions, worth
from validators.pinescript.execution.names import COLUMNS
from validators.pinescript.execution.natives import ENVIRONMENT
from validators.pinescript.execution.objects import Member
from validators.pinescript.execution.slices import cut, resolved
from validators.pinescript.execution.values import VOID, Scope, Type, Value
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of, walk

_DECLARATIONS = ("indicator", "strategy", "library")
_PLOTS = {"plot": 1, "plotshape": 1, "plotchar": 1, "plotarrow": 1, "plotbar": 4, "plotcandle": 4}
_PAINT = ("bgcolor", "barcolor", "hline", "fill")
_REQUESTS_OF_OTHERS = (
    "request.currency_rate", "request.dividends", "request.earnings", "request.economic", "request.financial", "request.quandl",
    "request.seed", "request.splits", "request.footprint",
)  # fmt: skip


@dataclass(slots=True)
class PlotPlan:
    """A plot to be filled: `kind` is the function's name, `parts` how many values it has on a bar."""

    kind: str
    title: str
    parts: int
    line: int


@dataclass(slots=True)
class RequestPlan:
    """A `request.security()`: the program that gives its symbol, frame and settings, and that of its expression."""

    settings: "Compiled"
    expression: "Compiled"
    type: Type
    line: int
    lower: bool = False


@dataclass(slots=True)
class Compiled:
    """A script as Python: `code` defines `run(rt)`; `lines[i]` is the line of the script that line i + 1 comes from."""

    code: Any
    text: str
    lines: list[int]
    objects: dict[str, object]
    kind: str = "indicator"
    settings: dict[str, Any] = field(default_factory=dict)
    plots: list[PlotPlan] = field(default_factory=list)
    requests: list[RequestPlan] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    result: Type = "void"
    version: int = 6


class Compiler(Functions):
    """Compiles one script. `inputs` are values by title or name; `libraries` are sources by the path they are imported by."""

    def __init__(
        self, script: s.Script, inputs: dict[str, Any], libraries: dict[str, str], *, watch: bool = False, quiet: bool = False, depth: int = 0
    ) -> None:  # fmt: skip
        super().__init__(script.version)
        self.script, self.given_inputs, self.library_sources = script, inputs, libraries
        self.watch, self.quiet, self.nested = watch, quiet, depth
        self.kind, self.settings = "indicator", {}
        self.plots: list[PlotPlan] = []
        self.requests: list[RequestPlan] = []
        self.inputs: dict[str, Any] = {}
        self.reassigned = _assigned(script.statements)
        self.indexed = _indexed(script.statements)

    # --- the whole -----------------------------------------------------------------------------

    def compile(self, result: str = "") -> Compiled:
        """The Python of the script; with `result`, a list of what that name holds at the end of each bar."""
        for statement in self.script.statements:
            if isinstance(statement, (s.Function, s.UserType, s.Enum)):
                self.define(statement)
        for statement in self.script.statements:
            if not isinstance(statement, (s.Function, s.UserType, s.Enum)):
                self.statement(statement)
        watched = []
        kind: Type = "void"
        if result:
            variable = self.top.names[result]
            kind = variable.type
            self.source.emit(f"rt.results.append({self.read(variable).code})")
        elif self.watch:
            for name, variable in self.top.names.items():
                self.source.emit(f"w[{len(watched)}].append({self.read(variable).code})")
                watched.append(name)
        text, lines = self.assembled()
        code = compile(text, "<script>", "exec", optimize=1)
        return Compiled(
            code, text, lines, self.objects, self.kind, self.settings, self.plots, self.requests, watched, self.inputs, kind, self.script.version
        )  # fmt: skip

    def assembled(self) -> tuple[str, list[int]]:
        """The text of the function, and the script's line for each of its lines."""
        strategy = self.kind == "strategy" and not self.quiet
        head = [
            "def run(rt):", " chart = rt.chart; broker = rt.broker; drawings = rt.drawings; mintick = chart.mintick; w = rt.watched",
            " last = chart.count - 1", *(f" k_{column} = chart.{column}" for column in self.columns),
            *(f" {line}" for line in self.source.prologue),
            *(f" q{i} = rt.requested({i})" for i in range(len(self.requests))),
            *(f" d{i} = rt.plots[{i}].values" for i in range(len(self.plots))),
            *((" step = broker.step; settle = broker.settle",) if strategy else ()),
        ]  # fmt: skip
        names = "".join(f", c_{column}" for column in self.columns)
        lists = "".join(f", k_{column}" for column in self.columns)
        head.append(f" for bar{names} in zip(range(last + 1){lists}):" if names else " for bar in range(last + 1):")
        lines = [0] * len(head)
        if strategy:
            head.append("  step(bar)")
            lines.append(0)
        body = [f"{' ' * (depth + 2)}{text}" for depth, text, _ in self.source.lines] or ["  pass"]
        lines += [line for _, _, line in self.source.lines] or [0]
        if strategy:
            body.append("  settle(bar)")
        return "\n".join([*head, *body, ""]), lines

    # --- definitions ---------------------------------------------------------------------------

    def define(self, node: s.Statement) -> None:
        if isinstance(node, s.Function):
            self.module.functions.setdefault(node.name, []).append(node)
        elif isinstance(node, s.UserType):
            self.define_type(node)
        elif isinstance(node, s.Enum):
            self.define_enum(node, "")
        else:
            assert isinstance(node, s.Import)
            self.load(node)

    def define_enum(self, node: s.Enum, alias: str) -> None:
        members = {}
        for name, title in node.fields:
            said = self.value(title).code if title is not None else repr(name)
            key = f"E_{alias}{node.name}_{name}"
            self.objects[key] = Member(name, self.evaluated(said))
            members[name] = Value(key, node.name, atom=True, const=True, sure=True)
        self.enums[node.name] = members
        if alias:
            self.enums[f"{alias}.{node.name}"] = members

    def load(self, node: s.Import) -> None:
        """A library, from the source given for its path; its functions keep to its own names."""
        source = self.library_sources.get(node.path)
        if source is None:
            raise self.fail(f"library {node.path!r} is not here; give its source: libraries={{{node.path!r}: …}}", node)
        problems = Problems()
        tree = parse(source, problems)
        if problems:
            raise self.fail(f"library {node.path!r} cannot be read: {problems[0]}", node)
        library = Module(tree.version, Scope())
        self.libraries[node.alias] = library
        self.indexed |= _indexed(tree.statements)
        self.reassigned |= _assigned(tree.statements)
        outer = self.scope, self.module, self.version
        self.scope, self.module, self.version = library.scope, library, library.version
        for statement in tree.statements:
            if isinstance(statement, s.Enum):
                self.define_enum(statement, node.alias)
            elif isinstance(statement, (s.Function, s.UserType)):
                self.define(statement)
            elif isinstance(statement, s.Declare):
                self.statement(statement)
        self.scope, self.module, self.version = outer

    def evaluated(self, code: str) -> Any:
        """The value of what is known before the first bar."""
        try:
            return eval(code, {**ENVIRONMENT, **self.objects})
        except NameError:
            raise self.fail("this must be known before the first bar, and depends on the chart") from None

    # --- calls of the script's own frame --------------------------------------------------------

    def special(self, node: s.Call, built: Builtin, path: str, given: Given | None) -> Value | None:
        if path in _DECLARATIONS:
            return self.declaration(node, built, path)
        if path.startswith("input"):
            return self.asked(node, built, path, "")
        if path in _PLOTS or path in _PAINT:
            return self.plotted(node, built, path)
        if path in ("request.security", "request.security_lower_tf"):
            return self.requested(node, built, path)
        if path in _REQUESTS_OF_OTHERS:
            raise self.fail(f"{path}() asks for data that candles do not have", node)
        return self.timed(node, built, path) or super().special(node, built, path, given)

    def declaration(self, node: s.Call, built: Builtin, path: str) -> Value:
        _, taken = self.match(node, built, self.arguments(node))
        if not self.quiet:
            self.kind = path
            self.settings = {name: self.evaluated(value.code) for name, value in taken.items()}
        return VOID

    def valued(self, node: s.Expression, name: str) -> Value:
        if isinstance(node, s.Call):
            path = path_of(node.function)
            if path.partition(".")[0] == "input" and path not in self.module.functions:
                from validators.pinescript.builtins import table

                built = table().functions.get(path)
                if built is not None:
                    return self.asked(node, built, path, name)
        return self.value(node)

    def asked(self, node: s.Call, built: Builtin, path: str, name: str) -> Value:
        """An input: its default, or the value given for its title or the name it is declared by."""
        given = self.arguments(node)
        if self.version < 5:  # one function asked for every kind of input
            given = [
                (name, value)
                for name, value in given
                if name not in ("minval", "maxval", "step", "type", "options", "confirm")
            ]
        _, taken = self.match(node, built, given)
        default = taken["defval"]
        kind = "float" if path in ("input.float", "input.price") else default.base
        title = self.evaluated(taken["title"].code) if "title" in taken and taken["title"].const else ""
        key = next((key for key in (title, name) if key and key in self.given_inputs), "")
        if key:
            default = self.overridden(node, path, default, self.given_inputs[key], taken)
        label = str(title or name or f"input {len(self.inputs) + 1}")
        if default.const:
            self.inputs[label] = self.evaluated(default.code)
        return Value(
            default.code,
            kind,
            default.atom,
            False,
            default.sure,
            default.effect,
            default.depth,
            default.column,
            default.history,
        )

    def overridden(self, node: s.Call, path: str, default: Value, value: Any, taken: dict[str, Value]) -> Value:
        if default.column or path == "input.source":
            if value not in COLUMNS:
                raise self.fail(f"an input of a source is set to {value!r}; give a name such as 'close' or 'hl2'", node)
            found = self.own(value)
            assert found is not None
            return found
        if default.base in self.enums:
            members = self.enums[default.base]
            for word, member in members.items():
                if value in (word, getattr(self.objects[member.code], "title", None)):
                    return member
            raise self.fail(f"an input is set to {value!r}; {default.base} has {', '.join(members)}", node)
        wanted: tuple[type, ...] = {"int": (int,), "float": (int, float), "bool": (bool,)}.get(default.base, (str,))
        if path == "input.float":
            wanted = (int, float)
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise self.fail(f"an input of {default.base} is set to {value!r}", node)
        low, high = (
            self.evaluated(taken[bound].code) if bound in taken and taken[bound].const else None
            for bound in ("minval", "maxval")
        )
        if low is not None and value < low or high is not None and value > high:
            raise self.fail(
                f"an input is set to {value!r}, outside of {low if low is not None else ''} to {high if high is not None else ''}",
                node,
            )
        if "options" in taken and value not in self.evaluated(taken["options"].code):
            raise self.fail(f"an input is set to {value!r}, which is none of its options", node)
        return Value(repr(value), default.base, atom=True, const=True, sure=True)

    def plotted(self, node: s.Call, built: Builtin, path: str) -> Value:
        if self.quiet:
            return Value("None", "hline" if path == "hline" else "plot", atom=True)
        if self.scope is not self.top or self.branches or self.loops:
            raise self.fail(f"{path}() works at the top level of a script only", node)
        if path in _PAINT:
            for argument in node.arguments:
                if worth(argument.value):
                    self.run(argument.value, False)
            return Value("None", "hline" if path == "hline" else "void", atom=True)
        many = _PLOTS[path]
        run = [
            argument
            for place, argument in enumerate(node.arguments)
            if (place < many + 1 and not argument.name)
            or argument.name in ("series", "open", "high", "low", "close", "title")
            or worth(argument.value)
        ]
        values = self.several([argument.value for argument in run])
        given = dict(zip(map(id, run), values))
        names = [slot.name for slot in built.signatures[0].slots]
        taken: dict[str, Value] = {}
        for place, argument in enumerate(node.arguments):
            name = argument.name or (names[place] if place < len(names) else "")
            if name not in names and name not in ("transp",):
                raise self.fail(f"{path}() has no argument {name or place + 1}", node)
            value = given.get(id(argument))
            if value is None:
                continue
            taken[name] = value
            if value.effect and name not in names[:many]:
                self.source.emit(value.code)
        title = taken.get("title")
        said = self.evaluated(title.code) if title is not None and title.const else ""
        self.plots.append(PlotPlan(path, said if isinstance(said, str) else "", many, node.line))
        codes = [taken[name].code for name in names[:many] if name in taken]
        if len(codes) < many:
            raise self.fail(f"{path}() needs {', '.join(names[:many])}", node)
        self.source.emit(f"d{len(self.plots) - 1}.append({codes[0] if many == 1 else f'({chr(44).join(codes)})'})")
        return Value("None", "plot", atom=True)

    # --- time ----------------------------------------------------------------------------------

    def timed(self, node: s.Call, built: Builtin, path: str) -> Value | None:
        """Functions that read the clock of the chart."""
        if path in ("time", "time_close"):
            _, taken = self.match(node, built, self.arguments(node))
            if any(name in taken for name in ("bars_back", "timeframe_bars_back")):
                raise self.fail(f"{path}() with bars_back is not supported here", node)
            codes = [taken[name].code if name in taken else "''" for name in ("timeframe", "session", "timezone")]
            return Value(f"chart.times({', '.join(codes)}, {path == 'time_close'})[bar]", "int", depth=1)
        if path == "timeframe.change":
            _, taken = self.match(node, built, self.arguments(node))
            code = taken["timeframe"].code if "timeframe" in taken else "''"
            return Value(f"chart.changes({code})[bar]", "bool", sure=True, depth=1)
        if path == "timeframe.in_seconds":
            _, taken = self.match(node, built, self.arguments(node))
            code = taken["timeframe"].code if "timeframe" in taken else "''"
            return Value(f"rt.seconds({code})", "int", depth=1)
        if path == "chart.point.now":
            _, taken = self.match(node, built, self.arguments(node))
            price = taken["price"].code if "price" in taken else "chart.close[bar]"
            return Value(f"Point(chart.time[bar], bar, {price})", "chart.point", effect=True)
        if path == "strategy.default_entry_qty":
            ((_, price),) = self.arguments(node)
            return Value(f"broker.default_qty({price.code})", "float", depth=1)
        return None

    # --- other frames --------------------------------------------------------------------------

    def requested(self, node: s.Call, built: Builtin, path: str) -> Value:
        """`request.security()`: the part of the script its expression needs, run on the bars of the other frame."""
        names = [slot.name for slot in built.signatures[0].slots]
        taken = {argument.name or names[place]: argument.value for place, argument in enumerate(node.arguments)}
        missing = [name for name in names[:3] if name not in taken]
        if missing:
            raise self.fail(f"{path}() needs {', '.join(missing)}", node)
        if self.nested > 3:
            raise self.fail(f"{path}() inside of itself more than three times", node)
        place = (node.line, node.column)
        off = s.Literal(*place, "bool", "false")
        wanted = [
            taken["symbol"], taken["timeframe"], taken.get("lookahead", off), taken.get("gaps", off), taken.get("ignore_invalid_symbol", off)
        ]  # fmt: skip
        settings = self.sliced(s.Tuple(*place, wanted), node)
        expression = self.sliced(taken["expression"], node)
        lower = path.endswith("lower_tf")
        kind = f"array<{expression.result}>" if lower else expression.result
        self.requests.append(RequestPlan(settings, expression, kind, node.line, lower))
        return Value(f"q{len(self.requests) - 1}[bar]", kind, depth=1, sure=kind == "bool" and self.version >= 6)

    def sliced(self, expression: s.Expression, node: s.Call) -> Compiled:
        """A program of its own for an expression: the statements it depends on, and itself at the end."""
        whole = resolved(expression, self.scope, self.top, self.origins, self.fail)
        name = "request result"  # no name of a script has a blank
        inner = Compiler(
            cut(self.script, whole, name), self.given_inputs, self.library_sources, quiet=True, depth=self.nested + 1
        )
        try:
            return inner.compile(name)
        except ExecutionError as error:
            raise error if error.line else ExecutionError(error.reason, node.line) from None


def _assigned(statements: list[s.Statement]) -> set[str]:
    return {path_of(node.target) for node in walk(statements) if isinstance(node, s.Assign)}


def _indexed(statements: list[s.Statement]) -> set[str]:
    return {
        node.value.name for node in walk(statements) if isinstance(node, s.Index) and isinstance(node.value, s.Name)
    }
