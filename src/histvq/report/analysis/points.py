"""Recordings as points in time: standardised window statistics, as window k-means sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histvq.inputs import centred, checked
from histvq.recording import Recording
from histvq.report.analysis.spans import Spans
from histvq.windows import (
    features_of,
    means_by_person,
    scale_of,
    sizes_of,
    stillness,
    window_statistics,
)

# Half the lengths window k-means learns from: a short segment is then told by itself, not by its
# neighbours, and a window still holds a stride.
STEP_S = 0.5
WINDOW_S = 1.0


@dataclass(frozen=True, eq=False)
class Points:
    """The windows of one recording.

    Attributes:
        values: (patch, feature), in standard deviations; NaN where nothing was measured.
        patches: (frame,): patch that each frame lies in.
    """

    values: np.ndarray
    patches: np.ndarray


def points_of(recordings: Sequence[Recording]) -> dict[str, Points]:
    """Window statistics of each recording, by its id, on one scale for all.

    Means and logarithms of spreads of every joint in windows of 1 s, every 0.5 s. The mean of each
    person (those without a name count as one) is taken off, the rest divided by its standard
    deviation; statistics that never change are left out. Positions are taken relative to the root
    where every recording has one.

    Raises:
        ConfigError: If the recordings cannot be put side by side, as when they have other joints.
    """
    recordings = checked(recordings)
    to_root = centred(recordings, "auto")
    statistics = [
        window_statistics(recording, patch_seconds=STEP_S, window_seconds=WINDOW_S, to_root=to_root)
        for recording in recordings
    ]
    still = stillness(statistics)
    patches = [s.patches for s in statistics]
    features = []
    while statistics:  # each let go as soon as its features are there
        features.append(features_of(statistics.pop(0), still))
    values = _standardised(features, [recording.person or "" for recording in recordings])
    return {
        recording.id: Points(value, place)
        for recording, value, place in zip(recordings, values, patches, strict=True)
    }


def means_within(points: Sequence[Points | None], spans: Spans) -> np.ndarray:
    """Mean of the points over the frames of each span, (span, feature); NaN where nothing is known.

    Args:
        points: Of each answer; None where its recording is not at hand.
        spans: Stretches of these answers.
    """
    n_features = next((p.values.shape[1] for p in points if p is not None), 0)
    means = np.full((len(spans.start), n_features), np.nan)
    for place, which in spans.by_recording():
        if (here := points[place]) is not None:
            means[which] = _means(here, spans.start[which], spans.stop[which])
    return means


def _means(points: Points, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """By running sums over patches, frame by frame: a frame counts with the point of its patch."""
    frames = np.bincount(points.patches)
    first = np.cumsum(frames) - frames
    begin, end = points.patches[starts], points.patches[stops - 1]

    def over_frames(values: np.ndarray) -> np.ndarray:
        running = np.concatenate([[0.0], values * frames]).cumsum()
        before = running[begin] + (starts - first[begin]) * values[begin]
        return running[end] + (stops - first[end]) * values[end] - before

    means = np.empty((len(starts), points.values.shape[1]))
    for feature, values in enumerate(points.values.T):  # one by one: running sums take room
        known = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            means[:, feature] = over_frames(np.where(known, values, 0.0)) / over_frames(
                known.astype(float)
            )
    return means


def _standardised(features: list[np.ndarray], whose: Sequence[str]) -> list[np.ndarray]:
    """Around each person's mean, in standard deviations of the rest; constants left out.

    In place of the features, which take as much room as the recordings' labels.
    """
    usual, sizes = means_by_person(features, whose), sizes_of(features)
    for of_one, person in zip(features, whose, strict=True):
        of_one -= usual[person]
    scale = scale_of(features, sizes)
    for of_one in features:
        of_one /= scale
    varies = np.isfinite(scale)
    return features if varies.all() else [of_one[:, varies] for of_one in features]
