"""OpenPose: one JSON file a frame, with the people in it and no word of who is who.

Source: OpenPose documentation, "Output", JSON output format.
"""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.asked import given_fps, given_unit, unit_name
from histvq.io.parts.json_values import list_in, numbers_in, object_in, read_json
from histvq.io.parts.keypoints import Found, recording_of, timeline
from histvq.io.parts.reader import Pair, Reader
from histvq.skeletons import SKELETONS

FORMAT = "OpenPose"
SUFFIX = "_keypoints.json"
BY_COUNT = {len(s.joint_names): s for s in (SKELETONS["coco-18"], SKELETONS["body-25"])}
# Versions before 1.1 call the flat ones `pose_keypoints`. Those of three dimensions come first: where
# OpenPose writes them, those of two are one camera's.
KEYS = {"pose_keypoints_3d": 3, "pose_keypoints_2d": 2, "pose_keypoints": 2}

_NAME = re.compile(r"(.*?)(\d+)_keypoints\.json", flags=re.IGNORECASE)

Row = tuple[int, dict[str, Any], str]  # frame, what is said of one person in it, where


def read_openpose(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    whom: str | None = None,
    min_confidence: float = 0.0,
) -> Pair:
    """Read a series of `<name>_<number>_keypoints.json`, one a frame; such files have no labels.

    Any file of a series stands for all of it. Numbers left out are frames without values. Body
    points only: those of hands and faces are not read.

    Units: pixels. Must be given for points from -1 to 1, as `keypoint_scale` makes them, and for those
        in three dimensions, which have that of the cameras' calibration.

    Args:
        path: The first file of the series, or any.
        fps: Frames a second, which the files do not say.
        unit: Unit of the points, where it must be given or is another.
        whom: To take where there are several: `main`, `all` or `best`, see
            `histvq.io.parts.keypoints.recording_of`. OpenPose does not say who is who, unless it was run
            with `tracking`; otherwise they are linked by nearest centre.
        min_confidence: Points with less are missing; with 0, those that were not found.

    Raises:
        FileFormatError: If a file is not as it should be, or there is nobody in any.
    """
    path = Path(path)
    fps = given_fps(fps, path, format=FORMAT)
    files = _series(path)
    first = files[min(files)]
    frames, n_frames = timeline(files, first, what="files")
    rows = [
        (frames[number], object_in(person, f"{file}, person {n}"), f"{file}, person {n}")
        for number, file in sorted(files.items())
        for n, person in enumerate(_people(file), start=1)
    ]
    key, points = _points(rows, first)
    if KEYS[key] == 3:
        unit = given_unit(unit, first, format="three-dimensional OpenPose")
    elif 0 < np.nanmax(np.abs(points[..., :-1]), initial=0) <= 1:  # no picture is one pixel wide
        unit = given_unit(unit, first, format="OpenPose", example="unknown")
    found = Found(
        points=points[..., :-1],
        confidence=points[..., -1],
        frames=np.array([frame for frame, _, _ in rows], dtype=np.intp),
        n_frames=n_frames,
        names=_names(rows),
    )
    recording = recording_of(
        found,
        BY_COUNT[points.shape[1]],
        path=first,
        id=_id(first),
        fps=fps,
        unit=unit_name(unit or "px"),
        whom=whom,
        min_confidence=min_confidence,
        metadata={"first_frame": min(files)},
    )
    return recording, None


def _people(path: Path) -> list[Any]:
    said = object_in(read_json(path), str(path))
    if "people" not in said:
        raise FileFormatError(
            f"{path}: no `people` in it, so it is not what OpenPose writes; it has "
            f"{', '.join(map(str, list(said)[:5])) or 'nothing'}"
        )
    return list_in(said["people"], f"{path}, people")


def _points(rows: list[Row], path: Path) -> tuple[str, np.ndarray]:
    """Under which key the points are, and the points, (found, joint, space and confidence)."""
    key = next((key for key in KEYS for _, person, _ in rows if person.get(key)), None)
    if key is None:
        raise FileFormatError(
            f"{path}: no people in it, or none with a body ({', '.join(KEYS)}), in any frame. "
            "Run OpenPose again, or leave the series out"
        )
    size = KEYS[key] + 1
    flat = [numbers_in(p.get(key) or [], f"{where}, {key}") for _, p, where in rows]
    width = next(len(values) for values in flat if len(values))
    for values, (_, _, where) in zip(flat, rows, strict=True):
        if len(values) % size or (len(values) and len(values) // size not in BY_COUNT):
            known = " or ".join(f"{n} ({s.name})" for n, s in BY_COUNT.items())
            raise FileFormatError(
                f"{where}, {key}: {len(values)} numbers, expected {size} for each of {known} points"
            )
        if len(values) not in (0, width):  # none: only a face or a hand was found
            raise FileFormatError(
                f"{where}, {key}: {len(values)} numbers, but {width} of the first: all people need "
                "the same points. Run OpenPose with one model"
            )
    none = np.full(width, np.nan)
    points = np.array([values if len(values) else none for values in flat])
    return key, points.reshape(len(flat), -1, size)


def _names(rows: list[Row]) -> list[str] | None:
    """Who each is, where OpenPose followed them: `person_id` is [-1] where it did not."""
    ids = [person.get("person_id") for _, person, _ in rows]
    ids = [id[0] if isinstance(id, list) and len(id) == 1 else id for id in ids]
    return [str(id) for id in ids] if all(type(id) is int and id >= 0 for id in ids) else None


# The series


def _series(path: Path) -> dict[int, Path]:
    """The files of the same name by their numbers."""
    match = _NAME.fullmatch(path.name)
    if not match:
        raise FileFormatError(
            f"{path}: OpenPose names its files <name>_<number>{SUFFIX}, one a frame, as "
            f"walk_000000000000{SUFFIX}. Name this one so"
        )
    files: dict[int, Path] = {}
    try:
        entries = [entry.name for entry in os.scandir(path.parent)]
    except OSError as error:
        raise FileFormatError(f"{path.parent}: cannot be read ({error.strerror})") from error
    for name in sorted(entries):
        number = _number(name, match[1])
        if number is None:
            continue
        if number in files:
            raise FileFormatError(
                f"{files[number]} and {name} are both frame {number}. Take one of them out"
            )
        files[number] = path.with_name(name)
    if not files:
        raise FileFormatError(f"{path}: there is no such file. Check the path")
    return files


def _number(name: str, series: str) -> int | None:
    """The number of a file of this series; None of another."""
    match = _NAME.fullmatch(name) if name.startswith(series) else None
    return int(match[2]) if match and match[1] == series else None


def _id(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return (match[1].rstrip("_-. ") if match else "") or path.absolute().parent.name or "openpose"


def _recognises(path: Path) -> bool:
    """Whether this is the first file of a series, which stands for all of it."""
    match = _NAME.fullmatch(path.name)
    if not match:
        return False
    mine = int(match[2])
    before = f"{match[1]}{mine - 1:0{len(match[2])}}{path.name[match.end(2) :]}"
    if mine and path.with_name(before).exists():  # so that a folder is not gone through for each
        return False
    try:
        with os.scandir(path.parent) as entries:
            others = (_number(entry.name, match[1]) for entry in entries)
            return not any(other is not None and other < mine for other in others)
    except OSError:
        return False


READER = Reader(
    description="OpenPose series, one file a frame",
    read=read_openpose,
    suffixes=(".json",),
    recognises=_recognises,
    beside=lambda path: bool(_NAME.fullmatch(path.name)) and not _recognises(path),
)
