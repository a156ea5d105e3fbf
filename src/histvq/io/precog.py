"""PRECOG 2016: Kinect skeletons of short martial-arts actions, one action a frame.

Source: D. Jardim, PRECOG Dataset 2016 (repo DavidJardim/precog_dataset_16, MIT).
"""

import re
from pathlib import Path

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed_text
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording

JOINTS = (
    "HipCenter", "Spine", "ShoulderCenter", "Head", "ShoulderLeft", "ElbowLeft", "WristLeft",
    "HandLeft", "ShoulderRight", "ElbowRight", "WristRight", "HandRight", "HipLeft", "KneeLeft",
    "AnkleLeft", "FootLeft", "HipRight", "KneeRight", "AnkleRight", "FootRight",
)  # fmt: skip
PARENTS = (-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18)
ACTIONS = (
    "none", "right_punch", "left_punch", "front_right_kick", "front_left_kick", "side_right_kick",
    "side_left_kick", "back_fist", "elbow_strike",
)  # fmt: skip
FPS = 30.0
SUFFIXES = (".csv", ".csv.xz")

_NAME = re.compile(r"Seq(\d+)_(\d+)")


def read_precog(path: str | Path, *, fps: float = FPS) -> Pair:
    """Read one PRECOG file: 20 joints in camera coordinates, and the action of each frame.

    A joint at exactly (0, 0, 0) is where the camera is: it was not tracked, and becomes missing.

    Units: metres.

    Args:
        path: `Seq<script>_<person>.csv`, or the same packed as `.xz`.
        fps: Frames a second; the files do not say it, the Kinect gives 30.

    Raises:
        FileFormatError: If header, cells or actions are not as they should be; names file and line.
    """
    path = Path(path)
    lines = read_packed_text(path, encoding="utf-8-sig").splitlines()
    _check_header(lines[0] if lines else "", path)
    rows = [
        _parse_row(line, path, number) for number, line in enumerate(lines[1:], 2) if line.strip()
    ]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), 3 * len(JOINTS) + 1)
    skeleton = values[:, :-1].reshape(len(rows), len(JOINTS), 3).astype(np.float32)
    skeleton[(skeleton == 0).all(axis=2)] = np.nan
    stem = path.name.split(".")[0]
    match = _NAME.fullmatch(stem)
    recording = Recording(
        id=stem,
        skeleton=skeleton,
        fps=fps,
        joint_names=JOINTS,
        parents=PARENTS,
        unit="m",
        person=match[2] if match else None,
        metadata={"script": match[1]} if match else {},
        source=str(path),
    )
    labels = values[:, -1].astype(np.int32)
    return recording, Annotation(recording_id=stem, labels=labels, actions=ACTIONS, fps=fps)


# What float32 holds; NaN is no larger and no smaller.
LARGEST = float(np.finfo(np.float32).max)


def _check_header(line: str, path: Path) -> None:
    if not _is_header(line):
        raise FileFormatError(
            f"{path}, line 1: expected the {len(JOINTS)} joint names of PRECOG, {JOINTS[0]} to "
            f"{JOINTS[-1]}, with semicolons between them; found {line[:60]!r}. {AGAIN}"
        )


def _is_header(line: str) -> bool:
    return tuple(name.strip() for name in line.split(";")) == JOINTS


def _parse_row(line: str, path: Path, number: int) -> list[float]:
    """Coordinates of one frame, joint by joint, and its action."""
    cells = line.split(";")
    where = f"{path}, line {number}"
    if len(cells) != len(JOINTS) + 1:
        raise FileFormatError(
            f"{where}: {len(cells)} cells, expected {len(JOINTS)} joints and the action. {AGAIN}"
        )
    row: list[float] = []
    for name, cell in zip((*JOINTS, "action"), cells, strict=True):
        try:
            numbers = [float(part) for part in cell.split()]
        except ValueError:
            numbers = []
        expected = 1 if name == "action" else 3
        if len(numbers) != expected or not (np.abs(numbers) <= LARGEST).all():
            raise FileFormatError(
                f"{where}, {name}: {cell.strip()[:40]!r}, expected {expected} numbers with spaces "
                f"between them. {AGAIN}"
            )
        row += numbers
    if row[-1] not in range(len(ACTIONS)):
        raise FileFormatError(
            f"{where}: action {row[-1]:g}, expected 0 to {len(ACTIONS) - 1}. {AGAIN}"
        )
    return row


def _recognises(path: Path) -> bool:
    """Whether the name or, of a file not packed, the first line is PRECOG's."""
    if _NAME.fullmatch(path.name.split(".")[0]):
        return True
    first = head(path, 1000).partition(b"\n")[0]
    return _is_header(first.decode("utf-8-sig", errors="replace"))


READER = Reader(
    description="PRECOG 2016 table",
    read=read_precog,
    suffixes=SUFFIXES,
    recognises=_recognises,
)
