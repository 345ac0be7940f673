"""Calls: functions and methods of the script, put where they are called; objects; and functions of the language.

Every call of a function of the script is compiled by itself, so each has its own `var` variables and its own past,
as the language's manual says of functions that keep state.
"""

from validators.pinescript import syntax as s
from validators.pinescript.builtins import V4_NAMES, Builtin, Signature, table
from validators.pinescript.execution.objects import user_type
from validators.pinescript.execution.statements import Statements
from validators.pinescript.execution.values import Scope, Type, Value, Variable, written
from validators.pinescript.kinds import fits
from validators.pinescript.tree import path_of, walk

Given = list[tuple[str, Value]]
_EXTRA = ("when", "transp")  # arguments version 5 took and the table, which is of version 6, does not have
_DEEPEST = 40
_METHOD_SPACES = (
    "array", "map", "matrix", "line", "label", "box", "table", "linefill", "polyline", "chart.point", "str", "footprint", "volume_row",
)  # fmt: skip


class Module:
    """The functions, types and enums of a script or a library, and its own top-level names."""

    def __init__(self, version: int, scope: Scope) -> None:
        self.version, self.scope = version, scope
        self.functions: dict[str, list[s.Function]] = {}
        self.types: dict[str, s.UserType] = {}


class Calls(Statements):
    """Compiles calls; what is special about single functions of the language is left to `built_in`."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.module = Module(version, self.top)
        self.libraries: dict[str, Module] = {}
        self.open_calls: list[s.Function] = []

    # --- types ---------------------------------------------------------------------------------

    def define_type(self, node: s.UserType) -> None:
        self.module.types[node.name] = node
        self.objects[f"T_{node.name}"] = user_type(node.name, [field.name for field in node.fields])

    def field_type(self, owner: str, name: str) -> Type:
        if owner == "chart.point":
            return {"time": "int", "index": "int", "price": "float"}.get(name, "?")
        node = self.find_type(owner)
        if node is None:
            return "?"
        for field in node.fields:
            if field.name == name:
                return written(field.type)
        raise self.fail(f"type {owner!r} has no field {name!r}")

    def find_type(self, name: str) -> s.UserType | None:
        alias, _, word = name.rpartition(".")
        if alias in self.libraries:
            return self.libraries[alias].types.get(word)
        found = self.module.types.get(name)
        if found is None:  # an object handed into a library, or out of one
            for library in self.libraries.values():
                found = found or library.types.get(word)
        return found

    def construct(self, node: s.Call, owner: s.UserType) -> Value:
        given = self.arguments(node)
        names = [field.name for field in owner.fields]
        chosen: dict[str, Value] = {}
        for place, (name, value) in enumerate(given):
            if (not name and place >= len(names)) or (name and name not in names):
                raise self.fail(f"{owner.name}.new() has no field {name or place + 1}", node)
            chosen[name or names[place]] = value
        codes = []
        for field in owner.fields:
            value = chosen.get(field.name)
            if value is None and field.default is not None:
                value = self.value(field.default)
            codes.append(value.code if value is not None else self.missing(written(field.type)))
        alias = path_of(node.function).rpartition(".")[0]
        return Value(f"T_{owner.name}({', '.join(codes)})", alias, effect=True)

    # --- which call is meant -------------------------------------------------------------------

    def call(self, node: s.Call) -> Value:
        path = path_of(node.function)
        root = path.partition(".")[0]
        if path and path not in self.module.functions and self.version < 5 and path in V4_NAMES:
            if path == "iff":
                return self.ternary(
                    s.Ternary(node.line, node.column, *[argument.value for argument in node.arguments[:3]])
                )
            path = V4_NAMES[path].partition(" ")[0]
        if path:
            own = self.module.functions.get(path)
            if own and any(not function.method for function in own):
                return self.inline(node, own, self.arguments(node), self.module)
            built = table().functions.get(path)
            if built is not None:
                return self.built_in(node, built, path)
            if own:
                return self.inline(node, own, self.arguments(node), self.module)
            owner, _, word = path.rpartition(".")
            found = self.find_type(owner) if owner and self.scope.find(root) is None else None
            if found is not None and word == "new":
                return self.construct(node, found)
            if found is not None and word == "copy":
                ((_, value),) = self.arguments(node)
                return Value(f"{value.code}.copy()", value.type, effect=True)
            library = self.libraries.get(owner)
            if library is not None and self.scope.find(root) is None:
                if word not in library.functions:
                    raise self.fail(f"library {owner!r} has no function {word!r}", node)
                return self.inline(node, library.functions[word], self.arguments(node), library)
        if isinstance(node.function, s.Attribute):
            return self.method(node, node.function)
        raise self.fail(f"no function {path!r}", node)

    def arguments(self, node: s.Call, first: Value | None = None) -> Given:
        """Names and values of the arguments, after the object a method is called on."""
        values = self.several([argument.value for argument in node.arguments])
        given = [(argument.name, value) for argument, value in zip(node.arguments, values)]
        return [("", first), *given] if first is not None else given

    def method(self, node: s.Call, function: s.Attribute) -> Value:
        """`object.name(…)`."""
        owner = self.value(function.value)
        base, name = owner.base, function.name
        if not owner.atom:
            owner = self.kept(owner)
        given = self.arguments(node, owner)
        for module in (self.module, *self.libraries.values()):
            own = [entry for entry in module.functions.get(name, ()) if entry.method]
            own = [entry for entry in own if not entry.parameters or _may_be(written(entry.parameters[0].type), base)]
            if own:
                return self.inline(node, own, given, module)
        if name == "copy" and self.find_type(base) is not None:
            return Value(f"{owner.code}.copy()", base, effect=True)
        space = base.partition("<")[0]
        built = table().functions.get(f"{space}.{name}") if space in _METHOD_SPACES else None
        if built is None and base in ("?", "na"):
            spaces = [entry for entry in _METHOD_SPACES if f"{entry}.{name}" in table().functions]
            if len(spaces) == 1:
                built = table().functions[f"{spaces[0]}.{name}"]
            elif name == "copy" or spaces:
                codes = ", ".join(value.code for _, value in given)
                return Value(f"invoke({name!r}, {codes})", "?", effect=True)
        if built is None:
            raise self.fail(f"{base} has no method {name!r}", node)
        return self.built_in(node, built, built.name, given)

    # --- functions of the script ---------------------------------------------------------------

    def inline(self, node: s.Call, functions: list[s.Function], given: Given, module: Module) -> Value:
        """Compile the body of the function that fits the arguments, here."""
        function = self.fitting(node, functions, given)
        if function in self.open_calls:
            raise self.fail(f"{function.name}() calls itself, which the language does not allow", node)
        if len(self.open_calls) > _DEEPEST:
            raise self.fail(f"calls nested more than {_DEEPEST} deep", node)
        chosen = {name: value for name, value in given if name}
        free = [parameter for parameter in function.parameters if parameter.name not in chosen]
        places = {id(value): at for at, (_, value) in enumerate(given)}
        by_place = dict(zip([parameter.name for parameter in free], [value for name, value in given if not name]))
        chosen |= by_place
        outer = self.scope, self.module, self.version, self.source.line
        expressions = self.given_expressions(node, given)
        inner = Scope(module.scope)
        self.open_calls.append(function)
        for parameter in function.parameters:
            value = chosen.get(parameter.name)
            if value is None:
                assert parameter.default is not None
                self.scope = Scope(module.scope)
                value, origin = self.value(parameter.default), (parameter.default, module.scope)
            else:
                origin = (expressions[places[id(value)]], outer[0])
            self.scope = inner
            self.bind(parameter, value, function, origin)
        self.scope, self.module, self.version = inner, module, module.version
        try:
            return self.block(function.body)
        finally:
            self.open_calls.pop()
            self.scope, self.module, self.version, self.source.line = outer

    def given_expressions(self, node: s.Call, given: Given) -> list[s.Expression]:
        """The expression each argument was written as, the object of a method first."""
        written_down = [argument.value for argument in node.arguments]
        if len(given) > len(written_down):
            assert isinstance(node.function, s.Attribute)
            return [node.function.value, *written_down]
        return written_down

    def bind(
        self, parameter: s.Parameter, value: Value, function: s.Function, origin: tuple[s.Expression, Scope]
    ) -> None:
        """Make an argument known by the name of its parameter; a copy where its own past is asked for."""
        kind = written(parameter.type)
        if kind == "?" or (kind in ("array", "map", "matrix")):
            kind = "?" if value.type == "na" else value.base
        asked = parameter.name in self.indexed
        past = value.column or value.history
        changed = parameter.name in self.reassigned and any(
            isinstance(node, s.Assign) and path_of(node.target) == parameter.name for node in walk(function.body)
        )
        conditional = self.branches or self.loops
        if value.atom and not changed and (not asked or (past and not conditional)):
            literal = Value(value.code, kind, True, value.const, value.sure, column=value.column, history=value.history)
            variable = Variable(parameter.name, value.code, kind, literal=literal)
        else:
            variable = Variable(parameter.name, self.source.fresh("v"), kind, fixed=not changed)
            variable.sure = value.sure and not changed
            self.source.emit(f"{variable.code} = {value.code}")
            if asked:
                variable.history = self.source.fresh("h")
                self.remember(variable)
        self.scope.names[parameter.name] = variable
        self.origins[id(variable)] = origin

    def fitting(self, node: s.Call, functions: list[s.Function], given: Given) -> s.Function:
        """The function of several of one name that takes these arguments."""
        for strict in (True, False):
            for function in functions:
                if self.takes(function, given, strict):
                    return function
        wanted = ", ".join(parameter.name for parameter in functions[-1].parameters)
        raise self.fail(f"{functions[-1].name}() takes ({wanted}), and is given {len(given)} other arguments", node)

    def takes(self, function: s.Function, given: Given, strict: bool) -> bool:
        names = [parameter.name for parameter in function.parameters]
        taken: dict[str, Value] = {}
        for place, (name, value) in enumerate(given):
            if not name and place >= len(names) or name and name not in names:
                return False
            taken[name or names[place]] = value
        for parameter in function.parameters:
            value = taken.get(parameter.name)
            if value is None and parameter.default is None:
                return False
            if strict and value is not None and not _may_be(written(parameter.type), value.base):
                return False
        return True

    # --- functions of the language -------------------------------------------------------------

    def match(self, node: s.Call, built: Builtin, given: Given) -> tuple[Signature, dict[str, Value]]:
        """The way of calling a function that the arguments fit, and the arguments by name."""
        given = [(name, value) for name, value in given if name not in _EXTRA or name in _slots(built)]
        for strict in (True, False):
            for way in built.signatures:
                taken = self.matched(way, given, strict)
                if taken is not None:
                    return way, taken
        wanted = ", ".join(slot.name for slot in built.signatures[0].slots)
        raise self.fail(f"{built.name}() takes ({wanted}), and these arguments do not fit it", node)

    def matched(self, way: Signature, given: Given, strict: bool) -> dict[str, Value] | None:
        slots = {slot.name: slot for slot in way.slots}
        names = list(slots)
        taken: dict[str, Value] = {}
        for place, (name, value) in enumerate(given):
            if not name and place >= len(names):
                return None
            slot = slots.get(name or names[place])
            if slot is None or slot.name in taken:
                return None
            if strict and not fits(value.base, slot.bases, 5):
                return None
            taken[slot.name] = value
        return None if any(slot.required and slot.name not in taken for slot in way.slots) else taken

    def built_in(self, node: s.Call, built: Builtin, path: str, given: Given | None = None) -> Value:
        """A call of a function of the language."""
        raise NotImplementedError


def _slots(built: Builtin) -> set[str]:
    return {slot.name for way in built.signatures for slot in way.slots}


def _may_be(wanted: str, base: str) -> bool:
    """Whether a value of type `base` can stand where `wanted` is written."""
    if wanted == base or "?" in (wanted, base) or base in ("na", "void"):
        return True
    if wanted == "float" and base == "int":
        return True
    if wanted.rpartition(".")[2] == base.rpartition(".")[2]:  # a type of a library, named with and without its alias
        return True
    return "<" in wanted and wanted.partition("<")[0] == base.partition("<")[0] and "?" in base + wanted
