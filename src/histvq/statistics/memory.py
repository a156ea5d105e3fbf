"""How long people go on moving as they do: the scale of time of windows on positions."""

from collections.abc import Sequence

import numpy as np

from histvq.recording import Recording
from histvq.statistics.channels import log_above
from histvq.statistics.smoothing import SPREAD_OF_A_BOX, velocities, weighted_mean
from histvq.windowing import known_mean
from histvq.windows import means_by_person, scale_of, sizes_of

# Speeds are those of windows this short, in seconds, looked at so many times a second.
WINDOW_SECONDS = 0.5
RATE = 30.0
# What is below this share of a joint's usual speed counts as standing still.
STILL = 0.1


def movement_memory(recordings: Sequence[Recording], *, longest: float = 60.0) -> float:
    """How long people move as they do, in seconds: `memory_seconds` of the joints' log speeds.

    Each person's mean is taken off, so that who moves does not count, and each joint counts the same.

    Args:
        recordings: Positions relative to the root; rates may differ.
        longest: As of `memory_seconds`.
    """
    speeds = [_speeds(recording) for recording in recordings]
    still = STILL * sizes_of(speeds)
    logs = [log_above(speed, still) for speed in speeds]
    persons = [recording.person or "" for recording in recordings]
    usual = means_by_person(logs, persons)
    rest = [log - usual[person] for log, person in zip(logs, persons, strict=True)]
    scale = scale_of(rest, sizes_of(logs))
    moving = np.isfinite(scale)
    return memory_seconds([r[:, moving] / scale[moving] for r in rest], fps=RATE, longest=longest)


def _speeds(recording: Recording) -> np.ndarray:
    """Root mean square speed of each joint, (moment, joint), `RATE` times a second."""
    spread = WINDOW_SECONDS * recording.fps * SPREAD_OF_A_BOX
    n_moments = max(1, round(recording.duration_s * RATE))
    frames = np.minimum(
        (np.arange(n_moments) * recording.fps / RATE).astype(int), recording.n_frames - 1
    )
    speeds = np.empty((n_moments, recording.skeleton.shape[1]))
    for joint in range(speeds.shape[1]):  # one by one: copies of a long recording are large
        moved = velocities(recording.skeleton[:, joint], fps=recording.fps)
        speeds[:, joint] = np.sqrt(weighted_mean((moved**2).mean(axis=1), spread)[frames])
    return speeds


def memory_seconds(signals: Sequence[np.ndarray], *, fps: float, longest: float = 60.0) -> float:
    """The time after which two moments are nearly strangers.

    The lag at which the variogram of the signals, half the mean square difference of moments so far
    apart, over their variance, reaches 1 - 1/e, as that of a process that forgets exponentially does
    at its time constant. No label is looked at.

    Args:
        signals: (frame, feature) of each recording, scaled alike; NaN where nothing was measured.
        fps: Frames a second.
        longest: Lag to stop at, in seconds; the answer where the level is not reached before.
    """
    everything = np.concatenate(signals)
    middle = known_mean(everything)
    variance = float(known_mean(((everything - middle) ** 2).ravel()))
    lasting = max(len(signal) for signal in signals)
    n_lags = min(lasting, int(longest * fps) + 1)
    shares = np.zeros(n_lags)
    if variance > 0:
        shares = _variogram([signal - middle for signal in signals], n_lags) / variance
    level = 1 - np.exp(-1)
    reached = np.flatnonzero(shares >= level)
    if len(reached) == 0:
        return min(longest, lasting / fps)
    before, after = shares[reached[0] - 1 : reached[0] + 1]
    return float(reached[0] - 1 + (level - before) / (after - before)) / fps


def _variogram(signals: Sequence[np.ndarray], n_lags: int) -> np.ndarray:
    """Half the mean square difference of moments 0, 1, 2, ... frames apart, where both are known, (lag,).

    By Fourier transforms: the squares of all differences at a lag add up to correlations of the signal,
    of its square and of where it is known.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    total, count = np.zeros(n_lags), np.zeros(n_lags)
    for signal in signals:
        size = next_fast_len(
            len(signal) + n_lags, real=True
        )  # so that the end does not meet the start
        for feature in signal.T:  # one by one: spectra of a long recording are large
            known = ~np.isnan(feature)
            values = np.where(known, feature, 0)
            of_values, of_squares, of_known = (
                rfft(v, size) for v in (values, values**2, known * 1.0)
            )
            pairs = 2 * (of_squares.conj() * of_known).real - 2 * np.abs(of_values) ** 2
            total += irfft(pairs, size)[:n_lags]
            count += irfft(np.abs(of_known) ** 2, size)[:n_lags]
    total[0] = 0  # but for rounding
    return total / np.maximum(np.rint(count), 1) / 2
