"""The same script in version 5 and in version 6: what the older version wrote otherwise, and what is said of the change."""

import re
from typing import NamedTuple

from generators.pinescript.program import Program
from generators.pinescript.writer import wrap, write
from tapewright.streams import Stream


class Change(NamedTuple):
    """One thing version 6 writes otherwise: wordings, and the lines of the older script it is found on."""

    name: str
    wording: tuple[str, ...]
    lines: tuple[int, ...]


_SAYS = {
    "when": ("the `when` argument of the order is gone: the condition stands in an `if`", "`when` no longer exists in order functions, so the call moves under an `if`"),
    "transp": ("`transp` is gone: the transparency goes into the colour with `color.new`", "`transp` was removed, and `color.new` carries the transparency"),
    "number": ("a number no longer counts as a condition: `strategy.position_size` is compared with zero", "version 6 does not turn numbers into truth values, so the position size is compared with zero"),
    "margin": ("version 6 asks for full margin by default where version 5 asked for none; `margin_long = 0` and `margin_short = 0` keep the old test", "without `margin_long = 0` and `margin_short = 0` version 6 would refuse what costs more than the equity, which version 5 allowed"),
    "version": ("the version line now names version 6", "the script now declares version 6"),
}  # fmt: skip
_PLOT = re.compile(r"^(plot\(.*color = )(color\.\w+)([,)].*)$")
_CLOSE = re.compile(r"^if (.+)\n    (strategy\.close(?:_all)?)\(([^\n]*)\)$", re.MULTILINE)
_FLAT = re.compile(r"strategy\.position_size == 0$", re.MULTILINE)
_HELD = re.compile(r"plot\(strategy\.position_size != 0 \?")


def write_both(program: Program, rng: Stream) -> tuple[str, str, list[Change]] | None:
    """Version 5, version 6 and the changes between them; None where the script shows none but the version."""
    new = write(program, 6)
    old = new.replace("//@version=6", "//@version=5", 1)
    used = []
    if rng.chance(0.8) and (swapped := _seen_through(old, new, rng)):
        old, new = swapped
        used.append("transp")
    if rng.chance(0.8) and _CLOSE.search(old):
        old = _CLOSE.sub(_with_when, old)
        used.append("when")
    if rng.chance(0.8) and (_FLAT.search(old) or _HELD.search(old)):
        old = _HELD.sub("plot(strategy.position_size ?", _FLAT.sub("not strategy.position_size", old))
        used.append("number")
    if not used:
        return None
    if program.kind == "strategy":
        new = new.replace(f'"{program.title}", ', f'"{program.title}", margin_long = 0, margin_short = 0, ', 1)
        new = wrap(new)
    lines = old.split("\n")
    signs = {"when": "when = ", "transp": "transp = ", "number": "strategy.position_size"}
    places = {
        name: tuple(number for number, line in enumerate(lines, 1) if signs[name] in line and _is_bare(name, line))
        for name in used
    }
    changes = [Change("version", _SAYS["version"], (1,))]
    if program.kind == "strategy":
        changes.append(Change("margin", _SAYS["margin"], (2,)))
    changes += sorted((Change(name, _SAYS[name], places[name]) for name in used), key=lambda change: change.lines)
    return old, new, changes


def _is_bare(name: str, line: str) -> bool:
    return name != "number" or bool(re.search(r"not strategy\.position_size$|strategy\.position_size \?", line))


def _with_when(match: re.Match) -> str:
    name, *rest = match[3].split(", ", 1) if match[2] == "strategy.close" else ("", match[3])
    parts = [part for part in (name, f"when = {match[1]}", *rest) if part]
    return f"{match[2]}({', '.join(parts)})"


def _seen_through(old: str, new: str, rng: Stream) -> tuple[str, str] | None:
    """One line drawn with some transparency, in both scripts."""
    lines = new.split("\n")
    places = [number for number, line in enumerate(lines) if _PLOT.match(line) and line.endswith(")")]
    if not places:
        return None
    at = rng.pick(places)
    share = rng.pick((20, 30, 40, 50, 60, 70))
    match = _PLOT.match(lines[at])
    assert match is not None
    before, after = old.split("\n"), lines
    before[at] = f"{match[1]}{match[2]}{match[3][:-1]}, transp = {share})"
    after[at] = f"{match[1]}color.new({match[2]}, {share}){match[3]}"
    return "\n".join(before), "\n".join(after)
