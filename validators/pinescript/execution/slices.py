"""The part of a script that one expression depends on."""

from collections.abc import Callable, Iterable

from validators.pinescript import syntax as s
from validators.pinescript.execution.values import Scope
from validators.pinescript.tree import path_of, walk

_DEFINITIONS = (s.Function, s.UserType, s.Enum, s.Import)


def resolved(
    expression: s.Expression, scope: Scope, top: Scope, origins: dict[int, tuple[s.Expression, Scope]], fail: Callable, depth: int = 0
) -> s.Expression:  # fmt: skip
    """The expression with names of functions and blocks replaced by what they were given, so that only top-level ones are left.

    Raises what `fail` makes where a name's value changes, and so cannot be computed elsewhere.
    """
    if depth > 50:
        raise fail("request.security() of a value that depends on itself", expression)

    def change(node: object) -> object:
        if isinstance(node, s.Name):
            variable = scope.find(node.name)
            if variable is None or top.names.get(node.name) is variable:
                return node
            known = origins.get(id(variable))
            if known is None or not variable.fixed:
                raise fail(f"request.security() of {node.name!r}, which changes inside of a function or block", node)
            return resolved(known[0], known[1], top, origins, fail, depth + 1)
        if isinstance(node, s.Attribute) and scope.find(path_of(node).partition(".")[0]) is None:
            return node
        if isinstance(node, s.Node):
            kind = type(node)
            return kind(*[change(getattr(node, name)) for name in kind.__dataclass_fields__])  # type: ignore[arg-type]
        if isinstance(node, list):
            return [change(item) for item in node]
        return node

    return change(expression)  # type: ignore[return-value]


def cut(script: s.Script, expression: s.Expression, name: str) -> s.Script:
    """A script of the definitions, the statements `expression` depends on, and a declaration of `name` as its value."""
    functions = {node.name: node for node in script.statements if isinstance(node, s.Function)}
    waiting, needed = _names([expression]), set()
    plain = [node for node in script.statements if not isinstance(node, _DEFINITIONS) and not _declares(node)]
    known = {name for node in plain for name in _declared(node)}
    facts = [(node, _given(node, functions, set()) & known) for node in plain]
    kept: set[int] = set()
    while waiting:
        new = waiting.pop()
        if new in needed:
            continue
        needed.add(new)
        if new in functions:
            waiting |= _names([functions[new]])
        for node, given in facts:
            if id(node) not in kept and new in given:
                kept.add(id(node))
                waiting |= _names([node])
    end = s.Declare(expression.line, expression.column, "", None, name, expression)
    statements = [node for node in script.statements if isinstance(node, _DEFINITIONS) or id(node) in kept]
    return s.Script(script.line, script.column, script.version, [*statements, end])


def _declares(node: s.Statement) -> bool:
    return (
        isinstance(node, s.Run)
        and isinstance(node.value, s.Call)
        and path_of(node.value.function) in ("indicator", "strategy", "library", "study")
    )


def _names(nodes: Iterable[object]) -> set[str]:
    return {node.name for node in walk(nodes) if isinstance(node, s.Name)} | {
        node.name for node in walk(nodes) if isinstance(node, s.Attribute)
    }


def _declared(node: s.Statement) -> set[str]:
    if isinstance(node, s.DeclareTuple):
        return set(node.names)
    return {node.name} if isinstance(node, s.Declare) else set()


def _given(node: s.Statement, functions: dict[str, s.Function], seen: set[str]) -> set[str]:
    """Names a statement declares or gives another value to, and objects it or a function it calls may change."""
    found: set[str] = set()
    for part in walk([node]):
        if isinstance(part, s.Declare):
            found.add(part.name)
        elif isinstance(part, s.DeclareTuple):
            found |= set(part.names)
        elif isinstance(part, s.Assign):
            found.add(_root(part.target))
        elif isinstance(part, s.Call):
            path = path_of(part.function)
            if isinstance(part.function, s.Attribute):
                found.add(_root(part.function.value))  # `values.push(x)` changes `values`
            if path.startswith(("array.", "matrix.", "map.")):
                found |= {
                    _root(argument.value) for argument in part.arguments[:1]
                }  # and so does `array.push(values, x)`
            called = functions.get(path.rpartition(".")[2])
            if called is not None and called.name not in seen:
                inside = _given(called, functions, seen | {called.name})
                found |= inside
                places = {
                    parameter.name: at for at, parameter in enumerate(called.parameters) if parameter.name in inside
                }
                for at, argument in enumerate(part.arguments):
                    if at in places.values() or argument.name in places:
                        found.add(_root(argument.value))
    return found


def _root(node: object) -> str:
    while isinstance(node, (s.Attribute, s.Index)):
        node = node.value
    return node.name if isinstance(node, s.Name) else ""
