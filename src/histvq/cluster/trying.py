"""One try of a task, on a worker: what came of it, every fault in words."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from histvq.cluster.sharing import CONNECTION, NotShared
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
        not_shared: Whether it lacked what should have been shared with its worker.
    """

    why: str
    for_good: bool = False
    not_shared: bool = False


@dataclass(frozen=True)
class Said:
    """What came of a try.

    Attributes:
        result: What the task came to, or `Raised`.
        versions: What it was computed with.
    """

    result: Any
    versions: str = ""


def tried(task: Any, do: Callable[[Any], Any], connection: str) -> Said:
    """What `do` makes of a task, or what it raised."""
    token = CONNECTION.set(connection)
    try:
        result = do(task)
    except NotShared as error:
        result = Raised(str(error), not_shared=True)
    except HistvqError as error:
        result = Raised(str(error), for_good=True)
    except Exception as error:
        result = Raised(f"{type(error).__name__}: {error}".removesuffix(": "))
    finally:
        CONNECTION.reset(token)
    return Said(result, versions())


@cache
def versions() -> str:
    """Of what decides a result, here."""
    return ", ".join(f"{name} {_version(name)}" for name in ("histvq", "torch"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of an unknown version"


def wanted() -> bool:
    """Whether somebody still waits for the task that runs here; a long one should ask now and then.

    Dask cannot stop a task that has begun. This is false once the command that asked for it was stopped
    or the scheduler is lost; outside a worker it is true.
    """
    from distributed import get_worker

    try:
        worker = get_worker()
        state = worker.state.tasks.get(worker.get_current_task())
    except ValueError:
        return True
    return state is not None and state.state in ("executing", "long-running")
