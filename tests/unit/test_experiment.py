import errno
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml

from histvq.annotation import Annotation
from histvq.datasets import load_dataset
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.experiment import _Log, fit_in, run
from histvq.models import load_model, make_method
from histvq.presets import load_preset, preset_names
from histvq.results import write_answers
from histvq.segmenter import Progress
from histvq.segments import Segmentation
from histvq.supervised import SUPERVISED

TINY = {"n_maps": 4, "n_latent": 4, "epochs": 2, "min_steps": 0, "fps": 10, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return load_dataset("synthetic", n_people=2, recordings_per_person=2, seconds=20)


@pytest.fixture(scope="module")
def done(data, tmp_path_factory):
    method = make_method("histvq", n_actions=4, **TINY)
    return run(
        data.recordings,
        method,
        tmp_path_factory.mktemp("run") / "r",
        annotations=data.annotations,
        warnings=["something looked odd"],
        settings={"note": "mine"},
    )


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_makes_its_method(name):
    preset = load_preset(name)
    given = {} if preset.method.name in SUPERVISED else {"n_actions": 3}
    method = make_method(preset.method.name, preset=name, **given)
    for name, value in given.items():
        assert getattr(method, name) == value  # what is given wins


def test_what_learns_from_labels_is_not_run_on_them(data, tmp_path):
    with pytest.raises(ConfigError, match="MSTCN learns from labels: fit it with them"):
        run(data.recordings, make_method("ms-tcn"), tmp_path, annotations=data.annotations)


def test_a_preset_of_ones_own(tmp_path):
    place = tmp_path / "mine.toml"
    place.write_text('description = "mine"\n[method]\nname = "histvq"\nalpha = 3\n')
    assert make_method("histvq", preset=place, n_actions=2).alpha == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('description = "x"\n', "method"),
        ('description = "x"\nspeed = 3\n[method]\nname = "histvq"\n', "speed"),
        ("description = ", "mine.toml"),
    ],
)
def test_a_preset_that_is_none(tmp_path, text, words):
    place = tmp_path / "mine.toml"
    place.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_preset(place)


def test_names_that_are_not_known():
    with pytest.raises(ConfigError, match="did you mean 'hugadb-fast'"):
        load_preset("hugadb-fats")
    with pytest.raises(ConfigError, match="no method is called 'hist'"):
        make_method("hist", n_actions=2)
    with pytest.raises(ConfigError, match="did you mean 'alpha'"):
        make_method("histvq", n_actions=2, alhpa=3)


def test_a_run_folder_holds_everything(done, data):
    names = {path.name for path in done.folder.iterdir()}
    assert names >= {
        "config.yaml", "versions.json", "metrics.jsonl", "model", "scores.json", "segments.csv",
        "frames.csv", "usage.csv", "timelines", "report.html",
    }  # fmt: skip
    config = yaml.safe_load((done.folder / "config.yaml").read_text())
    assert config["note"] == "mine"
    assert config["method"]["n_actions"] == 4
    assert len((done.folder / "metrics.jsonl").read_text().splitlines()) == 2
    page = (done.folder / "report.html").read_text()
    assert "something looked odd" in page
    assert page.count('<script type="text/plain" id="motion-') == 4  # every recording plays
    scores = json.loads((done.folder / "scores.json").read_text())
    assert scores["scores"]["mof"] == pytest.approx(done.scores.mof)


def test_losses_are_noted_also_of_a_method_that_measures_nothing_else(data, tmp_path):
    method = make_method("tot", n_actions=3, steps=6, random_state=0)
    done = run(data.recordings, method, tmp_path / "tot")
    lines = (done.folder / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]  # of two batches each


def test_losses_follow_those_of_the_epochs_before_a_stop(tmp_path):
    place = tmp_path / "metrics.jsonl"
    place.write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3, "tot')  # a line that was cut off
    log = _Log(tmp_path, None)
    for epoch in (1, 2):  # the second had been noted, but not kept
        log(Progress(epoch, 3, 1, 1, {"total": 0.5}, epoch_over=True))
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[1]["total"] == 0.5
    log = _Log(tmp_path, None)
    log(Progress(0, 1, 1, 1, {"total": 0.25}, epoch_over=True))  # begun anew
    assert json.loads(place.read_text()) == {"epoch": 1, "total": 0.25}


def test_a_disk_that_is_full_for_the_losses_stops_no_training(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "metrics.jsonl")

    log, event = _Log(tmp_path, None), Progress(0, 1, 1, 1, {"total": 0.5}, epoch_over=True)
    with monkeypatch.context() as patch:
        patch.setattr("histvq.experiment.write_text", full)
        with pytest.warns(DataWarning, match="No space left .* The training goes on"):
            log(event)
    log(event)
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"epoch": 1, "total": 0.5}


def test_what_is_warned_of_while_fitting_stands_in_the_report(data, tmp_path):
    method = make_method(
        "histvq", n_actions=12, epochs=1, min_steps=0, n_maps=4, min_usage_patches=0, random_state=0
    )
    with pytest.warns(DataWarning, match="its codebook has collapsed"):
        done = run(data.recordings, method, tmp_path / "r", warnings=["of reading"])
    said = json.loads((done.folder / "recordings.json").read_text())["warnings"]
    assert said[0] == "of reading"
    assert "its codebook has collapsed" in said[1]
    assert "its codebook has collapsed" in (done.folder / "report.html").read_text()


def test_a_method_of_ones_own_needs_to_know_nothing_of_checkpoints(data, tmp_path):
    fitted = []

    class Own:
        def fit(self, recordings, *, progress=None):
            fitted.extend(recordings)

    fit_in(tmp_path, Own(), data.recordings)
    assert fitted == list(data.recordings)


def test_the_saved_model_gives_the_runs_labels(done, data):
    model = load_model(done.folder / "model")
    for recording, answer in zip(data.recordings, done.answers, strict=True):
        assert (model.predict(recording).actions == answer.actions).all()


def test_an_earlier_run_is_not_overwritten_unasked(done, data):
    with pytest.raises(ConfigError, match="holds results already"):
        run(data.recordings, make_method("histvq", n_actions=4, **TINY), done.folder)


def test_only_labelled_recordings_are_scored_and_it_is_said(data, done, tmp_path):
    some = [data.annotations[0], *[None] * (len(data.annotations) - 1)]
    with pytest.warns(DataWarning, match="1 of 4 recordings have labels"):
        scores, _ = write_answers(tmp_path, done.answers, annotations=some)
    assert scores.protocol["n_recordings"] == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda a: replace(a, labels=a.labels[:-5]), "195 labels for 200 frames; left out"),
        (lambda a: replace(a, labels=a.labels * 0 - 1), "not scored: .*labelled"),
    ],
)
def test_labels_that_do_not_fit_cost_the_scores_but_not_the_answers(tmp_path, spoil, words):
    answer = Segmentation(recording_id="a", fps=10, actions=np.zeros(200, int))
    truth = Annotation(recording_id="a", labels=np.zeros(200, int), actions=("x",), fps=10)
    (tmp_path / "scores.json").write_text("{}")  # of an earlier run
    with pytest.warns(DataWarning, match=words):
        scores, files = write_answers(tmp_path, [answer], annotations=[spoil(truth)])
    assert scores is None
    assert not (tmp_path / "scores.json").exists()
    assert files["segments"].exists()
    assert "left out" in files["report"].read_text() or "not scored" in files["report"].read_text()


def test_a_run_folder_is_no_model(done):
    with pytest.raises(FileFormatError, match="did you mean"):
        load_model(done.folder)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["data", "list"]])
def test_help_and_lists_do_not_import_torch(arguments):
    code = (
        "import sys, histvq.cli\n"
        f"sys.argv = ['histvq', *{arguments!r}]\n"
        "try:\n    histvq.cli.main()\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
