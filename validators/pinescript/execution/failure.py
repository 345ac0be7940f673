"""The one way a script fails when it is run."""

from tapewright.errors import TapewrightError


class ExecutionError(TapewrightError, RuntimeError):
    """A script that cannot be run, or that stopped while it ran.

    `line` counts from 1 and is 0 where no line is to blame; `bar` is the candle it stopped on, -1 before the
    first. `reason` is the message without the line.
    """

    def __init__(self, reason: str, line: int = 0, bar: int = -1) -> None:
        self.reason, self.line, self.bar = reason, line, bar
        place = f"line {line}" if line else "script"
        super().__init__(f"{place}{f', bar {bar}' if bar >= 0 else ''}: {reason}")
