import csv
import json
from functools import partial

import numpy as np
import pytest
import yaml

from histvq import load_model
from histvq.annotation import Annotation
from histvq.choosing import choose_k
from histvq.cli import Exit
from histvq.io.npz import write_npz
from histvq.recording import Recording
from oracles.commands import histvq

BOUNDS = ["--k-max", 5, "--repeats", 2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("files"), labels=np.zeros(600, dtype=int))


@pytest.fixture
def few(monkeypatch):
    """`auto` tries few K, few times."""
    monkeypatch.setattr("histvq.saving.choose_k", partial(choose_k, k_max=5, repeats=2))


def written(place, *, labels):
    """Files of four people who stand in one of four postures, with these labels of everybody."""
    postures = 4 * np.random.default_rng(1).normal(size=(4, 5, 3))
    for number, name in enumerate(("ada", "ben", "cy", "dot")):
        rng = np.random.default_rng(number)
        at = np.repeat(rng.integers(0, 4, size=20), 30)
        skeleton = postures[at] + 0.3 * rng.normal(size=(600, 5, 3))
        recording = Recording(id=name, skeleton=skeleton, fps=10, unit="mm", person=name)
        truth = Annotation(recording_id=name, labels=labels, actions=("a", "b"), fps=10)
        write_npz(place / f"{name}.npz", recording, truth)
    return place


def test_a_table_a_sentence_a_reason_and_a_suggestion(folder):
    status, said = histvq("choose-k", folder, *BOUNDS, "--set", "window_seconds=1")
    assert status == Exit.ALL
    for words in (
        "actions  halves  expected  beyond  error  seeds  variance left  merge height",
        "stability: 4; models of two halves of the people agree by",
        "reconstruction: ",
        "tree: ",
        "The criteria say",
        "suggestion: 4 actions",
        f"nothing written; next: histvq run {folder} -k 4 -o runs/first",
    ):
        assert words in said


def test_the_table_is_written(folder, tmp_path):
    for kind in ("csv", "json"):
        out = tmp_path / f"table.{kind}"
        status, said = histvq("choose-k", folder, *BOUNDS, "--transform", "low-pass=4", "-o", out)
        assert status == Exit.ALL
        assert f"wrote {out}; next: histvq run {folder} --transform low-pass=4 -k" in said
    said = json.loads((tmp_path / "table.json").read_text())
    assert [criterion["name"] for criterion in said["criteria"]] == [
        "stability",
        "reconstruction",
        "tree",
    ]
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [int(row["k"]) for row in rows] == [2, 3, 4, 5]
    for row, same in zip(rows, said["table"], strict=True):
        assert {name: float(value) for name, value in row.items()} == same


def test_a_trained_method_is_asked(folder):
    quick = [f"--set={s}" for s in ("n_maps=4", "n_latent=4", "epochs=1", "min_steps=0")]
    status, said = histvq(
        "choose-k", folder, "--method", "histvq", "--k-max", 3, "--repeats", 2, *quick
    )
    assert status == Exit.ALL
    assert "suggestion: " in said


def test_labels_have_no_say(folder, tmp_path):
    other = written(tmp_path, labels=np.random.default_rng(0).integers(0, 2, 600))
    tables = []
    for place in (folder, other):
        out = tmp_path / f"{len(tables)}.csv"
        assert histvq("choose-k", place, *BOUNDS, "-o", out)[0] == Exit.ALL
        tables.append(out.read_text())
    assert tables[0] == tables[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "table.txt"], "a table is written as .csv or .json"),
        (["-o", "{folder}/nowhere/table.csv"], "make it first"),
        (["--k-min", "5", "--k-max", "4"], "k_min=5, k_max=4"),
        (["--method", "ms-gcn"], "ms-gcn learns the actions that are labelled"),
        (["--set", "alfa=2"], "did you mean 'alpha'"),
        (["--transform", "nonsense"], "there is no transform 'nonsense'"),
        (["--k-min", "1"], "--k-min"),
    ],
)
def test_wrong_usage(folder, arguments, words):
    given = [argument.format(folder=folder) for argument in arguments]
    status, said = histvq("choose-k", folder, *given)
    assert status == Exit.USAGE
    assert words in said


def test_a_table_that_is_there_is_not_replaced_unasked(folder, tmp_path):
    (tmp_path / "t.csv").write_text("mine")
    status, said = histvq("choose-k", folder, "-o", tmp_path / "t.csv")
    assert (status, (tmp_path / "t.csv").read_text()) == (Exit.USAGE, "mine")
    assert "give --overwrite" in said


def test_run_and_fit_with_as_many_as_are_suggested(folder, few, tmp_path):
    chosen = ["-k", "auto", "--method", "window-kmeans", "--set", "window_seconds=1"]
    status, said = histvq("run", folder, *chosen, "-o", tmp_path / "run")
    assert status == Exit.ALL
    assert "4 actions; histvq choose-k says why" in said
    assert load_model(tmp_path / "run" / "model").n_actions_ == 4
    noted = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert noted["method"]["n_actions"] == 4
    status, said = histvq("fit", folder, *chosen, "-o", tmp_path / "model")
    assert status == Exit.ALL
    assert "4 actions; histvq choose-k says why" in said


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "2.5"])
def test_a_wrong_number_of_actions(folder, wrong):
    status, said = histvq("run", folder, f"--actions={wrong}")
    assert status == Exit.USAGE
    assert "neither a number from 1 on nor auto" in " ".join(said.replace("│", " ").split())
