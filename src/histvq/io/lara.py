"""LARa tables of optical motion capture: 22 joints, rotation and position, 200 frames a second.

Source: F. Niemann et al., "LARa: Creating a Dataset for Human Activity Recognition in Logistics Using
Semantic Attributes", Sensors 20(15), 2020; versions 1 (2020) and 3 of the files.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.parts.labels_folder import labels_folder
from histvq.io.parts.lara_checks import Gaps, fill_gaps, implausible
from histvq.io.parts.lara_labels import ACTIONS, find_labels, read_labels
from histvq.io.parts.last_line import warn_if_cut
from histvq.io.parts.number_table import is_number, read_numbers, unix_text
from histvq.io.parts.packed import AGAIN, read_packed
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording

JOINTS = (
    "head", "head_end", "left_collar", "left_elbow", "left_femur", "left_foot", "left_humerus",
    "left_tibia", "left_toe", "left_wrist", "left_wrist_end", "lower_back", "right_collar",
    "right_elbow", "right_femur", "right_foot", "right_humerus", "right_tibia", "right_toe",
    "right_wrist", "right_wrist_end", "root",
)  # fmt: skip
PARENTS = (2, 0, 11, 6, 21, 7, 2, 4, 5, 3, 9, 21, 11, 16, 21, 17, 12, 14, 15, 13, 19, -1)
ANGLES = ("rotation_x", "rotation_y", "rotation_z")
CHANNELS = (*ANGLES, "x", "y", "z")
UNIT = "mm"
FPS = 200.0
SUFFIXES = (".csv", ".csv.xz")

COLUMNS = tuple(f"{joint}/{channel}" for joint in JOINTS for channel in CHANNELS)
MAX_LEADING = 2  # frame or sample number; sub-frame, subject or class
MAX_HEADER_LINES = 20
_NAME = re.compile(r"L(\d\d)_S(\d\d)_R(\d\d)(?:_A(\d\d)_N(\d\d)(?:_norm_data)?)?", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """What the name of a file says; the annotator and the run of annotation in version 1 only."""

    version: int
    scenario: str
    person: str
    recording: str
    annotator: str | None
    annotation_run: str | None


def parse_name(path: Path) -> Name | None:
    """The parts of a recording's name; None where it is not one of LARa."""
    match = _NAME.fullmatch(_stem(path))
    if match is None:
        return None
    scenario, person, recording, annotator, run = match.groups()
    return Name(3 if annotator is None else 1, scenario, f"S{person}", recording, annotator, run)


def recording_id(path: Path) -> str:
    """The name without endings; `_norm_data`, which labels files have not, is one."""
    return re.sub(r"_norm_data$", "", _stem(path), flags=re.IGNORECASE)


def read_lara(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    gaps: Gaps = "interpolate",
    cut_to_shorter: bool = False,
    stride: int = 1,
    fps: float = FPS,
) -> Pair:
    """Read one recording of LARa, and its labels where there are any.

    Positions in version 3 are those of the hall, in version 1 relative to the lower back.

    Units: degrees (rotations) and millimetres (positions), z up.

    Args:
        path: `L<scenario>_S<person>_R<recording>.csv` (version 3), the same with
            `_A<annotator>_N<run>_norm_data` (version 1), or either packed as `.xz`.
        labels: Folder of the `..._labels.csv`, where they do not lie beside the recordings.
        gaps: What to do where no number stands: `interpolate` up to half a second, longer gaps being
            an error; `keep` all missing; or `error`.
        cut_to_shorter: Cut recording and labels to the shorter of both, whatever the difference; a
            row more or less is always cut.
        stride: Take every so-maniest row only, from the first one on, without a filter.
        fps: Frames a second of the file; 200 by the papers, the files do not say it.

    Raises:
        FileFormatError: If name, cells or labels are not as they should be, or recording and labels
            differ in length.
        ConfigError: If an option is out of bounds.
    """
    path = Path(path)
    if gaps not in get_args(Gaps):
        raise ConfigError(f"gaps={gaps!r}: must be one of {get_args(Gaps)}")
    if stride < 1:
        raise ConfigError(f"stride {stride}: must be 1 or more")
    name = parse_name(path)
    if name is None:
        raise FileFormatError(
            f"{path}: not a recording of LARa by its name; expected L<scenario>_S<person>_R<recording>"
            ".csv, as L01_S07_R03.csv, or L01_S07_R03_A11_N00_norm_data.csv. Give it such a name"
        )
    values, first_line = _read_rows(path)
    skeleton = values.reshape(-1, len(JOINTS), len(CHANNELS))
    id, folder = recording_id(path), labels_folder(labels)
    file = find_labels(id, path.parent, folder)
    classes = None if file is None else read_labels(file)
    history = []
    if classes is not None and len(classes) != len(skeleton):
        _check_lengths(path, len(skeleton), len(classes), cut_to_shorter=cut_to_shorter)
        history.append(f"cut_to_shorter: {len(skeleton)} frames, {len(classes)} labels")
        skeleton, classes = skeleton[: len(classes)], classes[: len(skeleton)]
    found = fill_gaps(
        skeleton, gaps=gaps, fps=fps, path=path, joints=JOINTS, n_angles=len(ANGLES),
        first_line=first_line,
    )  # fmt: skip
    history += [f"gaps({gaps}): {found}"] if found else []
    for odd in (found, *implausible(skeleton, joints=JOINTS, version=name.version)):
        if odd:
            warnings.warn(f"{path.name}: {odd}", DataWarning, stacklevel=2)
    history += [f"stride({stride})"] if stride > 1 else []
    recording = Recording(
        id=id,
        skeleton=np.ascontiguousarray(skeleton[::stride]),  # a view would keep all rows in memory
        fps=fps / stride,
        joint_names=JOINTS,
        channel_names=CHANNELS,
        parents=PARENTS,
        unit=UNIT,
        person=name.person,
        metadata=_metadata(name, gaps=gaps if found else None),
        source=str(path),
        history=tuple(history),
    )
    if classes is None:
        return recording, None
    return recording, Annotation(
        recording_id=id, labels=classes[::stride], actions=ACTIONS, fps=recording.fps
    )


def _metadata(name: Name, *, gaps: Gaps | None) -> dict[str, object]:
    about = {
        "dataset": "lara", "version": name.version, "scenario": name.scenario,
        "recording": name.recording, "annotator": name.annotator,
        "annotation_run": name.annotation_run, "gaps": gaps,
    }  # fmt: skip
    return {key: value for key, value in about.items() if value is not None}


def _read_rows(path: Path) -> tuple[np.ndarray, int]:
    """All 132 numbers of each frame, and the line of the first one."""
    packed = read_packed(path)
    data = unix_text(packed, path=path)
    if not data:
        raise FileFormatError(f"{path}: the file is empty. {AGAIN}")
    lines = data.split(b"\n", MAX_HEADER_LINES)
    start = 0
    for number, line in enumerate(lines[:MAX_HEADER_LINES], start=1):
        cells = line.decode("latin-1").split(",")
        if _is_data(cells):
            leading = min(max(len(cells) - len(COLUMNS), 0), MAX_LEADING)
            rows = read_numbers(
                data[start:], path=path, columns=COLUMNS, leading=leading, missing=True,
                first_line=number,
            )  # fmt: skip
            warn_if_cut(packed[-200:].decode("latin-1").replace(",", " "), path)
            return rows, number
        start += len(line) + 1
    raise FileFormatError(
        f"{path}: no line of {len(COLUMNS)} numbers ({len(JOINTS)} joints x {len(CHANNELS)}), with up "
        f"to {MAX_LEADING} cells before them and commas between, among the first "
        f"{min(len(lines), MAX_HEADER_LINES)} lines. {AGAIN}"
    )


def _is_data(cells: list[str]) -> bool:
    """Whether a line is no header: mostly numbers, or nothing but numbers and gaps."""
    numbers = sum(is_number(cell) for cell in cells)
    if numbers > len(COLUMNS) // 2:
        return True
    whole = len(COLUMNS) <= len(cells) <= len(COLUMNS) + MAX_LEADING
    return whole and numbers > 0 and all(is_number(cell, missing=True) for cell in cells)


def _check_lengths(path: Path, n_frames: int, n_labels: int, *, cut_to_shorter: bool) -> None:
    both = f"{n_frames} frames but its labels file has {n_labels} rows"
    if abs(n_frames - n_labels) > 1 and not cut_to_shorter:
        raise FileFormatError(
            f"{path}: {both}. Pass cut_to_shorter=True if the ends can go, or fetch both again"
        )
    warnings.warn(f"{path.name}: {both}. Cut to the shorter", DataWarning, stacklevel=3)


def _stem(path: Path) -> str:
    return re.sub(r"(\.(csv|npz))?(\.xz)?$", "", path.name, flags=re.IGNORECASE)


def _is_labels(path: Path) -> bool:
    stem, mark, _ = path.name.rpartition("_labels.csv")
    return bool(mark) and parse_name(path.with_name(f"{stem}.csv")) is not None


READER = Reader(
    description="LARa optical motion capture",
    read=read_lara,
    suffixes=SUFFIXES,
    recognises=lambda path: parse_name(path) is not None,
    beside=_is_labels,
)
