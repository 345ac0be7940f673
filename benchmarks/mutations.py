"""The mutation table of the checker: one wrong thing in a correct answer, per kind and task.

    python -m benchmarks.mutations [--rows 300] [--held-out]

A correct answer is altered in one way; the share in which the checker finds something is printed,
with facts and without, beside the share of unaltered answers in which it finds anything (false
alarms). `--held-out` uses only the last two families of each task. A mutation that leaves the text
true (78.2 for 78.20, a swapped pair of equal digits) is not counted.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Callable

from generators.config import Config
from generators.defects import DEFECTS, Scene
from generators.defects.words import without
from generators.make import Maker
from generators.produce import places, prepare
from generators.registry import list_tasks, load_spec
from market.quantity import quantise
from market.tape import load
from tapewright.rows import Row
from tapewright.streams import Stream, stream
from validators.check import check_answer
from validators.claims.reader import Claim, read_claims
from validators.context import read_prompt
from validators.slots import required_slots_of
from validators.tape import check_tape


def _numbers(text: str) -> list[Claim]:
    return [c for c in read_claims(text)[0] if c.decimals >= 0 and c.kind != "score_top"]


def _put(text: str, claim: Claim, value: float, decimals: int | None = None) -> str:
    printed = text[claim.start : claim.end]
    places_shown = claim.decimals if decimals is None else decimals
    comma = "," if "," in printed else ""
    plus = "+" if printed.startswith("+") else ""
    return text[: claim.start] + f"{value:{plus}{comma}.{places_shown}f}" + text[claim.end :]


def digit_swapped(row: Row, rng: Stream) -> str | None:
    text = row.output
    spots = [
        p for c in _numbers(text) for p in range(c.start, c.end - 1)
        if text[p].isdigit() and text[p + 1].isdigit() and text[p] != text[p + 1]
    ]  # fmt: skip
    if not spots:
        return None
    p = rng.pick(spots)
    return text[:p] + text[p + 1] + text[p] + text[p + 2 :]


def sign(row: Row, rng: Stream) -> str | None:
    claims = [c for c in _numbers(row.output) if row.output[c.start] in "+-−"]
    if not claims:
        return None
    claim = rng.pick(claims)
    flipped = "-" if row.output[claim.start] == "+" else "+"
    return row.output[: claim.start] + flipped + row.output[claim.start + 1 :]


def wrong_rounding(row: Row, rng: Stream) -> str | None:
    claims = [c for c in _numbers(row.output) if c.decimals > 0]
    if not claims:
        return None
    claim = rng.pick(claims)
    return _put(row.output, claim, claim.value + rng.pick((-1, 1)) * 10.0**-claim.decimals)


def percent_for_points(row: Row, rng: Stream) -> str | None:
    claims = [c for c in _numbers(row.output) if c.unit == "%" and row.output.startswith("%", c.end)]
    if not claims:
        return None
    claim = rng.pick(claims)
    return row.output[: claim.end] + " USDT" + row.output[claim.end + 1 :]


def unit_swapped(row: Row, rng: Stream) -> str | None:
    for old, new in rng.sample([(" daily ATR", "%"), (" ATR", " USDT"), (" USDT", " ATR"), ("%", " ATR")], 4):
        claims = [c for c in _numbers(row.output) if row.output.startswith(old, c.end)]
        if claims:
            claim = rng.pick(claims)
            return row.output[: claim.end] + new + row.output[claim.end + len(old) :]
    return None


def entry_for_stop(row: Row, rng: Stream) -> str | None:
    entry, stop = row.facts.get("entry"), row.facts.get("stop")
    claims = [c for c in _numbers(row.output) if c.kind == "stop"]
    if entry is None or stop is None or not claims:
        return None
    return _put(row.output, rng.pick(claims), entry)


def wrong_frame(row: Row, rng: Stream) -> str | None:
    frames = sorted({name.partition("@")[2] for name in row.facts if "@" in name})
    found = list(re.finditer(r"\b(1h|4h|1d)\b", row.output))
    if not found:
        return None
    match = rng.pick(found)
    others = [f for f in (frames if len(frames) > 1 else ("1h", "4h", "1d")) if f != match[1]]
    return row.output[: match.start()] + rng.pick(others) + row.output[match.end() :]


def wrong_symbol(row: Row, rng: Stream) -> str | None:
    for pattern, other in ((r"\b[A-Z]{2,6}USDT\b", "LTCUSDT"), (r"\bAsset [A-Z]\b", "Asset Z")):
        found = list(re.finditer(pattern, row.output))
        if found and found[0].group() != other:
            match = rng.pick(found)
            return row.output[: match.start()] + other + row.output[match.end() :]
    return None


def _flipped(row: Row, rng: Stream, pairs: tuple[tuple[str, str], ...]) -> str | None:
    found = [
        (m, b if m.group().lower() != b else a.rpartition(")")[2])
        for a, b in pairs
        for m in re.finditer(rf"\b(?:{a}|{b})\b", row.output)
    ]
    if not found:
        return None
    match, other = rng.pick(found)
    return row.output[: match.start()] + other + row.output[match.end() :]


def above_below(row: Row, rng: Stream) -> str | None:
    """Only where the word compares two levels; "a close above X would …" is a condition and stays true or false as a plan."""
    spans = [m.span() for m in re.finditer(r"\d[\d.,]*% (above|below)\b", row.output)]
    if not spans:
        return None
    start, end = rng.pick(spans)
    part = row.output[start:end]
    return row.output[:start] + (part[:-5] + ("below" if part.endswith("above") else "above")) + row.output[end:]


def long_short(row: Row, rng: Stream) -> str | None:
    return _flipped(row, rng, ((r"(?<!as )long", "short"),))


# A label in words, and one that says something else.
FLIPS = {
    "trend is up": "trend is down", "trend is down": "trend is mixed", "trend is mixed": "trend is up",
    "momentum is firm": "momentum is soft", "momentum is soft": "momentum is neutral", "overbought": "oversold",
    "volatility is quiet": "volatility is stretched", "volatility is ordinary": "volatility is quiet",
    "over the limit": "within the limit", "inside the limit": "above the limit", "within the limit": "over the limit",
    "driven by the loss reading": "driven by the exposure reading", "driver is the room": "driver is the loss",
    "stop works": "stop is close to liquidation", "stop is close to liquidation": "stop works",
    "bearish": "bullish", "bullish": "bearish", "positive": "negative", "negative": "positive", "neutral": "positive",
}  # fmt: skip


def label_flipped(row: Row, rng: Stream) -> str | None:
    found = [
        (m, other) for phrase, other in FLIPS.items() for m in re.finditer(rf"\b{re.escape(phrase)}\b", row.output)
    ]
    if not found:
        return None
    match, other = rng.pick(found)
    return row.output[: match.start()] + other + row.output[match.end() :]


def claim_left_out(row: Row, rng: Stream) -> str | None:
    """Every sentence that states one required quantity is dropped."""
    spec = load_spec(row.task_type)
    needed = required_slots_of(spec, read_prompt(row.instruction, row.input))
    stated = {c.kind for c in read_claims(row.output)[0]}
    needed = [kind for kind in needed if kind.partition("@")[0] in stated]
    if not needed:
        return None
    kind = rng.pick(needed).partition("@")[0]
    return without(row.output, lambda sentence: any(c.kind == kind for c in read_claims(sentence)[0]))


def next_close(row: Row, rng: Stream) -> str | None:
    """The close of the candle after as_of in place of the close."""
    name = next((k for k in row.facts if k.startswith("close@")), "mark" if "mark" in row.facts else "")
    kind = "close" if name.startswith("close@") else "mark"
    claims = [c for c in _numbers(row.output) if c.kind == kind]
    if not name or not claims:
        return None
    frame = name.partition("@")[2] or "1h"
    series = _tape.series(row.facts["venue"], row.facts["symbol"], frame)
    from datetime import UTC, datetime

    moment = int(datetime.strptime(row.facts["as_of"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp())
    index = series.index_as_of(moment) + 1
    if index >= series.n:
        return None
    claim = rng.pick(claims)
    value = quantise(series.columns["close"][index] * row.facts.get("price_factor", 1.0), claim.decimals)
    return None if value == claim.value else _put(row.output, claim, value)


MUTATIONS: dict[str, Callable[[Row, Stream], str | None]] = {
    "digit swapped": digit_swapped, "sign": sign, "wrong rounding": wrong_rounding,
    "percent for points": percent_for_points, "unit swapped": unit_swapped, "next candle's close": next_close,
    "entry for stop": entry_for_stop, "wrong timeframe": wrong_frame, "wrong symbol": wrong_symbol,
    "above/below": above_below, "long/short": long_short, "label flipped": label_flipped, "claim left out": claim_left_out,
}  # fmt: skip

_tape = load()


def _found(row: Row, text: str, facts: bool) -> bool:
    prompt = read_prompt(row.instruction, row.input)
    spec = load_spec(row.task_type)
    return bool(check_answer(prompt, text, spec=spec, generated=True, facts=row.facts if facts else None))


def run(rows_per_task: int, held_out: bool) -> dict[tuple[str, str], list[int]]:
    """(mutation, task) → [tried, found with facts, found without]."""
    table: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for task in list_tasks():
        families = load_spec(task).families
        out = tuple(f"{task}/{name}" for name in (families[:-2] if held_out else ()))
        config, splits = prepare(Config(rows_per_task, 2024, ((task, 1.0),), version="bench", hold_out=out), _tape)
        maker = Maker(config, _tape, splits)
        for place in places(config):
            row = maker.make(*place).row
            rng = stream("mutations", task, place[2])
            count = table["(unaltered: false alarms)", task]
            count[0] += 1
            count[1] += _found(row, row.output, True)
            count[2] += _found(row, row.output, False)
            for name, mutate in MUTATIONS.items():
                text = mutate(row, rng)
                if text is None or text == row.output:
                    continue
                count = table[name, task]
                count[0] += 1
                count[1] += _found(row, text, True)
                count[2] += _found(row, text, False)
            _propagated(maker, place, row, rng, table)
            _with_tape(row, rng, table)
    return table


def _propagated(maker: Maker, place: tuple, row: Row, rng: Stream, table: dict) -> None:
    """One input misread, everything after it consistent with the misreading."""
    task = row.task_type
    if "propagated_error" not in DEFECTS or load_spec(task).timeless:
        return
    situation = maker.situation(*place)
    prompt = read_prompt(row.instruction, row.input)
    text = DEFECTS["propagated_error"].make(
        Scene(situation, row, prompt, task, maker.splits["all"].families(task), rng)
    )
    if text is not None and _states_otherwise(text, row):
        count = table["consistent error propagated", task]
        count[0] += 1
        count[1] += _found(row, text, True)
        count[2] += _found(row, text, False)


def _states_otherwise(text: str, row: Row) -> bool:
    """Whether some claim of the text has another value than the row's fact: a misread input may not show at all."""
    for claim in read_claims(text)[0]:
        fact = row.facts.get(claim.key)
        if isinstance(fact, str) and claim.decimals < 0 and claim.kind != "side" and fact != claim.value:
            return True
        if (
            isinstance(fact, (int, float))
            and claim.decimals >= 0
            and abs(abs(claim.value) - abs(fact)) > 0.51 * 10.0**-claim.decimals
        ):
            return True
    return False


def _with_tape(row: Row, rng: Stream, table: dict) -> None:
    """Facts and text altered together: only the tape can tell."""
    names = [
        n
        for n, v in row.facts.items()
        if "@" in n and isinstance(v, float) and v > 0 and n.partition("@")[0] in _ON_TAPE
    ]
    if not row.as_of or not names:
        return
    name = rng.pick(names)
    altered = {**row.facts, name: quantise(row.facts[name] * 1.013, 4)}
    count = table["facts and text together (--tape)", row.task_type]
    count[0] += 1
    found = bool(check_tape(altered, _tape, row.provenance)[1])
    count[1] += found
    count[2] += found


_ON_TAPE = {"close", "open", "high", "low", "ema_20", "ema_50", "rsi_14", "atr_14", "adx_14", "bb_upper", "bb_mid", "bb_lower", "high_20", "low_20", "swing_high", "swing_low"}  # fmt: skip


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300, help="rows per task")
    parser.add_argument("--held-out", action="store_true", help="only the last two families of each task")
    options = parser.parse_args()
    table = run(options.rows, options.held_out)
    tasks = list_tasks()
    print("| mutation | " + " | ".join(f"{task} (n; with facts; without)" for task in tasks) + " |")
    print("|---" * (len(tasks) + 1) + "|")
    for name in dict.fromkeys(name for name, _ in table):
        cells = []
        for task in tasks:
            tried, with_facts, without_facts = table.get((name, task), (0, 0, 0))
            cells.append(f"{tried}; {with_facts / tried:.1%}; {without_facts / tried:.1%}" if tried else "–")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
