"""A script of version 5, and the same in version 6 with what had to change."""

from generators.pinescript.older import write_both
from generators.pinescript.program import draw_program
from generators.pinescript.trial import run
from generators.situation import Situation
from generators.world import World
from tapewright.errors import ExhaustedError
from tapewright.streams import Stream
from templates.engine import compile_text, render

_TRIES = 20


def draw(rng: Stream, world: World) -> Situation:
    """Draw a program, write it in both versions, and run both on the tape."""
    for _ in range(_TRIES):
        program = draw_program(rng.pick(("strategy", "strategy", "indicator")), rng, world.may_use)
        both = write_both(program, rng)
        if both is not None:
            break
    else:
        raise ExhaustedError(f"none of {_TRIES} scripts shows a difference between the versions")
    old, new, changes = both
    run(old, program, world)
    run(new, program, world)
    said = [render(compile_text(rng.pick(change.wording)), {}, rng) for change in changes]
    facts = {"script": program.kind, "changes": " ".join(change.name for change in changes)}
    return Situation(
        facts=facts,
        words={
            "kind": program.kind,
            "title": program.title,
            "frame": program.frame,
            "old": old.rstrip("\n"),
            "code": new.rstrip("\n"),
            "changes": [(_places(change.lines), text) for change, text in zip(changes, said)],
        },
        origin=dict.fromkeys(facts, "drawn"),
        group=f"pine:{program.signal.slug}",
        label=changes[-1].name,
    )


def _places(lines: tuple[int, ...]) -> str:
    """`line 7`, or `lines 7, 12 and 20`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
