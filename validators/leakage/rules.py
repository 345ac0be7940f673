"""Family L in `validate`: splits that files or rows name are compared, and what leaked becomes findings."""

from collections.abc import Callable, Iterable, Iterator

from tapewright.errors import ConfigError
from tapewright.findings import Finding
from validators.dataset import KEPT, Tally, content_of
from validators.leakage.check import Options, find_leaks
from validators.leakage.kind import BY_TRAIN
from validators.leakage.report import Case, cases_of
from validators.leakage.sides import Side
from validators.leakage.splits import is_usual, pairs_of, sides_of_files, sides_of_rows, splits_in
from validators.rules import RULES


def named_sides(names: list[str], splits: set[str], shape: str, *, asked: bool) -> list[Side]:
    """The splits to compare: those files are named after, else those rows name (`splits`); fewer than two are none.

    Rows are believed unasked only where they name usual splits. Raises ConfigError where it was asked for and nothing
    can be compared.
    """
    if "-" in names:
        if asked:
            raise ConfigError("splits are read twice, which stdin does not allow; write it to a file first")
        return []
    sides = sides_of_files(names, shape=shape)
    if len(sides) < 2:
        if asked and len(splits) < 2:  # rows that need not be looked at one by one told nothing
            splits = splits_in(names)
        sides = sides_of_rows(names, [split for split in splits if asked or is_usual(split)], shape=shape)
    if len(sides) < 2:
        if asked:
            raise ConfigError("neither files nor rows name two splits to compare; name them …-train.jsonl and …-test.jsonl, or use `leakage --train … --test …`")  # fmt: skip
        return []
    return sides


def report_leaks(sides: list[Side], codes: Iterable[str], tally: Tally, wants: Callable[[Finding], bool], known: Callable[[Finding], bool]) -> str:  # fmt: skip
    """Compare every two sides and count what leaked into `tally`; says what was compared.

    Of each rule and pair of sides the first KEPT leaks are listed, as everywhere in `validate`.
    """
    results = [found for one, others in pairs_of(sides) for found in find_leaks(one, others, Options(codes=tuple(codes)))]  # fmt: skip
    for case in cases_of(results, KEPT):
        for finding in _findings(case):
            if wants(finding) and known(finding):
                tally.take(finding)
    for found in results:
        for code, leaks in found.leaks.items():
            if len(leaks) > KEPT and wants(Finding(code, "", RULES[code].severity)):
                tally.found[code, found.test.name] += len(leaks) - KEPT
    return ", ".join(f"{found.train.name} → {found.test.name}" for found in results)


def _findings(case: Case) -> Iterator[Finding]:
    leak = case.leak
    entry, other = (case.train, case.test) if leak.code in BY_TRAIN else (case.test, case.train)
    if entry is None:
        return
    where = f" ({other.source}:{other.line})" if other else ""
    yield Finding(
        leak.code, leak.message + where, RULES[leak.code].severity, row=entry.source, line=entry.line, field="row",
        evidence=case.marked, content=content_of(entry.row),
    )  # fmt: skip
