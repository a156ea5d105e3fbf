"""From people found in single frames to one recording: who is who, what is missing, which frames."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.recording import Recording
from histvq.skeletons import Skeleton

WHOM = ("main", "all", "best")
MOST_PEOPLE = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """People found in the frames of one file, in any order.

    Attributes:
        points: (found, joint, space).
        confidence: (found, joint); 0 or less where a point was not found.
        frames: (found,), each from 0 on.
        n_frames: Number of frames, those without anybody included.
        names: Who each is, where the file says it.
    """

    points: np.ndarray
    confidence: np.ndarray
    frames: np.ndarray
    n_frames: int
    names: Sequence[str] | None = None


def recording_of(
    found: Found,
    skeleton: Skeleton,
    *,
    path: Path,
    id: str,
    fps: float,
    unit: str,
    whom: str | None,
    min_confidence: float,
    metadata: Mapping[str, object],
    notes: Sequence[str] = (),
) -> Recording:
    """One recording of the people that are asked for; the others are told in a warning.

    Points that were not found, or with less than `min_confidence`, are missing.

    Args:
        found: What the file holds.
        skeleton: Joints of one person; without a bone, nothing is known of their parents.
        path: The file.
        id: Of the recording.
        fps: Of the recording.
        unit: Of the points.
        whom: `main`: the person with the largest sum of confidences over all frames. `all`:
            everybody side by side. `best`: in each frame whoever has the largest sum there, which
            may be one and then the other. None: `all` where the file says who is who, else `main`.
            Where it does not say it, people are linked from frame to frame, see `linked`.
        min_confidence: Least confidence of a point.
        metadata: Of the recording.
        notes: Its history so far.

    Raises:
        FileFormatError: If there is nobody, or the same person twice in a frame.
        ConfigError: If there is no such choice of people.
    """
    _check_options(whom, min_confidence)
    found = _kept(found, min_confidence, path)
    whom = whom or ("all" if found.names is not None else "main")
    names, tracks = _who(found, path)
    chosen, kept = _chosen(whom, tracks, found, len(names), path)
    history = [*notes, "points of confidence 0 or less are missing"]
    if min_confidence:
        history[-1] = f"points of confidence under {min_confidence:g} are missing"
    if len(names) > 1:
        history.append(_note(whom, names, kept, found))
        if not (whom == "all" and found.names is not None):
            warnings.warn(f"{path}: {history[-1]}", DataWarning, stacklevel=3)
    array = np.full((found.n_frames, len(kept), *found.points.shape[1:]), np.nan, np.float32)
    place = tracks[chosen] if len(kept) > 1 else 0
    array[found.frames[chosen], place] = found.points[chosen]
    return Recording(
        id=id,
        skeleton=array.reshape(found.n_frames, -1, array.shape[-1]),
        fps=fps,
        unit=unit,
        metadata=dict(metadata),
        source=str(path),
        history=tuple(history),
        **_joints(skeleton, [names[person] for person in kept]),
    )


def _check_options(whom: str | None, min_confidence: float) -> None:
    if whom is not None and whom not in WHOM:
        raise ConfigError(f"whom is {whom!r}{did_you_mean(str(whom), WHOM)}")
    if not isinstance(min_confidence, int | float) or not min_confidence >= 0:
        raise ConfigError(f"min_confidence is {min_confidence!r}; expected a number, 0 or more")


def _joints(skeleton: Skeleton, people: Sequence[str]) -> dict[str, Any]:
    """What a recording says of its joints: one person's, or those of several side by side."""
    n = len(skeleton.joint_names)
    parents = tuple(
        parent if parent == -1 else n * person + parent
        for person in range(len(people))
        for parent in skeleton.parents
    )
    joints = {"joint_names": skeleton.joint_names, "parents": parents if skeleton.edges else None}
    if len(people) > 1:
        joints["joint_names"] = tuple(f"{p}/{j}" for p in people for j in skeleton.joint_names)
        joints["joint_persons"] = tuple(person for person in range(len(people)) for _ in range(n))
    return joints


def linked(centres: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Number people so that each is nearest to where its number was last seen.

    Frame by frame, people go to the numbers seen in the frame before so that the distances add up
    to the least; who is left over goes to numbers lost earlier in the same way; who is left over
    then gets a new one. So there are as many numbers as people at once, and one who leaves and
    another who comes later may share one.

    Args:
        centres: (found, space).
        frames: (found,), rising.

    Returns:
        A number each, from 0 on.
    """
    tracks = np.zeros(len(frames), dtype=np.intp)
    last = np.empty((0, centres.shape[1]))  # where each number was last seen
    before = np.empty(0, dtype=np.intp)  # numbers seen in the frame before
    bounds = np.flatnonzero(np.diff(frames)) + 1
    for here in np.split(np.arange(len(frames)), bounds):
        free = here
        for numbers in (before, np.setdiff1d(np.arange(len(last)), before)):
            if len(numbers) and len(free):
                apart = np.linalg.norm(centres[free][:, None] - last[numbers], axis=2)
                rows, columns = linear_sum_assignment(apart)
                tracks[free[rows]] = numbers[columns]
                free = np.delete(free, rows)
        tracks[free] = np.arange(len(last), len(last) + len(free))
        last = np.concatenate([last, centres[free]])
        last[tracks[here]] = centres[here]
        before = tracks[here]
    return tracks


def timeline(numbers: Iterable[int], path: Path, *, what: str) -> tuple[dict[int, int], int]:
    """Frames from 0 on by the numbers they have in a file, and how many there are, gaps included.

    Warns of the gaps.

    Raises:
        FileFormatError: If there are far more gaps than frames.
    """
    numbers = sorted(set(numbers))
    first, n_frames = numbers[0], numbers[-1] - numbers[0] + 1
    if n_frames > 1000 + 20 * len(numbers):
        raise FileFormatError(
            f"{path}: {len(numbers)} {what}, numbered from {first} to {numbers[-1]}: too few to be "
            "one recording. Number them anew, in the order of time"
        )
    gaps = n_frames - len(numbers)
    if gaps:
        gap = next(n for n, after in pairwise(numbers) if after > n + 1) + 1
        warnings.warn(
            f"{path}: {gaps} of {n_frames} frames are not there, number {gap} the first; their "
            "values are missing",
            DataWarning,
            stacklevel=3,
        )
    return {number: number - first for number in numbers}, n_frames


def _kept(found: Found, min_confidence: float, path: Path) -> Found:
    """Those of whom a point is sure enough, in order of time, other points missing."""
    sure = (found.confidence > 0) & (found.confidence >= min_confidence)
    sure &= np.isfinite(found.points).all(axis=2)
    rows = np.flatnonzero(sure.any(axis=1))
    rows = rows[np.argsort(found.frames[rows], kind="stable")]
    if not len(rows):
        raise FileFormatError(
            f"{path}: no people in it: among the {len(found.points)} found in {found.n_frames} "
            f"frames, no point has a confidence above {min_confidence:g}"
        )
    sure = sure[rows]
    return Found(
        points=np.where(sure[..., None], found.points[rows], np.nan),
        confidence=np.where(sure, found.confidence[rows], 0.0),
        frames=found.frames[rows],
        n_frames=found.n_frames,
        names=None if found.names is None else [found.names[row] for row in rows.tolist()],
    )


def _who(found: Found, path: Path) -> tuple[list[str], np.ndarray]:
    """Names of all people, in order of appearance, and which of them each one found is."""
    if found.names is None:
        tracks = linked(np.nanmedian(found.points, axis=1), found.frames)
        return [f"person{n}" for n in range(tracks.max() + 1)], tracks
    place = {name: n for n, name in enumerate(dict.fromkeys(found.names))}
    tracks = np.array([place[name] for name in found.names])
    _, first, counts = np.unique(
        found.frames * len(place) + tracks, return_index=True, return_counts=True
    )
    if (counts > 1).any():
        row = first[np.argmax(counts > 1)]
        raise FileFormatError(
            f"{path}, frame {found.frames[row]}: person {found.names[row]} is there "
            f"{counts.max()} times; expected each once a frame"
        )
    return list(place), tracks


def _chosen(
    whom: str, tracks: np.ndarray, found: Found, n_people: int, path: Path
) -> tuple[np.ndarray, list[int]]:
    """Rows that are taken, and the people who stay."""
    sums = found.confidence.sum(axis=1)
    if whom == "best":
        order = np.lexsort((-sums, found.frames))
        return order[np.unique(found.frames[order], return_index=True)[1]], [0]
    if whom == "main":
        main = int(np.bincount(tracks, weights=sums).argmax())
        return np.flatnonzero(tracks == main), [main]
    if n_people > MOST_PEOPLE:
        raise FileFormatError(
            f"{path}: {n_people} people, side by side at most {MOST_PEOPLE}. Take one of them with "
            "whom='main'"
        )
    return np.arange(len(tracks)), list(range(n_people))


def _note(whom: str, names: Sequence[str], kept: Sequence[int], found: Found) -> str:
    """What was done about several people."""
    at_once = int(np.bincount(found.frames).max())
    how = (
        "who is who is said in the file"
        if found.names is not None
        else "linked from frame to frame by nearest centre"
    )
    taken = {
        "main": f"took the one found most, {names[kept[0]]}",
        "best": "took the most confident of each frame, not always the same",
        "all": "took all, side by side",
    }[whom]
    return f"{len(names)} people, up to {at_once} in a frame; {how}; {taken} (whom={whom!r})"
