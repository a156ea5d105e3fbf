"""A Dask cluster, started here or found running, and the connection to it."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from histvq.cluster.engine import SAME_VERSION, distributed, quiet
from histvq.cluster.jobs import QUEUES, in_jobs
from histvq.cluster.processes import processes
from histvq.cluster.sharing import plugin_name
from histvq.errors import ConfigError, FileFormatError, HistvqError
from histvq.reading import read_json

Told = Callable[[str], None]

CONNECT_S = 15.0
PATIENCE_S = 300.0


class Cluster:
    """A connection to a cluster, and what is shared with its workers.

    Attributes:
        client: Dask's client; another one once the scheduler was lost and came back.
        connection: A name of this connection, apart from those of other commands on the same cluster.
        told: Called with lines for people.
    """

    def __init__(
        self,
        open_client: Callable[[], Any],
        *,
        told: Told,
        patience_s: float,
        keep_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.connection = uuid4().hex[:12]
        self.told = told
        self.client = open_client()
        self._open_client = open_client
        self._patience_s = patience_s
        self._keep_up = keep_up
        self._shared: dict[str, Any] = {}
        self._had_workers = False

    @property
    def n_threads(self) -> int:
        """How many threads all workers have at present."""
        return sum(self.client.nthreads().values())

    def look(self) -> int:
        """How many threads there are; says so when the last worker has gone or the first has come."""
        self._keep_up()
        n_threads = self.n_threads
        if self._had_workers and not n_threads:
            self.told("no worker is left; waiting for others to come")
        elif n_threads and not self._had_workers:
            self.told(f"workers have come: {n_threads} threads so far")
        self._had_workers = n_threads > 0
        return n_threads

    def introduce(self, where: str) -> None:
        """Say what there is.

        Raises:
            ConfigError: If this package is not installed where the workers are.
        """
        # A worker that cannot take as much as this would end with its first task, and not say why.
        self.share("connection", self.connection)
        workers = self.client.nthreads()
        self._had_workers = bool(workers)
        there = f"cluster {where}: {len(workers)} workers, {sum(workers.values())} threads"
        self.told(there if workers else f"cluster {where}: no worker yet; waiting for them to come")

    def leave_the_keyboard(self) -> None:
        """Keep Ctrl-C from the workers, where these hear it too: on this machine."""
        from histvq.cluster.plugin import Deaf

        self.client.register_plugin(Deaf(), name="histvq-deaf")

    def share(self, name: str, value: Any) -> None:
        """Send a value to every worker once, also to those that come later; there `shared` has it.

        Raises:
            ConfigError: If workers cannot take it, as where this package is not installed.
        """
        self._shared[name] = value
        self._send(name)

    def share_again(self) -> None:
        """The same for everything shared so far, to a scheduler that knows nothing of it."""
        for name in self._shared:
            self._send(name)

    def _send(self, name: str) -> None:
        from histvq.cluster.plugin import Sharing

        plugin = Sharing(self.connection, name, self._shared[name])
        try:
            self.client.register_plugin(plugin, name=plugin_name(self.connection, name))
        except (OSError, CancelledError):
            raise  # the scheduler is lost
        except Exception as error:  # Dask gives a worker's error as one of no kind
            raise ConfigError(
                f"the workers cannot take what they need ({error}); {SAME_VERSION}"
            ) from error

    def come_back(self) -> None:
        """Wait for a scheduler that was lost, connect to it again and share again.

        Raises:
            HistvqError: If it does not come back in time.
        """
        self.told(
            "the cluster's scheduler is lost; waiting up to "
            f"{self._patience_s:.0f} s for it to come back"
        )
        until = time.monotonic() + self._patience_s
        self.close()
        while True:
            try:
                self.client = self._open_client()
                self.share_again()
                break
            except (OSError, CancelledError, ConfigError, FileFormatError) as error:
                if time.monotonic() > until:
                    raise HistvqError(
                        "the cluster's scheduler was lost and did not come back. What is done is kept: "
                        "once a scheduler is there, the same command goes on from it"
                    ) from error
                self.close()
                time.sleep(1)
        self._had_workers = False
        self.told("the scheduler is back; what was under way is begun again")

    def forget(self) -> None:
        """Take back what was shared: a cluster that goes on gets its memory back."""
        for name in self._shared:
            with suppress(Exception):
                self.client.unregister_worker_plugin(plugin_name(self.connection, name))

    def close(self) -> None:
        """Let go of the scheduler, in whatever state it is."""
        with suppress(Exception):
            self.client.close(timeout=5)


@contextmanager
def connected(
    where: str,
    *,
    n_workers: int | None = None,
    options: Mapping[str, Any] = {},
    told: Told = lambda words: None,
    patience_s: float = PATIENCE_S,
) -> Iterator[Cluster]:
    """A cluster, until the block ends; one that was started here ends with it.

    Args:
        where: `local`; a queueing system, as `slurm`; the address of a scheduler, as
            `tcp://host:8786`; or its scheduler file, as `scheduler.json`.
        n_workers: Of `local`: how many processes, as many as there are cores if None. Of a queueing
            system: how many jobs, one if None.
        options: Of `local` and of queueing systems: other keywords of Dask's class for it.
        told: Called with lines for people.
        patience_s: How long to wait for a scheduler that was lost, in seconds.

    Raises:
        ConfigError: If there is no such cluster, it cannot be reached, or Dask is not installed.
    """
    distributed()
    with ExitStack() as stack:
        stack.enter_context(quiet())
        keep_up: Callable[[], None] = lambda: None  # noqa: E731
        find: Callable[[], Any] = lambda: _address(where)  # noqa: E731
        if where == "local":
            local = stack.enter_context(processes(n_workers, options))
            find = lambda: local  # noqa: E731
        elif where in QUEUES:
            jobs = stack.enter_context(in_jobs(where, n_workers or 1, options, told))
            find, keep_up = (lambda: jobs.cluster), jobs.keep_up
        elif n_workers is not None or options:
            raise ConfigError(
                f"--cluster {where} has the workers it has: leave out --jobs and --cluster-option, or "
                f"have one started by local, {', '.join(QUEUES)}"
            )
        cluster = Cluster(
            lambda: _client(where, find()), told=told, patience_s=patience_s, keep_up=keep_up
        )
        stack.callback(cluster.close)
        stack.callback(cluster.forget)
        if where == "local":
            cluster.leave_the_keyboard()
        cluster.introduce(where)
        yield cluster


def _client(where: str, scheduler: Any) -> Any:
    try:
        return distributed().Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        said = str(error) or type(error).__name__
    # The client that could not connect is closed as it is collected. Were that to happen while the next
    # one begins, Dask would wait for itself for ever.
    gc.collect()
    raise ConfigError(
        f"--cluster {where}: no scheduler answers there ({said}); see whether it runs, whether this "
        "machine may connect to it, and whether it has the same version of Dask. Other clusters are "
        f"local, {', '.join(QUEUES)}"
    )


def _address(where: str) -> str:
    """An address as it is, or the one that a scheduler has left in its file."""
    if not where.endswith(".json"):
        return where
    place = Path(where)
    if not place.is_file():
        raise ConfigError(
            f"--cluster {where}: no such file; start a scheduler with `dask scheduler "
            f"--scheduler-file {where}`, where this machine sees the file too"
        )
    content = read_json(place)
    if not isinstance(content, dict) or not isinstance(content.get("address"), str):
        raise ConfigError(f"--cluster {where}: not the file of a Dask scheduler, it has no address")
    return content["address"]
