"""Work shared by processes, its results in the order of what was given."""

import contextlib
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

AHEAD = 2  # blocks under way per worker: enough to keep each busy, few enough to keep memory flat

Block = TypeVar("Block")
Result = TypeVar("Result")


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in here never hear Ctrl-C, not even while they begin: who started them ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
