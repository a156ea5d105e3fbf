"""A cluster of workers in jobs of a queueing system, which end with the command."""

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from histvq.cluster.engine import distributed, log_level
from histvq.cluster.processes import NO_PAUSE
from histvq.errors import ConfigError

# Name -> its class in dask-jobqueue, and the program that takes jobs.
QUEUES = {
    "slurm": ("SLURMCluster", "sbatch"),
    "pbs": ("PBSCluster", "qsub"),
    "lsf": ("LSFCluster", "bsub"),
    "sge": ("SGECluster", "qsub"),
    "oar": ("OARCluster", "oarsub"),
    "moab": ("MoabCluster", "msub"),
    "htcondor": ("HTCondorCluster", "condor_submit"),
}
EXAMPLES = {"cores": "8", "memory": "16GB"}
# A worker that was ended for its memory is back before.
GONE_S = 30.0
AGAIN_S = 60.0


@contextmanager
def in_jobs(
    queue: str, n_jobs: int, options: Mapping[str, Any], told: Callable[[str], None]
) -> Iterator["Jobs"]:
    """Workers in jobs, a process of one thread for each core; the scheduler is in this process.

    Args:
        queue: A name in `QUEUES`.
        n_jobs: How many jobs.
        options: Keywords of the class in dask-jobqueue. What they do not say comes from the section
            `jobqueue` of the user's Dask configuration.
        told: Called with lines for people.

    Raises:
        ConfigError: If the system is not at hand or takes no job, or an option is lacking or wrong.
    """
    class_name, program = QUEUES[queue]
    try:
        import dask_jobqueue
    except ImportError as error:
        raise ConfigError(
            f'--cluster {queue} needs dask-jobqueue: pip install "histvq[cluster]"'
        ) from error
    if shutil.which(program) is None:
        raise ConfigError(
            f"--cluster {queue}: there is no {program} here; give the command on a machine from which "
            "jobs are handed in"
        )
    try:
        cluster = getattr(dask_jobqueue, class_name)(**_keywords(queue, options))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"--cluster {queue}: {_unknown(error)}; the options are those of dask-jobqueue's {class_name}"
        ) from error
    with cluster:
        jobs = Jobs(cluster, n_jobs, told)
        try:
            jobs.submit()
        except (RuntimeError, ValueError, OSError) as error:
            raise ConfigError(
                f"--cluster {queue}: {program} takes no job: {_in_a_line(error)}"
            ) from error
        yield jobs


def _keywords(queue: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Of the cluster's class: what the user says here or in Dask's configuration, and our defaults."""
    from dask import config

    configured = config.get(f"jobqueue.{queue}", None) or {}
    said = {k.replace("-", "_"): v for k, v in configured.items() if v not in (None, [], {})}
    said |= options
    lacking = [name for name in EXAMPLES if not said.get(name)]
    if lacking:
        raise ConfigError(
            f"--cluster {queue}: say what each job gets: "
            + " ".join(f"--cluster-option {name}={EXAMPLES[name]}" for name in lacking)
        )
    prologue = said.get("job_script_prologue", [])
    return {
        "processes": said.get("processes", said["cores"]),
        "scheduler_options": {"dashboard": False, **said.get("scheduler_options", {})},
        "silence_logs": log_level() or "warning",
        **options,
        "job_script_prologue": [
            *([prologue] if isinstance(prologue, str) else prologue),
            *(f"export {_variable(name)}={value}" for name, value in NO_PAUSE.items()),
        ],
    }


def _variable(name: str) -> str:
    """The environment variable that Dask takes a setting from."""
    return "DASK_" + name.upper().replace(".", "__")


def _unknown(error: Exception) -> str:
    """What is wrong; dask-jobqueue speaks of its own insides where a keyword is unknown."""
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    return f"there is no option {found[1]!r}" if found else str(error)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Jobs:
    """The jobs of a cluster: as many as were asked for, also when some have come to their time's end.

    Attributes:
        cluster: Dask's.
    """

    def __init__(self, cluster: Any, n_jobs: int, told: Callable[[str], None]) -> None:
        self.cluster = cluster
        self._n_jobs = n_jobs
        self._told = told
        # Of jobs that have had workers: when those were last seen.
        self._seen: dict[Any, float] = {}
        self._not_before = 0.0

    def submit(self) -> None:
        """Hand in as many as are lacking.

        Raises:
            RuntimeError: If they are not taken.
        """
        spec = self.cluster.worker_spec
        fresh = [self._planned() for _ in range(self._n_jobs - len(spec))]
        try:
            self._bring_about()
        except Exception:
            failed = distributed().Status.failed
            for name in fresh:
                del spec[name]
                self.cluster.workers[name].status = failed  # or it could not be closed
            raise

    def _planned(self) -> Any:
        """The name of one more job in Dask's plan."""
        (job,) = new = self.cluster.new_worker_spec()
        self.cluster.worker_spec.update(new)
        return job

    def _bring_about(self) -> None:
        """End the jobs that are not planned, hand in those that are.

        Not by `scale`, which returns at once, logs what goes wrong, and waits for jobs that never come.
        """
        self.cluster.sync(self.cluster._correct_state)

    def keep_up(self) -> None:
        """Hand in another job for each whose workers have gone. One that still waits has had none."""
        names = {str(worker.name) for worker in list(self.cluster.scheduler.workers.values())}
        now = time.monotonic()
        for job in self.cluster.worker_spec:
            if any(name == str(job) or name.startswith(f"{job}-") for name in names):
                self._seen[job] = now
        ended = [job for job, seen in self._seen.items() if now - seen > GONE_S]
        for job in ended:
            del self._seen[job]
            del self.cluster.worker_spec[job]
        if ended:
            self._told(f"{len(ended)} jobs have ended before the work; handing in as many others")
            self._bring_about()  # before, for Dask gives the next job the same name
        if len(self.cluster.worker_spec) < self._n_jobs and now >= self._not_before:
            try:
                self.submit()
            except (RuntimeError, ValueError, OSError) as error:
                self._told(f"no job is taken, trying again in {AGAIN_S:.0f} s: {_in_a_line(error)}")
                self._not_before = now + AGAIN_S
