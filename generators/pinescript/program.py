"""What one script is to do: its parts, its numbers and the manner it is written in, drawn before a line is written."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from generators.pinescript.blocks import Block, library
from tapewright.errors import ExhaustedError
from tapewright.streams import Stream

DIRECTIONS = ("long", "short", "both")
FRAMES = {"15m": "15", "1h": "60", "4h": "240", "1d": "1D"}
SOURCES = ("close", "hl2", "hlc3", "ohlc4")
_TRIES = 2_000


@dataclass(frozen=True, slots=True)
class Manner:
    """How a script is written, apart from what it does."""

    camel: bool = False
    typed: bool = True
    grouped: bool = False
    tips: bool = False
    comments: bool = True
    functions: bool = False  # stop and target distances in functions of their own
    user_type: bool = False  # stop and target kept in an object
    markers: bool = False  # signals drawn on the chart
    table: str = ""  # "", "results" (strategies) or "state" (indicators)
    alerts: bool = False
    array: bool = False  # the last results kept in an array
    background: bool = False
    ids: tuple[str, str] = ("Long", "Short")
    voice: int = 0  # which of the section headings


@dataclass(frozen=True, slots=True)
class Program:
    """One script to be written. `numbers` are printed as texts print them."""

    kind: str  # strategy or indicator
    signal: Block
    filters: tuple[Block, ...]
    direction: str
    frame: str
    numbers: dict[str, str]
    manner: Manner
    source: str = "close"
    stop: Block | None = None
    target: Block | None = None
    trail: Block | None = None
    time: Block | None = None
    natural: bool = False  # leaves when the signal's own condition says so
    opposite: bool = False  # leaves, or reverses, on the opposite signal
    size: Block | None = None
    pyramiding: int = 0
    capital: int = 10_000
    fee_percent: str = ""
    slippage: int = 0
    parts: tuple[Block, ...] = field(init=False)

    def __post_init__(self) -> None:
        exits = (self.stop, self.target, self.trail, self.time, self.size)
        object.__setattr__(self, "parts", (self.signal, *self.filters, *(part for part in exits if part is not None)))

    @property
    def reach(self) -> str:
        """The sides whose conditions are computed: both where one is the exit of the other."""
        return "both" if self.opposite else self.direction

    @property
    def sides(self) -> tuple[str, ...]:
        """`long`, `short` or both."""
        return ("long", "short") if self.direction == "both" else (self.direction,)

    @property
    def variant(self) -> str:
        """What it is made of, whatever its numbers and its manner: scripts of one make-up are near copies."""
        return " ".join((*sorted(part.slug for part in self.parts), self.direction))

    @property
    def title(self) -> str:
        """The name of the script."""
        return f"{self.signal.name} {self.kind}"


def draw_program(kind: str, rng: Stream, may_use: Callable[[str], bool] = lambda variant: True) -> Program:
    """Draw a script of `kind`, strategy or indicator, until `may_use` takes its variant.

    Raises ExhaustedError where it takes none. Every part of a script brings its own numbers.
    """
    for _ in range(_TRIES):
        program = _draw(kind, rng)
        if may_use(program.variant):
            return program
    raise ExhaustedError(f"no script of kind {kind} fits this split in {_TRIES} draws")


def _draw(kind: str, rng: Stream) -> Program:
    parts = library()
    signal = rng.pick(list(parts.signals.values()))
    direction = rng.weighted(DIRECTIONS, (5, 2, 5) if kind == "strategy" else (2, 1, 9))
    filters = _draw_filters(signal, kind, rng)
    parts_of_day = (signal, *filters)
    if any(part.hourly for part in parts_of_day):
        frame = rng.pick(("15m", "1h"))
    else:
        frame = rng.pick(("15m", "1h", "4h") if any(part.intraday for part in parts_of_day) else ("1h", "4h", "1d"))
    source = rng.pick(SOURCES[1:]) if "SRC" in signal.code and rng.chance(0.2) else "close"
    chosen: dict[str, Block | None] = {}
    extra: dict = {}
    if kind == "strategy":
        chosen, extra = _draw_orders(signal, direction, rng)
    numbers: dict[str, str] = {}
    for part in (signal, *filters, *(part for part in chosen.values() if part is not None)):
        numbers |= part.draw(rng)
    manner = _draw_manner(kind, chosen, rng)
    return Program(
        kind, signal, filters, direction, frame, numbers, manner, source,
        chosen.get("stop"), chosen.get("target"), chosen.get("trail"), chosen.get("time"), size=chosen.get("size"), **extra,
    )  # fmt: skip


def _draw_filters(signal: Block, kind: str, rng: Stream) -> tuple[Block, ...]:
    count = rng.weighted((0, 1, 2), (3, 5, 2) if kind == "strategy" else (5, 4, 1))
    rest = [part for part in library().filters.values() if not _alike(part, signal)]
    picked: list[Block] = []
    for _ in range(count):
        part = rng.pick(rest)
        picked.append(part)
        rest = [other for other in rest if other is not part]
    return tuple(picked)


# Filters that would say once more what the signal says.
_SAME = {
    "trend_average": ("price_cross_average", "ema_cross", "triple_ema", "rsi_pullback"), "adx_floor": ("di_cross",),
    "supertrend_side": ("supertrend_flip",), "rsi_side": ("rsi_midline", "rsi_reversal", "rsi_pullback", "mfi_extreme"),
    "volume_floor": ("volume_spike",),
}  # fmt: skip
# Signals that buy weakness: a filter that asks for strength would leave nothing of them.
_AGAINST = ("rsi_side", "supertrend_side", "trend_average")


def _alike(part: Block, signal: Block) -> bool:
    return signal.slug in _SAME.get(part.slug, ()) or signal.style == "reversion" and part.slug in _AGAINST[:2]


def _draw_orders(signal: Block, direction: str, rng: Stream) -> tuple[dict[str, Block | None], dict]:
    """Exits and size. At least one exit; a target in multiples of the risk, and a size by risk, need a stop."""
    parts = library()
    chosen: dict[str, Block | None] = {}
    if rng.chance(0.62):
        chosen["stop"] = rng.pick(parts.exits_of("stop"))
        if rng.chance(0.65):
            chosen["target"] = rng.pick(parts.exits_of("target"))
    elif rng.chance(0.45):
        chosen["trail"] = rng.pick(parts.exits_of("trail"))
    if rng.chance(0.25):
        chosen["time"] = rng.pick(parts.exits_of("time"))
    natural = bool(signal.exit_long) and rng.chance(0.5)
    leaves = any(chosen.values()) or natural
    opposite = rng.chance(0.3) or not leaves
    sizes = [size for size in parts.sizes.values() if "stop" in chosen or not size.needs_stop]
    chosen["size"] = rng.pick(sizes)
    # Adding to a position with a stop that belongs to its last entry would move the stop of the first.
    pyramiding = rng.pick((2, 3)) if rng.chance(0.12) and "stop" not in chosen and chosen["size"].slug != "risk_percent" else 0  # fmt: skip
    return chosen, {
        "natural": natural,
        "opposite": opposite,
        "pyramiding": pyramiding,
        "capital": rng.pick((10_000, 20_000, 25_000, 50_000, 100_000)),
        "fee_percent": rng.pick(("", "0.04", "0.05", "0.06", "0.075", "0.1")),
        "slippage": rng.pick((0, 0, 1, 2, 3)),
    }


def _draw_manner(kind: str, chosen: dict[str, Block | None], rng: Stream) -> Manner:
    strategy = kind == "strategy"
    kept = chosen.get("stop") is not None
    manner = Manner(
        camel=rng.chance(0.5),
        typed=rng.chance(0.5),
        grouped=rng.chance(0.4),
        tips=rng.chance(0.15),
        comments=rng.chance(0.75),
        functions=kept and rng.chance(0.25),
        user_type=kept and rng.chance(0.25),
        markers=rng.chance(0.35 if strategy else 0.9),
        table=("results" if strategy else "state") if rng.chance(0.25) else "",
        alerts=rng.chance(0.35 if strategy else 0.75),
        array=strategy and rng.chance(0.12),
        background=rng.chance(0.2),
        ids=rng.pick((("Long", "Short"), ("L", "S"), ("Buy", "Sell"), ("long", "short"))),
        voice=rng.below(3),
    )
    if not strategy and not (manner.markers or manner.alerts or manner.table or manner.background):
        return replace(manner, markers=True)  # what nothing shows would be no signal
    return manner
