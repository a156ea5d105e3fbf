"""Find the actions in recordings of your own; write tables and pictures of them.

python examples/find_actions.py                            made-up recordings
python examples/find_actions.py my_recordings/ -k 6 -o out   yours
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import histvq
from histvq.io import read_many
from histvq.report import draw_timelines, usage_table


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, find, write, score."""
    asked = parse(arguments)
    recordings, annotations = recordings_of(asked)
    method = histvq.make_method("histvq", preset="best", n_actions=asked.k, random_state=0)
    answers = method.fit(recordings).predict(recordings)

    asked.out.mkdir(parents=True, exist_ok=True)
    segments = pd.concat([answer.segments() for answer in answers])
    segments.to_csv(asked.out / "segments.csv", index=False)
    usage = usage_table(answers)
    usage.to_csv(asked.out / "usage.csv", index=False)
    print(usage[["name", "total_s", "share", "n_segments", "median_s"]].round(2).to_string())

    # Labels that came with the files have no say in what is found; they are for comparison.
    labelled = [annotation for annotation in annotations if annotation is not None]
    known = {annotation.recording_id for annotation in labelled}
    scored = [answer for answer in answers if answer.recording_id in known]
    scores = histvq.evaluate(scored, labelled) if labelled else None
    if scores:
        print(scores)
    matched = scores.matched if scores else None
    for number, page in enumerate(draw_timelines(answers, labelled, matched), start=1):
        page.savefig(asked.out / f"timelines-{number}.png", dpi=120)
    draw_durations(segments).savefig(asked.out / "durations.png", dpi=120)
    print(f"tables and pictures are in {asked.out}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description="Find the actions in recordings; write tables and pictures of them."
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="recordings, or folders of them; made-up ones if none"
    )
    parser.add_argument("-k", type=int, default=8, help="how many actions to find (8)")
    parser.add_argument(
        "-o", dest="out", type=Path, default=Path("found"), help="folder to write to"
    )
    parser.add_argument("--fps", type=float, help="frames a second, where the files do not say")
    parser.add_argument("--unit", help="unit of the positions, as mm, where the files do not say")
    return parser.parse_args(arguments)


def recordings_of(
    asked: argparse.Namespace,
) -> tuple[Sequence[histvq.Recording], Sequence[histvq.Annotation | None]]:
    """The recordings, and the labels of those that have some."""
    if not asked.files:
        made_up = histvq.load_dataset("synthetic", n_people=3, recordings_per_person=2)
        return made_up.recordings, made_up.annotations
    said = {"fps": asked.fps, "unit": asked.unit}
    options = {name: value for name, value in said.items() if value is not None}
    readings = read_many(asked.files, **options)
    for file, reason in readings.skipped:
        print(f"skipped {file}: {reason}")
    return readings.recordings, readings.annotations


def draw_durations(segments: pd.DataFrame) -> plt.Figure:
    """How long the segments of each action last, in seconds."""
    actions = segments[segments["level"] == "action"]
    lengths = {name: rows["duration_s"].to_numpy() for name, rows in actions.groupby("name")}
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.4 * len(lengths)), layout="constrained")
    axes.boxplot(list(lengths.values()), tick_labels=list(lengths), orientation="horizontal")
    axes.set_xlabel("length of a segment in seconds")
    return figure


if __name__ == "__main__":
    main()
