"""dask-jobqueue as it is, over a Slurm of two shell scripts that run jobs here."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from histvq.cluster import connected, jobs, work_through, working
from histvq.errors import ConfigError
from oracles.cluster_work import Task, square

pytest.importorskip("dask_jobqueue")
pytestmark = pytest.mark.usefixtures("bounded")


class Slurm:
    """`sbatch` and `scancel` on PATH: a job is a process group, its id that of the group."""

    def __init__(self, folder):
        self.folder = folder
        self.program(
            "sbatch",
            f'n=$(ls {folder} | grep -c "^script")\n'
            f'cp "$1" {folder}/script-$n\n'  # the original is removed once it is taken
            f"setsid sh {folder}/script-$n </dev/null >{folder}/log-$n 2>&1 &\n"
            f"echo $! >>{folder}/jobs\n"
            "echo Submitted batch job $!",
        )
        self.program("scancel", f'echo "$1" >>{folder}/cancelled\nkill -9 -- "-$1"')

    def program(self, name, lines):
        place = self.folder / name
        place.write_text(f"#!/bin/sh\n{lines}\n")
        place.chmod(0o755)

    def ids(self, name="jobs"):
        place = self.folder / name
        return [int(line) for line in place.read_text().split()] if place.exists() else []

    @property
    def scripts(self):
        return [place.read_text() for place in sorted(self.folder.glob("script-*"))]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    found = Slurm(tmp_path)
    yield found
    for job in found.ids():
        if alive(job):
            os.killpg(job, signal.SIGKILL)


def alive(group):
    """Whether any process of the group is there, those apart that wait to be taken note of."""
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = place.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state != "Z":
            return True
    return False


def soon_over(group):
    """A signal takes a moment."""
    until = time.monotonic() + 10
    while alive(group) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(group)


OPTIONS = {"cores": 2, "memory": "2GB", "queue": "short", "account": "lab", "walltime": "00:10:00"}


def test_jobs_are_handed_in_work_and_are_cancelled(slurm):
    told = []
    with connected("slurm", n_workers=1, options=OPTIONS, told=told.append) as cluster:
        tasks = [Task(number) for number in range(50)]
        pairs = work_through(cluster, square, tasks, n_tasks=50)
        assert dict(pairs) == {task: task.number**2 for task in tasks}
        while cluster.n_threads < 2:
            time.sleep(0.02)
        assert len(cluster.client.nthreads()) == 2  # a process a core
        (job,) = slurm.ids()
        assert alive(job)
    assert slurm.ids("cancelled") == [job]
    assert soon_over(job)
    assert told[0] == "cluster slurm: no worker yet; waiting for them to come"
    (script,) = slurm.scripts
    for line in ("#SBATCH -p short", "#SBATCH -A lab", "#SBATCH -t 00:10:00"):
        assert line in script
    assert "export DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=False" in script


def test_a_job_that_ends_too_early_is_followed_by_another(slurm, monkeypatch):
    monkeypatch.setattr(jobs, "GONE_S", 1)
    monkeypatch.setattr(working, "LOOK_S", 0.2)
    told, results = [], []
    tasks = [Task(number, fate="wait", times=100) for number in range(40)]
    with connected("slurm", options={**OPTIONS, "cores": 1}, told=told.append) as cluster:
        for pair in work_through(cluster, square, tasks, n_tasks=40, at_once=4):
            results.append(pair)
            if len(results) == 30:
                os.killpg(slurm.ids()[0], signal.SIGKILL)
    assert sorted(number for _, number in results) == [number**2 for number in range(40)]
    assert "1 jobs have ended before the work; handing in as many others" in told
    assert len(slurm.ids()) == 2
    assert all(soon_over(job) for job in slurm.ids())


def fails(match, options=OPTIONS, **given):
    with pytest.raises(ConfigError, match=match), connected("slurm", options=options, **given):
        pass


def test_what_each_job_gets_must_be_said(slurm):
    match = r"say what each job gets: --cluster-option cores=8 --cluster-option memory=16GB"
    fails(match, options={})
    fails(r"say what each job gets: --cluster-option memory=16GB", options={"cores": 2})


def test_an_option_that_slurm_does_not_have(slurm):
    fails("there is no option 'colour'; .* dask-jobqueue's SLURMCluster", {**OPTIONS, "colour": 1})


def test_without_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    fails("there is no sbatch here; give the command on a machine from which jobs are handed in")


def test_a_job_that_is_not_taken(slurm):
    slurm.program("sbatch", "echo 'invalid partition: short' >&2; exit 1")
    fails("sbatch takes no job: .*invalid partition: short")
