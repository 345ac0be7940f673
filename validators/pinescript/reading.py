"""What a script does, read back from its tree: calls with their numbers, what entries and exits rest on, directions.

Inputs count as their defaults and names as what they were given, so `ta.ema(close, len)` with `len = input.int(9)` reads
`ta.ema(close, 9)`, whatever the script calls its variables.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from validators.pinescript import syntax as s
from validators.pinescript.builtins import table
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of, walk

_DECLARATIONS = ("strategy", "indicator", "library", "study")
_CLOSING = {"strategy.close": "close", "strategy.close_all": "close"}
_STOPS, _TARGETS = ("stop", "loss"), ("limit", "profit")
_TRAILS = ("trail_points", "trail_price", "trail_offset")
_SERIES = ("plot", "plotshape", "plotchar", "plotarrow", "hline")
_DRAWING = ("plotbar", "plotcandle", "table", "label", "line", "box", "bgcolor", "barcolor", "fill", "alert", "alertcondition", "log")  # fmt: skip
_DEEPEST = 40

# A place among names: what parameters of the function around stand for.
Bound = dict[str, tuple[s.Expression, "Bound"]]


@dataclass(frozen=True, slots=True)
class Rests:
    """What an expression rests on, through every name it reads: built-in calls and numbers without their sign."""

    calls: frozenset[str] = frozenset()
    numbers: frozenset[float] = frozenset()

    def __or__(self, other: "Rests") -> "Rests":
        return Rests(self.calls | other.calls, self.numbers | other.numbers)


@dataclass(slots=True)
class Reading:
    """A script as a reader would sum it up. `entries` has what a side's entries rest on, and so on."""

    kind: str = ""
    version: int = 0
    title: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    everything: Rests = field(default_factory=Rests)
    declared: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Rests] = field(default_factory=dict)
    stops: Rests = field(default_factory=Rests)
    targets: Rests = field(default_factory=Rests)
    trails: Rests = field(default_factory=Rests)
    closes: Rests = field(default_factory=Rests)
    sizes: Rests = field(default_factory=Rests)
    exits: frozenset[str] = frozenset()  # stop, target, trail, close
    reverses: bool = False


def read_script(source: str) -> Reading:
    """Read a script; what cannot be parsed is left out."""
    return _Reader(parse(source, Problems())).read()


class _Reader:
    """Names of one script, and what they were given."""

    def __init__(self, script: s.Script) -> None:
        self.script = script
        self.given: dict[str, list[s.Expression]] = {}
        self.tuples: dict[str, tuple[s.Expression, int]] = {}
        self.functions: dict[str, s.Function] = {}
        for node in walk(script.statements):
            if isinstance(node, s.Declare):
                self.given.setdefault(node.name, []).append(node.value)
            elif isinstance(node, s.DeclareTuple):
                for place, name in enumerate(node.names):
                    self.tuples[name] = node.value, place
            elif isinstance(node, s.Assign):
                self.given.setdefault(path_of(node.target), []).append(node.value)
            elif isinstance(node, s.Function):
                self.functions[node.name] = node

    def read(self) -> Reading:
        reading = Reading(version=self.script.version)
        exits: set[str] = set()
        for call, tests in self._calls(self.script.statements, ()):
            path = path_of(call.function)
            if path in _DECLARATIONS:
                self._declaration(reading, path, call)
            elif path == "strategy.entry" or path == "strategy.order":
                self._entry(reading, call, tests)
            elif path == "strategy.exit":
                self._exit(reading, call, exits)
            elif path in _CLOSING:
                exits.add("close")
                reading.closes |= self._rests([*tests, *_values(call, "when")])
        for name, values in self.given.items():
            for value in values:
                if (default := self._default(value)) is not None:
                    label = _argument(value, "title", 1) if isinstance(value, s.Call) else None
                    said = label.text.strip("\"'") if isinstance(label, s.Literal) else name
                    reading.inputs[said] = self.canonical(default)
        reading.everything = self._rests(_undrawn(self.script.statements))
        reading.exits = frozenset(exits)
        reading.reverses = len(reading.entries) == 2
        return reading

    def _calls(self, body: Iterable[object], tests: tuple) -> Iterator[tuple[s.Call, tuple]]:
        """Every call with the conditions it stands under."""
        for node in body:
            if isinstance(node, s.Run):
                node = node.value
            if isinstance(node, s.If):
                yield from self._calls([node.condition], tests)
                yield from self._calls(node.body, (*tests, node.condition))
                yield from self._calls(node.otherwise, (*tests, node.condition))
            elif isinstance(node, s.Switch):
                for case in node.cases:
                    more = [part for part in (node.subject, case.test) if part is not None]
                    yield from self._calls(case.body, (*tests, *more))
            elif isinstance(node, (s.For, s.ForIn, s.While, s.Function)):
                yield from self._calls(node.body, tests)
            else:
                for inner in walk([node]):
                    if isinstance(inner, s.Call):
                        yield inner, tests

    def _declaration(self, reading: Reading, path: str, call: s.Call) -> None:
        reading.kind = "indicator" if path == "study" else path
        title = _argument(call, "title", 0)
        reading.title = title.text.strip("\"'") if isinstance(title, s.Literal) else ""
        reading.declared = {entry.name: self.canonical(entry.value) for entry in call.arguments if entry.name}

    def _entry(self, reading: Reading, call: s.Call, tests: tuple) -> None:
        direction = _argument(call, "direction", 1)
        text = self.canonical(direction) if direction is not None else ""
        side = "long" if text in ("strategy.long", "true") else "short" if text in ("strategy.short", "false") else ""
        sides = [side] if side else ["long", "short"]
        for name in sides:
            rests = self._rests([*tests, *_values(call, "when")])
            reading.entries[name] = reading.entries.get(name, Rests()) | rests
        reading.sizes |= self._rests(value for value in [_argument(call, "qty", 2)] if value is not None)

    def _exit(self, reading: Reading, call: s.Call, exits: set[str]) -> None:
        for what, names in (("stop", _STOPS), ("target", _TARGETS), ("trail", _TRAILS)):
            found = [value for name in names for value in _values(call, name)]
            if not found:
                continue
            rests = self._rests(found)
            # A stop that is moved along with the price trails, whatever argument carries it.
            if what == "stop" and any(self._moves(value) for value in found):
                what = "trail"
            exits.add(what)
            if what == "stop":
                reading.stops |= rests
            elif what == "target":
                reading.targets |= rests
            else:
                reading.trails |= rests

    def _moves(self, value: s.Expression) -> bool:
        """Whether a level is kept from bar to bar as the better of itself and a new one."""
        name = path_of(value)
        better = [
            node
            for node in walk(self.given.get(name, ()))
            if isinstance(node, s.Call) and path_of(node.function) in ("math.max", "math.min")
        ]
        return any(isinstance(part, s.Name) and part.name == name for part in walk(better))

    # --- what a value rests on -------------------------------------------------------------------

    def _rests(self, values: Iterable[object]) -> Rests:
        calls: set[str] = set()
        numbers: set[float] = set()
        seen: set[str] = set()
        waiting: list[tuple[object, Bound]] = [(value, {}) for value in values]
        while waiting:
            node, bound = waiting.pop()
            if isinstance(node, s.Literal):
                if node.kind in ("int", "float"):
                    numbers.add(float(node.text))
                continue
            if isinstance(node, (s.Name, s.Attribute)):
                path = path_of(node)
                if path in bound:
                    waiting.append(bound[path])
                elif path not in seen:
                    seen.add(path)
                    waiting += [(value, {}) for value in self.given.get(path, ())]
                    if path in self.tuples:
                        waiting.append((self.tuples[path][0], {}))
                    if path in table().values and path.startswith("ta."):
                        calls.add(path)
                if path or not isinstance(node, s.Attribute):
                    continue
            if isinstance(node, s.Call):
                default = self._default(node)
                if default is not None:
                    waiting.append((default, bound))
                    continue
                path = path_of(node.function)
                if path in self.functions:
                    waiting += [(part, self._bind(self.functions[path], node, bound)) for part in self.functions[path].body]  # fmt: skip
                elif path in table().functions:
                    calls.add(self.canonical(node, bound))
                waiting += [(entry.value, bound) for entry in node.arguments]
                continue
            if isinstance(node, s.Node):
                waiting += [(getattr(node, name), bound) for name in type(node).__dataclass_fields__ if name not in ("line", "column")]  # fmt: skip
            elif isinstance(node, (list, tuple)):
                waiting += [(part, bound) for part in node]
        return Rests(frozenset(calls), frozenset(numbers))

    def _default(self, node: object) -> s.Expression | None:
        """The default of an input."""
        if isinstance(node, s.Call) and path_of(node.function).partition(".")[0] == "input":
            return _argument(node, "defval", 0)
        return None

    def _bind(self, function: s.Function, call: s.Call, bound: Bound) -> Bound:
        given: Bound = {}
        names = [parameter.name for parameter in function.parameters]
        for place, entry in enumerate(call.arguments):
            name = entry.name or (names[place] if place < len(names) else "")
            given[name] = entry.value, bound
        return given

    # --- the printed form ------------------------------------------------------------------------

    def canonical(self, node: object, bound: Bound | None = None, depth: int = 0) -> str:
        """An expression with inputs as their defaults and names as what they were given once."""
        bound = bound or {}
        if depth > _DEEPEST:
            return "…"
        deeper = depth + 1
        if isinstance(node, s.Literal):
            return f"{float(node.text):g}" if node.kind in ("int", "float") else node.text.replace("'", '"')
        if isinstance(node, (s.Name, s.Attribute)):
            return self._named(node, bound, deeper)
        if isinstance(node, s.Index):
            return f"{self.canonical(node.value, bound, deeper)}[{self.canonical(node.offset, bound, deeper)}]"
        if isinstance(node, s.Unary):
            space = " " if node.operator == "not" else ""
            return f"{node.operator}{space}{self.canonical(node.value, bound, deeper)}"
        if isinstance(node, s.Binary):
            left, right = (self._operand(part, bound, deeper) for part in (node.left, node.right))
            return f"{left} {node.operator} {right}"
        if isinstance(node, s.Ternary):
            return " ".join(
                (self.canonical(node.condition, bound, deeper), "?", self.canonical(node.yes, bound, deeper), ":", self.canonical(node.no, bound, deeper))
            )  # fmt: skip
        if isinstance(node, s.Tuple):
            return f"[{', '.join(self.canonical(item, bound, deeper) for item in node.items)}]"
        if isinstance(node, s.Call):
            return self._called(node, bound, deeper)
        return "…"

    def _operand(self, node: s.Expression, bound: Bound, depth: int) -> str:
        printed = self.canonical(node, bound, depth)
        return f"({printed})" if " " in printed and not printed.endswith(")") or " ? " in printed else printed

    def _named(self, node: s.Name | s.Attribute, bound: Bound, depth: int) -> str:
        path = path_of(node)
        if path in bound:
            value, outer = bound[path]
            return self.canonical(value, outer, depth)
        if path in self.tuples:
            value, place = self.tuples[path]
            return f"{self.canonical(value, bound, depth)}:{place}"
        given = self.given.get(path, ())
        return self.canonical(given[0], {}, depth) if len(given) == 1 else path or "…"

    def _called(self, node: s.Call, bound: Bound, depth: int) -> str:
        default = self._default(node)
        if default is not None:
            return self.canonical(default, bound, depth)
        path = path_of(node.function)
        own = self.functions.get(path)
        if own is not None and len(own.body) == 1 and isinstance(own.body[0], s.Run):
            return self.canonical(own.body[0].value, self._bind(own, node, bound), depth)
        if path == "request.security":
            shown = [self.canonical(entry.value, bound, depth) for entry in node.arguments[:2]]
            return f"{path}({', '.join(shown)}, …)"
        built = table().functions.get(path)
        order = [slot.name for slot in built.signatures[0].slots] if built is not None else []
        plain = [entry for entry in node.arguments if not entry.name]
        named = sorted(
            (entry for entry in node.arguments if entry.name),
            key=lambda entry: order.index(entry.name) if entry.name in order else len(order),
        )
        return f"{path}({', '.join(self.canonical(entry.value, bound, depth) for entry in (*plain, *named))})"


def _values(call: s.Call, name: str) -> list[s.Expression]:
    return [entry.value for entry in call.arguments if entry.name == name]


def _argument(call: s.Call, name: str, place: int) -> s.Expression | None:
    named = _values(call, name)
    if named:
        return named[0]
    plain = [entry.value for entry in call.arguments if not entry.name]
    return plain[place] if place < len(plain) else None


def _undrawn(statements: list[s.Statement]) -> Iterator[object]:
    """Statements, of calls that only draw the series that is drawn, and nothing of those that only tell."""
    for node in statements:
        if isinstance(node, s.Run) and isinstance(node.value, s.Call):
            path = path_of(node.value.function)
            if path in _SERIES:
                yield from [entry.value for entry in node.value.arguments[:1] if entry.name in ("", "series", "price")]
                continue
            if path.partition(".")[0] in _DRAWING:
                continue
        yield node
