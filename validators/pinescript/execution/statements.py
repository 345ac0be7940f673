"""Statements and structures of a script as statements of Python."""

from collections.abc import Callable

from validators.pinescript import syntax as s
from validators.pinescript.execution.expressions import Expressions
from validators.pinescript.execution.loops import MOST_TURNS
from validators.pinescript.execution.values import (
    VOID,
    Scope,
    Type,
    Value,
    Variable,
    either,
    element,
    parts,
    written,
)


class Statements(Expressions):
    """Compiles blocks; the value of a block is that of its last statement."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.reassigned: set[str] = set()
        self.origins: dict[int, tuple[s.Expression, Scope]] = {}  # by id of a variable: what it was given, and where

    def block(self, statements: list[s.Statement]) -> Value:
        """Compile statements one after the other."""
        value = VOID
        for place, statement in enumerate(statements):
            value = self.statement(statement, place == len(statements) - 1)
        return value

    def inside(self, statements: list[s.Statement]) -> Value:
        """Compile a block with names of its own."""
        self.scope = Scope(self.scope)
        try:
            return self.block(statements)
        finally:
            assert self.scope.parent is not None
            self.scope = self.scope.parent

    def statement(self, node: s.Statement, last: bool = False) -> Value:
        self.source.line = node.line
        if isinstance(node, s.Run):
            return self.run(node.value, last)
        if isinstance(node, s.Declare):
            return self.declare(node)
        if isinstance(node, s.DeclareTuple):
            return self.declare_tuple(node)
        if isinstance(node, s.Assign):
            return self.assign(node)
        if isinstance(node, s.Leave):
            if not self.loops:
                raise self.fail(f"{node.word!r} outside of a loop", node)
            self.source.emit(node.word)
            return VOID
        self.define(node)
        return VOID

    def run(self, node: s.Expression, last: bool) -> Value:
        """An expression for what it does; as the last of a block, for its value too."""
        if isinstance(node, (s.If, s.Switch, s.For, s.ForIn, s.While)):
            return self.structure(node, last and self.scope is not self.top)
        value = self.value(node)
        if last and self.scope is not self.top:
            return value
        if value.effect:
            self.source.emit(value.code)
        return value

    def define(self, node: s.Statement) -> None:
        """A function, type, enum or import."""
        raise NotImplementedError

    # --- variables -----------------------------------------------------------------------------

    def valued(self, node: s.Expression, name: str) -> Value:
        """The value a name is declared with; inputs may be set by that name."""
        return self.value(node)

    def declare(self, node: s.Declare) -> Value:
        kind = written(node.type)
        if node.mode:
            return self.declare_lasting(node, kind)
        value = self.valued(node.value, node.name)
        self.source.line = node.line
        if value.type == "void":
            raise self.fail(f"{node.name!r} is given no value", node)
        if kind == "?":
            kind = "?" if value.type == "na" else value.type  # type: ignore[assignment]
        variable = self.new(node.name, kind, value.sure and value.type == kind)
        self.origins[id(variable)] = (node.value, self.scope)
        if (
            variable.fixed
            and value.atom
            and not variable.history
            and (value.const or value.column or value.code[0] in "'\"")
        ):
            variable.literal = Value(value.code, kind, True, value.const, value.sure, column=value.column)
            return self.read(variable)
        self.source.emit(f"{variable.code} = {value.code}")
        self.remember(variable)
        return self.read(variable)

    def new(self, name: str, kind: Type, sure: bool = False) -> Variable:
        """Declare a name in this block; its past is kept where the script asks for it."""
        fixed = name not in self.reassigned
        variable = Variable(name, self.source.fresh("v"), kind, fixed=fixed, sure=sure and fixed)
        if name in self.indexed:
            variable.history = self.source.fresh("h")
        self.scope.names[name] = variable
        return variable

    def remember(self, variable: Variable) -> None:
        """Put the value of this bar at the end of a variable's past."""
        if variable.history:
            self.keep_past(variable.code, variable.history)

    def declare_lasting(self, node: s.Declare, kind: str) -> Value:
        """`var`: the value is given once, when the statement is first reached."""
        with self.source.aside() as lines:
            self.source.depth += 1
            value = self.valued(node.value, node.name)
            self.source.depth -= 1
        if kind == "?":
            kind = "?" if value.type == "na" else value.base
        variable = self.new(node.name, kind)
        if value.atom and value.const and not lines:
            self.source.once(f"{variable.code} = {value.code}")
        else:
            flag = self.source.fresh("f")
            self.source.once(f"{flag} = True")
            self.source.once(f"{variable.code} = nan")
            with self.source.block(f"if {flag}:"):
                self.source.emit(f"{flag} = False")
                self.source.add(lines)
                self.source.emit(f"{variable.code} = {value.code}")
        self.remember(variable)
        return self.read(variable)

    def declare_tuple(self, node: s.DeclareTuple) -> Value:
        value = self.value(node.value)
        self.source.line = node.line
        kinds = value.type if isinstance(value.type, list) else ["?"] * len(node.names)
        if len(kinds) != len(node.names):
            raise self.fail(f"{len(node.names)} names for {len(kinds)} values", node)
        variables = [self.new(name, kind) for name, kind in zip(node.names, kinds)]
        self.source.emit(f"{''.join(f'{variable.code}, ' for variable in variables)}= {value.code}")
        for variable in variables:
            self.remember(variable)
        return value

    def assign(self, node: s.Assign) -> Value:
        target = node.target
        if isinstance(target, s.Attribute):
            owner = self.kept(self.value(target.value))
            field = Value(f"{owner.code}.f_{target.name}", self.field_type(owner.base, target.name))
            value = self.changed(node, field)
            self.source.emit(f"{field.code} = {value.code}")
            return field
        if not isinstance(target, s.Name):
            raise self.fail("only a variable or a field can be given another value", node)
        variable = self.scope.find(target.name)
        if variable is None:
            raise self.fail(f"{target.name!r} is given a value and was never declared", node)
        value = self.changed(node, self.read(variable))
        if variable.type == "?":
            variable.type = value.type if value.type != "na" else "?"
        elif isinstance(value.type, str) and variable.type == "int" and value.type == "float":
            variable.type = "float"
        self.source.emit(f"{variable.code} = {value.code}")
        if variable.history:
            self.source.emit(f"{variable.history}[-1] = {variable.code}")
        return self.read(variable)

    def changed(self, node: s.Assign, before: Value) -> Value:
        """The value that an assignment gives."""
        start = len(self.source.lines)
        value = self.value(node.value)
        self.source.line = node.line
        if node.operator == ":=":
            return value
        if len(self.source.lines) > start and not before.atom:
            kept = self.source.fresh("t")
            self.source.insert(start, f"{kept} = {before.code}")
            before = Value(kept, before.type, atom=True)
        return self.combined(node.operator[0], before, value)

    # --- structures ----------------------------------------------------------------------------

    def structure(self, node: s.Expression, wanted: bool = True) -> Value:
        if isinstance(node, s.If):
            return self.chosen(node, wanted, self.if_)
        if isinstance(node, s.Switch):
            return self.chosen(node, wanted, self.switch)
        if isinstance(node, s.For):
            return self.for_(node, wanted)
        if isinstance(node, s.ForIn):
            return self.for_in(node, wanted)
        assert isinstance(node, s.While)
        return self.while_(node, wanted)

    def branch(self, statements: list[s.Statement], result: str) -> Type:
        """A block that may not be reached; its value goes to `result` where that is asked for."""
        self.branches += 1
        value = self.inside(statements)
        self.branches -= 1
        if result and value.type != "void":
            self.source.emit(f"{result} = {value.code}")
        elif value.effect:
            self.source.emit(value.code)
        return value.type

    def chosen(self, node: s.Expression, wanted: bool, compile_branches: Callable) -> Value:
        """An if or switch; where no branch is taken the value is na, or false for a truth value of version 6."""
        if not wanted:
            compile_branches(node, "")
            return VOID
        result = self.source.fresh("t")
        first = self.source.emit("")
        kind = compile_branches(node, result)
        first[1] = f"{result} = {self.missing(kind)}"
        return Value(result, kind, atom=True, sure=kind == "bool" and self.version >= 6)

    def if_(self, node: s.If, result: str) -> Type:
        test = self.condition(self.value(node.condition))
        self.source.line = node.line
        with self.source.block(f"if {test}:"):
            kind = self.branch(node.body, result)
        if not node.otherwise:
            return kind
        with self.source.block("else:"):
            (only,) = node.otherwise if len(node.otherwise) == 1 else (None,)
            if isinstance(only, s.Run) and isinstance(only.value, s.If):
                self.branches += 1
                other = self.if_(only.value, result)
                self.branches -= 1
            else:
                other = self.branch(node.otherwise, result)
        return either(kind, other)

    def switch(self, node: s.Switch, result: str) -> Type:
        subject = self.kept(self.value(node.subject)) if node.subject is not None else None
        kind: Type = "void"
        opened, first = 0, True
        for case in node.cases:
            self.source.line = case.line
            if case.test is None:
                if first:
                    kind = either(kind, self.branch(case.body, result))
                    break
                with self.source.block("else:"):
                    kind = either(kind, self.branch(case.body, result))
                break
            with self.source.aside() as lines:
                self.branches += not first
                test = self.value(case.test)
                code = f"{subject.code} == {test.code}" if subject is not None else self.condition(test)
                self.branches -= not first
            if lines and not first:
                self.source.emit("else:")
                self.source.depth += 1
                opened, first = opened + 1, True
                self.source.add(lines, 1)
            else:
                self.source.add(lines)
            with self.source.block(f"{'if' if first else 'elif'} {code}:"):
                kind = either(kind, self.branch(case.body, result))
            first = False
        self.source.depth -= opened
        return kind

    def looped(
        self, head: str, body: list[s.Statement], wanted: bool, names: list[tuple[str, Type]], codes: list[str]
    ) -> Value:
        """A loop whose head gives values to `codes`, which the script knows by `names`."""
        result = self.source.fresh("t") if wanted else ""
        first = self.source.emit(f"{result} = nan") if wanted else None
        self.scope = Scope(self.scope)
        self.loops += 1
        with self.source.block(head):
            for (name, kind), code in zip(names, codes):
                variable = self.new(name, kind)
                self.source.emit(f"{variable.code} = {code}")
                self.remember(variable)
            kind = self.branch(body, result)
        self.loops -= 1
        assert self.scope.parent is not None
        self.scope = self.scope.parent
        if first is None or kind == "void":
            return VOID
        first[1] = f"{result} = {self.missing(kind)}"
        return Value(result, kind, atom=True)

    def for_(self, node: s.For, wanted: bool) -> Value:
        start = self.value(node.start)
        with self.source.aside() as lines:
            end = self.value(node.end)
        step = self.value(node.step) if node.step is not None else Value("1", "int", atom=True, const=True)
        counter = self.source.fresh("i")
        # From version 6 on the end is evaluated before every turn, which shows only where the body can change it.
        if self.version >= 6 and not lines and not end.const and _may_change(node.end, node.body):
            turns = f"moving_span({start.code}, lambda: {end.code}, {step.code})"
        else:
            self.source.add(lines)
            turns = f"span({start.code}, {end.code}, {step.code})"
        kind = "int" if start.base == "int" and step.base == "int" else "float"
        return self.looped(f"for {counter} in {turns}:", node.body, wanted, [(node.name, kind)], [counter])

    def for_in(self, node: s.ForIn, wanted: bool) -> Value:
        values = self.value(node.values)
        codes = [self.source.fresh("i") for _ in node.names]
        head = f"for {', '.join(codes)} in {'pairs' if len(codes) == 2 else 'each'}({values.code}):"
        inner = parts(values.base)
        if values.base.startswith("map<"):
            kinds: list[Type] = [*inner]
        else:
            row = f"array<{element(values.base)}>" if values.base.startswith("matrix<") else element(values.base)
            kinds = [row] if len(codes) == 1 else ["int", row]
        return self.looped(head, node.body, wanted, list(zip(node.names, kinds)), codes)

    def while_(self, node: s.While, wanted: bool) -> Value:
        turns = self.source.fresh("i")
        self.source.emit(f"{turns} = 0")
        self.loops += 1
        with self.source.aside() as lines:
            test = self.condition(self.value(node.condition))
        self.loops -= 1
        result = self.source.fresh("t") if wanted else ""
        first = self.source.emit(f"{result} = nan") if wanted else None
        self.loops += 1
        with self.source.block(f"while {'True' if lines else test}:"):
            if lines:
                self.source.add(lines, 1)
                self.source.emit(f"if not {test}: break")
            self.source.emit(f"{turns} += 1")
            self.source.emit(f"if {turns} > {MOST_TURNS}: endless()")
            kind = self.branch(node.body, result)
        self.loops -= 1
        if first is None or kind == "void":
            return VOID
        first[1] = f"{result} = {self.missing(kind)}"
        return Value(result, kind, atom=True)


def _may_change(end: s.Expression, body: list[s.Statement]) -> bool:
    """Whether a loop's body might change what its end says: it calls something, or assigns a name in it."""
    from validators.pinescript.tree import path_of, walk

    nodes = list(walk([end]))
    if any(isinstance(node, s.Call) for node in nodes):
        return True
    names = {node.name for node in nodes if isinstance(node, s.Name)}
    return any(isinstance(node, s.Assign) and path_of(node.target) in names for node in walk(body))
