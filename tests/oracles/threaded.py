"""Processes that train together, played by threads of one: what each says, the others hear."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import torch

from histvq.nn.peers import among


class Threaded:
    """One of several threads that stand for processes."""

    def __init__(self, rank, n, said, barrier):
        self.rank, self.n, self._said, self._barrier = rank, n, said, barrier

    def _all(self, values):
        self._said[self.rank] = values.detach().clone()
        self._barrier.wait()
        heard = [one.clone() for one in self._said]
        self._barrier.wait()
        return heard

    def summed(self, values):
        first, *others = self._all(values)
        for other in others:
            first = first + other
        return first

    def largest(self, values):
        return torch.stack(self._all(values)).amax(dim=0)

    def gathered(self, values):
        return self._all(values)


def played(n, task):
    """What `task(rank, n)` gives in each of so many threads that train together."""
    said, barrier = [None] * n, threading.Barrier(n, timeout=60)

    def one(rank):
        try:
            with among(Threaded(rank, n, said, barrier)):
                return task(rank, n)
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(n) as pool:
        begun = [pool.submit(copy_context().run, one, rank) for rank in range(n)]
        return [future.result() for future in begun]
