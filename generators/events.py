"""What can happen in a text whose sentiment is asked: events from TOML, and fictional names for them.

`templates/sentiment_analysis/events/*.toml` holds one table per event kind:

    [earnings]
    scope = "company"                   # company | token | coin | macro | commodity
    good, bad, flat = "[noun|phrase]"   # what happened, one per label the event can bear
    why_good, why_bad, why_flat         # a clause: why that is so
    wire_good, social_bad, note_flat …  # whole texts per register and label; coins use alert_good …
    rule = "…"                          # optional: the convention a prompt states beside it
    asset = "bonds"                     # macro: bonds | currency | index; commodity: its name
    targets = ["tone"]                  # optional: what may be asked of it
    measure, more, draw, basis          # optional: a number that decides; more = "good" | "bad",
    pre, suf, number                    # draw = [low, high, decimals], basis = what it is held against

Names are built from syllables, so no company, token, person or place in a text is a real one.
"""

import functools
import tomllib
from dataclasses import dataclass, field
from typing import Any

from tapewright.errors import TemplateError, suggest
from tapewright.streams import Stream
from templates.engine import FOLDER

EVENTS = FOLDER / "sentiment_analysis" / "events"
SCOPES = ("company", "token", "coin", "macro", "commodity")
LABELS = ("bad", "flat", "good")
OTHER = {"good": "bad", "bad": "good"}
REGISTERS = ("wire", "social", "note", "alert")
_OPTIONAL = {"rule", "asset", "targets", "measure", "more", "draw", "basis", "pre", "suf", "number"}
_KEYS = {"scope", *LABELS, *_OPTIONAL} | {f"{head}_{label}" for head in ("why", *REGISTERS) for label in LABELS}


@dataclass(frozen=True, slots=True)
class Event:
    """One event kind. `texts` is keyed by `<register>_<label>`, `phrases` and `whys` by label."""

    slug: str
    scope: str
    phrases: dict[str, str]
    whys: dict[str, str]
    texts: dict[str, str]
    rule: str = ""
    asset: str = ""
    targets: tuple[str, ...] = ("tone", "effect")
    measure: str = ""
    more: str = ""
    draw: tuple[float, ...] = ()
    basis: tuple[str, ...] = ()
    pre: str = ""
    suf: str = ""
    number: tuple[str, ...] = field(default=())

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label in LABELS if label in self.phrases)


def _read(where: str, slug: str, table: dict[str, Any]) -> Event:
    for key in table:
        if key not in _KEYS:
            raise TemplateError(f"{where}: unknown key {key!r}.{suggest(key, sorted(_KEYS))}")
    labels = [label for label in LABELS if label in table]
    if table.get("scope") not in SCOPES or not labels:
        raise TemplateError(f"{where}: needs a scope of {', '.join(SCOPES)} and a phrase per label")
    registers = ("alert",) if table["scope"] == "coin" else ("wire", "social", "note")
    needed = [f"why_{label}" for label in labels]
    needed += [f"{r}_{label}" for r in registers for label in labels if r != "alert" or label != "flat"]
    if "measure" in table:
        needed += ["more", "draw", "basis"]
    missing = [key for key in needed if key not in table]
    if missing:
        raise TemplateError(f"{where}: missing {', '.join(missing)}")
    optional: dict[str, Any] = {
        key: tuple(table[key]) if key in ("targets", "draw", "basis", "number") else table[key]
        for key in ("scope", "rule", "asset", "measure", "more", "pre", "suf", "targets", "draw", "basis", "number")
        if key in table
    }
    return Event(
        slug=slug,
        phrases={label: table[label] for label in labels},
        whys={label: table[f"why_{label}"] for label in labels},
        texts={key: table[key] for key in table if key.split("_")[0] in REGISTERS},
        **optional,
    )


@functools.cache
def load_events() -> tuple[Event, ...]:
    """All events in the order of their files. Raises TemplateError naming file, event and key."""
    found: dict[str, Event] = {}
    for path in sorted(EVENTS.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise TemplateError(f"{path.name}: {error}") from error
        for slug, table in tables.items():
            if slug in found:
                raise TemplateError(f"{path.name}: event {slug!r} stands in two files")
            found[slug] = _read(f"{path.name}: {slug}", slug, table)
    return tuple(found.values())


@functools.cache
def load_frames() -> dict[str, Any]:
    """The wordings shared by all events, from `frames.toml`."""
    return tomllib.loads((EVENTS.parent / "frames.toml").read_text(encoding="utf-8"))


_HEADS = [
    "Hal", "Ver", "Tor", "Mar", "Bel", "Cor", "Dra", "Fen", "Gal", "Har", "Kel", "Lor", "Mer", "Nor", "Or", "Pel",
    "Quin", "Ras", "Sel", "Tam", "Ul", "Vas", "Wes", "Yor", "Zan", "Bren", "Cal", "Dor", "El", "Fal", "Gren", "Hes",
]  # fmt: skip
_MIDDLES = ["va", "ri", "lo", "ne", "ta", "mi", "do", "ke", "su", "ra", "vo", "li", "no", "de", "mo", "wi"]
_TAILS = ["rn", "x", "nt", "sk", "ll", "th", "ck", "lm", "rd", "st", "ne", "ria", "mont", "wick", "ford", "vale"]
_SECTORS = {
    "Foods": ("oat drinks", "frozen meals", "snacks"),
    "Motors": ("pick-ups", "electric vans", "hatchbacks"),
    "Therapeutics": ("insulin pens", "asthma inhalers", "gene therapies"),
    "Software": ("payroll software", "cloud backups", "design tools"),
    "Energy": ("heat pumps", "wind turbines", "gas boilers"),
    "Airlines": ("long-haul seats", "regional routes", "charter flights"),
    "Apparel": ("running shoes", "winter coats", "work wear"),
    "Semiconductor": ("memory chips", "power chips", "image sensors"),
    "Logistics": ("parcel services", "cold storage", "freight routes"),
    "Materials": ("battery foils", "cement", "speciality steel"),
    "Devices": ("smartwatches", "hearing aids", "headsets"),
    "Games": ("mobile games", "consoles", "online games"),
    "Agritech": ("seed coatings", "harvest robots", "greenhouses"),
    "Bancorp": ("home loans", "credit cards", "savings plans"),
}
_BANKS = {"loan_losses"}  # events only a bank can have
_NOT_BANKS = {
    "recall", "deliveries", "backlog", "utilisation", "supply_chain", "weather", "tariffs", "store_sales", "margin",
    "product_launch",
}  # fmt: skip
_PROTOCOLS = ("Network", "Protocol", "Finance", "Chain", "Labs")
_PLACES = (
    "Velland", "Norvany", "Ostmark", "Calderia", "Perovia", "Sundaria", "Maravia", "Tavaria", "Ruvenia", "Kestria",
    "Alvonia", "Bordania", "Lutharia", "Zemaria",
)  # fmt: skip
_ASSETS = {"bonds": "Treasuries", "currency": "Crown", "index": "Composite"}
_HOUSES = (
    "Marrick",
    "Calder",
    "Tolvane",
    "Prynne",
    "Ashcombe",
    "Vosper",
    "Lindqvale",
    "Harrowgate",
    "Dunmere",
    "Oakhaven",
)
_FIRST = ("Maren", "Tobin", "Ilse", "Oskar", "Petra", "Anselm", "Noor", "Ravi", "Clara", "Yusuf", "Greta", "Elif")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def _stem(rng: Stream) -> str:
    return rng.pick(_HEADS) + rng.pick(_MIDDLES) + rng.pick(_TAILS)


def _ticker(rng: Stream, stem: str) -> str:
    letters = stem.upper()
    consonants = "".join(c for c in letters[1:] if c not in "AEIOU") + "BKVZ"
    return (letters[0] + consonants)[:4] + rng.pick("BCDGHJKLMNPSTVZ")


def draw_names(rng: Stream, event: Event) -> dict[str, str]:
    """The names one text needs: entity `e`, ticker `t`, subject `s`, place, product `x`, person `q`, broker `h`, day `d` or `w`."""
    place, day = rng.pick(_PLACES), rng.pick(_DAYS)
    names = {
        "place": place, "p": place, "q": f"{rng.pick(_FIRST)} {_stem(rng)}", "d": f"on {day}", "w": day,
        "h": f"{rng.pick(_HOUSES)} {rng.pick(('Securities', 'Partners', 'Research', 'Brothers'))}", "n": str(11 + rng.below(480)),
        "t": "", "x": "",
    }  # fmt: skip
    if event.scope in ("company", "token"):
        stem = _stem(rng)
        suffixes = _PROTOCOLS
        if event.scope == "company":
            suffixes = (
                ("Bancorp",) if event.slug in _BANKS else tuple(_SECTORS)[: -1 if event.slug in _NOT_BANKS else None]
            )
        suffix = rng.pick(suffixes)
        names["e"] = names["s"] = f"{stem} {suffix}"
        names["t"] = f"${_ticker(rng, stem)}"
        names["x"] = rng.pick(_SECTORS.get(suffix, ("wallets",)))
        names["at"] = f"at {names['e']}"
    elif event.scope == "coin":
        names["e"] = names["s"] = rng.pick(("BTC", "ETH", "BTC", "ETH", "SOL"))
        names["at"] = f"around {names['e']}"
    elif event.scope == "macro":
        names["e"] = f"{place} {_ASSETS[event.asset]}"
        names["s"] = place
        names["at"] = f"in {place}"
    else:
        names["e"] = names["s"] = event.asset
        names["at"] = "in the market"
    return names
