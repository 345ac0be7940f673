"""The concepts that `explain_concept` explains: read from TOML, checked, and given numbers.

`templates/explain_concept/concepts/<category>.toml` holds one table per concept:

    [position_sizing]
    title = "Position sizing"
    names = ["position sizing", "the sizing of a position"]   # noun phrases that fit "what is …"
    plural = false                                            # optional: names take "are"
    level = "beginner"                                        # beginner | intermediate | advanced
    definition = ["…", "…"]                                   # each wording may hold [a|b] brackets
    why = ["…", "…"]
    mistake = ["…", "…"]
    [position_sizing.example]
    draw = { equity = [2000, 20000, 500], risk = { pick = [0.5, 1.0] } }
    compute = [["budget", "equity * risk / 100", 2]]
    where = "equity > 3000"                                   # optional: drawn again while false
    find = "the amount at risk"
    setup = ["Suppose …", "…"]                                # introduces every drawn number
    work = ["…", "…"]                                         # equations on what is printed

Values are decimals, never floats: a drawn value has the decimals of its step, a computed one the
decimals declared, rounded half-even, and later expressions see the rounded value.
"""

import ast
import functools
import re
import tomllib
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from types import CodeType
from typing import Any

from tapewright.errors import ExhaustedError, TemplateError, suggest
from tapewright.streams import Stream
from templates.engine import FOLDER

CONCEPTS = FOLDER / "explain_concept" / "concepts"
LEVELS = ("beginner", "intermediate", "advanced")
SECTIONS = ("definition", "why", "mistake")
_KEYS = ("title", "names", "plural", "level", "definition", "why", "mistake", "example")
_EXAMPLE_KEYS = ("draw", "compute", "where", "find", "setup", "work")
_NEEDED = tuple(key for key in _KEYS if key != "plural")
_EXAMPLE_NEEDED = tuple(key for key in _EXAMPLE_KEYS if key != "where")
_FUNCTIONS = {
    "min": min,
    "max": max,
    "abs": abs,
    "sqrt": lambda x: Decimal(x).sqrt(),
    "floor": lambda x: Decimal(x).to_integral_value(ROUND_FLOOR),
}
_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Constant, ast.Name, ast.Call, ast.Compare, ast.BoolOp, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.And, ast.Or, ast.Not,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
_RESERVED = {"none", "true", "false", *_FUNCTIONS}  # Jinja and the evaluator have their own meaning for these
_USED = re.compile(r"\{\{\s*(\w+)")
# Division and roots leave a tail in the 28th digit; cut it before rounding so that a tie is a tie.
_EXACT = Decimal("1e-15")
_ATTEMPTS = 500


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn number: `low + k·step` for k below `count`, or one of `choices`."""

    name: str
    decimals: int
    low: Decimal = Decimal(0)
    step: Decimal = Decimal(1)
    count: int = 0
    choices: tuple[Decimal, ...] = ()

    def draw(self, rng: Stream) -> Decimal:
        if self.choices:
            return rng.pick(self.choices)
        return self.low + self.step * rng.below(self.count)


@dataclass(frozen=True, slots=True)
class Computed:
    """One computed number: an expression over earlier names, rounded half-even to `decimals`."""

    name: str
    expression: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept as its file describes it."""

    slug: str
    category: str
    title: str
    names: tuple[str, ...]
    plural: bool
    level: str
    definition: tuple[str, ...]
    why: tuple[str, ...]
    mistake: tuple[str, ...]
    draws: tuple[Drawn, ...]
    computes: tuple[Computed, ...]
    where: str
    find: str
    setup: tuple[str, ...]
    work: tuple[str, ...]

    def decimals(self) -> dict[str, int]:
        return {item.name: item.decimals for item in (*self.draws, *self.computes)}


def _names_in(expression: str) -> set[str]:
    """The names an expression reads. Raises ValueError for anything but plain arithmetic."""
    names = set()
    called = set()
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if not isinstance(node, _NODES):
            raise ValueError(f"{type(node).__name__} is not allowed")
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords:
                raise ValueError(f"only {', '.join(_FUNCTIONS)} may be called")
            called.add(node.func.id)
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and type(node.value) not in (int, float):
            raise ValueError(f"{node.value!r} is not a number")
    return names - called


class _Constants(ast.NodeTransformer):
    """Moves constants into a namespace of decimals, so that no float enters the arithmetic."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        name = f"_c{len(self.values)}"
        self.values[name] = Decimal(str(node.value))
        return ast.copy_location(ast.Name(name, ast.Load()), node)


@functools.cache
def _compiled(expression: str) -> tuple[CodeType, dict[str, Any]]:
    _names_in(expression)
    constants = _Constants()
    tree = ast.fix_missing_locations(constants.visit(ast.parse(expression, mode="eval")))
    return compile(tree, expression, "eval"), {"__builtins__": {}, **_FUNCTIONS, **constants.values}


def evaluate(expression: str, values: dict[str, Decimal]) -> Any:
    """The value of a checked expression over decimals; a Decimal, or a bool for a condition."""
    code, names = _compiled(expression)
    return eval(code, names, values)  # the syntax tree was checked node by node


def quantise(value: Decimal, decimals: int) -> Decimal:
    """Round half-even to `decimals`; a negative zero becomes zero."""
    rounded = value.quantize(_EXACT).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    return rounded if rounded else abs(rounded)


def show(value: Decimal, decimals: int) -> str:
    """A number as texts print it: thousands separators, fixed decimals, U+2212 for minus."""
    return f"{value:,.{decimals}f}".replace("-", "\u2212")


def draw_numbers(concept: Concept, rng: Stream) -> dict[str, Decimal]:
    """Draw and compute the numbers of the example. Raises ExhaustedError if `where` is never met."""
    for _ in range(_ATTEMPTS):
        values = {item.name: item.draw(rng) for item in concept.draws}
        try:
            for item in concept.computes:
                values[item.name] = quantise(Decimal(evaluate(item.expression, values)), item.decimals)
        except ArithmeticError:  # e.g. a stop drawn on the entry
            continue
        if not concept.where or evaluate(concept.where, values):
            return values
    raise ExhaustedError(f"concept {concept.slug}: where = {concept.where!r} was not met in {_ATTEMPTS} draws")


def _decimals(value: Any) -> int:
    return max(0, -int(Decimal(value).as_tuple().exponent))


def read_drawn(where: str, name: str, spec: Any) -> Drawn:
    if isinstance(spec, dict) and set(spec) == {"pick"} and isinstance(spec["pick"], list) and spec["pick"]:
        return Drawn(name, max(map(_decimals, spec["pick"])), choices=tuple(map(Decimal, spec["pick"])))
    if isinstance(spec, list) and len(spec) == 3:
        low, high, step = map(Decimal, spec)
        if step > 0 and high > low and (high - low) % step == 0:
            return Drawn(name, max(_decimals(spec[0]), _decimals(spec[2])), low, step, int((high - low) / step) + 1)
    raise TemplateError(f"{where}: draw.{name} must be [low, high, step] or {{pick = […]}}, on the step; got {spec!r}")


def check_keys(where: str, table: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if not isinstance(table, dict):
        raise TemplateError(f"{where}: must be a table")
    for key in table:
        if key not in known:
            raise TemplateError(f"{where}: unknown key {key!r}.{suggest(key, list(known))}")
    missing = [key for key in needed if key not in table]
    if missing:
        raise TemplateError(f"{where}: missing {', '.join(missing)}")


def _check_texts(where: str, key: str, value: Any, least: int) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) < least or not all(isinstance(text, str) and text for text in value):
        raise TemplateError(f"{where}: {key} must be a list of at least {least} texts")
    return tuple(value)


def read_concept(file: str, category: str, slug: str, table: Any) -> Concept:
    """Check one table. Raises TemplateError naming the file, the concept and the key."""
    where = f"explain_concept/concepts/{file}: {slug}"
    check_keys(where, table, _KEYS, _NEEDED)
    example = table["example"]
    check_keys(f"{where}.example", example, _EXAMPLE_KEYS, _EXAMPLE_NEEDED)
    if table["level"] not in LEVELS:
        raise TemplateError(f"{where}: level = {table['level']!r}; use one of {', '.join(LEVELS)}")
    draws = tuple(read_drawn(where, name, spec) for name, spec in example["draw"].items())
    known = {item.name for item in draws}
    computes = []
    for entry in example["compute"]:
        if not (isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], int)):
            raise TemplateError(f"{where}: compute entry {entry!r}; use [name, expression, decimals]")
        name, expression, decimals = entry
        _check_expression(where, f"compute.{name}", expression, known)
        if name in known:
            raise TemplateError(f"{where}: {name!r} is named twice")
        known.add(name)
        computes.append(Computed(name, expression, decimals))
    if taken := sorted(known & _RESERVED):
        raise TemplateError(f"{where}: {taken[0]!r} is a reserved word; give the number another name")
    if example.get("where"):
        _check_expression(where, "where", example["where"], known)
    setup = _check_texts(where, "setup", example["setup"], 2)
    work = _check_texts(where, "work", example["work"], 2)
    drawn = {item.name for item in draws}
    for key, texts, allowed in (("setup", setup, drawn), ("work", work, known)):
        for text in texts:
            for name in _USED.findall(text):
                if name not in allowed:
                    raise TemplateError(f"{where}: {key} uses {name!r}.{suggest(name, sorted(allowed))}")
    return Concept(
        slug=slug,
        category=category,
        title=table["title"],
        names=_check_texts(where, "names", table["names"], 1),
        plural=bool(table.get("plural", False)),
        level=table["level"],
        **{key: _check_texts(where, key, table[key], 2) for key in SECTIONS},
        draws=draws,
        computes=tuple(computes),
        where=example.get("where", ""),
        find=example["find"],
        setup=setup,
        work=work,
    )


def _check_expression(where: str, key: str, expression: Any, known: set[str]) -> None:
    try:
        unknown = _names_in(expression) - known
    except (SyntaxError, TypeError, ValueError) as error:
        raise TemplateError(f"{where}: {key} = {expression!r}: {error}") from error
    if unknown:
        name = min(unknown)
        raise TemplateError(
            f"{where}: {key} uses {name!r}, which is not drawn or computed before.{suggest(name, sorted(known))}"
        )


@functools.cache
def load_concepts() -> dict[str, Concept]:
    """All concepts by slug, in the order of the files. Raises TemplateError for anything wrong."""
    concepts: dict[str, Concept] = {}
    for path in sorted(CONCEPTS.glob("*.toml")):
        try:
            with path.open("rb") as file:
                data = tomllib.load(file, parse_float=Decimal)
        except (tomllib.TOMLDecodeError, InvalidOperation) as error:
            raise TemplateError(f"explain_concept/concepts/{path.name}: {error}") from error
        for slug, table in data.items():
            if slug in concepts:
                raise TemplateError(
                    f"explain_concept/concepts/{path.name}: {slug} is already in {concepts[slug].category}.toml"
                )
            concepts[slug] = read_concept(path.name, path.stem, slug, table)
    return concepts


@functools.cache
def list_slugs() -> tuple[str, ...]:
    """The slugs of all concepts, in the order of the files."""
    return tuple(load_concepts())
