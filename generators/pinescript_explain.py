"""A script, and what it does in words: entries, exits, size, inputs, and when it fails."""

from generators.pinescript_strategy import settle
from generators.situation import Situation
from generators.world import World
from tapewright.streams import Stream


def draw(rng: Stream, world: World) -> Situation:
    """Draw a program, write it, run it on the tape, and gather what is said of it."""
    situation = settle(rng.pick(("strategy", "strategy", "indicator")), rng, world)
    del situation.facts["calls"], situation.origin["calls"]
    return situation
