"""The syntax tree of a script. Every node has `line` and `column`, counted from 1."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """Anything with a place."""

    line: int
    column: int

    @property
    def place(self) -> tuple[int, int]:
        """Line and column."""
        return self.line, self.column


# --- expressions -------------------------------------------------------------------------------


@dataclass(slots=True)
class Literal(Node):
    """A number, text, color or truth value, as printed; `kind` is int, float, string, color or bool."""

    kind: str
    text: str


@dataclass(slots=True)
class Name(Node):
    """A plain name."""

    name: str


@dataclass(slots=True)
class Attribute(Node):
    """`value.name`: a member of a namespace, an object or an enum; `path` is all of it where it is made of names only."""

    value: "Expression"
    name: str
    path: str = ""


@dataclass(slots=True)
class Index(Node):
    """`value[offset]`: what the value was so many bars ago."""

    value: "Expression"
    offset: "Expression"


@dataclass(slots=True)
class Argument(Node):
    """One argument of a call; `name` is empty for one by position."""

    name: str
    value: "Expression"


@dataclass(slots=True)
class Call(Node):
    """`function<types>(arguments)`."""

    function: "Expression"
    types: list["TypeName"]
    arguments: list[Argument]


@dataclass(slots=True)
class Unary(Node):
    """`-x`, `+x` or `not x`."""

    operator: str
    value: "Expression"


@dataclass(slots=True)
class Binary(Node):
    """Two operands and what stands between them, `and` and `or` too."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(slots=True)
class Ternary(Node):
    """`condition ? yes : no`."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"


@dataclass(slots=True)
class Tuple(Node):
    """`[a, b]` as a value."""

    items: list["Expression"]


@dataclass(slots=True)
class If(Node):
    """`if`, with its `else` as another block; a structure, which has a value."""

    condition: "Expression"
    body: list["Statement"]
    otherwise: list["Statement"]


@dataclass(slots=True)
class Case(Node):
    """One branch of a switch; no `test` for the default."""

    test: "Expression | None"
    body: list["Statement"]


@dataclass(slots=True)
class Switch(Node):
    """`switch subject` or, without one, on the first test that is true."""

    subject: "Expression | None"
    cases: list[Case]


@dataclass(slots=True)
class For(Node):
    """`for name = start to end by step`."""

    name: str
    start: "Expression"
    end: "Expression"
    step: "Expression | None"
    body: list["Statement"]


@dataclass(slots=True)
class ForIn(Node):
    """`for name in values` or `for [place, name] in values`."""

    names: list[str]
    values: "Expression"
    body: list["Statement"]


@dataclass(slots=True)
class While(Node):
    """`while condition`."""

    condition: "Expression"
    body: list["Statement"]


Expression = (
    Literal | Name | Attribute | Index | Call | Unary | Binary | Ternary | Tuple | If | Switch | For | ForIn | While
)

# --- statements --------------------------------------------------------------------------------


@dataclass(slots=True)
class TypeName(Node):
    """A written type, e.g. `series map<string, float>`; `qualifier` may be empty."""

    name: str
    qualifier: str = ""
    of: list["TypeName"] = field(default_factory=list)


@dataclass(slots=True)
class Declare(Node):
    """`var float x = value`; `mode` is var, varip or empty."""

    mode: str
    type: TypeName | None
    name: str
    value: Expression


@dataclass(slots=True)
class DeclareTuple(Node):
    """`[a, b] = value`."""

    mode: str
    names: list[str]
    value: Expression


@dataclass(slots=True)
class Assign(Node):
    """`target := value` and its relatives."""

    operator: str
    target: Expression
    value: Expression


@dataclass(slots=True)
class Parameter(Node):
    """A parameter of a function, or a field of a type."""

    type: TypeName | None
    name: str
    default: Expression | None


@dataclass(slots=True)
class Function(Node):
    """A function or method the script defines."""

    name: str
    parameters: list[Parameter]
    body: list["Statement"]
    method: bool = False
    export: bool = False


@dataclass(slots=True)
class UserType(Node):
    """`type name` with its fields."""

    name: str
    fields: list[Parameter]
    export: bool = False


@dataclass(slots=True)
class Enum(Node):
    """`enum name` with its fields and their titles."""

    name: str
    fields: list[tuple[str, Expression | None]]
    export: bool = False


@dataclass(slots=True)
class Import(Node):
    """`import user/library/version as alias`."""

    path: str
    alias: str


@dataclass(slots=True)
class Leave(Node):
    """`break` or `continue`."""

    word: str


@dataclass(slots=True)
class Run(Node):
    """An expression as a statement."""

    value: Expression


Statement = Declare | DeclareTuple | Assign | Function | UserType | Enum | Import | Leave | Run


@dataclass(slots=True)
class Script(Node):
    """A whole script, with all its calls in the order they end, its assignments and the names it declares, wherever they stand."""

    version: int
    statements: list[Statement]
    calls: list[Call] = field(default_factory=list)
    assigns: list[Assign] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
