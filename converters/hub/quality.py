"""The check a dataset must pass before it leaves the house, and what its card says of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tapewright.findings import Finding
from validators.dataset import Options, Tally, check_files, load_rules
from validators.rules import FAMILIES, RULES
from validators.settings import Settings, load_settings, tolerate


@dataclass(frozen=True, slots=True)
class Family:
    """A family of rules: how many were run, and what they found by severity."""

    letter: str
    name: str
    about: str
    rules: int
    errors: int
    others: int


@dataclass(slots=True)
class Quality:
    """What the check came to. `failed` says that it found what a push must not hold.

    `tolerated` counts, by code, what the limits of the settings let pass; `counts` and `errors` are of the rest.
    """

    rows: int
    checked: int
    numbers: int
    pairs: int
    tape_facts: int
    failed: bool
    errors: int
    compared: str
    families: list[Family] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, str] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    tolerated: Counter[str] = field(default_factory=Counter)

    @property
    def rules(self) -> int:
        """How many rules were run."""
        return sum(family.rules for family in self.families)


def assess(names: list[str], shape: str, *, tape: str = "", workers: int = 1, watch: Callable[[int], None] | None = None) -> Quality:  # fmt: skip
    """Check the files by every rule the settings leave on, duplicates and leaks between splits included."""
    from validators.leakage.rules import named_sides, report_leaks

    load_rules()
    settings = load_settings(Path.cwd(), duplicates=True)
    options = Options(shape=shape, wants=settings.wants, families=settings.families())
    total = Tally()
    for _, tally in check_files(names, options, tape=tape, workers=workers, watch=watch):
        total.add(tally)
    codes = settings.leaks()
    sides = named_sides(names, total.splits, shape, asked=False) if codes else []
    compared = report_leaks(sides, codes, total, settings.wants, lambda finding: True) if sides else ""
    before = total.counts()
    tolerate(total, settings)
    places: dict[str, str] = {}
    for finding in total.findings:
        places.setdefault(finding.code, f"{Path(finding.row).name}:{finding.line}" if finding.line else Path(finding.row).name)  # fmt: skip
    counts = total.counts()
    return Quality(
        total.rows, total.checked, total.numbers, total.pairs, total.tape_facts, settings.fails(total),
        sum(count for code, count in counts.items() if RULES[code].severity == "error"), compared,
        _families(settings, counts, compared=bool(compared)), counts, places, _off(settings), before - counts,
    )  # fmt: skip


def _families(settings: Settings, counts: Counter[str], *, compared: bool) -> list[Family]:
    run = settings.families() + ("L" if compared else "")
    made = []
    for letter, (name, about) in FAMILIES.items():
        rules = [code for code, rule in RULES.items() if code[0] == letter and settings.wants(Finding(code, "", rule.severity))]  # fmt: skip
        if letter in run and rules:
            errors = sum(counts[code] for code in rules if RULES[code].severity == "error")
            others = sum(counts[code] for code in rules) - errors
            made.append(Family(letter, name, about.partition(";")[0], len(rules), errors, others))
    return made


def _off(settings: Settings) -> tuple[str, ...]:
    """Codes that whoever pushes has switched off."""
    return tuple(code for code, rule in sorted(RULES.items()) if not settings.wants(Finding(code, "", rule.severity)))
