"""Names, types and qualifiers of a script: what the compiler would refuse.

Only what is certain is a problem: a value whose type cannot be known here fits everywhere. What an unknown
name or a wrong call makes of the rest is not told again.
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from validators.pinescript import syntax as s
from validators.pinescript.builtins import V4_NAMES, table
from validators.pinescript.calls import check_call
from validators.pinescript.kinds import (
    ANYTHING,
    CONST,
    CORE,
    NA,
    OBJECTS,
    QUALIFIERS,
    SERIES,
    UNKNOWN,
    UNSURE,
    VOID,
    Kind,
    fits,
    joined,
    widest,
)
from validators.pinescript.problems import Problems
from validators.pinescript.scope import Scope, Variable

_DECLARATIONS = ("indicator", "strategy", "library")
_COLLECTIONS = ("array", "matrix", "map")
_ARITHMETIC = ("-", "*", "/", "%")


def path_of(expression: s.Expression) -> str:
    """`ta.ema` for the names it is made of, empty for anything else."""
    if isinstance(expression, s.Name):
        return expression.name
    if isinstance(expression, s.Attribute) and (head := path_of(expression.value)):
        return f"{head}.{expression.name}"
    return ""


def walk(nodes: Iterable[object]) -> Iterator[s.Node]:
    """Every node below `nodes`, parents first."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, s.Node):
            yield node
            waiting += [getattr(node, name) for name in reversed(_parts(type(node)))]
        elif isinstance(node, (list, tuple)):
            waiting += node[::-1]


_SLOTS: dict[type, tuple[str, ...]] = {}


def _parts(kind: type) -> tuple[str, ...]:
    known = _SLOTS.get(kind)
    if known is None:
        known = _SLOTS[kind] = tuple(name for name in kind.__dataclass_fields__ if name not in ("line", "column"))  # type: ignore[attr-defined]
    return known


class Checker:
    """Checks one script; `check` fills the problems."""

    def __init__(self, script: s.Script, problems: Problems) -> None:
        self.script, self.problems, self.version = script, problems, script.version
        self.scope = Scope()
        self.functions: dict[str, list[s.Function]] = {}
        self.results: dict[int, Kind | list[Kind]] = {}
        self.types: dict[str, s.UserType] = {}
        self.enums: dict[str, s.Enum] = {}
        self.imports: set[str] = set()
        self.reassigned = {path_of(node.target) for node in walk(script.statements) if isinstance(node, s.Assign)}
        self.kind_of_script = ""
        self.table = table()
        self.every: list[Variable] = []
        self.missing: set[str] = set()
        self.nameless = 0  # values a tuple declaration left without a name: as many unknown names follow from that

    def check(self) -> None:
        """Look for the declaration, then at every statement."""
        self.find_declaration()
        self.statements(self.script.statements)

    # --- the script's declaration --------------------------------------------------------------

    def find_declaration(self) -> None:
        found = [
            statement.value for statement in self.script.statements
            if isinstance(statement, s.Run) and isinstance(statement.value, s.Call) and path_of(statement.value.function) in (*_DECLARATIONS, "study")
        ]  # fmt: skip
        if not found:
            first = self.script.statements[0].place if self.script.statements else (1, 1)
            self.problems.add(
                "P006", "the script declares nothing: indicator(), strategy() or library() is missing", first
            )
            return
        self.kind_of_script = path_of(found[0].function)
        for extra in found[1:]:
            self.problems.add("P006", "a script is declared once", extra.place)
        before = [
            st
            for st in self.script.statements
            if st.place < found[0].place and not isinstance(st, (s.Import, s.UserType, s.Enum, s.Function, s.Declare))
        ]
        if before:
            self.problems.add("P006", "the declaration stands before everything that runs", found[0].place)

    # --- statements ----------------------------------------------------------------------------

    def statements(self, statements: list[s.Statement]) -> Kind | list[Kind]:
        """Check a block; the type of its last statement is the block's."""
        result: Kind | list[Kind] = VOID
        for statement in statements:
            result = self.statement(statement)
        return result

    def statement(self, node: s.Statement) -> Kind | list[Kind]:
        if isinstance(node, s.Run):
            return self.value(node.value)
        if isinstance(node, s.Declare):
            return self.declare(node)
        if isinstance(node, s.Assign):
            return self.assign(node)
        if isinstance(node, s.DeclareTuple):
            return self.declare_tuple(node)
        if isinstance(node, s.Function):
            self.define(node)
        elif isinstance(node, s.UserType):
            self.types[node.name] = node
            for entry in node.fields:
                if entry.default is not None:
                    self.value(entry.default)
        elif isinstance(node, s.Enum):
            self.enums[node.name] = node
        elif isinstance(node, s.Import):
            self.imports.add(node.alias)
        return VOID

    def inside(
        self, statements: list[s.Statement], names: Iterable[Variable] = (), function: bool = False
    ) -> Kind | list[Kind]:
        """Check a block in a scope of its own."""
        self.scope = Scope(self.scope, {variable.name: variable for variable in names}, function)
        try:
            return self.statements(statements)
        finally:
            assert self.scope.parent is not None
            self.scope = self.scope.parent

    def new_name(
        self,
        name: str,
        kind: Kind | list[Kind],
        place: tuple[int, int],
        mode: str = "",
        value: s.Expression | None = None,
    ) -> None:
        known = self.scope.names.get(name)
        if known is not None and name != "_":
            self.problems.add(
                "P014",
                f"{name!r} is declared here and on line {known.place[0]}; give it another value with ':='",
                place,
                subject=name,
            )
        variable = self.scope.names[name] = Variable(name, kind, place, mode, value=value)
        self.every.append(variable)

    def declare(self, node: s.Declare) -> Kind | list[Kind]:
        value = self.value(node.value)
        written = self.written(node.type) if node.type else None
        kind: Kind | list[Kind] = value
        if written is not None and isinstance(value, Kind):
            self.must_fit(value, written.base, node.value, f"{node.name!r} is declared {written.base}")
            rank = written.qualifier if node.type and node.type.qualifier else value.qualifier
            kind = Kind(rank, written.base if written.base != UNKNOWN else value.base)
        elif isinstance(value, Kind) and value.base == "void":
            self.problems.add(
                "P021", f"{node.name!r} is given no value: what stands after '=' returns nothing", node.value.place
            )
            kind = ANYTHING
        if isinstance(kind, Kind) and (node.name in self.reassigned or node.mode):
            kind = Kind(SERIES, kind.base)
        if written is None and isinstance(kind, Kind) and kind.base == "na":
            kind = Kind(SERIES, UNKNOWN)
            if isinstance(node.value, s.Name) and self.version >= 5:
                self.problems.add(
                    "P021", f"{node.name!r} is given na without a type; write e.g. `float {node.name} = na`", node.place
                )
        self.new_name(node.name, kind, node.place, node.mode, node.value)
        return kind

    def declare_tuple(self, node: s.DeclareTuple) -> Kind | list[Kind]:
        value = self.value(node.value)
        parts = list(value) if isinstance(value, list) else [ANYTHING] * len(node.names)
        if isinstance(value, list) and len(parts) != len(node.names):
            self.problems.add("P025", f"{len(node.names)} names for {len(parts)} values", node.place)
            self.nameless += max(len(parts) - len(node.names), 0)
            parts = [ANYTHING] * len(node.names)
        elif (
            isinstance(value, Kind)
            and value.base not in (UNKNOWN,)
            and not isinstance(node.value, (s.If, s.Switch, s.For, s.ForIn, s.While))
        ):
            self.problems.add("P025", f"{len(node.names)} names for one value", node.place)
        for name, kind in zip(node.names, parts):
            self.new_name(name, kind, node.place, node.mode)
        return value

    def assign(self, node: s.Assign) -> Kind | list[Kind]:
        value = self.value(node.value)
        target = node.target
        if isinstance(target, s.Attribute):
            self.value(target)
            return value
        if not isinstance(target, s.Name):
            self.problems.add("P013", "only a variable or a field can be given another value", node.place)
            return value
        variable = self.scope.find(target.name)
        if variable is None:
            near = _suggest(target.name, self.scope.visible())
            self.problems.add(
                "P013",
                f"{target.name!r} is given a value with {node.operator!r} and was never declared{near}",
                target.place,
                subject=target.name,
            )
            self.missing.add(target.name)  # the same name is not told again
            return value
        if isinstance(value, Kind) and isinstance(variable.kind, Kind):
            self.must_fit(value, variable.kind.base, node.value, f"{target.name!r} is {variable.kind.base}")
            if node.operator != ":=":
                self.operands(node.operator[0], variable.kind, value, node.value)
        return variable.kind

    def define(self, node: s.Function) -> None:
        if not self.scope.top:
            self.problems.add("P026", "a function is defined at the top level", node.place)
        self.functions.setdefault(node.name, []).append(node)
        names = []
        for parameter in node.parameters:
            kind = self.written(parameter.type) if parameter.type else ANYTHING
            rank = QUALIFIERS.get(parameter.type.qualifier, UNSURE) if parameter.type else UNSURE
            if parameter.default is not None:
                self.value(parameter.default)
            names.append(Variable(parameter.name, Kind(rank, kind.base), parameter.place, used=True))
        result = self.inside(node.body, names, function=True)
        self.results[id(node)] = (
            [Kind(UNSURE, kind.base) for kind in result] if isinstance(result, list) else Kind(UNSURE, result.base)
        )

    def written(self, node: s.TypeName) -> Kind:
        """The type a script writes down."""
        rank = QUALIFIERS.get(node.qualifier, SERIES if not node.qualifier else UNSURE)
        name = node.name
        if not name:
            return Kind(rank, UNKNOWN)
        if name in _COLLECTIONS:
            of = ", ".join(self.written(part).base for part in node.of)
            return Kind(rank, f"{name}<{of}>" if node.of else UNKNOWN)
        if name in CORE or name in OBJECTS or name in self.types or name in self.enums:
            return Kind(rank, name)
        if name.partition(".")[0] in self.imports:
            return Kind(rank, UNKNOWN)
        near = _suggest(name, [*CORE, *OBJECTS, *self.types, *self.enums])
        if "." not in name and name not in self.table.namespaces:
            self.problems.add("P010", f"no type {name!r}{near}", node.place, subject=name)
        return Kind(rank, UNKNOWN)

    # --- expressions ---------------------------------------------------------------------------

    def value(self, node: s.Expression) -> Kind | list[Kind]:
        return _VALUES[type(node)](self, node)

    def single(self, node: s.Expression) -> Kind:
        """The type of a value that is not several."""
        kind = self.value(node)
        return kind if isinstance(kind, Kind) else ANYTHING

    def literal(self, node: s.Literal) -> Kind:
        return Kind(CONST, node.kind)

    def name(self, node: s.Name) -> Kind | list[Kind]:
        variable = self.scope.find(node.name)
        if variable is not None:
            variable.used = True
            return variable.kind
        if node.name == "na":
            return NA
        known = self.table.values.get(node.name)
        if known is not None:
            return known
        if (
            node.name in self.functions
            or node.name in self.table.functions
            or node.name in self.enums
            or node.name in self.types
            or node.name in self.imports
        ):
            return ANYTHING
        if node.name in self.table.namespaces:
            return ANYTHING
        self.unknown(node.name, node, "name")
        return ANYTHING

    def unknown(self, name: str, node: s.Node, what: str) -> None:
        if name in self.missing:
            return
        if what == "name" and self.nameless:
            self.nameless -= 1
            self.missing.add(name)
            return
        today = V4_NAMES.get(name)
        if today and self.version >= 5:
            self.problems.add(
                "P028", f"{name!r} is version 4; version {self.version} has {today}", node.place, subject=name
            )
            return
        pool = [*self.scope.visible(), *self.functions, *self.table.values, *self.table.functions]
        self.problems.add(
            "P011" if what == "function" else "P010",
            f"no {what} {name!r}{_suggest(name, pool)}",
            node.place,
            subject=name,
        )

    def attribute(self, node: s.Attribute) -> Kind | list[Kind]:
        path = path_of(node)
        root = path.partition(".")[0]
        if path and self.scope.find(root) is None:
            known = self.table.values.get(path)
            if known is not None:
                return known
            if root in self.imports:
                return ANYTHING
            if root in self.enums and path.count(".") == 1:
                if node.name not in [name for name, _ in self.enums[root].fields]:
                    self.member(node, root, [name for name, _ in self.enums[root].fields])
                return Kind(CONST, root)
            space = path.rpartition(".")[0]
            if space in self.table.members:
                if path in self.table.functions or path in self.table.namespaces:
                    return ANYTHING
                self.member(node, space, list(self.table.members[space]))
                return ANYTHING
        kind = self.single(node.value)
        if kind.base in self.types:
            fields = {entry.name: entry for entry in self.types[kind.base].fields}
            if node.name not in fields:
                self.member(node, kind.base, list(fields))
                return ANYTHING
            entry = fields[node.name]
            return Kind(SERIES, self.written(entry.type).base if entry.type else UNKNOWN)
        return ANYTHING

    def member(self, node: s.Attribute, owner: str, names: list[str]) -> None:
        self.problems.add(
            "P012",
            f"{owner!r} has no {node.name!r}{_suggest(node.name, names)}",
            node.place,
            subject=f"{owner}.{node.name}",
        )

    def index(self, node: s.Index) -> Kind:
        kind = self.single(node.value)
        offset = self.single(node.offset)
        if offset.base in ("string", "color", "bool") or offset.base == "float" and isinstance(node.offset, s.Literal):
            self.problems.add("P019", f"a history offset is int, not {offset.base}", node.offset.place)
        return Kind(SERIES, kind.base)

    def unary(self, node: s.Unary) -> Kind:
        kind = self.single(node.value)
        if node.operator == "not":
            self.condition(kind, node.value, "'not'")
            return Kind(kind.qualifier, "bool")
        if kind.base in ("string", "bool", "color"):
            self.problems.add("P022", f"{node.operator!r} before a {kind.base}", node.place)
            return ANYTHING
        return kind

    def binary(self, node: s.Binary) -> Kind:
        left, right = self.single(node.left), self.single(node.right)
        operator, rank = node.operator, widest(left, right)
        if operator in ("and", "or"):
            self.condition(left, node.left, repr(operator))
            self.condition(right, node.right, repr(operator))
            return Kind(rank, "bool")
        if not self.operands(operator, left, right, node):
            return ANYTHING
        if operator in ("==", "!=", "<", "<=", ">", ">="):
            return Kind(rank, "bool")
        base = joined(left, right).base
        if operator == "/" and base == "int":
            base = "float" if self.version >= 6 else UNKNOWN  # version 5 keeps int between constants only
        return Kind(rank, base)

    def operands(self, operator: str, left: Kind, right: Kind, node: s.Node) -> bool:
        """Whether the operator takes these two; a problem where it does not."""
        bases = {left.base, right.base}
        if not bases <= CORE | {"na"} and (
            bases & OBJECTS or any(base.startswith(("array<", "map<", "matrix<")) for base in bases)
        ):
            if operator in ("==", "!="):
                return True
            self.problems.add("P022", f"{operator!r} between {left} and {right}", node.place)
            return False
        if UNKNOWN in bases or "void" in bases:
            return True
        if operator in ("==", "!="):
            bad = ("string" in bases or "color" in bases) and len(bases - {"na"}) > 1
        elif operator == "+":
            bad = ("string" in bases and len(bases - {"na"}) > 1) or "color" in bases or "bool" in bases
        else:
            bad = bool(bases & {"string", "color", "bool"})
        if bad:
            self.problems.add("P022", f"{operator!r} between {left} and {right}", node.place)
        return not bad

    def condition(self, kind: Kind, node: s.Expression, where: str) -> None:
        """P023 where a value decides that is no truth value."""
        wrong = ("string", "color", "void") if self.version < 6 else ("string", "color", "void", "int", "float")
        if kind.base in wrong or kind.base in OBJECTS:
            hint = "; compare it, e.g. with `!= 0`" if kind.base in ("int", "float") else ""
            self.problems.add("P023", f"{where} needs bool, not {kind.base}{hint}", node.place)

    def ternary(self, node: s.Ternary) -> Kind:
        test = self.single(node.condition)
        self.condition(test, node.condition, "the condition of '?'")
        yes, no = self.single(node.yes), self.single(node.no)
        if yes.base in CORE and no.base in CORE and yes.base != no.base and {yes.base, no.base} != {"int", "float"}:
            self.problems.add("P022", f"'?' gives {yes.base} or {no.base}", node.place)
            return ANYTHING
        kind = joined(yes, no)
        return Kind(widest(test, yes, no), kind.base)

    def tuple_(self, node: s.Tuple) -> list[Kind]:
        return [self.single(item) for item in node.items]

    def if_(self, node: s.If) -> Kind | list[Kind]:
        self.condition(self.single(node.condition), node.condition, "'if'")
        first = self.inside(node.body)
        if not node.otherwise:
            return first if isinstance(first, list) else Kind(SERIES, first.base)
        return _either(first, self.inside(node.otherwise))

    def switch(self, node: s.Switch) -> Kind | list[Kind]:
        subject = self.single(node.subject) if node.subject is not None else None
        result: Kind | list[Kind] | None = None
        for case in node.cases:
            if case.test is not None:
                test = self.single(case.test)
                if subject is None:
                    self.condition(test, case.test, "a case")
            kind = self.inside(case.body)
            result = kind if result is None else _either(result, kind)
        if isinstance(result, Kind):
            return Kind(SERIES if subject is None or subject.qualifier == SERIES else UNSURE, result.base)
        return result or VOID

    def for_(self, node: s.For) -> Kind | list[Kind]:
        kinds = [self.single(part) for part in (node.start, node.end, node.step) if part is not None]
        base = "float" if any(kind.base == "float" for kind in kinds) else "int"
        return self.inside(node.body, [Variable(node.name, Kind(SERIES, base), node.place, used=True)])

    def for_in(self, node: s.ForIn) -> Kind | list[Kind]:
        values = self.single(node.values)
        element = values.base[6:-1] if values.base.startswith("array<") else UNKNOWN
        kinds = [element] if len(node.names) == 1 else ["int" if values.base.startswith("array<") else UNKNOWN, element]
        names = [Variable(name, Kind(SERIES, kind), node.place, used=True) for name, kind in zip(node.names, kinds)]
        return self.inside(node.body, names)

    def while_(self, node: s.While) -> Kind | list[Kind]:
        self.condition(self.single(node.condition), node.condition, "'while'")
        return self.inside(node.body)

    def call(self, node: s.Call) -> Kind | list[Kind]:
        return check_call(self, node)

    def must_fit(self, kind: Kind, base: str, node: s.Expression, why: str) -> None:
        """P021 or P024 where a value of `kind` cannot be kept as `base`."""
        if base == "bool" and kind.base == "na" and self.version >= 6:
            self.problems.add("P024", f"{why}, and version 6 has no na for bool", node.place)
        elif kind.base == "float" and base == "int":
            self.problems.add("P021", f"{why}, and this is float", node.place)
        elif not fits(kind.base, base, self.version):
            self.problems.add("P021", f"{why}, and this is {kind.base}", node.place)


def _either(left: Kind | list[Kind], right: Kind | list[Kind]) -> Kind | list[Kind]:
    """The type of what one of two blocks gives."""
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [joined(a, b) for a, b in zip(left, right)]
    if isinstance(left, Kind) and isinstance(right, Kind):
        if "void" in (left.base, right.base):
            return Kind(UNSURE, UNKNOWN) if left.base != right.base else VOID
        return Kind(SERIES, joined(left, right).base)
    return ANYTHING


def _suggest(name: str, pool: Iterable[str]) -> str:
    near = get_close_matches(name, list(dict.fromkeys(pool)), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


_VALUES = {
    s.Literal: Checker.literal, s.Name: Checker.name, s.Attribute: Checker.attribute, s.Index: Checker.index, s.Unary: Checker.unary,
    s.Binary: Checker.binary, s.Ternary: Checker.ternary, s.Tuple: Checker.tuple_, s.If: Checker.if_, s.Switch: Checker.switch,
    s.For: Checker.for_, s.ForIn: Checker.for_in, s.While: Checker.while_, s.Call: Checker.call,
}  # fmt: skip
