"""How fast the ground under a body that keeps still goes up or down, from its accelerometers.

Somebody who stands in a lift moves no limb; all that is measured is that gravity seems a little stronger
while the lift speeds up, and weaker while it slows down. Added up, that is its speed.
"""

from typing import Literal

import numpy as np

GRAVITY = 9.81  # m/s2
# Length of the bins in which acceleration is added up, and how many frames it takes at least to tell
# whether a sensor is shaken.
BIN_SECONDS, BIN_FRAMES = 0.1, 3
# Movement shakes a sensor within a bin by more than this share of gravity; a lift shakes it by less.
SHAKEN = 0.1
# Nothing is added up within so many seconds of movement.
CALM_SECONDS = 0.3
# What gravity seems to be is told from so many seconds around, at rest: sensors are not exact, and err in
# another way in every posture.
LEVEL_SECONDS = 40.0
# Deviations below this share of gravity count as none, and above the other as no lift's.
LEAST, MOST = 0.003, 0.3
# Speed is forgotten within so many seconds at rest, and while moving.
REST_SECONDS, MOVING_SECONDS = 30.0, 1.0


def vertical_speed(felt: np.ndarray, *, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Speed upwards as each sensor feels it, in metres a second.

    The magnitude of what an accelerometer at rest feels, over what it felt around then, is added up
    forwards in time and backwards, forgetting a little on the way, and the mean of the two is taken: a
    ride that begins or ends outside the recording is half seen at least. While the body moves, there is
    no telling: the speed is soon 0.

    Source: ours.

    Args:
        felt: Magnitude of acceleration, (frame, sensor), gravity included, in any unit; NaN where not
            measured.
        fps: Frames a second.

    Returns:
        Speed, (bin, sensor), and the first frame of each bin. 0 throughout for a sensor that does not
        feel gravity.
    """
    length = max(BIN_SECONDS * fps, BIN_FRAMES)  # in frames; need not be whole
    first = np.unique(np.round(np.arange(0, len(felt), length)).astype(int).clip(0, len(felt) - 1))
    seconds = length / fps
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, shaken = _in_bins(felt, first)
        gravity = _known_median(mean)
        calm = _calm(shaken / gravity, max(round(CALM_SECONDS / seconds), 1))[:, None]
        level = _level(np.where(calm, mean, np.nan), round(LEVEL_SECONDS / seconds / 2))
        deviation = np.where(calm, mean / level - 1, 0)
    gained = _plausible(deviation) * GRAVITY * seconds
    kept = np.exp(-seconds / np.where(calm, REST_SECONDS, MOVING_SECONDS))
    return (_added_up(gained, kept) - _added_up(gained[::-1], kept[::-1])[::-1]) / 2, first


def _in_bins(felt: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of what is known in each bin, (bin, sensor); NaN where nothing is."""
    mean, square = (np.empty((len(first), felt.shape[1])) for _ in range(2))
    for sensor, sizes in enumerate(felt.T):  # one by one: copies of a long recording are large
        known = ~np.isnan(sizes)
        sizes = np.where(known, sizes, 0)
        count = np.add.reduceat(known, first, dtype=np.float64)
        mean[:, sensor] = np.add.reduceat(sizes, first) / count
        square[:, sensor] = np.add.reduceat(sizes**2, first) / count
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _plausible(deviation: np.ndarray) -> np.ndarray:
    """Deviations as far as they may be a lift's, and 0 for all others."""
    size = np.abs(deviation) - LEAST
    return np.where((size > 0) & (size <= MOST), np.sign(deviation) * size, 0)


def _calm(shaken: np.ndarray, around: int) -> np.ndarray:
    """In which bins most sensors are at rest, and so many bins before and after as well, (bin,)."""
    from scipy.ndimage import maximum_filter1d

    most = np.nan_to_num(_known_median(shaken, axis=1), nan=np.inf)
    return np.asarray(maximum_filter1d(most, 2 * around + 1) < SHAKEN)


def _level(calm: np.ndarray, around: int) -> np.ndarray:
    """Median of what was felt at rest in each bin and so many before and after, (bin, sensor)."""
    import pandas as pd

    rolling = pd.DataFrame(calm).rolling(2 * around + 1, center=True, min_periods=1)
    return np.asarray(rolling.median())


def _added_up(gained: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Sum so far of what was gained, (bin, sensor), of which a share is kept from bin to bin."""
    total = np.zeros(gained.shape[1])
    sums = np.empty_like(gained)
    for place, (gain, share) in enumerate(zip(gained, kept, strict=True)):
        total = total * share + gain
        sums[place] = total
    return sums


def _known_median(values: np.ndarray, *, axis: Literal[0, 1] = 0) -> np.ndarray:
    """Median of what is known along an axis; NaN where nothing is."""
    import pandas as pd

    return np.asarray(pd.DataFrame(values).median(axis=axis))
