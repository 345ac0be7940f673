"""Seeded streams: row i of task t under seed s is a pure function of (s, t, i, attempt, tape).

`Random(seed + i)` makes neighbouring seeds share rows, so each stream is keyed by a hash.
"""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random


class Stream(Random):
    """A Mersenne twister with the few draws the generators need, each one call of `random()`.

    `random.Random.choice` and `randint` go through rejection sampling in Python; one multiply is
    several times faster and as uniform as a 53-bit float allows for the short lists used here.
    """

    def pick(self, items: Sequence):
        """One of `items`, uniformly."""
        return items[int(self.random() * len(items))]

    def below(self, n: int) -> int:
        """An integer in [0, n)."""
        return int(self.random() * n)

    def between(self, low: float, high: float) -> float:
        """A float in [low, high)."""
        return low + (high - low) * self.random()

    def chance(self, p: float) -> bool:
        """True with probability `p`."""
        return self.random() < p

    def weighted(self, items: Sequence, weights: Sequence[float]):
        """One of `items` with probability proportional to its weight."""
        x = self.random() * sum(weights)
        for item, weight in zip(items, weights):
            x -= weight
            if x < 0:
                return item
        return items[-1]


def stream(*key: object) -> Stream:
    """The stream of `key`, e.g. `stream(seed, task, index, attempt, tape_sha256)`."""
    digest = blake2b("/".join(map(str, key)).encode(), digest_size=16).digest()
    return Stream(int.from_bytes(digest, "big"))
