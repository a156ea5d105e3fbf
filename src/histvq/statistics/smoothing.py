"""Weighted means and velocities over time."""

import numpy as np

# A window of so many seconds weighs frames by a Gaussian whose spread is that of a box this long.
SPREAD_OF_A_BOX = 12**-0.5


def weighted_mean(values: np.ndarray, spread: float) -> np.ndarray:
    """Mean of the known values around each frame, weighed by a Gaussian of this spread, in frames.

    Time is the first axis. Beyond the ends nothing is known; weights end at four spreads.
    """
    from scipy.ndimage import gaussian_filter1d

    def smooth(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter1d(numbers, spread, axis=0, mode="constant"))

    known = ~np.isnan(values)
    total = smooth(np.where(known, values, 0.0).astype(np.float64))
    with np.errstate(invalid="ignore"):
        return total / smooth(known.astype(np.float64))


def velocities(positions: np.ndarray, *, fps: float) -> np.ndarray:
    """Central differences over the first axis, one-sided at the ends; 0 for a single frame."""
    positions = positions.astype(np.float64)
    if len(positions) < 2:
        return positions * 0
    return np.asarray(np.gradient(positions, axis=0) * fps)
