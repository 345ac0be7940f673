"""A script with one named flaw, and the answer: what is wrong, on which line, and the script put right."""

from typing import Any

from generators.pinescript.flaws import spoil
from generators.pinescript.program import draw_program
from generators.pinescript.trial import run
from generators.pinescript.writer import write
from generators.situation import Situation
from generators.world import World
from tapewright.errors import ExhaustedError
from tapewright.streams import Stream
from templates.engine import compile_text, render

_TRIES = 20
# What compiles and misleads has no message to show.
_SILENT = ("looks_ahead", "draws_back", "every_tick")


def draw(rng: Stream, world: World) -> Situation:
    """Draw a program, run it, and spoil one line of it."""
    for _ in range(_TRIES):
        program = draw_program(rng.pick(("strategy", "strategy", "indicator")), rng, world.may_use)
        source = write(program)
        flawed = spoil(source, rng)
        if flawed is not None:
            break
    else:
        raise ExhaustedError(f"no flaw fits any of {_TRIES} scripts")
    run(source, program, world)
    flaw = flawed.flaw
    words: dict[str, Any] = {
        "subject": flawed.subject, "line": str(flawed.line), "was": flawed.was, "now": flawed.now, "kind": program.kind,
        "frame": program.frame, "title": program.title,
    }  # fmt: skip
    wrong = render(compile_text(rng.pick(flaw.wrong)), words, rng)
    mend = render(compile_text(rng.pick(flaw.mend)), words, rng)
    silent = flaw.name in _SILENT
    words |= {
        "wrong": wrong,
        "mend": mend,
        "silent": silent,
        "live": program.kind == "strategy" and flaw.name != "draws_back",
        "message": "" if silent or rng.chance(0.5) else f"line {flawed.line}: {flawed.message}",
        "broken": flawed.source.rstrip("\n"),
        "code": source.rstrip("\n"),
    }
    facts = {"script": program.kind, "flaw": flaw.name, "line": flawed.line}
    return Situation(
        facts=facts,
        words=words,
        origin={"script": "drawn", "flaw": "drawn", "line": "computed"},
        group=f"pine:{program.signal.slug}",
        label=flaw.name,
    )
