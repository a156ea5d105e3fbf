"""Trainings killed without warning, at any moment: the same command ends with the same model."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from histvq.datasets import load_dataset
from histvq.io.npz import write_npz
from histvq.writing import UNFINISHED
from oracles.killed import started

pytestmark = pytest.mark.slow
N_KILLS = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[dict[str, bytes], float]:
    """The files of the model of a training that is left alone, and how long it took."""
    folder = tmp_path_factory.mktemp("whole")
    process, learning = started(folder / "kept", folder / "model")
    learning.recv()
    begun = time.monotonic()
    process.join()
    assert process.exitcode == 0
    return files_of(folder / "model"), time.monotonic() - begun


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def ended(place: Path, folder: Path) -> dict[str, bytes]:
    """The model of the training that goes on from there and is left alone."""
    process, _ = started(place, folder)
    process.join()
    assert process.exitcode == 0
    return files_of(folder)


def state_of(place: Path) -> str:
    if not place.is_file():
        return ""
    with safe_open(place, framework="np") as file:
        return file.metadata()["histvq"]


def test_the_folder_does_not_matter_and_neither_does_a_checkpoint(whole, tmp_path):
    process, _ = started(None, tmp_path / "model")
    process.join()
    assert files_of(tmp_path / "model") == whole[0]


def test_killed_at_twenty_random_moments(whole, tmp_path):
    model, seconds = whole
    place, rng = tmp_path / "kept", np.random.default_rng(0)
    n_killed, halves, states = 0, set(), set()
    for number, delay in enumerate(rng.uniform(0, seconds / 12, N_KILLS)):
        process, learning = started(place, tmp_path / "early")
        if number % 5:  # else at any moment on the way there
            learning.recv()
        time.sleep(delay)
        process.kill()
        process.join()
        n_killed += process.exitcode == -signal.SIGKILL
        halves |= set(tmp_path.glob(UNFINISHED))
        states.add(state_of(place))
    assert n_killed == N_KILLS
    assert len(states) > N_KILLS / 4  # it went on between the kills
    print(f"{n_killed} kills, {len(halves)} of them while a checkpoint was being written")
    assert ended(place, tmp_path / "model") == model


@pytest.mark.parametrize(
    "where", ["half of it written", "written, not in its place", "just in its place"]
)
def test_killed_inside_the_writing_of_a_checkpoint(where, whole, tmp_path):
    place = tmp_path / "kept"
    for count in (1, 3, 2):
        process, _ = started(place, tmp_path / "model", where, count)
        process.join()
        assert process.exitcode == -signal.SIGKILL
    assert ended(place, tmp_path / "model") == whole[0]


# Through the command line


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    data = load_dataset("synthetic", seed=0)
    for recording in data.recordings[:4]:
        short = replace(recording, skeleton=recording.skeleton[:240])
        write_npz(folder / f"{recording.id}.npz", short)
    return folder


def begun(files: Path, out: Path, *more: str, stop: int | None = None) -> tuple[int, str]:
    """`histvq run` on these files, stopped when it has learned something; its status and words."""
    command = ["-m", "histvq", "run", str(files), "-k", "4", "-o", str(out), "--method", "histvq"]
    settings = ["--set", "n_maps=4", "--set", "n_layers=1", "--set", "min_steps=40"]
    process = subprocess.Popen(
        [sys.executable, *command, *settings, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "500"},
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # ignored in the background
    )
    if stop is not None:
        while not (out / "metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(stop)
    words, _ = process.communicate()
    return process.returncode, words.decode()


@pytest.fixture(scope="module")
def never_stopped(files, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("never") / "run"
    assert begun(files, out)[0] == 0
    return out


def left(out: Path) -> dict[str, bytes]:
    """What a run leaves of what it learned and said, without the seconds it took."""
    names = ("model/model.json", "model/model.safetensors", "frames.csv", "metrics.jsonl")
    return {name: (out / name).read_bytes() for name in names}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_same_command_goes_on(number, files, never_stopped, tmp_path):
    out = tmp_path / "run"
    status, words = begun(files, out, stop=number)
    if number != signal.SIGKILL:
        assert status == 128 + number
        assert re.search(r"stopped (in|after) epoch \d+ of 40; the training is kept", words)
    assert (out / "training.safetensors").exists()
    assert "The same command goes on" in (out / "unfinished.txt").read_text()
    status, words = begun(files, out, "--set", "n_maps=5")
    assert status == 2
    assert "of other settings or data: n_maps was 4 and is 5. Give the settings and data" in words
    status, words = begun(files, out)
    assert (status, "a training that was stopped is in" in words) == (0, True)
    assert left(out) == left(never_stopped)
    kept = {file.name for file in out.iterdir()}
    assert kept == {file.name for file in never_stopped.iterdir()}
    assert not kept & {"training.safetensors", "unfinished.txt"}


def test_another_training_begins_anew_where_it_may(files, never_stopped, tmp_path):
    out = tmp_path / "run"
    begun(files, out, "--seed", "5", stop=signal.SIGTERM)
    assert begun(files, out)[0] == 2
    assert begun(files, out, "--overwrite")[0] == 0
    assert left(out) == left(never_stopped)
