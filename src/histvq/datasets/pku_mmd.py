"""PKU-MMD version 2: 13 people act in front of three Kinects, 41 actions and the background between them.

Source: C. Liu, Y. Hu, Y. Li, S. Song and J. Liu, "PKU-MMD: A Large Scale Benchmark for Continuous
Multi-Modal Human Action Understanding", 2017; divided as published with it. This module's default is the
cross-subject division; `pku-mmd-cross-view` has the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets import Dataset, DatasetInfo, Prepared
from histvq.datasets._benchmark import (
    Layout,
    as_dataset,
    check_choice,
    short,
    write_prepared,
)
from histvq.datasets._pku_mmd_files import SIZES, SOURCE, Chosen, Part, Split, choose
from histvq.errors import ConfigError
from histvq.io import Readings, ReadProgress, read_many
from histvq.io.parts.labels_folder import labels_folder
from histvq.io.parts.pku_mmd_labels import ACTIONS, BACKGROUND, NOT_IN_VERSION_2
from histvq.io.pku_mmd import FPS, JOINTS, Person
from histvq.recording import Recording
from histvq.transforms import centre_on, fill_gaps, to_unit

Background = Literal["keep", "ignore"]
Unit = Literal["m", "mm"]

ROOT = "spine_base"
LONGEST_GAP_FRAMES = 10
PATCH_SECONDS = 1.0
NAMES: dict[Split, str] = {"cross-subject": "pku-mmd", "cross-view": "pku-mmd-cross-view"}

INFO = DatasetInfo(
    name="pku-mmd",
    title="41 everyday actions of 13 people, Kinect skeletons from three views; tested across people",
    n_recordings=SIZES["cross-subject"]["all"],
    n_persons=13,
    fps=FPS,
    joint_names=JOINTS,
    actions=tuple(name for code, name in enumerate(ACTIONS) if code not in NOT_IN_VERSION_2),
    patch_seconds=PATCH_SECONDS,
    terms="for research, with the authors' permission; do not publish again",
    source=SOURCE,
    by_hand=f"for research use, by the links of {SOURCE}",
    citation="C. Liu, Y. Hu, Y. Li, S. Song, J. Liu, PKU-MMD: A Large Scale Benchmark for Continuous "
    "Multi-Modal Human Action Understanding, 2017",
)


def load(
    root: str | Path,
    *,
    split: Split = "cross-subject",
    part: Part = "all",
    person: Person = "first",
    background: Background = "keep",
    unit: Unit = "m",
    labels: str | Path | None = None,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load the recordings from raw text, or from what `prepare` made of them.

    Gaps of up to ten frames are filled, longer ones stay missing; positions are taken relative to the
    base of the spine of the same person and frame.

    Args:
        root: Folder of the files, of either sort; subfolders are looked into, also for the labels and
            for `cross_subject_v2.txt` or `cross_view_v2.txt`, which say what belongs to which part.
        split: `cross-subject` or `cross-view`; recordings are the same, parts and the name differ.
        part: `train` or `test` recordings of the division, or `all`.
        person: As in `histvq.io.pku_mmd.read_pku_mmd`.
        background: `keep` it as an action like the others, or `ignore` its frames: their label is -1.
        unit: `m`, as the files have it, or `mm`.
        labels: Folder of the labels files, where it is not in `root`.
        benchmark: Stop unless all recordings are there, each with its labels.
        strict: Stop instead of skipping files, leaving out what has no labels, and mending them.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If there are no such files, or, by `benchmark` or `strict`, files are missing
            or faulty.
        ConfigError: If an option is none of those, or prepared files are of another `person`.
    """
    for option, value, known in (
        ("split", split, Split), ("part", part, Part), ("background", background, Background),
        ("unit", unit, Unit),
    ):  # fmt: skip
        check_choice(option, value, known)
    chosen = choose(
        Path(root), split=split, part=part, labels=labels_folder(labels),
        benchmark=benchmark, strict=strict,
    )  # fmt: skip
    readings = _read(chosen, person=person, strict=strict, progress=progress)
    _check_prepared(readings.recordings, person=person)
    notes = _notes(chosen, readings.recordings)
    readings = replace(
        readings,
        recordings=tuple(to_unit(recording, unit) for recording in readings.recordings),
        annotations=tuple(
            _without_background(a) if a and background == "ignore" else a
            for a in readings.annotations
        ),
    )
    return as_dataset(NAMES[split], readings, notes=notes)


def prepare(
    raw: str | Path,
    out: str | Path,
    *,
    layout: Layout = "npz",
    person: Person = "first",
    labels: str | Path | None = None,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Prepared:
    """Convert the raw recordings, of all parts: short gaps filled, centred, in metres.

    Args:
        raw: Folder of the raw text files.
        out: Folder to write to; files of the same name are replaced. Copy the files that say what
            belongs to which part there too, if others than the published ones.
        layout: `npz` keeps everything and is what `load` reads; `smq` is the folder layout that other
            tools read, with 0 where something is missing, as in the raw files.
        person: As in `load`.
        labels: As in `load`.
        benchmark: As in `load`.
        strict: As in `load`.
        progress: As in `load`.

    Raises:
        FileFormatError: As `load`.
        ConfigError: If an option is none of those.
    """
    check_choice("layout", layout, Layout)
    chosen = choose(
        Path(raw), split="cross-subject", part="all",
        labels=labels_folder(labels), benchmark=benchmark, strict=strict,
    )  # fmt: skip
    readings = _read(chosen, person=person, strict=strict, progress=progress)
    notes = _notes(chosen, readings.recordings)
    if layout == "smq":
        readings = replace(readings, recordings=tuple(map(_with_zeros, readings.recordings)))
    return write_prepared(Path(out), readings, layout=layout, notes=notes)


def _read(
    chosen: Chosen, *, person: Person, strict: bool, progress: ReadProgress | None
) -> Readings:
    if chosen.format == "histvq":
        return read_many(chosen.files, format="histvq", strict=strict, progress=progress)
    readings = read_many(
        chosen.files, format="pku-mmd", strict=strict, progress=progress, labels=chosen.labels,
        person=person,
    )  # fmt: skip
    return replace(readings, recordings=tuple(map(_prepared, readings.recordings)))


def _prepared(recording: Recording) -> Recording:
    filled = fill_gaps(recording, max_gap_s=LONGEST_GAP_FRAMES / recording.fps)
    return centre_on(filled, ROOT)


def _without_background(annotation: Annotation) -> Annotation:
    labels = annotation.labels
    return replace(annotation, labels=np.where(labels == BACKGROUND, -1, labels))


def _with_zeros(recording: Recording) -> Recording:
    return recording.noted("missing values are 0", skeleton=np.nan_to_num(recording.skeleton))


def _check_prepared(recordings: Iterable[Recording], *, person: Person) -> None:
    """Raise where prepared files are of another choice of `person`."""
    for recording in recordings:
        done = recording.metadata.get("bodies")
        if done != person:
            raise ConfigError(
                f"{recording.source}: prepared with person={done!r}, asked for {person!r}. Pass "
                f"person={done!r}, or prepare the raw files again"
            )


def _notes(chosen: Chosen, recordings: Sequence[Recording]) -> list[str]:
    """What was left aside, and what of the recordings one should know before believing results."""
    notes = list(chosen.notes)
    overlapping = [r.metadata.get("overlapping_frames", 0) for r in recordings]
    n_frames = sum(count for count in overlapping if isinstance(count, int))
    if n_frames:
        notes.append(
            f"{n_frames} frames of {sum(map(bool, overlapping))} recordings have several actions; the "
            "one that starts last counts"
        )
    gaps = {r.id: _unseen(r) for r in recordings if r.metadata.get("bodies") != "both"}
    unseen = {id: runs for id, runs in gaps.items() if runs}
    if unseen:
        longest = max(unseen, key=lambda id: max(unseen[id]))
        notes.append(
            f"nobody to be seen in {sum(map(sum, unseen.values()))} frames of {len(unseen)} recordings "
            "(gaps that are too long to fill, or at an end); the longest run has "
            f"{max(unseen[longest])} frames, in {longest}"
        )
    return [*notes, *short(recordings, patch_seconds=PATCH_SECONDS)]


def _unseen(recording: Recording) -> list[int]:
    """Lengths of the runs of frames in which no joint was tracked."""
    empty = np.isnan(recording.skeleton).all(axis=(1, 2))
    edges = np.flatnonzero(np.diff(empty, prepend=False, append=False))
    return (edges[1::2] - edges[::2]).tolist()
