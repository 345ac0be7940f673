"""Running a compiled script on candles, and what comes of it."""

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any

from tapewright.errors import TapewrightError
from validators.pinescript import syntax as s
from validators.pinescript.execution import timeframe as frames
from validators.pinescript.execution.broker import Broker, Terms
from validators.pinescript.execution.chart import Chart, chart_of
from validators.pinescript.execution.compiler import Compiled, Compiler, RequestPlan
from validators.pinescript.execution.failure import ExecutionError
from validators.pinescript.execution.natives import ENVIRONMENT
from validators.pinescript.execution.objects import Drawings
from validators.pinescript.execution.texts import formatted, tostring
from validators.pinescript.execution.trades import Fill, Trade
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problems

OLDEST, NEWEST = 4, 6


@dataclass(slots=True)
class Plot:
    """One plot: the function that made it, its title, and a value for each bar (four for candles); na is nan."""

    kind: str
    title: str
    values: list[Any]
    line: int


@dataclass(slots=True)
class Alert:
    """A message and the bar it was sent on."""

    bar: int
    message: str


@dataclass(slots=True)
class Execution:
    """What a script did. Lists by bar are as long as the candles; `equity` is empty for an indicator.

    `plots` is by title, or by kind and number where there is none or it is taken; `trades` are closed ones, in the
    order of their exits; `orders` are the fills; `drawings` counts what was made, by kind; `variables` are the
    top-level names, where they were asked for; `inputs` are the values the script ran with, by title.
    """

    kind: str
    bars: int
    plots: dict[str, Plot]
    trades: list[Trade] = field(default_factory=list)
    open_trades: list[Trade] = field(default_factory=list)
    orders: list[Fill] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    net_profit: float = 0.0
    initial_capital: float = 0.0
    max_drawdown: float = 0.0
    alerts: list[Alert] = field(default_factory=list)
    logs: list[tuple[int, str, str]] = field(default_factory=list)
    drawings: dict[str, int] = field(default_factory=dict)
    tables: list[dict[tuple[int, int], str]] = field(default_factory=list)
    variables: dict[str, list[Any]] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)


class Program:
    """A compiled script; `run` may be called any number of times, on any candles."""

    def __init__(
        self, script: s.Script | str, *, inputs: Mapping[str, Any] | None = None, libraries: Mapping[str, str] | None = None, variables: bool = False
    ) -> None:  # fmt: skip
        tree = _read(script)
        compiler = Compiler(tree, dict(inputs or {}), dict(libraries or {}), watch=variables)
        with _told(compiler):
            self.compiled = compiler.compile()

    def run(
        self, candles: Any, *, symbol: str = "BTCUSDT", timeframe: str = "60", mintick: float = 0.1, initial_capital: float | None = None,
        mincontract: float = 0.0, bars: slice | None = None,
    ) -> Execution:  # fmt: skip
        """Run the script on candles, as `execute` does."""
        chart = chart_of(candles, symbol=symbol, timeframe=timeframe, mintick=mintick, bars=bars)
        runtime = Runtime(self.compiled, chart, initial_capital, mincontract)
        runtime.run()
        return runtime.execution()


def execute(
    script: s.Script | str, candles: Any, *, symbol: str = "BTCUSDT", timeframe: str = "60", mintick: float = 0.1,
    initial_capital: float | None = None, inputs: Mapping[str, Any] | None = None, libraries: Mapping[str, str] | None = None,
    variables: bool = False, mincontract: float = 0.0, bars: slice | None = None,
) -> Execution:  # fmt: skip
    """Run a script on candles, oldest first.

    `candles` is a `market.candles.Series`, or a mapping with open, high, low, close, volume and open_time (epoch
    seconds), each a list or array; `bars` takes a part of them. `timeframe` is theirs, as scripts write it
    ("60", "240", "D"). `inputs` sets inputs by title or by the name they are declared with. `libraries` are sources
    by the path they are imported by. `mincontract` is what quantities are rounded down to; 0 leaves them.
    `variables` asks for every top-level name, bar by bar. Two runs of the same arguments give the same result.

    Raises ExecutionError for a script that cannot be read or run, with the line; SourceError for unusable candles.
    """
    program = Program(script, inputs=inputs, libraries=libraries, variables=variables)
    return program.run(
        candles, symbol=symbol, timeframe=timeframe, mintick=mintick, initial_capital=initial_capital, mincontract=mincontract, bars=bars
    )  # fmt: skip


def _read(script: s.Script | str) -> s.Script:
    if isinstance(script, str):
        problems = Problems()
        script = parse(script, problems)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise ExecutionError(errors[0].message, errors[0].line)
    if not OLDEST <= script.version <= NEWEST:
        raise ExecutionError(f"version {script.version} is not known; {OLDEST} to {NEWEST} can be run", script.line)
    return script


class Runtime:
    """One run: what compiled code finds as `rt`."""

    def __init__(
        self, compiled: Compiled, chart: Chart, initial_capital: float | None, mincontract: float, main_period: str = ""
    ) -> None:
        self.compiled, self.chart = compiled, chart
        self.main_period = main_period or chart.timeframe
        frame = compiled.settings.get("timeframe") or chart.timeframe
        if frames.seconds(str(frame)) != frames.seconds(chart.timeframe):
            raise ExecutionError(
                f"indicator(): timeframe {frame!r} on candles of {chart.timeframe!r}; give candles of {frame!r}"
            )
        self.broker = Broker(chart, _terms(compiled, initial_capital), mincontract)
        self.drawings = Drawings(_most(compiled.settings))
        self.plots = [Plot(plan.kind, plan.title, [], plan.line) for plan in compiled.plots]
        self.watched: list[list] = [[] for _ in compiled.watched]
        self.results: list[Any] = []
        self.alerts: list[Alert] = []
        self.logs: list[tuple[int, str, str]] = []
        self.sent: dict[str, int] = {}

    def run(self) -> None:
        """Run every bar. Raises ExecutionError with the line of the script where it stops."""
        namespace: dict[str, Any] = {**ENVIRONMENT, **self.compiled.objects}
        exec(self.compiled.code, namespace)
        try:
            namespace["run"](self)
        except Exception as error:
            raise self.blamed(error) from None

    def blamed(self, error: Exception) -> ExecutionError:
        """The error with the line and bar it happened on."""
        line, bar = 0, -1
        trace: types.TracebackType | None = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "<script>" and trace.tb_lineno:
                line = self.compiled.lines[trace.tb_lineno - 1] if trace.tb_lineno <= len(self.compiled.lines) else 0
                bar = trace.tb_frame.f_locals.get("bar", -1)
            trace = trace.tb_next
        if isinstance(error, ExecutionError):
            return error if error.line else ExecutionError(error.reason, line, bar)
        return ExecutionError(_said(error), line, bar)

    # --- called by compiled code ---------------------------------------------------------------

    def alert(self, bar: int, message: Any, often: str, place: str) -> None:
        if often != "freq_all" and self.sent.get(place) == bar:
            return
        self.sent[place] = bar
        self.alerts.append(Alert(bar, message if isinstance(message, str) else tostring(message)))

    def log(self, bar: int, level: str, pattern: Any, *values: Any) -> None:
        self.logs.append((bar, level, formatted(pattern, *values) if values else tostring(pattern)))

    def seconds(self, timeframe: str) -> int:
        return frames.seconds(timeframe or self.chart.timeframe)

    def requested(self, number: int) -> list[Any]:
        """What a `request.security()` gives on each bar."""
        plan = self.compiled.requests[number]
        try:
            return self._requested(plan)
        except ExecutionError as error:
            raise error if error.line else ExecutionError(error.reason, plan.line) from None

    def _requested(self, plan: RequestPlan) -> list[Any]:
        first = Runtime(plan.settings, self.chart.first(1), None, 0.0, self.main_period)
        first.chart.timeframe = self.chart.timeframe
        first.run()
        symbol, frame, ahead, gaps, ignore = first.results[0]
        chart, frame = self.chart, frame or self.chart.timeframe
        empty = _empty(plan.type)
        averaged = symbol.startswith("heikinashi ")
        name = symbol.removeprefix("heikinashi ")
        if name and name not in (chart.symbol, chart.ticker) and name.rpartition(":")[2] != chart.ticker:
            if ignore is True:
                return [empty] * chart.count
            raise ExecutionError(f"request.security() of {name!r}: only candles of {chart.symbol!r} are here")
        own, wanted = frames.seconds(chart.timeframe), frames.seconds(frame)
        if plan.lower:
            if wanted < own:
                return [[] for _ in range(chart.count)]  # as the language does where there are no lower bars
            if wanted > own:
                raise ExecutionError(
                    f"request.security_lower_tf() of {frame!r}, which is above the chart's {chart.timeframe!r}"
                )
        elif wanted < own:
            raise ExecutionError(
                f"request.security() of {frame!r}: the candles here are of {chart.timeframe!r} and hold no shorter bars"
            )
        if wanted == own:
            higher, within, closed = chart, range(chart.count), range(chart.count)
        else:
            higher, within, closed = chart.aggregated(frame)
        inner = Runtime(plan.expression, higher.heikin_ashi() if averaged else higher, None, 0.0, self.main_period)
        inner.run()
        if plan.lower:
            return [[value] for value in inner.results]
        places = within if ahead == "lookahead_on" or ahead is True else closed
        found = [inner.results[at] if at >= 0 else empty for at in places]
        if gaps == "gaps_on" or gaps is True:
            found = [value if i == 0 or places[i] != places[i - 1] else empty for i, value in enumerate(found)]
        return found

    # --- the outcome ---------------------------------------------------------------------------

    def execution(self) -> Execution:
        """Everything the run has left."""
        plots: dict[str, Plot] = {}
        for number, plot in enumerate(self.plots, 1):
            plots[plot.title if plot.title and plot.title not in plots else f"{plot.title or plot.kind} {number}"] = (
                plot
            )
        found = Execution(
            self.compiled.kind, self.chart.count, plots, alerts=self.alerts, logs=self.logs, drawings=dict(self.drawings.made),
            tables=[table.cells for table in self.drawings.all("table")], variables=dict(zip(self.compiled.watched, self.watched)),
            inputs=self.compiled.inputs,
        )  # fmt: skip
        if self.compiled.kind == "strategy":
            broker = self.broker
            found.trades, found.open_trades, found.orders, found.equity = (
                broker.trades,
                broker.open_trades,
                broker.fills,
                broker.curve,
            )
            found.net_profit, found.initial_capital, found.max_drawdown = (
                broker.net_profit,
                broker.initial_capital,
                broker.max_drawdown,
            )
        return found


def _terms(compiled: Compiled, initial_capital: float | None) -> Terms:
    settings: dict[str, Any] = {name: value for name, value in compiled.settings.items() if name in Terms.__slots__}
    if compiled.version >= 6:  # before, nothing had to be covered unless the script said so
        settings = {"margin_long": 100.0, "margin_short": 100.0} | settings
    if compiled.settings.get("calc_on_order_fills") is True:
        raise ExecutionError("calc_on_order_fills is not supported: scripts are run once a bar, at its close")
    if initial_capital is not None:
        settings["initial_capital"] = initial_capital
    for name, value in settings.items():
        wanted = type(getattr(Terms(), name))
        if not isinstance(value, (int, float) if wanted in (int, float) else wanted):
            raise ExecutionError(f"strategy(): {name} is {value!r}; it must be {wanted.__name__}")
    return Terms(**settings)


def _most(settings: dict[str, Any]) -> dict[str, int]:
    return {
        kind: settings.get(f"max_{kind}{'es' if kind == 'box' else 's'}_count", 50)
        for kind in ("line", "label", "box", "polyline")
    }


def _empty(kind: Any) -> Any:
    return tuple(map(_empty, kind)) if isinstance(kind, list) else nan


def _said(error: Exception) -> str:
    """A Python error in words of the script."""
    text = str(error)
    if isinstance(error, AttributeError) and ".f_" not in text and "'f_" in text:
        name = text.rpartition("'f_")[2].rstrip("'")
        return f"field {name!r} of na; make the object first, or ask na() before"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if "'float' object" in text or "'float'" in text and isinstance(error, TypeError):
        return f"na or a number stands where something else is needed ({text}); ask na() before"
    if isinstance(error, TypeError):
        return f"values of these types do not go together ({text})"
    return f"{text} ({type(error).__name__})"


@contextmanager
def _told(compiler: Compiler) -> Iterator[None]:
    """Turn what Python says while a script is compiled into ExecutionError."""
    try:
        yield
    except TapewrightError:
        raise
    except (RecursionError, MemoryError) as error:
        raise ExecutionError(f"the script is nested too deeply to be run ({error})") from None
    except Exception as error:
        reason = f"this cannot be compiled ({type(error).__name__}: {error}); check the script for it first"
        raise ExecutionError(reason, compiler.source.line) from error
