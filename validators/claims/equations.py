"""Equations written out in a text: `5,000 USDT × 1.5% = 75 USDT` is read, evaluated and compared.

An expression is numbers with optional units, the operators + − × * · ÷ / ^, parentheses, a postfix
percent sign (÷ 100) and sqrt. A result follows `=` or `≈`; a chain `a × b = c = d` gives one
equation per result. The result must equal the expression on the printed operands to half a unit of
its last digit; a result printed with `%` is compared times 100.
"""

import re
from typing import NamedTuple


class Equation(NamedTuple):
    """`value` is what the expression gives, `stated` what the text says, both in the result's unit.

    `operands` and `result` are offsets of the numbers in the text. `value` is None where the
    expression cannot be evaluated (a division by zero, a word inside).
    """

    start: int
    end: int
    value: float | None
    stated: float
    decimals: int
    operands: tuple[tuple[int, int], ...]
    result: tuple[int, int]

    @property
    def holds(self) -> bool:
        """True when the stated result is the value, rounded to its printed decimals."""
        if self.value is None:
            return False
        return abs(self.value - self.stated) <= 0.5 * 10.0**-self.decimals * (1 + 1e-9) + abs(self.value) * 1e-12


# Words that may follow a number inside an expression without changing it.
_UNITS = (
    r"(?:R|x|bp|[A-Z]{2,6}|per cent|percent|coins?|contracts?|units?|tokens?|days?|hours?|bars?|points?|trades?|periods?"
    r"|ticks?|shares?|lots?|minutes?|months?|years?|stamps?|wins?|loss(?:es)?|orders?|fills?|blocks?|weeks?)"
)
_ATOM = re.compile(
    r"\s*(?:(?P<number>(?:(?<=[=≈(×*·÷/+^])|(?<=[=≈(×*·÷/+^]\s)|^)[-−]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    r"|(?P<operator>[+×*·÷/^−–-]|[xX](?=\s*[\d($]))|(?P<open>\()|(?P<close>\))|(?P<percent>%)|(?P<root>sqrt|√)"
    r"|(?P<unit>" + _UNITS + r"(?![\w(])))"
)
_EQUALS = re.compile(r"\s*[=≈]\s*")
_NUMBER = re.compile(r"[-−+]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_UNIT_WORD = re.compile(r"\s*(?:%|" + _UNITS + r"\b)")


def _value(printed: str) -> float:
    return float(printed.replace(",", "").replace("−", "-").replace("$", ""))


class _Tokens(list):
    """Tokens of an expression, read left to right by a recursive-descent evaluator."""

    at = 0

    def peek(self) -> str:
        return self[self.at][0] if self.at < len(self) else ""

    def take(self) -> tuple[str, float]:
        token = self[self.at]
        self.at += 1
        return token


def _sum(tokens: _Tokens) -> float:
    value = _product(tokens)
    while tokens.peek() in ("+", "-"):
        value = value + _product(tokens) if tokens.take()[0] == "+" else value - _product(tokens)
    return value


def _product(tokens: _Tokens) -> float:
    value = _power(tokens)
    while tokens.peek() in ("*", "/"):
        value = value * _power(tokens) if tokens.take()[0] == "*" else value / _power(tokens)
    return value


def _power(tokens: _Tokens) -> float:
    value = _atom(tokens)
    if tokens.peek() == "^":
        tokens.take()
        value = value ** _power(tokens)
    return value


def _atom(tokens: _Tokens) -> float:
    token, number = tokens.take()
    if token == "-":
        return -_atom(tokens)
    if token == "root":
        return _atom(tokens) ** 0.5
    if token == "(":
        value = _sum(tokens)
        if tokens.take()[0] != ")":
            raise ValueError
    elif token == "n":
        value = number
    else:
        raise ValueError
    while tokens.peek() == "%":
        tokens.take()
        value /= 100
    return value


_OPERATORS = {
    "+": "+",
    "x": "*",
    "X": "*",
    "×": "*",
    "*": "*",
    "·": "*",
    "÷": "/",
    "/": "/",
    "^": "^",
    "−": "-",
    "–": "-",
    "-": "-",
}


def _tokens_before(text: str, end: int) -> tuple[_Tokens, int, list[tuple[int, int]]]:
    """The longest well-formed run of expression tokens that ends at `end`."""
    start = (
        max(text.rfind("\n", 0, end), text.rfind("=", 0, end), text.rfind("≈", 0, end), text.rfind(": ", 0, end)) + 1
    )
    best: tuple[_Tokens, int, list[tuple[int, int]]] = (_Tokens(), end, [])
    for begin in re.finditer(r"(?<![\w.,])[-−]?\$?\d|\(|√|\bsqrt", text[start:end]):
        tokens, spans, at = _Tokens(), [], start + begin.start()
        while at < end:
            match = _ATOM.match(text, at, end)
            if not match or not match.group().strip():
                break
            kind = match.lastgroup
            if kind == "number":
                if tokens and tokens[-1][0] in ("n", ")", "%"):
                    break
                tokens.append(("n", _value(match["number"])))
                spans.append(match.span("number"))
            elif kind == "operator":
                tokens.append((_OPERATORS[match["operator"]], 0.0))
            elif kind == "unit":
                if not tokens or tokens[-1][0] not in ("n", "%", ")", "unit"):
                    break
                if match["unit"] == "x" and text[match.end() : end].strip()[:1] in tuple("+-−–*/×÷)") + ("",):
                    break  # a variable, as in 3x + 20
            elif kind == "open" and tokens and tokens[-1][0] in ("n", ")", "%"):
                break
            else:
                tokens.append(({"open": "(", "close": ")", "percent": "%", "root": "root"}[str(kind)], 0.0))
            at = match.end()
        if at >= end or not text[at:end].strip():
            opened = sum(token == "(" for token, _ in tokens)
            if opened == sum(token == ")" for token, _ in tokens):
                return tokens, start + begin.start(), spans
    return best


_AFTER = re.compile(r"[ \t]*(?:[+×*·÷/^−]|- ?\d|[xX][ \t]*\d|[–-] ?\$?\d)|[A-Za-z](?<![xRh])(?![A-Za-z])|:\d|\(")


_GOES_ON = re.compile(r" \d{3}(?!\d)| and \(?\d+/\d| (?:cents|halves|thirds|quarters)\b")
_ROUNDED_DOWN = re.compile(r"[^.;\n\d]{0,25}\b(?:rounded|cut|truncated|floored) ?(?:down|off)?\b")
_ALGEBRA = re.compile(r"\dR\b|(?<![\d.,])0\d")
_WORD_UNIT = re.compile(r" [a-z]+")
_UNIT_BEFORE = re.compile(r" ([a-z]+)\s*$")
_ORDINAL = re.compile(r"\b(?:day|week|month|year|step|row|question|part|level|layer|page|number|no\.) $", re.IGNORECASE)
_ACCOUNTING = re.compile(r"(?:^|[+−–-])\s*\$?\(\s*\$?[\d.,]+\s*\)")
_NESTED_FRACTION = re.compile(r"[/÷]\s*\$?\d[\d.,]*\s*[/÷]\s*\d")


def _is_part(text: str, start: int, end: int) -> bool:
    """True when the expression, or its result, is a piece of something longer: algebra, a clock, a fraction."""
    before = text[max(0, start - 12) : start]
    if before and before[-1:] not in " \t\n" and (before[-1].isalnum() or before[-1] in ")+×*·÷/^−-:"):
        return True
    if (
        before[-1:] == "$"
        or re.search(r"\d and $", before)
        and re.match(r"\d/\d", text[start:])
        or re.search(r"[+×*·÷/−-]\s*\($", before)
        or re.search(r"(?<![\d.])\d{1,3},[ \t]$", before)
        and re.match(r"\d{3}(?![\d.])", text[start:])
    ):
        return True
    bare = before.rstrip(" \t")
    if bare[-1:] in ("-", "−") and text[start] == "(":
        return True  # a sign before the bracket, or a bullet: nobody can tell
    if bare[-1:] == "*" and not bare[-2:-1].isdigit() and bare[-2:-1] not in " )":
        return False  # emphasis, not a product
    if bare and (bare[-1] in "+×*·÷/^−–" or bare[-1].isdigit() or bare[-2:] in (" x", " X")):
        return True
    if bare[-1:] == "-" and bare[:-1].strip() and bare[-2] != "\n":
        return True
    return bool(_AFTER.match(text, end))


def _other_unit(text: str, before: int, after: int) -> bool:
    """Whether words of different units end at `before` and follow `after`."""
    left, right = _UNIT_BEFORE.search(text[max(0, before - 12) : before]), _WORD_UNIT.match(text, after)
    return bool(left and right and left[1] != right.group().strip())


def read_equations(text: str) -> list[Equation]:
    """All equations of `text` that have at least one operator or number before the equals sign."""
    found: list[Equation] = []
    if "=" not in text and "≈" not in text:
        return found
    previous: tuple[float | None, int, tuple[tuple[int, int], ...], int, float] | None = None
    for match in _EQUALS.finditer(text):
        number = _NUMBER.match(text, match.end())
        if not number:
            continue
        tokens, start, spans = _tokens_before(text, match.start())
        operators = [token for token, _ in tokens if token in "+-*/^" or token == "root"]
        if len(tokens) == 2 and tokens[0][0] == "-":
            continue  # a number with its sign
        if operators:
            try:
                value = _sum(tokens)
                if tokens.at != len(tokens) or isinstance(value, complex):
                    continue
            except (ValueError, IndexError):
                continue
            except (ZeroDivisionError, OverflowError):
                value = None
        elif previous and len(tokens) == 1 and previous[3] >= match.start() - 2 and tokens[0][1] == previous[4]:
            value, start, spans = previous[0], previous[1], list(previous[2])
        else:
            continue
        if not operators and previous and _other_unit(text, previous[3], number.end()):
            continue  # "2 hours = 120 minutes"
        if _is_part(text, start, number.end()) or _NESTED_FRACTION.search(text[start : match.start()]):
            continue  # "2 / 1/5" is read either way
        if value and "thousand" in text and abs(value * 1000 - _value(number.group())) < 1e-6:
            continue  # counted in thousands
        if _ORDINAL.search(text[max(0, start - 12) : start]):
            continue  # "day 1 * 2"
        if _ALGEBRA.search(text[start : match.start()]) and text[number.end() : number.end() + 1] != "R":
            continue  # "4R + 1 = 33" is an equation to solve, 0130 a clock
        if _ACCOUNTING.search(text[start : match.start()]):
            continue  # "-114 - (71)": brackets round one number are a minus sign in accounts
        if text.startswith(("..", "…"), number.end()) or _GOES_ON.match(text, number.end()):
            continue  # "8.333...%" is cut, not rounded; "3 000", "5 and 2/3" and "26 cents" say more than the number
        printed = number.group()
        tail = _UNIT_WORD.match(text, number.end())
        percent = bool(tail and tail.group().strip() in ("%", "per cent", "percent"))
        point = printed.find(".")
        scaled = value
        if percent and value is not None:
            # "(a − b) ÷ b = 3.27%" is a fraction shown in per cent; "100 − 15 = 85%" counts in per cent already
            counts = not any(token == "%" for token, _ in tokens) and abs(value - _value(printed)) < abs(
                value * 100 - _value(printed)
            )
            scaled = value if counts else value * 100
        elif value is not None and sum(token == "%" for token, _ in tokens) > 1 and set(operators) == {"*"}:
            # "35% × −9% = −3.15": a share of a per cent, counted in points
            scaled = min(value, value * 100, key=lambda either: abs(either - _value(printed)))
        unit = 10.0 ** -(0 if point < 0 else len(printed) - point - 1)
        if scaled is not None and _ROUNDED_DOWN.match(text, number.end()) and 0 <= scaled - _value(printed) < unit:
            scaled = _value(printed)
        end = tail.end() if tail else number.end()
        found.append(
            Equation(
                start, end, scaled, _value(printed), 0 if point < 0 else len(printed) - point - 1,
                tuple(spans), number.span(),
            )
        )  # fmt: skip
        previous = (value, start, tuple(spans), end, _value(printed))
    return found
