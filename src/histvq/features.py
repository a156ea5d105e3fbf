"""A recording as one vector a frame, on a common scale: what methods that do not know of joints see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from histvq.batching import InputScale
from histvq.recording import Recording

FrameScale = Literal["recording", "recording_scaled", "dataset", "frame_l2", "none"]


@dataclass(frozen=True, eq=False)
class Series:
    """One recording's frame vectors.

    Attributes:
        id: Of the recording.
        values: float32 (frame, feature), joint by joint; 0 where nothing was measured.
        known: Bool (frame,): whether any joint of the frame was measured whole.
    """

    id: str
    values: np.ndarray
    known: np.ndarray


def fit_frame_scale(recordings: Sequence[Recording], *, mode: FrameScale) -> InputScale:
    """What to take off every frame vector of a dataset, and to divide it by.

    Args:
        recordings: All of the training data.
        mode: With `dataset`, mean and standard deviation of each feature over all frames; nothing is
            taken off or divided by with the others.
    """
    n_features = int(np.prod(recordings[0].skeleton.shape[1:]))
    if mode != "dataset":
        return InputScale(np.zeros(n_features), np.ones(n_features))
    count, total, squares = (np.zeros(n_features) for _ in range(3))
    for recording in recordings:
        values = _vectors(recording)
        count += (~np.isnan(values)).sum(axis=0)
        total += np.nansum(values, axis=0)
        squares += np.nansum(values**2, axis=0)
    mean = total / np.maximum(count, 1)
    variance = squares / np.maximum(count, 1) - mean**2
    factor = np.where(_moves(variance, mean), np.sqrt(np.maximum(variance, 0)), np.inf)
    return InputScale(mean, factor)


def frame_series(recording: Recording, *, mode: FrameScale, scale: InputScale) -> Series:
    """The frame vectors of one recording.

    Source: the published codes of CTE, TOT, ASOT and HVQ, each of which has another scale. They take
    frames whose features add up to 0 for missing; here those are missing that were not measured.

    Args:
        recording: As it is to be seen.
        mode: `recording` (CTE, TOT): each feature's mean over the recording taken off, divided by its
            standard deviation. `recording_scaled` (ASOT): that over the root of the number of features.
            `dataset`: the same over all recordings. `frame_l2` (HVQ): each vector divided by its length.
            `none`: as it is. A feature that never changes is 0, but with the last two.
        scale: From `fit_frame_scale`.
    """
    values = _vectors(recording)
    if mode in ("recording", "recording_scaled"):
        values = _standardised(values)
        if mode == "recording_scaled":
            values /= np.sqrt(values.shape[1])
    elif mode == "dataset":
        values = scale.apply(values)
    values = np.nan_to_num(values)
    if mode == "frame_l2":
        values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return Series(
        id=recording.id,
        values=values.astype(np.float32),
        known=~np.isnan(recording.skeleton).any(axis=2).all(axis=1),
    )


def _vectors(recording: Recording) -> np.ndarray:
    return recording.skeleton.reshape(recording.n_frames, -1).astype(np.float64)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Each column around its mean, over its (population) standard deviation; 0 if it never changes."""
    count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    mean = np.nansum(values, axis=0) / count
    variance = np.nansum((values - mean) ** 2, axis=0) / count
    return (values - mean) / np.where(_moves(variance, mean), np.sqrt(variance), np.inf)


def _moves(variance: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Where a variance is more than rounding leaves of a constant."""
    return variance > (4 * np.finfo(np.float32).eps * mean) ** 2
