"""A cluster of processes on this machine, which ends with the command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from histvq.cluster.engine import distributed, log_level
from histvq.errors import ConfigError

# Past these shares of its memory a worker would write results to disk, or take no more tasks. Ours are
# small, and the memory is mostly PyTorch's, which nobody writes to disk: such a worker would wait for
# ever. Past 95 % it is ended and begun anew, as is Dask's way.
NO_PAUSE = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause")}


@contextmanager
def processes(n_workers: int | None, options: Mapping[str, Any]) -> Iterator[Any]:
    """Workers of one thread each, which share out this machine's memory.

    Args:
        n_workers: How many; as many as this process may use cores if None.
        options: Other keywords of Dask's `LocalCluster`.

    Raises:
        ConfigError: If an option is unknown or wrong.
    """
    from dask import config
    from dask.system import CPU_COUNT

    given = {
        "n_workers": n_workers or CPU_COUNT,
        "threads_per_worker": 1,
        "dashboard_address": ":0",  # any free port; None would mean 8787, and a warning where it is taken
        "silence_logs": log_level() or False,
        **options,
    }
    with config.set(NO_PAUSE):
        try:
            cluster = distributed().LocalCluster(**given)
        except (TypeError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"--cluster local cannot be started: {error.__cause__ or error}; its options are those "
                "of Dask's LocalCluster"
            ) from error
        with cluster:
            yield cluster
