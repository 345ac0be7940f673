"""Wording with alternatives: `[buys|adds|takes on] size` in a template is one of three texts.

Alternatives nest, may be empty, and may hold `{{ name }}`; they are turned into Jinja expressions
once, when a template is compiled, so a row pays one draw per alternative and nothing is parsed.
A literal bracket is written `\\[` or `\\]`. Logic (`{% if %}`) stays outside brackets.
"""

import re

from tapewright.errors import TemplateError

_PIECE = re.compile(r"(\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}|\\[\[\]|]|[\[\]|])", re.DOTALL)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


class _Group:
    """One bracket while it is read: finished alternatives and the parts of the open one."""

    def __init__(self) -> None:
        self.alternatives: list[str] = []
        self.parts: list[str] = []

    def close_alternative(self) -> None:
        if len(self.parts) > 1:
            self.alternatives.append("(" + "~".join(self.parts) + ")")
        else:
            self.alternatives.append(self.parts[0] if self.parts else "''")
        self.parts = []

    def expression(self) -> str:
        self.close_alternative()
        if len(self.alternatives) == 1:
            return self.alternatives[0]
        return "((" + ",".join(self.alternatives) + ")|pick)"


def expand(source: str, name: str = "template") -> str:
    """Turn bracket alternatives of `source` into Jinja expressions.

    Raises TemplateError naming the line for an unclosed bracket or logic inside one.
    """
    out: list[str] = []
    stack: list[_Group] = []
    line = 1
    for piece in _PIECE.split(source):
        if piece == "[":
            stack.append(_Group())
        elif piece == "]" and stack:
            expression = stack.pop().expression()
            if stack:
                stack[-1].parts.append(expression)
            else:
                out.append("{{" + expression + "}}")
        elif piece == "]":
            raise TemplateError(f"{name}:{line}: ']' without '['; write '\\]' for a literal bracket")
        elif piece == "|" and stack:
            stack[-1].close_alternative()
        elif not stack:
            out.append(piece[1:] if piece[:1] == "\\" and len(piece) == 2 else piece)
        elif piece.startswith("{%"):
            raise TemplateError(f"{name}:{line}: logic {piece!r} inside brackets; put the brackets inside the if")
        elif piece.startswith("{{"):
            stack[-1].parts.append("(" + piece[2:-2] + ")")
        elif piece and not piece.startswith("{#"):
            stack[-1].parts.append(_quoted(piece[1:] if piece[:1] == "\\" and len(piece) == 2 else piece))
        line += piece.count("\n")
    if stack:
        raise TemplateError(f"{name}:{line}: '[' is never closed; write '\\[' for a literal bracket")
    return "".join(out)


def count_wordings(source: str) -> int:
    """How many different texts the brackets of `source` can give (Jinja logic is not counted)."""
    totals, current = [[1]], [1]
    for piece in _PIECE.split(source):
        if piece == "[":
            totals.append([])
            current.append(1)
        elif piece == "|" and len(current) > 1:
            totals[-1].append(current[-1])
            current[-1] = 1
        elif piece == "]" and len(current) > 1:
            inside = sum(totals.pop()) + current.pop()
            current[-1] *= inside
    return current[0]
