"""Writing a program down: inputs, calculations, conditions, orders and plots, in the manner it was drawn with.

Everything is put together in snake_case with types; what nothing reads is taken out again, then names and types are
changed to the manner of the script.
"""

import re
from collections.abc import Iterable

from generators.pinescript.blocks import Block
from generators.pinescript.program import Program

_WIDTH = 110
_HEADINGS = (
    {"inputs": "Inputs", "signal": "Signal", "filters": "Filters", "exits": "Exits", "conditions": "Conditions", "orders": "Orders", "plots": "Plots", "table": "Table", "alerts": "Alerts"},
    {"inputs": "--- Settings ---", "signal": "--- Signal ---", "filters": "--- Filters ---", "exits": "--- Exit levels ---", "conditions": "--- Entry conditions ---", "orders": "--- Orders ---", "plots": "--- Drawing ---", "table": "--- Table ---", "alerts": "--- Alerts ---"},
    {"inputs": "User settings", "signal": "What the signal is made of", "filters": "What a signal must also meet", "exits": "Where a position ends", "conditions": "When to act", "orders": "Orders are placed at the close of the bar and filled at the next open", "plots": "What is drawn", "table": "Figures in the corner", "alerts": "Alerts"},
)  # fmt: skip
RESULTS = 20  # how many results the array keeps


def write(program: Program, version: int = 6) -> str:
    """The source of the script, ending in a newline."""
    sections = _sections(program)
    lines = [line for _, part in sections for line in part]
    unread = _unread(lines)
    out = [f"//@version={version}", _declaration(program), ""]
    for heading, part in sections:
        kept = _without(part, unread)
        if not kept:
            continue
        if program.manner.comments and heading in _HEADINGS[0]:
            out.append(f"// {_HEADINGS[program.manner.voice][heading]}")
        out += [*kept, ""]
    text = "\n".join(out).rstrip("\n") + "\n"
    return wrap(_in_manner(text, program))


def _sections(program: Program) -> list[tuple[str, list[str]]]:
    strategy = program.kind == "strategy"
    exits = [part for part in (program.stop, program.target, program.trail, program.time) if part is not None]
    filters = [line for part in program.filters for line in _code(part, program)]
    return [
        ("types", _types(program) if strategy else []),
        ("inputs", _inputs(program)),
        ("functions", _functions(program) if strategy else []),
        ("signal", _code(program.signal, program)),
        ("filters", filters),
        ("exits", [line for part in exits for line in _code(part, program)]),
        ("conditions", _conditions(program)),
        ("orders", _orders(program) if strategy else []),
        ("plots", _plots(program)),
        ("table", _table(program)),
        ("alerts", _alert_conditions(program) if not strategy and program.manner.alerts else []),
    ]


# --- the parts of a script ---------------------------------------------------------------------


def _declaration(program: Program) -> str:
    arguments = [f'"{program.title}"', f"overlay = {str(program.signal.overlay).lower()}"]
    if program.kind == "indicator":
        return f"indicator({', '.join(arguments)})"
    arguments.append(f"initial_capital = {program.capital}")
    if program.size is not None and program.size.declare:
        arguments.append(program.size.declare.format(**program.numbers))
    if program.pyramiding:
        arguments.append(f"pyramiding = {program.pyramiding}")
    if program.fee_percent:
        arguments.append(f"commission_type = strategy.commission.percent, commission_value = {program.fee_percent}")
    if program.slippage:
        arguments.append(f"slippage = {program.slippage}")
    return f"strategy({', '.join(arguments)})"


def _inputs(program: Program) -> list[str]:
    lines = []
    groups = {program.signal.slug: "Signal"} | {part.slug: "Filters" for part in program.filters}
    for part in program.parts:
        group = groups.get(part.slug, "Exits and size")
        for name, kind, label, least, most in part.inputs_for(program.reach):
            value = program.numbers[name]
            more = [f"minval = {least}", f"maxval = {most}"]
            if kind == "float":
                value = value if "." in value else f"{value}.0"
                more.append(f"step = {'0.01' if most <= 1 else '0.25' if float(value) * 4 % 1 == 0 else '0.1'}")
            if program.manner.grouped:
                more.append(f'group = "{group}"')
            if program.manner.tips:
                more.append(f'tooltip = "{_tip(part, kind, least, most)}"')
            lines.append(f'{kind} {name} = input.{kind}({value}, "{label}", {", ".join(more)})')
    if program.source != "close":
        lines.append(f'float price_source = input.source({program.source}, "Source")')
    return lines


def _tip(part: Block, kind: str, least: float, most: float) -> str:
    what = "whole number" if kind == "int" else "number"
    return f"A {what} from {least} to {most}"


def _code(part: Block, program: Program) -> list[str]:
    code = part.code.replace("SRC", "close" if program.source == "close" else "price_source")
    return code.split("\n") if code else []


def _types(program: Program) -> list[str]:
    if not program.manner.user_type:
        return []
    fields = ["    float stop"] + ["    float target"] * (program.target is not None)
    return ["type Plan", *fields]


def _functions(program: Program) -> list[str]:
    lines = []
    if program.manner.functions and program.target is not None and program.target.slug == "target_reward":
        lines += ["target_of(float entry, float stop) =>", "    entry + reward_ratio * (entry - stop)"]
    if program.manner.functions and program.size is not None and program.size.quantity:
        lines += [""] * bool(lines)
        lines += ["size_of(float entry, float stop) =>", f"    {program.size.quantity.replace('close', 'entry').replace('STOP', 'stop')}"]  # fmt: skip
    return lines


def _conditions(program: Program) -> list[str]:
    lines = []
    sides = ("long", "short") if program.reach == "both" else program.sides
    for side in sides:
        setup = getattr(program.signal, side)
        needed = [getattr(part, side) for part in program.filters]
        if side not in program.sides or not needed:
            name = f"{side}_signal" if side in program.sides else f"{side}_setup"
            lines.append(f"bool {name} = {setup}")
            continue
        lines.append(f"bool {side}_setup = {setup}")
        met = " and ".join(needed)
        if len(needed) > 1 and program.manner.comments:
            lines.append(f"bool {side}_allowed = {met}")
            met = f"{side}_allowed"
        lines.append(f"bool {side}_signal = {side}_setup and {met}")
    signals = " or ".join(f"{side}_signal" for side in program.sides)
    for part in program.filters:
        lines += part.after.replace("SIGNALS", signals).split("\n") if part.after else []
    return lines


def _orders(program: Program) -> list[str]:
    lines = []
    kept = program.manner.user_type and program.stop is not None
    if kept:
        lines.append(f"var Plan plan = Plan.new({'na, na' if program.target is not None else 'na'})")
    for side in program.sides:
        lines += _entry(program, side, kept)
    lines += _leaving(program)
    if program.trail is not None:
        lines += ["", *_trailing(program, program.trail)]
    if program.time is not None:
        lines += [f"if {program.time.long}", '    strategy.close_all(comment = "Time")']
    if program.manner.array:
        lines += [
            "", "var array<float> results = array.new<float>()", "if strategy.closedtrades > strategy.closedtrades[1]",
            "    results.push(strategy.closedtrades.profit(strategy.closedtrades - 1))", f"    if results.size() > {RESULTS}", "        results.shift()",
        ]  # fmt: skip
    return lines


def _name_of(program: Program, side: str) -> str:
    return program.manner.ids[side == "short"]


def _entry(program: Program, side: str, kept: bool) -> list[str]:
    """Entry, size and the exit orders that belong to it, where the position allows one."""
    name = _name_of(program, side)
    guard = f"{side}_signal"
    if not program.pyramiding:
        reverses = program.direction == "both" and program.opposite
        guard += f" and strategy.position_size {('<=' if side == 'long' else '>=') if reverses else '=='} 0"
    elif program.direction == "both" and not program.opposite:
        guard += f" and strategy.position_size {'>=' if side == 'long' else '<='} 0"  # adds, and never reverses
    lines = [f"if {guard}"]
    arguments = [f'"{name}"', f"strategy.{side}"]
    out = []
    if program.stop is not None:
        stop = "plan.stop" if kept else f"{side}_stop"
        lines.append(f"    {stop} := {getattr(program.stop, side)}" if kept else f"    float {stop} = {getattr(program.stop, side)}")  # fmt: skip
        out.append(f"stop = {stop}")
        if program.target is not None:
            target = "plan.target" if kept else f"{side}_target"
            price = getattr(program.target, side).replace("STOP", stop)
            if program.manner.functions and program.target.slug == "target_reward":
                price = f"target_of(close, {stop})"
            lines.append(f"    {target} := {price}" if kept else f"    float {target} = {price}")
            out.append(f"limit = {target}")
        if program.size is not None and program.size.quantity:
            size = program.size.quantity.replace("STOP", stop)
            arguments.append(f"qty = {f'size_of(close, {stop})' if program.manner.functions else size}")
    if program.manner.alerts:
        arguments.append(f'alert_message = "{program.signal.name}: {side} entry"')
    lines.append(f"    strategy.entry({', '.join(arguments)})")
    if out:
        lines.append(f'    strategy.exit("{name} exit", "{name}", {", ".join(out)})')
    return lines


def _leaving(program: Program) -> list[str]:
    """Exits by a condition: the signal's own, and the opposite signal where that does not reverse."""
    lines = []
    for side in program.sides:
        name = _name_of(program, side)
        other = "short" if side == "long" else "long"
        if program.natural:
            held = f"strategy.position_size {'>' if side == 'long' else '<'} 0"
            condition = getattr(program.signal, f"exit_{side}")
            lines += [f"if {held} and {condition}", f'    strategy.close("{name}", comment = "Signal exit")']
        if program.opposite and program.direction != "both":
            lines += [f"if {other}_setup", f'    strategy.close("{name}", comment = "Opposite")']
    return lines


def _trailing(program: Program, trail: Block) -> list[str]:
    lines = []
    for side in program.sides:
        level, flat, best = f"{side}_level", "<=" if side == "long" else ">=", "max" if side == "long" else "min"
        lines += [
            f"float {level} = {getattr(trail, side)}", f"var float {side}_trail = na",
            f"{side}_trail := strategy.position_size {flat} 0 ? na : na({side}_trail) ? {level} : math.{best}({side}_trail, {level})",
            f"if strategy.position_size {'>' if side == 'long' else '<'} 0",
            f'    strategy.exit("{_name_of(program, side)} trail", "{_name_of(program, side)}", stop = {side}_trail)',
        ]  # fmt: skip
    return lines


def _plots(program: Program) -> list[str]:
    lines = list(program.signal.plots)
    reach = program.reach
    lines += program.signal.long_plots if reach != "short" else ()
    lines += program.signal.short_plots if reach != "long" else ()
    for part in program.filters:
        if program.signal.overlay or not part.price:
            lines += part.plots
    overlay = program.signal.overlay
    if program.kind == "strategy" and overlay:
        if program.manner.user_type and program.stop is not None:
            lines.append('plot(strategy.position_size != 0 ? plan.stop : na, "Stop", color = color.red, style = plot.style_linebr)')  # fmt: skip
            if program.target is not None:
                lines.append('plot(strategy.position_size != 0 ? plan.target : na, "Target", color = color.green, style = plot.style_linebr)')  # fmt: skip
        if program.trail is not None:
            lines += [f'plot({side}_trail, "{side.capitalize()} trail", color = color.orange, style = plot.style_linebr)' for side in program.sides]  # fmt: skip
    if program.manner.array:
        lines.append('plot(results.size() > 0 ? results.avg() : na, "Mean of the last results", display = display.data_window)')  # fmt: skip
    if program.manner.markers or not any(line.startswith("plot") for line in lines):
        lines += [_marker(side, overlay) for side in program.sides]
    if program.manner.background:
        tests = [f"{side}_signal ? color.new(color.{'green' if side == 'long' else 'red'}, 85) : " for side in program.sides]  # fmt: skip
        lines.append(f'bgcolor({"".join(tests)}na, title = "Signal bars")')
    return lines


def _marker(side: str, overlay: bool) -> str:
    up = side == "long"
    place = ("belowbar" if up else "abovebar") if overlay else ("bottom" if up else "top")
    look = (
        f"shape.triangle{'up' if up else 'down'}, location = location.{place}, color = color.{'green' if up else 'red'}"
    )
    return f'plotshape({side}_signal, "{side.capitalize()} signal", style = {look}, size = size.tiny)'


def _table(program: Program) -> list[str]:
    manner = program.manner
    if manner.table == "results":
        return [
            "var table board = table.new(position.top_right, 2, 3, border_width = 1)", "if barstate.islast",
            "    float win_rate = strategy.closedtrades > 0 ? 100.0 * strategy.wintrades / strategy.closedtrades : 0.0",
            '    table.cell(board, 0, 0, "Closed trades")', "    table.cell(board, 1, 0, str.tostring(strategy.closedtrades))",
            '    table.cell(board, 0, 1, "Winners %")', '    table.cell(board, 1, 1, str.tostring(win_rate, "0.0"))',
            '    table.cell(board, 0, 2, "Net profit")', '    table.cell(board, 1, 2, str.tostring(strategy.netprofit, "#,##0.00"))',
        ]  # fmt: skip
    if manner.table == "state":
        signals = " or ".join(f"{side}_signal" for side in program.sides)
        return [
            f"int bars_ago = ta.barssince({signals})", "var table board = table.new(position.top_right, 2, 2, border_width = 1)",
            "if barstate.islast", '    table.cell(board, 0, 0, "Close")', "    table.cell(board, 1, 0, str.tostring(close, format.mintick))",
            '    table.cell(board, 0, 1, "Last signal")', '    table.cell(board, 1, 1, na(bars_ago) ? "none" : str.tostring(bars_ago) + " bars ago")',
        ]  # fmt: skip
    return []


def _alert_conditions(program: Program) -> list[str]:
    return [
        f'alertcondition({side}_signal, "{side.capitalize()} signal", "{program.signal.name}: {side} signal")'
        for side in program.sides
    ]


# --- what nothing reads ------------------------------------------------------------------------

_ASSIGNED = re.compile(r"^\s*(?:var )?(?:(?:int|float|bool|string) )?([a-z_]\w*) (?:=|:=|\+=) (?!>)")
_SEVERAL = re.compile(r"^\[([\w, ]+)\] = ")
_SIGNS = re.compile(r'"[^"]*"|//[^\n]*|(?<![\w.])[a-z_]\w*')


def _names(line: str) -> list[str]:
    return [sign for sign in _SIGNS.findall(line) if sign[0] not in '"/']


def _unread(lines: list[str]) -> set[str]:
    """Names whose lines only ever assign to them, found again until none is left."""
    unread: set[str] = set()
    while True:
        read: set[str] = set()
        declared: set[str] = set()
        for line in lines:
            assigned = _ASSIGNED.match(line)
            several = _SEVERAL.match(line)
            own = {assigned[1]} if assigned else set(re.split(r",\s*", several[1])) if several else set()
            if own and own <= unread:
                continue
            declared |= own
            read |= set(_names(line[several.end() :] if several else line)) - (own if assigned else set())
        fresh = declared - read - {"_"}
        if fresh <= unread:
            return unread
        unread |= fresh


def _without(lines: Iterable[str], unread: set[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        assigned = _ASSIGNED.match(line)
        if assigned and assigned[1] in unread:
            if kept and kept[-1].startswith("//"):
                kept.pop()
            continue
        several = _SEVERAL.match(line)
        if several:
            names = re.split(r",\s*", several[1])
            if set(names) <= unread:
                continue
            line = f"[{', '.join('_' if name in unread else name for name in names)}] = {line[several.end() :]}"
        kept.append(line)
    return kept


# --- manner ------------------------------------------------------------------------------------

_TYPED = re.compile(r"^(\s*)(var )?(?:int|float|bool|string) (\w+ = )(?!na$)", re.MULTILINE)
_FUNCTION = re.compile(r"^([a-z_]\w*)\(([^)]*)\) =>", re.MULTILINE)


def _in_manner(text: str, program: Program) -> str:
    manner = program.manner
    if manner.camel:
        declared = {match[1] for line in text.split("\n") if (match := _ASSIGNED.match(line))}
        for line in text.split("\n"):
            if several := _SEVERAL.match(line):
                declared |= set(re.split(r",\s*", several[1])) - {"_"}
        declared |= {match[1] for match in _FUNCTION.finditer(text)}
        text = _SIGNS.sub(lambda sign: _camel(sign[0]) if sign[0] in declared else sign[0], text)
    if not manner.typed:
        text = _TYPED.sub(lambda match: f"{match[1]}{match[2] or ''}{match[3]}", text)
    return text


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def wrap(text: str) -> str:
    """Long calls broken after a comma; a line that goes on is indented by five more, which is no block."""
    out = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()) + 5)
        while len(line) > _WIDTH and (at := line.rfind(", ", 20, _WIDTH)) > 0 and line.count('"', 0, at) % 2 == 0:
            out.append(line[: at + 1])
            line = indent + line[at + 2 :]
        out.append(line)
    return "\n".join(out)
