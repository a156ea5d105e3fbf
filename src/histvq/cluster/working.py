"""Work through many tasks, of which the scheduler only ever has a window."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from histvq.cluster.connecting import Cluster
from histvq.cluster.engine import distributed
from histvq.cluster.trying import Failed, Raised, tried

T = TypeVar("T")
R = TypeVar("R")

AT_LEAST, A_THREAD = 64, 4
LOOK_S = 2.0


@dataclass(frozen=True)
class _Try:
    task: Any
    tries: int = 0


class _Lost(Exception):
    """The scheduler has gone away."""


def work_through(
    cluster: Cluster,
    do: Callable[[T], R],
    tasks: Iterable[T],
    *,
    n_tasks: int,
    retries: int = 2,
    at_once: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[T, R | Failed]]:
    """What came of each task, as they end, in any order.

    Args:
        cluster: Where.
        do: A function of a module that the workers have too. A task may be done twice.
        tasks: Small ones; taken as they are needed.
        n_tasks: How many there are, for `progress`.
        retries: How often a task is tried again that ends with an exception. A `HistvqError` is the
            task's answer and not tried again.
        at_once: How many are with the scheduler at a time, else as many as keep its workers busy.
        progress: Called with how many are done and how many there are.
    """
    window = _Window(cluster, do)
    coming = iter(tasks)
    again: deque[_Try] = deque()
    alone: deque[_Try] = deque()
    n_done = 0
    try:
        while True:
            room = (at_once or max(AT_LEAST, A_THREAD * cluster.n_threads)) - len(window)
            batch: list[_Try] = []
            while len(batch) < room:
                if again:
                    batch.append(again.popleft())
                    continue
                try:
                    batch.append(_Try(next(coming)))
                except StopIteration:
                    break
            window.submit(batch)
            if not len(window):
                return
            try:
                ended = window.ended()
            except _Lost:
                again.extend(window.drop())
                cluster.come_back()
                continue
            for a_try, said in ended:
                if isinstance(said, Raised) and not said.for_good and a_try.tries < retries:
                    again.append(_Try(a_try.task, a_try.tries + 1))
                    continue
                n_done += 1
                if progress is not None:
                    progress(n_done, n_tasks)
                yield a_try.task, Failed(said.why) if isinstance(said, Raised) else said
    finally:
        window.cancel()


class _Window:
    """The tasks that the scheduler has."""

    def __init__(self, cluster: Cluster, do: Callable[[Any], Any]) -> None:
        self._cluster = cluster
        self._do = do
        self._tries: dict[Any, _Try] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._tries)

    def submit(self, batch: list[_Try]) -> None:
        if not batch:
            return
        futures = self._cluster.client.map(
            tried,
            [a_try.task for a_try in batch],
            do=self._do,
            connection=self._cluster.connection,
            pure=False,
        )
        for future, a_try in zip(futures, batch, strict=True):
            self._tries[future] = a_try
            future.add_done_callback(self._ended.put)

    def ended(self) -> list[tuple[_Try, Any]]:
        futures = []
        with suppress(Empty):
            futures.append(self._ended.get(timeout=LOOK_S))
            while True:
                futures.append(self._ended.get_nowait())
        futures = [future for future in futures if future in self._tries]
        killed = distributed().KilledWorker
        found = []
        for future in futures:
            try:
                said = future.result(timeout=60)
            except killed as error:
                said = Failed(f"workers ended while they were at it ({error})", lost_workers=True)
            except (CancelledError, OSError) as error:
                raise _Lost from error
            found.append((future, said))
        return [(self._tries.pop(future), said) for future, said in found]

    def drop(self) -> list[_Try]:
        left = list(self._tries.values())
        self._tries.clear()
        self._ended = SimpleQueue()
        return left

    def cancel(self) -> None:
        if self._tries:
            with suppress(Exception):
                self._cluster.client.cancel(list(self._tries))
        self.drop()
