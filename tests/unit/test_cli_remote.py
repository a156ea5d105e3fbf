"""Commands whose files, models, run folders and results are at addresses."""

import json

import fsspec
import numpy as np
import pytest
import yaml

import histvq as package
from histvq.annotation import Annotation
from histvq.cli import Exit
from histvq.errors import FileFormatError, Stopped
from histvq.io import read_many
from histvq.io.npz import write_npz
from histvq.recording import Recording
from oracles.commands import histvq

FAST = ["--set", "n_maps=4", "--set", "n_latent=4", "--set", "epochs=2", "--set", "min_steps=0"]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Two labelled recordings of two motions in two folders, and one file cut short."""
    place = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 0, 1], 40)
    for name in ("ada", "ben"):
        motion = rng.standard_normal((160, 3, 3)) * np.where(labels == 1, 50, 1)[:, None, None]
        recording = Recording(id="walk", skeleton=motion, fps=10, unit="mm", person=name)
        truth = Annotation(recording_id="walk", labels=labels, actions=("rest", "shake"), fps=10)
        (place / name).mkdir()
        write_npz(place / name / "walk.npz", recording, truth)
    whole = (place / "ben" / "walk.npz").read_bytes()
    (place / "cut.npz").write_bytes(whole[: len(whole) // 2])
    return place


@pytest.fixture
def lab(local):
    """The same files at an address."""
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    fs.put(f"{local}/", "/lab/files/", recursive=True)
    return fs


def there(fs, folder):
    return {name.removeprefix(f"/{folder}/"): fs.cat_file(name) for name in fs.find(f"/{folder}")}


def test_a_run_between_addresses_is_that_between_folders(local, lab, tmp_path):
    status, _ = histvq("run", local, "-k", 2, "-o", tmp_path / "r", *FAST)
    far_status, far_said = histvq(
        "run", "memory://lab/files", "-k", 2, "-o", "memory://lab/r", *FAST
    )
    assert far_status == status == Exit.SOME_SKIPPED
    assert "memory://lab/files/cut.npz: no .npz, or a damaged one" in far_said
    assert "wrote memory://lab/r/report.html; next: open" in far_said
    found = there(lab, "lab/r")
    names = {
        file.relative_to(tmp_path / "r").as_posix()
        for file in (tmp_path / "r").rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }
    assert found.keys() == names
    for name in ("frames.csv", "segments.csv", "model/model.safetensors", "scores.json"):
        assert found[name] == (tmp_path / "r" / name).read_bytes()
    assert yaml.safe_load(found["config.yaml"])["data"] == ["memory://lab/files"]
    (skipped,) = json.loads(found["recordings.json"])["skipped"]
    assert skipped["file"] == "memory://lab/files/cut.npz"
    assert not [name for name, content in found.items() if b"/histvq-" in content]
    assert "histvq-" not in far_said


def test_one_command_after_another(lab):
    files, model, out = "memory://lab/files/ada", "memory://lab/m.histvq", "memory://lab/p"
    status, said = histvq("fit", files, "-k", 2, "-o", model, *FAST)
    assert (status, f"next: histvq predict {model} FILES" in said) == (Exit.ALL, True)
    assert histvq("predict", model, files, "-o", out)[0] == Exit.ALL
    settings = yaml.safe_load(lab.cat_file("/lab/p/config.yaml"))
    assert (settings["model"], settings["data"]) == (model, [files])
    status, said = histvq("evaluate", out, files)
    assert (status, f"wrote {out}/scores.json" in said) == (Exit.ALL, True)
    assert histvq("names", out)[0] == Exit.ALL
    names = lab.cat_file("/lab/p/names.yaml").decode()
    lab.pipe_file("/lab/p/names.yaml", names.replace("name: ''", "name: 'hop'", 1).encode())
    status, said = histvq("report", out)
    assert status == Exit.ALL
    assert f"its recordings are at {files}; to see the motion, name the files" in said
    assert histvq("report", out, files)[0] == Exit.ALL
    assert histvq("export", out, "--to", "csv", "-o", "memory://lab/e")[0] == Exit.ALL
    assert set(there(lab, "lab/e")) == {"segments.csv"}
    assert histvq("choose-k", files, "--k-max", 3, "-o", "memory://lab/k.csv")[0] == Exit.ALL
    assert lab.cat_file("/lab/k.csv").startswith(b"k,")
    status, said = histvq("choose-k", files, "--k-max", 3, "-o", "memory://lab/k.csv")
    assert (status, "memory://lab/k.csv is there already" in said) == (Exit.USAGE, True)


def test_results_at_an_address_are_not_overwritten_unasked(lab):
    arguments = ("run", "memory://lab/files", "-k", 2, "-o", "memory://lab/r", *FAST)
    lab.pipe_file("/lab/r/config.yaml", b"method: {}")
    lab.pipe_file("/lab/r/scores.json", b"{}")
    status, said = histvq(*arguments)
    assert status == Exit.USAGE
    assert "memory://lab/r holds results already; choose another folder" in said
    assert set(there(lab, "lab/r")) == {"config.yaml", "scores.json"}
    assert histvq(*arguments, "--overwrite")[0] == Exit.SOME_SKIPPED
    assert {"report.html", "scores.json"} <= set(there(lab, "lab/r"))


def test_a_stopped_training_goes_on_at_its_address(lab, monkeypatch):
    arguments = ("run", "memory://lab/files", "-k", 2, "-o", "memory://lab/r", *FAST)
    assert histvq(*arguments)[0] == Exit.SOME_SKIPPED
    whole = there(lab, "lab/r")
    lab.rm("/lab/r", recursive=True)

    def stop(log, event):
        raise Stopped("stopped", signal=2)

    with monkeypatch.context() as patch:
        patch.setattr("histvq.experiment._Log._note", stop)
        assert histvq(*arguments)[0] == 130
    stopped = there(lab, "lab/r")
    assert {"unfinished.txt", "training.safetensors"} <= set(stopped)
    assert not {"report.html", ".lock"} & set(stopped)
    status, said = histvq(*arguments)
    assert status == Exit.SOME_SKIPPED
    assert "a training that was stopped is in memory://lab/r, and goes on" in said
    again = there(lab, "lab/r")
    assert again.keys() == whole.keys()
    assert again["frames.csv"] == whole["frames.csv"]


def test_where_nothing_is(lab):
    status, said = histvq("inspect", "memory://lab/none")
    assert status == Exit.NOTHING_DONE
    assert "memory://lab/none: there is no such file, folder or bucket" in said
    status, said = histvq("predict", "memory://lab/none", "memory://lab/files")
    assert status == Exit.NOTHING_DONE
    status, said = histvq("inspect", "memory://lab/none", "memory://lab/files/ada")
    assert status == Exit.SOME_SKIPPED
    status, said = histvq("inspect", "nosuch://x")
    assert (status, "no file system is known as 'nosuch'" in said) == (Exit.USAGE, True)


def test_an_option_that_takes_no_address_says_so(lab):
    status, said = histvq("data", "prepare", "hugadb", "memory://lab/r")
    assert (status, "no address can be named here" in said) == (Exit.USAGE, True)


def test_from_python(lab, local):
    far, near = read_many("memory://lab/files"), read_many(local)
    assert (
        [r.id for r in far.recordings]
        == [r.id for r in near.recordings]
        == ["ada_walk", "ben_walk"]
    )
    assert [r.source for r in far.recordings] == [
        f"memory://lab/files/{name}/walk.npz" for name in ("ada", "ben")
    ]
    for one, other in zip(far.recordings, near.recordings, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
    assert [(str(file), file.name) for file, _ in far.skipped] == [
        ("memory://lab/files/cut.npz", "cut.npz")
    ]
    recording, annotation = package.read("memory://lab/files/ben/walk.npz")
    assert recording.source == "memory://lab/files/ben/walk.npz"
    assert annotation.actions == ("rest", "shake")
    with pytest.raises(FileFormatError, match=r"^memory://lab/files/cut.npz: "):
        package.read("memory://lab/files/cut.npz")
    with pytest.raises(FileFormatError, match=r"memory://lab/files/cut.npz: no .npz"):
        read_many("memory://lab/files", strict=True)
    seen = []
    read_many("memory://lab/files", progress=lambda *said: seen.append((*said[:2], str(said[2]))))
    assert seen[-1] == (3, 3, "memory://lab/files/cut.npz")


def test_a_model_is_loaded_from_its_address(lab, local):
    histvq("fit", "memory://lab/files/ada", "-k", 2, "-o", "memory://lab/m", *FAST)
    model = package.load_model("memory://lab/m")
    recordings = read_many(local / "ada").recordings
    assert len(model.predict(recordings)[0].labels()) == 160
    with pytest.raises(FileFormatError, match="memory://lab/files"):
        package.load_model("memory://lab/files")
