"""One script, looked at from its signs to its habits."""

import functools
import gc

from validators.pinescript.checker import Checker
from validators.pinescript.habits import check_habits
from validators.pinescript.parser import parse
from validators.pinescript.problems import Problem, Problems

OLDEST = 5
# After these a part of the script was not read, and nobody can say what it uses.
_UNREAD = ("P001", "P002", "P003", "P004", "P005")


@functools.lru_cache(maxsize=4)
def check_script(source: str) -> tuple[Problem, ...]:
    """Every problem of a script, in the order of its lines. Versions before 5 are read, and not judged further.

    A row's script is asked about by its rules and by its task: the last few are kept.
    """
    collecting = gc.isenabled()
    gc.disable()  # thousands of nodes are made and die with the tree: the collector would walk them for nothing
    try:
        return _checked(source)
    finally:
        if collecting:
            gc.enable()


def _checked(source: str) -> tuple[Problem, ...]:
    problems = Problems()
    script = parse(source, problems)
    if script.version >= OLDEST:
        checker = Checker(script, problems)
        checker.check()
        if not any(problem.code in _UNREAD for problem in problems):
            check_habits(checker, source)
    elif not problems:
        problems.add(
            "P007", f"version {script.version}: only the syntax was checked; versions 5 and 6 are known", (1, 1), "info"
        )
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column, problem.code)))
