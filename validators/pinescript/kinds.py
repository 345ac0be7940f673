"""Types of the language: a base such as `float` or `array<int>`, and a qualifier that says when a value is known."""

from typing import NamedTuple

# When a value is known: at compile time, from the inputs, on the first bar, on every bar. UNSURE is not judged; what
# depends on several values is known as late as the latest of them.
CONST, INPUT, SIMPLE, UNSURE, SERIES = range(5)
QUALIFIERS = {"const": CONST, "input": INPUT, "simple": SIMPLE, "series": SERIES}
WORDS = {rank: word for word, rank in QUALIFIERS.items()}

CORE = frozenset(("int", "float", "bool", "string", "color"))
OBJECTS = frozenset(
    ("line", "label", "box", "table", "linefill", "polyline", "chart.point", "footprint", "volume_row", "plot", "hline")
)
UNKNOWN = "?"


class Kind(NamedTuple):
    """The type of a value. Base `?` is not known, `na` fits everywhere, `void` is no value at all."""

    qualifier: int
    base: str

    def __str__(self) -> str:
        word = WORDS.get(self.qualifier, "")
        return f"{word} {self.base}".strip()


ANYTHING = Kind(UNSURE, UNKNOWN)
NA = Kind(CONST, "na")
VOID = Kind(UNSURE, "void")


def widest(*kinds: Kind) -> int:
    """The qualifier of what depends on all of `kinds`."""
    return max([kind.qualifier for kind in kinds], default=CONST)


def joined(left: Kind, right: Kind) -> Kind:
    """The type of what is either of two values: int and float give float, na gives way."""
    rank = widest(left, right)
    if left.base == right.base:
        return Kind(rank, left.base)
    if left.base == "na" or right.base == "na":
        return Kind(rank, right.base if left.base == "na" else left.base)
    if {left.base, right.base} == {"int", "float"}:
        return Kind(rank, "float")
    return Kind(rank, UNKNOWN)


def fits(base: str, wanted: frozenset[str] | str, version: int) -> bool:
    """Whether a value of `base` can stand where `wanted` is asked for; only the core types are judged."""
    accepted = wanted if isinstance(wanted, frozenset) else frozenset((wanted,))
    if base in accepted or base in (UNKNOWN, "na") or UNKNOWN in accepted:
        return base != "na" or version < 6 or accepted != {"bool"}
    if base == "int" and "float" in accepted:
        return True
    if base in ("int", "float") and "bool" in accepted and version < 6:
        return True
    if base == "void":
        return False
    if base in CORE and accepted <= CORE:
        return False
    # Objects and collections against core types; two different objects are left to the names of the language.
    if base in CORE and all(name in OBJECTS or name.startswith(("array<", "matrix<", "map<")) for name in accepted):
        return False
    return not ((base in OBJECTS or base.startswith(("array<", "matrix<", "map<"))) and accepted <= CORE)
