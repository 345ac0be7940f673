"""Defects of answers with a script: code that does not compile, misleads, or does another thing than asked or told."""

import functools
import re

from generators.concepts import Drawn
from generators.defects.registry import Scene, defect
from generators.pinescript.blocks import library
from generators.pinescript.flaws import FLAWS, spoil
from validators.pinescript.fences import CodeBlock, blank_code, code_blocks
from validators.pinescript.reading import read_script

WRITING = ("pinescript_strategy", "pinescript_indicator")
ALL_CODES = frozenset().union(*(flaw.codes for flaw in FLAWS))
_MISLEADING = frozenset({"P040", "P041", "P042"})
# What a script that does not compile, or computes another thing, brings along in the comparison with its request.
_FOLLOWS = (
    frozenset({"N001", "N013", "N025", "N026", "N029", "N030", "F003", "F004", "P046", "P044", "P045"}) | ALL_CODES
)
_TRIES = 6


def _script(text: str) -> CodeBlock | None:
    return next(code_blocks(text), None)


def _with_script(text: str, block: CodeBlock, source: str) -> str:
    return text[: block.start] + source.rstrip("\n") + "\n" + text[block.end :]


def _spoilt(scene: Scene, codes: frozenset[str]) -> str | None:
    text = scene.fresh()
    block = _script(text)
    if block is None:
        return None
    for _ in range(_TRIES):
        flawed = spoil(block.source.rstrip("\n") + "\n", scene.rng, tries=4)
        if flawed is not None and flawed.flaw.codes <= codes:
            return _with_script(text, block, flawed.source)
    return None


@defect(
    "broken_code", "the script does not compile", " ".join(sorted(ALL_CODES - _MISLEADING)), _FOLLOWS,
    weight=4, tasks=(*WRITING, "pinescript_migrate", "pinescript_fix"), manner="edited",
)  # fmt: skip
def broken_code(scene: Scene) -> str | None:
    return _spoilt(scene, ALL_CODES - _MISLEADING)


@defect(
    "misleading_code", "the script compiles and shows the past what only the future knew, or decides live as it was never tested",
    " ".join(sorted(_MISLEADING)), _FOLLOWS, weight=2, tasks=(*WRITING, "pinescript_migrate"), manner="edited",
)  # fmt: skip
def misleading_code(scene: Scene) -> str | None:
    return _spoilt(scene, _MISLEADING)


_DEFAULT = re.compile(r"(?<== input\.)(int|float)\((\d+(?:\.\d+)?), \"([^\"]+)\"")


@functools.cache
def _drawn_by_label() -> dict[str, Drawn]:
    """The numbers an input of this label can have."""
    parts = library()
    blocks = [block for group in (parts.signals, parts.filters, parts.exits, parts.sizes) for block in group.values()]
    return {
        label: drawn
        for block in blocks
        for name, _, label, _, _ in (*block.inputs, *block.long_inputs, *block.short_inputs)
        for drawn in block.draws
        if drawn.name == name
    }


def _other_default(scene: Scene, source: str) -> tuple[str, str, str] | None:
    """The script with another default, and the two values as texts print them; none that stands elsewhere in it.

    Drawn like the right one, so that neither its size nor its roundness tells.
    """
    found = list(_DEFAULT.finditer(source))
    if not found:
        return None
    match = scene.rng.pick(found)
    drawn = _drawn_by_label()[match[3]]
    for _ in range(20):
        told = format(drawn.draw(scene.rng).normalize(), "f")
        printed = told if match[1] == "int" or "." in told else f"{told}.0"
        if not re.search(rf"(?<![\d.]){re.escape(told)}(?:\.0)?(?![\d.])", source):
            changed = source[: match.start(2)] + printed + source[match.end(2) :]
            return changed, _as_told(match[2]), told
    return None


def _as_told(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _told(text: str, before: str, after: str) -> str:
    """The prose with one number replaced wherever it stands; scripts are left."""
    blank = blank_code(text)
    for match in reversed(list(re.finditer(rf"(?<![\d.,]){re.escape(before)}(?!\d|\.\d|,\d)", blank))):
        text = text[: match.start()] + after + text[match.end() :]
    return text


@defect(
    "wrong_parameter", "the script computes with another number than asked",
    "N025", frozenset({"F004", "N013", "N001"}), weight=4, tasks=WRITING, manner="edited",
)  # fmt: skip
def wrong_parameter(scene: Scene) -> str | None:
    """Half of the time the account tells the wrong number too, and contradicts only the request."""
    text = scene.fresh()
    block = _script(text)
    changed = _other_default(scene, block.source) if block else None
    if block is None or changed is None:
        return None
    source, before, after = changed
    text = _with_script(text, block, source)
    return _told(text, before, after) if scene.rng.chance(0.5) else text


@defect(
    "wrong_side", "the script enters on the other side than asked",
    "N026", frozenset({"N013"}), weight=2, tasks=("pinescript_strategy",), manner="edited",
)  # fmt: skip
def wrong_side(scene: Scene) -> str | None:
    text = scene.fresh()
    block = _script(text)
    if block is None or len(read_script(block.source).entries) != 1:
        return None
    swap = {"strategy.long": "strategy.short", "strategy.short": "strategy.long"}
    return _with_script(text, block, re.sub(r"strategy\.(?:long|short)\b", lambda sign: swap[sign[0]], block.source))


@defect(
    "order_without_exit", "the script leaves out the stop or target that was asked for",
    "N026", frozenset({"N013", "N025", "F004", "P046", "P044", "P045"}), weight=2, tasks=("pinescript_strategy",), manner="edited",
)  # fmt: skip
def order_without_exit(scene: Scene) -> str | None:
    text = scene.fresh()
    block = _script(text)
    if block is None:
        return None
    both = re.compile(r"stop = [\w.]+, (?=limit)|, limit = [\w.]+(?=\))")
    alone = re.compile(r"^ *strategy\.exit\([^\n]*(?:,\n[^\n]*)*\)\n", re.MULTILINE)
    sides = both.findall(block.source)
    if sides:
        start = scene.rng.pick(sides)[:3]
        source = both.sub(lambda part: "" if part[0].startswith(start) else part[0], block.source)
    else:
        source = alone.sub("", block.source)
    return _with_script(text, block, source) if source != block.source else None


@defect(
    "wrong_account", "the account states another number than the script computes with",
    "N001 F004", frozenset({"N025"}), weight=3, tasks=(*WRITING, "pinescript_explain"), manner="edited",
)  # fmt: skip
def wrong_account(scene: Scene) -> str | None:
    text = scene.fresh()
    block = _script(text) or _script(scene.prompt.text)
    changed = _other_default(scene, block.source) if block else None
    if changed is None:
        return None
    _, before, after = changed
    told = _told(text, before, after)
    return told if told != text else None


@defect(
    "wrong_side_told", "the account tells of the other side than the script trades",
    "N026", frozenset(), weight=3, tasks=("pinescript_explain",), manner="edited",
)  # fmt: skip
def wrong_side_told(scene: Scene) -> str | None:
    block = _script(scene.prompt.text)
    if block is None or len(read_script(block.source).entries) != 1:
        return None
    swap = {"long": "short", "short": "long", "Long": "Short", "Short": "Long", "above": "below", "below": "above"}
    return re.sub(r"\b(?:[Ll]ong|[Ss]hort|above|below)\b", lambda sign: swap[sign[0]], scene.fresh())


@defect(
    "not_repaired", "the script that is returned is as broken as the one that was given",
    " ".join(sorted(ALL_CODES)), _FOLLOWS, weight=2, tasks=("pinescript_fix",), manner="edited",
)  # fmt: skip
def not_repaired(scene: Scene) -> str | None:
    text = scene.fresh()
    block, given = _script(text), _script(scene.prompt.text)
    return _with_script(text, block, given.source) if block and given else None


@defect(
    "wrong_line", "another line is blamed", "N028", frozenset({"N001"}), weight=3, tasks=("pinescript_fix",), manner="edited",
)  # fmt: skip
def wrong_line(scene: Scene) -> str | None:
    given = _script(scene.prompt.text)
    line = scene.situation.words["line"]
    if given is None:
        return None
    lines = [number for number, code in enumerate(given.source.split("\n"), 1) if code.strip() and str(number) != line]
    other = str(scene.rng.pick(lines))
    return re.sub(rf"(?<=ine )({line})\b|(?<=ine\*\*: )({line})\b", other, scene.fresh())


@defect(
    "repair_changes_more", "the repaired script also computes with another number",
    "N029", frozenset({"N001"}), weight=3, tasks=("pinescript_fix",), manner="edited",
)  # fmt: skip
def repair_changes_more(scene: Scene) -> str | None:
    text = scene.fresh()
    block = _script(text)
    changed = _other_default(scene, block.source) if block else None
    return _with_script(text, block, changed[0]) if block and changed else None


@defect(
    "left_old", "something of version 5 is left in the script",
    "P023 P029", frozenset({"N030"}), weight=3, tasks=("pinescript_migrate",), manner="edited",
)  # fmt: skip
def left_old(scene: Scene) -> str | None:
    """The old script under the new version line: what people do first."""
    text = scene.fresh()
    block, given = _script(text), _script(scene.prompt.text)
    if block is None or given is None:
        return None
    return _with_script(text, block, given.source.replace("//@version=5", "//@version=6"))


@defect(
    "changed_in_migration", "the migrated script computes with another number",
    "N030", frozenset({"N001"}), weight=3, tasks=("pinescript_migrate",), manner="edited",
)  # fmt: skip
def changed_in_migration(scene: Scene) -> str | None:
    text = scene.fresh()
    block = _script(text)
    changed = _other_default(scene, block.source) if block else None
    return _with_script(text, block, changed[0]) if block and changed else None
