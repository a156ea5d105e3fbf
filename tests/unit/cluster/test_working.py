"""Tasks on a cluster of two processes of this machine."""

import os
import signal
import time
from pathlib import Path

import pytest

from histvq.cluster import Failed, connected, shared, work_through, working
from histvq.errors import DataWarning, HistvqError
from oracles.cluster_work import Counted, Task, begun, plus_shared, shared_and_process, square

dask = pytest.importorskip("dask")
pytestmark = pytest.mark.usefixtures("bounded")


@pytest.fixture(scope="module")
def cluster():
    # A task is given up, and done alone at the end, after the first worker that ends with it.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        connected("local", n_workers=2) as found,
    ):
        yield found


def all_of(cluster, tasks, do=square, **options):
    """Results by task; none comes twice."""
    pairs = list(work_through(cluster, do, iter(tasks), n_tasks=len(tasks), **options))
    results = dict(pairs)
    assert len(results) == len(pairs) == len(tasks)
    return results


def test_every_task_comes_once_and_only_a_window_is_taken_ahead(cluster):
    taken, done = [], []

    def tasks():
        for number in range(300):
            taken.append(number)
            yield Task(number)

    told = []
    pairs = work_through(
        cluster, square, tasks(), n_tasks=300, at_once=10, progress=lambda *at: told.append(at)
    )
    for task, result in pairs:
        done.append((task.number, result))
        assert len(taken) - len(done) <= 2 * 10  # as many under way, and as many that have ended
        # Let go of as soon as they have ended: the client's memory does not grow.
        assert len(cluster.client.futures) <= 2 * 10
    assert sorted(done) == [(n, n * n) for n in range(300)]
    assert told == [(n, 300) for n in range(1, 301)]


def test_nothing_to_do(cluster):
    assert all_of(cluster, []) == {}


def test_the_same_task_again_is_done_again(cluster, tmp_path):
    task = Task(3, str(tmp_path))
    for _ in range(2):
        assert all_of(cluster, [task]) == {task: 9}
    assert begun(tmp_path) == [3, 3]


def test_what_raises_is_tried_again_and_what_refuses_is_not(cluster, tmp_path):
    folder = str(tmp_path)
    twice, always = Task(1, folder, "raise", 2), Task(2, folder, "raise", 99)
    refused = Task(3, folder, "refuse")
    results = all_of(cluster, [twice, always, refused, Task(4, folder)], retries=2)
    assert results == {
        twice: 1,
        always: Failed("OSError: the disk of 2 is away"),
        refused: Failed("3 is no good"),
        Task(4, folder): 16,
    }
    counts = {number: begun(tmp_path).count(number) for number in (1, 2, 3, 4)}
    assert counts == {1: 3, 2: 3, 3: 1, 4: 1}


def test_a_worker_that_dies_costs_its_task_another_try_and_nothing_else(cluster, tmp_path):
    folder = str(tmp_path)
    mortal, deadly = Task(0, folder, "die", 1), Task(1, folder, "die", 99)
    others = [Task(number, folder) for number in range(2, 40)]
    results = all_of(cluster, [*others[:5], mortal, deadly, *others[5:]])
    failed = results.pop(deadly)
    assert failed.lost_workers
    assert "1 workers in turn ended while they were at it" in failed.why
    assert results == {task: task.number**2 for task in [*others, mortal]}
    assert begun(tmp_path)[-1] == 1  # once more at the end, when no other could be to blame


def test_what_is_shared_is_unpacked_once_in_each_process_also_in_one_that_comes_later(
    cluster, tmp_path
):
    cluster.share("offset", Counted(str(tmp_path), 1000))
    assert all_of(cluster, list(range(200)), plus_shared) == {n: n + 1000 for n in range(200)}
    processes = (tmp_path / "unpacked").read_text().split()
    assert len(processes) == len(set(processes)) == 2

    os.kill(int(processes[0]), signal.SIGKILL)
    until = time.monotonic() + 60
    while len((tmp_path / "unpacked").read_text().split()) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    found = all_of(cluster, list(range(20)), shared_and_process)
    assert {value for value, _ in found.values()} == {1000}
    processes = (tmp_path / "unpacked").read_text().split()
    assert len(processes) == len(set(processes)) == 3


def test_two_commands_on_one_cluster_keep_what_they_share_apart(cluster, tmp_path):
    cluster.share("offset", Counted(str(tmp_path), 1))
    with connected(cluster.client.scheduler.address) as other:
        other.share("offset", Counted(str(tmp_path), 2))
        assert all_of(cluster, [0], plus_shared) == {0: 1}
        assert all_of(other, [0], plus_shared) == {0: 2}
    assert all_of(cluster, [0], plus_shared) == {0: 1}


def test_what_was_not_shared_is_told(cluster):
    with connected(cluster.client.scheduler.address) as other:
        failed = all_of(other, [0], plus_shared)[0]
    assert "nothing is shared under the name 'offset'" in failed.why
    with pytest.raises(HistvqError, match="with this process: `Cluster"):
        shared("offset")


def test_whoever_stops_leaves_nothing_behind(cluster, tmp_path):
    folder = str(tmp_path)
    tasks = [Task(0, folder), *(Task(number, folder, "stay") for number in range(1, 30))]
    pairs = work_through(cluster, square, tasks, n_tasks=30)
    assert next(pairs) == (tasks[0], 0)
    pairs.close()
    until = time.monotonic() + 30
    while not Path(folder, "left").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert Path(folder, "left").exists()  # it asked whether anybody still waits
    time.sleep(0.5)
    assert len(begun(tmp_path)) <= 5  # of the thirty, no other was begun
    assert all_of(cluster, [Task(5)]) == {Task(5): 25}


def test_workers_with_other_versions_are_warned_of_once(cluster, monkeypatch):
    monkeypatch.setattr(working, "versions", lambda: "histvq 0.0.1, torch 1.0")
    with pytest.warns(
        DataWarning, match="a worker has histvq .*, this machine histvq 0.0.1"
    ) as said:
        all_of(cluster, [Task(number) for number in range(20)])
    assert len(said) == 1
