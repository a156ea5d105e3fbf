"""A table of ours beside the paper's, as JSON, CSV, Markdown and LaTeX.

The files hold nothing of when or how fast a run was, so the same runs make the same files.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from histvq.metrics.scores import TITLES
from histvq.reproduction.tables import Row, Table
from histvq.writing import write_text


@dataclass(frozen=True, kw_only=True)
class RowResult:
    """What the runs of a row gave.

    Attributes:
        row: The row.
        runs: What each finished run wrote, by seed, and by fold where labels are learned from; with
            its `folder`.
        asked: How many runs there should be.
        failed: Why the others failed, where they did.
    """

    row: Row
    runs: tuple[dict[str, Any], ...]
    asked: int
    failed: tuple[str, ...] = ()

    def values(self, score: str) -> list[float]:
        """A score of every run."""
        return [run["scores"][score] for run in self.runs]

    @property
    def folds(self) -> tuple[str, ...]:
        """Whom each fold is tested on; none where nothing is learned from labels."""
        return tuple(dict.fromkeys(", ".join(run["test"]) for run in self.runs if "test" in run))

    @property
    def count(self) -> str:
        """How many runs there are, in words."""
        if len(self.runs) < self.asked:
            return f"{len(self.runs)} of {self.asked}"
        if not self.folds:
            return f"{len(self.runs)}"
        n_seeds = len({run["seed"] for run in self.runs})
        return f"{len(self.folds)} folds" + (f", {n_seeds} each" if n_seeds > 1 else "")

    def mean(self, score: str) -> float | None:
        """Mean over runs."""
        return float(np.mean(self.values(score))) if self.runs else None

    def deviation(self, score: str) -> float | None:
        """Standard deviation over runs (n - 1)."""
        return float(np.std(self.values(score), ddof=1)) if len(self.runs) > 1 else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A table on one dataset.

    Attributes:
        name: As `table4`.
        table: What it should hold.
        dataset: Name of the dataset.
        scale: `fast` or `full`.
        results: One a row.
        dataset_notes: What differs from the published dataset, and what was mended in it.
        folder: Where its files are.
    """

    name: str
    table: Table
    dataset: str
    scale: str
    results: tuple[RowResult, ...]
    dataset_notes: tuple[str, ...]
    folder: Path

    @property
    def stem(self) -> str:
        """Name of its files, without the ending."""
        return f"{self.name}-{self.dataset}-{self.scale}"

    @property
    def failed(self) -> tuple[str, ...]:
        """Why runs failed, where they did."""
        return tuple(why for result in self.results for why in result.failed)


def write_outcome(outcome: Outcome) -> dict[str, Path]:
    """Write the four files; each appears whole or not at all."""
    texts = {
        "json": json.dumps(_record(outcome), indent=1) + "\n",
        "csv": _frame(outcome).to_csv(index=False, lineterminator="\n"),
        "md": markdown(outcome),
        "tex": latex(outcome),
    }

    def written(ending: str, text: str) -> Path:
        return write_text(outcome.folder / f"{outcome.stem}.{ending}", text)

    return {ending: written(ending, text) for ending, text in texts.items()}


def markdown(outcome: Outcome) -> str:
    """The table to read: mean (deviation) of ours, the paper's number below."""
    table, scores = outcome.table, outcome.table.scores
    lines = [
        f"# {table.source} on {outcome.dataset}, {outcome.scale} presets",
        "",
        f"{table.title}. Mean (standard deviation) over {_over(outcome)}.",
        "",
        _line(["row", "", "seeds", *(title(score) for score in scores)]),
        _line(["---"] * (3 + len(scores))),
    ]
    for result in outcome.results:
        ours = [_spread(result, score, "{:.1f} ({:.1f})") or "-" for score in scores]
        if result.asked:
            lines.append(_line([result.row.label, "ours", result.count, *ours]))
        printed = result.row.printed(outcome.dataset, len(scores))
        if any(number is not None for number in printed):
            shown = ["-" if n is None else f"{n:.1f}" for n in printed]
            lines.append(_line(["" if result.asked else result.row.label, "paper", "", *shown]))
    if any(result.folds for result in outcome.results):
        lines += ["", *_fold_lines(outcome)]
    if "jsd" in scores:
        lines += ["", *_jsd_lines(outcome)]
    lines += ["", "How it was scored and on what:", ""]
    lines += [f"- {said}" for said in _said(outcome)]
    lines += ["", "Settings that differ between rows; all others are in the JSON file:", ""]
    lines += [f"- {said}" for said in _changes(outcome)]
    return "\n".join(lines) + "\n"


def latex(outcome: Outcome) -> str:
    """The table as a LaTeX tabular (booktabs)."""
    scores = outcome.table.scores
    rows = []
    for result in outcome.results:
        if result.asked:
            ours = [_spread(result, s, r"${:.1f} \pm {:.1f}$") or "--" for s in scores]
            rows.append([_escaped(result.row.label), "ours", *ours])
        printed = result.row.printed(outcome.dataset, len(scores))
        if any(number is not None for number in printed):
            label = "" if result.asked else _escaped(result.row.label)
            rows.append([label, "paper", *("--" if n is None else f"{n:.1f}" for n in printed)])
    head = ["", "", *(_escaped(title(score)) for score in scores)]
    body = "\n".join(" & ".join(row) + r" \\" for row in rows)
    remarks = [
        f"{outcome.table.source}, {outcome.dataset}, {outcome.scale}: {outcome.table.title}",
        f"Mean and standard deviation over {_over(outcome)}; all settings are in the JSON file.",
        *_said(outcome),
        *_changes(outcome),
    ]
    return (
        "".join(f"% {remark}\n" for remark in remarks)
        + f"\\begin{{tabular}}{{ll{'r' * len(scores)}}}\n\\toprule\n{' & '.join(head)} \\\\\n\\midrule\n"
        f"{body}\n\\bottomrule\n\\end{{tabular}}\n"
    )


def title(score: str) -> str:
    """A score's name as people write it."""
    return TITLES.get(score, score.replace("f1@", "F1@"))


def _record(outcome: Outcome) -> dict[str, Any]:
    return {
        "table": outcome.name,
        "source": outcome.table.source,
        "title": outcome.table.title,
        "dataset": outcome.dataset,
        "scale": outcome.scale,
        "protocol": _protocol(outcome),
        "notes": [note for note in (outcome.table.remark, *outcome.dataset_notes) if note],
        "rows": [
            {
                "name": result.row.name,
                "label": result.row.label,
                "seeds": [run["seed"] for run in result.runs],
                **({"tested_on": [run["test"] for run in result.runs]} if result.folds else {}),
                "epochs": [run["epochs"] for run in result.runs],
                "mean": {s: _rounded(result.mean(s)) for s in _all_scores(result)},
                "sd": {s: _rounded(result.deviation(s)) for s in _all_scores(result)},
                "runs": [_each_rounded(run["scores"]) for run in result.runs],
                "folders": [run["folder"] for run in result.runs],
                "command": _command(outcome, result),
                "jsd_by_activity": _mean_of(result, "jsd_by_activity"),
                "jsd_by_action": _mean_of(result, "jsd_by_action"),
                "paper": dict(
                    zip(
                        outcome.table.scores,
                        result.row.printed(outcome.dataset, len(outcome.table.scores)),
                        strict=True,
                    )
                ),
                "settings": result.runs[0]["settings"] if result.runs else None,
                "versions": result.runs[0]["versions"] if result.runs else None,
                "failed": list(result.failed),
            }
            for result in outcome.results
        ],
    }


def _frame(outcome: Outcome) -> pd.DataFrame:
    """One line a row and score."""
    lines = [
        {
            "table": outcome.name,
            "dataset": outcome.dataset,
            "scale": outcome.scale,
            "row": result.row.name,
            "label": result.row.label,
            "score": score,
            "seeds": len(result.runs),
            "mean": _rounded(result.mean(score)),
            "sd": _rounded(result.deviation(score)),
            "paper": printed,
        }
        for result in outcome.results
        for score, printed in zip(
            outcome.table.scores,
            result.row.printed(outcome.dataset, len(outcome.table.scores)),
            strict=True,
        )
    ]
    return pd.DataFrame(lines)


def _protocol(outcome: Outcome) -> dict[str, Any]:
    """What was scored and how: the same for every run, or the run would not be of this table.

    But for rows that learn from labels: each of their folds scores some of the recordings.
    """
    runs = [run for result in outcome.results for run in result.runs if not result.folds]
    if not runs:
        return {}
    kept = ("matching", "level", "n_recordings", "scored_frames", "unlabelled_frames", "fps")
    said = {key: runs[0]["protocol"][key] for key in kept}
    share = runs[0]["protocol"]["majority_percent"]
    return {
        **said,
        "threads of a run": runs[0]["settings"]["threads"],
        "a constant answer scores": f"MoF {share:.1f}",
    }


def _over(outcome: Outcome) -> str:
    """What the runs of the rows differ in."""
    found = [bool(result.folds) for result in outcome.results if result.runs]
    if not any(found):
        return "seeds"
    return "folds" if all(found) else "seeds; of rows that learn from labels, over folds"


def _fold_lines(outcome: Outcome) -> list[str]:
    """Each fold of the rows that learn from labels."""
    scores = outcome.table.scores
    lines = ["Each fold of the rows that learn from labels:", ""]
    lines += [_line(["row", "tested on", "seed", *map(title, scores)])]
    lines += [_line(["---"] * (3 + len(scores)))]
    for result in outcome.results:
        for run in result.runs if result.folds else ():
            cells = [f"{run['scores'][score]:.1f}" for score in scores]
            tested = ", ".join(run["test"])
            lines.append(_line([result.row.label, tested, str(run["seed"]), *cells]))
    return lines


def _jsd_lines(outcome: Outcome) -> list[str]:
    """JSD of each activity and each action, where the table is about JSD."""
    lines = []
    for key, words in (
        ("jsd_by_activity", "activity (a recording's; averaged over its recordings)"),
        (
            "jsd_by_action",
            "action (its segments of all recordings together; ours, not in the paper)",
        ),
    ):
        means = {r.row.label: _mean_of(r, key) for r in outcome.results if r.runs}
        names = list(dict.fromkeys(name for values in means.values() for name in values))
        lines += [f"JSD of each {words}:", "", _line(["row", *names])]
        lines += [_line(["---"] * (1 + len(names)))]
        lines += [
            _line([label, *(f"{values[n]:.1f}" if n in values else "-" for n in names)])
            for label, values in means.items()
        ]
        lines.append("")
    return lines[:-1]


def _command(outcome: Outcome, result: RowResult) -> str:
    """What makes the row's runs, where they are not there yet."""
    scale = "" if outcome.scale == "fast" else f" --preset {outcome.scale}"
    return (
        f"histvq reproduce {outcome.name} --dataset {outcome.dataset} --data DIR{scale} "
        f"--seeds {result.asked} --only {result.row.name}"
    )


def _mean_of(result: RowResult, key: str) -> dict[str, float]:
    """Mean over the runs that have it: not every fold has every action."""
    each: dict[str, list[float]] = {}
    for run in result.runs:
        for name, value in run[key].items():
            each.setdefault(name, []).append(value)
    return {name: round(float(np.mean(values)), 2) for name, values in each.items()}


def _all_scores(result: RowResult) -> Sequence[str]:
    return list(result.runs[0]["scores"]) if result.runs else ()


def _said(outcome: Outcome) -> list[str]:
    """Protocol and remarks, a sentence each."""
    protocol = [f"{key}: {value}" for key, value in _protocol(outcome).items()]
    learned = [result.row.label for result in outcome.results if result.folds]
    folds = (
        f"{', '.join(learned)}: learned from the labels of all but the fold they are scored on; no "
        "matching, codes are the actions they were taught"
        if learned
        else ""
    )
    remarks = (folds, outcome.table.remark, *outcome.dataset_notes, *outcome.failed)
    # One line each: a line break would end a comment in LaTeX.
    return [" ".join(said.split()) for said in (*protocol, *remarks) if said]


def _changes(outcome: Outcome) -> list[str]:
    """What sets each row apart."""
    shared = outcome.table.shared(outcome.scale, outcome.dataset)
    said = []
    for result in outcome.results:
        changes = {**shared, **result.row.changes}
        listed = ", ".join(f"{name} = {value}" for name, value in changes.items())
        preset = " ".join(filter(None, (result.row.method, result.row.variant)))
        words = f"{outcome.scale} preset of {preset}" + (f" with {listed}" if listed else "")
        said += [f"{result.row.label}: {words}"] if result.asked else []
    return said


def _spread(result: RowResult, score: str, form: str) -> str:
    mean, deviation = result.mean(score), result.deviation(score)
    if mean is None:
        return ""
    return form.format(mean, deviation) if deviation is not None else f"{mean:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    for mark in "&%_#$":
        text = text.replace(mark, "\\" + mark)
    return text


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _each_rounded(scores: dict[str, float]) -> dict[str, float]:
    # Two decimals more than are shown, so that whoever takes means of them rounds once.
    return {name: round(value, 4) for name, value in scores.items()}
