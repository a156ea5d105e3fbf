"""Compare methods on labelled recordings: several seeds each, mean and standard deviation.

python examples/compare_methods.py                           made-up recordings
python examples/compare_methods.py labelled/ --seeds 5       yours, with labels in them

The yardsticks stand beside: k-means on windows, and the best answer that never changes.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

import histvq
from histvq.io import read_many

# A name for the table, and what `histvq.make_method` is given. Add yours as "module:Class".
METHODS: Mapping[str, Mapping[str, object]] = {
    "window k-means": {"name": "window-kmeans"},
    "HiST-VQ, preset best": {"name": "histvq", "preset": "best"},
    # Small, and trained for a moment only: take the settings out where it is to do its best.
    "SMQ, small": {"name": "smq", "n_maps": 8, "n_latent": 8, "epochs": 20, "min_steps": 0},
}
SCORES = ("MoF", "Edit", "F1@50", "JSD")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit every method with every seed, score it, and write the table."""
    asked = parse(arguments)
    recordings, annotations = labelled(asked.files)
    n_actions = len(annotations[0].actions)
    rows = []
    for title, chosen in METHODS.items():
        for seed in range(asked.seeds):
            method = histvq.make_method(**chosen, n_actions=n_actions, random_state=seed)
            answers = method.fit(recordings).predict(recordings)
            scores = histvq.evaluate(answers, annotations)
            values = (scores.mof, scores.edit, scores.f1[50], scores.jsd)
            rows.append({"method": title, "seed": seed, **dict(zip(SCORES, values, strict=True))})
        print(f"{title}: done")
    runs = pd.DataFrame(rows)
    runs.round(2).to_csv(asked.out, index=False)

    grouped = runs.groupby("method", sort=False)[list(SCORES)]
    mean, sd = grouped.mean(), grouped.std(ddof=1)
    print(f"mean (standard deviation) of {asked.seeds} seeds, in percent; JSD: lower is better")
    print((mean.map("{:.1f}".format) + sd.map(" ({:.1f})".format)).to_string())
    print(f"an answer that never changes: MoF {scores.protocol['majority_percent']:.1f}")
    print(f"every run is in {asked.out}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Compare methods on labelled recordings.")
    parser.add_argument(
        "files", nargs="*", type=Path, help="labelled recordings, or folders; made-up ones if none"
    )
    parser.add_argument("--seeds", type=int, default=3, help="runs of each method (3)")
    parser.add_argument(
        "-o", dest="out", type=Path, default=Path("comparison.csv"), help="table to write"
    )
    return parser.parse_args(arguments)


def labelled(
    files: Sequence[Path],
) -> tuple[Sequence[histvq.Recording], Sequence[histvq.Annotation]]:
    """The recordings that have labels, and these."""
    if not files:
        made_up = histvq.load_dataset(
            "synthetic", n_people=4, recordings_per_person=2, seconds=20.0, fps=15.0
        )
        return made_up.recordings, made_up.annotations
    readings = read_many(files)
    pairs = [
        (recording, annotation)
        for recording, annotation in zip(readings.recordings, readings.annotations, strict=True)
        if annotation is not None
    ]
    if not pairs:
        raise SystemExit("none of these recordings has labels: there is nothing to compare with")
    return [recording for recording, _ in pairs], [annotation for _, annotation in pairs]


if __name__ == "__main__":
    main()
