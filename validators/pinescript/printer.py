"""A syntax tree back to source: four spaces to a block, one statement to a line, brackets only where they are needed."""

from validators.pinescript import syntax as s
from validators.pinescript.lexer import comments_of

_RANKS = {
    "or": 1, "and": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_UNARY, _POSTFIX = 7, 8
_INDENT = "    "


def show(script: s.Script, source: str = "") -> str:
    """The source of a tree; comments are taken from the `source` it was read from."""
    return _Printer(comments_of(source)).script(script)


class _Printer:
    def __init__(self, comments: list[tuple[int, str, bool]]) -> None:
        self.comments = comments
        self.lines: list[str] = []

    def script(self, script: s.Script) -> str:
        if script.version > 1 and not any("@version" in text for _, text, _ in self.comments):
            self.lines.append(f"//@version={script.version}")
        self.block(script.statements, "")
        for _, text, _ in self.comments:
            self.lines.append(text)
        return "\n".join(self.lines) + "\n"

    def block(self, statements: list[s.Statement], indent: str) -> None:
        for statement in statements:
            self.before(statement.line, indent)
            self.statement(statement, indent)

    def before(self, line: int, indent: str) -> None:
        """Comments that stand before `line`; one at the end of a line goes to the end of what was printed for it."""
        while self.comments and self.comments[0][0] < line:
            _, text, alone = self.comments.pop(0)
            if alone or not self.lines or "//" in self.lines[-1]:
                self.lines.append(indent + text)
            else:
                self.lines[-1] += f" {text}"

    def statement(self, node: s.Statement, indent: str) -> None:
        if isinstance(node, s.Run):
            self.valued(indent, "", node.value)
        elif isinstance(node, s.Declare):
            head = " ".join(part for part in (node.mode, type_text(node.type) if node.type else "", node.name) if part)
            self.valued(indent, f"{head} = ", node.value)
        elif isinstance(node, s.DeclareTuple):
            mode = f"{node.mode} " if node.mode else ""
            self.valued(indent, f"{mode}[{', '.join(node.names)}] = ", node.value)
        elif isinstance(node, s.Assign):
            self.valued(indent, f"{text_of(node.target)} {node.operator} ", node.value)
        elif isinstance(node, s.Function):
            self.function(node, indent)
        elif isinstance(node, s.UserType):
            self.lines.append(f"{indent}{'export ' if node.export else ''}type {node.name}")
            for entry in node.fields:
                self.before(entry.line, indent + _INDENT)
                self.lines.append(f"{indent}{_INDENT}{parameter_text(entry)}")
        elif isinstance(node, s.Enum):
            self.lines.append(f"{indent}{'export ' if node.export else ''}enum {node.name}")
            self.lines += [
                f"{indent}{_INDENT}{name}" + (f" = {text_of(title)}" if title is not None else "")
                for name, title in node.fields
            ]
        elif isinstance(node, s.Import):
            alias = "" if node.path.split("/")[1:2] == [node.alias] else f" as {node.alias}"
            self.lines.append(f"{indent}import {node.path}{alias}")
        else:
            self.lines.append(f"{indent}{node.word}")

    def function(self, node: s.Function, indent: str) -> None:
        words = ("export " if node.export else "") + ("method " if node.method else "")
        head = f"{words}{node.name}({', '.join(map(parameter_text, node.parameters))}) =>"
        (only,) = node.body if len(node.body) == 1 else (None,)
        if isinstance(only, s.Run) and not isinstance(only.value, (s.If, s.Switch, s.For, s.ForIn, s.While)):
            self.lines.append(f"{indent}{head} {text_of(only.value)}")
            return
        self.lines.append(indent + head)
        self.block(node.body, indent + _INDENT)

    def valued(self, indent: str, head: str, value: s.Expression) -> None:
        """A line that ends with a value; a structure goes on in blocks."""
        inner = indent + _INDENT
        if isinstance(value, s.If):
            self.lines.append(f"{indent}{head}if {text_of(value.condition)}")
            self.block(value.body, inner)
            self.otherwise(value, indent)
        elif isinstance(value, s.Switch):
            self.lines.append(
                f"{indent}{head}switch{' ' + text_of(value.subject) if value.subject is not None else ''}"
            )
            for case in value.cases:
                self.before(case.line, inner)
                test = f"{text_of(case.test)} " if case.test is not None else ""
                (only,) = case.body if len(case.body) == 1 else (None,)
                if isinstance(only, s.Run) and not isinstance(only.value, (s.If, s.Switch, s.For, s.ForIn, s.While)):
                    self.lines.append(f"{inner}{test}=> {text_of(only.value)}")
                else:
                    self.lines.append(f"{inner}{test}=>")
                    self.block(case.body, inner + _INDENT)
        elif isinstance(value, s.For):
            step = f" by {text_of(value.step)}" if value.step is not None else ""
            self.lines.append(f"{indent}{head}for {value.name} = {text_of(value.start)} to {text_of(value.end)}{step}")
            self.block(value.body, inner)
        elif isinstance(value, s.ForIn):
            names = value.names[0] if len(value.names) == 1 else f"[{', '.join(value.names)}]"
            self.lines.append(f"{indent}{head}for {names} in {text_of(value.values)}")
            self.block(value.body, inner)
        elif isinstance(value, s.While):
            self.lines.append(f"{indent}{head}while {text_of(value.condition)}")
            self.block(value.body, inner)
        else:
            self.lines.append(f"{indent}{head}{text_of(value)}")

    def otherwise(self, node: s.If, indent: str) -> None:
        if not node.otherwise:
            return
        (only,) = node.otherwise if len(node.otherwise) == 1 else (None,)
        if isinstance(only, s.Run) and isinstance(only.value, s.If):
            self.before(only.line, indent)
            self.lines.append(f"{indent}else if {text_of(only.value.condition)}")
            self.block(only.value.body, indent + _INDENT)
            self.otherwise(only.value, indent)
            return
        self.lines.append(f"{indent}else")
        self.block(node.otherwise, indent + _INDENT)


def type_text(node: s.TypeName) -> str:
    """`series array<float>`."""
    of = f"<{', '.join(map(type_text, node.of))}>" if node.of else ""
    return f"{node.qualifier} {node.name}{of}".strip()


def parameter_text(node: s.Parameter) -> str:
    """`simple int length = 14`."""
    written = f"{type_text(node.type)} " if node.type else ""
    return f"{written}{node.name}" + (f" = {text_of(node.default)}" if node.default is not None else "")


def text_of(node: s.Expression, rank: int = 0) -> str:
    """An expression, in brackets where what is around it binds more tightly than `rank`."""
    if isinstance(node, s.Literal):
        return node.text
    if isinstance(node, s.Name):
        return node.name
    if isinstance(node, s.Attribute):
        return f"{text_of(node.value, _POSTFIX)}.{node.name}"
    if isinstance(node, s.Index):
        return f"{text_of(node.value, _POSTFIX)}[{text_of(node.offset)}]"
    if isinstance(node, s.Call):
        types = f"<{', '.join(map(type_text, node.types))}>" if node.types else ""
        arguments = ", ".join(
            (f"{entry.name} = " if entry.name else "") + text_of(entry.value) for entry in node.arguments
        )
        return f"{text_of(node.function, _POSTFIX)}{types}({arguments})"
    if isinstance(node, s.Unary):
        space = " " if node.operator == "not" else ""
        return _wrapped(f"{node.operator}{space}{text_of(node.value, _UNARY)}", _UNARY, rank)
    if isinstance(node, s.Binary):
        own = _RANKS[node.operator]
        return _wrapped(f"{text_of(node.left, own)} {node.operator} {text_of(node.right, own + 1)}", own, rank)
    if isinstance(node, s.Ternary):
        return _wrapped(f"{text_of(node.condition, 1)} ? {text_of(node.yes)} : {text_of(node.no)}", 0, rank)
    if isinstance(node, s.Tuple):
        return f"[{', '.join(map(text_of, node.items))}]"
    raise TypeError(f"{type(node).__name__} stands on lines of its own")


def _wrapped(text: str, own: int, rank: int) -> str:
    return f"({text})" if own < rank else text
