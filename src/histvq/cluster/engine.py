"""Dask, imported late and kept quiet."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from histvq.errors import ConfigError


def distributed() -> Any:
    """Dask's scheduler, workers and client.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise ConfigError('clusters need dask: pip install "histvq[cluster]"') from error
    return distributed


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dask's log off the console, unless the user's own Dask configuration has a `logging` section."""
    distributed()
    import dask

    if dask.config.get("logging", None):
        yield
        return
    ours = [
        logger
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and name.split(".")[0] == "distributed"
    ]
    before = [logger.level for logger in ours]
    for logger in ours:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(ours, before, strict=True):
            logger.setLevel(level)
