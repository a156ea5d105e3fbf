import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from histvq.annotation import Annotation
from histvq.cli import Exit, app
from histvq.io.npz import write_npz
from histvq.recording import Recording

FAST = ["--set", "n_maps=4", "--set", "n_latent=4", "--set", "epochs=2", "--set", "min_steps=0"]


def histvq(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.replace("\n", " ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two labelled recordings of two motions, and one file cut short."""
    place = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 0, 1], 40)
    for name in ("ada", "ben"):
        motion = rng.standard_normal((160, 3, 3)) * np.where(labels == 1, 50, 1)[:, None, None]
        recording = Recording(id=name, skeleton=motion, fps=10, unit="mm", person=name)
        truth = Annotation(recording_id=name, labels=labels, actions=("rest", "shake"), fps=10)
        write_npz(place / f"{name}.npz", recording, truth)
    whole = (place / "ben.npz").read_bytes()
    (place / "cut.npz").write_bytes(whole[: len(whole) // 2])
    return place


@pytest.fixture(scope="module")
def first_run(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "first"
    status, said = histvq("run", folder, "-k", 2, "-o", out, *FAST)
    return status, said, out


def test_run_reads_segments_scores_and_says_what_next(first_run):
    status, said, out = first_run
    assert status == Exit.SOME_SKIPPED
    assert "skipped 1 file" in said
    assert "cut.npz" in said
    assert "MoF" in said
    assert f"wrote {out / 'report.html'}; next: open" in said
    assert (out / "segments.csv").exists()


def test_strict_stops_at_the_bad_file_and_writes_nothing(folder, tmp_path):
    status, said = histvq("run", folder, "-k", 2, "-o", tmp_path / "r", "--strict", *FAST)
    assert status == Exit.NOTHING_DONE
    assert "cut.npz" in said
    assert list((tmp_path / "r").iterdir()) == []


def test_inspect_says_what_was_understood(folder):
    status, said = histvq("inspect", folder / "ada.npz")
    assert status == Exit.ALL
    for word in ("ada", "16.0", "10.0", "mm", "2 actions", "nothing written"):
        assert word in said


def test_fit_predict_evaluate_one_after_another(folder, first_run, tmp_path):
    files = [folder / "ada.npz", folder / "ben.npz"]
    model, out = tmp_path / "m.histvq", tmp_path / "p"
    status, said = histvq("fit", *files, "-k", 2, "-o", model, *FAST)
    assert status == Exit.ALL
    assert f"wrote {model}; next: histvq predict" in said
    status, said = histvq("predict", model, *files, "-o", out)
    assert status == Exit.ALL
    assert (out / "frames.csv").read_text() == (first_run[2] / "frames.csv").read_text()
    status, said = histvq("evaluate", out, *files, "--matching", "recording")
    assert status == Exit.ALL
    assert "one Hungarian matching for each recording" in said
    # Scores of another protocol do not take the place of the usual ones.
    usual, apart = (
        json.loads((out / name).read_text())
        for name in ("scores.json", "scores-action-recording.json")
    )
    assert usual["scores"].keys() == apart["scores"].keys() >= {"mof", "jsd"}
    assert usual["protocol"]["matching"] != apart["protocol"]["matching"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run", "nowhere.npz", "-k", "2"], Exit.NOTHING_DONE, "there is no such file"),
        (["run", "{folder}", *FAST], Exit.USAGE, "say how many actions to find, as -k 8"),
        (["run", "{folder}", "-k", "2", "--set", "alpha"], Exit.USAGE, "write it as --set"),
        (["run", "{folder}", "-k", "2", "--set", "alfa=2"], Exit.USAGE, "did you mean 'alpha'"),
        (["run", "{folder}", "-k", "2", "--preset", "x"], Exit.USAGE, "no preset is called"),
        (["predict", "{folder}", "{folder}"], Exit.NOTHING_DONE, "not a saved model"),
        (["data", "prepare", "nope", "."], Exit.USAGE, "no dataset is called"),
        (["evaluate", "{folder}", "{folder}"], Exit.NOTHING_DONE, "frames.csv"),
        (
            ["reproduce", "table12", "--dataset", "synthetic"],
            Exit.USAGE,
            "no table is called 'table12'",
        ),
        (["reproduce", "table4", "--dataset", "hugadp"], Exit.USAGE, "did you mean 'hugadb'"),
        (["reproduce", "table4", "--dataset", "hugadb"], Exit.USAGE, "give the folder its files"),
        (
            ["reproduce", "table4", "--dataset", "synthetic", "--only", "no-spatiel"],
            Exit.USAGE,
            "no row 'no-spatiel'; did you mean 'no-spatial'",
        ),
        (
            ["reproduce", "table4", "--dataset", "synthetic", "--preset", "full"],
            Exit.USAGE,
            "no full preset for histvq on 'synthetic'",
        ),
        (["import-checkpoint", "smq", "nowhere.model"], Exit.NOTHING_DONE, "no such file"),
    ],
)
def test_faults_have_words_and_a_status(folder, tmp_path, monkeypatch, arguments, status, words):
    monkeypatch.chdir(tmp_path)
    found, said = histvq(*(a.format(folder=folder) for a in arguments))
    assert (found, words in said) == (status, True), said


def test_a_preset_names_its_method(folder, tmp_path):
    files = [folder / "ada.npz", folder / "ben.npz"]
    chosen = [*files, "--preset", "smq-synthetic-fast", "-k", 2, *FAST]
    assert histvq("fit", *chosen, "-o", tmp_path / "m")[0] == Exit.ALL
    assert json.loads((tmp_path / "m" / "model.json").read_text())["method"] == "smq"
    status, said = histvq("fit", *chosen, "--method", "histvq", "-o", tmp_path / "n")
    assert (status, "is for the method 'smq', not 'histvq'" in said) == (Exit.USAGE, True), said


def test_an_earlier_run_is_kept(folder, first_run):
    status, said = histvq("run", folder, "-k", 2, "-o", first_run[2], *FAST)
    assert status == Exit.USAGE
    assert "--overwrite" in said


def test_faults_that_come_before_the_work(folder, first_run, tmp_path, monkeypatch):
    """An output that cannot be written is found out before anything is learned."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "afile").write_text("")
    files = [folder / "ada.npz", folder / "ben.npz"]
    for command in (["run", *files, "-k", 2], ["fit", *files, "-k", 2]):
        status, said = histvq(*command, "-o", tmp_path / "afile", *FAST)
        assert (status, "cannot be written to" in said) == (Exit.USAGE, True), said
    status, said = histvq("predict", first_run[2] / "model", *files, "-o", first_run[2])
    assert (status, "holds results already" in said) == (Exit.USAGE, True), said
    status, said = histvq("run", *files, "-k", 2, "--set", "alpha=[")
    assert (status, "cannot be read" in said) == (Exit.USAGE, True), said


def test_a_failed_overwrite_leaves_the_earlier_run(folder, tmp_path):
    files = [folder / "ada.npz", folder / "ben.npz"]
    out = tmp_path / "r"
    assert histvq("run", *files, "-k", 2, "-o", out, *FAST)[0] == Exit.ALL
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    status, _ = histvq("run", *files, "-k", 500, "-o", out, "--overwrite", *FAST)
    assert status == Exit.USAGE
    assert before == {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}


def test_data_list_names_every_dataset():
    status, said = histvq("data", "list")
    assert status == Exit.ALL
    assert "hugadb" in said
    assert "364" in said


@pytest.mark.real_data
def test_prepare_and_run_on_real_files(hugadb_sample: Path, tmp_path):
    status, said = histvq("data", "prepare", "hugadb", hugadb_sample, "-o", tmp_path / "h")
    assert status == Exit.ALL
    assert "line 26, column 25 acc_ls_x: 1306072" in said
    status, said = histvq("data", "prepare", "hugadb", hugadb_sample, "--strict")
    assert status == Exit.NOTHING_DONE
