import csv
import io
import json
import shlex
from dataclasses import replace

import pytest

from documents.commands import fault_of
from histvq.reproduction.tables import Row, Table
from histvq.reproduction.writing import Outcome, RowResult, latex, markdown, write_outcome

SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50")


def ran(seed, mof):
    return {
        "seed": seed,
        "epochs": 3,
        "settings": {"method": "histvq", "threads": 1, "params": {"alpha": 2}},
        "scores": {**dict.fromkeys(SCORES, 10.0), "mof": mof, "jsd": 90.0 + seed},
        "jsd_by_activity": {"all": 90.0 + seed},
        "jsd_by_action": {"walk": 50.0, "sit": 70.0},
        "protocol": {
            "matching": "global", "level": "action", "n_recordings": 2, "scored_frames": 100,
            "unlabelled_frames": 0, "fps": [30.0], "majority_percent": 26.04,
        },
        "versions": {"histvq": "0"},
        "folder": f"runs/hugadb-histvq-0123/seed-{seed}",
    }  # fmt: skip


ROW = Row(
    name="all", label="A & B", method="histvq", paper={"hugadb": (48.2, "-", 49.4, 39.8, 28.3)}
)


def outcome(folder, *, results, scores=SCORES):
    table = Table(title="Impact", source="HiST-VQ, Table 4", scores=scores, rows=(ROW,))
    return Outcome(
        name="table4", table=table, dataset="hugadb", scale="fast", results=results,
        dataset_notes=("two missing",), folder=folder,
    )  # fmt: skip


@pytest.fixture
def made(tmp_path):
    # Mean 44, deviation sqrt(((2)^2 + 0 + 2^2) / 2) = 2.
    runs = (ran(0, 42.0), ran(1, 44.0), ran(2, 46.0))
    unbuilt = RowResult(
        row=Row(name="tcn", label="TCN", paper={"hugadb": (88.3,) * 5}), runs=(), asked=0
    )
    return outcome(tmp_path, results=(RowResult(row=ROW, runs=runs, asked=3), unbuilt))


def test_markdown_by_hand(made):
    lines = markdown(made).splitlines()
    assert (
        "| A & B | ours | 3 | 44.0 (2.0) | 10.0 (0.0) | 10.0 (0.0) | 10.0 (0.0) | 10.0 (0.0) |"
        in lines
    )
    assert "|  | paper |  | 48.2 | - | 49.4 | 39.8 | 28.3 |" in lines
    assert "| TCN | paper |  | 88.3 | 88.3 | 88.3 | 88.3 | 88.3 |" in lines
    assert "- a constant answer scores: MoF 26.0" in lines
    assert "- two missing" in lines
    assert "- A & B: fast preset of histvq" in lines


def test_latex_by_hand(made):
    text = latex(made)
    assert r"A \& B & ours & $44.0 \pm 2.0$" in text
    assert r" & paper & 48.2 & -- & 49.4 & 39.8 & 28.3 \\" in text
    assert text.count(r"\\") == 4
    assert "\n% a constant answer scores: MoF 26.0\n" in text


@pytest.mark.parametrize("scale", ["fast", "full"])
def test_the_command_that_makes_a_row_is_one(made, scale):
    files = write_outcome(replace(made, scale=scale))
    command = json.loads(files["json"].read_text())["rows"][0]["command"]
    assert fault_of(shlex.split(command)[1:]) is None
    assert ("--preset full" in command) == (scale == "full")


def test_json_and_csv_hold_the_same(made):
    files = write_outcome(made)
    record = json.loads(files["json"].read_text())
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert record["rows"][0]["mean"]["mof"] == float(rows[0]["mean"]) == 44
    assert record["rows"][0]["sd"]["mof"] == float(rows[0]["sd"]) == 2
    assert record["rows"][0]["paper"]["edit"] is None
    assert record["rows"][0]["folders"] == [f"runs/hugadb-histvq-0123/seed-{k}" for k in range(3)]
    command = "histvq reproduce table4 --dataset hugadb --data DIR --seeds 3 --only all"
    assert record["rows"][0]["command"] == command
    assert rows[1]["paper"] == ""
    assert record["rows"][0]["settings"]["params"] == {"alpha": 2}
    assert [run["mof"] for run in record["rows"][0]["runs"]] == [42, 44, 46]
    assert record["rows"][1]["settings"] is None


def test_folds_by_hand(tmp_path):
    runs = [{**ran(0, mof), "test": test} for mof, test in ((60.0, ["a", "b"]), (64.0, ["c"]))]
    taught = RowResult(row=Row(name="t", label="T", method="ms-gcn"), runs=tuple(runs), asked=2)
    alone = markdown(outcome(tmp_path, results=(taught,)))
    assert "Mean (standard deviation) over folds." in alone
    both = outcome(tmp_path, results=(taught, RowResult(row=ROW, runs=(ran(0, 42.0),), asked=1)))
    text = markdown(both)
    assert "| T | ours | 2 folds | 62.0 (2.8) |" in text
    assert "| T | a, b | 0 | 60.0 | 10.0 | 10.0 | 10.0 | 10.0 |" in text
    assert "over seeds; of rows that learn from labels, over folds." in text
    assert "- T: learned from the labels of all but the fold they are scored on" in text
    record = json.loads(write_outcome(both)["json"].read_text())
    assert record["rows"][0]["tested_on"] == [["a", "b"], ["c"]]
    assert "tested_on" not in record["rows"][1]
    again = RowResult(row=ROW, runs=(*runs, *({**run, "seed": 1} for run in runs)), asked=4)
    assert again.count == "2 folds, 2 each"


def test_runs_that_failed_are_said(tmp_path):
    result = RowResult(row=ROW, runs=(ran(0, 42.0),), asked=3, failed=("all, seed 1: no memory",))
    made = outcome(tmp_path, results=(result,))
    text = markdown(made)
    assert "| A & B | ours | 1 of 3 | 42.0 |" in text
    assert "all, seed 1: no memory" in text
    assert made.failed == ("all, seed 1: no memory",)


def test_jsd_of_each_activity_and_action(tmp_path):
    runs = (ran(0, 42.0), ran(1, 44.0))
    row = Row(name="all", label="All", method="histvq", paper={"hugadb": (89.0,)})
    result = RowResult(row=row, runs=runs, asked=2)
    text = markdown(outcome(tmp_path, results=(result,), scores=("jsd",)))
    assert "| All | ours | 2 | 90.5 (0.7) |" in text
    assert "| All | 90.5 |" in text
    assert "| All | 50.0 | 70.0 |" in text
