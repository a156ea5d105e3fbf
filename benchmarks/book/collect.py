"""Bring what `histvq reproduce` left into the results: tables, runs, scores by recording, costs.

python -m benchmarks.book.collect OUT

Rows of a table that OUT has no runs of are kept as they are in the results, and the table says so.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from histvq.reproduction.plan import key_of
from histvq.reproduction.tables import Row, load_table, table_names
from histvq.reproduction.writing import Outcome, RowResult, write_outcome
from histvq.writing import write_text

RESULTS = Path(__file__).parents[1] / "accuracy" / "results"
DATASETS = ("hugadb", "cmu-exercises", "precog16")
KEPT = "runs of an earlier state of the code, kept: "


def main(arguments: list[str] | None = None, *, results: Path = RESULTS) -> None:
    """Collect everything that is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.book.collect", description=__doc__)
    parser.add_argument("out", type=Path, help="folder that histvq reproduce wrote to")
    out = parser.parse_args(arguments).out
    for dataset in DATASETS:
        found = [made for name in table_names() if (made := merged(name, dataset, out, results))]
        if not found:
            continue
        for made in found:
            print(", ".join(path.name for path in write_outcome(made).values()))
        rows = {f"{made.name}/{r.row.name}": r for made in found for r in made.results if r.runs}
        runs = {key: run for result in rows.values() for key, run in runs_of(result, out).items()}
        _leave(results / f"runs-{dataset}.json", json.dumps(runs, indent=1, sort_keys=True) + "\n")
        each = [by_recording(r, out) for name, r in rows.items() if name.startswith("table1/")]
        if each := [frame for frame in each if frame is not None]:
            text = pd.concat(each).to_csv(index=False, lineterminator="\n")
            _leave(results / f"recordings-{dataset}.csv", text)


def merged(name: str, dataset: str, out: Path, results: Path) -> Outcome | None:
    """A table with every row that has runs in OUT, or had some before; None if no row has."""
    stem = f"{name}-{dataset}-fast"
    records = [_read(folder / f"{stem}.json") for folder in (out, results)]
    there = [record for record in records if record]
    if not there:
        return None
    table = load_table(name)
    chosen: list[RowResult] = []
    kept: list[str] = []
    for row in (row for row in table.rows if not row.on or dataset in row.on):
        found = [_row_of(record, row) if record else None for record in records]
        new, old = found
        best = new if new and (not old or len(new.runs) >= len(old.runs)) else old
        if best is not None and best is old and row.method:
            kept.append(row.label)
        chosen.append(best or RowResult(row=row, runs=(), asked=0))
    notes = [note for note in there[0]["notes"] if note != table.remark and KEPT not in note]
    if kept:
        notes.append(KEPT + ", ".join(kept))
    return Outcome(
        name=name,
        table=table,
        dataset=dataset,
        scale="fast",
        results=tuple(chosen),
        dataset_notes=tuple(notes),
        folder=results,
    )


def _row_of(record: dict[str, Any], row: Row) -> RowResult | None:
    """A row of a table's JSON as the runs it was made of; None if it has none."""
    for found in record["rows"]:
        if found["name"] == row.name and found["runs"]:
            runs = tuple(_runs_of(found, record["protocol"]))
            changed = row.model_copy(update={"label": found["label"]})
            return RowResult(row=changed, runs=runs, asked=len(runs))
    return None


def _runs_of(found: dict[str, Any], protocol: dict[str, Any]) -> list[dict[str, Any]]:
    tests = found.get("tested_on", [None] * len(found["runs"]))
    majority = re.search(r"[\d.]+", str(protocol.get("a constant answer scores", "MoF nan")))
    runs = []
    for place, (seed, epochs, scores, test) in enumerate(
        zip(found["seeds"], found["epochs"], found["runs"], tests, strict=True)
    ):
        settings = {**found["settings"], **({"test": test} if test else {})}
        folder = f"runs/{key_of(settings)}/seed-{seed}"
        runs.append(
            {
                "seed": seed,
                "epochs": epochs,
                "scores": scores,
                "settings": settings,
                "versions": found["versions"],
                "jsd_by_activity": found["jsd_by_activity"],
                "jsd_by_action": found["jsd_by_action"],
                "protocol": {
                    **protocol,
                    "majority_percent": float(majority[0]) if majority else float("nan"),
                },
                "folder": found.get("folders", {place: folder})[place],
                **({"test": test} if test else {}),
            }
        )
    return runs


def runs_of(result: RowResult, out: Path) -> dict[str, dict[str, Any]]:
    """Name of a run's folder -> its settings, and of each seed the scores and what it cost."""
    found: dict[str, dict[str, Any]] = {}
    for run in result.runs:
        key = Path(run["folder"]).parent.name
        entry = found.setdefault(
            key, {"settings": run["settings"], "versions": run["versions"], "seeds": {}}
        )
        entry["seeds"][str(run["seed"])] = {
            "scores": run["scores"],
            "epochs": run["epochs"],
            "cost": _read(out / run["folder"] / "times.json"),
        }
    return found


def by_recording(result: RowResult, out: Path) -> pd.DataFrame | None:
    """Scores of each recording: the mean over a row's runs; None where the runs are not at hand."""
    files = [out / run["folder"] / "recordings.csv" for run in result.runs]
    if not files or not all(file.is_file() for file in files):
        return None
    frames = pd.concat([pd.read_csv(file) for file in files])
    means = frames.groupby("recording", sort=True).mean().round(2).reset_index()
    means["n_frames"] = means["n_frames"].astype(np.int64)
    means.insert(0, "runs", len(files) if not result.folds else 1)
    means.insert(0, "row", result.row.name)
    return means


def _read(place: Path) -> dict[str, Any] | None:
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None


def _leave(place: Path, text: str) -> None:
    write_text(place, text)
    print(place.name)


if __name__ == "__main__":
    main()
