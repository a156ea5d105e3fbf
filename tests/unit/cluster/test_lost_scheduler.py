"""A scheduler that is killed, and comes back or does not."""

import os
import socket
import subprocess
import sys
import time

import pytest

from histvq.cluster import connected, connecting, work_through
from histvq.errors import HistvqError
from oracles.cluster_work import Counted, Task, begun, square, square_plus_shared

pytest.importorskip("dask")
pytestmark = pytest.mark.usefixtures("bounded")


class Outside:
    """A scheduler and two workers in processes of their own, as an administrator starts them."""

    def __init__(self):
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            self.port = place.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.processes = []

    def start(self):
        self._run("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        for _ in range(2):
            self._run("dask_worker", self.address, "--nthreads", "1", "--no-nanny")

    def _run(self, program, *arguments):
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )

    def kill(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.processes.clear()


@pytest.fixture
def outside():
    found = Outside()
    found.start()
    yield found
    found.kill()


def wait_for_workers(cluster):
    while cluster.n_threads < 2:
        time.sleep(0.05)


def test_once_it_is_back_only_what_was_under_way_is_done_again(outside, tmp_path):
    told = []
    tasks = [Task(number, str(tmp_path), "wait", 20) for number in range(60)]
    results = []
    with connected(outside.address, told=told.append) as cluster:
        wait_for_workers(cluster)
        cluster.share("offset", Counted(str(tmp_path), 1000))
        for pair in work_through(cluster, square_plus_shared, tasks, n_tasks=60, at_once=4):
            results.append(pair)
            if len(results) == 20:
                outside.kill()
                outside.start()
    assert sorted(results, key=lambda pair: pair[0].number) == [
        (task, task.number**2 + 1000) for task in tasks
    ]
    again = len(begun(tmp_path)) - 60
    assert 0 <= again <= 4
    assert [line for line in told if "scheduler" in line] == [
        "the cluster's scheduler is lost; waiting up to 300 s for it to come back",
        "the scheduler is back; what was under way is begun again",
    ]


def test_if_it_does_not_come_back_how_to_go_on_is_said(outside, tmp_path, monkeypatch):
    results = []

    def go_on(cluster):
        for pair in work_through(cluster, square, map(Task, range(60)), n_tasks=60):
            results.append(pair)
            outside.kill()

    with connected(outside.address, patience_s=1) as cluster:
        wait_for_workers(cluster)
        monkeypatch.setattr(connecting, "CONNECT_S", 1)
        with pytest.raises(HistvqError, match=r"did not come back\. What is done is kept: .* same"):
            go_on(cluster)
    assert results
