"""What the compiler knows of a value: the Python that gives it, and its type.

Types are written as in scripts: `float`, `array<int>`, `map<string, float>`, the name of a user type; `?` is
not known, `na` fits everywhere, `void` is no value. A tuple of values has a list of types.
"""

from dataclasses import dataclass

from validators.pinescript import syntax as s
from validators.pinescript.printer import type_text

Type = str | list["Type"]
NUMBERS = ("int", "float")


@dataclass(slots=True)
class Value:
    """`code` may stand twice only where `atom` is true; `effect` says that evaluating it changes something.

    `const` is known before any bar; `sure` is never na; `depth` is how deeply its brackets are nested.
    `column` names the list of the chart it is an element of, `history` the list that keeps its past.
    """

    code: str
    type: Type
    atom: bool = False
    const: bool = False
    sure: bool = False
    effect: bool = False
    depth: int = 0
    column: str = ""
    history: str = ""

    @property
    def base(self) -> str:
        """The type of one value; `?` for several."""
        return self.type if isinstance(self.type, str) else "?"


VOID = Value("None", "void", atom=True)
NA = Value("nan", "na", atom=True, const=True)


@dataclass(slots=True)
class Variable:
    """A declared name: the Python name that holds it, and the list of its past where it is asked for."""

    name: str
    code: str
    type: Type
    history: str = ""
    column: str = ""
    fixed: bool = True  # never given another value
    const: bool = False
    sure: bool = False
    literal: Value | None = None


class Scope:
    """The names of one block; `parent` is the block around it."""

    __slots__ = ("names", "parent")

    def __init__(self, parent: "Scope | None" = None) -> None:
        self.parent = parent
        self.names: dict[str, Variable] = {}

    def find(self, name: str) -> Variable | None:
        """The variable that `name` means here."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None


def either(left: Type, right: Type) -> Type:
    """The type of what is one of two values: na gives way, int and float give float."""
    if left == right:
        return left
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [either(a, b) for a, b in zip(left, right)]
    if left in ("na", "void"):
        return right
    if right in ("na", "void"):
        return left
    if isinstance(left, str) and isinstance(right, str) and left in NUMBERS and right in NUMBERS:
        return "float"
    return "?"


def written(node: s.TypeName | None) -> str:
    """The type a script writes down, without its qualifier; `?` for none."""
    if node is None or not node.name:
        return "?"
    return type_text(s.TypeName(node.line, node.column, node.name, "", [_bare(part) for part in node.of]))


def _bare(node: s.TypeName) -> s.TypeName:
    return s.TypeName(node.line, node.column, node.name, "", [_bare(part) for part in node.of])


def parts(kind: str) -> list[str]:
    """`["string", "array<int>"]` for `map<string, array<int>>`."""
    inner = kind.partition("<")[2]
    if not inner:
        return []
    found, depth, start = [], 0, 0
    inner = inner[:-1]
    for at, sign in enumerate(inner):
        depth += (sign == "<") - (sign == ">")
        if sign == "," and depth == 0:
            found.append(inner[start:at].strip())
            start = at + 1
    return [*found, inner[start:].strip()]


def element(kind: Type) -> str:
    """The type of what an array or matrix holds, or of the values of a map."""
    inside = parts(kind) if isinstance(kind, str) else []
    return inside[-1] if inside else "?"
