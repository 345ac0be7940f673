"""Single mutations of good scripts that the compiler refuses, each with the line that is wrong and what is wrong there."""

import random
from collections.abc import Callable

from validators.pinescript import syntax as s
from validators.pinescript.builtins import V4_NAMES, table
from validators.pinescript.lexer import Token, tokenize
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of

EXTRA_NAMES = ("basis", "other", "extra", "unused")
_LINES = ("ta.ema", "ta.sma", "ta.hma", "ta.vwma", "ta.linreg", "ta.rsi", "ta.atr", "ta.vwap", "ta.sar", "ta.cci", "ta.mfi", "ta.wpr", "ta.roc")  # fmt: skip
Mutant = tuple[str, int, str]  # the source, the line that is wrong, and what is wrong there


class Subject:
    """A good script with its lines, tokens and tree."""

    def __init__(self, source: str) -> None:
        self.source, self.lines = source, source.split("\n")
        self.tokens = tokenize(source, Problems())
        self.script = parse(source, Problems())
        self.declared = {node.name for node in self.script.statements if isinstance(node, s.Declare)}
        self.numbers = {
            node.name for node in self.script.statements
            if isinstance(node, s.Declare) and isinstance(node.value, s.Call) and path_of(node.value.function) in _LINES
        }  # fmt: skip

    def changed(self, line: int, column: int, length: int, text: str, subject: str) -> Mutant:
        """The source with `length` signs at (line, column) replaced."""
        lines = list(self.lines)
        row = lines[line - 1]
        lines[line - 1] = row[: column - 1] + text + row[column - 1 + length :]
        return "\n".join(lines), line, subject

    def calls(self) -> list[tuple[str, s.Call]]:
        """Calls of built-in functions."""
        return [(path, call) for call in self.script.calls if (path := path_of(call.function)) in table().functions]


def _misspelt(name: str, subject: "Subject", rng: random.Random) -> str:
    """The name as a hurried hand writes it: a letter twice, two letters swapped, or one left out; never a known name."""
    known = (
        subject.declared | {full.rpartition(".")[2] for full in (*table().functions, *table().values)} | set(V4_NAMES)
    )
    for _ in range(20):
        at = rng.randrange(1, max(2, len(name) - 1)) if len(name) > 2 else 0
        wrong = rng.choice(
            (name[:at] + name[at] + name[at:], name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :], name[:at] + name[at + 1 :])
        )  # fmt: skip
        if wrong not in known and wrong != name and len(wrong) > 2 and not wrong[0].isdigit():
            return wrong
    return name + "x"


def _pick(rng: random.Random, found: list) -> object | None:
    return rng.choice(found) if found else None


def misspelt_name(subject: Subject, rng: random.Random) -> Mutant | None:
    uses = [
        token for before, token in zip(subject.tokens, subject.tokens[1:])
        if token.kind == "name" and token.text in subject.declared and before.kind in ("(", ",", "+", "-", "*", "/", "?", ":", "and", "or", "not", ">", "<")
    ]  # fmt: skip
    uses = [token for token in uses if _following(subject, token) not in ("=", ".", "(")]
    token = _pick(rng, uses)
    return (
        subject.changed(token.line, token.column, len(token.text), wrong := _misspelt(token.text, subject, rng), wrong)
        if isinstance(token, Token)
        else None
    )


def _following(subject: Subject, token: Token) -> str:
    return subject.tokens[subject.tokens.index(token) + 1].kind


def unknown_function(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        token
        for token in subject.tokens
        if token.kind == "name"
        and token.text in ("ema", "sma", "rsi", "atr", "crossover", "crossunder", "highest", "tostring", "max", "abs")
    ]
    token = _pick(rng, [token for token in found if _following(subject, token) == "("])
    return (
        subject.changed(token.line, token.column, len(token.text), wrong := _misspelt(token.text, subject, rng), wrong)
        if isinstance(token, Token)
        else None
    )


def old_function(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        (a, c) for a, b, c, d in zip(subject.tokens, subject.tokens[1:], subject.tokens[2:], subject.tokens[3:])
        if a.text in ("ta", "math") and b.kind == "." and c.text in V4_NAMES and d.kind == "(" and c.text not in subject.declared
    ]  # fmt: skip
    pair = _pick(rng, found)
    return (
        subject.changed(pair[0].line, pair[0].column, len(pair[0].text) + 1, "", pair[1].text)
        if isinstance(pair, tuple)
        else None
    )


def _with_arguments(subject: Subject, rng: random.Random, least: int) -> s.Call | None:
    found = []
    for path, call in subject.calls():
        built = table().functions[path]
        required = min(sum(slot.required for slot in way.slots) for way in built.signatures)
        plain = [argument for argument in call.arguments if not argument.name]
        if (
            not built.variadic
            and required >= least
            and len(plain) == len(call.arguments) == required
            and path.startswith("ta.")
        ):
            found.append(call)
    call = _pick(rng, found)
    return call if isinstance(call, s.Call) else None


def missing_argument(subject: Subject, rng: random.Random) -> Mutant | None:
    call = _with_arguments(subject, rng, 2)
    if call is None or len(call.arguments) < 2:
        return None
    last, before = call.arguments[-1], call.arguments[-2]
    row = subject.lines[last.line - 1]
    end = row.find(")", last.column - 1)
    comma = row.rfind(",", 0, last.column)
    if before.line != last.line or end < 0 or comma < before.column:
        return None
    if not isinstance(last.value, (s.Literal, s.Name)):
        return None
    return subject.changed(last.line, comma + 1, end - comma, "", path_of(call.function))


def extra_argument(subject: Subject, rng: random.Random) -> Mutant | None:
    call = _with_arguments(subject, rng, 2)
    if call is None or not isinstance(call.arguments[-1].value, (s.Literal, s.Name)):
        return None
    built = table().functions[path_of(call.function)]
    if any(len(way.slots) > len(call.arguments) for way in built.signatures):
        return None
    last = call.arguments[-1].value
    text = last.text if isinstance(last, s.Literal) else last.name
    return subject.changed(
        last.line, last.column, len(text), f"{text}, {rng.choice((2, 3, 5))}", path_of(call.function)
    )


def text_for_number(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        (argument.value, path) for path, call in subject.calls() if path.startswith(("ta.", "input.int", "input.float"))
        for argument in call.arguments
        if isinstance(argument.value, s.Literal) and argument.value.kind in ("int", "float")
    ]  # fmt: skip
    pair = _pick(rng, found)
    if not isinstance(pair, tuple):
        return None
    value, path = pair
    return subject.changed(value.line, value.column, len(value.text), f'"{value.text}"', path)


def unknown_argument(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [argument for _, call in subject.calls() for argument in call.arguments if argument.name]
    argument = _pick(rng, found)
    return (
        subject.changed(
            argument.line, argument.column, len(argument.name), wrong := _misspelt(argument.name, subject, rng), wrong
        )
        if isinstance(argument, s.Argument)
        else None
    )


def reassigned_undeclared(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        node
        for node in subject.script.statements
        if isinstance(node, s.Declare) and not node.mode and node.type is None
    ]
    node = _pick(rng, found)
    if not isinstance(node, s.Declare):
        return None
    at = subject.lines[node.line - 1].find("=", node.column - 1)
    return subject.changed(node.line, at + 1, 1, ":=", node.name)


def declared_twice(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [node for node in subject.script.statements if isinstance(node, s.Declare)]
    node = _pick(rng, found)
    if not isinstance(node, s.Declare):
        return None
    after = [other.line for other in subject.script.statements if other.line > node.line]
    if not after:
        return None
    lines = list(subject.lines)
    lines.insert(
        after[0] - 1,
        f"{node.name} = {'1.0' if node.type is None else 'na'}"
        if node.type is None
        else f"{node.type.name} {node.name} = na",
    )
    return "\n".join(lines), after[0], node.name


def bad_indent(subject: Subject, rng: random.Random) -> Mutant | None:
    opened = {token.line for before, token in zip(subject.tokens, subject.tokens[1:]) if before.kind == "indent"}
    found = [
        line
        for line in opened
        if subject.lines[line - 1].startswith("    ")
        and subject.lines[line - 2].lstrip().startswith(("if ", "for ", "while "))
    ]
    line = _pick(rng, sorted(found))
    return subject.changed(line, 1, 2, "", "") if isinstance(line, int) else None


def lost_bracket(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        token for token, after in zip(subject.tokens, subject.tokens[1:])
        if token.kind == ")" and after.kind == "newline" and not subject.lines[token.line - 1].startswith(" ")
    ]  # fmt: skip
    found = [
        token for token in found if subject.lines[token.line - 1].count("(") == subject.lines[token.line - 1].count(")")
    ]
    token = _pick(rng, found)
    return subject.changed(token.line, token.column, 1, "", ")") if isinstance(token, Token) else None


def lost_quote(subject: Subject, rng: random.Random) -> Mutant | None:
    token = _pick(rng, [token for token in subject.tokens if token.kind == "string" and "{" not in token.text])
    return (
        subject.changed(token.line, token.column + len(token.text) - 1, 1, "", token.text[:-1])
        if isinstance(token, Token)
        else None
    )


def unknown_constant(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        c for a, b, c in zip(subject.tokens, subject.tokens[1:], subject.tokens[2:])
        if b.kind == "." and f"{a.text}.{c.text}" in table().values and _following(subject, c) != "."
    ]  # fmt: skip
    token = _pick(rng, found)
    return (
        subject.changed(token.line, token.column, len(token.text), wrong := _misspelt(token.text, subject, rng), wrong)
        if isinstance(token, Token)
        else None
    )


def wrong_number_of_names(subject: Subject, rng: random.Random) -> Mutant | None:
    node = _pick(
        rng,
        [
            node
            for node in subject.script.statements
            if isinstance(node, s.DeclareTuple) and isinstance(node.value, s.Call)
        ],
    )
    if not isinstance(node, s.DeclareTuple):
        return None
    return subject.changed(node.line, node.column + 1, 0, f"{(wrong := rng.choice(EXTRA_NAMES))}, ", wrong)


def plotted_in_block(subject: Subject, rng: random.Random) -> Mutant | None:
    node = _pick(
        rng,
        [node for node in subject.script.statements if isinstance(node, s.If)]
        or [st for st in subject.script.statements if isinstance(st, s.Run) and isinstance(st.value, s.If)],
    )
    if not isinstance(node, s.Run) or not isinstance(node.value, s.If) or not node.value.body:
        return None
    line = node.value.body[0].line
    lines = list(subject.lines)
    series = rng.choice(sorted(subject.numbers) or ["close"])
    lines.insert(line - 1, f"    plot({series})")
    return "\n".join(lines), line, series


def order_in_indicator(subject: Subject, rng: random.Random) -> Mutant | None:
    if not any(path_of(call.function) == "indicator" for call in subject.script.calls):
        return None
    place = len(subject.lines) - 1 if not subject.lines[-1] else len(subject.lines)
    return "\n".join([*subject.lines[:place], 'strategy.close("Long")', ""]), place + 1, "strategy.close"


KINDS: tuple[Callable[[Subject, random.Random], Mutant | None], ...] = (
    misspelt_name, unknown_function, old_function, missing_argument, extra_argument, text_for_number, unknown_argument, reassigned_undeclared,
    declared_twice, bad_indent, lost_bracket, lost_quote, unknown_constant, wrong_number_of_names, plotted_in_block, order_in_indicator,
)  # fmt: skip
