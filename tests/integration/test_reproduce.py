"""`histvq reproduce`, from the command line to the files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from histvq.reproduction import reproduce
from oracles.written import everything

DATASET = "oracles.little_people:load"
OPTIONS = ["--dataset", DATASET, "--seeds", "2", "--only", "levels-1", "--only", "levels-2"]
TESTS = Path(__file__).parents[1]


def command(out, *more):
    return [sys.executable, "-m", "histvq", "reproduce", "table6", *OPTIONS, "-o", str(out), *more]


def environment():
    return {**os.environ, "PYTHONPATH": str(TESTS)}


def run_to_its_end(out):
    done = subprocess.run(
        command(out, "--jobs", "2"), env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_killed_and_started_again_it_ends_the_same(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_to_its_end(whole)

    process = subprocess.Popen(
        command(killed, "--jobs", "1"), env=environment(), stdout=subprocess.DEVNULL
    )
    while process.poll() is None and not list(killed.rglob("run.json")):
        time.sleep(0.1)
    time.sleep(3)  # into the next run
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {file: file.stat().st_mtime_ns for file in killed.rglob("run.json")}
    assert 1 <= len(finished) < 4

    run_to_its_end(killed)
    assert everything(killed) == everything(whole)
    assert all(file.stat().st_mtime_ns == then for file, then in finished.items())
    assert len(list(killed.rglob("run.json"))) == 4


def test_interrupted_it_ends_at_once_and_says_how_to_go_on(tmp_path):
    process = subprocess.Popen(
        command(tmp_path, "--jobs", "2"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not list(tmp_path.glob("runs/*/seed-0/training.safetensors")):  # made as training begins
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    said, _ = process.communicate(timeout=600)  # ends when nobody is left to write
    assert process.returncode == 130
    assert "4 of 4 runs to do, 2 at a time" in said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert list(tmp_path.glob("runs/*/seed-0/training.safetensors"))  # to go on from
    assert not list(tmp_path.rglob("run.json"))


def test_a_process_that_dies_is_a_run_that_failed(tmp_path):
    told = []
    made = reproduce(
        "table6", dataset="oracles.little_people:deadly_for_runs", data=None, out=tmp_path, seeds=1,
        only=["levels-2"], told=told.append,
    )  # fmt: skip
    assert "its process ended early, with status -9; perhaps memory ran out" in made.failed[0]
    assert told[1].startswith("levels-2, seed 0 failed: its process")


@pytest.mark.slow
def test_rows_are_shared_between_tables_and_a_failure_holds_up_nobody(tmp_path):
    told = []
    for table, row in (("table6", "levels-2"), ("table9", "action")):
        made = reproduce(
            table, dataset=DATASET, data=None, out=tmp_path, seeds=1, only=[row],
            told=told.append,
        )  # fmt: skip
        assert not made.failed
    assert [line for line in told if "MoF" not in line] == [
        f"{missing} of 1 runs to do, 1 at a time, in {tmp_path / 'runs'}" for missing in (1, 0)
    ]
    assert [line.split(":")[0] for line in told if "MoF" in line] == ["levels-2, seed 0"]
    folder = next(tmp_path.glob("runs/*/seed-0"))
    (folder / "run.json").unlink()
    (folder / "model" / "model.safetensors").write_bytes(b"damaged")
    made = reproduce(table, dataset=DATASET, data=None, out=tmp_path, seeds=1, only=[row])
    assert "model.safetensors: not the arrays that model.json is about" in made.failed[0]
    assert made.results[0].runs == ()


def test_the_simplest_method_stands_in_the_table_beside_the_papers(tmp_path):
    made = reproduce(
        "table1", dataset=DATASET, data=None, out=tmp_path, seeds=2,
        only=["window-kmeans-1", "window-kmeans"],
    )  # fmt: skip
    assert not made.failed
    assert [len(result.runs) for result in made.results] == [2, 2]
    page = (tmp_path / "table1-synthetic-fast.md").read_text(encoding="utf-8")
    assert "| Window k-means, one level | ours | 2 |" in page
    assert "alpha = 1" in page


@pytest.mark.slow
def test_what_learns_from_labels_is_scored_on_people_it_has_not_seen(tmp_path):
    told = []
    made = reproduce(
        "table1", dataset="oracles.little_people:two_people", data=None, out=tmp_path, seeds=3,
        only=["tcn", "window-kmeans"], told=told.append,
    )  # fmt: skip
    assert not made.failed
    supervised, clustered = made.results
    assert [run["test"] for run in supervised.runs] == [["person1"], ["person2"]]
    assert [run["protocol"]["n_recordings"] for run in supervised.runs] == [1, 1]
    assert all(run["protocol"]["matching"].startswith("none") for run in supervised.runs)
    assert [run["protocol"]["n_recordings"] for run in clustered.runs] == [2, 2, 2]
    assert "tcn, seed 0, tested on person person1" in "".join(told)
    page = (tmp_path / "table1-synthetic-fast.md").read_text(encoding="utf-8")
    assert "over seeds; of rows that learn from labels, over folds" in page
    assert "| TCN (single stage) | ours | 2 folds |" in page
    assert "| TCN (single stage) | person2 | 0 |" in page
    assert "- n_recordings: 2" in page
