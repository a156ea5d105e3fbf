"""What every worker holds: sent to each once, kept there from task to task."""

from contextvars import ContextVar
from typing import Any

from histvq.errors import HistvqError

# On a worker: (connection, name) -> value. Two commands may be at work on one cluster.
_HELD: dict[tuple[str, str], Any] = {}
# The connection whose task runs here.
CONNECTION: ContextVar[str] = ContextVar("connection")


class NotShared(HistvqError):
    """A task needs what its worker does not hold."""


def shared(name: str) -> Any:
    """What was shared under this name by the command whose task runs here.

    Raises:
        HistvqError: If nothing was, or this is no task on a worker.
    """
    try:
        return _HELD[CONNECTION.get(), name]
    except LookupError:
        raise NotShared(
            f"nothing is shared under the name {name!r} with this process: `Cluster.share` it before "
            "the tasks that need it"
        ) from None


def hold(connection: str, name: str, value: Any) -> None:
    """Keep a value for the tasks to come."""
    _HELD[connection, name] = value


def let_go(connection: str, name: str) -> None:
    """Forget it again."""
    _HELD.pop((connection, name), None)


def plugin_name(connection: str, name: str) -> str:
    """Under which name the scheduler keeps what brings the value to workers."""
    return f"histvq-{connection}-{name}"
