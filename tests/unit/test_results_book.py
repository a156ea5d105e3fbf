import json

import pandas as pd
import pytest

from benchmarks.book.collect import main as collect
from benchmarks.book.pages import book
from histvq.reproduction.plan import key_of
from histvq.reproduction.tables import load_table
from histvq.reproduction.writing import Outcome, RowResult, write_outcome

SCORES = ("mof", "edit", "f1@10", "f1@25", "f1@50", "jsd")


def settings(row):
    return {"dataset": "hugadb", "method": "histvq", "threads": 1, "params": {"row": row}}


def ran(row, seed, mof):
    return {
        "seed": seed, "epochs": 3, "settings": settings(row),
        "scores": {**dict.fromkeys(SCORES, 10.0), "mof": mof},
        "jsd_by_activity": {"all": 10.0}, "jsd_by_action": {"walk": 10.0},
        "protocol": {
            "matching": "one matching", "level": "action", "n_recordings": 2, "scored_frames": 1000,
            "unlabelled_frames": 0, "fps": [30.0], "majority_percent": 26.04,
        },
        "versions": {"histvq": "0"}, "folder": f"runs/{key_of(settings(row))}/seed-{seed}",
    }  # fmt: skip


def leave(folder, mofs):
    """Table 4 of HuGaDB with rows of these MoF."""
    folder.mkdir(exist_ok=True)
    table = load_table("table4")
    results = tuple(
        RowResult(
            row=row,
            runs=tuple(ran(row.name, seed, mof) for seed, mof in enumerate(mofs.get(row.name, ()))),
            asked=len(mofs.get(row.name, ())),
        )
        for row in table.rows
    )
    write_outcome(
        Outcome(
            name="table4", table=table, dataset="hugadb", scale="fast", results=results,
            dataset_notes=("two missing",), folder=folder,
        )
    )  # fmt: skip
    for result in results:
        for run in result.runs:
            place = folder / run["folder"]
            place.mkdir(parents=True)
            frame = pd.DataFrame({"recording": ["a", "b"], "n_frames": 500, **run["scores"]})
            frame.to_csv(place / "recordings.csv", index=False)
            cost = {"fit": {"cpu_s": 6.0}, "predict": {"cpu_s": 1.0}, "peak_mb": 300}
            cost["from_the_start"] = run["seed"] != 1
            (place / "times.json").write_text(json.dumps(cost))


@pytest.fixture
def results(tmp_path):
    """Results of an earlier state, and newer runs of two of the rows collected into them."""
    folder = tmp_path / "benchmarks" / "accuracy" / "results"
    folder.mkdir(parents=True)
    leave(folder, {"all": [30.0, 31.0], "no-spatial": [20.0, 21.0], "no-temporal": [29.0, 33.0]})
    leave(tmp_path / "out", {"all": [40.0, 41.0], "no-spatial": [25.0]})
    collect([str(tmp_path / "out")], results=folder)
    return folder


def test_newer_runs_take_the_place_of_older_ones_where_there_are_as_many(results):
    record = json.loads((results / "table4-hugadb-fast.json").read_text())
    means = {row["name"]: row["mean"].get("mof") for row in record["rows"]}
    assert means == {"all": 40.5, "no-spatial": 20.5, "no-commitment": None, "no-temporal": 31.0}
    assert record["notes"] == [
        "two missing",
        "runs of an earlier state of the code, kept: w/o spatial reconstruction loss, w/o temporal "
        "reconstruction loss",
    ]
    assert record["protocol"]["a constant answer scores"] == "MoF 26.0"


def test_every_run_is_told_with_its_settings_and_costs(results):
    runs = json.loads((results / "runs-hugadb.json").read_text())
    found = runs[key_of(settings("all"))]
    assert found["settings"] == settings("all")
    assert found["seeds"]["0"]["scores"]["mof"] == 40.0
    assert found["seeds"]["0"]["cost"]["peak_mb"] == 300


def test_collected_again_nothing_changes(results, tmp_path):
    before = {file.name: file.read_bytes() for file in results.iterdir() if file.is_file()}
    collect([str(tmp_path / "out")], results=results)
    assert {file.name: file.read_bytes() for file in results.iterdir() if file.is_file()} == before


def test_a_page_by_hand(results, tmp_path):
    (text,) = book(tmp_path).values()
    lines = text.splitlines()
    assert (
        "| All | 2 seeds | 40.5 (0.7) | 10.0 (0.0) | 10.0 (0.0) | 10.0 (0.0) | 10.0 (0.0) |"
        in lines
    )
    assert "|  | paper | 48.2 | 44.3 | 49.4 | 39.8 | 28.3 |" in lines
    # 20 points with deviations of 0.7: no chance; 9.5 with one of 2.8 beside 0.7, from two runs: chance.
    assert any(line.startswith("| w/o spatial") and r"20.5 (0.7)\*" in line for line in lines)
    assert any(line.startswith("| w/o temporal") and "31.0 (2.8) |" in line for line in lines)
    # The run that was cut in two does not count.
    assert "| All | 1 | 6.0 | 1.0 | 300 |" in lines
    command = "histvq reproduce table4 --dataset hugadb --data DIR --seeds 2 --only all"
    key = key_of(settings("all"))
    assert f"| Table 4 | All | `runs/{key}/seed-{{0..1}}` | `{command}` |" in lines
