"""Independent pieces of work side by side, a thread each."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, islice
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

# How many pieces are begun ahead of the one whose result is wanted, for each thread.
_AHEAD = 4

_n_threads: ContextVar[int | None] = ContextVar("n_threads", default=None)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Every operation on one thread while this lasts; torch's others are left to `side_by_side`.

    Threads that share the work of one operation meet after every operation, and all wait for the one
    whose core is busy elsewhere: with other programs running, ten times and more. Pieces side by side
    wait for nobody, and what comes out does not depend on how many threads there are.
    """
    if _n_threads.get() is not None:
        yield
        return
    before = torch.get_num_threads()
    token = _n_threads.set(before)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _n_threads.reset(token)


def fewer_at_once() -> int | None:
    """Halve how many pieces are worked on at a time, until the outermost `one_thread_each` ends.

    What comes out stays the same to the last bit: a piece is worked on by one thread as before.

    Returns:
        How many at a time from now on; None where it is one at a time already.
    """
    n_threads = _n_threads.get() or 1
    if n_threads < 2:
        return None
    _n_threads.set(n_threads // 2)
    return n_threads // 2


def side_by_side(
    task: Callable[[Item], Result], items: Iterable[Item], *, device: torch.device
) -> Iterator[Result]:
    """The task's results in the order of the items, on a CPU as many at a time as there are threads.

    Items are taken as they are needed, a few ahead.
    """
    before = torch.get_num_threads()
    n_threads = _n_threads.get() or before
    items = iter(items)
    pair = list(islice(items, 2))
    items = chain(pair, items)
    if n_threads < 2 or len(pair) < 2 or device.type != "cpu":
        yield from map(task, items)
        return
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        for item in items:
            begun.append(pool.submit(task, item))
            if len(begun) > _AHEAD * n_threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        # The number is a thread's own, but torch notes the last one said for threads to come.
        torch.set_num_threads(before)
