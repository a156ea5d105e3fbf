"""Keypoints of one or several individuals with a confidence each, made a recording."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.recording import Recording

_LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracks:
    """What a tracking program found in one video.

    Attributes:
        names: Individual and keypoint of each joint; the joints of an individual stand together.
        positions: Array (frame, joint, channel), NaN where nothing was found.
        confidence: Array (frame, joint), NaN where the program does not say; None if it never does.
        parents: Index of each joint's parent, -1 at a root; None where unknown.
    """

    names: tuple[tuple[str, str], ...]
    positions: np.ndarray
    confidence: np.ndarray | None = None
    parents: tuple[int, ...] | None = None

    @property
    def individuals(self) -> tuple[str, ...]:
        """Names of the individuals, in the order of their joints."""
        return tuple(dict.fromkeys(individual for individual, _ in self.names))


def side_by_side(parents: Sequence[int], n_persons: int) -> tuple[int, ...]:
    """One person's parents, once for each of several whose joints stand one person after another."""
    n = len(parents)
    return tuple(-1 if p == -1 else m * n + p for m in range(n_persons) for p in parents)


def to_recording(
    tracks: Tracks,
    *,
    path: Path,
    id: str,
    fps: float,
    unit: str,
    min_confidence: float,
    metadata: Mapping[str, object],
) -> Recording:
    """Individuals side by side, with what the program itself doubts taken out.

    Joints are called `individual/keypoint`, and `joint_persons` says whose they are; a lone
    individual's keep their plain names. Warns, with DataWarning, of individuals never seen, which
    stay as missing values so that the files of one project keep the same joints, and of keypoints
    that lose more than half of their frames.

    Raises:
        ConfigError: If the least confidence is no number from 0 up.
        FileFormatError: If there is no frame, a position is infinite, or two joints have one name.
    """
    check_confidence(min_confidence)
    individuals = {name: person for person, name in enumerate(tracks.individuals)}
    several = len(individuals) > 1
    joints = tuple("/".join(name) if several else name[1] for name in tracks.names)
    _check(tracks, joints, path)
    if unseen := _unseen(tracks):
        who = ", ".join(unseen) if several else "the one individual"
        warnings.warn(
            f"{path}: never seen: {who}; kept as missing values", DataWarning, stacklevel=4
        )
    positions, history = _sure(tracks, joints, min_confidence, path)
    return Recording(
        id=id,
        skeleton=positions,
        fps=fps,
        joint_names=joints,
        parents=tracks.parents,
        joint_persons=tuple(individuals[who] for who, _ in tracks.names) if several else None,
        unit=unit,
        metadata={**metadata, "individuals": list(individuals)} if any(individuals) else metadata,
        source=str(path),
        history=history,
    )


def check_confidence(min_confidence: float) -> None:
    """Raise ConfigError unless it is a number from 0 up."""
    if not (isinstance(min_confidence, int | float) and 0 <= min_confidence < float("inf")):
        raise ConfigError(
            f"min_confidence is {min_confidence!r}; give a number from 0 (keep everything) up, as "
            "min_confidence=0.6"
        )


def _check(tracks: Tracks, joints: tuple[str, ...], path: Path) -> None:
    if not len(tracks.positions):
        raise FileFormatError(f"{path}: no frame in it. Leave it out, or write it again")
    name, count = Counter(joints).most_common(1)[0]
    if count > 1:
        raise FileFormatError(
            f"{path}: {name!r} is there {count} times. Each keypoint of an individual needs a name "
            "of its own"
        )
    positions = tracks.positions
    wrong = np.abs(positions) > _LARGEST
    if wrong.any():
        frame, joint, channel = np.argwhere(wrong)[0]
        raise FileFormatError(
            f"{path}, frame {frame}, {joints[joint]}: {positions[frame, joint, channel]:g} is no "
            "position. Leave the cell empty where nothing was found"
        )


def _unseen(tracks: Tracks) -> list[str]:
    """Individuals of which no frame has anything."""
    seen = np.isfinite(tracks.positions).any(axis=(0, 2))
    found = {individual for (individual, _), some in zip(tracks.names, seen, strict=True) if some}
    return [who for who in tracks.individuals if who not in found]


def _sure(
    tracks: Tracks, joints: tuple[str, ...], limit: float, path: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Positions without those the program doubts, and what to note of it."""
    if tracks.confidence is None:
        return tracks.positions, ()
    known = np.isfinite(tracks.positions).any(axis=2)
    doubtful = known & (tracks.confidence < limit)
    shares = doubtful.mean(axis=0)
    if often := [
        f"{joints[joint]} ({shares[joint]:.0%})" for joint in np.flatnonzero(shares > 0.5)
    ]:
        warnings.warn(
            f"{path}: min_confidence={limit:g} takes more than half of the frames from "
            f"{len(often)} of {len(joints)} keypoints: {_listed(often)}. Leave these joints out, "
            "or lower min_confidence",
            DataWarning,
            stacklevel=5,
        )
    note = f"min_confidence({limit:g}): {doubtful.sum()} of {known.sum()} positions set missing"
    return np.where(doubtful[:, :, None], np.nan, tracks.positions), (note,)


def _listed(names: list[str], *, shown: int = 6) -> str:
    return ", ".join(names[:shown]) + (" ..." if len(names) > shown else "")
