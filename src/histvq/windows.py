"""What a recording does in the window around each patch: where its joints are, and how much they move."""

from dataclasses import dataclass

import numpy as np

from histvq.recording import Recording, quantity_of


@dataclass(frozen=True, eq=False)
class WindowStatistics:
    """Statistics of the windows of one recording; NaN where nothing was measured.

    Attributes:
        means: (patch, feature): mean of each joint's channels, joint by joint; those that measure a
            rate of turning are left out, as over a second or two it averages to nothing.
        spreads: (patch, feature): standard deviation of each quantity (position, acceleration, turning)
            of each joint, its axes taken together, joint by joint.
        patches: (frame,): patch that each frame of the recording lies in.
    """

    means: np.ndarray
    spreads: np.ndarray
    patches: np.ndarray


def window_statistics(
    recording: Recording, *, patch_seconds: float, window_seconds: float
) -> WindowStatistics:
    """Statistics of a window around the middle of each patch, cut off at the recording's ends.

    Args:
        recording: At any rate: lengths are in seconds.
        patch_seconds: Time between windows; no shorter than a frame.
        window_seconds: Length of a window.
    """
    n_frames = recording.n_frames
    length = max(patch_seconds * recording.fps, 1.0)
    patches = np.floor(np.arange(n_frames) / length + 1e-9).astype(int)
    middles = (np.arange(patches[-1] + 1) + 0.5) * length
    reach = max(window_seconds * recording.fps, 1.0) / 2
    starts = np.clip(_rounded(middles - reach), 0, n_frames - 1)
    stops = np.clip(_rounded(middles + reach), starts + 1, n_frames)
    means, variances = _moments(recording.skeleton, starts, stops)
    quantities = [quantity_of(name) for name in recording.channel_names]
    with_mean = [c for c, quantity in enumerate(quantities) if not _turning(quantity)]
    spreads = [
        np.sqrt(known_mean(variances[:, :, [q == quantity for q in quantities]], axis=2))
        for quantity in dict.fromkeys(quantities)
    ]
    return WindowStatistics(
        means=means[:, :, with_mean].reshape(len(starts), -1),
        spreads=np.stack(spreads, axis=2).reshape(len(starts), -1),
        patches=patches,
    )


def _rounded(frames: np.ndarray) -> np.ndarray:
    """To the nearest frame, half a frame upwards: to even numbers, every other window would shift."""
    return np.floor(frames + 0.5 + 1e-9).astype(int)


def _turning(quantity: str) -> bool:
    return quantity.lower().startswith(("gyr", "angular", "rot"))


def _moments(
    skeleton: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the known values of each window, (window, joint, channel), by running sums."""
    known = ~np.isnan(skeleton)
    # Around the recording's own mean, or the square of a far-off position would cost the digits.
    middle = known_mean(skeleton.astype(np.float64), axis=0)
    around = np.where(known, skeleton - middle, 0.0)

    def over_windows(values: np.ndarray) -> np.ndarray:
        running = np.concatenate([np.zeros((1, *values.shape[1:])), values.cumsum(axis=0)])
        return running[stops] - running[starts]

    with np.errstate(invalid="ignore", divide="ignore"):
        count = over_windows(known.astype(np.float64))
        mean = over_windows(around) / count
        variance = over_windows(around**2) / count - mean**2
    return mean + middle, np.maximum(variance, 0.0)


def known_mean(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """Mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)
