"""Tokens to a syntax tree, by recursive descent; after an error it goes on with the next statement.

Operators bind as the language's manual ranks them: `?:` weakest, then `or`, `and`, equality, comparison,
sums, products, signs and `not`, and history, members and calls strongest.
"""

from validators.pinescript import syntax as s
from validators.pinescript.lexer import SOFT, Token, tokenize, version_of
from validators.pinescript.problems import Problems

_RANKS = {
    "or": 1, "and": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_ASSIGNS = (":=", "+=", "-=", "*=", "/=", "%=")
_QUALIFIERS = ("const", "input", "simple", "series")
_STRUCTURES = ("if", "for", "while", "switch")
_TYPED = frozenset(("name", "."))


class _SyntaxError(Exception):
    """A statement that cannot be read; its problem has been added."""


def parse(source: str, problems: Problems) -> s.Script:
    """The tree of a script; what could not be read is a problem and left out."""
    return _Parser(tokenize(source, problems), problems).script(version_of(source))


class _Parser:
    def __init__(self, tokens: list[Token], problems: Problems) -> None:
        self.tokens, self.problems, self.at = tokens, problems, 0
        self.token = tokens[0]

    # --- moving on -----------------------------------------------------------------------------

    def take(self) -> Token:
        token = self.token
        self.at += 1
        self.token = self.tokens[self.at] if self.at < len(self.tokens) else token
        return token

    def next_kind(self, ahead: int = 1) -> str:
        at = self.at + ahead
        return self.tokens[at].kind if at < len(self.tokens) else "end"

    def accept(self, kind: str) -> bool:
        if self.token.kind == kind:
            self.take()
            return True
        return False

    def expect(self, kind: str, where: str) -> Token:
        if self.token.kind == kind:
            return self.take()
        raise self.fail(f"{kind!r} expected {where}, {_shown(self.token)} found")

    def fail(self, message: str, token: Token | None = None, code: str = "P004") -> _SyntaxError:
        token = token or self.token
        if token.kind in ("newline", "indent", "dedent", "end") and self.at and code == "P004":
            token = self.tokens[self.at - 1]  # the end of a line is missing something: blame what it ends with
        self.problems.add(code, message, token.place)
        return _SyntaxError()

    def name(self, what: str) -> Token:
        if self.token.kind == "name" or self.token.kind in SOFT:
            return self.take()
        raise self.fail(f"{what} expected, {_shown(self.token)} found")

    # --- statements ----------------------------------------------------------------------------

    def script(self, version: int) -> s.Script:
        statements: list[s.Statement] = []
        while self.token.kind != "end":
            if self.token.kind == "indent":
                self.problems.add("P005", "this line is indented, and no line above opens a block", self.token.place)
                self.take()
                continue
            if self.token.kind in ("newline", "dedent"):
                self.take()
                continue
            statements += self.line()
        return s.Script(1, 1, version, statements)

    def line(self) -> list[s.Statement]:
        """The statements of one line, parted by commas; after an error, of none of the rest of it."""
        found: list[s.Statement] = []
        start = self.at
        try:
            while True:
                found.append(self.statement())
                if self.token.kind == ",":
                    self.take()
                    if self.token.kind in ("newline", "end"):
                        break
                    continue
                break
            if self.token.kind == "newline":
                self.take()
            elif self.tokens[self.at - 1].kind not in ("dedent", "newline"):
                if self.token.kind in ("dedent", "end"):
                    return found
                raise self.fail(f"end of line expected, {_shown(self.token)} found")
        except _SyntaxError:
            self.recover(start)
        except RecursionError:
            self.problems.add("P004", "nested too deeply to be read", self.token.place)
            self.recover(start)
        return found

    def recover(self, start: int) -> None:
        """Go to the end of the statement that could not be read, with the block it may have."""
        while self.at > start and self.tokens[self.at - 1].kind == "newline" and self.token.kind != "indent":
            return
        while self.token.kind not in ("newline", "end", "dedent"):
            if self.token.kind == "indent":
                break
            self.take()
        if self.token.kind == "newline":
            self.take()
        if self.token.kind == "indent":
            depth = 0
            while self.token.kind != "end":
                depth += (self.token.kind == "indent") - (self.token.kind == "dedent")
                self.take()
                if depth <= 0:
                    break

    def block(self, owner: str) -> list[s.Statement]:
        """What follows `owner`: an indented block."""
        opened = self.token
        if self.token.kind == "newline":
            self.take()
        if self.token.kind != "indent":
            raise self.fail(f"an indented block expected after {owner}", opened, "P005")
        self.take()
        statements: list[s.Statement] = []
        while self.token.kind not in ("dedent", "end"):
            if self.token.kind == "newline":
                self.take()
                continue
            if self.token.kind == "indent":
                self.problems.add("P005", "this line is indented more than its block", self.token.place)
                self.take()
                continue
            statements += self.line()
        self.accept("dedent")
        return statements

    def statement(self) -> s.Statement:
        token = self.token
        kind = token.kind
        if kind in ("break", "continue"):
            self.take()
            return s.Leave(*token.place, token.text)
        if kind == "[" and self._is_tuple_declaration():
            return self.tuple_declaration("")
        if kind in ("var", "varip"):
            self.take()
            if self.token.kind == "[":
                return self.tuple_declaration(token.text)
            return self.declaration(token, token.text)
        if kind in ("export", "method", "type", "enum", "import") and self.next_kind() in (
            "name",
            "method",
            "type",
            "enum",
        ):
            return self.definition()
        if kind == "name":
            if self._is_function():
                return self.function(False, False)
            if self._is_declaration():
                return self.declaration(token, "")
        value = self.expression()
        if self.token.kind in _ASSIGNS:
            operator = self.take().text
            return s.Assign(*token.place, operator, value, self.value())
        if self.token.kind == "=":
            if isinstance(value, s.Name):
                self.take()
                return s.Declare(*token.place, "", None, value.name, self.value())
            raise self.fail("only a new name can be declared with '='; ':=' gives another value to what is there")
        return s.Run(*token.place, value)

    def definition(self) -> s.Statement:
        token = self.token
        export = self.accept("export")
        if self.token.kind == "type":
            self.take()
            return self.user_type(token, export)
        if self.token.kind == "enum":
            self.take()
            return self.enum(token, export)
        if self.token.kind == "import":
            return self.importing()
        method = self.accept("method")
        if self._is_function():
            return self.function(method, export)
        if export and self._is_declaration():
            return self.declaration(self.token, "")
        raise self.fail("a function, type or enum expected")

    def importing(self) -> s.Import:
        token = self.take()
        parts = [self.name("a user name").text]
        while self.accept("/"):
            parts.append(self.take().text)
        alias = parts[1] if len(parts) > 1 else parts[0]
        if self.accept("as"):
            alias = self.name("an alias").text
        return s.Import(*token.place, "/".join(parts), alias)

    def user_type(self, token: Token, export: bool) -> s.UserType:
        name = self.name("the name of the type").text
        fields: list[s.Parameter] = []
        self.open_fields("the name of a type")
        while self.token.kind not in ("dedent", "end"):
            if self.accept("newline"):
                continue
            start = self.token
            self.accept("varip")
            written = self.type_name()
            field = self.name("the name of a field").text
            default = self.expression() if self.accept("=") else None
            fields.append(s.Parameter(*start.place, written, field, default))
            self.end_of_field()
        self.accept("dedent")
        return s.UserType(*token.place, name, fields, export)

    def enum(self, token: Token, export: bool) -> s.Enum:
        name = self.name("the name of the enum").text
        fields: list[tuple[str, s.Expression | None]] = []
        self.open_fields("the name of an enum")
        while self.token.kind not in ("dedent", "end"):
            if self.accept("newline"):
                continue
            field = self.name("the name of a field").text
            fields.append((field, self.expression() if self.accept("=") else None))
            self.end_of_field()
        self.accept("dedent")
        return s.Enum(*token.place, name, fields, export)

    def open_fields(self, owner: str) -> None:
        self.accept("newline")
        if not self.accept("indent"):
            raise self.fail(f"an indented block expected after {owner}", code="P005")

    def end_of_field(self) -> None:
        if self.token.kind not in ("newline", "dedent", "end"):
            raise self.fail(f"end of line expected, {_shown(self.token)} found")

    def tuple_declaration(self, mode: str) -> s.DeclareTuple:
        token = self.expect("[", "before names")
        names = [self.name("a name").text]
        while self.accept(","):
            names.append(self.name("a name").text)
        self.expect("]", "after the names")
        self.expect("=", "after the names")
        return s.DeclareTuple(*token.place, mode, names, self.value())

    def declaration(self, token: Token, mode: str) -> s.Declare:
        written = self.type_name() if self._is_typed() else None
        name = self.name("the name of a variable")
        if self.token.kind != "=":
            raise self.fail(f"'=' expected after {name.text!r}, {_shown(self.token)} found")
        self.take()
        return s.Declare(*token.place, mode, written, name.text, self.value())

    def function(self, method: bool, export: bool) -> s.Function:
        token = self.take()
        self.expect("(", "before the parameters")
        parameters: list[s.Parameter] = []
        while self.token.kind != ")":
            start = self.token
            written = self.type_name() if self._is_typed() else None
            name = self.name("the name of a parameter").text
            default = self.expression() if self.accept("=") else None
            parameters.append(s.Parameter(*start.place, written, name, default))
            if not self.accept(","):
                break
        self.expect(")", "after the parameters")
        self.expect("=>", "before the body of a function")
        return s.Function(*token.place, token.text, parameters, self.body(f"{token.text}(…) =>"), method, export)

    def body(self, owner: str) -> list[s.Statement]:
        """A block, or statements on the same line."""
        if self.token.kind == "newline":
            return self.block(owner)
        found = [self.statement()]
        while self.token.kind == "," and self.next_kind() != "newline":
            self.take()
            found.append(self.statement())
        return found

    # --- what a statement looks like -----------------------------------------------------------

    def _is_tuple_declaration(self) -> bool:
        at = self.at + 1
        tokens = self.tokens
        while tokens[at].kind == "name" or tokens[at].kind == "," or tokens[at].kind in SOFT:
            at += 1
        return tokens[at].kind == "]" and tokens[at + 1].kind == "="

    def _is_function(self) -> bool:
        """Whether a name, parameters in brackets and an arrow come next."""
        at, tokens = self.at + 1, self.tokens
        if tokens[at].kind != "(":
            return False
        depth = 0
        while tokens[at].kind not in ("newline", "end"):
            kind = tokens[at].kind
            depth += (kind in ("(", "[")) - (kind in (")", "]"))
            at += 1
            if depth == 0:
                return tokens[at].kind == "=>"
        return False

    def _is_declaration(self) -> bool:
        """Whether `type name =` comes next; `name =` is told by its sign."""
        return self._is_typed() and self.tokens[self._after_type()].kind in ("name", *SOFT) and (
            self.tokens[self._after_type() + 1].kind == "="
        )  # fmt: skip

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
        place = self.take().place
        yes = self.expression()
        self.expect(":", "between the two values of '?'")
        return s.Ternary(*place, condition, yes, self.expression())

    def binary(self, rank: int) -> s.Expression:
        left = self.unary()
        while (found := _RANKS.get(self.token.kind, 0)) >= rank:
            operator = self.take()
            left = s.Binary(*operator.place, operator.text, left, self.binary(found + 1))
        return left

    def unary(self) -> s.Expression:
        token = self.token
        if token.kind in ("-", "+", "not"):
            self.take()
            return s.Unary(*token.place, token.kind, self.unary())
        return self.postfix(self.primary())

    def postfix(self, value: s.Expression) -> s.Expression:
        while True:
            token = self.token
            kind = token.kind
            if kind == ".":
                self.take()
                member = self.token
                if not member.text.isidentifier():
                    raise self.fail(f"a name expected after '.', {_shown(member)} found")
                self.take()
                value = s.Attribute(*token.place, value, member.text)
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
                arguments.append(s.Argument(*token.place, token.text, self.expression()))
            else:
                arguments.append(s.Argument(*token.place, "", self.expression()))
            if not self.accept(","):
                break
        if self.token.kind != ")":
            raise self.fail(
                f"',' or ')' expected in the arguments opened on line {opened.line}, {_shown(self.token)} found"
            )
        self.take()
        return s.Call(*function.place, function, types, arguments)

    def primary(self) -> s.Expression:
        token = self.token
        kind = token.kind
        if kind == "name" or kind in SOFT:
            self.take()
            return s.Name(*token.place, token.text)
        if kind == "number":
            self.take()
            whole = "." not in token.text and "e" not in token.text.lower()
            return s.Literal(*token.place, "int" if whole else "float", token.text)
        if kind in ("string", "color"):
            self.take()
            return s.Literal(*token.place, kind, token.text)
        if kind in ("true", "false"):
            self.take()
            return s.Literal(*token.place, "bool", token.text)
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
        raise self.fail(f"a value expected, {_shown(token)} found")

    def structure(self) -> s.Expression:
        token = self.take()
        if token.kind == "if":
            return self.if_(token)
        if token.kind == "while":
            condition = self.expression()
            return s.While(*token.place, condition, self.block("while"))
        if token.kind == "switch":
            return self.switch(token)
        if self.token.kind == "[":
            self.take()
            names = [self.name("a name").text]
            while self.accept(","):
                names.append(self.name("a name").text)
            self.expect("]", "after the names")
        else:
            if self._is_typed():
                self.type_name()
            names = [self.name("the name of the counter").text]
        if self.accept("in"):
            values = self.expression()
            return s.ForIn(*token.place, names, values, self.block("for"))
        self.expect("=", "after the counter of 'for'")
        start = self.expression()
        if not self.accept("to"):
            raise self.fail(f"'to' expected in 'for', {_shown(self.token)} found")
        end = self.expression()
        step = self.expression() if self.accept("by") else None
        return s.For(*token.place, names[0], start, end, step, self.block("for"))

    def if_(self, token: Token) -> s.If:
        condition = self.expression()
        body = self.block("if")
        otherwise: list[s.Statement] = []
        if self.token.kind == "else":
            other = self.take()
            if self.token.kind == "if":
                inner = self.take()
                otherwise = [s.Run(*inner.place, self.if_(inner))]
            else:
                otherwise = self.block("else") if self.token.kind == "newline" else self.unblocked(other)
        return s.If(*token.place, condition, body, otherwise)

    def unblocked(self, owner: Token) -> list[s.Statement]:
        raise self.fail(f"an indented block expected after {owner.text!r}, {_shown(self.token)} found", code="P005")

    def switch(self, token: Token) -> s.Switch:
        subject = None if self.token.kind == "newline" else self.expression()
        self.open_fields("switch")
        cases: list[s.Case] = []
        while self.token.kind not in ("dedent", "end"):
            if self.accept("newline"):
                continue
            start = self.token
            test = None if start.kind == "=>" else self.expression()
            self.expect("=>", "after the test of a case")
            cases.append(s.Case(*start.place, test, self.body("=>")))
            if self.token.kind == "newline":
                self.take()
        self.accept("dedent")
        return s.Switch(*token.place, subject, cases)


def _shown(token: Token) -> str:
    return {
        "newline": "the end of the line",
        "indent": "an indented line",
        "dedent": "the end of the block",
        "end": "the end of the script",
    }.get(token.kind, repr(token.text))
