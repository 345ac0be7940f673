"""An indicator asked for in words, and the script with an account of it. Timeless: the script is run on any market."""

from generators.pinescript_strategy import settle
from generators.situation import Situation
from generators.world import World
from tapewright.streams import Stream

KIND = "indicator"


def draw(rng: Stream, world: World) -> Situation:
    """Draw a program, write it, run it on the tape, and gather what is said of it."""
    return settle(KIND, rng, world)
