"""Recordings as points in time: standardised window statistics, as window k-means sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from histvq.inputs import centred, checked
from histvq.recording import Recording
from histvq.report.analysis.spans import Spans
from histvq.transforms import centre_on_root
from histvq.windows import (
    features_of,
    means_by_person,
    scale_of,
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
        window_statistics(
            centre_on_root(recording) if to_root else recording,
            patch_seconds=STEP_S,
            window_seconds=WINDOW_S,
        )
        for recording in recordings
    ]
    still = stillness(statistics)
    features = [features_of(s, still) for s in statistics]
    values = _standardised(features, [recording.person or "" for recording in recordings])
    return {
        recording.id: Points(value, s.patches)
        for recording, value, s in zip(recordings, values, statistics, strict=True)
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
    known = ~np.isnan(points.values)

    def over_frames(values: np.ndarray) -> np.ndarray:
        running = np.concatenate([np.zeros((1, values.shape[1])), values * frames[:, None]])
        running = running.cumsum(axis=0)
        begin, end = points.patches[starts], points.patches[stops - 1]
        before = running[begin] + (starts - first[begin])[:, None] * values[begin]
        return running[end] + (stops - first[end])[:, None] * values[end] - before

    with np.errstate(invalid="ignore"):
        return over_frames(np.where(known, points.values, 0.0)) / over_frames(known.astype(float))


def _standardised(features: Sequence[np.ndarray], whose: Sequence[str]) -> list[np.ndarray]:
    """Around each person's mean, in standard deviations of the rest; constants left out."""
    usual = means_by_person(features, whose)
    rest = [f - usual[person] for f, person in zip(features, whose, strict=True)]
    scale = scale_of(np.concatenate(rest), np.concatenate(features))
    varies = np.isfinite(scale)
    return [r[:, varies] / scale[varies] for r in rest]
