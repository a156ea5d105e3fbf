import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from histvq.annotation import Annotation
from histvq.cli import Exit
from histvq.io.npz import write_npz
from histvq.recording import Recording
from oracles.commands import histvq

FAST = ["--set", "n_maps=4", "--set", "n_latent=4", "--set", "epochs=2", "--set", "min_steps=0"]


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
    assert [file.name for file in (tmp_path / "r").iterdir()] == [".lock"]


def test_inspect_says_what_was_understood(folder):
    status, said = histvq("inspect", folder / "ada.npz")
    assert status == Exit.ALL
    for word in ("ada", "16.0", "10", "mm", "2 actions", "nothing written"):
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


@pytest.fixture(scope="module")
def best_model(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("best") / "m"
    files, small = [folder / "ada.npz", folder / "ben.npz"], ["--set", "n_starts=4", *FAST[:-2]]
    asked = ["--preset", "best", "-k", 2, "--patch-seconds", 0.5, "-o", place, *small]
    return *histvq("fit", *files, *asked), place, files


def test_preset_best_fits_predicts_and_scores(best_model, tmp_path):
    status, said, place, files = best_model
    assert status == Exit.ALL, said
    described = json.loads((place / "model.json").read_text())
    assert described["statistics"]["patch_seconds"] == 0.5
    assert described["params"]["start"] == "clusters"
    status, said = histvq("predict", place, *files, "-o", tmp_path / "p")
    assert status == Exit.ALL, said
    status, said = histvq("evaluate", tmp_path / "p", *files)
    assert status == Exit.ALL, said
    # Resting and shaking differ fifty-fold; one action for everything has a MoF of 50.
    assert json.loads((tmp_path / "p" / "scores.json").read_text())["scores"]["mof"] > 80


def test_preset_best_runs_in_one_go(folder, tmp_path):
    small = ["--patch-seconds", 0.5, "--set", "n_starts=4", *FAST[:-2]]
    status, said = histvq("run", folder, "--preset", "best", "-k", 2, "-o", tmp_path / "r", *small)
    assert status == Exit.SOME_SKIPPED, said
    assert (tmp_path / "r" / "report.html").exists()


def test_what_a_model_of_preset_best_cannot_do_says_what_can(best_model, tmp_path):
    *_, place, files = best_model
    streamed = ["predict", place, files[0], "--stream", "--idle", 0, "-o", tmp_path / "s.csv"]
    exported = ["export-model", place, "--to", "onnx", "-o", tmp_path / "m.onnx"]
    for arguments in (streamed, exported):
        status, said = histvq(*arguments)
        words = "takes motion and answers patch by patch"
        assert (status, words in " ".join(said.split())) == (Exit.USAGE, True), said
        assert "histvq fit --method histvq" in " ".join(said.split())
    assert not (tmp_path / "s.csv").exists()
    assert not (tmp_path / "m.onnx").exists()


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
        assert (status, "cannot be written" in said) == (Exit.NOTHING_DONE, True), said
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


def test_an_example_is_written_and_read_by_the_command_it_names(tmp_path):
    status, said = histvq("data", "example", "pose-tracks", "-o", tmp_path / "people")
    assert status == Exit.ALL
    assert f"wrote {tmp_path / 'people'}; next: histvq inspect" in said
    status, said = histvq(*said.partition("next: histvq ")[2].split())
    assert status == Exit.ALL
    assert all(id in said for id in ("ada-before", "duo-eva", "duo-finn"))
    status, said = histvq("data", "example", "pose-tracks", "-o", tmp_path / "people")
    assert (status, "something is there already" in said) == (Exit.USAGE, True)


@pytest.mark.real_data
def test_prepare_and_run_on_real_files(hugadb_sample: Path, tmp_path):
    status, said = histvq("data", "prepare", "hugadb", hugadb_sample, "-o", tmp_path / "h")
    assert status == Exit.ALL
    assert "line 26, column 25 acc_ls_x: 1306072" in said
    status, said = histvq("data", "prepare", "hugadb", hugadb_sample, "--strict")
    assert status == Exit.NOTHING_DONE


QUICK = ["--set", "n_maps=4", "--set", "n_layers=3", "--set", "epochs=2", "--set", "min_steps=0"]


@pytest.fixture(scope="module")
def supervised(folder, tmp_path_factory):
    """A model fitted to the labels in the files."""
    out = tmp_path_factory.mktemp("models") / "moves.histvq"
    status, said = histvq("fit", folder, "--method", "ms-tcn", "-o", out, *QUICK)
    return status, said, out


def test_labels_in_the_files_are_learned_and_predicted_by_name(supervised, folder, tmp_path):
    status, said, model = supervised
    assert status == Exit.SOME_SKIPPED
    assert "2 actions: rest, shake" in said
    assert "learned from 1 recordings, 1 held out: MoF" in said
    assert f"wrote {model}; next: histvq predict {model} FILES" in said
    status, said = histvq("predict", model, folder / "ada.npz", "-o", tmp_path / "new")
    assert status == Exit.ALL
    assert "MoF" in said
    names = {
        line.split(",")[10] for line in (tmp_path / "new/segments.csv").read_text().split()[1:]
    }
    assert names <= {"rest", "shake"}
    scores = json.loads((tmp_path / "new/scores.json").read_text())
    assert scores["protocol"]["matching"].startswith("none")
    for matching, name in (("none", "scores.json"), ("global", "scores-action-global.json")):
        status, said = histvq(
            "evaluate", tmp_path / "new", folder / "ada.npz", "--matching", matching
        )
        assert status == Exit.ALL
        assert (tmp_path / "new" / name).exists()


def test_unsupervised_corrected_by_hand_supervised_on_top(first_run, folder, tmp_path):
    table = (first_run[2] / "segments.csv").read_text(encoding="utf-8")
    table = "".join(line for line in table.splitlines(keepends=True) if ",subaction," not in line)
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(table.replace(",action 0,", ",quiet,").replace(",action 1,", ",busy,"))
    model, new = tmp_path / "model", tmp_path / "new"
    status, said = histvq(
        "fit", folder, "--method", "ms-gcn", "--labels", corrected, "-o", model, *QUICK,
        "--set", "validation=0",
    )  # fmt: skip
    assert status == Exit.USAGE  # nobody said how the joints hang together
    assert "needs the joints' parents" in said
    status, said = histvq(
        "fit", folder, "--method", "ms-tcn", "--labels", corrected, "-o", model, *QUICK,
        "--set", "validation=0",
    )  # fmt: skip
    assert status == Exit.SOME_SKIPPED
    learned = set(said.partition("actions: ")[2].partition(" learned")[0].split(", "))
    assert learned == {line.split(",")[10] for line in corrected.read_text().splitlines()[1:]}
    assert "quiet" in learned
    assert "nobody held out" in said
    status, said = histvq("predict", model, folder / "ben.npz", "-o", new)
    assert status == Exit.ALL
    assert "not scored: the answers' actions" in said  # quiet and busy are not rest and shake
    assert "quiet" in (new / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "ms-gcn", "-k", "3"], "-k 3: ms-gcn learns the actions that are labelled"),
        (["-k", "3", "--labels", "x.csv"], "--labels x.csv: histvq learns without labels"),
        (["--method", "ms-gnc"], "no method is called 'ms-gnc'; did you mean 'ms-gcn'"),
        (["--method", "ms-tcn", "--set", "validation=2"], "validation"),
    ],
)
def test_fitting_with_labels_that_cannot_be_meant(folder, tmp_path, arguments, words):
    status, said = histvq("fit", folder, "-o", tmp_path / "model", *arguments)
    assert status == Exit.USAGE
    assert words in said


def test_a_method_that_learns_from_labels_is_not_tested_on_them(folder, tmp_path):
    status, said = histvq("run", folder, "--method", "ms-tcn", "-o", tmp_path / "run")
    assert status == Exit.USAGE
    assert "no test of it. Use histvq fit FILES --method ms-tcn" in said


def test_files_without_labels_and_no_table(tmp_path):
    write_npz(tmp_path / "a.npz", Recording(id="a", skeleton=np.zeros((9, 2, 3)), fps=10))
    status, said = histvq("fit", tmp_path / "a.npz", "--method", "ms-tcn", "-o", tmp_path / "m")
    assert status == Exit.USAGE
    assert "the files hold no labels to learn from; give a table of them, as --labels" in said


def test_inspect_for_programs(folder):
    status, said = histvq("inspect", folder, "--json", "--transform", "resample=5")
    assert status == Exit.SOME_SKIPPED
    told = json.loads(said)
    assert [one["recording"] for one in told["recordings"]] == ["ada", "ben"]
    assert told["recordings"][0]["missing"] == {"joint0": 0, "joint1": 0, "joint2": 0}
    assert told["changes"] == ["low_pass(2.25 Hz)", "stride(2)"]
    assert "cut.npz" in told["skipped"][0]["why"]


@pytest.fixture
def pair(tmp_path):
    """An array of two people, and nothing said of it."""
    array = np.random.default_rng(0).normal(size=(90, 2, 4, 2))
    np.save(tmp_path / "duo.npy", array)
    return tmp_path / "duo.npy"


def test_what_a_file_does_not_say_is_asked_for_flag_by_flag(pair):
    given = []
    for flag in (
        ["--option", "layout=frame person joint channel"],
        ["--fps", 30],
        ["--unit", "px"],
    ):
        status, said = histvq("inspect", pair, *given)
        assert status == Exit.NOTHING_DONE
        assert flag[0] if flag[0] != "--option" else "layout" in said
        given += flag
    status, said = histvq("inspect", pair, *given)
    assert status == Exit.ALL
    assert "8 of 2 people" in said
    assert "--fps 30 --unit px --option 'layout=frame person joint channel' -k 8" in said


def test_people_apart(pair, tmp_path):
    how = ["--option", "layout=frame person joint channel", "--fps", 30, "--unit", "px"]
    run = tmp_path / "run"
    status, _ = histvq(
        "run", pair, *how, "--people", "apart", "-k", 2, "--method", "window-kmeans", "-o", run
    )
    assert status == Exit.ALL
    names = {line.split(",")[0] for line in (run / "segments.csv").read_text().splitlines()[1:]}
    assert names == {"duo-person0", "duo-person1"}
    status, said = histvq("inspect", pair, *how, "--people", "alone")
    assert status == Exit.USAGE
    assert "must be 'together' or 'apart'" in said


def test_an_option_nobody_takes(pair):
    status, said = histvq("inspect", pair, "--option", "fsp=30")
    assert status == Exit.USAGE
    assert "no option 'fsp'; did you mean 'fps'" in said
    status, said = histvq("inspect", pair, "--option", "fps")
    assert status == Exit.USAGE
    assert "write it as --option name=value" in said


def test_evaluate_against_a_table_and_against_files_of_labels(first_run, tmp_path):
    out = first_run[2]
    (tmp_path / "truth.csv").write_text(
        "recording,start_s,stop_s,name\nada,0,4,rest\nada,4,8,shake\nben,0,8,rest\nben,8,16,shake\n"
    )
    status, said = histvq("evaluate", out, tmp_path / "truth.csv")
    assert status == Exit.ALL
    assert json.loads((out / "scores.json").read_text())["protocol"]["scored_frames"] == 240
    for name in ("ada", "ben"):
        (tmp_path / f"{name}.txt").write_text("0 0 0 0 1 1 1 1 0 0 0 0 1 1 1 1")
    status, said = histvq("evaluate", out, tmp_path, "--label-fps", 1)
    assert status == Exit.ALL
    by_file = json.loads((out / "scores.json").read_text())
    assert by_file["protocol"]["labels_made_at_fps"] == [1]
    histvq(
        "evaluate", out, *(tmp_path / f"{name}.txt" for name in ("ada", "ben")), "--label-fps", 1
    )
    assert json.loads((out / "scores.json").read_text()) == by_file
    status, said = histvq("evaluate", out, tmp_path, "--label-fps", 10)
    assert status == Exit.USAGE
    assert "answer of 160 frames at 10 fps (16.0 s), annotation of 16 at 10 fps" in said


def test_learning_from_files_of_labels(folder, tmp_path):
    files = [folder / "ada.npz", folder / "ben.npz"]
    for name in ("ada", "ben"):
        (tmp_path / f"{name}.labels.txt").write_text("rest\n" * 4 + "shake\n" * 4 + "rest\n" * 8)
    light = ["--set", "epochs=1", "--set", "min_steps=0", "--set", "n_maps=4"]
    method = ["--method", "ms-tcn", "-o", tmp_path / "m", *light]
    status, said = histvq("fit", *files, *method, "--labels", tmp_path, "--label-fps", 1)
    assert status == Exit.ALL
    assert "2 actions: rest, shake" in said
    status, said = histvq(
        "fit", *files, *method, "--labels", tmp_path, "--label-fps", 2, "--overwrite"
    )
    assert status == Exit.USAGE
    assert "ada: 16 labels at 2 a second for 16.0 s of motion" in said


def test_a_run_notes_how_its_files_were_read(pair, tmp_path):
    how = ["--option", "layout=frame person joint channel", "--fps", 30, "--unit", "px"]
    short = ["--patch-seconds", 0.3, "--method", "window-kmeans"]
    histvq("run", pair, *how, "-k", 2, *short, "-o", tmp_path / "run")
    noted = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert noted["data"] == [str(pair)]
    assert noted["reading"] == {
        "fps": 30, "unit": "px", "options": ["layout=frame person joint channel"],
    }  # fmt: skip


def test_what_is_said_of_many_recordings_stands_once(tmp_path):
    rng = np.random.default_rng(0)
    for name, shift in (("a", 100), ("b", 200), ("c", 0)):
        motion = rng.normal(size=(300, 3, 3)).cumsum(axis=0)
        if shift:
            motion[shift : shift + 60] = motion[shift]
        write_npz(tmp_path / f"{name}.npz", Recording(id=name, skeleton=motion, fps=30, unit="mm"))
    _, said = histvq("inspect", tmp_path)
    assert (
        "a and 1 more recordings, each in its way: one frame repeated 60 times from 3.33 s" in said
    )
    assert said.count("one frame repeated") == 1
