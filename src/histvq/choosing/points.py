"""Recordings as points to count clusters of: the statistics of their windows, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from histvq.inputs import centred, check_measured, checked
from histvq.recording import Recording
from histvq.windows import (
    WindowStatistics,
    features_of,
    means_by_person,
    scale_of,
    sizes_of,
    stillness,
    window_statistics,
)

# More points than these tell the number of clusters no better: windows are left out evenly.
MOST_POINTS = 2000
# Fewer people or recordings than these can be halved in three ways at most.
FEWEST_GROUPS = 4
# Stretches that the recordings are cut into where there are too few of them to be halved.
STRETCHES = 8


@dataclass(frozen=True, eq=False)
class Piece:
    """Frames of a recording that fall into the same half together.

    Attributes:
        recording: Those frames alone.
        group: Whose they are, or which stretch of time.
    """

    recording: Recording
    group: int


@dataclass(frozen=True, eq=False)
class Points:
    """Windows of all recordings, end to end.

    Attributes:
        values: (point, feature): what is usual of the person taken off, scaled by feature.
        groups: (point,): points of one group are never parted when the data are halved.
        halved_by: What a group is: `people`, `recordings` or `stretches of time`.
        pieces: The recordings in pieces, each of one group.
        piece: (point,): which piece a point lies in.
        frame: (point,): frame of that piece in the middle of the window.
    """

    values: np.ndarray
    groups: np.ndarray
    halved_by: str
    pieces: tuple[Piece, ...]
    piece: np.ndarray
    frame: np.ndarray


def points_of(
    recordings: Sequence[Recording],
    *,
    patch_seconds: float,
    window_seconds: float | None,
    centre: bool | Literal["auto"],
    own_mean: str,
) -> Points:
    """The points of these recordings, as `WindowKMeans` makes them.

    Scales and means are of all the data: they are no clusters, and halves are compared in one space.

    Args:
        recordings: With the same joints, channels and unit.
        patch_seconds: Time from window to window.
        window_seconds: Length of a window; None: twice as much.
        centre: Positions relative to the root joint, see `inputs.centred`.
        own_mean: Whose mean is taken off: `person`, `recording` or `none`.

    Raises:
        ConfigError: If the recordings do not fit together, or nothing was measured.
    """
    recordings = checked(recordings)
    check_measured(recordings)
    to_root = centred(recordings, centre)
    statistics = [
        window_statistics(
            recording,
            patch_seconds=patch_seconds,
            window_seconds=window_seconds or 2 * patch_seconds,
            to_root=to_root,
        )
        for recording in recordings
    ]
    values = _scaled(statistics, [_whose(recording, own_mean) for recording in recordings])
    halved_by, groups, n_stretches = _groups(recordings)
    pieces: list[Piece] = []
    rows = []
    for recording, group, patches, windows in zip(
        recordings, groups, (s.patches for s in statistics), values, strict=True
    ):
        for start, stop in pairwise(_cuts(patches, n_stretches)):
            middles, numbers = _middles(patches[start:stop])
            known = ~np.isnan(windows[numbers]).all(axis=1)
            number = np.full(known.sum(), len(pieces))
            rows.append((windows[numbers][known], number, middles[known]))
            pieces.append(
                Piece(_part(recording, start, stop), len(pieces) if n_stretches > 1 else group)
            )
    points, piece, frame = (np.concatenate(column) for column in zip(*rows, strict=True))
    kept = slice(None, None, max(1, -(-len(points) // MOST_POINTS)))
    return Points(
        np.nan_to_num(points[kept]),
        groups=np.array([p.group for p in pieces])[piece[kept]],
        halved_by=halved_by,
        pieces=tuple(pieces),
        piece=piece[kept],
        frame=frame[kept],
    )


def _scaled(statistics: Sequence[WindowStatistics], whose: Sequence[str]) -> list[np.ndarray]:
    """Features (patch, feature) of each recording less the mean of whose it is, scaled; NaN is kept."""
    still = stillness(statistics)
    features = [features_of(s, still) for s in statistics]
    means = means_by_person(features, whose)
    rest = [f - means[name] for f, name in zip(features, whose, strict=True)]
    factor = scale_of(rest, sizes_of(features))
    return [values / factor for values in rest]


def _whose(recording: Recording, own_mean: str) -> str:
    if own_mean == "recording":
        return recording.id
    return (recording.person or "") if own_mean == "person" else ""


def _groups(recordings: Sequence[Recording]) -> tuple[str, list[int], int]:
    """By what the data are halved, the group of each recording, and stretches a recording."""
    people = sorted({recording.person or "" for recording in recordings})
    if len(people) >= FEWEST_GROUPS:
        return "people", [people.index(r.person or "") for r in recordings], 1
    numbers = list(range(len(recordings)))
    if len(recordings) >= FEWEST_GROUPS:
        return "recordings", numbers, 1
    return "stretches of time", numbers, -(-STRETCHES // len(recordings))


def _cuts(patches: np.ndarray, n_stretches: int) -> list[int]:
    """Frames at which a recording is cut into about so many stretches of whole patches."""
    n_patches = int(patches[-1]) + 1
    firsts = np.unique(np.linspace(0, n_patches, n_stretches + 1).astype(int))
    return [int(frame) for frame in np.searchsorted(patches, firsts)]


def _middles(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame in the middle of each patch that occurs, and the patch's number."""
    numbers, first, count = np.unique(patches, return_index=True, return_counts=True)
    return first + count // 2, numbers


def _part(recording: Recording, start: int, stop: int) -> Recording:
    if stop - start == recording.n_frames:
        return recording
    return recording.noted(
        f"frames {start} to {stop}",
        id=f"{recording.id}, frames {start} to {stop}",
        skeleton=recording.skeleton[start:stop],
    )
