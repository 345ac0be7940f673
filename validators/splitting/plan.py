"""What a split is asked to be."""

import math
from dataclasses import dataclass, field

from tapewright.errors import ConfigError, suggest
from validators.splitting.window import BLOCK_S, Spans

WAYS = ("time", "group", "random")
NAMES = ("train", "val", "test")
MOST_FOLDS = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """One split. `shares` are (name, share) without empty ones; `folds` is 0 unless it is cross-validation.

    `purge_s` and `embargo_s` are the label's horizon and the indicators' memory; None leaves them to the
    rows. `block_s` is the stretch of time that is one group for all symbols, 0 for single moments.
    """

    by: str = "time"
    shares: tuple[tuple[str, float], ...] = (("train", 0.8), ("val", 0.1), ("test", 0.1))
    purge_s: int | None = None
    embargo_s: int | None = None
    block_s: int = BLOCK_S
    stratify: tuple[str, ...] = ()
    seed: int = 42
    folds: int = 0
    test_folds: int = 1
    shape: str = ""
    time_column: str = "as_of"
    group_column: str = "group"
    combinations: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise ConfigError(f"cannot split by {self.by!r}; known: {', '.join(WAYS)}.{suggest(self.by, list(WAYS))}")
        if not self.shares or any(not math.isfinite(share) or share <= 0 for _, share in self.shares):
            raise ConfigError("shares of splits must be positive numbers")
        if abs(total := sum(share for _, share in self.shares)) and abs(total - 1) > 1e-6:
            raise ConfigError(f"the shares add up to {total:g}, not 1; give --train, --val and --test together")
        for name, span in (("purge", self.purge_s), ("embargo", self.embargo_s), ("block", self.block_s)):
            if span is not None and span < 0:
                raise ConfigError(f"--{name} cannot be negative")
        if self.folds:
            self._count_folds()

    def _count_folds(self) -> None:
        if self.folds < 2:
            raise ConfigError(f"--k-fold is {self.folds}; it takes at least two folds")
        if not 0 < self.test_folds < self.folds:
            raise ConfigError(f"--test-folds is {self.test_folds}; choose 1 to {self.folds - 1} of {self.folds} folds")
        object.__setattr__(self, "combinations", math.comb(self.folds, self.test_folds))
        if self.combinations > MOST_FOLDS:
            raise ConfigError(
                f"{self.folds} folds taken {self.test_folds} at a time make {self.combinations:,} pairs of files; "
                f"at most {MOST_FOLDS} are written"
            )

    @property
    def spans(self) -> Spans:
        """Horizon and memory of a row's window."""
        return Spans(self.purge_s, self.embargo_s)


def shares_of(train: float | None, val: float | None, test: float | None) -> tuple[tuple[str, float], ...]:
    """Named shares; what is not given is 0 once another is, and .8, .1, .1 where none is."""
    given = (train, val, test)
    values = (0.8, 0.1, 0.1) if all(share is None for share in given) else tuple(share or 0.0 for share in given)
    if any(share < 0 for share in values):
        raise ConfigError("a share cannot be negative")
    return tuple((name, share) for name, share in zip(NAMES, values) if share)
