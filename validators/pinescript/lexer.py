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


_token = tuple.__new__  # makes a Token in half the time that Token() takes
# Blanks that follow a token belong to its match, and so does the indentation that follows the end of a line. A text may
# go on over lines that are indented as continued lines are, if what follows its end could stand behind a text.
_TOKEN = re.compile(
    r"""(?:(?P<name>[A-Za-z_]\w*)
    |(?P<sign>:=|==|!=|<=|>=|=>|\+=|-=|\*=|/=(?!/)|%=|[-+*%<>=?:,]|/(?!/)|\.(?!\d))
    |(?P<opening>[(\[])
    |(?P<closing>[)\]])
    |(?P<newline>(?:\r?\n[ \t]*)+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<lines>(?P<fence>"{3}|'{3})[\s\S]*?(?P=fence))
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<comment>//[^\n]*)
    |(?P<color>\#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?\b)
    |(?P<folded>(?P<quote>["'])(?:(?!(?P=quote))[^\\\n]|\\.|\\?\r?\n(?=[ \t]*\r?\n|(?:[ ]{4}|\t)*[ ]{1,3}[^ \t]))+(?P=quote)
        (?=[ \t]*(?:[-,)\]+:?=!<>.]|//|\r?\n|\Z)))
    |(?P<open>["'][^\n]*)
    |(?P<blank>[ \t\xa0\u200b\ufeff\f\r]+)
    |(?P<other>.))[ \t]*""",
    re.VERBOSE,
)
# Groups whose matches are tokens as they stand; signs and keywords are kinds of their own.
_PLAIN = frozenset(("name", "sign", "number", "string", "color"))
_KINDS = {
    text: text
    for text in (*KEYWORDS, ":=", "==", "!=", "<=", ">=", "=>", "+=", "-=", "*=", "/=", "%=", *"-+*/%<>=?:,.")
}
_CLOSES = {"(": ")", "[": "]"}
_FOLD = re.compile(r"\s*\n\s*")
_QUOTES = re.compile(r'(\\.)|"')
# What begins a line at the very left cannot be an argument, unless the line before ends as arguments do that go on.
_STATEMENT = re.compile(
    r"(?:if|for|while|switch|var|varip|type|export|method)\b|(?:[A-Za-z_][\w.<>\[\]]*[ \t]+){0,2}[A-Za-z_]\w*[ \t]*(?::=|=(?!=)|\([^\n]*$)",
    re.MULTILINE,
)
_VERSION = re.compile(r"^[ \t\ufeff]*//[ \t]*@version[ \t]*=[ \t]*(\d+)", re.MULTILINE)


def version_of(source: str) -> int:
    """The language version a script names; 1 where it names none, as the compiler takes it."""
    found = _VERSION.search(source)
    return int(found[1]) if found else 1


def comments_of(source: str) -> list[tuple[int, str, bool]]:
    """Line, text and whether it has the line to itself, of every comment."""
    found = []
    line, alone = 1, True
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup
        if kind == "comment":
            found.append((line, match["comment"].rstrip(), alone))
        elif kind in ("newline", "folded", "lines"):
            line, alone = line + match[kind].count("\n"), kind == "newline"
        elif kind != "blank":
            alone = False
    return found


def tokenize(source: str, problems: Problems) -> list[Token]:
    """All tokens, ending with `end`. What cannot be a token is a problem and left out."""
    tokens: list[Token] = []
    append = tokens.append
    levels = [0]
    line, start = 1, 0
    brackets: list[Token] = []
    fresh, width = True, 0  # at the beginning of a line, and how far it is indented
    for match in _TOKEN.finditer(source):
        kind: str = match.lastgroup  # type: ignore[assignment]
        text = match[kind]
        column = match.start() - start + 1
        if kind == "newline":
            if not fresh and not brackets:
                append(_token(Token, ("newline", "", line, column)))
            indent = text[text.rindex("\n") + 1 :]
            line, start, fresh = line + text.count("\n"), match.end() - len(indent), True
            width = len(indent) + (INDENT - 1) * indent.count("\t")
            continue
        if fresh:
            if kind in ("comment", "blank"):
                width += kind == "blank" and column == 1 and len(text.expandtabs(INDENT).lstrip("\ufeff"))
                continue
            fresh = False
            if brackets and width == 0 and _is_forgotten(source, match.start(), tokens[-1]):
                opened = brackets[0]
                problems.add(
                    "P003", f"{opened.text!r} is opened here and not closed before the next statement", opened.place
                )
                tokens += [Token(_CLOSES[bracket.kind], "", line - 1, 1) for bracket in reversed(brackets)]
                tokens.append(Token("newline", "", line - 1, 1))
                brackets.clear()
            if not brackets:
                _open_line(tokens, levels, width, line)
        if kind in _PLAIN:
            append(_token(Token, (_KINDS.get(text, kind), text, line, column)))
        elif kind == "opening":
            append(_token(Token, (text, text, line, column)))
            brackets.append(tokens[-1])
        elif kind == "closing":
            append(_token(Token, (text, text, line, column)))
            if brackets:
                brackets.pop()
        elif kind in ("folded", "lines"):
            plain = _FOLD.sub(" ", text) if kind == "folded" else _one_line(text[3:-3])
            tokens.append(Token("string", plain, line, column))
            if folds := text.count("\n"):
                line, start = line + folds, match.start() + text.rindex("\n") + 1
        elif kind == "open":
            problems.add("P002", f"the text {text[:20]!r} is not closed on its line", (line, column))
            tokens.append(Token("string", text + text[0], line, column))
            tokens += [Token(_CLOSES[bracket.kind], "", line, column) for bracket in reversed(brackets)]
            brackets.clear()  # nothing else on this line can be trusted
        elif kind == "other":
            problems.add("P001", f"{text!r} is no sign of the language", (line, column))
    if brackets:
        problems.add("P003", f"{brackets[0].text!r} is opened here and never closed", brackets[0].place)
        tokens += [Token(_CLOSES[bracket.kind], "", line, 1) for bracket in reversed(brackets)]
    if tokens and tokens[-1].kind != "newline":
        tokens.append(Token("newline", "", line, 1))
    tokens += [Token("dedent", "", line, 1)] * (len(levels) - 1)
    tokens.append(Token("end", "", line, 1))
    return tokens


def _one_line(text: str) -> str:
    """A text between three quotation marks, as one between single ones."""
    text = _QUOTES.sub(lambda found: found[1] or '\\"', text.replace("\r", ""))
    return '"' + text.replace("\n", "\\n") + '"'


def _is_forgotten(source: str, at: int, before: Token) -> bool:
    """Whether a bracket still open at the very left of a line was forgotten: a statement begins here."""
    found = _STATEMENT.match(source, at)
    return found is not None and (before.kind not in (",", "(", "[") or source[at : found.end()].isalpha())


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
