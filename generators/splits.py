"""Splits that hold: each owns a time range, kept apart by purge and embargo, and its own families."""

from dataclasses import dataclass, field
from hashlib import blake2b

from generators.registry import load_spec
from generators.world import GROUP_SECONDS
from tapewright.errors import ConfigError, suggest
from validators.splitting.window import DAY_S, HORIZON_BARS, MEMORY_BARS

# Between two splits lie the outcome of a daily plan, the longest look-back a daily reading shows (the median
# range of a hundred candles) and a whole time block, so that no window of one meets a window of the other.
EMBARGO_SECONDS = (HORIZON_BARS + MEMORY_BARS) * DAY_S + GROUP_SECONDS


@dataclass(slots=True)
class Split:
    """One part of a run: its window of time and, per task, the template families it may use."""

    name: str
    since_s: int
    until_s: int
    by_task: dict[str, tuple[str, ...]] = field(default_factory=dict)
    owns: tuple[float, float] = (0.0, 1.0)  # the part of all variants of timeless tasks that is this split's

    def may_use(self, variant: str) -> bool:
        """Whether a variant, e.g. the make-up of a script, belongs to this split; each belongs to exactly one."""
        place = int.from_bytes(blake2b(variant.encode(), digest_size=6).digest(), "big") / 2**48
        return self.owns[0] <= place < self.owns[1]

    def families(self, task: str) -> tuple[str, ...]:
        return self.by_task[task]


def plan_splits(
    shares: tuple[tuple[str, float], ...], tasks: list[str], since_s: int, until_s: int, hold_out: tuple[str, ...]
) -> dict[str, Split]:
    """Cut [since_s, until_s] and the families of each task into the splits' shares, in order.

    The first split takes the earliest time and the first families. Without shares there is one
    split, "all", with every family that is not held out. Raises ConfigError for an unknown family
    or too few of them.
    """
    families = {task: _kept(task, hold_out, tasks) for task in tasks}
    if not shares:
        return {"all": Split("all", since_s, until_s, families)}
    splits: dict[str, Split] = {}
    gaps = EMBARGO_SECONDS * (len(shares) - 1)
    usable = until_s - since_s - gaps
    if usable <= 0:
        raise ConfigError(f"the window is too short to keep {len(shares)} splits apart; widen --since/--until")
    at = since_s
    for number, (name, share) in enumerate(shares):
        end = until_s if number == len(shares) - 1 else at + int(usable * share) // GROUP_SECONDS * GROUP_SECONDS
        low = sum(part for _, part in shares[:number])
        high = 1.0 if number == len(shares) - 1 else low + share
        splits[name] = Split(name, at, end, owns=(low, high))
        at = end + EMBARGO_SECONDS
    for task, names in families.items():
        if len(names) < len(shares):
            raise ConfigError(f"{task} has {len(names)} families left for {len(shares)} splits; hold out fewer")
        rest = list(names)
        # every later split takes at least one family from the end; the first keeps the others
        for name, share in reversed(shares[1:]):
            count = max(1, min(round(share * len(names)), len(rest) - (len(shares) - 1)))
            splits[name].by_task[task] = tuple(rest[-count:])
            rest = rest[:-count]
        splits[shares[0][0]].by_task[task] = tuple(rest)
    return splits


def _kept(task: str, hold_out: tuple[str, ...], tasks: list[str]) -> tuple[str, ...]:
    families = load_spec(task).families
    known = {f"{name}/{family}" for name in tasks for family in load_spec(name).families}
    known |= {name.partition("/")[2] for name in known}
    for name in hold_out:
        if name not in known:
            raise ConfigError(f"no template family {name!r} to hold out.{suggest(name, sorted(known))}")
    kept = tuple(family for family in families if family not in hold_out and f"{task}/{family}" not in hold_out)
    if not kept:
        raise ConfigError(f"--hold-out leaves {task} without a template family")
    return kept
