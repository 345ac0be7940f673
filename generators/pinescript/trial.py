"""Running a script before it is given away: on candles of the tape it must raise nothing and draw what it says."""

from generators.pinescript.program import Program
from generators.world import World
from market.candles import FRAME_SECONDS
from tapewright.errors import TemplateError
from validators.pinescript.execution import Execution, execute

BARS = 500
_WARM_UP = 10  # days a daily average is given beyond its length
_PERIODS = {"1h": "60", "4h": "240", "1d": "D"}


def run(source: str, program: Program, world: World) -> Execution:
    """One run on the last candles of the window.

    Raises ExecutionError where the script fails, TemplateError where a line it always draws stays empty.
    """
    frame = _frame(program.frame, world)
    venue, symbol = world.pool(frame)[0]
    series = world.tape.series(venue, symbol, frame)
    end = series.index_as_of(world.until_s) + 1
    days = int(program.numbers.get("higher_length", 0)) + _WARM_UP
    bars = BARS + days * 86_400 // FRAME_SECONDS[frame]
    execution = execute(source, series, symbol=symbol, timeframe=_PERIODS[frame], bars=slice(max(0, end - bars), end))
    if execution.bars >= bars:
        lines = source.split("\n")
        for title, plot in execution.plots.items():
            # A line with breaks is drawn while there is a position or a level, which need not be.
            text = "".join(lines[plot.line - 1 : plot.line + 1])
            broken = "linebr" in text or "data_window" in text
            if plot.kind == "plot" and not broken and all(value != value for value in plot.values):
                raise TemplateError(f"line {plot.line} of a script draws nothing as {title!r}")
    return execution


def _frame(wanted: str, world: World) -> str:
    """The frame of the tape nearest to the one the script is for."""
    wanted = wanted if wanted in FRAME_SECONDS else "1h"
    return next((frame for frame in (wanted, "1h", "4h", "1d") if world.has(frame)), "1d")
