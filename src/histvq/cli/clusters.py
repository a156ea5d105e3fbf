"""What `--cluster` of several commands has in common."""

import re
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from histvq import console
from histvq.errors import ConfigError
from histvq.io.parts.settings import parsed

if TYPE_CHECKING:
    from histvq.cluster import Cluster

ClusterWhere = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="WHERE",
        help="Do the work on a Dask cluster: local, slurm (pbs, lsf, sge, ...), the address of its "
        "scheduler as tcp://HOST:8786, or its scheduler.json. See docs/beyond-one-machine.md.",
    ),
]
ClusterOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster-option",
        metavar="NAME=VALUE",
        help="With --cluster slurm and the like, of each job: cores=8, memory=16GB, queue=..., "
        "account=..., walltime=02:00:00, ...",
    ),
]


def cluster_of(
    where: str, jobs: int | None, options: list[str] | None
) -> "AbstractContextManager[Cluster]":
    """The cluster that was asked for, until the block ends.

    Args:
        where: As for `histvq.cluster.connected`.
        jobs: How many workers to start; None or 0 leaves it open.
        options: As typed.

    Raises:
        ConfigError: If there is no such cluster, or an option cannot be read.
    """
    from histvq.cluster import connected

    return connected(
        where, n_workers=jobs or None, options=_parsed(options or []), told=console.say
    )


def cluster_or_none(
    where: str | None, jobs: int | None, options: list[str] | None
) -> "AbstractContextManager[Cluster | None]":
    """The same where one may have been asked for, or not.

    Raises:
        ConfigError: As `cluster_of`; or if there are options of a cluster but none was asked for.
    """
    if where is not None:
        return cluster_of(where, jobs, options)
    if options:
        raise ConfigError("--cluster-option says how to start a cluster; add --cluster slurm, say")
    return nullcontext()


def _parsed(options: list[str]) -> dict[str, Any]:
    """As `--option`, but times stay as they are: to YAML 02:00:00 is the number 7200."""
    values = parsed(options, flag="--cluster-option")
    for option in options:
        name, _, typed = option.partition("=")
        if re.fullmatch(r"[\d:.-]+", typed.strip()) and ":" in typed:
            values[name.strip()] = typed.strip()
    return values
