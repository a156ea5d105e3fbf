"""Whether confidence means something: the share of frames that are right, by how confident an answer is.

    python benchmarks/accuracy/confidence.py hugadb DATA_DIR --seeds 5 --methods window-kmeans histvq

Frames with a label are put in order of their confidence and cut into ten parts of one size; a frame is
right by one Hungarian matching over all recordings. Writes a table and a figure beside it. A method is
named alone, for its light preset on the dataset, or as METHOD:PRESET (also a TOML file).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import argparse
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.fits import Fit, answers_of, made_by, run_missing
from benchmarks.accuracy.pages import leave, mean_sd, table
from benchmarks.accuracy.rightness import area, falls, shares_by_confidence
from histvq.annotation import Annotation
from histvq.errors import HistvqError
from histvq.evaluation import evaluate, matched_labels
from histvq.segments import Segmentation
from histvq.writing import atomically

METHODS = ("window-kmeans", "histvq", "smq")
N_PARTS = 10


def measured(
    answers: Sequence[Segmentation], annotations: Sequence[Annotation]
) -> dict[str, list[float]] | None:
    """Curve, halves, area and falls of one run; None where the method says no confidence."""
    if any(answer.confidence is None for answer in answers):
        return None
    confidence = np.concatenate([answer.confidence for answer in answers])
    labels = matched_labels(answers, annotations, evaluate(answers, annotations, matching="global"))
    found = np.concatenate([labels[answer.recording_id] for answer in answers])
    true = np.concatenate([annotation.labels for annotation in annotations])
    labelled = true >= 0
    confidence, right = confidence[labelled], (found == true)[labelled]
    curve = 100 * shares_by_confidence(confidence, right, N_PARTS)
    return {
        "curve": curve.tolist(),
        "halves": (100 * shares_by_confidence(confidence, right, 2)).tolist(),
        "area": [area(confidence, right)],
        "falls": [falls(curve)],
    }


def page(found: Mapping[str, Sequence[dict[str, list[float]]]], *, heading: str) -> str:
    """The curves and what they come to, in Markdown."""
    curves, sums = [], []
    for name, runs in found.items():
        if not runs:
            sums.append([name, "0", "no confidence", "", "", ""])
            continue
        curve = np.array([run["curve"] for run in runs])
        curves.append([name, *(mean_sd(column) for column in curve.T)])
        low, high = np.array([run["halves"] for run in runs]).T
        areas = [run["area"][0] for run in runs]
        spread = f" ({np.std(areas, ddof=1):.3f})" if len(runs) > 1 else ""
        sums.append(
            [
                name,
                str(len(runs)),
                mean_sd(low),
                mean_sd(high),
                f"{np.mean(areas):.3f}{spread}",
                mean_sd([run["falls"][0] for run in runs]),
            ]
        )
    parts = [f"{part + 1}" for part in range(N_PARTS)]
    return "\n".join(
        [
            f"# {heading}\n",
            "Frames that are right, %, by tenth of confidence, the least confident first; mean "
            "(standard deviation) over seeds.\n",
            table(["method", *parts], curves),
            "Area: how often a frame that is right is more confident than one that is wrong, ties half "
            "(0.5 means nothing). Falls: points the curve goes down on its way, all together.\n",
            table(["method", "seeds", "less confident half", "more", "area", "falls"], sums),
        ]
    )


def draw(found: Mapping[str, Sequence[dict[str, list[float]]]], place: Path) -> None:
    """The curves as SVG: means, and a band as wide as the deviation between seeds."""
    from matplotlib.figure import Figure

    from histvq.report.palette import look_of

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    parts = np.arange(1, N_PARTS + 1)
    for number, (name, runs) in enumerate((n, r) for n, r in found.items() if r):
        curve = np.array([run["curve"] for run in runs])
        mean, spread = curve.mean(axis=0), curve.std(axis=0, ddof=int(len(runs) > 1))
        colour = look_of(number).colour
        axes.plot(parts, mean, marker="o", color=colour, label=name)
        axes.fill_between(parts, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
    axes.set(xlabel="tenth of confidence, most confident last", ylabel="frames that are right, %")
    axes.set(xticks=parts, ylim=(0, 100))
    axes.legend(frameon=False)
    atomically(place, lambda part: figure.savefig(part, format="svg", metadata={"Date": None}))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("data", nargs="?", help="folder of the dataset's files")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/study"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=METHODS, metavar="METHOD[:PRESET]")
    given = parser.parse_args()
    data = Data.load(given.dataset, given.data)
    fits = {
        name: [
            Fit.to(data, *data.chosen(name), seed=seed, people=data.people)
            for seed in range(given.seeds)
        ]
        for name in given.methods
    }
    failed = run_missing(fits, given.out, jobs=given.jobs)
    found = {}
    for name, of_one in fits.items():
        done = [fit for fit in of_one if fit.place(given.out).exists()]
        runs = [
            measured(answers_of(fit, given.out, data.dataset), data.dataset.annotations)
            for fit in done
        ]
        found[name] = [run for run in runs if run is not None]
    text = page(
        found, heading=f"Confidence on {given.dataset} (code {made_by(fits.values(), given.out)})"
    )
    place = given.out / f"confidence-{given.dataset}.md"
    draw(found, place.with_suffix(".svg"))
    leave(place, text, found, failed=failed)


if __name__ == "__main__":
    try:
        main()
    except HistvqError as error:
        sys.exit(f"error: {error}")
