"""A script against the request it answers and the row's facts: numbers, directions, exits, and what is said of it."""

import re
from collections.abc import Iterator

from validators.context import Answer
from validators.pinescript.fences import code_blocks, code_numbers
from validators.pinescript.reading import Reading, read_script
from validators.pinescript.rules import script_findings
from validators.rules import declare

_ASK = "Write a Pine Script v6 strategy: buy when the 9-period EMA crosses above the 21-period EMA, long only, with a 2% stop."
_TALK = "It goes long when the EMA(9) crosses above the EMA(21) and exits at the stop. Past performance proves nothing."


def _script(fast: str = "9", side: str = "long", stop: str = "2.0", kind: str = "strategy") -> str:
    entry = f'    strategy.entry("E", strategy.{side})\n    strategy.exit("X", "E", stop = close * (1 - {stop} / 100))'
    if kind == "indicator":
        entry = '    alert("EMA cross with 2 % in mind")'
    return (
        f'```pine\n//@version=6\n{kind}("EMA cross")\nfast = ta.ema(close, {fast})\nslow = ta.ema(close, 21)\n'
        f"if ta.crossover(fast, slow)\n{entry}\nplot(fast)\n```\n"
    )


NOT_ASKED = declare(
    "N025", "asked number is not in the script",
    "The request names a period, level or share, and the script computes with another.",
    "The user tests a rule he did not ask for, and cannot see it in the result.",
    (_ASK, "", _script(fast="12") + _TALK),
    (_ASK, "", _script() + _TALK),
    task="pinescript_strategy",
)  # fmt: skip
OTHER_TRADES = declare(
    "N026", "trades another way than asked",
    "The script enters on the other side, or lacks the stop, target or trailing stop of the request.",
    "A script without the stop that was asked for runs a loss nobody agreed to.",
    (_ASK, "", _script(side="short") + _TALK),
    (_ASK, "", _script() + _TALK),
    task="pinescript_strategy",
)  # fmt: skip
NO_SCRIPT = declare(
    "F003", "no script where one was asked for",
    "The answer holds no script, several, or one of another kind or version than asked.",
    "There is nothing to run.",
    (_ASK, "", "Use an EMA cross with lengths 9 and 21."),
    (_ASK, "", _script() + _TALK),
    task="pinescript_strategy",
)  # fmt: skip
UNSAID = declare(
    "F004", "explanation leaves out what the script does",
    "A number of the script's inputs, the way out of a position, or that a test on the past proves nothing is not said.",
    "Code that is not explained is run on trust.",
    (_ASK, "", _script() + "It goes long when the EMA(9) crosses above the EMA(21). Past performance proves nothing."),
    (_ASK, "", _script() + _TALK),
    task="pinescript_strategy",
)  # fmt: skip

_NUMBER = re.compile(
    r"(?:(?<![\w.,:#-])[−-]?|(?<=[A-Z]{2}))(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?"
    r"(?=(?:%|x|R|th)?(?![\w]|[.:]\d))(?![- ](?:hour|minute)s?\b)"
)
_VERSIONS = frozenset({4.0, 5.0, 6.0})  # of the language
_LONG_ONLY = re.compile(r"\blong[- ]only\b|\bonly (?:goes |go |trades? )?long\b|\blongs? only\b|\bno shorts\b|\bbuy side only\b", re.IGNORECASE)  # fmt: skip
_SHORT_ONLY = re.compile(r"\bshort[- ]only\b|\bonly (?:goes |go |trades? )?short\b|\bshorts? only\b|\bno longs\b|\bsell side only\b", re.IGNORECASE)  # fmt: skip
_BOTH = re.compile(r"\blong and short\b|\bboth (?:directions|ways|sides)\b|\blongs and shorts\b", re.IGNORECASE)
_STOP = re.compile(r"\bstop(?:-loss|s)?\b(?! and reverse)", re.IGNORECASE)
_OTHER_STOPS = re.compile(r"\b(?:trailing|time)[- ]stops?\b", re.IGNORECASE)
_TARGET = re.compile(r"\btargets?\b|\btake[- ]profit\b|\breward/risk\b", re.IGNORECASE)
_TRAILING = re.compile(r"\btrailing[- ]stop\b", re.IGNORECASE)
_WAY_OUT = re.compile(r"\bexits?\b|\bclos(?:es?|ed|ing) (?:the|a|an|any|what|long|short|position|it|out|everything)|\bis closed\b|\bstop(?:-loss)?\b|\breverses?\b|\bleaves?\b|\bgets? out\b|\bway out\b", re.IGNORECASE)  # fmt: skip
_PROVES_NOTHING = re.compile(
    r"\b(?:past|back-?test\w*|tests?|history|historical)\b[^.\n]{0,90}\b(?:no|not|nothing|never|little|cannot|isn't|doesn't|without)\b"
    r"|\b(?:no|nothing|not|never|neither)\b[^.\n]{0,60}\b(?:past|back-?test\w*|history|historical)\b",
    re.IGNORECASE,
)


def check_script_answer(answer: Answer, kind: str) -> Reading | None:
    """Family P, then N001, N025, N026, F003, F004 and N013 on an answer that owes a script of `kind`."""
    blocks = list(code_blocks(answer.text))
    if len(blocks) != 1:
        answer.report(NO_SCRIPT, f"{len(blocks)} scripts; one was asked for")
        return None
    answer.findings += script_findings(answer.text, answer.field)
    reading = read_script(blocks[0].source)
    if reading.kind != kind:
        answer.report(NO_SCRIPT, f"a script of kind {reading.kind or 'none'!r}; {kind} was asked for")
    check_grounding(answer)
    _check_numbers(answer, reading)
    if kind == "strategy":
        _check_trades(answer, reading)
    check_account(answer, reading)
    _check_facts(answer, reading)
    return reading


def numbers_in(text: str) -> Iterator[tuple[float, int, int]]:
    """Every number a text about scripts names, without its sign, with its place: periods, levels, shares, amounts.

    Hours of the day and names of timeframes (`4h`, `15-minute`) are none.
    """
    for match in _NUMBER.finditer(text):
        if text.startswith(". ", match.end()) and (match.start() == 0 or text[match.start() - 1] == "\n"):
            continue  # the number of a list
        yield float(match["whole"].replace(",", "") + (match["part"] or "")), match.start(), match.end()


def check_grounding(answer: Answer, *, lines: frozenset[float] = frozenset()) -> None:
    """N001 on numbers of the prose that stand neither in the request nor in a script; `lines` may be named too."""
    known = {value for value, _, _ in numbers_in(answer.prompt.text)}
    known |= answer.code_numbers | code_numbers(answer.prompt.text) | lines | _VERSIONS
    for value, start, end in numbers_in(answer.prose):
        if value not in known:
            answer.report(
                "N001", f"{answer.prose[start:end]} stands neither in the request nor in the script", start, end
            )


def _check_numbers(answer: Answer, reading: Reading) -> None:
    known = reading.everything.numbers | {float(reading.version)}
    for value, start, end in numbers_in(answer.prompt.text):
        if value and value not in known:
            answer.report(NOT_ASKED, f"{answer.prompt.text[start:end]} was asked for and is not in the script")


def _check_trades(answer: Answer, reading: Reading) -> None:
    asked = answer.prompt.text
    wanted = {"long"} if _LONG_ONLY.search(asked) else {"short"} if _SHORT_ONLY.search(asked) else set()
    if _BOTH.search(asked):
        wanted = {"long", "short"}
    if wanted and set(reading.entries) != wanted:
        answer.report(OTHER_TRADES, f"asked: {' and '.join(sorted(wanted))}; the script enters {' and '.join(sorted(reading.entries)) or 'nothing'}")  # fmt: skip
    plain = _OTHER_STOPS.sub(" ", asked)
    for pattern, text, what in ((_STOP, plain, "stop"), (_TARGET, asked, "target"), (_TRAILING, asked, "trail")):
        if pattern.search(text) and what not in reading.exits and not (what == "stop" and "trail" in reading.exits):
            answer.report(OTHER_TRADES, f"a {what} was asked for and no order of the script has one")


def check_account(answer: Answer, reading: Reading) -> None:
    """F004 and N026 on a text that tells what a script does: its inputs, its sides, its way out, its limits."""
    _check_inputs(answer, reading)
    if reading.kind == "strategy":
        _check_caveat(answer)
        told = {side for side, pattern in _GOES.items() if pattern.search(answer.prose)}
        if reading.entries and told != set(reading.entries):
            answer.report(OTHER_TRADES, f"the script enters {' and '.join(sorted(reading.entries))}; the text tells of {' and '.join(sorted(told)) or 'neither'}")  # fmt: skip


_GOES = {
    "long": re.compile(r"\b(?:goes|enters|go|enter|buys?|opens?)(?: a)? long\b|\bbuys\b|\blong (?:entry|entries)\b", re.IGNORECASE),
    "short": re.compile(r"\b(?:goes|enters|go|enter|sells|opens?)(?: a)? short\b|\bshort (?:entry|entries)\b", re.IGNORECASE),
}  # fmt: skip


def _check_caveat(answer: Answer) -> None:
    if not _WAY_OUT.search(answer.prose):
        answer.report(UNSAID, "how a position ends is not said")
    if not _PROVES_NOTHING.search(answer.prose):
        answer.report(UNSAID, "it is not said that a test on the past proves nothing")


def _check_inputs(answer: Answer, reading: Reading) -> None:
    """Every number of the inputs is told in the prose."""
    said = {value for value, _, _ in numbers_in(answer.prose)}
    for label, value in reading.inputs.items():
        try:
            number = abs(float(value))
        except ValueError:
            continue  # a source, a text, a truth value
        if number not in said:
            answer.report(UNSAID, f"the input {label!r} is {value}, and the text does not say so")


def _check_facts(answer: Answer, reading: Reading) -> None:
    """N013 where the script does something else than the row's facts say."""
    facts = answer.facts
    if not facts or answer.findings:
        return
    for name, found in (("script", reading.kind), ("direction", _direction(reading))):
        if name in facts and found and facts[name] != found:
            answer.report("N013", f"{name} is {found} in the script and {facts[name]} in the facts")
    for call in str(facts.get("calls", "")).split("; "):
        if call and call not in reading.everything.calls:
            answer.report("N013", f"{call} is not in the script")
    for role, rests in (("stop", reading.stops), ("target", reading.targets), ("trail", reading.trails), ("time", reading.closes)):  # fmt: skip
        for name in str(facts.get(f"{role}_numbers", "")).split():
            if float(facts[name]) not in rests.numbers:
                answer.report("N013", f"no {role} of the script rests on {name} = {facts[name]:g}")


def _direction(reading: Reading) -> str:
    return "both" if len(reading.entries) == 2 else next(iter(reading.entries), "")
