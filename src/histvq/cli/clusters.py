"""What `--cluster` of several commands has in common."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from histvq import console
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
        where,
        n_workers=jobs or None,
        options=parsed(options or [], flag="--cluster-option"),
        told=console.say,
    )
