"""Weighted means and velocities over time."""

import numpy as np

# A window of so many seconds weighs frames by a Gaussian whose spread is that of a box this long.
SPREAD_OF_A_BOX = 12**-0.5
_LEAST_WEIGHT = 1e-6


def weighted_mean(values: np.ndarray, spread: float) -> np.ndarray:
    """Mean of the known values around each frame, weighed by a Gaussian of this spread, in frames.

    Time is the first axis. Beyond the ends nothing is known; weights end at four spreads.
    """
    from scipy.ndimage import gaussian_filter1d

    def smooth(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter1d(numbers, spread, axis=0, mode="constant"))

    known = ~np.isnan(values)
    weights = smooth(known.astype(np.float64))
    with np.errstate(invalid="ignore"):
        return smooth(np.where(known, values, 0.0).astype(np.float64)) / np.where(
            weights > _LEAST_WEIGHT, weights, np.nan
        )


def velocities(positions: np.ndarray, *, fps: float) -> np.ndarray:
    """Central differences over the first axis, one-sided at the ends; 0 for a single frame."""
    positions = positions.astype(np.float64)
    if len(positions) < 2:
        return positions * 0
    return np.asarray(np.gradient(positions, axis=0) * fps)
