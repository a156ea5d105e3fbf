"""BABEL subsets from what one downloads: labels of BABEL, motion of AMASS, a body model."""

from collections import Counter
from pathlib import Path

import numpy as np

from histvq.datasets._babel_labels import Labelled, read_labels
from histvq.datasets._babel_motion import find_model, find_motion, read_model, read_positions
from histvq.datasets._babel_prepared import (
    CLOSED,
    KEPT,
    SPLITS,
    Found,
    annotation_of,
    recording_of,
)
from histvq.errors import FileFormatError
from histvq.io import ReadProgress
from histvq.io.parts.body_model import BodyModel


def find_annotations(root: Path) -> list[Path]:
    """`train.json` and `val.json` in a folder, or in one within it."""
    named = [f"{split}.json" for split in SPLITS]
    return [
        file for name in named for file in sorted([*root.glob(name), *root.glob(f"*/{name}")])[:1]
    ]


def read_raw(
    root: Path,
    files: list[Path],
    subset: int,
    *,
    body_model: Path,
    benchmark: bool,
    progress: ReadProgress | None,
) -> Found:
    """Sequences of the subset, in millimetres.

    Args:
        root: Folder of AMASS.
        files: Of `find_annotations`.
        subset: 1, 2 or 3.
        body_model: The male SMPL+H model, or a folder that has it.
        benchmark: As in `histvq.datasets.babel`.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If labels or body model are not as they should be.
    """
    model = read_model(find_model(body_model))
    found, left_out = Found(), Counter[str]()
    chosen: list[tuple[str, Labelled]] = []
    for file in files:
        sequences, others = read_labels(file, subset, close_gaps=benchmark)
        chosen += [(file.stem, sequence) for sequence in sequences]
        left_out += others
    found.notes += [f"{count} sequences left out: {rule}" for rule, count in left_out.items()]
    found.notes += _notes([sequence for _, sequence in chosen], model, benchmark=benchmark)
    short = []
    for done, (split, sequence) in enumerate(chosen, start=1):
        file = find_motion(root, sequence.motion) or root / sequence.motion
        try:
            metres = _positions(file, sequence, model, mean_hands=benchmark)
        except FileFormatError as error:
            found.skipped.append((file, str(error)))
        else:
            labels = sequence.labels[: len(metres)]
            found.annotations.append(annotation_of(sequence.id, labels, subset))
            found.recordings.append(
                recording_of(
                    sequence.id,
                    metres,
                    source=file,
                    split=split,
                    gaps=CLOSED if benchmark else KEPT,
                    person="/".join(sequence.motion.parts[1:-1]),
                )
            )
            if n_missing := len(sequence.labels) - len(labels):
                short.append(f"{sequence.id} {n_missing}")
        if progress is not None:
            progress(done, len(chosen), file)
    if short:
        found.warnings.append(
            f"{len(short)} motions end before their labels, which are cut; sequences and frames: "
            f"{', '.join(short[:10])}{' ...' if len(short) > 10 else ''}"
        )
    return found


def _positions(file: Path, sequence: Labelled, model: BodyModel, *, mean_hands: bool) -> np.ndarray:
    if not file.is_file():
        raise FileFormatError(f"{file}: sequence {sequence.id}: no such motion")
    return read_positions(file, model, n_frames=len(sequence.labels), mean_hands=mean_hands)


def _notes(sequences: list[Labelled], model: BodyModel, *, benchmark: bool) -> list[str]:
    notes = []
    if n_gaps := sum(sequence.has_gap for sequence in sequences):
        what = "labels after them come too early, as published" if benchmark else "they are 'none'"
        notes.append(f"{n_gaps} sequences with frames nobody annotated between others: {what}")
    if n_frames := sum(sequence.n_several for sequence in sequences):
        n = sum(sequence.n_several > 0 for sequence in sequences)
        notes.append(
            f"{n_frames} frames of {n} sequences with several of the four actions: the first of the "
            "subset's list was taken; which one was published is chance"
        )
    if benchmark and model.hands is None:
        notes.append(
            f"{model.path.name} has no mean pose of the hands, which the published preparation adds: "
            "tips of thumbs and index fingers differ from it"
        )
    return notes
