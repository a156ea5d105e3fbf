"""What each ingredient gives: a base, rows that change some of its settings, several seeds of each.

    python benchmarks/accuracy/study.py benchmarks/accuracy/studies/NAME.toml DATA_DIR --seeds 5 --jobs 2
    python benchmarks/accuracy/study.py ... --people odd     # choose on one half of the people,
    python benchmarks/accuracy/study.py ... --people even    # confirm on the other

A fit that is in the folder already is not done again, so a run that was stopped goes on where it was, and
studies share the fits they have in common. Labels count in the scores alone: one Hungarian matching over
all recordings of the people chosen, every frame scored. `study_file.py` says what a study file holds.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.accuracy.data import Data, halves, scores_of
from benchmarks.accuracy.fits import Fit, answers_of, made_by, run_missing, seconds_of
from benchmarks.accuracy.pages import SCORES, columns, difference, leave, mean_sd, table
from benchmarks.accuracy.study_file import Row, Study, read_study, rows_of
from histvq.errors import HistvqError

Runs = Mapping[str, Sequence[Mapping[str, float]]]


def page(study: Study, rows: Sequence[Row], runs: Runs, *, heading: str) -> str:
    """The study in Markdown: scores of every row, then what its settings changed.

    Args:
        study: What was asked.
        rows: Base first.
        runs: Row -> for each seed its scores and `seconds`.
        heading: On what and with what it was done.
    """
    titles = list(SCORES.values())
    scores, changes = [], []
    for row in rows:
        ours = columns(runs[row.name])
        seconds = [run["seconds"] for run in runs[row.name]]
        cells = [mean_sd(ours[name]) for name in SCORES]
        mean_seconds = f"{sum(seconds) / len(seconds):.0f}" if seconds else ""
        scores.append([row.name, str(len(seconds)), *cells, mean_seconds])
        if row.against is not None:
            theirs = columns(runs[row.against])
            cells = [difference(ours[name], theirs[name]) for name in SCORES]
            changes.append([row.name, row.against, _words(row.changes), *cells])
    return "\n".join(
        [
            f"# {study.title}\n",
            f"{heading}\n",
            "Mean (standard deviation) over seeds; of JSD less is better. Seconds are those of one fit "
            "on one thread.\n",
            table(["row", "seeds", *titles, "s"], scores),
            "## What each row changes\n",
            "Difference of means; a star where chance gives as much less than once in twenty "
            "comparisons (Welch's t).\n",
            table(["row", "against", "settings", *titles], changes),
        ]
    )


def _words(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name} = {json.dumps(value)}`" for name, value in changes.items())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("data", nargs="?", help="folder of the dataset's files")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/study"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--people", choices=("odd", "even", "all"), default="all")
    given = parser.parse_args()
    study = read_study(given.study)
    data = Data.load(study.dataset, given.data)
    people = halves(data.people, given.people)
    rows = rows_of(study, data)
    fits = {
        row.name: [
            Fit.to(data, row.method, row.params, seed=seed, people=people)
            for seed in range(given.seeds)
        ]
        for row in rows
    }
    failed = run_missing(fits, given.out, jobs=given.jobs)
    runs = {
        name: [
            {
                **scores_of(answers_of(fit, given.out, data.dataset), data.dataset, people),
                "seconds": seconds_of(fit, given.out),
            }
            for fit in of_row
            if fit.place(given.out).exists()
        ]
        for name, of_row in fits.items()
    }
    heading = (
        f"{study.dataset}, {given.people} people ({', '.join(people)}), "
        f"{given.seeds} seeds, code {made_by(fits.values(), given.out)}."
    )
    text = page(study, rows, runs, heading=heading)
    place = given.out / f"{given.study.stem}-{given.people}.md"
    kept = [{**vars(row), "runs": runs[row.name]} for row in rows]
    leave(place, text, kept, failed=failed)


if __name__ == "__main__":
    try:
        main()
    except HistvqError as error:
        sys.exit(f"error: {error}")
