"""The types of expressions, and the names they use.

Only what is certain is a problem: a value whose type cannot be known here fits everywhere. What an unknown
name or a wrong call makes of the rest is not told again.
"""

from collections.abc import Iterable

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
    joined,
    widest,
)
from validators.pinescript.problems import Problems, suggest
from validators.pinescript.scope import Scope, Variable
from validators.pinescript.tree import path_of

_COLLECTIONS = ("array", "matrix", "map")
_PLAIN = CORE | {"na"}
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_LITERALS = {base: Kind(CONST, base) for base in CORE}
_TRUTHS = [Kind(rank, "bool") for rank in range(SERIES + 1)]


class Values:
    """Knows the names of a script and gives the type of its expressions; statements are left to who reads those."""

    def __init__(self, script: s.Script, problems: Problems) -> None:
        self.script, self.problems, self.version = script, problems, script.version
        self.scope = Scope()
        self.functions: dict[str, list[s.Function]] = {}
        self.results: dict[int, Kind | list[Kind]] = {}
        self.types: dict[str, s.UserType] = {}
        self.enums: dict[str, s.Enum] = {}
        self.imports: set[str] = set()
        self.reassigned = {path_of(node.target) for node in script.assigns}
        # Which of several variables of one name is given another value is not followed.
        self.ambiguous = {name for name in self.reassigned if script.declared.count(name) > 1}
        self.kind_of_script = ""
        self.table = table()
        self.every: list[Variable] = []
        self.missing: set[str] = set()
        self.nameless = 0  # values a tuple declaration left without a name: as many unknown names follow from that

    def statements(self, statements: list[s.Statement]) -> Kind | list[Kind]:
        """Check a block; the type of its last statement is the block's."""
        raise NotImplementedError

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
        near = suggest(name, [*CORE, *OBJECTS, *self.types, *self.enums])
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
        return _LITERALS[node.kind]

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
        if node.name in self.functions or node.name in self.table.functions or node.name in self.table.namespaces:
            message = f"{node.name!r} is a function or a namespace, and no value"
            self.problems.add("P010", message, node.place, subject=node.name)
            return ANYTHING
        if node.name in self.enums or node.name in self.types or node.name in self.imports:
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
            f"no {what} {name!r}{suggest(name, pool)}",
            node.place,
            subject=name,
        )

    def attribute(self, node: s.Attribute) -> Kind | list[Kind]:
        path = path_of(node)
        root = path.partition(".")[0]
        known = self.table.values.get(path)
        if known is not None:
            return known  # a variable called like a namespace hides none of its members
        if path and self.scope.find(root) is None:
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
            f"{owner!r} has no {node.name!r}{suggest(node.name, names)}",
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
            return _TRUTHS[rank]
        if not self.operands(operator, left, right, node):
            return ANYTHING
        if operator in _COMPARISONS:
            return _TRUTHS[rank]
        base = joined(left, right).base
        if operator == "/" and base == "int":
            base = UNKNOWN  # the language calls it int where an int is asked for, and it may hold a fraction
        return Kind(rank, base)

    def operands(self, operator: str, left: Kind, right: Kind, node: s.Node) -> bool:
        """Whether the operator takes these two; a problem where it does not."""
        bases = {left.base, right.base}
        if not bases <= _PLAIN and (
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
        test = self.single(node.condition)
        self.condition(test, node.condition, "'if'")
        result = self.inside(node.body)
        if node.otherwise:
            result = _either(result, self.inside(node.otherwise))
        return _decided([test], result)

    def switch(self, node: s.Switch) -> Kind | list[Kind]:
        tests = [self.single(node.subject)] if node.subject is not None else []
        result: Kind | list[Kind] | None = None
        for case in node.cases:
            if case.test is not None:
                tests.append(self.single(case.test))
                if node.subject is None:
                    self.condition(tests[-1], case.test, "a case")
            kind = self.inside(case.body)
            result = kind if result is None else _either(result, kind)
        return _decided(tests, result or VOID)

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


def _either(left: Kind | list[Kind], right: Kind | list[Kind]) -> Kind | list[Kind]:
    """The type of what one of two blocks gives."""
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [joined(a, b) for a, b in zip(left, right)]
    if isinstance(left, Kind) and isinstance(right, Kind):
        if "void" in (left.base, right.base):
            return Kind(UNSURE, UNKNOWN) if left.base != right.base else VOID
        return joined(left, right)
    return ANYTHING


def _decided(tests: list[Kind], result: Kind | list[Kind]) -> Kind | list[Kind]:
    """The type of a structure: one that rests on what is known early is not judged by when it is known."""
    if isinstance(result, list):
        return result
    return Kind(SERIES if widest(*tests, result) == SERIES else UNSURE, result.base)


_VALUES = {
    s.Literal: Values.literal, s.Name: Values.name, s.Attribute: Values.attribute, s.Index: Values.index, s.Unary: Values.unary,
    s.Binary: Values.binary, s.Ternary: Values.ternary, s.Tuple: Values.tuple_, s.If: Values.if_, s.Switch: Values.switch,
    s.For: Values.for_, s.ForIn: Values.for_in, s.While: Values.while_, s.Call: Values.call,
}  # fmt: skip
