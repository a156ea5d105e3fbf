"""How far off is the suggested number of actions: over seeds, over halves of the data, by criterion.

    python benchmarks/accuracy/choose_k.py hugadb=DIR cmu-exercises=DIR precog16=DIR -o runs/choose-k

Labels are read once the suggestion is made, and only to count how many of them occur. Beside what
`histvq choose-k` goes by, criteria that were tried and not taken are worked out from the same table or
the same windows. A run that is in the folder already is not done again. Writes `results/choose-k.md`.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import calinski_harabasz_score, silhouette_score

from histvq.annotation import Annotation
from histvq.choosing import choose_k
from histvq.choosing.criteria import agreement, variance_left, without_structure
from histvq.choosing.points import Points, points_of
from histvq.choosing.search import halved
from histvq.choosing.trials import WindowTrials
from histvq.datasets import load_dataset
from histvq.recording import Recording

PAGE = Path(__file__).parent / "results" / "choose-k.md"
KS = np.arange(2, 21)
# Prediction strength that its authors ask for.
STRONG = 0.8
SUGGESTED = ("suggestion", "stability", "reconstruction", "tree")
TRIED = {
    "stability, the best instead of the fewest within an error": "best",
    "stability, the most within an error": "most",
    "halves' agreement as it is": "raw",
    "halves' agreement less the expected": "less",
    "seeds' agreement as it is": "seeds",
    "tree, widest gap by ratio": "gap",
    "stability, the expected from one Gaussian": "gaussian",
    "stability in one level": "one level",
    "prediction strength of 0.8": "strength",
    "gap statistic": "gap statistic",
    "silhouette": "silhouette",
    "Calinski-Harabasz": "calinski",
}


def n_labels(annotations: list[Annotation]) -> int:
    """How many of the labels occur."""
    found = np.unique(np.concatenate([np.unique(a.labels) for a in annotations]))
    return int((found >= 0).sum())


def of_table(choice) -> dict[str, int]:
    """What other readings of the same table give."""
    column = {name: np.array([row[name] for row in choice.table]) for name in choice.table[0]}
    ks, share = column["k"].astype(int), column["beyond"]
    near = share >= share.max() - column["error"][share.argmax()]
    heights = column["merge_height"]
    picked = {
        "best": share.argmax(),
        "most": np.flatnonzero(near)[-1],
        "raw": column["halves"].argmax(),
        "less": (column["halves"] - column["expected"]).argmax(),
        "seeds": column["seeds"].argmax(),
        "gap": (heights[:-1] / heights[1:]).argmax(),
    }
    return {name: int(ks[index]) for name, index in picked.items()}


def against_gaussian(points: Points, table, seed: int, n_draws: int = 4) -> int:
    """The stability of the table, less what halves of data of the same covariance agree."""
    rng = np.random.default_rng(seed)
    middle, spread = points.values.mean(axis=0), np.cov(points.values.T)
    expected = np.zeros((n_draws, len(KS)))
    for draw in range(n_draws):
        values = rng.multivariate_normal(middle, spread, size=len(points.values))
        trials, both = WindowTrials(values, points.groups, 2), halved(points.groups, rng)
        for place, k in enumerate(KS):
            one, other = (trials(half, int(k), seed=seed + n) for n, half in enumerate(both))
            expected[draw, place] = agreement(one.actions, other.actions)
    share = [
        (row["halves"] - e) / (1 - e) for row, e in zip(table, expected.mean(axis=0), strict=True)
    ]
    return int(KS[np.argmax(share)])


def of_windows(points: Points, seed: int) -> dict[str, int]:
    """What other criteria give for the same windows, clustered in two levels."""
    rng = np.random.default_rng(seed)
    trials = WindowTrials(points.values, points.groups, 2)
    everyone = np.unique(points.groups)
    labels = [trials(everyone, int(k), seed=seed).actions for k in KS]
    silhouettes = [silhouette_score(points.values, found) for found in labels]
    calinski = [calinski_harabasz_score(points.values, found) for found in labels]
    return {
        "silhouette": int(KS[np.argmax(silhouettes)]),
        "calinski": int(KS[np.argmax(calinski)]),
        "gap statistic": gap_statistic(points, labels, rng, seed),
        "strength": largest_strong(points, trials, rng, seed),
    }


def gap_statistic(
    points: Points, labels: list[np.ndarray], rng, seed: int, n_draws: int = 4
) -> int:
    """Fewest K whose gap is within an error of the next one's (Tibshirani, Walther and Hastie 2001)."""
    logs = []
    for _ in range(n_draws):
        shapeless = WindowTrials(without_structure(points.values, rng), points.groups, 2)
        every = np.unique(points.groups)
        logs.append(
            [
                np.log(variance_left(shapeless.values, shapeless(every, int(k), seed=seed).actions))
                for k in KS
            ]
        )
    gap = np.mean(logs, axis=0) - [np.log(variance_left(points.values, found)) for found in labels]
    error = np.std(logs, axis=0) * np.sqrt(1 + 1 / n_draws)
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - error[1:])
    return int(KS[enough[0]] if len(enough) else KS[-1])


def largest_strong(
    points: Points, trials: WindowTrials, rng, seed: int, n_halvings: int = 4
) -> int:
    """Most actions each of which the other half finds again (Tibshirani and Walther 2005)."""
    halves = [halved(points.groups, rng) for _ in range(n_halvings)]
    strong = [
        k
        for k in KS
        if np.mean([strength(points, trials, both, int(k), seed) for both in halves]) >= STRONG
    ]
    return int(max(strong, default=1))


def strength(points: Points, trials: WindowTrials, halves, k: int, seed: int) -> float:
    """Least share of pairs of an action of one half that the other half keeps together."""
    one, other = (trials(half, k, seed=seed).actions for half in halves)
    inside = np.isin(points.groups, halves[1])
    shares = []
    for action in np.unique(other[inside]):
        among = np.bincount(one[inside & (other == action)])
        n = among.sum()
        if n > 1:
            shares.append((among * (among - 1)).sum() / (n * (n - 1)))
    return min(shares)


def one_run(
    recordings: list[Recording],
    annotations: list[Annotation],
    seed: int,
    *,
    tried: bool,
    **bounds: int,
) -> dict[str, object]:
    """The suggestion and what the criteria say, and with how many labels to compare it."""
    started = time.perf_counter()
    choice = choose_k(recordings, seed=seed, **bounds)
    found: dict[str, object] = {
        "seconds": round(time.perf_counter() - started, 1),
        "suggestion": choice.n_actions,
        **{criterion.name: criterion.k for criterion in choice.criteria},
        "halved_by": choice.halved_by,
        "table": choice.table,
        "labels": n_labels(annotations),
    }
    if tried:
        points = points_of(
            recordings, patch_seconds=1.0, window_seconds=None, centre="auto", own_mean="person"
        )
        one_level = choose_k(recordings, seed=seed, alpha=1).criteria[0].k
        found |= {
            **of_table(choice),
            **of_windows(points, seed),
            "gaussian": against_gaussian(points, choice.table, seed),
            "one level": one_level,
        }
    return found


def half_of(data, seed: int) -> list[int]:
    """Recordings of a random half of the people, by index; half of the recordings if people are few."""
    people = [recording.person or "" for recording in data.recordings]
    names = people if len(set(people)) >= 4 else [recording.id for recording in data.recordings]
    kept, _ = halved(np.array(names), np.random.default_rng(1000 + seed))
    return [i for i, name in enumerate(names) if name in kept]


def runs_of(name: str, place: str, folder: Path, n_seeds: int, n_halves: int) -> None:
    """Everything for one dataset."""
    data = load_dataset(name, place)

    every = list(range(len(data.recordings)))
    tasks: dict[str, tuple[list[int], dict[str, int]]] = {
        **{f"all-{seed}": (every, {"seed": seed}) for seed in range(n_seeds)},
        **{f"half-{half}": (half_of(data, half), {"seed": half}) for half in range(n_halves)},
        **{f"max{k_max}-0": (every, {"seed": 0, "k_max": k_max}) for k_max in (12, 30)},
    }
    for title, (chosen, settings) in tasks.items():
        file = folder / f"{name}_{title}.json"
        if not file.exists():
            run = one_run(*parts(data, chosen), tried=title.startswith("all"), **settings)
            file.write_text(json.dumps(run, indent=1), encoding="utf-8")
        print(file.stem, json.loads(file.read_text(encoding="utf-8"))["suggestion"], flush=True)


def parts(data, chosen: list[int]) -> tuple[list[Recording], list[Annotation]]:
    """These recordings and their labels."""
    return [data.recordings[i] for i in chosen], [data.annotations[i] for i in chosen]


def page(folder: Path, names: list[str]) -> str:
    """All that is in the folder, as tables."""
    lines = ["# How far off the suggested number of actions is", ""]
    lines += [
        "Made by `benchmarks/accuracy/choose_k.py`. K from 2 to 20 but where said; off by: suggested"
    ]
    lines += ["less the number of labels that occur.", ""]
    for title, kind in (
        ("All recordings, over seeds", "all"),
        ("Random halves of the data", "half"),
    ):
        lines += [f"## {title}", "", *rows_of(folder, names, kind), ""]
    lines += ["## Other bounds, seed 0", "", *rows_of(folder, names, "max12"), ""]
    lines += ["(K to 12 above, to 30 below.)", "", *rows_of(folder, names, "max30"), ""]
    lines += ["## Criteria tried and not taken, all recordings", ""]
    lines += table(
        ["criterion", *names],
        [[said, *cells(folder, names, "all", key)] for said, key in TRIED.items()],
    )
    return "\n".join(lines) + "\n"


def rows_of(folder: Path, names: list[str], kind: str) -> list[str]:
    head = [
        "dataset",
        "labels",
        "runs",
        *SUGGESTED,
        "off by, each run",
        "within 1",
        "within 2",
        "seconds",
    ]
    rows = []
    for name in names:
        runs = found(folder, name, kind)
        if not runs:
            continue
        off = [run["suggestion"] - run["labels"] for run in runs]
        labels = sorted({run["labels"] for run in runs})
        rows.append(
            [
                name,
                "-".join(str(n) for n in dict.fromkeys((labels[0], labels[-1]))),
                len(runs),
                *(spread([run[key] for run in runs]) for key in SUGGESTED),
                ", ".join(f"{o:+d}" for o in off),
                sum(abs(o) <= 1 for o in off),
                sum(abs(o) <= 2 for o in off),
                f"{np.mean([run['seconds'] for run in runs]):.0f}",
            ]
        )
    return table(head, rows)


def cells(folder: Path, names: list[str], kind: str, key: str) -> list[str]:
    return [spread([run[key] for run in found(folder, name, kind)]) for name in names]


def found(folder: Path, name: str, kind: str) -> list[dict]:
    """Runs of a kind that are in the folder."""
    files = sorted(folder.glob(f"{name}_{kind}-*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def spread(values: list[int | None]) -> str:
    """Mean (deviation), and how often nothing was said."""
    told = [value for value in values if value is not None]
    silent = len(values) - len(told)
    if not told:
        return "cannot tell"
    deviation = f" ({np.std(told, ddof=1):.1f})" if len(told) > 1 else ""
    return f"{np.mean(told):.1f}{deviation}" + (f", {silent} cannot tell" if silent else "")


def table(head: list, rows: list[list]) -> list[str]:
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", nargs="+", metavar="DATASET=DIR")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/choose-k"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--halves", type=int, default=5)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    given.out.mkdir(parents=True, exist_ok=True)
    places = dict(item.split("=", 1) for item in given.data)
    for name, place in places.items():
        runs_of(name, place, given.out, given.seeds, given.halves)
    PAGE.write_text(page(given.out, list(places)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
