"""`histvq reproduce --cluster`, from the command line to the files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from histvq.cluster import connected
from histvq.reproduction import reproduce
from oracles.written import everything

pytest.importorskip("distributed")

DATASET = "oracles.little_people:load"
TESTS = Path(__file__).parents[1]
LIGHT = ["table1", "--only", "window-kmeans-1", "--only", "window-kmeans"]
TRAINED = ["table6", "--only", "levels-2"]


def command(out, asked, *more):
    return [
        sys.executable, "-m", "histvq", "reproduce", *asked, "--dataset", DATASET, "--seeds", "2",
        "-o", str(out), *more,
    ]  # fmt: skip


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])}


def run_to_its_end(out, asked, *more, seconds=900):
    done = subprocess.run(
        command(out, asked, *more), env=environment(), capture_output=True, text=True,
        check=False, timeout=seconds,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_the_same_table_as_the_plain_command_makes(tmp_path):
    plain, spread = tmp_path / "plain", tmp_path / "spread"
    run_to_its_end(plain, LIGHT, "--jobs", "2")
    done = run_to_its_end(spread, LIGHT, "--jobs", "2", "--cluster", "local")
    assert everything(spread) == everything(plain)
    assert len(list(spread.rglob("run.json"))) == 4
    assert "4 of 4 runs to do on the cluster" in done.stdout
    assert "(3 left" in done.stdout
    assert done.stderr == ""  # no word of Dask's own
    again = run_to_its_end(spread, LIGHT, "--jobs", "1", "--cluster", "local")
    assert "0 of 4 runs to do on the cluster" in again.stdout


@pytest.fixture(scope="module")
def cluster():
    with connected("local", n_workers=1) as found:
        yield found


def failures(cluster, out, *, dataset=DATASET, data=None, retell=None):
    made = reproduce(
        "table1", dataset=dataset, data=data, out=out, seeds=1, only=["window-kmeans"],
        cluster=cluster, told=retell,
    )  # fmt: skip
    return made.failed


@pytest.mark.slow
def test_a_run_whose_own_process_is_killed_is_tried_again_and_then_given_up(cluster, tmp_path):
    (why,) = failures(cluster, tmp_path, dataset="oracles.little_people:deadly_for_cells")
    assert "its process ended early, with status -9; perhaps memory ran out" in why


def test_data_that_are_others_where_the_worker_is(cluster, tmp_path):
    (why,) = failures(cluster, tmp_path, dataset="oracles.little_people:other_for_cells")
    assert "not the recordings that the runs were planned with" in why


def test_a_worker_that_does_not_see_the_folder_of_results(cluster, tmp_path):
    from histvq.claiming import UNFINISHED

    # As where another machine has a folder of that name that is not the same.
    (why,) = failures(cluster, tmp_path, retell=lambda said: (tmp_path / UNFINISHED).unlink(True))
    assert f"does not see the folder {tmp_path} of the command" in why
    assert "all machines of the cluster share" in why


@pytest.mark.slow
def test_with_its_workers_killed_it_ends_the_same(tmp_path):
    plain, spread = tmp_path / "plain", tmp_path / "spread"
    run_to_its_end(plain, LIGHT, "--jobs", "2")
    process = subprocess.Popen(
        command(spread, LIGHT, "--cluster", "local", "--jobs", "2"), env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    cells = two_at_work(process)
    for cell in cells:
        os.kill(parent(cell), signal.SIGKILL)
        gone = time.monotonic() + 30
        while running(cell) and time.monotonic() < gone:
            time.sleep(0.1)
        assert not running(cell)  # it does not outlive its worker
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said
    assert everything(spread) == everything(plain)


@pytest.mark.slow
def test_interrupted_it_ends_soon_and_leaves_nobody_at_work(tmp_path):
    process = subprocess.Popen(
        command(tmp_path, TRAINED, "--cluster", "local", "--jobs", "2"), env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    cells = two_at_work(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    said, _ = process.communicate(timeout=600)  # ends when nobody is left to write
    assert process.returncode == 130
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert not any(running(cell) for cell in cells)
    assert not list(tmp_path.rglob("run.json"))


def two_at_work(command):
    """The processes of two runs, once both have begun."""
    until = time.monotonic() + 100
    while len(cells := descendants(command.pid, "histvq.reproduction")) < 2:
        assert command.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    return cells


def stat(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def parent(process):
    return int(stat(process)[1])


def running(process):
    try:
        return stat(process)[0] != "Z"
    except OSError:
        return False


def descendants(of, called):
    """Processes below another whose command names this, by their number."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode().split("\0")
            above = process = int(place.name)
            while above > 1 and above != of:
                above = parent(above)
        except OSError:
            continue
        if above == of and called in words:
            found.append(process)
    return found
