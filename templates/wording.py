"""Wording with alternatives: `[buys|adds|takes on] size` in a template is one of three texts.

Alternatives nest, may be empty, and may hold `{{ name }}`; they are turned into Jinja expressions
once, when a template is compiled, so a row pays one draw per alternative and nothing is parsed.
A literal bracket is written `\\[` or `\\]`. Logic (`{% if %}`) stays outside brackets.
"""

import re
from collections.abc import Mapping
from typing import Any

from tapewright.errors import TemplateError
from tapewright.streams import Stream

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


class Wording:
    """A wording of brackets and bare `{{ name }}` only, rendered without Jinja.

    Data files hold thousands of such sentences; compiling one with Jinja takes a millisecond, parsing
    it here some twenty microseconds. Only the alternative that is drawn is rendered.
    """

    __slots__ = ("_parts", "name")

    def __init__(self, source: str) -> None:
        self.name = source[:60]
        self._parts = _parse(source)

    def render(self, words: Mapping[str, Any], stream: Stream) -> str:
        """The text; raises TemplateError for a name that `words` lacks."""
        out: list[str] = []
        try:
            _write(self._parts, words, stream, out)
        except KeyError as error:
            raise TemplateError(f"wording {self.name!r}: {error.args[0]!r} is undefined") from error
        return "".join(out)


_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}$")


class _Name(str):
    """A word to look up; plain text is a plain string, alternatives are a tuple of lists."""


def is_plain(source: str) -> bool:
    """Whether `source` needs no more than brackets and bare names."""
    return (
        "{%" not in source
        and "{#" not in source
        and all(_NAME.match(piece) for piece in _PIECE.findall(source) if piece.startswith("{{"))
    )


def _parse(source: str) -> list:
    expand(source)  # raises for brackets that do not match
    root: list = []
    stack: list[tuple[list, list]] = []  # (alternatives, the open one)
    current = root
    for piece in _PIECE.split(source):
        if piece == "[":
            stack.append(([], current))
            current = []
        elif piece == "|" and stack:
            stack[-1][0].append(current)
            current = []
        elif piece == "]":
            alternatives, outer = stack.pop()
            alternatives.append(current)
            outer.append(tuple(alternatives))
            current = outer
        elif piece.startswith("{{"):
            match = _NAME.match(piece)
            assert match is not None
            current.append(_Name(match[1]))
        elif piece:
            current.append(piece[1:] if piece[:1] == "\\" and len(piece) == 2 else piece)
    return root


def _write(parts: list, words: Mapping[str, Any], stream: Stream, out: list[str]) -> None:
    for part in parts:
        kind = type(part)
        if kind is str:
            out.append(part)
        elif kind is tuple:
            _write(part[int(stream.random() * len(part))], words, stream, out)
        else:
            out.append(str(words[part]))
