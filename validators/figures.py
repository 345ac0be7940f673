"""Family N, the sums people do in prose: a change from A to B, a mean, weights, a rate in two units, the result of a trade.

These need no vocabulary of claims, so they hold for any text, about a market or not. Each speaks only
where the text leaves one reading; a figure cut off instead of rounded passes.
"""

import re
from collections.abc import Iterator
from statistics import fmean, median

from validators.context import Answer
from validators.rules import declare

CHANGE = declare(
    "N015", "change does not follow from its ends",
    "A rise or fall from A to B is given another percentage, or the other direction, than A and B have.",
    "Percent changes are the arithmetic of every market text.",
    ("How did it go?", "Monday 60,000, Friday 63,000.", "It rose from 60,000 to 63,000, a gain of 6%."),
    ("How did it go?", "Monday 60,000, Friday 63,000.", "It rose from 60,000 to 63,000, a gain of 5%."),
)  # fmt: skip
AVERAGE = declare(
    "N016", "mean or median is wrong",
    "A mean or median of the numbers listed is not theirs.",
    "A model that averages wrongly will size wrongly.",
    ("What is the mean return?", "Returns: 1.2%, -0.6%, 2.1%, 0.5%.", "The mean return is 1.2%."),
    ("What is the mean return?", "Returns: 1.2%, -0.6%, 2.1%, 0.5%.", "The mean return is 0.8%."),
)  # fmt: skip
WEIGHTS = declare(
    "N017", "weights do not add up",
    "The parts of an allocation add up to something near a whole, and not to it.",
    "Money that is in two places, or in none.",
    ("Split the portfolio.", "Three funds.", "Allocation: 50% bonds, 35% shares, 20% gold."),
    ("Split the portfolio.", "Three funds.", "Allocation: 50% bonds, 35% shares, 15% gold."),
)  # fmt: skip
CONVERSION = declare(
    "N018", "per cent and basis points disagree",
    "One rate is given in per cent and in basis points, and they are not the same.",
    "A fee wrong by ten is a strategy that never pays.",
    ("What is the fee?", "Taker fee 0.055%.", "The fee is 0.055% (55 bps)."),
    ("What is the fee?", "Taker fee 0.055%.", "The fee is 0.055% (5.5 bps)."),
)  # fmt: skip
RESULT = declare(
    "N019", "result of a trade is wrong",
    "A profit, loss or R-multiple is not what entry, exit, stop and size give, with or without the fees stated.",
    "Results are what a strategy is judged by.",
    ("What did it make?", "Long 0.5 BTC, entry 60,000, stop 59,000, exit 62,000.", "The profit is 1,500 USDT."),
    ("What did it make?", "Long 0.5 BTC, entry 60,000, stop 59,000, exit 62,000.", "The profit is 1,000 USDT, or 2R."),
)  # fmt: skip

_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "b": 1e9, "billion": 1e9, "trillion": 1e12}  # fmt: skip
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|bn|mn|[kKmMbB])\b)?"
_MONEY = rf"[$€£]?\s?{_N}{_SCALE}"
_APPROXIMATE = re.compile(
    r"(?:\b(?:about|around|roughly|approximately|nearly|almost|over|under|more than|less than|up to|at least|some|just|close to|or so|well)|~|≈|>|<)\s*(?:an?\s)?[+\-−(]?\s*$",
    re.IGNORECASE,
)


def _number(printed: str) -> tuple[float, int]:
    """Value and printed decimals (negative where a scale stands for more digits) of `$1.4m`."""
    match = re.search(rf"({_N})\s?([A-Za-z]*)", printed)
    assert match is not None
    digits = match[1].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale = _SCALES.get(match[2].lower(), 1.0)
    return float(digits) * scale, decimals - len(f"{scale:.0f}") + 1


def _close(stated: float, decimals: int, true: float) -> bool:
    """True for a rounded and for a cut-off figure."""
    return abs(stated - true) < 10.0**-decimals * (1 - 1e-9)


_SIGNS = (" from ", "mean", "average", "median", "alloc", "weight", "portfolio", "bp", "basis point")  # fmt: skip


def holds_digit(text: str) -> bool:
    """Whether a text holds one of 0–9; deleting them is several times faster than looking for one."""
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw.translate(None, b"0123456789")) < len(raw)


def may_hold_figures(text: str) -> bool:
    """Whether a text, in lower case, holds a number and a word any of these rules begins with."""
    return holds_digit(text) and bool([sign for sign in _SIGNS if sign in text])


def check_figures(answer: Answer) -> None:
    """N015 to N019."""
    if "exit" in answer.prompt.values:
        _check_result(answer)
    lower = answer.lower
    if not may_hold_figures(lower):
        return
    if " from " in lower and " to " in lower:
        _check_changes(answer)
    if "mean" in lower or "average" in lower or "median" in lower:
        _check_averages(answer)
    if "%" in lower and ("alloc" in lower or "weight" in lower or "portfolio" in lower):
        _check_weights(answer)
    if "bp" in lower or "basis point" in lower:
        _check_conversions(answer)


# --- changes -----------------------------------------------------------------------------------

_UP = r"rose|rises|risen|rising|increased|increases|grew|grown|climbed|climbs|gained|gains|jumped|surged|rallied|advanced|appreciated"
_DOWN = r"fell|falls|fallen|falling|decreased|decreases|dropped|drops|declined|declines|slid|slipped|sank|shrank|tumbled|depreciated"
_FROM_TO = re.compile(
    rf"\b(?:(?P<up>{_UP})|(?P<down>{_DOWN})|(?P<any>went|moved|changed|moves|goes))\b"
    rf"(?P<between>(?:\s+(?:[a-z]+ly|by|about|around|roughly|another))*(?:\s+[+\-−]?(?P<before>{_N})\s?(?:%|per\s?cent))?,?)"
    rf"\s+from\s+(?P<a>{_MONEY})(?P<apct>\s?%)?\s*(?P<aunit>[A-Za-z]+\s)?(?:[a-z]+\s){{0,3}}?to\s+(?P<b>{_MONEY})(?P<bpct>\s?%)?(?![\d:/-])",
    re.IGNORECASE,
)
_PERCENT_AFTER = re.compile(
    rf"[^.%\d;\n]{{0,24}}?(?:\(|,|:|which is|that is|is|or|by|of|for|up|down|—|–)\s*(?:an?\s)?(?P<about>[~≈]|about |around |roughly |nearly |almost |over |more than |just )?(?P<sign>[+\-−]?)(?P<x>{_N})\s?(?:%|per\s?cent)(?!\s*(?:points?|pp|a |per |of |annual|each))",
    re.IGNORECASE,
)


def _check_changes(answer: Answer) -> None:
    for match in _FROM_TO.finditer(answer.text):
        (start, start_decimals), (end, _) = _number(match["a"]), _number(match["b"])
        if not match["apct"] and not start_decimals and 1900 <= start <= 2100 and 1900 <= end <= 2100:
            continue  # years
        if end and _SCALED.search(match["b"]) and not _SCALED.search(match["a"]):
            scale = end / _number(re.sub(r"[A-Za-z\s]+$", "", match["b"]))[0]  # "from 1.2 to 1.4 million"
            start, start_decimals = start * scale, start_decimals - len(f"{scale:.0f}") + 1
        if match["up"] and end < start or match["down"] and end > start:
            if bool(match["apct"]) == bool(match["bpct"]):
                word = match["up"] or match["down"]
                answer.report(CHANGE, f"{word} from {match['a']} to {match['b']}", match.start(), match.end())
            continue
        if match["apct"] or match["bpct"] or start <= 0:
            continue  # a change of a rate is given in points or in per cent of it
        after = _PERCENT_AFTER.match(answer.text, match.end())
        printed, about = (
            (match["before"], False)
            if match["before"]
            else (after["x"], bool(after["about"]))
            if after
            else ("", False)
        )
        if not printed:
            continue
        if match["before"] and re.search(r"\b(?:about|around|roughly)\b", match["between"], re.IGNORECASE):
            about = True
        stated, decimals = _number(printed)
        true = abs(end - start) / start * 100
        backwards = abs(end - start) / end * 100 if end else true
        if about and abs(stated - true) <= max(0.1 * true, 1.0):
            continue
        # Ends in thousands or millions are rounded too: half a unit of each moves the percentage.
        slack = 50 * 10.0**-start_decimals * (1 + end / start) / start if start_decimals < 0 else 0.0
        if not _close(stated, decimals, true) and abs(stated - true) > slack + 0.5 * 10.0**-decimals:
            hint = " (taken of the end instead of the start)" if _close(stated, decimals, backwards) else ""
            answer.report(
                CHANGE, f"from {match['a']} to {match['b']} is {true:.{max(decimals, 1)}f} %, not {printed} %{hint}", match.start(), match.end(),
            )  # fmt: skip


_SCALED = re.compile(r"\d\s?(?:thousand|million|billion|trillion|bn|mn|[kKmMbB])$")


# --- means -------------------------------------------------------------------------------------

_ITEM = rf"[+\-−]?[$€£]?{_N}\s?(?:%|R\b|bps?\b)?"
_LIST = re.compile(
    rf"(?<![\w.,])({_ITEM}(?:(?:,\s+|;\s*|\s*\|\s*|,?\s+and\s+|,\s+and\s+){_ITEM}){{2,}})(?![\w%]|[.,]\d)"
)
_STATES = re.compile(
    rf"\b(?P<what>mean|average|median)\b(?P<of>[^.;\n\d=:]{{0,60}}?)(?:\bis\b|\bwas\b|=|:|\bcomes (?:out )?(?:to|at)\b|\bworks out (?:to|at)\b|\bequals\b)\s*(?P<about>about |roughly |around |~|≈)?(?P<sign>[+\-−]?)[$€£]?(?P<x>{_N})",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s*[+×*/÷x(−]|\s*-\s*\d|,\s*(?:and\s)?\d|\s+and\s+\d")
# What averages something else than the whole list.
_OTHER_MEAN = re.compile(
    r"\b(?:highest|lowest|largest|smallest|maximum|minimum|true range|directional|moving|ema|sma|last|first|top|bottom|best|worst|exclud\w*|without|winn\w*|los\w*|gain\w*|positive|negative|up|down|weighted|geometric|harmonic|daily|per|annual\w*|absolute|squared|deviation|trimmed|typical|entry|price|cost|rolling|cumulative|\d+-\w+)\b",
    re.IGNORECASE,
)


def _lists(text: str) -> Iterator[list[float]]:
    for match in _LIST.finditer(text):
        yield [_signed(item) for item in re.findall(_ITEM, match[1])]


def _signed(printed: str) -> float:
    value = _number(printed)[0]
    return -value if printed[0] in "-−" else value


def _check_averages(answer: Answer) -> None:
    lists = list(_lists(answer.prompt.text))
    if len({tuple(sorted(found)) for found in lists}) != 1:
        return
    numbers = lists[0]
    for match in _STATES.finditer(answer.text):
        sentence = answer.text[
            max(answer.text.rfind(". ", 0, match.start()), answer.text.rfind("\n", 0, match.start())) + 1 : match.end()
        ]
        if _OTHER_MEAN.search(sentence):
            continue
        if _GOES_ON.match(answer.text, match.end()):
            continue  # a list, or a sum
        stated, decimals = _number(match["x"])
        stated = -stated if match["sign"] in ("-", "−") else stated
        kind = match["what"].lower()
        true = median(numbers) if kind == "median" else fmean(numbers)
        if match["about"] and abs(stated - true) <= max(abs(true) * 0.1, 10.0**-decimals):
            continue
        if not _close(stated, decimals, true) and not _close(stated, decimals, true * 100):
            answer.report(
                AVERAGE,
                f"the {kind} of the {len(numbers)} numbers listed is {true:.6g}, not {match['x']}",
                match.start(),
                match.end(),
            )


# --- weights -----------------------------------------------------------------------------------

_WEIGHT = re.compile(rf"(?<![\w.,+\-−–]){_N}\s?%")
_WHOLE = re.compile(r"\b(?:allocat\w+|weights?|weighting|portfolio)\b", re.IGNORECASE)
_NOT_WHOLE = re.compile(
    r"\b(?:rest|remainder|remaining|each|leverag\w*|margin|returns?|returned|yield\w*|risk\w*|volatil\w*|drawdown|up to|between|to \d|at most|at least|more|less|gain\w*|los\w*|rose|fell|from|drift\w*|now|was|were|instead|or|vs|versus|correlat\w*|fees?|interest|rate|inflation|growth|profit|discount|plus|another|further|win)\b",
    re.IGNORECASE,
)


def _check_weights(answer: Answer) -> None:
    for sentence in re.finditer(r"[^.\n]*(?:\.\d[^.\n]*)*", answer.text):
        text = sentence.group()
        parts = _WEIGHT.findall(text) if text.count("%") > 2 else []
        if len(parts) < 3 or not _WHOLE.search(text) or _NOT_WHOLE.search(text) or "=" in text:
            continue
        values = [_number(part) for part in parts]
        total = sum(value for value, _ in values)
        if any(abs(value - 100) < 1e-9 for value, _ in values):
            continue  # the whole is named among its parts
        slack = sum(0.5 * 10.0**-decimals for _, decimals in values if decimals) + 1e-9
        if 80 <= total <= 120 and abs(total - 100) > slack:
            answer.report(WEIGHTS, f"the {len(parts)} weights add up to {total:g} %", sentence.start(), sentence.end())


# --- units -------------------------------------------------------------------------------------

_BOTH_UNITS = re.compile(
    rf"(?P<pct>{_N})\s?%\s*,?\s*(?:\(|=|or|i\.e\.,?|≈|/)\s*(?:about |~|≈\s?)?(?P<bp>{_N})\s?(?:bps?\b|basis points?)"
    rf"|(?P<bp2>{_N})\s?(?:bps?\b|basis points?)\s*,?\s*(?:\(|=|or|i\.e\.,?|≈|/)\s*(?:about |~|≈\s?)?(?P<pct2>{_N})\s?%",
    re.IGNORECASE,
)


def _check_conversions(answer: Answer) -> None:
    for match in _BOTH_UNITS.finditer(answer.text):
        (rate, rate_decimals), (points, point_decimals) = (
            _number(match["pct"] or match["pct2"]),
            _number(match["bp"] or match["bp2"]),
        )
        if abs(rate * 100 - points) > max(100 * 0.5 * 10.0**-rate_decimals, 0.5 * 10.0**-point_decimals) * (1 + 1e-9):
            answer.report(
                CONVERSION, f"{rate:g} % is {rate * 100:g} basis points, not {points:g}", match.start(), match.end()
            )


# --- the result of a trade ---------------------------------------------------------------------

_MADE = re.compile(
    rf"\b(?P<what>profit|loss|gain|p&l|pnl)\b(?:\s+(?:is|was|of|comes to|came to|on the trade|here|therefore|before fees|after fees|net of fees))*\s*[:=]?\s*(?P<sign>[+\-−]?)[$€£]?(?P<x>{_N})(?!\s?%|\s?(?:bps?|R|x|ATR|points?|pips?|ticks?|per)\b|[\d:]|\s?/)",
    re.IGNORECASE,
)
_MULTIPLE = re.compile(rf"(?<![\w.,:])(?P<sign>[+\-−]?)(?P<x>{_N})R\b(?!:)")


def _check_result(answer: Answer) -> None:
    """N019 where the prompt names one entry, one exit, one side and, for money, one size in coins."""
    given = answer.prompt.values
    exits, entries, sides = (set(given.get(kind, ())) for kind in ("exit", "entry", "side"))
    if len(exits) != 1 or len(entries) != 1 or len(sides) != 1:
        return
    entry, out = entries.pop(), exits.pop()
    direction = 1 if sides == {"long"} else -1
    sizes, stops = set(given.get("size", ())), set(given.get("stop", ()))
    moved = direction * (out - entry)
    if len(sizes) == 1:
        size = sizes.pop()
        fees = [fee / 100 * (entry + out) * size for fee in given.get("taker_fee", ())]
        for match in _MADE.finditer(answer.text):
            stated, decimals = _number(match["x"])
            true = [abs(moved * size), abs(moved), *(abs(moved * size - fee) for fee in fees), *fees]
            if not any(_close(stated, decimals, value) for value in true) and stated not in answer.prompt.numbers:
                answer.report(
                    RESULT,
                    f"{abs(out - entry):g} on {size:g} is {abs(moved * size):g}, not {match['x']}",
                    match.start(),
                    match.end(),
                )
    if len(stops) == 1 and (risk := abs(entry - stops.pop())) > 0:
        found = list(_MULTIPLE.finditer(answer.text))
        if len(found) == 1 and _number(found[0]["x"])[0] not in answer.prompt.numbers:
            stated, decimals = _number(found[0]["x"])
            if (
                not _close(stated, decimals, abs(moved) / risk)
                and not given.get("target")
                and not given.get("taker_fee")
            ):
                answer.report(
                    RESULT,
                    f"the trade made {moved / risk:.2f}R, not {found[0].group()}",
                    found[0].start(),
                    found[0].end(),
                )
