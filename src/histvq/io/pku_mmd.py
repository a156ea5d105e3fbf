"""PKU-MMD skeletons: up to two people in front of a Kinect, 25 joints each, 30 frames a second.

Source: C. Liu, Y. Hu, Y. Li, S. Song and J. Liu, "PKU-MMD: A Large Scale Benchmark for Continuous
Multi-Modal Human Action Understanding", 2017; version 2 of the files.
"""

import re
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.labels_folder import labels_folder
from histvq.io.parts.last_line import warn_if_cut
from histvq.io.parts.number_table import read_numbers, unix_text
from histvq.io.parts.packed import AGAIN, read_packed
from histvq.io.parts.pku_mmd_labels import ACTIONS, find_labels, is_labels_file, paint, read_actions
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording

Person = Literal["first", "both", "most_moving"]

JOINTS = (
    "spine_base", "spine_mid", "neck", "head", "left_shoulder", "left_elbow", "left_wrist",
    "left_hand", "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip",
    "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle", "right_foot",
    "spine_shoulder", "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
)  # fmt: skip
PARENTS = (
    -1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10,
)  # fmt: skip
N_PERSONS = 2
UNIT = "m"
FPS = 30.0
SUFFIXES = (".txt",)

COLUMNS = tuple(
    f"person{person}/{joint}/{axis}"
    for person in range(N_PERSONS)
    for joint in JOINTS
    for axis in "xyz"
)
_NAME = re.compile(r"A(\d\d)N(\d\d)-([LMR])", re.IGNORECASE)


def parse_name(path: Path) -> tuple[str, str, str] | None:
    """Script, person and view from a file's name; None where it is not one of PKU-MMD."""
    match = _NAME.fullmatch(path.stem)
    return None if match is None else (match[1], match[2], match[3].upper())


def read_pku_mmd(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    person: Person = "first",
    fps: float = FPS,
) -> Pair:
    """Read one recording of PKU-MMD, and its labels where there are any.

    A joint at exactly (0, 0, 0) is where the camera is: it was not tracked, and becomes missing; so
    does a person who is not there.

    Labels: 0 is background, the others are the numbers of the files. Where actions overlap, the one
    that starts later counts; how many frames that are is in the metadata. The end of an action is its
    first frame that is not its own; whether the files mean that is not said anywhere.

    Units: metres, y up, z away from the camera.

    Args:
        path: `A<script>N<person>-<view>.txt`.
        labels: Folder of the labels files, which have the names of the recordings; where not given,
            folders called after labels, beside or up to two steps above the recording's, are tried.
        person: `first` of the two in the file; `both`, joints side by side; or the `most_moving`, by
            the length of the way all joints made. The second is often an error of tracking.
        fps: Frames a second; 30 by the paper, the files do not say it.

    Raises:
        FileFormatError: If name, numbers or labels are not as they should be.
        ConfigError: If `person` is none of these.
    """
    path = Path(path)
    if person not in get_args(Person):
        raise ConfigError(f"person={person!r}: must be one of {get_args(Person)}")
    name = parse_name(path)
    if name is None:
        raise FileFormatError(
            f"{path}: not a recording of PKU-MMD version 2 by its name; expected A<script>N<person>-"
            "<view>.txt with the view L, M or R, as A01N05-L.txt. Give it such a name"
        )
    people = _read_people(path)
    metadata: dict[str, object] = {
        "dataset": "pku-mmd", "script": name[0], "view": name[2], "bodies": person,
    }  # fmt: skip
    file = find_labels(path, labels_folder(labels))
    if file is not None:
        painted, overlapping = paint(read_actions(file), len(people), path=file)
        metadata["overlapping_frames"] = overlapping
    both = person == "both"
    chosen = int(person == "most_moving" and _way(people[:, 1]) > _way(people[:, 0]))
    recording = Recording(
        id=path.stem,
        skeleton=people.reshape(len(people), -1, 3) if both else people[:, chosen].copy(),
        fps=fps,
        joint_names=_side_by_side() if both else JOINTS,
        channel_names=("x", "y", "z"),
        parents=(*PARENTS, *(p if p < 0 else p + len(JOINTS) for p in PARENTS))
        if both
        else PARENTS,
        joint_persons=tuple(np.repeat(range(N_PERSONS), len(JOINTS)).tolist()) if both else None,
        unit=UNIT,
        person=name[1],
        metadata=metadata,
        source=str(path),
        history=(f"person(most_moving): person{chosen}",) if person == "most_moving" else (),
    )
    if file is None:
        return recording, None
    return recording, Annotation(recording_id=path.stem, labels=painted, actions=ACTIONS, fps=fps)


def _read_people(path: Path) -> np.ndarray:
    """Positions (frame, person, joint, axis), NaN where a joint was not tracked."""
    packed = read_packed(path)
    data = unix_text(packed, path=path)
    if not data:
        raise FileFormatError(f"{path}: the file is empty. {AGAIN}")
    values = read_numbers(data, path=path, columns=COLUMNS, separator=" ")
    warn_if_cut(packed[-200:].decode("latin-1"), path)
    people = values.reshape(len(values), N_PERSONS, len(JOINTS), 3)
    people[(people == 0).all(axis=3)] = np.nan
    return people


def _way(positions: np.ndarray) -> float:
    """How far all joints of a person went together, where they were tracked."""
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=2)
    return float(np.nansum(steps, dtype=np.float64))


def _side_by_side() -> tuple[str, ...]:
    return tuple(f"person{person}/{joint}" for person in range(N_PERSONS) for joint in JOINTS)


def is_recording(path: Path) -> bool:
    """Whether it is a skeleton by its name, its folder and its first bytes; labels have its name too."""
    return (
        parse_name(path) is not None
        and "label" not in path.absolute().parent.name.lower()
        and (not path.stat().st_size or not is_labels_file(path))
    )


READER = Reader(
    description="PKU-MMD skeletons",
    read=read_pku_mmd,
    suffixes=SUFFIXES,
    recognises=is_recording,
    beside=lambda path: parse_name(path) is not None and not is_recording(path),
)
