"""Start a Dask cluster, or connect to one that runs."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from histvq.cluster.engine import distributed, quiet
from histvq.cluster.sharing import plugin_name
from histvq.errors import ConfigError, HistvqError
from histvq.reading import read_json

Told = Callable[[str], None]

CONNECT_S = 15.0
PATIENCE_S = 300.0


class Cluster:
    """A connection to a cluster, and what is shared with its workers.

    Attributes:
        client: Dask's client; another one after the scheduler was lost and came back.
        connection: A name of this connection, apart from those of other commands on the same cluster.
        told: Called with lines for people.
    """

    def __init__(self, open_client: Callable[[], Any], *, told: Told, patience_s: float) -> None:
        self.connection = uuid4().hex[:12]
        self.told = told
        self.client = open_client()
        self._open_client = open_client
        self._patience_s = patience_s
        self._shared: dict[str, Any] = {}

    @property
    def n_threads(self) -> int:
        """How many threads all workers have at present."""
        return sum(self.client.nthreads().values())

    def share(self, name: str, value: Any) -> None:
        """Send a value to every worker once, also to those that come later; there `shared` has it.

        Raises:
            ConfigError: If the workers cannot take it, as where this package is not installed.
        """
        self._shared[name] = value
        self._send(name)

    def _send(self, name: str) -> None:
        from histvq.cluster.plugin import Sharing

        plugin = Sharing(self.connection, name, self._shared[name])
        try:
            self.client.register_plugin(plugin, name=plugin_name(self.connection, name))
        except ImportError as error:
            raise ConfigError(
                f"the workers cannot import what is needed ({error}); install the same version of "
                "histvq there as here"
            ) from error

    def come_back(self) -> None:
        """Wait for a scheduler that was lost, connect again and share again.

        Raises:
            HistvqError: If it does not come back in time.
        """
        self.told(
            f"the connection to the cluster's scheduler is lost; waiting {self._patience_s:.0f} s at "
            "most for it to come back"
        )
        until = time.monotonic() + self._patience_s
        self.close()
        while True:
            try:
                self.client = self._open_client()
                for name in self._shared:
                    self._send(name)
                break
            except (OSError, ConfigError) as error:
                if time.monotonic() > until:
                    raise HistvqError(
                        "the cluster's scheduler did not come back; what is done is kept. Once a "
                        "scheduler is there the same command goes on from it"
                    ) from error
                time.sleep(1)
        self.told("connected to the scheduler again; what was under way is begun anew")

    def close(self) -> None:
        """Let go of the scheduler, whatever state it is in."""
        with suppress(Exception):
            self.client.close(timeout=5)

    def forget(self) -> None:
        """Take back what was shared, so that a cluster that goes on gets its memory back."""
        for name in self._shared:
            with suppress(Exception):
                self.client.unregister_worker_plugin(plugin_name(self.connection, name))


@contextmanager
def connected(
    where: str,
    *,
    n_workers: int | None = None,
    options: Mapping[str, Any] = {},  # noqa: B006
    told: Told = lambda words: None,
    patience_s: float = PATIENCE_S,
) -> Iterator[Cluster]:
    """A cluster, until the block ends; one that was started here ends with it.

    Args:
        where: `local`, an address as `tcp://host:8786`, or a scheduler file as `scheduler.json`.
        n_workers: Of `local`: how many processes of one thread each; None: as many as there are cores.
        options: Other keywords of the cluster's class in Dask.
        told: Called with lines for people.
        patience_s: How long to wait for a scheduler that was lost to come back.

    Raises:
        ConfigError: If there is no such cluster, it cannot be reached, or Dask is not installed.
    """
    with ExitStack() as stack:
        stack.enter_context(quiet())
        if where == "local":
            started = stack.enter_context(_local(n_workers, options))
            address = lambda: started  # noqa: E731
        else:
            address = lambda: _address(where)  # noqa: E731
        cluster = Cluster(lambda: _client(where, address()), told=told, patience_s=patience_s)
        stack.callback(lambda: cluster.close())
        stack.callback(lambda: cluster.forget())
        yield cluster


def _client(where: str, address: Any) -> Any:
    try:
        return distributed().Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise ConfigError(
            f"--cluster {where}: no scheduler can be reached there ({error}); see whether it runs, "
            "and whether this machine may connect to it"
        ) from error


def _address(where: str) -> str:
    """An address as it is, or the one in a scheduler file."""
    if not where.endswith(".json"):
        return where
    content = read_json(Path(where))
    return content["address"]


@contextmanager
def _local(n_workers: int | None, options: Mapping[str, Any]) -> Iterator[Any]:
    with distributed().LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=100,
        **options,
    ) as cluster:
        yield cluster
