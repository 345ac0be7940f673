"""What a request and an explanation say of a program, and the facts of its row."""

import re
from typing import Any

from generators.pinescript.blocks import Block
from generators.pinescript.program import Program
from generators.pinescript.writer import RESULTS
from tapewright.streams import Stream
from templates.engine import compile_text, render

_FRAMES = {"15m": "15-minute", "1h": "1-hour", "4h": "4-hour", "1d": "daily"}
_MARKERS = ("markers on the chart where it signals", "triangles at the signals", "the signals marked on the chart")
_ALERTS = ("alerts", "an alert message with every entry", "alerts I can act on")
_SIGNALLED = ("alerts on the signals", "an alert for each signal")
_RESULTS = ("a small table with closed trades, share of winners and net profit", "a results table in the corner")
_STATE = (
    "a small table with the close and the bars since the last signal",
    "a corner table with the last signal's age",
)
_ARRAYS = (f"the mean of the last {RESULTS} results kept in an array", f"an array with the last {RESULTS} results, and their mean in the data window")  # fmt: skip
_BACKGROUND = ("a coloured background on signal bars", "signal bars shaded")


def describe(program: Program, rng: Stream) -> dict[str, Any]:
    """Every phrase the templates may use, with its numbers in it. Lists are empty where a part is missing."""

    def text(wordings: tuple[str, ...]) -> str:
        return render(compile_text(rng.pick(wordings)), program.numbers, rng) if wordings else ""

    strategy = program.kind == "strategy"
    side_asks = {"long": program.signal.ask_long, "short": program.signal.ask_short}.get(program.reach, ())
    ask = text(side_asks or program.signal.ask)
    rules = {side: text(getattr(program.signal, f"{side}_when")) for side in ("long", "short")}
    orders = (program.stop, program.target, program.trail, program.time)
    exits = [part for part in orders if part is not None]
    size = program.size
    return {
        "kind": program.kind,
        "title": program.title,
        "name": program.signal.name,
        "style": program.signal.style,
        "direction": program.direction,
        "frame": program.frame,
        "chart": _FRAMES[program.frame],
        "ask": ask,
        # A request that names the signal without one of its numbers says its rules as well.
        "complete": not program.signal.vague
        and all(
            re.search(rf"(?<![\d.]){re.escape(value)}(?![\d.]*\d)", ask)
            for name, value in program.numbers.items()
            if name in _own(program)
        ),
        "long_when": rules["long"] if program.direction != "short" else "",
        "short_when": rules["short"] if program.direction != "long" else "",
        "leave_when": rules["short" if program.direction == "long" else "long"] if _closes(program) else "",
        "source": "" if program.source == "close" else program.source,
        "filter_asks": [text(part.ask) for part in program.filters],
        "filter_long": [text(part.long_when) for part in program.filters],
        "filter_short": [text(part.short_when) for part in program.filters],
        "exit_asks": _exit_asks(program, exits, text, rng) if strategy else [],
        "exit_says": _exit_says(program, exits, text, rules) if strategy else [],
        "size_ask": text(size.ask) if size is not None else "",
        "size_says": text(size.says) if size is not None else "",
        "pyramiding": str(program.pyramiding) if program.pyramiding else "",
        "capital": f"{program.capital:,}",
        "fee": program.fee_percent,
        "slippage": str(program.slippage) if program.slippage else "",
        "extras": _extras(program, rng),
        "parameters": _parameters(program),
        "fails": [render(compile_text(wording), program.numbers, rng) for wording in _some(program.signal.fails, rng)],
        "higher": any(part.slug == "higher_frame" for part in program.filters) or program.signal.slug == "previous_day",
    }


def facts_of(program: Program) -> dict[str, Any]:
    """The numbers and the calls a reader must find again in the script, with the numbers each exit rests on."""
    facts: dict[str, Any] = {"script": program.kind, "signal": program.signal.slug, "frame": program.frame}
    if program.kind == "strategy":
        facts["direction"] = program.direction
    calls = [
        wanted.format(SRC=program.source, **program.numbers)
        for part in program.parts
        for wanted in part.reads_for(program.reach if part is program.signal else program.direction)
    ]
    facts["calls"] = "; ".join(dict.fromkeys(calls))
    unused = {drawn.name for drawn in program.signal.draws} - _own(program)  # levels of the side that is not traded
    for name, value in program.numbers.items():
        if name in unused:
            continue
        facts[name] = float(value) if "." in value else int(value)
    for role in ("stop", "target", "trail", "time"):
        part: Block | None = getattr(program, role)
        if part is not None:
            facts[f"{role}_numbers"] = " ".join(entry[0] for entry in part.inputs)
    return facts


def _own(program: Program) -> set[str]:
    return {entry[0] for entry in program.signal.inputs_for(program.reach)}


def _closes(program: Program) -> bool:
    return program.opposite and program.direction != "both"


def _exit_asks(program: Program, exits: list[Block], text: Any, rng: Stream) -> list[str]:
    asks = [text(part.ask) for part in exits]
    if program.natural:
        asks.append(f"an exit when {text(program.signal.exit_words)}")
    if _closes(program):
        asks.append(rng.pick(("an exit on the opposite signal", "a close when the opposite signal appears")))
    elif program.opposite and program.direction == "both":
        asks.append(rng.pick(("a reversal on the opposite signal", "the position turned on the opposite signal")))
    return asks


def _exit_says(program: Program, exits: list[Block], text: Any, rules: dict[str, str]) -> list[str]:
    """One clause per way out, in the order the orders stand in."""
    says = [text(part.says) for part in exits]
    if program.natural:
        says.append(f"the position is closed when {text(program.signal.exit_words)}")
    if _closes(program):
        other = "short" if program.direction == "long" else "long"
        filtered = ", whatever the filters say" if program.filters else ""
        says.append(f"the opposite signal closes the {program.direction} position ({rules[other]}{filtered})")
    elif program.opposite and program.direction == "both":
        says.append("the opposite signal reverses the position")
    return says


def _extras(program: Program, rng: Stream) -> list[str]:
    manner = program.manner
    wanted = (
        (manner.markers, _MARKERS), (manner.alerts, _ALERTS if program.kind == "strategy" else _SIGNALLED), (manner.table == "results", _RESULTS), (manner.table == "state", _STATE),
        (manner.array, _ARRAYS), (manner.background, _BACKGROUND),
    )  # fmt: skip
    extras = [rng.pick(phrases) for there, phrases in wanted if there]
    if manner.user_type:
        extras.append("stop and target kept in a user type" if program.target is not None else "the stop kept in a user type")  # fmt: skip
    return extras


def _parameters(program: Program) -> list[tuple[str, str]]:
    """Label and default of every input, as the settings window shows them."""
    found = []
    for part in program.parts:
        found += [(label, program.numbers[name]) for name, _, label, _, _ in part.inputs_for(program.reach)]
    return found + ([("Source", program.source)] if program.source != "close" else [])


def _some(wordings: tuple[str, ...], rng: Stream) -> list[str]:
    if len(wordings) < 2 or rng.chance(0.6):
        return [rng.pick(wordings)]
    return list(wordings)
