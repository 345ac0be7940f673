"""The statements of a script: its declaration, its variables, functions and types."""

from validators.pinescript import syntax as s
from validators.pinescript.kinds import (
    ANYTHING,
    QUALIFIERS,
    SERIES,
    UNKNOWN,
    UNSURE,
    VOID,
    Kind,
    fits,
)
from validators.pinescript.problems import suggest
from validators.pinescript.scope import Variable
from validators.pinescript.tree import path_of
from validators.pinescript.values import Values

_DECLARATIONS = ("indicator", "strategy", "library")


class Checker(Values):
    """Checks one script; `check` fills the problems."""

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
            for field, title in node.fields:
                if title is not None:
                    self.must_fit(self.single(title), "string", title, f"the title of {field!r} is a string")
        elif isinstance(node, s.Import):
            self.imports.add(node.alias)
        return VOID

    def declare(self, node: s.Declare) -> Kind | list[Kind]:
        value = self.value(node.value)
        written = self.written(node.type) if node.type else None
        kind: Kind | list[Kind] = value
        if written is not None and isinstance(value, Kind):
            if value.base != written.base:
                self.must_fit(value, written.base, node.value, f"{node.name!r} is declared {written.base}")
            rank = written.qualifier if node.type and node.type.qualifier else value.qualifier
            kind = Kind(rank, written.base if written.base != UNKNOWN else value.base)
        elif isinstance(value, Kind) and value.base == "void":
            self.problems.add(
                "P021", f"{node.name!r} is given no value: what stands after '=' returns nothing", node.value.place
            )
            kind = ANYTHING
        if isinstance(kind, Kind) and (node.mode == "varip" or node.name in self.reassigned):
            kind = Kind(UNSURE if node.name in self.ambiguous else SERIES, kind.base)
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
            near = suggest(target.name, self.scope.visible())
            self.problems.add(
                "P013",
                f"{target.name!r} is given a value with {node.operator!r} and was never declared{near}",
                target.place,
                subject=target.name,
            )
            self.missing.add(target.name)  # the same name is not told again
            return value
        if isinstance(value, Kind) and isinstance(variable.kind, Kind):
            if value.base != variable.kind.base:
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

    def must_fit(self, kind: Kind, base: str, node: s.Expression, why: str) -> None:
        """P021 or P024 where a value of `kind` cannot be kept as `base`."""
        if base == "bool" and kind.base == "na" and self.version >= 6:
            self.problems.add("P024", f"{why}, and version 6 has no na for bool", node.place)
        elif kind.base == "float" and base == "int":
            self.problems.add("P021", f"{why}, and this is float", node.place)
        elif not fits(kind.base, base, self.version):
            self.problems.add("P021", f"{why}, and this is {kind.base}", node.place)
