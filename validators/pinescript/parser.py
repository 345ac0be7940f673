"""Tokens to a syntax tree, by recursive descent; after an error it goes on with the next statement."""

from validators.pinescript import syntax as s
from validators.pinescript.expressions import Expressions, PineSyntaxError, shown
from validators.pinescript.lexer import SOFT, Token, tokenize, version_of
from validators.pinescript.problems import Problems

# What may stand behind the first name of a written type.
_IN_TYPES = frozenset(("name", ".", "<", "[", *SOFT))
_ASSIGNS = (":=", "+=", "-=", "*=", "/=", "%=")


def parse(source: str, problems: Problems) -> s.Script:
    """The tree of a script; what could not be read is a problem and left out."""
    return _Parser(tokenize(source, problems), problems).script(version_of(source))


class _Parser(Expressions):
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
        return s.Script(1, 1, version, statements, self.calls, self.assigns, self.declared)

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
                raise self.fail(f"end of line expected, {shown(self.token)} found")
        except PineSyntaxError:
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
        if kind == "name":
            after = self.next_kind()
            if after == "=":
                return self.declaration(token, "")
            if after == "(" and self._is_function():
                return self.function(False, False)
            if after in _IN_TYPES and self._is_declaration():
                return self.declaration(token, "")
        elif kind in ("break", "continue"):
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
        value = self.expression()
        if self.token.kind in _ASSIGNS:
            operator = self.take().text
            found = s.Assign(*token.place, operator, value, self.value())
            self.assigns.append(found)
            return found
        if self.token.kind == "=":
            if isinstance(value, s.Name):
                self.take()
                self.declared.append(value.name)
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
            raise self.fail(f"end of line expected, {shown(self.token)} found")

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
            raise self.fail(f"'=' expected after {name.text!r}, {shown(self.token)} found")
        self.take()
        self.declared.append(name.text)
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
            self.declared.append(name)
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
            raise self.fail(f"'to' expected in 'for', {shown(self.token)} found")
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
        raise self.fail(f"an indented block expected after {owner.text!r}, {shown(self.token)} found", code="P005")

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
