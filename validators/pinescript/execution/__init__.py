"""Scripts run on candles: `execute` for one run, `Program` for several."""

from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.run import Alert, Execution, Plot, Program, execute
from validators.pinescript.execution.trades import Fill, Trade

__all__ = ["Alert", "Execution", "ExecutionError", "Fill", "Plot", "Program", "Trade", "execute"]
