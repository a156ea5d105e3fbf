"""LARa: order picking and packing of 16 people in a logistics hall, optical motion capture.

Source: F. Niemann et al., "LARa: Creating a Dataset for Human Activity Recognition in Logistics Using
Semantic Attributes", Sensors 20(15), 2020; version 3 of the files and their preparation are those of SMQ
and HiST-VQ.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from histvq.datasets import Dataset, DatasetInfo, Prepared
from histvq.datasets._benchmark import Layout, as_dataset, check_choice, short, write_prepared
from histvq.datasets._lara_files import PERSONS, SOURCE, Chosen, Part, choose
from histvq.errors import ConfigError, FileFormatError
from histvq.io import Readings, ReadProgress, read_many
from histvq.io.lara import ANGLES, CHANNELS, FPS, JOINTS
from histvq.io.parts.lara_checks import Gaps
from histvq.io.parts.lara_labels import ACTIONS
from histvq.recording import Recording
from histvq.transforms import centre_on

Channels = Literal["all", "positions", "rotations"]

STEP = 4
ROOT = "root"
PATCH_SECONDS = 1.0
_CHANNELS: dict[Channels, tuple[str, ...]] = {
    "all": CHANNELS,
    "positions": CHANNELS[len(ANGLES) :],
    "rotations": ANGLES,
}

INFO = DatasetInfo(
    name="lara",
    title="Picking and packing of 16 people in a logistics hall, optical motion capture, 22 joints",
    n_persons=len(PERSONS),
    fps=FPS / STEP,
    joint_names=JOINTS,
    actions=ACTIONS,
    patch_seconds=PATCH_SECONDS,
    terms="free to download; the licence stands with the record: see before passing anything on",
    source=SOURCE,
    by_hand=f"{SOURCE} without registration; read the licence that stands there, then take the optical "
    "motion capture (OMoCap) and its labels",
    citation="F. Niemann et al., LARa: Creating a Dataset for Human Activity Recognition in Logistics "
    "Using Semantic Attributes, Sensors 20(15):4083, 2020",
)


def load(
    root: str | Path,
    *,
    channels: Channels = "all",
    part: Part = "all",
    version: int | None = None,
    gaps: Gaps = "interpolate",
    cut_to_shorter: bool = False,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Dataset:
    """Load the recordings from raw tables, or from what `prepare` made of them.

    Every fourth row of motion and labels, without a filter, makes 50 frames a second. The positions of
    a frame are taken relative to the root's; rotations stay as they are.

    Units: degrees and millimetres, side by side where all channels are taken.

    Args:
        root: Folder of the files, of either sort; subfolders are looked into.
        channels: `all` six, as the published benchmark; or the three of `positions` or `rotations`.
        part: The people of one part of the authors' division for recognition: `train`, `validation`
            or `test`; or `all`.
        version: 1 or 3, where the folder holds both.
        gaps: As in `histvq.io.lara.read_lara`.
        cut_to_shorter: As in `histvq.io.lara.read_lara`.
        benchmark: Stop unless it is version 3, of all 16 people, each recording with its labels.
        strict: Stop instead of skipping files, leaving out what has no labels, and mending values.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If there are no such files, versions are mixed, or, by `benchmark` or `strict`,
            files are missing or faulty.
        ConfigError: If an option is none of those, or the prepared files were made with other `gaps`.
    """
    check_choice("channels", channels, Channels)
    check_choice("part", part, Part)
    chosen = choose(Path(root), version=version, part=part, benchmark=benchmark, strict=strict)
    readings = _read(
        chosen, gaps=gaps, cut_to_shorter=cut_to_shorter, strict=strict, progress=progress
    )
    _check_prepared(readings.recordings, gaps=gaps)
    recordings = tuple(_with_channels(r, channels) for r in readings.recordings)
    return as_dataset(
        INFO.name,
        replace(readings, recordings=recordings),
        notes=(
            *chosen.notes,
            *_mended(chosen, recordings),
            *short(recordings, patch_seconds=PATCH_SECONDS),
        ),
    )


def prepare(
    raw: str | Path,
    out: str | Path,
    *,
    layout: Layout = "npz",
    version: int | None = None,
    gaps: Gaps = "interpolate",
    cut_to_shorter: bool = False,
    benchmark: bool = False,
    strict: bool = False,
    progress: ReadProgress | None = None,
) -> Prepared:
    """Convert the raw recordings: 50 frames a second, all six channels, positions relative to the root.

    Args:
        raw: Folder of the raw tables.
        out: Folder to write to; files of the same name are replaced.
        layout: `npz` keeps everything and is what `load` reads; `smq` is the folder layout that
            other tools read.
        version: As in `load`.
        gaps: As in `load`; `smq` has no place for missing values.
        cut_to_shorter: As in `load`.
        benchmark: As in `load`.
        strict: As in `load`.
        progress: As in `load`.

    Raises:
        FileFormatError: As `load`; also if an id cannot be a file's name.
        ConfigError: If the layout is neither, or has no place for what is missing.
    """
    check_choice("layout", layout, Layout)
    chosen = choose(Path(raw), version=version, benchmark=benchmark, strict=strict)
    readings = _read(
        chosen, gaps=gaps, cut_to_shorter=cut_to_shorter, strict=strict, progress=progress
    )
    return write_prepared(Path(out), readings, layout=layout, notes=chosen.notes)


def _read(
    chosen: Chosen,
    *,
    gaps: Gaps,
    cut_to_shorter: bool,
    strict: bool,
    progress: ReadProgress | None,
) -> Readings:
    if chosen.format == "histvq":
        return read_many(chosen.files, format="histvq", strict=strict, progress=progress)
    readings = read_many(
        chosen.files, format="lara", strict=strict, progress=progress, labels=chosen.root,
        gaps=gaps, cut_to_shorter=cut_to_shorter, stride=STEP,
    )  # fmt: skip
    return replace(readings, recordings=tuple(centre_on(r, ROOT) for r in readings.recordings))


def _check_prepared(recordings: Iterable[Recording], *, gaps: Gaps) -> None:
    """Raise where prepared files are not as `prepare` makes them, or were made with other `gaps`."""
    for recording in recordings:
        done = recording.metadata.get("gaps", gaps)
        if done != gaps:
            raise ConfigError(
                f"{recording.source}: prepared with gaps={done!r}, asked for {gaps!r}. Pass "
                f"gaps={done!r}, or prepare the raw files again"
            )
        if (recording.fps, recording.channel_names) != (INFO.fps, CHANNELS):
            raise FileFormatError(
                f"{recording.source}: {recording.fps:g} frames a second of "
                f"{', '.join(recording.channel_names)}: not as prepared for the benchmark. Make it "
                "with `histvq data prepare lara`"
            )


def _with_channels(recording: Recording, channels: Channels) -> Recording:
    if channels == "all":
        return recording
    names = _CHANNELS[channels]
    places = [recording.channel_names.index(name) for name in names]
    return recording.noted(
        f"channels={channels}",
        skeleton=np.ascontiguousarray(recording.skeleton[:, :, places]),
        channel_names=names,
        unit="degrees" if channels == "rotations" else recording.unit,
    )


def _mended(chosen: Chosen, recordings: Iterable[Recording]) -> list[str]:
    """What was done to prepared recordings: reading raw ones warns of it, these no longer do."""
    if chosen.format == "lara":
        return []
    mended = ("gaps(", "cut_to_shorter")
    return [f"{r.id}: {note}" for r in recordings for note in r.history if note.startswith(mended)]
