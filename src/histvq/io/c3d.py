"""C3D: marker trajectories of optical motion capture.

Source: as in `histvq.io.parts.c3d_file`; labels of unnamed markers and of results that are no positions
are those of Vicon's programs.
"""

import re
import warnings
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError, did_you_mean
from histvq.io.parts.asked import NotSaidError, given_unit, unit_name
from histvq.io.parts.c3d_file import C3D, KEY, read_c3d_file
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording

# Marker programs number what nobody named.
_UNNAMED = re.compile(r"(\*.*|C_\d+|)")
# Lists of labels that stand among the points and are no positions.
_NO_POSITIONS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS")
_OFTEN_MISSING = 0.2


def read_c3d(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    markers: tuple[str, ...] | str | None = None,
) -> Pair:
    """Read the markers of one C3D file.

    Markers not seen, by a residual below 0 or by lying at exactly (0, 0, 0), are missing. A
    subject's name before all labels (`Anna:LKNE`) is taken off and becomes the recording's person;
    those of several subjects stand side by side, with joints `Anna/LKNE`. Unless chosen, markers
    nobody named (`*12`, `C_12`) and results that are no positions (angles, forces, moments, powers)
    are dropped, with a warning. Analog channels are not read.

    Units: as `POINT:UNITS` says.

    Args:
        path: The file.
        fps: Frames a second, where `POINT:RATE` does not say it.
        unit: Unit of the positions, where `POINT:UNITS` does not say it.
        markers: Labels to read, without the subject, or patterns as `L*`; the joints come in this
            order. All named markers where not given.

    Raises:
        FileFormatError: If the file is damaged, has no points, or none of a label that was chosen.
    """
    path = Path(path)
    file = read_c3d_file(path)
    if not file.points.shape[1]:
        raise FileFormatError(f"{path}: no points in it, analog channels alone. Leave it out")
    labels = _labels(file)
    names, subjects = _without_subjects(labels)
    chosen = _chosen(names, markers, path) if markers is not None else _named(file, names, path)
    people = {who: person for person, who in enumerate(dict.fromkeys(subjects[c] for c in chosen))}
    several = len(people) > 1
    joints = [f"{subjects[c]}/{names[c]}" if several else names[c] for c in chosen]
    recording = Recording(
        id=path.stem,
        skeleton=_positions(file.points[:, chosen], joints, path),
        fps=_rate(file, fps, path),
        joint_names=tuple(joints),
        joint_persons=tuple(people[subjects[c]] for c in chosen) if several else None,
        unit=_unit(file, unit, path),
        person=next(iter(people)) or None if not several else None,
        metadata={"first_frame": file.first_frame} if file.first_frame > 1 else {},
        source=str(path),
    )
    return recording, None


def _labels(file: C3D) -> list[str]:
    """A label a point, empty where there is none; more than 255 go on in `LABELS2` and so on."""
    labels: list[str] = []
    number = 1
    while (part := file.texts.get(f"POINT:LABELS{number if number > 1 else ''}")) is not None:
        labels += part
        number += 1
    n_points = file.points.shape[1]
    return (labels + [""] * n_points)[:n_points]


def _without_subjects(labels: list[str]) -> tuple[list[str], list[str]]:
    """Labels without the subject before them, and the subjects; none if a named marker has none."""
    parts = [label.partition(":") for label in labels]
    if any(not colon and not _UNNAMED.fullmatch(label) for label, colon, _ in parts):
        return labels, [""] * len(labels)
    return (
        [name if colon else label for label, colon, name in parts],
        [subject if colon else "" for subject, colon, _ in parts],
    )


def _chosen(names: list[str], markers: tuple[str, ...] | str, path: Path) -> list[int]:
    """Points of these labels or patterns, each once, in the order of the patterns."""
    patterns = [markers] if isinstance(markers, str) else list(markers)
    found = {
        pattern: [place for place, name in enumerate(names) if fnmatchcase(name, pattern)]
        for pattern in patterns
    }
    absent = [pattern for pattern in patterns if not found[pattern]]
    if absent or not patterns:
        known = did_you_mean(absent[0] if absent else "", filter(None, names))
        raise FileFormatError(f"{path}: no marker {', '.join(map(repr, absent))}{known}")
    return list(dict.fromkeys(place for pattern in patterns for place in found[pattern]))


def _named(file: C3D, names: list[str], path: Path) -> list[int]:
    """Points that are markers with a name; warns of the others."""
    results = {
        label.rpartition(":")[2]
        for kind in _NO_POSITIONS
        for label in file.texts.get(f"POINT:{kind}", ())
    }
    unnamed = [place for place, name in enumerate(names) if _UNNAMED.fullmatch(name)]
    other = [place for place, name in enumerate(names) if name and name in results]
    kept = sorted({*range(len(names))} - {*unnamed, *other})
    if not kept:
        raise FileFormatError(
            f"{path}: none of the {len(names)} points is a marker with a name. Choose with markers="
        )
    if unnamed or other:
        parts = [(unnamed, "without a name"), (other, "that are no positions (angles, forces ...)")]
        what = " and ".join(f"{len(places)} {kind}" for places, kind in parts if places)
        warnings.warn(
            f"{path}: of {len(names)} points, {what} are left out; markers= chooses otherwise",
            DataWarning,
            stacklevel=3,
        )
    return kept


def _positions(points: np.ndarray, joints: list[str], path: Path) -> np.ndarray:
    """Coordinates of the points, NaN where one was not seen."""
    label, count = Counter(joints).most_common(1)[0]
    if count > 1:
        raise FileFormatError(
            f"{path}: {count} points with the label {label!r}. Give each its own, or leave them "
            "out with markers="
        )
    positions = points[:, :, :3].copy()
    positions[(points[:, :, 3] < 0) | (positions == 0).all(axis=2)] = np.nan
    if np.isinf(positions).any():
        frame, joint, _ = np.argwhere(np.isinf(positions))[0]
        raise FileFormatError(
            f"{path}, frame {frame}, {joints[joint]}: a coordinate is infinite. {AGAIN}"
        )
    shares = np.isnan(positions).any(axis=2).mean(axis=0)
    if often := [f"{joints[j]} ({shares[j]:.0%})" for j in np.flatnonzero(shares > _OFTEN_MISSING)]:
        warnings.warn(
            f"{path}: {len(often)} of {len(joints)} markers are missing in more than "
            f"{_OFTEN_MISSING:.0%} of the frames: {', '.join(often[:6])}"
            f"{' ...' if len(often) > 6 else ''}. Leave them out with markers=, or fill the gaps",
            DataWarning,
            stacklevel=3,
        )
    return positions


def _rate(file: C3D, fps: float | None, path: Path) -> float:
    said = float(file.numbers.get("POINT:RATE", [0.0])[0])
    if 0 < said < np.inf:
        return said
    if fps is None:
        raise NotSaidError(
            f"{path}: no frame rate in it: POINT:RATE is {said:g}. Pass fps= (--fps), as fps=100",
            option="fps",
        )
    return fps


def _unit(file: C3D, unit: str | None, path: Path) -> str:
    said = next(filter(None, file.texts.get("POINT:UNITS", ())), None)
    return given_unit(unit, path, format="these C3D") if said is None else unit_name(said)


def _recognises(path: Path) -> bool:
    start = head(path, 2)
    return len(start) == 2 and start[0] > 1 and start[1] == KEY


READER = Reader(
    description="C3D marker trajectories",
    read=read_c3d,
    suffixes=(".c3d",),
    recognises=_recognises,
    own_suffixes=(".c3d",),
)
