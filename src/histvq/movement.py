"""What each joint does around each moment: how it is held, how fast it moves, and how long that lasts."""

from collections.abc import Sequence

import numpy as np

# A window of so many seconds weighs frames by a Gaussian whose spread is that of a box this long.
_SPREAD_OF_A_BOX = 12**-0.5
# How long movement lasts is told from speeds in windows this short, in seconds.
MEMORY_WINDOW = 0.5
# What is below this share of a joint's usual speed counts as standing still. A tenth, not a hundredth as
# for sensors: the noise of tracked positions is larger, and more so once differences are taken.
STILL = 0.1


def posture_and_speed(
    positions: np.ndarray,
    *,
    fps: float,
    window_seconds: float,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean place and root mean square speed of each joint along each axis around some frames.

    Args:
        positions: (frame, joint, axis), relative to the root joint, and turned to one heading where that
            is known. NaN where nothing was measured, which counts for nothing.
        fps: Frames a second.
        window_seconds: Length of the box that is as wide as the Gaussian weights.
        at: (patch,): the frames in the middle of the windows.

    Returns:
        Posture, in the positions' unit, and speed, in that unit a second, each (patch, joint, axis); NaN
        where no frame of the window was measured.
    """
    spread = window_seconds * fps * _SPREAD_OF_A_BOX
    speed = velocities(positions, fps=fps)
    return weighted_mean(positions, spread)[at], np.sqrt(weighted_mean(speed**2, spread)[at])


def velocities(positions: np.ndarray, *, fps: float) -> np.ndarray:
    """Central differences over the first axis, one-sided at the ends; 0 for a single frame."""
    positions = positions.astype(np.float64)
    if len(positions) < 2:
        return positions * 0
    return np.asarray(np.gradient(positions, axis=0) * fps)


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


_LEAST_WEIGHT = 1e-6


def log_speed(speeds: Sequence[np.ndarray], *, share: float = STILL) -> list[np.ndarray]:
    """Logarithms of speeds of all recordings, after this share of each one's usual speed is added.

    A joint that stands still throughout the data has no logarithm: NaN.
    """
    rest = share * np.sqrt(_known_mean(np.concatenate(speeds) ** 2))
    with np.errstate(divide="ignore"):
        logs = [np.log(speed + rest) for speed in speeds]
    return [np.where(np.isneginf(log), np.nan, log) for log in logs]


def movement_memory(
    positions: Sequence[np.ndarray], persons: Sequence[str | None], *, fps: float
) -> float:
    """How long people move as they do, in seconds: `memory_seconds` of the joints' log speeds.

    Speeds are those of windows of `MEMORY_WINDOW`, axes taken together, each person's mean off.

    Args:
        positions: (frame, joint, axis) of each recording, relative to the root joint, which is left out.
        persons: Whose recording each is; those whose name is not known count as one.
        fps: Frames a second.
    """
    spread = MEMORY_WINDOW * fps * _SPREAD_OF_A_BOX
    squares = [(velocities(place, fps=fps) ** 2).mean(axis=2) for place in positions]
    speeds = log_speed([np.sqrt(weighted_mean(square, spread)) for square in squares])
    usual = {
        person: _known_mean(
            np.concatenate([s for s, p in zip(speeds, persons, strict=True) if p == person])
        )
        for person in set(persons)
    }
    rest = [speed - usual[person] for speed, person in zip(speeds, persons, strict=True)]
    scale = np.sqrt(_known_mean(np.concatenate(rest) ** 2))
    moving = scale > 0
    if not moving.any():
        return memory_seconds([np.zeros((len(speed), 1)) for speed in speeds], fps=fps)
    return memory_seconds([(r[:, moving] / scale[moving]) for r in rest], fps=fps)


def memory_seconds(signals: Sequence[np.ndarray], *, fps: float, longest: float = 60.0) -> float:
    """How long movement goes on as it is: the time after which two moments are nearly strangers.

    The lag at which the variogram of the signals, half the mean square difference of moments so far
    apart, over their variance, reaches 1 - 1/e, as that of a process that forgets exponentially does
    at its time constant. No label is looked at.

    Args:
        signals: (frame, feature) of each recording, scaled alike; NaN where nothing was measured.
        fps: Frames a second.
        longest: Lag to stop at, in seconds; the answer where the level is not reached before.
    """
    everything = np.concatenate(signals)
    variance = float(np.nanmean((everything - _known_mean(everything)) ** 2))
    lasting = max(len(signal) for signal in signals)
    before = 0.0
    level = 1 - np.exp(-1)
    for lag in range(1, min(lasting, int(longest * fps) + 1)):
        apart = [((s[lag:] - s[:-lag]) ** 2).ravel() for s in signals if len(s) > lag]
        share = float(np.nanmean(np.concatenate(apart))) / 2 / variance if variance else 0.0
        if share >= level:
            return (lag - 1 + (level - before) / (share - before)) / fps
        before = share
    return min(longest, lasting / fps)


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Mean of what is known over the first axis; NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=0) / known.sum(axis=0))


def headings(across: np.ndarray, *, fps: float, seconds: float = 0.5) -> np.ndarray:
    """Direction of the line from a body's left to its right, seen from above, (frame,), in radians.

    Smoothed as a vector, so that a line seen from its end for a moment does not turn the body about.

    Args:
        across: (frame, 2): from left to right along the two level axes; NaN where not measured.
        fps: Frames a second.
        seconds: Spread of the Gaussian it is smoothed by.
    """
    smooth = weighted_mean(across, seconds * fps)
    angle = np.arctan2(smooth[:, 1], smooth[:, 0])
    known = np.flatnonzero(~np.isnan(angle))
    if not len(known):
        return np.zeros(len(across))
    return np.interp(np.arange(len(angle)), known, np.unwrap(angle[known]))


def turned_back(
    positions: np.ndarray,
    angle: np.ndarray,
    *,
    level: tuple[int, int],
) -> np.ndarray:
    """Positions turned about the vertical by -angle: what pointed along `angle` is on the first axis.

    Args:
        positions: (frame, joint, axis), relative to the root.
        angle: (frame,), as `headings` gives it, for the same two axes.
        level: Places of the two level axes.
    """
    first, second = (positions[:, :, axis] for axis in level)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = positions.astype(np.float64)
    turned[:, :, level[0]] = cos * first + sin * second
    turned[:, :, level[1]] = cos * second - sin * first
    return turned
