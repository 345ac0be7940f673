"""What a migrated script owes: version 6, nothing wrong in it, and the same computation, entries and exits as before."""

from validators.context import Answer
from validators.pinescript.asked import NO_SCRIPT, check_grounding
from validators.pinescript.fences import code_blocks
from validators.pinescript.reading import Reading, Rests, read_script
from validators.pinescript.rules import script_findings
from validators.rules import declare

_ASK = "Migrate this script to Pine Script v6."
_OLD = '```pine\n//@version=5\nindicator("Average")\nplot(ta.ema(close, 20), transp = 40)\n```'
_NEW = '```pine\n//@version=6\nindicator("Average")\nplot(ta.ema(close, 20), color = color.new(color.blue, 40))\n```\n`transp` is gone.'  # fmt: skip

NOT_THE_SAME = declare(
    "N030", "migrated script does something else",
    "A call, a number, a side or an exit of the older script is missing from the new one, or another was put in.",
    "The migration was to change the language and not the trades.",
    (_ASK, _OLD, _NEW.replace("close, 20", "close, 25")),
    (_ASK, _OLD, _NEW),
    task="pinescript_migrate",
)  # fmt: skip
_NEWEST = 6
_FREE = frozenset({0.0, 1.0})  # a comparison with zero stands for what was a truth value


def check_task(answer: Answer) -> None:
    """Family P, N001, N030 and F003."""
    given = list(code_blocks(answer.prompt.text))
    blocks = list(code_blocks(answer.text))
    if len(blocks) != 1 or not given:
        answer.report(NO_SCRIPT, f"{len(blocks)} scripts; the migrated one was asked for")
        return
    answer.findings += script_findings(answer.text, answer.field)
    before, after = read_script(given[0].source), read_script(blocks[0].source)
    if after.version != _NEWEST:
        answer.report(NO_SCRIPT, f"the script is version {after.version}; version {_NEWEST} was asked for")
    for what, old, new in _compared(before, after):
        if old != new:
            changed = ", ".join(sorted(map(str, old ^ new)))[:120]
            answer.report(NOT_THE_SAME, f"{what} of the two scripts differ: {changed}")
            break
    check_grounding(answer, lines=frozenset(map(float, range(1, given[0].source.count("\n") + 2))))


def _compared(before: Reading, after: Reading) -> list[tuple[str, frozenset, frozenset]]:
    return [
        ("inputs", frozenset(before.inputs.items()), frozenset(after.inputs.items())),
        ("settings", _settings(before), _settings(after)),
        ("sides", frozenset(before.entries), frozenset(after.entries)),
        ("exits", before.exits, after.exits),
        ("calls", _computing(before.everything), _computing(after.everything)),
        ("numbers", before.everything.numbers - _FREE, after.everything.numbers - _FREE),
    ]


def _settings(reading: Reading) -> frozenset[tuple[str, str]]:
    """What the declaration sets, but for the margin, whose default the versions do not share."""
    return frozenset((name, value) for name, value in reading.declared.items() if not name.startswith("margin_"))


def _computing(rests: Rests) -> frozenset[str]:
    return frozenset(call for call in rests.calls if call.startswith(("ta.", "math.", "request.")))
