"""What a recording does in the window around each patch: where its joints are, and how much they move."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.recording import Recording, quantity_of

# What is below this share of a joint's usual spread counts as standing still: the logarithm would make
# much of the difference between one sensor's noise and another's.
STILL = 0.01
# Numbers of a recording that are looked at in one go: half a megabyte of float64.
VALUES_A_BLOCK = 2**16


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
    # Around the recording's own mean, or the square of a far-off position would cost the digits.
    middle = _middle(skeleton)
    borders = np.union1d(starts, stops)
    before = _sums_before(borders, skeleton, middle)
    windows = np.searchsorted(borders, stops), np.searchsorted(borders, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        count, total, squares = before[:, windows[0]] - before[:, windows[1]]
        mean = total / count
        variance = squares / count - mean**2
    return mean + middle, np.maximum(variance, 0.0)


def _middle(skeleton: np.ndarray) -> np.ndarray:
    """Mean of the known values of each joint and channel; NaN where there are none."""
    total, count = np.zeros((2, *skeleton.shape[1:]))
    for start, stop in _blocks(skeleton):
        known = ~np.isnan(skeleton[start:stop])
        values = np.where(known, skeleton[start:stop].astype(np.float64), 0.0)
        total = np.concatenate([total[None], values]).sum(axis=0)
        count = count + known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return total / count


def _sums_before(borders: np.ndarray, skeleton: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Known values, their sum and sum of squares around the middle in the frames before each border.

    Args:
        borders: Frames, in order, each once.
        skeleton: (frame, joint, channel).
        middle: (joint, channel).

    Returns:
        (3, border, joint, channel).
    """
    sums = np.zeros((3, len(borders), *skeleton.shape[1:]))
    running = np.zeros((3, 1, *skeleton.shape[1:]))
    for start, stop in _blocks(skeleton):
        known = ~np.isnan(skeleton[start:stop])
        around = np.where(known, skeleton[start:stop] - middle, 0.0)
        values = np.stack([known.astype(np.float64), around, around**2])
        running = np.concatenate([running[:, -1:], values], axis=1).cumsum(axis=1)
        first, last = np.searchsorted(borders, [start, stop + 1])
        sums[:, first:last] = running[:, borders[first:last] - start]
    return sums


def _blocks(skeleton: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stretches of frames, one after another, of which copies are small however long a recording is."""
    length = max(1, VALUES_A_BLOCK // max(1, skeleton[0].size))
    for start in range(0, len(skeleton), length):
        yield start, min(start + length, len(skeleton))


def known_mean(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """Mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def stillness(statistics: Sequence[WindowStatistics]) -> np.ndarray:
    """What to add to each spread before its logarithm is taken: how still is still, (spread,)."""
    return STILL * np.sqrt(known_mean(np.concatenate([s.spreads**2 for s in statistics])))


def features_of(statistics: WindowStatistics, still: np.ndarray) -> np.ndarray:
    """Means, and logarithms of the spreads, (patch, feature).

    A joint that is still throughout the data has no logarithm: NaN.
    """
    with np.errstate(divide="ignore"):
        energy = np.log(statistics.spreads + still)
    return np.concatenate([statistics.means, np.where(np.isneginf(energy), np.nan, energy)], axis=1)


def means_by_person(features: Sequence[np.ndarray], whose: Sequence[str]) -> dict[str, np.ndarray]:
    """Mean of the features of each person's windows, by name in order."""
    together: dict[str, list[np.ndarray]] = {}
    for of_one, person in zip(features, whose, strict=True):
        together.setdefault(person, []).append(of_one)
    return {person: known_mean(np.concatenate(together[person])) for person in sorted(together)}


def scale_of(rest: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Standard deviation of what is left of features after a mean was taken off; infinite for constants.

    Rounding leaves a constant some spread; divided by that, it would look like movement.
    """
    spread = np.nan_to_num(np.sqrt(known_mean(rest**2)))
    size = np.nan_to_num(np.sqrt(known_mean(features**2)))
    return np.where(spread > 1e-6 * size, spread, np.inf)
