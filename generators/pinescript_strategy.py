"""A strategy asked for in words, and the script with an account of it. Timeless: the script is run on any market."""

from generators.pinescript.program import draw_program
from generators.pinescript.trial import run
from generators.pinescript.words import describe, facts_of
from generators.pinescript.writer import write
from generators.situation import Situation
from generators.world import World
from tapewright.streams import Stream

KIND = "strategy"


def draw(rng: Stream, world: World) -> Situation:
    """Draw a program, write it, run it on the tape, and gather what is said of it."""
    return settle(KIND, rng, world)


def settle(kind: str, rng: Stream, world: World) -> Situation:
    """The situation of a script of `kind` that is asked for."""
    program = draw_program(kind, rng, world.may_use)
    source = write(program)
    run(source, program, world)
    facts = facts_of(program)
    return Situation(
        facts=facts,
        words=describe(program, rng) | {"code": source.rstrip("\n")},
        origin=dict.fromkeys(facts, "drawn") | {"calls": "computed"},
        group=f"pine:{program.signal.slug}",
        label=program.signal.style,
    )
