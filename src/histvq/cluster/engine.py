"""Dask, imported late and kept quiet."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from histvq.errors import ConfigError

EXTRA = 'clusters need dask: pip install "histvq[cluster]"'
SAME_VERSION = "install the same version of histvq on all machines of the cluster as here"
NOTHING = logging.CRITICAL + 1


def distributed() -> Any:
    """Dask's scheduler, workers and client.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise ConfigError(EXTRA) from error
    return distributed


def log_level() -> int | None:
    """From where on Dask may log to the console; None: as the user's own Dask configuration says."""
    import dask

    return None if dask.config.get("logging", None) else NOTHING


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask's log off the console, unless the user's own Dask configuration asks for it."""
    level = log_level()
    if level is None:
        yield
        return
    loggers = [
        logger
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
        and name.split(".")[0] in ("distributed", "dask_jobqueue")
    ]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.setLevel(old)
