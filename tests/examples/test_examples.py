"""The scripts and notebooks of `examples/`, run as a person would, and what they leave looked at."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from nbclient import NotebookClient

from histvq.datasets.synthetic import load
from histvq.io.npz import write_npz

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples"
SCRIPTS = sorted(PLACE.glob("*.py"))
NOTEBOOKS = sorted(PLACE.glob("*.ipynb"))
# One thread: other tests run beside these.
SURROUNDINGS = {**os.environ, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
SURROUNDINGS["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])


def run(script, *arguments, folder):
    """What a script says; it has to end well."""
    ended = subprocess.run(
        [sys.executable, str(PLACE / script), *map(str, arguments)],
        cwd=folder,
        env=SURROUNDINGS,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def mof(line):
    return float(re.search(r"MoF (\d+\.\d)", line)[1])


def executed(notebook, monkeypatch, folder, files=()):
    """The notebook with its outputs; `files` are put in as a person would."""
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MPLBACKEND")  # the notebook's own draws into the page
    book = nbformat.read(PLACE / notebook, as_version=4)
    for cell in book.cells:
        cell.source = re.sub(
            r"^FILES = \[\].*", f"FILES = {list(map(str, files))}", cell.source, flags=re.M
        )
        cell.source = re.sub(
            r"^N_ACTIONS = 8", f"N_ACTIONS = {3 if files else 8}", cell.source, flags=re.M
        )
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(book, timeout=900, kernel_name="python3", resources=resources).execute()
    return book


def pictures(book):
    outputs = [o for cell in book.cells for o in cell.get("outputs", ())]
    return sum("image/png" in o.get("data", {}) for o in outputs)


def texts(book):
    outputs = [o for cell in book.cells for o in cell.get("outputs", ())]
    return "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Four short labelled recordings, as files, and one file cut short."""
    place = tmp_path_factory.mktemp("files")
    data = load(n_people=2, recordings_per_person=2, seconds=12, fps=15)
    for recording, annotation in zip(data.recordings, data.annotations, strict=True):
        write_npz(place / f"{recording.id}.npz", recording, annotation)
    (place / "cut.npz").write_bytes((place / f"{recording.id}.npz").read_bytes()[:500])
    return place


def test_there_are_three_scripts_and_two_notebooks_and_the_page_names_each():
    assert (len(SCRIPTS), len(NOTEBOOKS)) == (3, 2)
    named = set(re.findall(r"^\| `(.+?)`", (PLACE / "README.md").read_text(encoding="utf-8"), re.M))
    assert named == {path.name for path in (*SCRIPTS, *NOTEBOOKS)}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_and_stripped(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert len(book.cells) <= 10
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", [*SCRIPTS, *NOTEBOOKS], ids=lambda path: path.name)
def test_only_names_without_underscore_are_used(path):
    assert not re.findall(
        r"\bhistvq[\w.]*\._\w+|import _\w+|\.\s*_[a-z]\w*", path.read_text("utf-8")
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_help_is_in_words(path, tmp_path):
    said = run(path.name, "--help", folder=tmp_path)
    assert "made-up ones if none" in " ".join(said.split())
    assert not list(tmp_path.iterdir())


def test_files_of_ones_own_become_tables_and_pictures(files, tmp_path):
    said = run("find_actions.py", files, "-k", 3, "-o", tmp_path / "out", folder=tmp_path)
    segments = pd.read_csv(tmp_path / "out" / "segments.csv")
    actions = segments[segments["level"] == "action"]
    assert set(actions["recording"]) == {path.stem for path in files.iterdir()} - {"cut"}
    assert set(actions["label"]) <= {0, 1, 2}
    assert (actions.groupby("recording")["duration_s"].sum() <= 12.001).all()
    usage = pd.read_csv(tmp_path / "out" / "usage.csv")
    assert usage["total_s"].sum() == pytest.approx(actions["duration_s"].sum(), abs=0.1)
    for name in ("timelines-1.png", "durations.png"):
        assert np.ptp(imread(tmp_path / "out" / name)) > 0.5  # something is drawn
    assert "MoF" in said  # these files have labels
    assert re.search(r"skipped .*cut\.npz: ", said)


@pytest.mark.slow
def test_actions_of_made_up_people_are_found(tmp_path):
    said = run("find_actions.py", folder=tmp_path)
    assert mof(said) > 60  # 26 is the best an answer that never changes gets
    assert (tmp_path / "found" / "timelines-1.png").exists()


@pytest.mark.slow
def test_methods_are_compared_over_seeds(tmp_path):
    said = run("compare_methods.py", "--seeds", 2, folder=tmp_path)
    runs = pd.read_csv(tmp_path / "comparison.csv")
    assert runs.groupby("method").size().tolist() == [2, 2, 2]
    assert runs["MoF"].between(0, 100).all()
    constant = float(re.search(r"never changes: MoF (\d+\.\d)", said)[1])
    means = runs.groupby("method")["MoF"].mean()
    assert (means > constant).all()
    assert means["HiST-VQ, preset best"] == means.max()
    # The table's mean and deviation are those of the runs, by numpy.
    first = runs[runs["method"] == "window k-means"]["MoF"]
    assert f"{first.mean():.1f} ({first.std():.1f})" in said


@pytest.mark.slow
def test_labels_corrected_by_hand_are_learned_and_given_to_somebody_new(tmp_path):
    said = run("own_labels.py", folder=tmp_path)
    found, learned = (mof(line) for line in re.findall(r"^(?:found|learned):.*", said, re.M))
    assert found > 60
    assert learned > 60
    new = pd.read_csv(tmp_path / "mine-new.csv")
    assert set(new["individual"]) == {"person4"}
    assert "walk" in set(new["name"])
    assert set(pd.read_csv(tmp_path / "mine.csv")["individual"]) == {
        "person1",
        "person2",
        "person3",
    }


@pytest.mark.slow
def test_own_files_are_labelled_in_two_steps(files, tmp_path):
    run("own_labels.py", files, "-k", 3, folder=tmp_path)
    table = pd.read_csv(tmp_path / "mine.csv")
    table["name"] = table["label"].map({0: "rest", 1: "work", 2: "play"})
    table.to_csv(tmp_path / "corrected.csv", index=False)
    some = [files / "person1-1.npz"]
    step = ("--labels", "corrected.csv", "--new", *some)
    run("own_labels.py", files, *step, folder=tmp_path)
    new = pd.read_csv(tmp_path / "labelled.csv")
    assert set(new["recording"]) == {some[0].stem}
    assert set(new["name"]) <= {"rest", "work", "play"}


@pytest.mark.slow
def test_recordings_are_explored(monkeypatch, tmp_path):
    book = executed("explore_recordings.ipynb", monkeypatch, tmp_path)
    assert pictures(book) == 4
    assert "confidence" in texts(book)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_joints_that_set_actions_apart_are_those_that_act(monkeypatch, tmp_path):
    book = executed("joints_and_actions.ipynb", monkeypatch, tmp_path)
    assert pictures(book) == 3
    # What people walk with, and what they wave and jump with, stands out.
    assert re.search(r"(knee|ankle|toe)\s+speed", texts(book))
    assert re.search(r"(elbow|wrist)\s+speed", texts(book))


@pytest.mark.slow
def test_a_notebook_takes_sensors_of_ones_own(monkeypatch, tmp_path):
    place = tmp_path / "sensors"
    place.mkdir()
    channels = ("acc_x", "acc_y", "acc_z")
    for recording in load(n_people=2, recordings_per_person=2, seconds=20, fps=15).recordings:
        acceleration = np.gradient(np.gradient(recording.skeleton, axis=0), axis=0)
        sensors = replace(recording, skeleton=acceleration, channel_names=channels, unit="mm/s2")
        write_npz(place / f"{recording.id}.npz", sensors)
    book = executed("joints_and_actions.ipynb", monkeypatch, tmp_path, files=[place])
    assert pictures(book) == 3
    assert re.search(r"acc_[xyz]|speed", texts(book))
