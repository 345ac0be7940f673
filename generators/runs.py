"""A table of millions of runs of words in eight bytes each: who said a run first, and how often up to a few times."""

import numpy as np

_OWNER, _COUNT = 4, 2  # bits of a slot below the run's hash: up to 15 splits, up to 3 times
_VALUE = np.uint64((1 << (_OWNER + _COUNT)) - 1)
_BELOW = np.uint64(_OWNER + _COUNT)
_LOAD = 0.7
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class RunTable:
    """Open addressing in one array. A count stops at `most`, at most 3."""

    def __init__(self, most: int = 3) -> None:
        self.most = np.uint64(most)
        self.size = 0
        self.slots = np.zeros(1 << 12, dtype=np.uint64)

    @staticmethod
    def keys(hashes: np.ndarray) -> np.ndarray:
        """Hashes as keys: the upper bits, never 0."""
        return np.maximum(hashes >> _BELOW, np.uint64(1))

    def get(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Who said each first, and how often it was said; a count of 0 where nobody has."""
        values = self.slots[self._find(keys)] & _VALUE
        return values >> np.uint64(_COUNT), values & np.uint64((1 << _COUNT) - 1)

    def add(self, keys: np.ndarray, owner: int) -> None:
        """Count each key once for every time it stands there; new ones belong to `owner`."""
        if owner >= 1 << _OWNER:
            raise ValueError(f"owner {owner} does not fit a slot")
        keys, times = np.unique(keys, return_counts=True)
        times = np.minimum(times.astype(np.uint64), self.most)
        if self.size + len(keys) > _LOAD * len(self.slots):
            self._grow(self.size + len(keys))
        places = self._find(keys)
        new = self.slots[places] == 0
        old = places[~new]
        count = self.slots[old] & np.uint64((1 << _COUNT) - 1)
        self.slots[old] += np.minimum(count + times[~new], self.most) - count
        self._put(keys[new] << _BELOW | np.uint64(owner << _COUNT) | times[new], places[new])
        self.size += int(new.sum())

    def _put(self, entries: np.ndarray, places: np.ndarray) -> None:
        """Store entries whose keys are not there yet; those that meet in a slot look for another."""
        while len(entries):
            self.slots[places] = entries
            entries = entries[self.slots[places] != entries]
            places = self._find(entries >> _BELOW)

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """The slot of each key, or the empty one where it would go."""
        mask = len(self.slots) - 1
        places = ((keys * _SPREAD) >> np.uint64(64 - mask.bit_length())).astype(np.int64)
        waiting, step = np.arange(len(keys)), 0
        while len(waiting):
            held = self.slots[places[waiting]]
            waiting = waiting[(held != 0) & (held >> _BELOW != keys[waiting])]
            step += 1  # 1, 3, 6, … slots on: every slot is reached, and none draws a crowd
            places[waiting] = (places[waiting] + step) & mask
        return places

    def _grow(self, size: int) -> None:
        """Twice the room; what was there is put in again, a part at a time."""
        old = self.slots
        length = len(old)
        while size > _LOAD * length / 2 or length == len(old):
            length *= 2
        self.slots = np.zeros(length, dtype=np.uint64)
        for start in range(0, len(old), 1 << 16):
            part = old[start : start + (1 << 16)]
            part = part[part != 0]
            self._put(part, self._find(part >> _BELOW))
