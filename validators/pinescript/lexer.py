"""Pine source to tokens, with the language's two rules about the beginning of a line.

A block is indented by four spaces (or a tab) more than the line that opens it; a line indented by anything
else than a multiple of four goes on with the line before it, and so does every line inside brackets.
Source: the "Line wrapping" and "Structure of the script" pages of the language's user manual, v5 and v6.
"""

import re
from typing import NamedTuple

from validators.pinescript.problems import Problems

INDENT = 4
KEYWORDS = frozenset((
    "and", "or", "not", "if", "else", "for", "to", "by", "in", "while", "switch", "var", "varip", "true", "false", "import", "as",
    "export", "method", "type", "enum", "break", "continue",
))  # fmt: skip
# `to`, `by`, `in`, `as`, `type`, `enum`, `method` and `import` are names wherever the parser does not ask for them.
SOFT = frozenset(("to", "by", "in", "as", "type", "enum", "method", "import", "export"))


class Token(NamedTuple):
    """`kind` is the text itself for operators and keywords, else name, number, string, color, newline, indent, dedent or end."""

    kind: str
    text: str
    line: int
    column: int

    @property
    def place(self) -> tuple[int, int]:
        """Line and column."""
        return self.line, self.column


_TOKEN = re.compile(
    r"""(?P<blank>[ \t]+)
    |(?P<comment>//[^\n]*)
    |(?P<newline>\r?\n)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<op>:=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|=>|[-+*/%<>=?:.,()\[\]])
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<color>\#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?\b)
    |(?P<open>["'][^\n]*)
    |(?P<other>.)""",
    re.VERBOSE,
)
_CLOSES = {"(": ")", "[": "]"}
# What begins a line at the very left cannot be an argument: a bracket still open there was forgotten.
_STATEMENT = re.compile(
    r"(?:if|for|while|switch|var|varip|type|export|method)\b|(?:[A-Za-z_][\w.<>\[\]]*[ \t]+){0,2}[A-Za-z_]\w*[ \t]*(?::=|=(?!=)|\([^\n]*$)|//",
    re.MULTILINE,
)
_VERSION = re.compile(r"//\s*@version\s*=\s*(\d+)")


def version_of(source: str) -> int:
    """The language version a script names; 1 where it names none, as the compiler takes it."""
    found = _VERSION.search(source)
    return int(found[1]) if found else 1


def comments_of(source: str) -> list[tuple[int, str, bool]]:
    """Line, text and whether it has the line to itself, of every comment."""
    found = []
    line, alone = 1, True
    for match in _TOKEN.finditer(source):
        if match.lastgroup == "newline":
            line, alone = line + 1, True
        elif match.lastgroup == "comment":
            found.append((line, match.group().rstrip(), alone))
        elif match.lastgroup != "blank":
            alone = False
    return found


def tokenize(source: str, problems: Problems) -> list[Token]:
    """All tokens, ending with `end`. What cannot be a token is a problem and left out."""
    tokens: list[Token] = []
    levels = [0]
    line, start = 1, 0
    brackets: list[Token] = []
    fresh, width = True, 0  # at the beginning of a line, and how far it is indented so far
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup
        if kind == "blank":
            if fresh:
                width = sum(INDENT if sign == "\t" else 1 for sign in match.group())
            continue
        if kind == "comment":
            continue
        if kind == "newline":
            if not fresh and not brackets:
                tokens.append(Token("newline", "", line, match.start() - start + 1))
            line, start, fresh, width = line + 1, match.end(), True, 0
            continue
        text, column = match.group(), match.start() - start + 1
        if fresh:
            fresh = False
            if brackets and width == 0 and _STATEMENT.match(source, match.start()):
                opened = brackets[0]
                problems.add(
                    "P003", f"{opened.text!r} is opened here and not closed before the next statement", opened.place
                )
                tokens += [Token(_CLOSES[bracket.kind], "", line - 1, 1) for bracket in reversed(brackets)]
                tokens.append(Token("newline", "", line - 1, 1))
                brackets.clear()
            if not brackets:
                _open_line(tokens, levels, width, line)
        if kind == "name":
            tokens.append(Token(text if text in KEYWORDS else "name", text, line, column))
        elif kind == "op":
            token = Token(text, text, line, column)
            if text in _CLOSES:
                brackets.append(token)
            elif text in ")]" and brackets:
                brackets.pop()
            tokens.append(token)
        elif kind in ("number", "string", "color"):
            tokens.append(Token(kind, text, line, column))
        elif kind == "open":
            problems.add("P002", f"the text {text[:20]!r} is not closed on its line", (line, column))
            tokens.append(Token("string", text + text[0], line, column))
            tokens += [Token(_CLOSES[bracket.kind], "", line, column) for bracket in reversed(brackets)]
            brackets.clear()  # nothing else on this line can be trusted
        elif text not in "\ufeff\r\f":
            problems.add("P001", f"{text!r} is no sign of the language", (line, column))
    if brackets:
        problems.add("P003", f"{brackets[0].text!r} is opened here and never closed", brackets[0].place)
        tokens += [Token(_CLOSES[bracket.kind], "", line, 1) for bracket in reversed(brackets)]
    if tokens and tokens[-1].kind != "newline":
        tokens.append(Token("newline", "", line, 1))
    tokens += [Token("dedent", "", line, 1)] * (len(levels) - 1)
    tokens.append(Token("end", "", line, 1))
    return tokens


def _open_line(tokens: list[Token], levels: list[int], width: int, line: int) -> None:
    """Decide what the indentation of a line means: a new block, the end of blocks, or the line before going on."""
    if width % INDENT and tokens:
        if tokens[-1].kind == "newline":
            tokens.pop()
        return
    if width > levels[-1]:
        levels.append(width)
        tokens.append(Token("indent", "", line, 1))
        return
    while width < levels[-1]:
        levels.pop()
        tokens.append(Token("dedent", "", line, 1))
