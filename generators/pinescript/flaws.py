"""Named flaws of a script: what the compiler refuses and what it lets pass and misleads, with the words for it.

Each takes a good script and gives it back with one thing wrong; the checker must find exactly that.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from generators.pinescript import mutations
from generators.pinescript.mutations import Mutant, Subject
from tapewright.streams import Stream
from validators.pinescript.check import check_script


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw. `wrong` says what it is and `mend` what to do, as wordings over subject, line, was and now."""

    name: str
    codes: frozenset[str]
    make: Callable[[Subject, Stream], Mutant | None]
    wrong: tuple[str, ...]
    mend: tuple[str, ...]
    weight: float = 1.0


class Flawed(NamedTuple):
    """A script with one flaw: the line that is wrong, what it says, and what it should say (empty: nothing)."""

    flaw: Flaw
    source: str
    line: int
    subject: str
    was: str
    now: str
    message: str


def _as(text: str, line: int, changed: str) -> str:
    lines = text.split("\n")
    lines[line - 1] = changed
    return "\n".join(lines)


def _line_with(subject: Subject, pattern: str, rng: Stream) -> tuple[int, re.Match] | None:
    found = [(number, match) for number, line in enumerate(subject.lines, 1) if (match := re.search(pattern, line))]
    return rng.pick(found) if found else None


def looks_ahead(subject: Subject, rng: Stream) -> Mutant | None:
    """The offset of a request with lookahead taken away."""
    place = _line_with(subject, r"request\.security\(.*\[1\]", rng)
    if place is None:
        return None
    number, match = place
    line = subject.lines[number - 1].replace("[1]", "")
    source = _as(subject.source, number, line)
    found = [problem.line for problem in check_script(source) if problem.code == "P040"]
    return (source, found[0], "lookahead_on") if found and match else None


def draws_back(subject: Subject, rng: Stream) -> Mutant | None:
    """A plot moved onto bars that did not know it."""
    place = _line_with(subject, r"^plot\((\w+), (.*)\)$", rng)
    if place is None:
        return None
    number, match = place
    return _as(subject.source, number, f"plot({match[1]}, {match[2]}, offset = -{rng.pick((2, 3, 5, 10))})"), number, "offset"  # fmt: skip


def every_tick(subject: Subject, rng: Stream) -> Mutant | None:
    """A strategy calculated on every tick."""
    place = _line_with(subject, r"^strategy\(\"[^\"]*\", overlay = \w+", rng)
    if place is None:
        return None
    number, match = place
    line = subject.lines[number - 1].replace(match[0], f"{match[0]}, calc_on_every_tick = true")
    return _as(subject.source, number, line), number, "calc_on_every_tick"


def number_for_bool(subject: Subject, rng: Stream) -> Mutant | None:
    """A number where version 6 wants a condition."""
    place = _line_with(subject, r"^if (.* and )?strategy\.position_size == 0$", rng)
    if place is None:
        return None
    number, match = place
    return (
        _as(subject.source, number, f"if {match[1] or ''}not strategy.position_size"),
        number,
        "strategy.position_size",
    )


def na_without_type(subject: Subject, rng: Stream) -> Mutant | None:
    """A variable that begins as na and has no type."""
    place = _line_with(subject, r"^(\s*)var (?:float|int) (\w+) = na$", rng)
    if place is None:
        return None
    number, match = place
    return _as(subject.source, number, f"{match[1]}var {match[2]} = na"), number, match[2]


def old_argument(subject: Subject, rng: Stream) -> Mutant | None:
    """An argument that version 6 took away."""
    place = _line_with(subject, r"^(plot\(\w+, .*)\)$", rng)
    if place is None:
        return None
    number, match = place
    return _as(subject.source, number, f"{match[1]}, transp = {rng.pick((20, 40, 60))})"), number, "transp"


def fraction_for_int(subject: Subject, rng: Stream) -> Mutant | None:
    """A default with a fraction for a whole number."""
    place = _line_with(subject, r"^(.*= input\.int\()(\d+)(,.*)$", rng)
    if place is None:
        return None
    number, match = place
    return _as(subject.source, number, f"{match[1]}{match[2]}.5{match[3]}"), number, "input.int"


def no_declaration(subject: Subject, rng: Stream) -> Mutant | None:
    """A script that declares nothing."""
    if not subject.lines[1].startswith("indicator(") or not subject.lines[1].endswith(")") or rng.chance(0.5):
        return None
    source = "\n".join([subject.lines[0], "", *subject.lines[2:]])
    problems = check_script(source)
    return (source, problems[0].line, "indicator") if problems else None


def _flaw(make: Callable, codes: str, wrong: tuple[str, ...], mend: tuple[str, ...], weight: float = 1.0) -> Flaw:
    return Flaw(make.__name__, frozenset(codes.split()), make, wrong, mend, weight)


_READ = ("It has to read `{{ now }}`.", "The line should be `{{ now }}`.", "Write `{{ now }}` instead.")
_DROP = ("Take the line out.", "The line has to go.", "Delete it.")
FLAWS = (
    _flaw(mutations.misspelt_name, "P010", ("`{{ subject }}` is declared nowhere in the script; it is a typing error", "there is no variable called `{{ subject }}`; the name is misspelt"), _READ),
    _flaw(mutations.unknown_function, "P011 P012", ("there is no built-in called `{{ subject }}`; the name is misspelt", "`{{ subject }}` does not exist among the built-in functions"), _READ),
    _flaw(mutations.old_function, "P028", ("`{{ subject }}` without its namespace is the version 4 name, which later versions do not know", "since version 5 the function `{{ subject }}` is only reached through its namespace"), _READ),
    _flaw(mutations.missing_argument, "P015", ("the call of `{{ subject }}` lacks its last argument", "`{{ subject }}` is called with an argument too few"), _READ),
    _flaw(mutations.extra_argument, "P016 P019", ("the call of `{{ subject }}` has an argument too many", "`{{ subject }}` takes fewer arguments than it is given here"), _READ),
    _flaw(mutations.text_for_number, "P019", ("a text in quotes is handed to `{{ subject }}` where it takes a number", "`{{ subject }}` wants a number and is given a quoted text"), _READ),
    _flaw(mutations.unknown_argument, "P017", ("`{{ subject }}` is no argument of this function; the name is misspelt", "the call names an argument `{{ subject }}` that does not exist"), _READ),
    _flaw(mutations.reassigned_undeclared, "P013", ("`:=` gives a new value to `{{ subject }}`, which was never declared; the first assignment takes `=`", "`{{ subject }}` is reassigned with `:=` before it exists"), _READ),
    _flaw(mutations.declared_twice, "P014", ("`{{ subject }}` is declared a second time in the same scope", "this declares `{{ subject }}` once more, although it exists already"), _DROP),
    _flaw(mutations.bad_indent, "P005", ("this line belongs to a block and is indented by two spaces instead of four", "two spaces stand before this line of a block, and a block takes four"), ("Indent it by four spaces.", "Four spaces make it part of the block.")),
    _flaw(mutations.lost_bracket, "P003 P004", ("a closing bracket is missing at the end", "the bracket of the call is never closed"), _READ),
    _flaw(mutations.lost_quote, "P002", ("the string is never closed: a quotation mark is missing", "a quotation mark is missing, so the string runs on to the end of the line"), _READ),
    _flaw(mutations.unknown_constant, "P010 P012", ("there is no constant `{{ subject }}` in this namespace; the name is misspelt", "`{{ subject }}` is no member of its namespace"), _READ),
    _flaw(mutations.wrong_number_of_names, "P025", ("the tuple takes more names than the function returns values; `{{ subject }}` is one too many", "with `{{ subject }}` there are more names than values"), _READ),
    _flaw(mutations.plotted_in_block, "P026", ("`plot` stands inside a block, and it is only allowed at the top level", "a plot cannot be drawn from inside an `if`"), ("Take the line out; the series can be plotted at the top level.", "The line has to go; a plot belongs to the top level.")),
    _flaw(mutations.order_in_indicator, "P027", ("`{{ subject }}` is an order, and an indicator cannot place any", "an indicator has no positions to close, so `{{ subject }}` is not allowed"), _DROP),
    _flaw(looks_ahead, "P040", ("with `lookahead_on` and no offset the script sees the day's value before the day is over, so its past looks better than it could have been traded", "the request looks ahead: `lookahead_on` without `[1]` hands every bar the finished value of its day"), ("Ask for the value of the completed day with `[1]`.", "Put `[1]` behind the value that is asked for: then it is known from the first bar of the day."), 3.0),
    _flaw(draws_back, "P041", ("a negative offset draws the line on bars that did not know it yet", "the plot is shifted into the past, so it shows values before they existed"), ("Leave the offset out: `{{ now }}`.", "It has to read `{{ now }}`."), 1.5),
    _flaw(every_tick, "P042", ("`calc_on_every_tick` decides live bars tick by tick, while past bars are decided at their close, so the test and the live run differ",), ("Leave the argument out: decide at the close of the bar, live as in the test.",), 1.5),
    _flaw(number_for_bool, "P023", ("`{{ subject }}` is a number, and version 6 takes only a truth value as a condition", "version 6 does not turn the number `{{ subject }}` into a truth value"), _READ, 1.5),
    _flaw(na_without_type, "P021", ("`{{ subject }}` begins as `na` and has no type, so the compiler cannot know what it is",), _READ, 1.5),
    _flaw(old_argument, "P029", ("`{{ subject }}` was an argument of earlier versions; version 6 does not have it",), ("Leave it out; a transparent colour is made with `color.new`.", "Without it the line reads `{{ now }}`; `color.new` makes a colour transparent.")),
    _flaw(fraction_for_int, "P019", ("`{{ subject }}` takes a whole number as its default",), _READ),
    _flaw(no_declaration, "P006", ("the script declares nothing: `{{ subject }}()` is missing",), ("Put `{{ now }}` under the version.",)),
)  # fmt: skip


def spoil(source: str, rng: Stream, tries: int = 12) -> Flawed | None:
    """The script with one flaw that the checker finds, and nothing else; None where none of `tries` fits."""
    subject = Subject(source)
    good = source.split("\n")
    for _ in range(tries):
        flaw = rng.weighted(FLAWS, [flaw.weight for flaw in FLAWS])
        mutant = flaw.make(subject, rng)
        if mutant is None:
            continue
        text, line, what = mutant
        problems = check_script(text)
        if len(problems) != 1 or problems[0].code not in flaw.codes or problems[0].line != line:
            continue
        bad = text.split("\n")
        was = bad[line - 1].strip()
        now = good[line - 1].strip() if len(bad) == len(good) else ""
        if flaw.name == "no_declaration":
            was, now = "", good[1]
        return Flawed(flaw, text, line, what, was, now, problems[0].message)
    return None
