"""Every action beside the others: how distinct each is, and how typical each piece of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from warnings import catch_warnings, warn

import numpy as np

from histvq.blocks import blocks
from histvq.errors import ConfigError, DataWarning
from histvq.recording import Recording
from histvq.report.analysis.distance import (
    mean_silhouettes,
    middles,
    nearest_others,
    own_and_other,
)
from histvq.report.analysis.points import Points, means_within, points_of
from histvq.report.analysis.spans import Spans
from histvq.segments import Segmentation

# A piece of which less than this was measured is nothing to look at.
MEASURED = 0.5


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the actions look like beside one another.

    Attributes:
        distinctness: Code -> mean silhouette of its segments, or None.
        nearest: Code -> code of the action with the nearest middle, or None.
        far: (piece,): how far from typical of its action it is; NaN where nobody knows.
        margin: (piece,): how much nearer its own action is than any other; NaN likewise.
    """

    distinctness: Mapping[int, float | None]
    nearest: Mapping[int, int | None]
    far: np.ndarray
    margin: np.ndarray


def compare(
    answers: Sequence[Segmentation],
    data: Sequence[Recording | None],
    segments: Spans,
    pieces: Spans,
    *,
    seed: int,
) -> Comparison:
    """Compare by window statistics where there are recordings, else by the answers' confidence.

    Args:
        answers: In the order that `segments` and `pieces` count them.
        data: The recording of each answer, where it is at hand.
        segments: Of the answers.
        pieces: What clips are chosen from.
        seed: For the silhouettes of very many segments.

    Warns:
        DataWarning: If the recordings cannot be put side by side.
    """
    if (points := _points(data)) is None:
        return _by_confidence(answers, pieces)
    codes = np.unique(segments.action).tolist()
    inside, within = means_within(points, segments), means_within(points, pieces)
    del points  # what there is of long recordings takes room
    centres = middles(inside, segments.action, segments.seconds, codes=codes)
    own = np.searchsorted(codes, pieces.action)
    far, other = own_and_other(within, centres, own)
    silhouettes = mean_silhouettes(inside, segments.action, codes=codes, seed=seed)
    nearest = [None if k is None else codes[k] for k in nearest_others(centres)]
    return Comparison(
        distinctness=dict(zip(codes, silhouettes, strict=True)),
        nearest=dict(zip(codes, nearest, strict=True)),
        far=far,
        margin=other - far,
    )


def visible(data: Sequence[Recording | None], pieces: Spans) -> np.ndarray:
    """Whether each piece is at hand and half of its frames have anything measured."""
    seen = np.zeros(len(pieces.start), dtype=bool)
    for place, here in pieces.by_recording():
        if (recording := data[place]) is not None:
            measured = np.concatenate(
                [~np.isnan(block).all(axis=(1, 2)) for block in blocks(recording.skeleton)]
            )
            share = _means(measured, pieces.start[here], pieces.stop[here])
            seen[here] = share >= MEASURED
    return seen


def _points(data: Sequence[Recording | None]) -> list[Points | None] | None:
    """Points of each answer's recording; None where there is nothing to compare."""
    there = [recording for recording in data if recording is not None]
    if not there:
        return None
    try:
        # What had to be made alike was told when the recordings were segmented.
        with catch_warnings(category=DataWarning, action="ignore"):
            known = points_of(there)
    except ConfigError as error:
        warn(f"actions are not compared with one another: {error}", DataWarning, stacklevel=4)
        return None
    return [None if recording is None else known[recording.id] for recording in data]


def _by_confidence(answers: Sequence[Segmentation], pieces: Spans) -> Comparison:
    sure = np.full(len(pieces.start), np.nan)
    for place, here in pieces.by_recording():
        if (confidence := answers[place].confidence) is not None:
            sure[here] = _means(confidence, pieces.start[here], pieces.stop[here])
    return Comparison(distinctness={}, nearest={}, far=-sure, margin=sure)


def _means(values: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Mean of the known values of each stretch."""
    known = ~np.isnan(values)
    total, count = (
        running[stops] - running[starts]
        for running in map(_running, (np.where(known, values, 0), known))
    )
    with np.errstate(invalid="ignore"):
        return total / count


def _running(values: np.ndarray) -> np.ndarray:
    """Sum of the values before each place, and of all."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, dtype=float, out=sums[1:])
    return sums
