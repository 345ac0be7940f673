"""Looking for every kind of leak between a train side and test sides: one pass over each."""

from collections import Counter
from dataclasses import dataclass, field

from tapewright.errors import ConfigError, suggest
from validators.leakage.containment import SHARE
from validators.leakage.copies import Copies
from validators.leakage.families import FAMILY, Families
from validators.leakage.kind import BY_TRAIN, Kind, Leak
from validators.leakage.near import THRESHOLD, Near
from validators.leakage.overlaps import Overlaps
from validators.leakage.passages import Passages
from validators.leakage.quotes import Quotes
from validators.leakage.scenarios import Scenarios
from validators.leakage.sides import Side
from validators.rules import RULES
from validators.splitting.window import BLOCK_S


@dataclass(frozen=True, slots=True)
class Options:
    """What is looked for. `near` and `share` lie between 0 and 1; `codes` empty means every kind."""

    near: float = THRESHOLD
    share: float = SHARE
    block_s: int = BLOCK_S
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("--near", self.near), ("--ngram-share", self.share)):
            if not 0 < value <= 1:
                raise ConfigError(f"{name} is {value:g}; it is a share above 0 and up to 1")
        known = codes()
        for code in self.codes:
            if code not in known:
                raise ConfigError(f"no kind of leak {code!r}.{suggest(code, known)} Known: {', '.join(known)}")

    def kinds(self) -> list[Kind]:
        """Fresh detectors for one pair of sides."""
        made: list[Kind] = [
            Copies(), Near(self.near), Passages(self.share), Scenarios(self.block_s), Overlaps(), Quotes(), Families(),
        ]  # fmt: skip
        return [kind for kind in made if not self.codes or not set(self.codes).isdisjoint(kind.codes)]


def codes() -> list[str]:
    """Codes of all kinds of leaks, in order."""
    return sorted(code for code in RULES if code[0] == "L")


@dataclass(slots=True)
class Found:
    """Leaks between one train side and one test side, by code; every code looked for has a list."""

    train: Side
    test: Side
    leaks: dict[str, list[Leak]] = field(default_factory=dict)

    def rows(self, code: str) -> int:
        """How many rows the leaks of a code are counted in."""
        return self.train.rows if code in BY_TRAIN else self.test.rows

    def share(self, code: str) -> float:
        """Leaked rows of those."""
        return len(self.leaks[code]) / max(self.rows(code), 1)

    def counts(self) -> Counter[str]:
        """Leaked rows per code; codes without any are there with 0."""
        return Counter({code: len(leaks) for code, leaks in self.leaks.items()})

    def fails(self, max_share: float, strict: bool = False) -> bool:
        """Whether more leaked than is allowed; families count only where `strict`."""
        return any(leaks and self.share(code) > max_share for code, leaks in self.leaks.items() if strict or code != FAMILY)  # fmt: skip


def find_leaks(train: Side, tests: list[Side], options: Options = Options()) -> list[Found]:
    """What of each test side has leaked into train."""
    lined = [(side, options.kinds()) for side in tests]
    for side, kinds in lined:
        for block in side.blocks():
            for kind in kinds:
                kind.learn(block)
    for block in train.blocks():
        for _, kinds in lined:
            for kind in kinds:
                kind.look(block)
    results = []
    for side, kinds in lined:
        found = Found(train, side, {code: [] for kind in kinds for code in kind.codes if not options.codes or code in options.codes})  # fmt: skip
        for kind in kinds:
            for leak in kind.leaks():
                if leak.code in found.leaks:
                    found.leaks[leak.code].append(leak)
        results.append(found)
    return results
