"""Single mutations of good scripts, and the share that the checker finds on the right line, give or take one.

Each mutation changes one thing that a compiler refuses. Run it as `python -m benchmarks.pine_mutations --count 2000`.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from validators.pinescript import syntax as s
from validators.pinescript.builtins import V4_NAMES, table
from validators.pinescript.check import check_script
from validators.pinescript.lexer import Token, tokenize
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems
from validators.pinescript.tree import path_of

SCRIPTS = Path(__file__).parents[1] / "tests" / "data" / "pine"
Mutant = tuple[str, int]  # the source and the line that is wrong


class Subject:
    """A good script with its lines, tokens and tree."""

    def __init__(self, source: str) -> None:
        self.source, self.lines = source, source.split("\n")
        self.tokens = tokenize(source, Problems())
        self.script = parse(source, Problems())
        self.declared = {node.name for node in self.script.statements if isinstance(node, s.Declare)}

    def changed(self, line: int, column: int, length: int, text: str) -> Mutant:
        """The source with `length` signs at (line, column) replaced."""
        lines = list(self.lines)
        row = lines[line - 1]
        lines[line - 1] = row[: column - 1] + text + row[column - 1 + length :]
        return "\n".join(lines), line

    def calls(self) -> list[tuple[str, s.Call]]:
        """Calls of built-in functions."""
        return [(path, call) for call in self.script.calls if (path := path_of(call.function)) in table().functions]

    def opening(self, call: s.Call) -> int | None:
        """The place among the tokens of a call's bracket."""
        for place, token in enumerate(self.tokens):
            if token.kind == "(" and token.place > call.place and (token.line == call.line):
                return place
        return None


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
        subject.changed(token.line, token.column, len(token.text), token.text + "Q7")
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
        subject.changed(token.line, token.column, len(token.text), token.text + "x")
        if isinstance(token, Token)
        else None
    )


def old_function(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        (a, c) for a, b, c, d in zip(subject.tokens, subject.tokens[1:], subject.tokens[2:], subject.tokens[3:])
        if a.text in ("ta", "math") and b.kind == "." and c.text in V4_NAMES and d.kind == "(" and c.text not in subject.declared
    ]  # fmt: skip
    pair = _pick(rng, found)
    return subject.changed(pair[0].line, pair[0].column, len(pair[0].text) + 1, "") if isinstance(pair, tuple) else None


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
    return subject.changed(last.line, comma + 1, end - comma, "")


def extra_argument(subject: Subject, rng: random.Random) -> Mutant | None:
    call = _with_arguments(subject, rng, 2)
    if call is None or not isinstance(call.arguments[-1].value, (s.Literal, s.Name)):
        return None
    built = table().functions[path_of(call.function)]
    if any(len(way.slots) > len(call.arguments) for way in built.signatures):
        return None
    last = call.arguments[-1].value
    text = last.text if isinstance(last, s.Literal) else last.name
    return subject.changed(last.line, last.column, len(text), text + ", 3")


def text_for_number(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        argument.value for path, call in subject.calls() if path.startswith("ta.") for argument in call.arguments
        if isinstance(argument.value, s.Literal) and argument.value.kind in ("int", "float")
    ]  # fmt: skip
    value = _pick(rng, found)
    return (
        subject.changed(value.line, value.column, len(value.text), f'"{value.text}"')
        if isinstance(value, s.Literal)
        else None
    )


def unknown_argument(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [argument for _, call in subject.calls() for argument in call.arguments if argument.name]
    argument = _pick(rng, found)
    return (
        subject.changed(argument.line, argument.column, len(argument.name), argument.name + "_")
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
    return subject.changed(node.line, at + 1, 1, ":=")


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
    return "\n".join(lines), after[0]


def bad_indent(subject: Subject, rng: random.Random) -> Mutant | None:
    opened = {token.line for before, token in zip(subject.tokens, subject.tokens[1:]) if before.kind == "indent"}
    found = [
        line
        for line in opened
        if subject.lines[line - 1].startswith("    ")
        and subject.lines[line - 2].lstrip().startswith(("if ", "for ", "while "))
    ]
    line = _pick(rng, sorted(found))
    return subject.changed(line, 1, 2, "") if isinstance(line, int) else None


def lost_bracket(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        token for token, after in zip(subject.tokens, subject.tokens[1:])
        if token.kind == ")" and after.kind == "newline" and not subject.lines[token.line - 1].startswith(" ")
    ]  # fmt: skip
    found = [
        token for token in found if subject.lines[token.line - 1].count("(") == subject.lines[token.line - 1].count(")")
    ]
    token = _pick(rng, found)
    return subject.changed(token.line, token.column, 1, "") if isinstance(token, Token) else None


def lost_quote(subject: Subject, rng: random.Random) -> Mutant | None:
    token = _pick(rng, [token for token in subject.tokens if token.kind == "string" and "{" not in token.text])
    return subject.changed(token.line, token.column + len(token.text) - 1, 1, "") if isinstance(token, Token) else None


def unknown_constant(subject: Subject, rng: random.Random) -> Mutant | None:
    found = [
        c for a, b, c in zip(subject.tokens, subject.tokens[1:], subject.tokens[2:])
        if b.kind == "." and f"{a.text}.{c.text}" in table().values and _following(subject, c) != "."
    ]  # fmt: skip
    token = _pick(rng, found)
    return (
        subject.changed(token.line, token.column, len(token.text), token.text + "z")
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
    return subject.changed(node.line, node.column + 1, 0, "extraName, ")


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
    lines.insert(line - 1, "    plot(close)")
    return "\n".join(lines), line


def order_in_indicator(subject: Subject, rng: random.Random) -> Mutant | None:
    if not any(path_of(call.function) == "indicator" for call in subject.script.calls):
        return None
    place = len(subject.lines) - 1 if not subject.lines[-1] else len(subject.lines)
    return "\n".join([*subject.lines[:place], 'strategy.close("L")', ""]), place + 1


KINDS: tuple[Callable[[Subject, random.Random], Mutant | None], ...] = (
    misspelt_name, unknown_function, old_function, missing_argument, extra_argument, text_for_number, unknown_argument, reassigned_undeclared,
    declared_twice, bad_indent, lost_bracket, lost_quote, unknown_constant, wrong_number_of_names, plotted_in_block, order_in_indicator,
)  # fmt: skip


def measure(
    sources: list[str], count: int, seed: int = 1
) -> tuple[Counter[str], Counter[str], list[tuple[str, str, int, list[str]]]]:
    """Mutants made and killed per kind, and the survivors with what was found in them."""
    rng = random.Random(seed)
    subjects = [Subject(source) for source in sources]
    made: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    survivors = []
    tries = 0
    while made.total() < count and tries < 60 * count:
        tries += 1
        kind = KINDS[tries % len(KINDS)]
        mutant = kind(rng.choice(subjects), rng)
        if mutant is None:
            continue
        source, line = mutant
        found = [problem for problem in check_script(source) if problem.severity == "error"]
        made[kind.__name__] += 1
        if any(abs(problem.line - line) <= 1 for problem in found):
            killed[kind.__name__] += 1
        else:
            survivors.append((kind.__name__, source, line, [str(problem) for problem in found]))
    return made, killed, survivors


def main() -> None:
    """Print the table, and the first survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--show", type=int, default=0, help="survivors to print")
    options = parser.parse_args()
    paths = [*sorted((SCRIPTS / "valid").glob("*.pine")), *sorted((SCRIPTS / "idioms").glob("v[56]*.pine"))]
    made, killed, survivors = measure([path.read_text(encoding="utf-8") for path in paths], options.count)
    print("| mutation | made | found on the line, ±1 |\n|---|---:|---:|")
    for kind in KINDS:
        name = kind.__name__
        if made[name]:
            print(f"| {name.replace('_', ' ')} | {made[name]} | {killed[name] / made[name]:.1%} |")
    print(f"| all | {made.total()} | {killed.total() / made.total():.2%} |")
    for name, source, line, found in survivors[: options.show]:
        print(f"\n{name}, line {line}: {found}\n" + "\n".join(source.split("\n")[max(0, line - 3) : line + 2]))


if __name__ == "__main__":
    main()
