"""Trainings by several processes over gloo: what one process learns, to the last bit."""

import json
import re
import signal
import subprocess
import sys
import threading

import pytest

from histvq.datasets import load_dataset
from histvq.io.npz import write_npz
from oracles.launched import ROOT, ended, environment, fitted, free_port, started

SETTINGS = {
    "n_actions": 4, "n_maps": 4, "n_layers": 2, "batch_size": 3, "piece_seconds": 6, "epochs": 2,
    "min_steps": 0, "dead_batches": 1, "min_usage_patches": 3.0, "random_state": 1,
}  # fmt: skip
SMQ = {
    "n_actions": 4, "n_maps": 4, "n_layers": 2, "batch_size": 3, "piece_seconds": 6, "epochs": 2,
    "min_steps": 0, "random_state": 1, "revival": "representative", "min_usage": 3,
    "short_patches": "zeros", "rec_mean": "padded",
}  # fmt: skip
LARGE = {"n_maps": 8, "dropout": 0.0, "batch_size": 6, "epochs": 2, "n_actions": 10}


@pytest.fixture(scope="module")
def demo_files(tmp_path_factory):
    """The made-up recordings as files."""
    folder = tmp_path_factory.mktemp("demo")
    data = load_dataset("synthetic")
    for recording in data.recordings[:6]:
        write_npz(folder / f"{recording.id}.npz", recording)
    return folder


def assert_learned_alike(alone, together):
    """The same network and labels everywhere after every batch; losses to float32's accuracy."""
    for other in together:
        assert other["model"] == alone["model"]
        assert other["labels"] == alone["labels"]
        for mine, its in zip(alone["steps"], other["steps"], strict=True):
            assert its["codebooks"] == mine["codebooks"]
            assert its["network"] == mine["network"]
            assert its["losses"] == pytest.approx(mine["losses"], rel=1e-6)


@pytest.mark.parametrize("method", ["histvq", pytest.param("smq", marks=pytest.mark.slow)])
def test_two_processes_learn_what_one_learns(method, tmp_path):
    settings = SMQ if method == "smq" else {**SETTINGS, "dropout": 0.2}
    job = {"method": method, "settings": settings}
    (alone,) = fitted(1, tmp_path, **job)
    assert len({step["codebooks"] for step in alone["steps"]}) == len(alone["steps"]) > 4
    assert_learned_alike(alone, fitted(2, tmp_path, **job))


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("preset", ["plain", "best"])
def test_two_and_three_processes_on_real_recordings(preset, hugadb_sample, tmp_path):
    """Of a dozen recordings seven are learned from; the others are the test set."""
    settings = LARGE if preset == "plain" else {"n_actions": 10, "n_starts": 2, **BEST}
    job = {"method": "histvq", "settings": {**settings, "random_state": 0}, "n_fit": 7}
    job["data"] = str(hugadb_sample)
    (alone,) = fitted(1, tmp_path, **job)
    for n in (2, 3):
        assert_learned_alike(alone, fitted(n, tmp_path, **job))


BEST = {
    "input": "statistics", "patch_seconds": "auto", "shortcut": True, "start": "clusters",
    "parents": "kept", "stay": "auto", "confidence": "rank", "alpha": 4, "n_maps": 32,
    "dropout": 0.0, "batch_size": 16, "piece_seconds": 0.0, "epochs": 2, "min_steps": 0,
    "ema_decay": 0.99, "min_usage_patches": 0.0, "min_usage_prototypes": 0.0, "keep": "last",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("dies", [0, 1])
def test_one_is_killed_and_another_number_goes_on(dies, tmp_path):
    job = {"method": "histvq", "settings": {**SETTINGS, "dropout": 0.2}}
    (whole,) = fitted(1, tmp_path, **job)
    place = tmp_path / "training.safetensors"
    # Killed after the fifth batch, before it is kept: the other one is in the sixth.
    job |= {"checkpoint": str(place), "deadly": [dies, 5]}
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    said = ended(started(2, "-m", "oracles.launched", str(path)))
    assert said[dies][0] == -signal.SIGKILL
    status, out, _ = said[1 - dies]
    assert status == 0
    told = json.loads(out.splitlines()[-1])
    assert re.search(
        rf"another of the 2 processes of this training has ended.* process {1 - dies} stops too.*"
        "the same command goes on",
        told["lost"],
    )
    # The first process keeps what both had learned; if that one is killed, what it kept before stays.
    done = len(told["steps"]) if dies else 0
    job.pop("deadly")
    for one in fitted(1 if dies else 3, tmp_path, **job):
        assert one["model"] == whole["model"]
        assert one["labels"] == whole["labels"]
        assert len(one["steps"]) == len(whole["steps"]) - done
    assert done == (5 if dies else 0)


@pytest.mark.slow
def test_torchrun_fits_stops_and_goes_on(demo_files, tmp_path):
    """The command line, stopped by SIGTERM in the middle, then gone on with in one process."""
    fit = [
        "-m",
        "histvq",
        "fit",
        str(demo_files),
        "-k",
        "4",
        "--method",
        "histvq",
        "--set",
        "n_maps=4",
    ]
    fit += ["--set", "min_steps=60"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    begun = subprocess.Popen(
        [*torchrun, *fit, "-o", str(tmp_path / "model")],
        env=environment(0, 1, 1), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    watchdog = threading.Timer(600, begun.kill)
    watchdog.start()
    try:
        assert any(line.startswith("epoch 1 of") for line in begun.stderr)
        begun.send_signal(signal.SIGTERM)
        err = begun.stderr.read()
    finally:
        watchdog.cancel()
        begun.kill()
    assert "the training is kept, and goes on if the same is done again" in err
    assert (tmp_path / "model" / "training.safetensors").is_file()
    whole = [sys.executable, *fit]
    for folder in ("model", "other"):
        subprocess.run(
            [*whole, "-o", str(tmp_path / folder)], env=environment(0, 1, 1), check=True, timeout=600,
            capture_output=True,
        )  # fmt: skip
    both = [(tmp_path / folder / "model.safetensors").read_bytes() for folder in ("model", "other")]
    assert both[0] == both[1]
    assert not (tmp_path / "model" / "training.safetensors").exists()


def test_what_cannot_be_shared_is_said_in_words(demo_files, tmp_path):
    fit = ["-m", "histvq", "fit", str(demo_files), "-k", "4", "-o", str(tmp_path / "model")]
    for command, words in (
        ([*fit, "--method", "hvq"], "hvq cannot be trained by 2 processes together"),
        (["-m", "histvq", "inspect", str(demo_files)], "only histvq fit shares work out"),
    ):
        first, _ = ended(started(2, *command))
        status, _, err = first
        assert status == 2
        assert words in err
        assert "Traceback" not in err


def test_processes_must_be_given_the_same(demo_files, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for file in sorted(demo_files.iterdir())[:4]:
        (few / file.name).write_bytes(file.read_bytes())
    port = free_port()
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "histvq", "fit", str(files), "-k", "4", "-o", str(tmp_path / "m")],
            env=environment(rank, 2, port), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank, files in enumerate((demo_files, few))
    ]  # fmt: skip
    first, second = ended(begun)
    assert first[0] == second[0] == 2
    assert (
        "process 1 was given something else than process 0: recordings no longer there" in first[2]
    )
    assert str(ROOT) not in first[2]
