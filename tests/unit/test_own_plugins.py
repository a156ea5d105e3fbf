"""What is named as `module:attribute`, and is not what it should be."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from histvq.annotation import Annotation
from histvq.cli import app
from histvq.datasets import load_dataset
from histvq.errors import ConfigError
from histvq.evaluation import evaluate
from histvq.export import find_export
from histvq.io import find_reader, read_many
from histvq.io.npz import write_npz
from histvq.models import load_model, make_method
from histvq.recording import Recording


def no_number(pairs):
    return math.nan


def half(pairs):
    return 50


def not_a_dataset():
    return {"recordings": []}


class Unfit:
    method_name = "x"

    def fit(self, recordings): ...


NUMBER = 7
HERE = "unit_test_own_plugins"


@pytest.fixture(autouse=True)
def named(monkeypatch):
    """This module under a name that can be written out."""
    import sys

    monkeypatch.setitem(sys.modules, HERE, sys.modules[__name__])


def truth(labels=(0, 0, 1)):
    return [Annotation(recording_id="r", labels=np.array(labels), actions=("a", "b"), fps=10)]


@pytest.mark.parametrize(
    ("find", "words"),
    [
        (make_method, "method 'unit_test_own_plugins:NUMBER' is of the type int; name a class"),
        (find_reader, "is of the type int; name a histvq.io.Reader, or a function"),
        (load_dataset, "is of the type int; name a function"),
        (find_export, "is of the type int, not Export"),
        (
            lambda name: evaluate([np.zeros(3, int)], truth(), metrics=[name]),
            "is of the type int; name a function from LabelPairs",
        ),
    ],
)
def test_a_number_is_none_of_them(find, words):
    with pytest.raises(ConfigError, match=words):
        find(f"{HERE}:NUMBER")


def test_a_class_that_is_no_method(tmp_path):
    with pytest.raises(ConfigError, match=r"lacks predict, save, load; .*LabelFreeEstimator"):
        make_method(f"{HERE}:Unfit")
    make_method("window-kmeans", n_actions=2).fit(
        [Recording(id="r", skeleton=np.random.default_rng(0).normal(size=(90, 2, 3)), fps=10)]
    ).save(tmp_path / "model")
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    about["method"] = f"{HERE}:Unfit"
    (tmp_path / "model" / "model.json").write_text(json.dumps(about))
    with pytest.raises(ConfigError, match=r"lacks predict, save, load"):
        load_model(tmp_path / "model", method=f"{HERE}:Unfit")


def test_a_function_that_loads_no_dataset():
    with pytest.raises(ConfigError, match=r"its function gave dict, not histvq\.Dataset"):
        load_dataset(f"{HERE}:not_a_dataset")


def test_a_score_that_is_no_finite_number():
    with pytest.raises(ConfigError, match="no_number' gives nan; a score is one finite number"):
        evaluate([np.zeros(3, int)], truth(), metrics=[f"{HERE}:no_number"])


def test_a_score_of_ones_own_stands_beside_the_usual_ones(tmp_path):
    recording = Recording(id="r", skeleton=np.zeros((3, 1, 3)), fps=10)
    write_npz(tmp_path / "r.npz", recording, truth()[0])
    (tmp_path / "frames.csv").write_text(
        "recording,frame,time_s,action,subaction,confidence\nr,0,0,0,,\nr,1,0.1,0,,\nr,2,0.2,1,,\n"
    )
    command = ["evaluate", str(tmp_path / "frames.csv"), str(tmp_path / "r.npz")]
    done = CliRunner().invoke(app, [*command, "--metric", f"{HERE}:half", "--metric", "mof"])
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    usual = ["mof", "edit", "f1@10", "f1@25", "f1@50", "jsd"]
    assert [*scores] == [*usual, f"{HERE}:half"]
    assert (scores["mof"], scores[f"{HERE}:half"]) == (100, 50)
    done = CliRunner().invoke(app, [*command, "--metric", "mofs"])
    assert done.exit_code == 2
    assert "no metric is called 'mofs'; did you mean 'mof'?" in done.output


def test_files_that_name_other_actions_are_put_together_by_name(tmp_path):
    for id, actions in (("one", ("sit", "walk")), ("two", ("run", "walk")), ("three", None)):
        recording = Recording(id=id, skeleton=np.zeros((3, 1, 3)), fps=10)
        labels = np.array([0, 1, -1])
        annotation = actions and Annotation(recording_id=id, labels=labels, actions=actions, fps=10)
        write_npz(tmp_path / f"{id}.npz", recording, annotation)
    found = dict(zip(("one", "three", "two"), read_many(tmp_path).annotations, strict=True))
    assert found["three"] is None
    assert found["one"].actions == found["two"].actions == ("sit", "walk", "run")
    assert found["one"].labels.tolist() == [0, 1, -1]
    assert found["two"].labels.tolist() == [2, 1, -1]
    answers = [np.array([0, 1, 2]), np.array([3, 1, 0])]
    assert evaluate(answers, [found["one"], found["two"]]).mof == 100
