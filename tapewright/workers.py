"""Work shared by processes, its results in the order of what was given."""

import contextlib
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from multiprocessing.resource_tracker import ensure_running
from typing import Self, TypeVar

AHEAD = 2  # blocks under way per worker: enough to keep each busy, few enough to keep memory flat

Block = TypeVar("Block")
Result = TypeVar("Result")


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in here never hear Ctrl-C, not even while they begin: who started them ends them.

    The signal is held back rather than ignored, so that a Ctrl-C that comes meanwhile is not lost.
    """
    ensure_running()  # it would let signals through again if it were started in here
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Pool:
    """Spawned workers that each first call prepare(*arguments); one worker is this process itself.

    Everything crosses by pickle, so functions are those of a module. What a worker raises is raised here.
    """

    def __init__(self, workers: int, prepare: Callable[..., object] = tuple, arguments: tuple = ()) -> None:
        self.workers = workers
        self._executor: ProcessPoolExecutor | None = None
        if workers > 1:
            self._executor = ProcessPoolExecutor(workers, get_context("spawn"), prepare, arguments)
        else:
            prepare(*arguments)

    def map(self, function: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[tuple[Block, Result]]:
        """Each block with function(block), in order."""
        if self._executor is None:
            yield from ((block, function(block)) for block in blocks)
            return
        remaining = iter(blocks)
        queue: deque[tuple[Block, Future[Result]]] = deque()
        for block in islice(remaining, AHEAD * self.workers):
            with _deaf_children():
                queue.append((block, self._executor.submit(function, block)))
        while queue:
            block, future = queue.popleft()
            result = future.result()
            for following in islice(remaining, 1):
                with _deaf_children():
                    queue.append((following, self._executor.submit(function, following)))
            yield block, result

    def close(self) -> None:
        """Let the workers go; what they have not begun is dropped."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def map_in_order(
    function: Callable[[Block], Result], blocks: Iterable[Block], workers: int,
    prepare: Callable[..., object], arguments: tuple,
) -> Iterator[tuple[Block, Result]]:  # fmt: skip
    """Each block with function(block), in order, made by workers of a `Pool` of their own."""
    with Pool(workers, prepare, arguments) as pool:
        yield from pool.map(function, blocks)
