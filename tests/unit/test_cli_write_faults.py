"""What the command line says where files cannot be written: one line, exit status 3, nothing lost."""

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from histvq.annotation import Annotation
from histvq.cli import Exit
from histvq.io import read_many
from histvq.io.npz import write_npz
from histvq.methods.histvq import HiSTVQ
from histvq.models import load_model
from histvq.recording import Recording
from histvq.report.run_folder import read_run
from oracles.commands import histvq
from oracles.failing_disk import Disk

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    chance = np.random.default_rng(0)
    place = tmp_path_factory.mktemp("recordings")
    for name in ("one", "two"):
        skeleton = np.cumsum(chance.normal(size=(200, 3, 3)), axis=0)
        truth = Annotation(
            recording_id=name, labels=np.arange(200) // 70, actions=("a", "b", "c"), fps=10
        )
        motion = Recording(id=name, skeleton=skeleton, fps=10, unit="m")
        write_npz(place / f"{name}.npz", motion, truth)
    return place


@pytest.fixture(scope="module")
def done(recordings, tmp_path_factory):
    """A run that is done."""
    place = tmp_path_factory.mktemp("runs") / "run"
    status, said = histvq(
        "run", recordings, "-k", 3, "--method", "window-kmeans", "-o", place, "--seed", 0
    )
    assert status == Exit.ALL, said
    return place


def files_in(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def full(monkeypatch):
    """Within, nothing can be written: the disk is full."""

    def fails(path, mode, buffering=-1):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("histvq.writing.open", fails, raising=False)


COMMANDS = {
    "names": ["names", "{run}"],
    "report": ["report", "{run}"],
    "evaluate": ["evaluate", "{run}", "{recordings}"],
    "export": ["export", "{run}", "--to", "csv,elan,boris,audacity", "-o", "{new}"],
    "figures": ["figures", "{run}", "-o", "{new}"],
    "clips": ["clips", "{run}", "-o", "{new}"],
    "predict": ["predict", "{run}/model", "{recordings}", "-o", "{new}"],
    "fit": ["fit", "{recordings}", "-k", 3, "--method", "window-kmeans", "-o", "{new}"],
    "run": ["run", "{recordings}", "-k", 3, "--method", "window-kmeans", "-o", "{new}"],
    "again": ["run", "{recordings}", "-k", 3, "--method", "window-kmeans", "-o", "{run}", "--overwrite"],
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_told_in_a_line(name, done, recordings, full, tmp_path):
    before = files_in(done)
    filled = {"run": done, "recordings": recordings, "new": tmp_path / "new"}
    status, said = histvq(*(str(word).format(**filled) for word in COMMANDS[name]))
    assert status == Exit.NOTHING_DONE
    assert said.count("error: ") == 1
    assert "cannot be written: the disk is full; make room, or choose another place" in said
    assert "Traceback" not in said
    assert files_in(done) == before
    assert not files_in(tmp_path)


def test_labels_are_there_though_the_page_could_not_be_written(recordings, tmp_path, monkeypatch):
    out = tmp_path / "run"

    def full_by_then(path, *args):
        if "timelines" in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, *args)

    real = Path.replace
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_by_then)
        status, said = histvq(
            "run", recordings, "-k", 3, "--method", "window-kmeans", "-o", out, "--seed", 0
        )
    assert status == Exit.NOTHING_DONE
    assert f"then histvq report {out}: its labels and tables are written" in said
    found = {answer.recording_id: answer.actions for answer in read_run(out).answers}
    model = load_model(out / "model")
    for recording in read_many([recordings]).recordings:
        np.testing.assert_array_equal(found[recording.id], model.predict(recording).actions)
    assert histvq("report", out)[0] == Exit.ALL  # what it said helps
    assert (out / "report.html").is_file()


def test_a_stream_onto_a_disk_that_fills(tmp_path, monkeypatch):
    chance = np.random.default_rng(0)
    skeleton = np.cumsum(chance.normal(size=(300, 2, 3)), axis=0).astype(np.float32)
    tiny = {"n_maps": 4, "n_latent": 4, "n_layers": 2, "epochs": 1, "min_steps": 0}
    motion = Recording(id="one", skeleton=skeleton, fps=10, unit="m")
    HiSTVQ(n_actions=2, random_state=0, **tiny).fit([motion]).save(tmp_path / "model")
    np.save(tmp_path / "in.npy", skeleton)
    out = tmp_path / "out.csv"
    command = ("predict", tmp_path / "model", tmp_path / "in.npy", "--stream", "-o", out)
    with Disk().in_place(monkeypatch) as disk:
        assert histvq(*command)[0] == Exit.ALL
    whole = out.read_text()
    last = len(disk.asked) - 2  # before it is closed
    assert disk.asked[last] == "write"
    with Disk(last, part=7).in_place(monkeypatch):
        status, said = histvq(*command, "--overwrite")
    assert status == Exit.NOTHING_DONE
    assert "out.csv cannot be written: the disk is full" in said
    assert "go on in another file: what was answered before is in this one" in said
    found = out.read_text()
    assert whole.startswith(found)
    assert found.endswith("\n")
    assert len([*csv.reader(found.splitlines())]) > 1
    # An earlier file stays until there is something new.
    with Disk(1).in_place(monkeypatch):
        assert histvq(*command, "--overwrite")[0] == Exit.NOTHING_DONE
    assert out.read_text() == found
