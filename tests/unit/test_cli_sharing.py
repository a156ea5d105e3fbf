import shutil

import numpy as np
import pytest
import yaml

from histvq.annotation import Annotation
from histvq.cli import Exit
from histvq.io.npz import write_npz
from histvq.recording import Recording
from histvq.report import read_frames
from oracles.commands import histvq

KMEANS = ["--method", "window-kmeans", "-k", 3]
TINY = [
    "--set",
    "n_maps=4",
    "--set",
    "epochs=1",
    "--set",
    "n_layers=2",
    "--set",
    "n_stages=1",
    "--set",
    "min_steps=0",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two recordings of three postures a method cannot mistake."""
    place = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 0, 1, 2], 40)
    postures = 100 * rng.standard_normal((3, 4, 3))
    for name in ("ada", "ben"):
        motion = 30 * rng.standard_normal((len(labels), 4, 3)) + postures[labels]
        recording = Recording(id=name, skeleton=motion, fps=10, person=name)
        actions = ("rest", "shake", "jump")
        truth = Annotation(recording_id=name, labels=labels, actions=actions, fps=10)
        write_npz(place / f"{name}.npz", recording, truth)
    return place


@pytest.fixture(scope="module")
def first_run(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "first"
    assert histvq("run", files, *KMEANS, "-o", out)[0] == Exit.ALL
    return out


@pytest.fixture
def run(first_run, tmp_path):
    shutil.copytree(first_run, tmp_path / "run")
    return tmp_path / "run"


def name(run, text):
    (run / "names.yaml").write_text(text, encoding="utf-8")


def found(folder):
    """The codes of the true actions in ada's answer, where each is in full swing."""
    actions = read_frames(folder / "frames.csv")[0].actions
    return {name: int(actions[at]) for name, at in (("rest", 20), ("shake", 60), ("jump", 100))}


def tables(run):
    return [(run / f"{name}.csv").read_text() for name in ("frames", "segments", "usage")]


def test_a_first_file_then_a_report(run):
    before = tables(run)
    status, said = histvq("names", run)
    assert status == Exit.ALL
    assert f"wrote {run / 'names.yaml'}; next: put names into it, then histvq report {run}" in said
    written = (run / "names.yaml").read_text()
    status, said = histvq("names", run)
    assert (status, "stays as it is" in said) == (Exit.USAGE, True)
    assert (run / "names.yaml").read_text() == written
    status, said = histvq("report", run)
    assert status == Exit.ALL, said
    assert "3 actions, 0 of them with names" in said
    assert tables(run) == before


def test_names_reach_every_table_and_scores(run, files):
    before, code = tables(run), found(run)
    name(run, f"actions:\n  {code['rest']}: rest\n  {code['jump']}: rest\n")
    status, said = histvq("report", run)
    assert status == Exit.ALL, said
    assert "2 actions, merged from 3, 1 of them with names" in said
    for text in tables(run):
        assert "rest" in text
    assert found(run)["rest"] == found(run)["jump"]
    said = histvq("evaluate", run, files)[1]
    assert "one Hungarian matching" in said  # not all are named as the labels are
    name(run, "".join(["actions:\n", *(f"  {c}: {action}\n" for action, c in code.items())]))
    said = histvq("evaluate", run, files)[1]  # without a report between
    assert "codes stand for the actions of their names" in said
    assert (run / "scores.json").is_file()
    (run / "names.yaml").unlink()
    histvq("report", run)
    assert tables(run) == before


def test_a_fault_in_the_file_says_where(run):
    name(run, "actions:\n  0: a\n  7: b\n")
    before = tables(run)
    status, said = histvq("report", run)
    assert status == Exit.NOTHING_DONE
    assert "names.yaml, line 3: there is no action 7; there are 0 to 2" in said
    assert tables(run) == before


def test_what_was_corrected_by_hand_is_not_replaced(run):
    place = run / "segments.csv"
    place.write_text(place.read_text().replace("action 0", "mine"))
    corrected = place.read_text()
    status, said = histvq("report", run)
    assert (status, "was changed by hand" in said) == (Exit.USAGE, True)
    assert place.read_text() == corrected
    assert histvq("report", run, "--overwrite")[0] == Exit.ALL
    assert "mine" not in place.read_text()


def test_prediction_takes_the_names_of_the_models_run(run, files, tmp_path):
    code = found(run)
    name(run, f"actions:\n  {code['rest']}: rest\n  {code['jump']}: rest\n")
    one = files / "ben.npz"
    status, said = histvq("predict", run / "model", one, "-o", tmp_path / "p")
    assert status == Exit.ALL, said
    assert f"names of actions: {run / 'names.yaml'}" in said
    (answer,) = read_frames(tmp_path / "p/frames.csv")
    assert set(answer.names.values()) == {"rest"}
    assert len(set(answer.actions)) == 2
    assert len(set(answer.predicted.actions)) == 3
    # They go on from there as the new run's own.
    name(tmp_path / "p", f"actions:\n  {code['jump']}: hop\n")
    assert histvq("report", tmp_path / "p")[0] == Exit.ALL
    (answer,) = read_frames(tmp_path / "p/frames.csv")
    assert answer.names == {code["jump"]: "hop"}


def test_a_models_own_names_and_named_ones_come_first(run, files, tmp_path):
    name(run, "actions:\n  0: of the run\n")
    name(run / "model", "actions:\n  0: of the model\n")
    (tmp_path / "mine.yaml").write_text("actions:\n  0: mine\n")
    histvq("predict", run / "model", files, "-o", tmp_path / "p")
    assert read_frames(tmp_path / "p/frames.csv")[0].names == {0: "of the model"}
    given = ["--names", tmp_path / "mine.yaml"]
    histvq("predict", run / "model", files, *given, "-o", tmp_path / "q")
    assert read_frames(tmp_path / "q/frames.csv")[0].names == {0: "mine"}
    (tmp_path / "mine.yaml").write_text("actions:\n  3: mine\n")
    status, said = histvq("predict", run / "model", files, *given, "-o", tmp_path / "r")
    assert (status, "there is no action 3" in said) == (Exit.NOTHING_DONE, True)
    assert not (tmp_path / "r/frames.csv").exists()


def test_a_model_learned_anew_loses_the_names_of_the_old(files, tmp_path):
    learn = ["fit", files, *KMEANS, "-o", tmp_path / "m", "--overwrite"]
    histvq(*learn)
    name(tmp_path / "m", "actions:\n  0: mine\n")
    status, said = histvq(*learn)
    assert (status, "kept as names-earlier.yaml" in said) == (Exit.ALL, True)
    histvq("predict", tmp_path / "m", files, "-o", tmp_path / "p")
    assert read_frames(tmp_path / "p/frames.csv")[0].names == {}


def test_named_runs_teach(run, files, tmp_path):
    code = found(run)
    name(run, f"actions:\n  {code['rest']}: still\n  {code['jump']}: still\n")
    learn = ["fit", files, "--method", "ms-tcn", "--labels", run, *TINY, "-o", tmp_path / "m"]
    status, said = histvq(*learn)
    assert status == Exit.USAGE
    assert f"histvq report {run} brings the names into it" in said
    assert histvq("report", run)[0] == Exit.ALL
    status, said = histvq(*learn)
    assert status == Exit.ALL, said
    assert f"2 actions: still, action {code['shake']}" in said


def test_groups_and_moved_recordings(run, files, tmp_path):
    (tmp_path / "groups.csv").write_text("recording,arm\nada,left\n")
    status, said = histvq("report", run, "--groups", tmp_path / "groups.csv")
    assert status == Exit.ALL, said
    assert "has no row for 'ben'" in said
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Groups of recordings" not in page  # one group cannot be compared
    (tmp_path / "groups.csv").write_text("recording,arm\nada,left\nben,right\n")
    status, said = histvq("report", run, "--groups", tmp_path / "groups.csv")
    assert status == Exit.ALL, said
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Groups of recordings" in page
    assert "<th>left</th><th>right</th>" in page
    (tmp_path / "groups.csv").write_text("id,arm\nada,left\n")
    status, said = histvq("report", run, "--groups", tmp_path / "groups.csv")
    assert (status, "no column recording" in said) == (Exit.NOTHING_DONE, True)
    settings = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**settings, "data": ["gone"]}))
    status, said = histvq("report", run)
    assert (status, "no longer at gone; name the files" in said) == (Exit.ALL, True)
    status, said = histvq("report", run, files)
    assert (status, "no longer" in said) == (Exit.ALL, False)


@pytest.mark.parametrize("command", ["names", "report"])
def test_no_run(tmp_path, command):
    status, said = histvq(command, tmp_path)
    assert (status, "name a folder that histvq run or predict wrote" in said) == (
        Exit.NOTHING_DONE, True,
    )  # fmt: skip
