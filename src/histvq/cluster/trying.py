"""One try of a task, on a worker: what came of it, with every fault in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from histvq.cluster.sharing import CONNECTION
from histvq.errors import HistvqError


@dataclass(frozen=True)
class Failed:
    """A task that was given up.

    Attributes:
        why: What went wrong, in words.
        lost_workers: Whether workers ended while they were at it, again and again.
    """

    why: str
    lost_workers: bool = False


@dataclass(frozen=True)
class Raised:
    """A try that ended with an error; not the error itself, which need not survive the way.

    Attributes:
        why: Its words.
        for_good: Whether another try would end the same.
    """

    why: str
    for_good: bool


def tried(task: Any, do: Callable[[Any], Any], connection: str) -> Any:
    """What `do` makes of a task, or what it raised."""
    token = CONNECTION.set(connection)
    try:
        return do(task)
    except HistvqError as error:
        return Raised(str(error), for_good=True)
    except Exception as error:
        return Raised(f"{type(error).__name__}: {error}".removesuffix(": "), for_good=False)
    finally:
        CONNECTION.reset(token)


def wanted() -> bool:
    """Whether anybody still waits for the task that runs here; a long one may ask now and then.

    Dask cannot stop a task that has begun. This is false once the command that asked for it was stopped.
    """
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # not on a worker
        return True
    state = worker.state.tasks.get(worker.get_current_task())
    return state is not None and state.state in ("executing", "long-running")
