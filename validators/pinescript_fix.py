"""What an answer that repairs a script owes: the faulty line named, nothing wrong left, and nothing else changed."""

import re
from difflib import SequenceMatcher

from validators.context import Answer
from validators.pinescript.asked import NO_SCRIPT, check_grounding
from validators.pinescript.check import check_script
from validators.pinescript.fences import code_blocks
from validators.pinescript.rules import script_findings
from validators.rules import declare

_ASK = "Fix this script and name the line."
_HEAD = '//@version=6\nindicator("Average")\nlength = input.int(20, "Length")\n\n'
_BROKEN = f"```pine\n{_HEAD}plot(ta.emaa(close, length))\n```"
_MENDED = f"```pine\n{_HEAD}plot(ta.ema(close, length))\n```"

WRONG_LINE = declare(
    "N028", "names another line than the faulty one",
    "The answer says that a line is wrong which is not, or names none.",
    "The reader looks where nothing is, and learns a rule that does not exist.",
    (_ASK, _BROKEN, f"Line 2 is wrong: the title is missing.\n\n{_MENDED}"),
    (_ASK, _BROKEN, f"Line 5 is wrong: there is no `ta.emaa`.\n\n{_MENDED}"),
    task="pinescript_fix",
)  # fmt: skip
MORE_CHANGED = declare(
    "N029", "repair changes more than the fault",
    "Besides the faulty line the corrected script differs from the one that was given.",
    "A period that changes on the way is a new error with a clean face.",
    (_ASK, _BROKEN, "Line 5 is wrong: there is no `ta.emaa`.\n\n" + _MENDED.replace("int(20", "int(30")),
    (_ASK, _BROKEN, f"Line 5 is wrong: there is no `ta.emaa`.\n\n{_MENDED}"),
    task="pinescript_fix",
)  # fmt: skip

_LINE = re.compile(r"\blines?\W{1,6}(\d+)", re.IGNORECASE)
_OTHER_PLACES = 1  # lines a repair may touch beside the one that is blamed: a bracket is closed where a call ends


def check_task(answer: Answer) -> None:
    """Family P, N001, N028, N029 and F003."""
    given = list(code_blocks(answer.prompt.text))
    blocks = list(code_blocks(answer.text))
    if len(blocks) != 1 or not given:
        answer.report(NO_SCRIPT, f"{len(blocks)} scripts; the corrected one was asked for")
        return
    answer.findings += script_findings(answer.text, answer.field)
    before, after = given[0].source.rstrip("\n"), blocks[0].source.rstrip("\n")
    faulty = {problem.line for problem in check_script(before)}
    named = {int(match[1]) for match in _LINE.finditer(answer.prose)}
    if faulty and (not named or not named <= faulty):
        said = ", ".join(map(str, sorted(named))) or "no line"
        answer.report(WRONG_LINE, f"names {said}; the fault is on line {', '.join(map(str, sorted(faulty)))}")
    for line in _changed(before.split("\n"), after.split("\n")):
        if faulty and all(abs(line - place) > _OTHER_PLACES for place in faulty) and not _declares(answer, line):
            answer.report(MORE_CHANGED, f"line {line} was changed too")
            break
    check_grounding(answer, lines=frozenset(map(float, faulty)))


def _changed(before: list[str], after: list[str]) -> list[int]:
    """Lines of `before` that `after` changes, drops, or puts something in front of; blank lines do not count."""
    lines = []
    for kind, start, end, new, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal" and any(line.strip() for line in (*before[start:end], *after[new:last])):
            lines += range(start + 1, end + 1) if end > start else [start + 1]
    return lines


def _declares(answer: Answer, line: int) -> bool:
    """A missing declaration is put under the version, wherever the checker misses it."""
    return line <= 2 and "declares nothing" in "".join(
        problem.message for block in code_blocks(answer.prompt.text) for problem in check_script(block.source)
    )
