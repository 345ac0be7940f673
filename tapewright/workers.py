"""Work shared by processes, its results in the order of what was given."""

import contextlib
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from multiprocessing.resource_tracker import ensure_running
from typing import TypeVar

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


def map_in_order(
    function: Callable[[Block], Result], blocks: Iterable[Block], workers: int,
    prepare: Callable[..., None], arguments: tuple,
) -> Iterator[tuple[Block, Result]]:  # fmt: skip
    """Each block with function(block), made by spawned workers that first call prepare(*arguments).

    Everything crosses by pickle, so functions are those of a module. What a worker raises is raised here.
    """
    remaining = iter(blocks)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), prepare, arguments)
    try:
        queue: deque[tuple[Block, Future[Result]]] = deque()
        for block in islice(remaining, AHEAD * workers):
            with _deaf_children():
                queue.append((block, pool.submit(function, block)))
        while queue:
            block, future = queue.popleft()
            result = future.result()
            for following in islice(remaining, 1):
                with _deaf_children():
                    queue.append((following, pool.submit(function, following)))
            yield block, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
