"""The built-in names of version 6, and what version 5 has besides.

The table `builtins.json` lists functions with their parameters, variables and constants with their types.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from validators.pinescript.kinds import ANYTHING, CONST, CORE, QUALIFIERS, SERIES, UNKNOWN, UNSURE, VOID, Kind


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter: its name, whether it must be given, the bases it takes and the widest qualifier."""

    name: str
    required: bool
    bases: frozenset[str]
    qualifier: int
    printed: str


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function; its slots by name and the names that must be given follow from the slots."""

    slots: tuple[Slot, ...]
    returns: Kind | list[Kind]
    by_name: dict[str, Slot] = field(init=False, compare=False)
    required: tuple[str, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {slot.name: slot for slot in self.slots})
        object.__setattr__(self, "required", tuple(slot.name for slot in self.slots if slot.required))


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function with all ways to call it, the most general first."""

    name: str
    space: str
    word: str
    signatures: tuple[Signature, ...]
    variadic: bool
    least: int
    top_level: bool
    result_of: str  # the argument whose type the result has, or empty


@dataclass(frozen=True, slots=True)
class Table:
    """Everything the language knows by itself."""

    functions: dict[str, Builtin]
    values: dict[str, Kind]
    namespaces: frozenset[str]
    members: dict[str, tuple[str, ...]]


# Arguments version 5 took and version 6 does not.
V5_ARGUMENTS = {"when": ("strategy.",), "transp": ("plot", "fill", "bgcolor", "barcolor", "hline")}
# Where `when` could stand without its name.
V5_CONDITIONS = ("strategy.close", "strategy.close_all")
# What took a bool in version 5, and does not in version 6, where no bool is na.
V5_BOOLS = ("nz", "fixnan")
# What version 4 called otherwise, with the name of today.
V4_NAMES = {
    "study": "indicator", "security": "request.security", "tickerid": "syminfo.tickerid", "iff": "a ternary `a ? b : c`",
    "offset": "the history operator `x[n]`", "rsi": "ta.rsi", "sma": "ta.sma", "ema": "ta.ema", "rma": "ta.rma", "wma": "ta.wma",
    "vwma": "ta.vwma", "swma": "ta.swma", "hma": "ta.hma", "alma": "ta.alma", "linreg": "ta.linreg", "macd": "ta.macd", "bb": "ta.bb",
    "bbw": "ta.bbw", "kc": "ta.kc", "kcw": "ta.kcw", "atr": "ta.atr", "tr": "ta.tr", "cci": "ta.cci", "mom": "ta.mom", "roc": "ta.roc",
    "stoch": "ta.stoch", "mfi": "ta.mfi", "obv": "ta.obv", "vwap": "ta.vwap", "dmi": "ta.dmi", "sar": "ta.sar", "supertrend": "ta.supertrend",
    "cross": "ta.cross", "crossover": "ta.crossover", "crossunder": "ta.crossunder", "highest": "ta.highest", "lowest": "ta.lowest",
    "highestbars": "ta.highestbars", "lowestbars": "ta.lowestbars", "pivothigh": "ta.pivothigh", "pivotlow": "ta.pivotlow",
    "change": "ta.change", "rising": "ta.rising", "falling": "ta.falling", "barssince": "ta.barssince", "valuewhen": "ta.valuewhen",
    "stdev": "ta.stdev", "variance": "ta.variance", "dev": "ta.dev", "correlation": "ta.correlation", "median": "ta.median", "mode": "ta.mode",
    "range": "ta.range", "cum": "ta.cum", "cmo": "ta.cmo", "cog": "ta.cog", "tsi": "ta.tsi", "wpr": "ta.wpr", "percentrank": "ta.percentrank",
    "percentile_nearest_rank": "ta.percentile_nearest_rank", "percentile_linear_interpolation": "ta.percentile_linear_interpolation",
    "abs": "math.abs", "ceil": "math.ceil", "floor": "math.floor", "round": "math.round", "max": "math.max", "min": "math.min", "avg": "math.avg",
    "pow": "math.pow", "sqrt": "math.sqrt", "exp": "math.exp", "log": "math.log", "log10": "math.log10", "sign": "math.sign", "sum": "math.sum",
    "sin": "math.sin", "cos": "math.cos", "tan": "math.tan", "random": "math.random", "tostring": "str.tostring", "tonumber": "str.tonumber",
    "heikinashi": "ticker.heikinashi", "renko": "ticker.renko", "financial": "request.financial", "quandl": "request.quandl",
    "dividends": "request.dividends", "earnings": "request.earnings", "splits": "request.splits",
}  # fmt: skip


@functools.cache
def table() -> Table:
    """The table, read once."""
    data: Any = orjson.loads((Path(__file__).parent / "builtins.json").read_bytes())
    functions = {entry["name"].partition("<")[0]: _builtin(entry) for entry in data["functions"]}
    values = {entry["name"]: _value(entry["type"], entry.get("qualifier", "")) for entry in data["variables"]}
    values |= {entry["name"]: Kind(CONST, entry["type"]) for entry in data["constants"]}
    members: dict[str, list[str]] = {}
    for name in (*functions, *values):
        space, _, member = name.rpartition(".")
        while space:
            members.setdefault(space, []).append(member)
            space, _, member = space.rpartition(".")
    return Table(
        functions, values, frozenset(members), {space: tuple(sorted(set(names))) for space, names in members.items()}
    )


def _value(printed: str, qualifier: str) -> Kind:
    base = printed.partition("<")[2].removesuffix(">") if printed.startswith(tuple(QUALIFIERS)) else printed
    return Kind(QUALIFIERS.get(qualifier, SERIES), base)


def _builtin(entry: dict[str, Any]) -> Builtin:
    flags = entry.get("flags", {})
    ways = entry.get("overloads") or [entry]
    signatures = tuple(_signature(way) for way in ways)
    name = entry["name"].partition("<")[0]
    space, _, word = name.rpartition(".")
    return Builtin(
        name, space, word, signatures, bool(flags.get("variadic")), int(flags.get("minArgs", 0)),
        bool(flags.get("topLevelOnly")), str(flags.get("returnTypeParam", "")),
    )  # fmt: skip


def _signature(way: dict[str, Any]) -> Signature:
    slots = tuple(_slot(parameter) for parameter in way["parameters"])
    returns = way["returns"]
    if returns.startswith("["):
        return Signature(slots, [_returned(part.strip()) for part in returns.strip("[]").split(",")])
    return Signature(slots, _returned(returns))


def _returned(printed: str) -> Kind:
    if printed == "void":
        return VOID
    word, _, rest = printed.partition(" ")
    if word in QUALIFIERS:
        base = rest
        rank = QUALIFIERS[word]
    else:
        base, rank = printed, SERIES
    if "<type>" in base or "Type" in base or "<matrix_type>" in base or "<value_type>" in base:
        return ANYTHING
    return Kind(rank, base)


def _slot(parameter: dict[str, Any]) -> Slot:
    printed = parameter["type"]
    word, _, rest = printed.partition(" ")
    rank = QUALIFIERS.get(word, UNSURE)
    bases = rest if word in QUALIFIERS else printed
    names = frozenset(bases.split("/"))
    simple = CORE | {"plot_style", "plot_display", "plot_simple_display", "hline_style", "plot_line_style"}
    known = all(
        name in simple or name.replace(".", "").isidentifier() or name.startswith("array<") and name.endswith(">")
        for name in names
    )
    if (
        not known
        or "<type" in bases
        or "enum" in bases
        or bases in ("unknown", "variable")
        or " " in bases
        or "array<int" in bases
        and "/" in bases
    ):
        names, rank = frozenset((UNKNOWN,)), UNSURE if "source" in bases else rank
    return Slot(parameter["name"], bool(parameter["required"]), names, rank, printed)
