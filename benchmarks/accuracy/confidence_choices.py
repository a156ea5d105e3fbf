"""Other ways for window k-means to say how confident it is, none of which knows a label.

    python benchmarks/accuracy/confidence_choices.py hugadb DATA_DIR --seeds 5 --people odd \\
        > benchmarks/accuracy/results/confidence-choices-hugadb-odd.md

`margin` is what the method says, 1 - d / d'; `certainty` and its rank are those of
`histvq.nn.confidence`; `agreement` is the share of a patch and its two neighbours that have its action.
Prints a page.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import argparse
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.data import Data, halves
from benchmarks.accuracy.pages import mean_sd, table
from benchmarks.accuracy.rightness import area, falls, shares_by_confidence
from histvq.annotation import Annotation
from histvq.errors import HistvqError
from histvq.evaluation import evaluate, matched_labels
from histvq.models import make_method
from histvq.nn.clustering import distances_to
from histvq.nn.confidence import certainty, rank_within_action, steps_of, usual_distance
from histvq.recording import Recording


def choices(
    distances: np.ndarray, parents: np.ndarray, recording: np.ndarray
) -> dict[str, np.ndarray]:
    """Confidence of every patch, in each way.

    Args:
        distances: (patch, subaction).
        parents: The action of each subaction.
        recording: (patch,): the recording each patch is of, in order.
    """
    subactions = distances.argmin(axis=1)
    actions = parents[subactions]
    others = np.where(parents == actions[:, None], np.inf, distances).min(axis=1)
    margin = 1 - distances.min(axis=1) / np.maximum(others, np.finfo(float).tiny)
    sure = certainty(distances, parents, usual=usual_distance(distances))

    def ranked(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return rank_within_action(values, codes, steps_of(values, codes, n_actions=len(parents)))

    return {
        "margin": margin,
        "margin, rank within the action": ranked(margin, actions),
        "certainty": sure,
        "certainty, rank within the subaction": ranked(sure, subactions),
        "certainty, rank within the action": ranked(sure, actions),
        "agreement": agreement(actions, recording),
    }


def agreement(actions: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """Share of each patch and its neighbours in the recording that have its action."""
    same, known = np.ones(len(actions)), np.ones(len(actions))
    beside = recording[1:] == recording[:-1]
    alike = beside & (actions[1:] == actions[:-1])
    for here in (slice(1, None), slice(None, -1)):
        known[here] += beside
        same[here] += alike
    return same / known


def curves(
    method: Any, recordings: Sequence[Recording], annotations: Sequence[Annotation]
) -> dict[str, dict[str, Any]]:
    """What each way comes to for a fitted window k-means."""
    answers = method.predict(recordings)
    labels = matched_labels(answers, annotations, evaluate(answers, annotations, matching="global"))
    true = np.concatenate([annotation.labels for annotation in annotations])
    found = np.concatenate([labels[recording.id] for recording in recordings])
    # The method's own patches: there is no public way to them.
    statistics = [method._statistics(recording) for recording in recordings]
    pairs = zip(recordings, statistics, strict=True)
    points, known = zip(*(method._points(*pair) for pair in pairs), strict=True)
    sizes = [len(of_one) for of_one in points]
    starts = np.cumsum([0, *sizes[:-1]])
    patches = np.concatenate([s.patches + at for s, at in zip(statistics, starts, strict=True)])
    distances = distances_to(np.concatenate(points), method.centres_)
    recording = np.repeat(np.arange(len(recordings)), sizes)
    scored = (true >= 0) & np.concatenate(known)[patches]
    right = (found == true)[scored]
    said = {}
    for name, values in choices(distances, method.parents_, recording).items():
        confidence = values[patches][scored]
        curve = 100 * shares_by_confidence(confidence, right, 10)
        low, high = 100 * shares_by_confidence(confidence, right, 2)
        said[name] = {
            "curve": curve, "area": area(confidence, right), "gap": high - low, "falls": falls(curve)
        }  # fmt: skip
    return said


def page(runs: Sequence[Mapping[str, dict[str, Any]]]) -> str:
    """A row for each way: area, halves apart, falls, and the mean curve."""
    lines = []
    for name in runs[0]:
        of_one = [run[name] for run in runs]
        areas = [run["area"] for run in of_one]
        curve = np.mean([run["curve"] for run in of_one], axis=0)
        lines.append(
            [
                name,
                f"{np.mean(areas):.3f} ({np.std(areas, ddof=1):.3f})",
                mean_sd([run["gap"] for run in of_one], signed=True),
                mean_sd([run["falls"] for run in of_one]),
                " ".join(f"{value:.0f}" for value in curve),
            ]
        )
    return table(["confidence", "area", "halves apart", "falls", "right by tenth, %"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("data", nargs="?", help="folder of the dataset's files")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--people", choices=("odd", "even", "all"), default="all")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data = Data.load(given.dataset, given.data)
    people = halves(data.people, given.people)
    places = [n for n, r in enumerate(data.dataset.recordings) if (r.person or "") in people]
    recordings = [data.dataset.recordings[place] for place in places]
    annotations = [data.dataset.annotations[place] for place in places]
    name, params = data.chosen("window-kmeans")
    runs = []
    for seed in range(given.seeds):
        method: Any = make_method(name, **params, random_state=seed)
        runs.append(curves(method.fit(recordings), recordings, annotations))
    whose = f"{given.dataset}, {given.people} people, {given.seeds} seeds"
    print(
        f"# Window k-means, other ways to say how confident it is: {whose}\n\n{page(runs)}", end=""
    )


if __name__ == "__main__":
    try:
        main()
    except HistvqError as error:
        sys.exit(f"error: {error}")
