"""Calls: which function is meant, whether the arguments fit it, and what comes back."""

from typing import TYPE_CHECKING

from validators.pinescript import syntax as s
from validators.pinescript.builtins import V5_ARGUMENTS, V5_BOOLS, V5_CONDITIONS, Builtin, Signature, Slot
from validators.pinescript.kinds import ANYTHING, SERIES, UNKNOWN, UNSURE, VOID, WORDS, Kind, fits, widest
from validators.pinescript.problems import suggest
from validators.pinescript.tree import path_of

if TYPE_CHECKING:
    from validators.pinescript.values import Values

_COLLECTIONS = frozenset(("array", "matrix", "map"))
_ELEMENT = frozenset(("get", "first", "last", "pop", "shift", "remove"))
_OF_ELEMENTS = frozenset(("min", "max", "sum", "mode", "median", "avg", "range"))
_SAME = frozenset(("copy", "slice", "concat", "abs", "standardize", "transpose", "submatrix"))
_AS_ARGUMENT = frozenset(
    ("request.security", "request.security_lower_tf", "input.enum", "input", "nz", "fixnan", "na", "ta.valuewhen", "ta.change")
)  # fmt: skip
_ORDERS = (
    "strategy.entry",
    "strategy.exit",
    "strategy.order",
    "strategy.close",
    "strategy.close_all",
    "strategy.cancel",
    "strategy.cancel_all",
)


def check_call(checker: "Values", node: s.Call) -> Kind | list[Kind]:
    """The type of what a call gives; problems for arguments that do not fit."""
    arguments = [(argument, checker.value(argument.value)) for argument in node.arguments]
    path = path_of(node.function)
    root = path.partition(".")[0]
    if path and not ("." in path and _is_variable(checker, node, path, root, arguments)):
        if path in checker.functions:
            return _own(checker, node, checker.functions[path], arguments)
        built = checker.table.functions.get(path)
        if built is not None:
            return _built(checker, node, built, arguments)
        if root in checker.imports:
            return ANYTHING
        if (made := _construct(checker, node, path, arguments)) is not None:
            return made
        if "." not in path:
            if checker.scope.find(path) is not None:
                checker.problems.add("P011", f"{path!r} is a variable, and no function", node.place, subject=path)
            elif path not in checker.table.namespaces:
                checker.unknown(path, node.function, "function")
            return ANYTHING
        space = path.rpartition(".")[0]
        if space in checker.table.members and path not in checker.table.values:
            assert isinstance(node.function, s.Attribute)
            checker.member(node.function, space, list(checker.table.members[space]))
            return ANYTHING
    if isinstance(node.function, s.Attribute):
        return _method(checker, node, node.function, arguments)
    checker.value(node.function)
    checker.problems.add("P011", "only a function can be called, and this is a value", node.place)
    return ANYTHING


Arguments = list[tuple[s.Argument, Kind | list[Kind]]]


def _is_variable(checker: "Values", node: s.Call, path: str, root: str, arguments: Arguments) -> bool:
    """Whether `root.name(…)` is a method of a variable: it may be called like a namespace, as in `line = line.new(…)`.

    The built-in function is meant where there is one that takes these arguments.
    """
    if checker.scope.find(root) is None:
        return False
    built = checker.table.functions.get(path)
    return built is None or not (
        built.variadic or any(_match(checker, node, path, way, arguments, report=False) for way in built.signatures)
    )


def _construct(checker: "Values", node: s.Call, path: str, arguments: Arguments) -> Kind | None:
    """`Type.new(…)`, `array.new<float>()` and the copies of objects."""
    owner, _, word = path.rpartition(".")
    if owner in checker.types and word in ("new", "copy"):
        if word == "new":
            fields = checker.types[owner].fields
            slots = tuple(
                Slot(entry.name, False, frozenset((checker.written(entry.type).base if entry.type else UNKNOWN,)), UNSURE, "")
                for entry in fields
            )  # fmt: skip
            _match(checker, node, f"{owner}.new", Signature(slots, ANYTHING), arguments, report=True)
        return Kind(SERIES, owner)
    return None


def _method(checker: "Values", node: s.Call, function: s.Attribute, arguments: Arguments) -> Kind | list[Kind]:
    """`receiver.name(…)`: a method of the script or of a built-in type."""
    receiver = checker.single(function.value)
    head = s.Argument(*function.value.place, "", function.value)
    given = [(head, receiver), *arguments]
    own = [entry for entry in checker.functions.get(function.name, ()) if entry.method]
    if any(_match(checker, node, entry.name, _signature_of(checker, entry), given, report=False) for entry in own):
        return _own(checker, node, own, given)
    base = receiver.base
    space = base.partition("<")[0]
    if own and f"{space}.{function.name}" not in checker.table.functions:
        return _own(checker, node, own, given)
    if base == UNKNOWN or base == "na" or space not in checker.table.namespaces:
        if (
            base in checker.types
            and not checker.imports
            and function.name
            not in (
                "copy",
                *(entry.name for entry in checker.types[base].fields),
            )
        ):
            checker.member(
                function, base, [entry.name for entry in checker.types[base].fields] + list(checker.functions)
            )
        return Kind(SERIES, base) if function.name == "copy" else ANYTHING
    built = checker.table.functions.get(f"{space}.{function.name}")
    if built is not None:
        return _built(checker, node, built, given)
    if not checker.imports:  # a library may have such a method
        checker.member(function, base, list(checker.table.members.get(space, ())))
    return ANYTHING


def _signature_of(checker: "Values", function: s.Function) -> Signature:
    """How a function of the script is called."""
    slots = tuple(
        Slot(
            parameter.name, parameter.default is None,
            frozenset((checker.written(parameter.type).base if parameter.type else UNKNOWN,)),
            {"const": 0, "input": 1, "simple": 2}.get(parameter.type.qualifier, UNSURE) if parameter.type else UNSURE,
            f"{parameter.type.qualifier} {parameter.type.name}".strip() if parameter.type else "",
        )
        for parameter in function.parameters
    )  # fmt: skip
    return Signature(slots, ANYTHING)


def _own(checker: "Values", node: s.Call, functions: list[s.Function], arguments: Arguments) -> Kind | list[Kind]:
    """A call of a function the script defines; with several of one name, any that fits."""
    best: s.Function | None = None
    for function in functions:
        way = _signature_of(checker, function)
        if _match(checker, node, function.name, way, arguments, report=len(functions) == 1):
            best = function
            break
    best = best or functions[-1]
    return checker.results.get(id(best), ANYTHING)


def _built(checker: "Values", node: s.Call, built: Builtin, arguments: Arguments) -> Kind | list[Kind]:
    name = built.name
    if built.top_level and not checker.scope.top:
        checker.problems.add(
            "P026", f"{name}() works at the top level of the script only, not in a block or a function", node.place
        )
    if name in _ORDERS and checker.kind_of_script in ("indicator", "study", "library"):
        checker.problems.add("P027", f"{name}() in a script declared with {checker.kind_of_script}()", node.place)
    arguments = _without_old(checker, name, arguments)
    if built.variadic:
        if len(arguments) < built.least:
            checker.problems.add(
                "P015", f"{name}() takes at least {built.least} arguments, {len(arguments)} given", node.place
            )
    else:
        if name in V5_BOOLS and checker.version < 6:
            arguments = [(argument, ANYTHING if _is_bool(kind) else kind) for argument, kind in arguments]
        for way in built.signatures:
            if _match(checker, node, name, way, arguments, report=False):
                return _result(checker, built, way, node, arguments)
        _match(checker, node, name, _nearest(built, arguments), arguments, report=True)
    return _result(checker, built, built.signatures[0], node, arguments)


def _is_bool(kind: Kind | list[Kind]) -> bool:
    return isinstance(kind, Kind) and kind.base == "bool"


def _nearest(built: Builtin, arguments: Arguments) -> Signature:
    """The way to call a function that the arguments come nearest to."""
    named = {argument.name for argument, _ in arguments if argument.name}
    return max(
        built.signatures,
        key=lambda way: (len(named & {slot.name for slot in way.slots}), -abs(len(way.slots) - len(arguments)) if len(way.slots) < len(arguments) else 0),
    )  # fmt: skip


def _without_old(checker: "Values", name: str, arguments: Arguments) -> Arguments:
    """Arguments that version 5 took are left out of the match there, and a problem in version 6."""
    if checker.version >= 6 and not any(argument.name in V5_ARGUMENTS for argument, _ in arguments):
        return arguments
    kept = []
    for argument, kind in arguments:
        owners = V5_ARGUMENTS.get(argument.name, ())
        if owners and name.startswith(owners):
            if checker.version >= 6:
                instead = "color.new()" if argument.name == "transp" else "an `if` around the call"
                checker.problems.add(
                    "P029", f"{name}() has no {argument.name!r} in version 6; use {instead}", argument.place
                )
            continue
        if checker.version < 6 and name in V5_CONDITIONS and not argument.name and _is_bool(kind):
            continue
        kept.append((argument, kind))
    return kept


def _match(checker: "Values", node: s.Call, name: str, way: Signature, arguments: Arguments, *, report: bool) -> bool:
    """Whether the arguments fit; what does not is a problem where `report` asks for it."""
    problems, slots, by_name = checker.problems, way.slots, way.by_name
    taken: set[str] = set()
    good = True
    for place, (argument, kind) in enumerate(arguments):
        if argument.name:
            slot = by_name.get(argument.name)
            if slot is None:
                if report:
                    problems.add(
                        "P017",
                        f"{name}() has no argument {argument.name!r}{suggest(argument.name, by_name)}",
                        argument.place,
                        subject=f"{name}:{argument.name}",
                    )
                good = False
                continue
        elif place >= len(slots):
            if report:
                problems.add("P016", f"{name}() takes {len(slots)} arguments, {len(arguments)} given", argument.place)
            return False
        else:
            slot = slots[place]
        if slot.name in taken:
            if report:
                problems.add("P018", f"{name}() is given {slot.name!r} twice", argument.place)
            good = False
        taken.add(slot.name)
        if isinstance(kind, list) or kind.base in slot.bases and kind.qualifier < SERIES:
            continue
        if not _fits(checker, name, slot, kind, argument, report):
            good = False
    missing = [required for required in way.required if required not in taken]
    if missing:
        if report:
            problems.add("P015", f"{name}() needs {', '.join(repr(part) for part in missing)}", node.place)
        good = False
    return good


def _fits(checker: "Values", name: str, slot: Slot, kind: Kind, argument: s.Argument, report: bool) -> bool:
    base, bases = kind.base, slot.bases
    if base not in bases and (
        base == "float" and "int" in bases and UNKNOWN not in bases or not fits(base, bases, checker.version)
    ):
        if report:
            wanted = "/".join(sorted(bases))
            checker.problems.add("P019", f"{name}(): {slot.name!r} takes {wanted}, not {base}", argument.value.place)
        return False
    if slot.qualifier != UNSURE and kind.qualifier == SERIES and slot.qualifier < SERIES and kind.base != UNKNOWN:
        if report:
            checker.problems.add(
                "P020",
                f"{name}(): {slot.name!r} must be {WORDS[slot.qualifier]}, and this changes from bar to bar",
                argument.value.place,
            )
        return False
    return True


def _result(checker: "Values", built: Builtin, way: Signature, node: s.Call, arguments: Arguments) -> Kind | list[Kind]:
    """The type of what a built-in gives, where it depends on its arguments too."""
    space = built.space
    if space in _COLLECTIONS and (of := _of_collection(checker, built, node, arguments)) is not None:
        return of
    if built.name in _AS_ARGUMENT:
        return _of_argument(built.name, arguments)
    if isinstance(way.returns, list):
        return way.returns
    if way.returns.base == "void":
        return VOID
    # A function of values that are known early gives one that is known early, unless it looks at the bars.
    rank = way.returns.qualifier
    if rank == SERIES and space in ("math", "str", "color", "") and way.returns.base != UNKNOWN:
        kinds = [kind for _, kind in arguments if isinstance(kind, Kind)]
        rank = widest(*kinds) if kinds and widest(*kinds) == UNSURE else rank
    return Kind(rank, way.returns.base)


def _of_collection(checker: "Values", built: Builtin, node: s.Call, arguments: Arguments) -> Kind | None:
    """The type of what a function of a collection gives, where it is that of the collection or of its elements."""
    space, word = built.space, built.word
    first = arguments[0][1] if arguments and isinstance(arguments[0][1], Kind) else ANYTHING
    if word == "new":
        of = ", ".join(checker.written(part).base for part in node.types)
        return Kind(SERIES, f"{space}<{of}>" if of else UNKNOWN)
    if word in _SAME:
        return Kind(SERIES, first.base)
    inner = first.base.partition("<")[2].removesuffix(">")
    if space == "map":
        return Kind(SERIES, inner.rpartition(", ")[2] or UNKNOWN) if word in ("get", "put", "remove") else None
    if word in _ELEMENT:
        return Kind(SERIES, inner or UNKNOWN)
    if word in _OF_ELEMENTS:
        return Kind(SERIES, UNKNOWN)
    if word.startswith("new_"):
        return Kind(SERIES, f"array<{word[4:]}>")
    if word == "from":
        return Kind(SERIES, f"array<{first.base}>" if first.base not in (UNKNOWN, "na", "int") else UNKNOWN)
    return None


def _of_argument(name: str, arguments: Arguments) -> Kind | list[Kind]:
    if name == "na":
        return Kind(SERIES, "bool")
    place = {"request.security": 2, "request.security_lower_tf": 2, "ta.valuewhen": 1}.get(name, 0)
    key = {"request.security": "expression", "request.security_lower_tf": "expression", "ta.valuewhen": "source"}.get(
        name, ""
    )
    found = next((kind for argument, kind in arguments if argument.name == key), None) if key else None
    if found is None and place < len(arguments) and not arguments[place][0].name:
        found = arguments[place][1]
    if found is None:
        return ANYTHING
    if name == "request.security_lower_tf":
        return ANYTHING
    if isinstance(found, list):
        return [Kind(SERIES, kind.base) for kind in found]
    if name in ("input", "input.enum"):
        return Kind(SERIES if found.qualifier == SERIES else 1, found.base)
    if name == "ta.change" and found.base == "bool":
        return Kind(SERIES, "bool")
    if name in ("nz", "fixnan") and found.base == "na":
        return ANYTHING
    return Kind(found.qualifier if name == "nz" else SERIES, found.base)
