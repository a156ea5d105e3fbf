"""The tasks that a scheduler has at a time, and what came of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from histvq.cluster.engine import SAME_VERSION, distributed
from histvq.cluster.trying import Raised, Said, tried
from histvq.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Try:
    """A task on its way.

    Attributes:
        task: The task.
        n_raised: How often it has ended with an exception.
        alone: Whether nothing else is under way beside it, so that it is to blame if workers end.
    """

    task: Any
    n_raised: int = 0
    alone: bool = False


@dataclass(frozen=True)
class Killed:
    """A try that the scheduler has given up, for too many workers ended while they had it."""

    why: str


class SchedulerLost(Exception):
    """The scheduler does not answer any more, and has forgotten what it had to do."""


class Window:
    """Tasks that one client has given to the scheduler."""

    def __init__(self, client: Any, do: Callable[[Any], Any], *, connection: str) -> None:
        self._client = client
        self._do = do
        self._connection = connection
        self._tries: dict[Any, Try] = {}
        self._ended: SimpleQueue[Any] = SimpleQueue()

    def __len__(self) -> int:
        return len(self._tries)

    @property
    def tries(self) -> list[Try]:
        """What is under way."""
        return list(self._tries.values())

    def submit(self, tries: Sequence[Try]) -> None:
        """Give these to the scheduler, in one message.

        Raises:
            SchedulerLost: If it is.
        """
        if not tries:
            return
        with self._lost_if_lost():
            futures = self._client.map(
                tried,
                [one.task for one in tries],
                do=self._do,
                connection=self._connection,
                key=getattr(self._do, "__name__", "task"),
                pure=False,  # or Dask would take what an earlier run came to
            )
        for future, one in zip(futures, tries, strict=True):
            self._tries[future] = one
            future.add_done_callback(self._ended.put)

    def ended(self, *, wait_s: float) -> list[tuple[Try, Said | Killed]]:
        """What came of those that have ended since; none, if none has within `wait_s`.

        Raises:
            SchedulerLost: If it is.
            ConfigError: If the workers lack this package.
        """
        futures = []
        with suppress(Empty):
            futures.append(self._ended.get(timeout=wait_s))
            while True:
                futures.append(self._ended.get_nowait())
        if any(future.cancelled() for future in futures):
            raise SchedulerLost
        with self._lost_if_lost():
            said = self._said(futures)
        return [(self._tries.pop(future), said[future]) for future in futures]

    def _said(self, futures: Sequence[Any]) -> dict[Any, Said | Killed]:
        """The results in one message; they may be lost with their worker even now."""
        while True:
            failed = {future: _fault(future) for future in futures if future.status == "error"}
            others = [future for future in futures if future not in failed]
            try:
                return failed | dict(zip(others, self._client.gather(others), strict=True))
            except Exception:
                if not any(future.status == "error" for future in others):
                    raise

    @contextmanager
    def _lost_if_lost(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError) as error:
            raise SchedulerLost from error
        except ConfigError:
            raise
        except Exception as error:  # a client that is closed says so in many ways
            if self._client.status == "running":
                raise
            raise SchedulerLost from error

    def answered(self, ask: Callable[[], T]) -> T:
        """What the scheduler answers.

        Raises:
            SchedulerLost: If it does not.
        """
        with self._lost_if_lost():
            return ask()

    def cancel(self) -> None:
        """Take back what has not begun, and let go of what has."""
        with suppress(Exception):
            self._client.cancel(list(self._tries))
        self._tries.clear()


def _fault(future: Any) -> Said | Killed:
    """Why Dask itself has no result of a try."""
    error = future.exception()
    if isinstance(error, distributed().KilledWorker):
        return Killed(
            f"{error.allowed_failures + 1} workers in turn ended while they were at it, the last one "
            f"{error.last_worker.address}; perhaps memory ran out there"
        )
    missing = isinstance(error, ImportError) and (error.name or "").split(".")[0] == "histvq"
    if missing or "deserialization of the task graph" in str(error):
        raise ConfigError(
            f"the cluster's scheduler or workers cannot read tasks ({str(error).splitlines()[0]}); "
            f"{SAME_VERSION}"
        )
    return Said(Raised(f"{type(error).__name__}: {error}"))
