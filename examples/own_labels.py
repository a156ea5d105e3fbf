"""From clusters to your own labels: find actions, correct them, learn from that, predict others.

python examples/own_labels.py                                        all of it, made up
python examples/own_labels.py mine/ -k 6                             1: writes mine.csv; correct it
python examples/own_labels.py mine/ --labels mine.csv --new others/  2: learns, and labels others
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import histvq
from histvq.io import read_many
from histvq.io.labels.segment_table import read_labels


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the step that the arguments stand for, or all of it with made-up people."""
    asked = parse(arguments)
    if not asked.files:
        with_made_up_people(asked)
    elif asked.labels is None:
        find(read(asked.files), asked.k, asked.out)
        print(f"now correct the names and borders in {asked.out}, and call this with --labels")
    else:
        learn_and_label(read(asked.files), asked.labels, read(asked.new), asked.out)


def find(recordings: Sequence[histvq.Recording], k: int, table: Path) -> list[histvq.Segmentation]:
    """Find actions that nobody named, and write their segments into a table to be corrected."""
    method = histvq.make_method("histvq", preset="best", n_actions=k, random_state=0)
    answers = method.fit(recordings).predict(recordings)
    pd.concat([answer.segments("action") for answer in answers]).to_csv(table, index=False)
    return answers


def learn_and_label(
    recordings: Sequence[histvq.Recording],
    corrected: Path,
    new: Sequence[histvq.Recording],
    table: Path,
    **settings: object,
) -> list[histvq.Segmentation]:
    """Learn to name frames as the corrected table does, and label other recordings like that."""
    annotations = read_labels(corrected, recordings)
    method = histvq.make_method("ms-tcn", preset="ms-tcn-fast", random_state=0, **settings)
    answers = method.fit(recordings, annotations).predict(new)
    pd.concat([answer.segments() for answer in answers]).to_csv(table, index=False)
    print(f"wrote {table}")
    return answers


def with_made_up_people(asked: argparse.Namespace) -> None:
    """The whole way. The known answer of some people stands in for the person who corrects."""
    data = histvq.load_dataset("synthetic", n_people=4, recordings_per_person=2)
    at_hand, later = slice(0, 6), slice(6, 8)  # three people, and one who comes later
    found = find(data.recordings[at_hand], data.n_actions, asked.out)
    print(f"found:   {histvq.evaluate(found, data.annotations[at_hand])}")

    corrected = asked.out.with_stem(f"{asked.out.stem}-corrected")
    known = [
        histvq.Segmentation(
            recording_id=annotation.recording_id,
            fps=annotation.fps,
            actions=annotation.labels,
            names=dict(enumerate(annotation.actions)),
        )
        for annotation in data.annotations[at_hand]
    ]
    pd.concat([answer.segments() for answer in known]).to_csv(corrected, index=False)

    labels = asked.out.with_stem(f"{asked.out.stem}-new")
    # For made-up people, and to be done soon; the preset's own are for recordings of yours.
    quick = {"fps": 15.0, "epochs": 40, "min_steps": 0, "learning_rate": 0.002}
    answers = learn_and_label(
        data.recordings[at_hand], corrected, data.recordings[later], labels, **quick
    )
    print(f"learned: {histvq.evaluate(answers, data.annotations[later])} (somebody not seen)")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description="Find actions, have them corrected, learn from that, label other recordings."
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="recordings, or folders of them; made-up ones if none"
    )
    parser.add_argument("-k", type=int, default=8, help="how many actions to find (8)")
    parser.add_argument("--labels", type=Path, help="the corrected table of segments")
    parser.add_argument("--new", nargs="+", type=Path, default=[], help="recordings to be labelled")
    parser.add_argument(
        "-o", dest="out", type=Path, help="table to write (mine.csv; labelled.csv with --labels)"
    )
    asked = parser.parse_args(arguments)
    asked.out = asked.out or Path("labelled.csv" if asked.labels else "mine.csv")
    if asked.labels and not asked.new:
        parser.error("--labels needs --new: which recordings are to be labelled?")
    if asked.labels and asked.out == asked.labels:
        parser.error("-o is the corrected table itself: name another one")
    return asked


def read(files: Sequence[Path]) -> Sequence[histvq.Recording]:
    """The recordings in these files and folders; what is skipped is said."""
    readings = read_many(files)
    for file, reason in readings.skipped:
        print(f"skipped {file}: {reason}")
    return readings.recordings


if __name__ == "__main__":
    main()
