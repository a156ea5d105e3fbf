"""Work through many tasks, of which the scheduler only ever has a window."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar
from warnings import warn

from histvq.cluster.connecting import Cluster
from histvq.cluster.trying import Failed, Raised, Said, versions
from histvq.cluster.window import Killed, SchedulerLost, Try, Window
from histvq.errors import DataWarning

T = TypeVar("T")
R = TypeVar("R")

# Enough that workers find the next task while the client takes in what others have done.
AT_LEAST, A_THREAD = 64, 4
LOOK_S = 2.0
_LATER = object()


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
    """What comes of each task, as they end, in any order.

    The client and the scheduler hold a window of tasks, so that their memory does not grow with the
    number of all. A task whose worker ends is done again by another; where that happens again and again
    (`distributed.scheduler.allowed-failures` of Dask's configuration, 3) it is put off to the end and
    done while nothing else is, so that no task is given up for what another did. If the scheduler is
    lost, what was under way is done again once it is back.

    Args:
        cluster: Where.
        do: A function of a module that the workers have too. It may be called twice for one task.
        tasks: Small ones; taken as they are needed.
        n_tasks: How many there are, for `progress`.
        retries: How often a task that ends with an exception is tried again. A `HistvqError` is an
            answer: it would be the same again.
        at_once: How many tasks are with the scheduler at a time; else as many as keep its workers busy.
        progress: Called with how many are done and how many there are.

    Yields:
        A task and its result, or why there is none.

    Raises:
        HistvqError: If the scheduler is lost and does not come back.
        ConfigError: If the workers lack this package.

    Warns:
        DataWarning: If workers have other versions of what decides results.
    """
    work = _Work(cluster, do, tasks, retries=retries, at_once=at_once)
    n_done = 0
    try:
        work.submit()
        while work.under_way:
            finished = work.finished()
            work.submit()  # first, or workers would wait for whoever takes what has ended
            for one in finished:
                n_done += 1
                if progress is not None:
                    progress(n_done, n_tasks)
                yield one
    finally:
        work.cancel()


class _Work:
    """What waits, what is under way, and what becomes of it."""

    def __init__(
        self,
        cluster: Cluster,
        do: Callable[[Any], Any],
        tasks: Iterable[Any],
        *,
        retries: int,
        at_once: int | None,
    ) -> None:
        self._cluster = cluster
        self._do = do
        self._coming = iter(tasks)
        self._again: deque[Try] = deque()
        self._put_off: deque[Try] = deque()
        self._retries = retries
        self._at_once = at_once
        self._versions = {versions()}
        self._begin()

    def _begin(self) -> None:
        """With whatever client the cluster has now."""
        self._window = Window(self._cluster.client, self._do, connection=self._cluster.connection)
        self._lost = False
        self._room = self._at_once or AT_LEAST
        self._looked_at = 0.0

    @property
    def under_way(self) -> bool:
        return bool(self._window) or self._lost

    def submit(self) -> None:
        """Fill the window; notes if the scheduler is lost."""
        if self._lost:
            return
        tries: list[Try] = []
        try:
            self._look()
            tries = self._next_ones(self._room - len(self._window))
            self._window.submit(tries)
        except SchedulerLost:
            self._again.extend(tries)
            self._lost = True

    def _look(self) -> None:
        """Now and then, for workers come and go."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        n_threads = self._window.answered(self._cluster.look)
        self._room = self._at_once or max(AT_LEAST, A_THREAD * n_threads)
        self._looked_at = time.monotonic()

    def _next_ones(self, n: int) -> list[Try]:
        tries = [self._again.popleft() for _ in range(min(n, len(self._again)))]
        tries += [Try(task) for task in islice(self._coming, max(0, n - len(tries)))]
        if not tries and not self._window and self._put_off:
            tries = [self._put_off.popleft()]
        return tries

    def finished(self) -> list[tuple[Any, Any]]:
        """The tasks that need no other try, and what came of them; waits a while for one.

        Raises:
            HistvqError: If the scheduler is lost and does not come back.
        """
        if self._lost:
            self._again.extend(self._window.tries)
            self._cluster.come_back()
            self._begin()
            return []
        try:
            ended = self._window.ended(wait_s=LOOK_S)
        except SchedulerLost:
            self._lost = True
            return []
        return [
            (one.task, result)
            for one, said in ended
            if (result := self._settled(one, said)) is not _LATER
        ]

    def _settled(self, one: Try, said: Said | Killed) -> Any:
        """What came of a task in the end; or `_LATER`, and it waits for another try."""
        if isinstance(said, Killed):
            if one.alone:
                return Failed(said.why, lost_workers=True)
            self._put_off.append(replace(one, alone=True))
            return _LATER
        self._compare(said.versions)
        raised = said.result
        if not isinstance(raised, Raised):
            return raised
        if raised.for_good or one.n_raised >= self._retries:
            return Failed(raised.why)
        if raised.not_shared:  # the scheduler was another one for a moment, and nobody noticed
            self._cluster.share_again()
        self._again.append(replace(one, n_raised=one.n_raised + 1))
        return _LATER

    def _compare(self, there: str) -> None:
        """Warn once of versions that may lead to other results."""
        if there and there not in self._versions:
            self._versions.add(there)
            warn(
                f"a worker has {there}, this machine {versions()}: results may differ in their last "
                "digits or more; install the same versions",
                DataWarning,
                stacklevel=2,
            )

    def cancel(self) -> None:
        """Leave nothing behind with the scheduler."""
        self._window.cancel()
