"""The parts that scripts are put together from: signals, filters, exits and sizes, read from TOML and checked.

`templates/pinescript/signals/*.toml`, `filters.toml`, `exits.toml` and `sizes.toml` hold one table per part. A part
draws its numbers, declares an input for each, computes with them, and gives a condition (or a price) for either side;
`ask` and the rest are what a request and an explanation say of it. Names in code are snake_case and renamed later.

    [ema_cross]
    style = "trend"                     # signals: trend, reversion, breakout or pattern
    overlay = true                      # drawn on the candles, not in a pane of its own
    draw = { fast_length = [5, 20, 1] } # numbers, as in concepts
    inputs = [["fast_length", "int", "Fast EMA length", 1, 200]]
    code = "float fast_ema = ta.ema(SRC, fast_length)"
    long = "ta.crossover(close, fast_ema)"
    reads = ["ta.ema({SRC}, {fast_length})"]   # calls that must be found again in the finished script
"""

import functools
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from generators.concepts import Drawn, check_keys, evaluate, read_drawn
from tapewright.errors import ExhaustedError, TemplateError
from tapewright.streams import Stream
from templates.engine import FOLDER

PARTS = FOLDER / "pinescript"
STYLES = ("trend", "reversion", "breakout", "pattern")
Input = tuple[str, str, str, float, float]  # name, int or float, label, least, most
_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Block:
    """One part. Texts are wordings, code is that of the language; what is empty does not apply."""

    slug: str
    name: str = ""
    style: str = ""
    kind: str = ""
    overlay: bool = False
    intraday: bool = False
    hourly: bool = False  # makes sense on bars of an hour at most
    vague: bool = False  # its name and numbers leave open when it signals: a request says its rules as well
    price: bool = False  # its plots belong on the candles
    needs_stop: bool = False
    draws: tuple[Drawn, ...] = ()
    where: str = ""
    ask: tuple[str, ...] = ()
    ask_long: tuple[str, ...] = ()
    ask_short: tuple[str, ...] = ()
    long_when: tuple[str, ...] = ()
    short_when: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    long_inputs: tuple[Input, ...] = ()
    short_inputs: tuple[Input, ...] = ()
    code: str = ""
    after: str = ""
    long: str = ""
    short: str = ""
    plots: tuple[str, ...] = ()
    long_plots: tuple[str, ...] = ()
    short_plots: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    reads_long: tuple[str, ...] = ()
    reads_short: tuple[str, ...] = ()
    exit_long: str = ""
    exit_short: str = ""
    exit_words: tuple[str, ...] = ()
    declare: str = ""
    quantity: str = ""

    def draw(self, rng: Stream) -> dict[str, str]:
        """The numbers of one use, printed as texts print them. Raises ExhaustedError where `where` is never met."""
        for _ in range(_ATTEMPTS):
            values = {drawn.name: drawn.draw(rng) for drawn in self.draws}
            if not self.where or evaluate(self.where, values):
                return {name: format(value.normalize(), "f") for name, value in values.items()}
        raise ExhaustedError(f"pinescript part {self.slug}: where = {self.where!r} was not met")

    def inputs_for(self, direction: str) -> list[Input]:
        """The inputs of a script that trades `direction`: long, short or both."""
        sides = [
            *(self.long_inputs if direction != "short" else ()),
            *(self.short_inputs if direction != "long" else ()),
        ]
        return [*self.inputs, *sides]

    def reads_for(self, direction: str) -> list[str]:
        """The calls a script that trades `direction` must hold."""
        sides = [*(self.reads_long if direction != "short" else ()), *(self.reads_short if direction != "long" else ())]
        return [*self.reads, *sides]


@dataclass(frozen=True, slots=True)
class Library:
    """All parts by their place in a script."""

    signals: dict[str, Block] = field(default_factory=dict)
    filters: dict[str, Block] = field(default_factory=dict)
    exits: dict[str, Block] = field(default_factory=dict)
    sizes: dict[str, Block] = field(default_factory=dict)

    def exits_of(self, kind: str) -> list[Block]:
        """The exits of a kind: stop, target, trail or time."""
        return [block for block in self.exits.values() if block.kind == kind]


@functools.cache
def library() -> Library:
    """The parts, read once. Raises TemplateError naming the file, the part and the key."""
    signals: dict[str, Block] = {}
    for path in sorted((PARTS / "signals").glob("*.toml")):
        signals |= _read_file(path)
    return Library(
        signals, _read_file(PARTS / "filters.toml"), _read_file(PARTS / "exits.toml"), _read_file(PARTS / "sizes.toml")
    )


_TEXTS = tuple(name for name, entry in Block.__dataclass_fields__.items() if entry.type == "tuple[str, ...]" or entry.type == tuple[str, ...])  # fmt: skip
_INPUTS = ("inputs", "long_inputs", "short_inputs")


def _read_file(path: Path) -> dict[str, Block]:
    data = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {slug: _read_block(f"pinescript/{path.name}: {slug}", slug, table) for slug, table in data.items()}


def _read_block(where: str, slug: str, table: Any) -> Block:
    known = tuple(name for name in Block.__dataclass_fields__ if name not in ("slug", "draws"))
    check_keys(where, table, (*known, "draw"), ("draw", "ask"))
    if table.get("style", "trend") not in STYLES:
        raise TemplateError(f"{where}: style = {table['style']!r}; use one of {', '.join(STYLES)}")
    values: dict[str, Any] = dict(table)
    values["draws"] = tuple(read_drawn(where, name, spec) for name, spec in values.pop("draw").items())
    for key in (*_TEXTS, *_INPUTS):
        if key in values:
            if not isinstance(values[key], list):
                raise TemplateError(f"{where}: {key} must be a list")
            values[key] = tuple(map(tuple, values[key])) if key in _INPUTS else tuple(values[key])
    drawn = {entry.name for entry in values["draws"]}
    for key in _INPUTS:
        for entry in values.get(key, ()):
            if len(entry) != 5 or entry[0] not in drawn or entry[1] not in ("int", "float"):
                raise TemplateError(
                    f"{where}: {key} entry {list(entry)!r}; use [drawn name, int or float, label, least, most]"
                )
    for key in ("code", "after"):
        if key in values:
            values[key] = values[key].strip("\n")
    return Block(slug, **values)
