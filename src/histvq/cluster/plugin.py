"""The plugins that Dask's workers get; a module of its own, for it needs Dask to be imported."""

import signal
from typing import Any

from distributed import WorkerPlugin

from histvq.cluster.sharing import hold, let_go


class Sharing(WorkerPlugin):  # type: ignore[misc]
    """Holds a value on a worker from when it joins until the command is over.

    Attributes:
        connection: Which connection of which command shares it.
        shared_name: Under which name.
        value: What.
    """

    def __init__(self, connection: str, shared_name: str, value: Any) -> None:
        self.connection = connection
        self.shared_name = shared_name
        self.value = value

    def setup(self, worker: Any) -> None:
        """Keep it for tasks; called as a worker joins."""
        hold(self.connection, self.shared_name, self.value)

    def teardown(self, worker: Any) -> None:
        """Give its memory back; called as the command ends."""
        let_go(self.connection, self.shared_name)


class Deaf(WorkerPlugin):  # type: ignore[misc]
    """Lets a worker on this machine go on at Ctrl-C, which is for the command: that ends it in order."""

    def setup(self, worker: Any) -> None:
        """Called in its main thread as it joins."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
