"""Expressions and written types, read by recursive descent.

Operators bind as the language's manual ranks them: `?:` weakest, then `or`, `and`, equality, comparison,
sums, products, signs and `not`, and history, members and calls strongest.
"""

from validators.pinescript import syntax as s
from validators.pinescript.lexer import SOFT, Token
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of

_RANKS = {
    "or": 1, "and": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_QUALIFIERS = ("const", "input", "simple", "series")
_SIGNS = frozenset(("-", "+", "not"))
_AFTER = frozenset((".", "(", "[", "<"))
_STRUCTURES = frozenset(("if", "for", "while", "switch"))


class PineSyntaxError(Exception):
    """A statement that cannot be read; its problem has been added."""


class Expressions:
    """Reads expressions from tokens; structures, which hold statements, are left to who reads those."""

    def __init__(self, tokens: list[Token], problems: Problems) -> None:
        self.tokens = tokens + tokens[-1:] * 3  # looking past the last one finds an end, too
        self.token, self.problems, self.at = tokens[0], problems, 0
        self.calls: list[s.Call] = []
        self.assigns: list[s.Assign] = []
        self.declared: list[str] = []

    # --- moving on -----------------------------------------------------------------------------

    def take(self) -> Token:
        token = self.token
        self.at += 1
        self.token = self.tokens[self.at]
        return token

    def next_kind(self) -> str:
        return self.tokens[self.at + 1].kind

    def accept(self, kind: str) -> bool:
        if self.token.kind == kind:
            self.take()
            return True
        return False

    def expect(self, kind: str, where: str) -> Token:
        if self.token.kind == kind:
            return self.take()
        raise self.fail(f"{kind!r} expected {where}, {shown(self.token)} found")

    def fail(self, message: str, token: Token | None = None, code: str = "P004") -> PineSyntaxError:
        token = token or self.token
        if token.kind in ("newline", "indent", "dedent", "end") and self.at and code == "P004":
            token = self.tokens[self.at - 1]  # the end of a line is missing something: blame what it ends with
        self.problems.add(code, message, token.place)
        return PineSyntaxError()

    def name(self, what: str) -> Token:
        if self.token.kind == "name" or self.token.kind in SOFT:
            return self.take()
        raise self.fail(f"{what} expected, {shown(self.token)} found")

    # --- types ---------------------------------------------------------------------------------

    def _is_typed(self) -> bool:
        end = self._after_type()
        return end > self.at and (
            self.tokens[end].kind == "name"
            or self.tokens[end].kind in SOFT
            and self.tokens[end + 1].kind in ("=", ",", ")")
        )

    def _after_type(self) -> int:
        """The place after a type that begins here, or here where none does."""
        tokens, at = self.tokens, self.at
        if tokens[at].kind != "name":
            return at
        if tokens[at].text in _QUALIFIERS and tokens[at + 1].kind == "name":
            at += 1
            if tokens[at + 1].kind in ("=", ",", ")"):
                return at  # `series x`: a qualifier without a type
        at += 1
        while tokens[at].kind == "." and tokens[at + 1].kind == "name":
            at += 2
        if tokens[at].kind == "<":
            depth, first = 0, at
            while tokens[at].kind in ("<", ">", ",", "name", ".", "[", "]"):
                depth += (tokens[at].kind == "<") - (tokens[at].kind == ">")
                at += 1
                if depth == 0:
                    break
            if depth:
                return self.at if first else at
        if tokens[at].kind == "[" and tokens[at + 1].kind == "]":
            at += 2
        return at

    def type_name(self) -> s.TypeName:
        token = self.token
        qualifier = ""
        if token.text in _QUALIFIERS and self.next_kind() == "name":
            qualifier = self.take().text
            if self.next_kind() in ("=", ",", ")"):
                return s.TypeName(*token.place, "", qualifier)
        name = self.name("a type").text
        while self.token.kind == "." and self.next_kind() == "name":
            self.take()
            name += "." + self.take().text
        of: list[s.TypeName] = []
        if self.accept("<"):
            of.append(self.type_name())
            while self.accept(","):
                of.append(self.type_name())
            self.expect(">", "after the types")
        if self.token.kind == "[" and self.next_kind() == "]":
            self.take()
            self.take()
            return s.TypeName(*token.place, "array", qualifier, [s.TypeName(*token.place, name, "", of)])
        return s.TypeName(*token.place, name, qualifier, of)

    # --- expressions ---------------------------------------------------------------------------

    def value(self) -> s.Expression:
        """What stands after '=': an expression or a structure."""
        if self.token.kind == "newline":
            raise self.fail("a value expected after '='")
        return self.expression()

    def expression(self) -> s.Expression:
        kind = self.token.kind
        if kind in _STRUCTURES:
            return self.structure()
        condition = self.binary(1)
        if self.token.kind != "?":
            return condition
        mark = self.take()
        yes = self.expression()
        self.expect(":", "between the two values of '?'")
        return s.Ternary(mark.line, mark.column, condition, yes, self.expression())

    def binary(self, rank: int) -> s.Expression:
        left = self.operand()
        while (found := _RANKS.get(self.token.kind, 0)) >= rank:
            operator = self.take()
            left = s.Binary(operator.line, operator.column, operator.text, left, self.binary(found + 1))
        return left

    def operand(self) -> s.Expression:
        token = self.token
        if token.kind in _SIGNS:
            self.take()
            return s.Unary(*token.place, token.kind, self.operand())
        value = self.primary()
        return self.postfix(value) if self.token.kind in _AFTER else value

    def postfix(self, value: s.Expression) -> s.Expression:
        while True:
            token = self.token
            kind = token.kind
            if kind == ".":
                self.take()
                member = self.token
                if not member.text.isidentifier():
                    raise self.fail(f"a name expected after '.', {shown(member)} found")
                self.take()
                head = path_of(value)
                value = s.Attribute(token.line, token.column, value, member.text, head and f"{head}.{member.text}")
            elif kind == "(":
                value = self.call(value, [])
            elif kind == "[":
                self.take()
                offset = self.expression()
                self.expect("]", "after a history offset")
                value = s.Index(*token.place, value, offset)
            elif kind == "<" and isinstance(value, s.Attribute) and value.name == "new" and self._is_template():
                self.take()
                types = [self.type_name()]
                while self.accept(","):
                    types.append(self.type_name())
                self.expect(">", "after the types")
                value = self.call(value, types)
            else:
                return value

    def _is_template(self) -> bool:
        at, depth = self.at, 0
        while self.tokens[at].kind in ("<", ">", ",", "name", ".", "[", "]", "type"):
            depth += (self.tokens[at].kind == "<") - (self.tokens[at].kind == ">")
            at += 1
            if depth == 0:
                return self.tokens[at].kind == "("
        return False

    def call(self, function: s.Expression, types: list[s.TypeName]) -> s.Call:
        opened = self.expect("(", "before arguments")
        arguments: list[s.Argument] = []
        while self.token.kind != ")":
            token = self.token
            if (token.kind == "name" or token.kind in SOFT) and self.next_kind() == "=":
                self.take()
                self.take()
                arguments.append(s.Argument(token.line, token.column, token.text, self.expression()))
            else:
                arguments.append(s.Argument(token.line, token.column, "", self.expression()))
            if not self.accept(","):
                break
        if self.token.kind != ")":
            raise self.fail(
                f"',' or ')' expected in the arguments opened on line {opened.line}, {shown(self.token)} found"
            )
        self.take()
        found = s.Call(function.line, function.column, function, types, arguments)
        self.calls.append(found)
        return found

    def primary(self) -> s.Expression:
        token = self.token
        kind, text, line, column = token
        if kind == "name" or kind in SOFT:
            self.take()
            return s.Name(line, column, text)
        if kind == "number":
            self.take()
            return s.Literal(line, column, "int" if text.isdigit() else "float", text)
        if kind in ("string", "color"):
            self.take()
            return s.Literal(line, column, kind, text)
        if kind in ("true", "false"):
            self.take()
            return s.Literal(line, column, "bool", text)
        if kind == "(":
            self.take()
            value = self.expression()
            self.expect(")", f"for the bracket of line {token.line}")
            return value
        if kind == "[":
            self.take()
            items: list[s.Expression] = []
            while self.token.kind != "]":
                items.append(self.expression())
                if not self.accept(","):
                    break
            self.expect("]", "after the values")
            return s.Tuple(*token.place, items)
        raise self.fail(f"a value expected, {shown(token)} found")

    def structure(self) -> s.Expression:
        """An if, switch, for or while with its blocks."""
        raise NotImplementedError


def shown(token: Token) -> str:
    """How a message names a token."""
    return {
        "newline": "the end of the line",
        "indent": "an indented line",
        "dedent": "the end of the block",
        "end": "the end of the script",
    }.get(token.kind, repr(token.text))
