"""Do the runs that are missing on a cluster, each as a task of its own."""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from histvq.claiming import UNFINISHED
from histvq.cluster import Cluster, Failed, wanted, work_through
from histvq.errors import ConfigError
from histvq.reproduction.cell import run_apart
from histvq.reproduction.plan import Job
from histvq.reproduction.running import Told, missing_of


@dataclass(frozen=True)
class Cell:
    """A run, and where the runs go: a folder that every worker sees under the same name."""

    job: Job
    out: str


def run_missing_on(
    cluster: Cluster, jobs: Sequence[Job], out: Path, *, told: Told
) -> Mapping[Path, str]:
    """Run every job that has no outcome yet, on the workers of a cluster.

    Args:
        cluster: Where.
        jobs: What there is to do.
        out: Where the runs go, as `under_way` has it; the workers see the same folder.
        told: Called with what there is to do, and as each run ends, with its scores or what went wrong.

    Returns:
        Folder of each job that failed -> why.
    """
    out = out.resolve()
    missing, n_all = missing_of(jobs, out)
    told(f"{len(missing)} of {n_all} runs to do on the cluster, in {out / 'runs'}")
    cells = [Cell(job, str(out)) for job in missing]
    failed: dict[Path, str] = {}
    begun = time.monotonic()
    each = work_through(cluster, run_cell, cells, n_tasks=len(cells))
    for n_done, (cell, said) in enumerate(each, start=1):
        words = said.why if isinstance(said, Failed) else said
        how = " failed" if isinstance(said, Failed) else ""
        told(f"{cell.job.called}{how}: {words}{_left(begun, n_done, len(cells))}")
        if isinstance(said, Failed):
            failed[cell.job.folder(out)] = words
    return failed


def run_cell(cell: Cell) -> str:
    """On a worker: do a run; returns the scores in words.

    Raises:
        ConfigError: If it fails, and would again.
        RuntimeError: If it may not fail elsewhere, as for lack of memory.
    """
    out = Path(cell.out)
    here = socket.gethostname()
    if not (out / UNFINISHED).is_file():
        raise ConfigError(
            f"{here} does not see the folder {out} of the command; results must go to a folder that all "
            "machines of the cluster share under one name (-o)"
        )
    answer = run_apart(cell.job, out, wanted=wanted)
    if answer.done:
        return answer.words
    words = f"on {here}: {answer.words}"
    raise ConfigError(words) if answer.for_good else RuntimeError(words)


def _left(begun: float, n_done: int, n: int) -> str:
    """How many runs are left, and how long they may take if the workers stay as many."""
    if n_done == n:
        return ""
    minutes = (time.monotonic() - begun) / n_done * (n - n_done) / 60
    about = f"{minutes / 60:.1f} h" if minutes > 90 else f"{minutes:.0f} min"
    return f" ({n - n_done} left, about {about})" if minutes >= 1 else f" ({n - n_done} left)"
