"""How well models carry over to new people: fit on some, predict the others.

    python benchmarks/accuracy/carry_over.py hugadb DATA_DIR --folds 3 --jobs 2
    python benchmarks/accuracy/carry_over.py precog16 DATA_DIR --folds 4 --methods histvq:precog-fast

People fall into folds, every so-maniest into the same. Each fold is predicted by a model that learned
from all others, the fold's number its seed, and, to compare, by one that learned from everybody with the
same seed. Both are scored on the fold's recordings alone, by one Hungarian matching over these. A method
is named alone, for its light preset on the dataset, or as METHOD:PRESET (also a TOML file).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.accuracy.data import Data, scores_of
from benchmarks.accuracy.fits import Fit, answers_of, made_by, run_missing
from benchmarks.accuracy.pages import SCORES, columns, leave, mean_sd, table
from histvq.errors import ConfigError, HistvqError

METHODS = ("window-kmeans", "histvq", "smq", "hvq", "asot", "cte", "tot")


@dataclass(frozen=True, kw_only=True)
class Fold:
    """People left out, the model that does not know them and the one that does."""

    people: tuple[str, ...]
    without: Fit
    everybody: Fit


def folds_of(people: Sequence[str], n_folds: int) -> list[tuple[str, ...]]:
    """People in folds of about one size, everybody in one of them.

    Raises:
        ConfigError: If there are fewer people than folds, or only one fold.
    """
    if not 2 <= n_folds <= len(people):
        raise ConfigError(f"--folds {n_folds}: {len(people)} people allow 2 to {len(people)} folds")
    return [tuple(people[start::n_folds]) for start in range(n_folds)]


def fits_of(data: Data, method: str, params: dict[str, Any], *, n_folds: int) -> list[Fold]:
    """The two models of each fold."""
    found = []
    for seed, aside in enumerate(folds_of(data.people, n_folds)):
        others = [name for name in data.people if name not in aside]
        found.append(
            Fold(
                people=aside,
                without=Fit.to(data, method, params, seed=seed, people=others),
                everybody=Fit.to(data, method, params, seed=seed, people=data.people),
            )
        )
    return found


def scored(fold: Fold, data: Data, out: Path) -> dict[str, dict[str, float]] | None:
    """Scores of the fold's recordings by either model; None if one of them failed."""
    fits = {"new": fold.without, "known": fold.everybody}
    if not all(fit.place(out).exists() for fit in fits.values()):
        return None
    return {
        name: scores_of(answers_of(fit, out, data.dataset), data.dataset, fold.people)
        for name, fit in fits.items()
    }


def lines_of(name: str, folds: Sequence[dict[str, dict[str, float]]]) -> list[list[str]]:
    """Three rows: people the model knows, people new to it, and the change fold by fold."""
    known, new = (columns([fold[which] for fold in folds]) for which in ("known", "new"))
    change = {
        score: [n - k for n, k in zip(new[score], known[score], strict=True)] for score in SCORES
    }
    rows = (("known", known, False), ("new", new, False), ("**change**", change, True))
    return [
        [name, people, str(len(folds)), *(mean_sd(v[s], signed=signed) for s in SCORES)]
        for people, v, signed in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("data", nargs="?", help="folder of the dataset's files")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/study"))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=METHODS, metavar="METHOD[:PRESET]")
    given = parser.parse_args()
    data = Data.load(given.dataset, given.data)
    folds = {name: fits_of(data, *data.chosen(name), n_folds=given.folds) for name in given.methods}
    fits = {
        name: [fit for fold in of_one for fit in (fold.everybody, fold.without)]
        for name, of_one in folds.items()
    }
    failed = run_missing(fits, given.out, jobs=given.jobs)
    found = {
        name: [s for fold in of_one if (s := scored(fold, data, given.out)) is not None]
        for name, of_one in folds.items()
    }
    aside = "; ".join(", ".join(people) for people in folds_of(data.people, given.folds))
    text = "\n".join(
        [
            f"# Models that carry over: {given.dataset}\n",
            f"Folds: {aside}. Code {made_by(fits.values(), given.out)}.\n",
            "Scores of the same recordings by a model that learned from their people too (known) and by "
            "one that did not (new), mean (standard deviation) over folds; of JSD less is better.\n",
            table(
                ["method", "people", "folds", *SCORES.values()],
                [line for name, runs in found.items() for line in lines_of(name, runs)],
            ),
        ]
    )
    place = given.out / f"carry-over-{given.dataset}.md"
    leave(place, text, found, failed=failed)


if __name__ == "__main__":
    try:
        main()
    except HistvqError as error:
        sys.exit(f"error: {error}")
