"""Small pieces of a Markdown page: cells, bars, fences and numbers. Nothing of a row can break out of them."""

import re
from collections import Counter

from converters.hub.survey import percentile

BAR_SIGNS = 12
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_LONGEST = 4_000  # characters of an example's text


def cell(text: str) -> str:
    """Text that stays within a table cell and is not read as markup."""
    text = " ".join(text.split())
    return re.sub(r"([|<>\[\]`*_~\\&])", r"\\\1", text)


def word(text: str) -> str:
    """A name as code where it can be, else as a cell."""
    return f"`{text}`" if re.fullmatch(r"[\w.-]+", text) else cell(text)


def number(value: int) -> str:
    """1,234."""
    return f"{value:,}"


def percent(part: float, whole: float) -> str:
    """12.3 %; less than a tenth is not called nothing."""
    share = 100 * part / whole if whole else 0
    return "<\u00a00.1\u00a0%" if 0 < share < 0.05 else f"{share:.1f}\u00a0%"


def size(count: int) -> str:
    """Bytes as a person reads them."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def bar(part: float, most: float) -> str:
    """A bar of block signs; `most` fills it."""
    eighths = round(8 * BAR_SIGNS * part / most) if most else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()) or "▏"


def histogram(lengths: Counter[int], bins: int = 20) -> str:
    """The lengths up to their 95th percentile as a row of signs."""
    low, high = min(lengths), max(percentile(lengths, 0.95), min(lengths) + 1)
    counts = [0] * bins
    for length, count in lengths.items():
        if length <= high:
            counts[min(bins - 1, bins * (length - low) // (high - low))] += count
    return "".join(_LEVELS[round((len(_LEVELS) - 1) * count / max(counts))] for count in counts)


def shares(counts: Counter[str], most: int = 14) -> str:
    """Kinds with their shares, the commonest first; those that do not fit are counted."""
    total, ranked = counts.total(), sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    told = [f"{cell(kind)}\u00a0{percent(count, total)}" for kind, count in ranked[:most]]
    rest = len(ranked) - most
    return " · ".join(told) + (f" · and {number(rest)} more" if rest > 0 else "")


def fenced(text: str, kind: str = "text") -> str:
    """Text between fences longer than any within it; what is too long is cut and counted."""
    cut = len(text) - _LONGEST
    if cut > 0:
        text = text[:_LONGEST].rstrip() + f"\n… ({number(cut)} more characters)"
    visible = "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)
    fence = "`" * (1 + max([2, *map(len, re.findall(r"`+", visible))]))
    return f"{fence}{kind}\n{visible}\n{fence}"
