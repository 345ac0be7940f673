"""Expressions of a script as expressions of Python.

Where an expression needs statements of its own (a call of the script's functions, say), those are emitted first;
what stands before it in the same expression is then kept in a name, so that the order stays the script's.
"""

from validators.pinescript import syntax as s
from validators.pinescript.builtins import table
from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.names import COLUMNS, READ, constant
from validators.pinescript.execution.source import Source
from validators.pinescript.execution.values import NA, NUMBERS, Scope, Type, Value, Variable, either
from validators.pinescript.tree import path_of

_DEEPEST = 40  # brackets; Python reads 200
_COMPARISONS = ("<", "<=", ">", ">=")


class Expressions:
    """Gives a `Value` for each expression; names come from the scope, structures and calls from who knows those."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.source = Source()
        self.scope = self.top = Scope()
        self.objects: dict[str, object] = {}  # what compiled code finds by name besides its own
        self.enums: dict[str, dict[str, Value]] = {}
        self.columns: dict[str, None] = {}
        self.indexed: set[str] = set()  # names whose past is asked for somewhere
        self.loops = self.branches = 0  # how many of them stand around what is compiled now

    def fail(self, reason: str, node: s.Node | None = None) -> ExecutionError:
        """An error on the line of a node."""
        return ExecutionError(reason, node.line if node is not None else self.source.line)

    def missing(self, kind: Type) -> str:
        """What a value of this type is before there is one."""
        if isinstance(kind, list):
            return f"({', '.join(map(self.missing, kind))},)"
        return "False" if kind == "bool" and self.version >= 6 else "nan"

    # --- keeping values ------------------------------------------------------------------------

    def kept(self, value: Value) -> Value:
        """The value in a name of its own, unless it is one."""
        if value.atom:
            return value
        name = self.source.fresh("t")
        self.source.emit(f"{name} = {value.code}")
        return Value(name, value.type, atom=True, sure=value.sure)

    def several(self, nodes: list[s.Expression]) -> list[Value]:
        """Values of expressions from left to right, each evaluated before the next."""
        found: list[Value] = []
        for node in nodes:
            before = len(self.source.lines)
            value = self.value(node)
            if len(self.source.lines) > before:
                at = before
                for place, earlier in enumerate(found):
                    if not earlier.atom:
                        name = self.source.fresh("t")
                        self.source.insert(at, f"{name} = {earlier.code}")
                        at += 1
                        found[place] = Value(name, earlier.type, atom=True, sure=earlier.sure)
            found.append(value)
        return found

    def shallow(self, value: Value) -> Value:
        return self.kept(value) if value.depth > _DEEPEST else value

    # --- values --------------------------------------------------------------------------------

    def value(self, node: s.Expression) -> Value:
        return _VALUES[type(node)](self, node)

    def literal(self, node: s.Literal) -> Value:
        text = node.text
        if node.kind == "int":
            code = repr(int(text)) if len(text) < 20 else repr(float(text))
        elif node.kind == "float":
            code = repr(float(text))
            code = "nan" if code == "inf" else code
        elif node.kind == "bool":
            code = "True" if text == "true" else "False"
        elif node.kind == "color":
            code = repr(text.upper())
        else:
            code = repr(unescaped(text))
        return Value(code, node.kind, atom=True, const=True, sure=True)

    def name(self, node: s.Name) -> Value:
        variable = self.scope.find(node.name)
        if variable is not None:
            return self.read(variable)
        if node.name == "na":
            return NA
        found = self.own(node.name)
        if found is None:
            raise self.fail(f"no name {node.name!r}; check the script for it first", node)
        return found

    def read(self, variable: Variable) -> Value:
        if variable.literal is not None:
            return variable.literal
        return Value(
            variable.code,
            variable.type,
            atom=True,
            sure=variable.sure,
            column=variable.column,
            history=variable.history,
        )

    def own(self, path: str) -> Value | None:
        """A variable or constant of the language."""
        if path in COLUMNS:
            column, kind = COLUMNS[path]
            self.columns[column] = None
            return Value(f"c_{column}", kind, atom=True, sure=column in ("close", "open", "high", "low"), column=column)
        if path in READ:
            code, kind = READ[path]
            plain = code.isidentifier()
            return Value(code, kind, atom=plain, sure=kind == "bool", depth=int(not plain))
        if path == "ta.vwap":
            return self.vwap_of_day()
        return constant(path)

    def vwap_of_day(self) -> Value:
        raise NotImplementedError

    def attribute(self, node: s.Attribute) -> Value:
        path = path_of(node)
        root = path.partition(".")[0]
        if path and (self.scope.find(root) is None or path in table().values):
            found = self.member(path, node) or self.own(path)
            if found is not None:
                return found
        owner = self.value(node.value)
        kind = self.field_type(owner.base, node.name)
        if owner.base in ("na", *NUMBERS, "bool", "string"):
            raise self.fail(f"no field {node.name!r} of {owner.base}; fields belong to objects of a user type", node)
        return Value(f"{owner.code}.f_{node.name}", kind, depth=owner.depth)

    def member(self, path: str, node: s.Attribute) -> Value | None:
        """A member of an enum of the script."""
        owner, _, name = path.rpartition(".")
        members = self.enums.get(owner)
        if members is None:
            return None
        if name not in members:
            raise self.fail(f"enum {owner!r} has no {name!r}", node)
        return members[name]

    def field_type(self, owner: str, name: str) -> Type:
        raise NotImplementedError

    # --- history -------------------------------------------------------------------------------

    def index(self, node: s.Index) -> Value:
        value, offset = self.several([node.value, node.offset])
        ago = int(offset.code) if offset.const and offset.code.isdigit() else None
        empty = self.missing(value.base)
        if ago == 0:
            return value
        if value.column:
            self.columns[value.column] = None
            if ago is not None:
                code = f"(k_{value.column}[bar - {ago}] if bar >= {ago} else nan)"
            else:
                code = f"back_in(k_{value.column}, bar, {offset.code})"
            return Value(code, value.type, depth=offset.depth + 1)
        history = value.history
        if not history:
            if ago == 1 and not self.loops:
                past, now = self.source.fresh("p"), self.source.fresh("t")
                self.source.once(f"{past} = {empty}")
                self.source.emit(f"{now} = {past}")
                self.source.emit(f"{past} = {value.code}")
                return Value(now, value.type, atom=True, sure=empty == "False")
            value = self.kept(value)
            history = self.keep_past(value.code)
        if ago is not None:
            code = f"({history}[{-1 - ago}] if len({history}) > {ago} else {empty})"
        else:
            code = f"back({history}, {offset.code}, {empty})"
        return Value(code, value.type, depth=offset.depth + 1, sure=empty == "False")

    def keep_past(self, code: str, history: str = "") -> str:
        """Remember a value of this bar; in a loop, the last one of the bar counts. Gives the name of the list."""
        history = history or self.source.fresh("h")
        if self.loops:
            self.source.once(f"{history} = Past()")
            self.source.emit(f"{history}.keep({code}, bar)")
        else:
            self.source.once(f"{history} = []")
            self.source.emit(f"{history}.append({code})")
        return history

    # --- operators -----------------------------------------------------------------------------

    def condition(self, value: Value) -> str:
        """Python that is true where the script takes the value as true; na is false."""
        if value.base == "bool":
            return value.code if value.sure or self.version >= 6 else f"({value.code} is True)"
        if value.base in NUMBERS and value.atom:
            return value.code if value.const else f"({value.code} == {value.code} and {value.code} != 0)"
        return "False" if value.base == "na" else f"truth({value.code})"

    def unary(self, node: s.Unary) -> Value:
        value = self.shallow(self.value(node.value))
        if node.operator == "not":
            return Value(
                f"(not {self.condition(value)})", "bool", sure=True, effect=value.effect, depth=value.depth + 1
            )
        if node.operator == "+":
            return value
        atom = value.const and value.code[:1].isdigit()
        code = f"-{value.code}" if atom else f"(-{value.code})"
        return Value(code, value.type, atom=atom, const=value.const, effect=value.effect, depth=value.depth + 1)

    def binary(self, node: s.Binary) -> Value:
        if node.operator in ("and", "or"):
            return self.logical(node)
        # Sums of many terms are deep to the left: they are read from their first term on.
        chain = [node]
        while isinstance(chain[-1].left, s.Binary) and chain[-1].left.operator not in ("and", "or"):
            chain.append(chain[-1].left)
        left = self.value(chain[-1].left)
        for part in reversed(chain):
            left = self.shallow(left)
            before = len(self.source.lines)
            right = self.shallow(self.value(part.right))
            if len(self.source.lines) > before and not left.atom:
                name = self.source.fresh("t")
                self.source.insert(before, f"{name} = {left.code}")
                left = Value(name, left.type, atom=True, sure=left.sure)
            left = self.combined(part.operator, left, right)
        return left

    def combined(self, operator: str, left: Value, right: Value) -> Value:
        """Two values and an operator other than `and` and `or`."""
        effect, depth = left.effect or right.effect, max(left.depth, right.depth) + 1
        a, b = left.code, right.code
        if operator in _COMPARISONS or operator == "==":
            return Value(f"({a} {operator} {b})", "bool", sure=True, effect=effect, depth=depth)
        if operator == "!=":
            return Value(_unequal(left, right), "bool", sure=True, effect=effect, depth=depth)
        kind = either(left.base, right.base)
        const = left.const and right.const
        if operator == "/":
            if const and self.version < 6 and left.base == right.base == "int":
                return Value(f"truncated({a}, {b})", "int", const=True, depth=depth)
            kind = "float" if kind in NUMBERS else kind
            if right.const and right.code not in ("0", "0.0", "nan"):
                code = f"({a} / {b})"
            else:
                code = f"({a} / {b} if {b} else nan)" if right.atom else f"divide({a}, {b})"
        elif operator == "%":
            code = f"modulo({a}, {b})"
        elif operator == "*" and left.base == right.base == "int" and not const:
            code = f"times({a}, {b})"
        elif operator == "+" and "string" in (left.base, right.base) and not (left.sure and right.sure):
            code = f"joined({a}, {b})"
        else:
            code = f"({a} {operator} {b})"
        sure = kind == "string" and left.sure and right.sure
        return Value(code, kind, const=const, sure=sure, effect=effect, depth=depth)

    def logical(self, node: s.Binary) -> Value:
        """`and`, `or`: from version 6 on the right side is evaluated only where it decides."""
        left = self.shallow(self.value(node.left))
        lazy = self.version >= 6
        with self.source.aside() as lines:
            self.branches += lazy
            right = self.shallow(self.value(node.right))
            second = self.condition(right)
            self.branches -= lazy
        first, depth = self.condition(left), max(left.depth, right.depth) + 1
        effect = left.effect or right.effect
        if not lines:
            sign = {"and": "&", "or": "|"}[node.operator] if right.effect and not lazy else node.operator
            code = (
                f"({_bool(first, left)} {sign} {_bool(second, right)})"
                if sign in "&|"
                else f"({first} {sign} {second})"
            )
            return Value(code, "bool", sure=True, effect=effect, depth=depth)
        name = self.source.fresh("t")
        self.source.emit(f"{name} = {first}")
        if lazy:
            self.source.emit(f"if {name}:" if node.operator == "and" else f"if not {name}:")
            self.source.add(lines, 1)
            self.source.lines.append([self.source.depth + 1, f"{name} = {second}", self.source.line])
        else:
            self.source.add(lines)
            self.source.emit(f"{name} = {name} {node.operator} {second}")
        return Value(name, "bool", atom=True, sure=True)

    def ternary(self, node: s.Ternary) -> Value:
        test = self.shallow(self.value(node.condition))
        self.branches += 1
        with self.source.aside() as yes_lines:
            yes = self.shallow(self.value(node.yes))
        with self.source.aside() as no_lines:
            no = self.shallow(self.value(node.no))
        self.branches -= 1
        kind, sure = either(yes.type, no.type), yes.sure and no.sure
        effect = test.effect or yes.effect or no.effect
        if not yes_lines and not no_lines:
            depth = max(test.depth, yes.depth, no.depth) + 1
            code = f"({yes.code} if {self.condition(test)} else {no.code})"
            return Value(code, kind, sure=sure, effect=effect, depth=depth)
        name = self.source.fresh("t")
        self.source.emit(f"if {self.condition(test)}:")
        depth, line = self.source.depth + 1, self.source.line
        self.source.add([*yes_lines, [depth - 1, f"{name} = {yes.code}", line]], 1)
        self.source.emit("else:")
        self.source.add([*no_lines, [depth - 1, f"{name} = {no.code}", line]], 1)
        return Value(name, kind, atom=True, sure=sure)

    def tuple_(self, node: s.Tuple) -> Value:
        items = self.several(node.items)
        code = f"({''.join(f'{item.code}, ' for item in items)})"
        return Value(code, [item.base for item in items], effect=any(item.effect for item in items))

    def structure(self, node: s.Expression) -> Value:
        raise NotImplementedError

    def call(self, node: s.Call) -> Value:
        raise NotImplementedError


def _bool(code: str, value: Value) -> str:
    return code if value.sure or code.endswith("is True)") else f"bool({code})"


def _unequal(left: Value, right: Value) -> str:
    """`!=` that is false where a side is na."""
    if not (left.atom and right.atom):
        return f"differ({left.code}, {right.code})"
    code = f"{left.code} != {right.code}"
    for value in (left, right):
        if not value.sure:
            code += f" and {value.code} == {value.code}"
    return f"({code})"


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def unescaped(text: str) -> str:
    """What a printed text literal says."""
    inner, found, at = text[1:-1], [], 0
    if "\\" not in inner:
        return inner
    while at < len(inner):
        if inner[at] == "\\" and at + 1 < len(inner):
            at += 1
            found.append(_ESCAPES.get(inner[at], inner[at]))
        else:
            found.append(inner[at])
        at += 1
    return "".join(found)


_VALUES = {
    s.Literal: Expressions.literal, s.Name: Expressions.name, s.Attribute: Expressions.attribute, s.Index: Expressions.index,
    s.Unary: Expressions.unary, s.Binary: Expressions.binary, s.Ternary: Expressions.ternary, s.Tuple: Expressions.tuple_,
    s.Call: lambda self, node: self.call(node),
    **{kind: lambda self, node: self.structure(node) for kind in (s.If, s.Switch, s.For, s.ForIn, s.While)},
}  # fmt: skip
