"""Pages of the results book, made from the results files alone: a page a dataset."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.pages import difference, mean_sd, table
from histvq.reproduction.writing import title

DATASETS = {
    "hugadb": "HuGaDB",
    "cmu-exercises": "CMU exercises",
    "precog16": "PRECOG",
}
ABOUT = {
    "hugadb": "Six inertial sensors on the legs, 18 people, 364 recordings, 10 actions that occur.",
    "cmu-exercises": "Motion capture, two people, five recordings, 9 exercises.",
    "precog16": "Skeletons of a Kinect, 8 people, 48 recordings, 9 actions.",
}
TABLES = tuple(f"table{number}" for number in (1, 3, *range(4, 11)))
# The row of an ablation that is the method as it is.
AS_IT_IS = {
    "table4": "all",
    "table5": "alpha-2",
    "table6": "levels-2",
    "table7": "0.001",
    "table8": "0.2",
    "table9": "action",
    "table10": "subaction",
}
FILES = "../../benchmarks/accuracy/results"


def book(root: Path) -> dict[Path, str]:
    """Every generated page of docs/results."""
    folder, results = root / "docs" / "results", root / "benchmarks" / "accuracy" / "results"
    pages: dict[Path, str] = {}
    for dataset in DATASETS:
        tables = {
            name: record
            for name in TABLES
            if (record := _read(results / f"{name}-{dataset}-fast.json")) is not None
        }
        if not tables:
            continue
        runs = _read(results / f"runs-{dataset}.json") or {}
        each = results / f"recordings-{dataset}.csv"
        parts = [
            _head(dataset),
            *(_table_part(name, record, dataset) for name, record in tables.items()),
            _recordings_part(pd.read_csv(each), tables["table1"], dataset)
            if each.is_file()
            else "",
            _costs_part(runs, tables, dataset),
            _runs_part(tables, dataset),
        ]
        pages[folder / f"{dataset}.md"] = "\n".join(part for part in parts if part)
    return pages


def _head(dataset: str) -> str:
    return (
        f"# Results: {DATASETS[dataset]}\n\n{ABOUT[dataset]} All presets are the `fast` ones; means over "
        "runs, the standard deviation in brackets. The lines `paper` are what the paper printed. Made by "
        "`python -m benchmarks.book` from the files named; [what to think of it](index.md).\n"
    )


def _table_part(name: str, record: Mapping[str, Any], dataset: str) -> str:
    scores = ["jsd"] if name == "table3" else ["mof", "edit", "f1@10", "f1@25", "f1@50"]
    base = next((r for r in record["rows"] if r["name"] == AS_IT_IS.get(name)), None)
    lines = []
    for row in record["rows"]:
        if row["runs"]:
            cells = [_cell(row, score, base) for score in scores]
            lines.append([row["label"], _count(row), *cells])
        printed = [row["paper"].get(score) for score in scores]
        if any(number is not None for number in printed):
            shown = ["-" if number is None else f"{number:.1f}" for number in printed]
            lines.append(["" if row["runs"] else row["label"], "paper", *shown])
    stem = f"{FILES}/{name}-{dataset}-fast"
    starred = (
        f'\nA star: other than "{base["label"]}", the method as it is, by more than chance gives once in '
        "twenty comparisons (Welch's t).\n"
        if base is not None
        else ""
    )
    links = ", ".join(f"[{kind}]({stem}.{kind.lower()})" for kind in ("CSV", "JSON", "TEX"))
    notes = "".join(f"- {note}\n" for note in record["notes"])
    return (
        f"## {_called(name)}: {_lower(record['title'])}\n\n"
        f"{table(['row', 'runs', *map(title, scores)], lines)}{starred}\n"
        f"{links.replace('TEX', 'LaTeX')}; {_protocol(record['protocol'])}\n\n{notes}"
    )


def _cell(row: Mapping[str, Any], score: str, base: Mapping[str, Any] | None) -> str:
    ours = [run[score] for run in row["runs"]]
    star = ""
    if base is not None and row is not base and base["runs"]:
        star = "*" if difference(ours, [run[score] for run in base["runs"]]).endswith("*") else ""
    return mean_sd(ours) + (f"\\{star}" if star else "")


def _count(row: Mapping[str, Any]) -> str:
    if "tested_on" not in row:
        return f"{len(row['runs'])} seeds"
    n_seeds = len(set(row["seeds"]))
    return f"{len(row['runs']) // n_seeds} folds" + (f", {n_seeds} seeds" if n_seeds > 1 else "")


def _protocol(protocol: Mapping[str, Any]) -> str:
    if not protocol:
        return "scored on people not learned from."
    constant = protocol["a constant answer scores"].replace("MoF", "a constant answer has MoF")
    return (
        f"{protocol['matching']}; {protocol['scored_frames']:,} frames of "
        f"{protocol['n_recordings']} recordings; {constant}."
    )


def _recordings_part(each: pd.DataFrame, record: Mapping[str, Any], dataset: str) -> str:
    """How scores spread over recordings, and those that preset `best` does worst on."""
    labels = {row["name"]: row["label"] for row in record["rows"]}
    shown = [name for name in labels if name in set(each["row"])]
    spread = [
        [labels[name], *_spread(each.loc[each["row"] == name, score] for score in ("mof", "edit"))]
        for name in shown
    ]
    head = ["row", "MoF: lowest", "quarter below", "half below", "highest"]
    head += ["Edit: lowest", "quarter below", "half below", "highest"]
    best = each[each["row"] == "best"].set_index("recording")
    other = each[each["row"] == "window-kmeans"].set_index("recording")["mof"]
    hardest = best.sort_values("mof").head(10)
    lines = [
        [
            str(name),
            f"{row['n_frames']:,.0f}",
            *(f"{value:.1f}" for value in (row["mof"], row["edit"], other.get(name, np.nan))),
        ]
        for name, row in hardest.iterrows()
    ]
    return (
        "## Recording by recording\n\nEach recording by itself, under the one matching of all; means "
        f"over seeds. [All recordings and scores]({FILES}/recordings-{dataset}.csv).\n\n"
        f"{table(head, spread)}\nThose that preset `best` does worst on:\n\n"
        f"{table(['recording', 'frames', 'MoF', 'Edit', 'MoF of window k-means'], lines)}"
    )


def _spread(columns: Iterable[pd.Series]) -> list[str]:
    return [
        f"{value:.1f}"
        for column in columns
        for value in np.percentile(column.dropna(), [0, 25, 50, 100])
    ]


def _costs_part(
    runs: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], dataset: str
) -> str:
    """Processor time and memory of a run, by row."""
    lines = []
    for name, record in tables.items():
        for row in record["rows"] if name in ("table1", "table4") else ():
            costs = [cost for folder in row.get("folders", ()) if (cost := _cost(runs, folder))]
            if costs:
                lines.append([row["label"], f"{len(costs)}", *_cost_cells(costs)])
    head = ["row", "runs", "fit, s of one core", "predict, s", "memory, MB"]
    return (
        "## What a run costs\n\nProcessor time of one run with one thread, and the highest memory of its "
        "process, data and all; means over runs that went on from start to end. Rows without a line have "
        "runs from before this was kept. "
        f"[All runs]({FILES}/runs-{dataset}.json).\n\n{table(head, lines)}"
        if lines
        else ""
    )


def _cost(runs: Mapping[str, Any], folder: str) -> Mapping[str, Any] | None:
    _, key, seed = folder.split("/")
    cost = runs.get(key, {}).get("seeds", {}).get(seed.removeprefix("seed-"), {}).get("cost")
    return cost if cost and cost["from_the_start"] else None


def _cost_cells(costs: Sequence[Mapping[str, Any]]) -> list[str]:
    fit, predict = ([cost[part]["cpu_s"] for cost in costs] for part in ("fit", "predict"))
    peak = [cost["peak_mb"] for cost in costs if "peak_mb" in cost]
    return [
        f"{np.mean(fit):.1f}",
        f"{np.mean(predict):.1f}",
        f"{np.mean(peak):.0f}" if peak else "",
    ]


def _runs_part(tables: Mapping[str, Mapping[str, Any]], dataset: str) -> str:
    """Where each cell comes from: its runs, and the command that makes them."""
    lines = []
    for name, record in tables.items():
        for row in record["rows"]:
            if row["runs"]:
                keys = list(dict.fromkeys(f.split("/")[1] for f in row["folders"]))
                seeds = f"seed-{{{min(row['seeds'])}..{max(row['seeds'])}}}"
                where = "<br>".join(
                    f"`runs/{key}/{seeds if len(keys) == 1 else 'seed-0'}`" for key in keys
                )
                lines.append([_called(name), row["label"], where, f"`{row['command']}`"])
    return (
        "## Where each row comes from\n\nThe folders a row's runs are in, once its command has made them "
        "(`DIR`: the dataset's files). The name of a folder is a digest of the settings and the data, "
        f"which are in [runs-{dataset}.json]({FILES}/runs-{dataset}.json): the same settings lead to the "
        "same folder. Runs of an earlier state of the code have the folder that their settings, as they "
        f"were then, lead to.\n\n{table(['table', 'row', 'runs', 'command'], lines)}"
    )


def _called(name: str) -> str:
    return name.replace("table", "Table ")


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _read(place: Path) -> Any:
    return json.loads(place.read_text(encoding="utf-8")) if place.is_file() else None
