"""Independent pieces of work side by side, a thread each."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    task: Callable[[Item], Result], items: Sequence[Item], *, device: torch.device
) -> Iterator[Result]:
    """The task's results in the order of the items, as many at a time as torch has threads.

    Each runs on one thread of its own. Threads that share the work of one operation meet after every
    operation, and all wait for the one whose core is busy elsewhere: with other programs running, ten
    times and more. Here nobody waits until the end, and the results do not depend on how many threads
    there are.
    """
    n_threads = min(torch.get_num_threads(), len(items))
    if n_threads < 2 or device.type != "cpu":
        yield from map(task, items)
        return
    before = torch.get_num_threads()
    try:
        # The number is a thread's own, but torch notes the last one said for threads to come.
        with ThreadPoolExecutor(
            n_threads, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            yield from pool.map(task, items)
    finally:
        torch.set_num_threads(before)
