"""DeepLabCut: keypoints of animals in video, as `.csv` or as pandas' `.h5`.

The columns have three levels of names, `scorer`, `bodyparts` and `coords`, or four with
`individuals` after `scorer` (multi-animal projects); the rows are frames of the video.

Source: DeepLabCut's documentation, "Standard use: output of analyze_videos"; Lightning Pose writes
the same table.
"""

import warnings
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.asked import given_fps, given_unit
from histvq.io.parts.hdf5 import MAGIC, holds
from histvq.io.parts.individuals import Tracks, check_confidence, to_recording
from histvq.io.parts.named_table import PICTURES, NamedTable, read_csv_table
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.pandas_hdf import read_hdf_table
from histvq.io.parts.reader import Pair, Reader, head

LEVELS = (("scorer", "bodyparts", "coords"), ("scorer", "individuals", "bodyparts", "coords"))
AXES = ({"x", "y"}, {"x", "y", "z"})
LIKELIHOOD = "likelihood"
KEY = "df_with_missing"  # of the table in HDF5

# Frames a row may stand for: beyond that, the numbers are no frames of one video.
_MOST_FRAMES_A_ROW = 10


def read_deeplabcut(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    min_confidence: float = 0.6,
) -> Pair:
    """Read the keypoints DeepLabCut found in one video.

    Several individuals stand side by side, with joints `individual/bodypart`. Frames without a row
    become missing values, with a warning; where the first row is not frame 0, its number stands in
    the metadata as `first_frame`.

    Units: pixels of the video. Triangulated (3-D) tables have the unit of the calibration, which
        they do not say.

    Args:
        path: `.csv` or `.h5`, as `analyze_videos` and `filterpredictions` write them.
        fps: Frames a second; must be given, the files do not say it.
        unit: Unit of the positions; must be given for 3-D tables, pixels otherwise.
        min_confidence: Positions with a lower likelihood become missing; 0 keeps all.

    Raises:
        FileFormatError: If the table is not as it should be; names file, line and column.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="DeepLabCut")
    check_confidence(min_confidence)
    table = _read_table(path)
    scorer, joints = _joints(table.columns, path)
    first, values = _by_frame(table, path)
    axes = [name for name in next(iter(joints.values())) if name != LIKELIHOOD]
    rated = all(LIKELIHOOD in places for places in joints.values())
    tracks = Tracks(
        names=tuple(joints),
        positions=values[:, [[places[axis] for axis in axes] for places in joints.values()]],
        confidence=values[:, [p[LIKELIHOOD] for p in joints.values()]] if rated else None,
    )
    if unit is None and len(axes) == 2:
        unit = "px"
    recording = to_recording(
        tracks,
        path=path,
        id=path.stem,
        fps=fps,
        unit=given_unit(unit, path, format="3-D DeepLabCut"),
        min_confidence=min_confidence,
        metadata={"scorer": scorer} | ({"first_frame": first} if first else {}),
    )
    return recording, None


def _read_table(path: Path) -> NamedTable:
    if path.suffix.lower() in (".h5", ".hdf5") or head(path, len(MAGIC)) == MAGIC:
        return read_hdf_table(path, key=KEY, n_levels=tuple(map(len, LEVELS)))
    return read_csv_table(path, LEVELS)


def _joints(
    columns: tuple[tuple[str, ...], ...], path: Path
) -> tuple[str, dict[tuple[str, str], dict[str, int]]]:
    """Who found the keypoints; and of each individual's keypoint, the column of each coordinate.

    Coordinates come in the order x, y, z, likelihood, whatever their order in the file.
    """
    if any("" in names for names in columns):
        # The names of pictures fill three columns, and pandas names one of them.
        raise FileFormatError(f"{path}: a column without a name. {AGAIN}; or {PICTURES}")
    scorers = sorted({names[0] for names in columns})
    if len(scorers) != 1:
        raise FileFormatError(
            f"{path}: {len(scorers)} scorers, {', '.join(scorers[:3])}; expected one. Give each a "
            "file of its own"
        )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for column, (_, *individual, keypoint, coordinate) in enumerate(columns):
        places = found.setdefault(("".join(individual), keypoint), {})
        if coordinate in places:
            raise FileFormatError(
                f"{path}: {' '.join((*individual, keypoint))} has {coordinate} twice. Each needs a "
                "name of its own"
            )
        places[coordinate] = column
    expected = set(next(iter(found.values())))
    for name, places in found.items():
        if set(places) != expected or expected - {LIKELIHOOD} not in AXES:
            raise FileFormatError(
                f"{path}, {' '.join(name).strip()}: has {', '.join(places)}; expected x, y, "
                f"perhaps z, and likelihood, the same for every keypoint. {AGAIN}"
            )
    order = [name for name in ("x", "y", "z", LIKELIHOOD) if name in expected]
    people = {who: person for person, who in enumerate(dict.fromkeys(who for who, _ in found))}
    return scorers[0], {
        name: {axis: found[name][axis] for axis in order}
        for name in sorted(found, key=lambda name: people[name[0]])
    }


def _by_frame(table: NamedTable, path: Path) -> tuple[int, np.ndarray]:
    """The first frame's number, and a row for each frame from there on, NaN where none was."""
    frames, values = table.frames, table.values
    if not len(frames):
        raise FileFormatError(f"{path}: no frame in it. {AGAIN}, or leave it out")
    numbers, counts = np.unique(frames, return_counts=True)
    if (counts > 1).any():
        raise FileFormatError(
            f"{path}: frame {numbers[counts > 1][0]} is there {counts.max()} times. Each frame "
            "has one row: the file may be two put together"
        )
    first, n_frames = int(numbers[0]), int(numbers[-1] - numbers[0]) + 1
    if n_frames > _MOST_FRAMES_A_ROW * len(frames):
        raise FileFormatError(
            f"{path}: {len(frames)} rows for the frames {first} to {numbers[-1]}: nearly all are "
            "missing. Give a table with a row for each frame of the video"
        )
    if n_frames == len(frames) and (np.diff(frames) == 1).all():
        return first, values
    filled = np.full((n_frames, values.shape[1]), np.nan)
    filled[frames - first] = values
    if n_frames > len(frames):
        warnings.warn(
            f"{path}: no row for {n_frames - len(frames)} of the {n_frames} frames {first} to "
            f"{numbers[-1]}; they are taken as missing",
            DataWarning,
            stacklevel=3,
        )
    return first, filled


def _recognises(path: Path) -> bool:
    """Whether the table has DeepLabCut's key, or the names of its levels."""
    if holds(path, KEY):
        return True
    lines = head(path, 1 << 16).decode("utf-8-sig", errors="replace").splitlines()
    begins = [line.partition(",")[0] for line in lines[:2]]
    return begins[:1] == ["scorer"] and begins[1:] in ([], ["bodyparts"], ["individuals"])


def _beside(path: Path) -> bool:
    """Whether the same table lies beside it as HDF5: DeepLabCut writes both."""
    return path.suffix.lower() == ".csv" and path.with_suffix(".h5").exists() and _recognises(path)


READER = Reader(
    description="DeepLabCut table",
    read=read_deeplabcut,
    suffixes=(".csv", ".h5"),
    recognises=_recognises,
    beside=_beside,
)
