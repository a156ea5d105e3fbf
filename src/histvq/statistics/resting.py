"""How fast the ground under a body that keeps still goes up or down, from its accelerometers.

Somebody who stands in a lift moves no limb; all that is measured is that gravity seems a little stronger
while the lift speeds up, and weaker while it slows down. Added up, that is its speed.
"""

import numpy as np

GRAVITY = 9.81  # m/s2
# Length of the bins in which acceleration is added up.
BIN_SECONDS = 0.1
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


def vertical_speed(acceleration: np.ndarray, *, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Speed upwards as each sensor feels it, in metres a second.

    The magnitude of what an accelerometer at rest feels, over what it felt around then, is added up
    forwards in time and backwards, forgetting a little on the way, and the mean of the two is taken: a
    ride that begins or ends outside the recording is half seen at least. While the body moves, there is
    no telling: the speed is soon 0.

    Source: ours.

    Args:
        acceleration: (frame, sensor, 3), gravity included, in any unit; NaN where not measured.
        fps: Frames a second.

    Returns:
        Speed, (bin, sensor), and the first frame of each bin. 0 throughout for a sensor that does not
        feel gravity.
    """
    first = _bins(len(acceleration), fps)
    mean, shaken = _felt(acceleration, first)
    gravity = _known_median(mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, shaken = mean / gravity, shaken / gravity
    calm = _calm(shaken)
    deviation = np.where(calm[:, None], mean / _level(np.where(calm[:, None], mean, np.nan)) - 1, 0)
    deviation = np.nan_to_num(deviation)
    deviation = np.sign(deviation) * np.maximum(np.abs(deviation) - LEAST, 0)
    deviation[np.abs(deviation) > MOST] = 0
    kept = np.exp(-BIN_SECONDS / np.where(calm, REST_SECONDS, MOVING_SECONDS))
    gained = deviation * GRAVITY * BIN_SECONDS
    return (_added_up(gained, kept) - _added_up(gained[::-1], kept[::-1])[::-1]) / 2, first


def _bins(n_frames: int, fps: float) -> np.ndarray:
    """First frame of each bin; of the frames themselves where those are longer."""
    length = max(BIN_SECONDS * fps, 1.0)
    return np.unique(np.round(np.arange(0, n_frames, length)).astype(int).clip(0, n_frames - 1))


def _felt(acceleration: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the magnitude in each bin, (bin, sensor); NaN where unknown."""
    mean, deviation = (np.full((len(first), acceleration.shape[1]), np.nan) for _ in range(2))
    for sensor in range(acceleration.shape[1]):  # one by one: copies of a long recording are large
        size = np.linalg.norm(acceleration[:, sensor].astype(np.float64), axis=1)
        known = ~np.isnan(size)
        size = np.where(known, size, 0)
        count = np.add.reduceat(known.astype(np.float64), first)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean[:, sensor] = np.add.reduceat(size, first) / count
            square = np.add.reduceat(size**2, first) / count
        deviation[:, sensor] = np.sqrt(np.maximum(square - mean[:, sensor] ** 2, 0))
    return mean, deviation


def _calm(shaken: np.ndarray) -> np.ndarray:
    """In which bins most sensors are at rest, and were and will be for a moment, (bin,)."""
    from scipy.ndimage import maximum_filter1d

    most = np.nan_to_num(_known_median(shaken, axis=1), nan=np.inf)
    around = 2 * round(CALM_SECONDS / BIN_SECONDS) + 1
    return np.asarray(maximum_filter1d(most, around) < SHAKEN)


def _level(calm: np.ndarray) -> np.ndarray:
    """Median of what was felt at rest in the bins around each, (bin, sensor)."""
    import pandas as pd

    bins = round(LEVEL_SECONDS / BIN_SECONDS) + 1
    rolling = pd.DataFrame(calm).rolling(bins, center=True, min_periods=1)
    return np.asarray(rolling.median())


def _added_up(gained: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Sum so far of what was gained, (bin, sensor), of which a share is kept from bin to bin."""
    total = np.zeros(gained.shape[1])
    sums = np.empty_like(gained)
    for place, (gain, share) in enumerate(zip(gained, kept, strict=True)):
        total = total * share + gain
        sums[place] = total
    return sums


def _known_median(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """Median of what is known along an axis; NaN where nothing is."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=axis))
