"""Changes of the time base, and gaps in time."""

import numpy as np
from scipy import signal

from histvq.errors import ConfigError
from histvq.recording import Recording

# What `sosfiltfilt` pads with at either end, so the shortest stretch it takes.
FILTER_FRAMES = 9
# Of the new rate: what is faster would come out as something slow that is not there.
PASSED = 0.45
SLACK_FRAMES = 2 + 1e-6
# Frames that are interpolated in one go: more take much room and are no faster.
# Of the frame rate: the coefficients of a slower filter cannot be told from 1.
SLOWEST = 1e-6
FRAMES_A_BLOCK = 4096
# How far a rate may be raised: a model from elsewhere could ask for more frames than fit anywhere.
MOST_TIMES = 1000


def stride(recording: Recording, step: int) -> Recording:
    """Every step-th frame, beginning with the first, without a filter (the benchmarks' way)."""
    if step < 1:
        raise ConfigError(f"stride {step}: must be 1 or more")
    if step == 1:
        return recording
    return recording.noted(
        f"stride({step})", skeleton=recording.skeleton[::step], fps=recording.fps / step
    )


def resample(recording: Recording, fps: float, *, anti_alias: bool = False) -> Recording:
    """The same motion at another frame rate.

    A whole ratio takes every so-maniest frame; any other interpolates linearly between the two
    neighbouring frames (a value is missing where either neighbour is).

    Args:
        recording: The motion.
        fps: The new rate.
        anti_alias: Take out first what the new rate cannot show (`low_pass` at 0.45 of it); else
            movements faster than half the new rate come out as slow ones that are not there. False is
            the benchmarks' way.
    """
    if not fps > 0:
        raise ConfigError(f"fps {fps}: must be above 0")
    if fps > MOST_TIMES * recording.fps:
        raise ConfigError(
            f"recording {recording.id!r}: from {recording.fps:g} to {fps:g} frames a second: more than "
            f"{MOST_TIMES} frames would be made up for each. Give a lower rate, or see whether the "
            "recording's is right"
        )
    ratio = recording.fps / fps
    if anti_alias and ratio > 1 + 1e-9:
        recording = low_pass(recording, PASSED * fps)
    step = round(ratio)
    if step >= 1 and abs(ratio - step) < 1e-6 * ratio:
        return stride(recording, step)
    n_frames = (
        int(np.floor((recording.n_frames - 1) / ratio + 1e-9)) + 1 if recording.n_frames else 0
    )
    at = np.arange(n_frames) * ratio
    before = np.minimum(np.floor(at).astype(int), recording.n_frames - 1)
    after = np.minimum(before + 1, recording.n_frames - 1)
    mixed = np.empty((n_frames, *recording.skeleton.shape[1:]), np.float32)
    for start in range(0, n_frames, FRAMES_A_BLOCK):
        rows = slice(start, start + FRAMES_A_BLOCK)
        weight = (at - before)[rows].astype(np.float32)[:, None, None]
        low, high = recording.skeleton[before[rows]], recording.skeleton[after[rows]]
        mixed[rows] = np.where(weight < 1e-6, low, low + weight * (high - low))
    return recording.noted(f"resample({fps:g})", skeleton=mixed, fps=fps)


def low_pass(recording: Recording, hertz: float) -> Recording:
    """The same motion without what is faster than so many oscillations a second.

    Forwards and backwards, so that nothing is shifted in time. Where values are missing, each stretch
    between them is filtered by itself, and stretches too short to filter stay as they are.

    Source: a Butterworth filter of order 4, `scipy.signal.sosfiltfilt`.

    Raises:
        ConfigError: If `hertz` is not above 0, or so little that no filter can be made for it. At half
            the frame rate and above nothing is changed.
    """
    if not hertz >= SLOWEST * recording.fps:
        raise ConfigError(
            f"low_pass {hertz:g} Hz: must be above 0, and at {recording.fps:g} frames a second at least "
            f"{SLOWEST * recording.fps:g} Hz"
        )
    if hertz >= recording.fps / 2:
        return recording
    sections = signal.butter(2, hertz, fs=recording.fps, output="sos")  # twice over makes order 4
    skeleton = recording.skeleton.copy()
    series = skeleton.reshape(len(skeleton), -1)
    for column in range(series.shape[1]):
        for start, stop in _stretches(~np.isnan(series[:, column])):
            if stop - start > FILTER_FRAMES:
                piece = signal.sosfiltfilt(sections, series[start:stop, column].astype(np.float64))
                series[start:stop, column] = piece
    return recording.noted(f"low_pass({hertz:g} Hz)", skeleton=skeleton)


def _stretches(known: np.ndarray) -> list[tuple[int, int]]:
    """Runs of True as (start, stop)."""
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def frames_before_resampling(n_original: int, n_resampled: int, *, ratio: float) -> np.ndarray:
    """For each original frame, the resampled frame in force at that time (the latest not after it).

    Args:
        n_original: Frames of the original recording.
        n_resampled: Frames after resampling.
        ratio: Original frames a second over resampled ones.
    """
    latest = np.floor(np.arange(n_original) / ratio + 1e-6).astype(int)
    return np.minimum(latest, n_resampled - 1)


def labels_after_resampling(labels: np.ndarray, n_frames: int, *, ratio: float) -> np.ndarray:
    """Labels of a recording that was resampled: each frame has that of the nearest original one.

    Args:
        labels: Of the original frames.
        n_frames: How many there are after resampling.
        ratio: Original frames a second over resampled ones.
    """
    nearest = np.rint(np.arange(n_frames) * ratio).astype(int)
    return labels[np.minimum(nearest, len(labels) - 1)]


def labels_at(
    labels: np.ndarray, label_fps: float, *, n_frames: int, fps: float
) -> np.ndarray | None:
    """Labels made at another rate than the frames they are about, one for each frame.

    A label holds from its own time until the next: of labels at 10 a second, label k is that of all
    frames from k / 10 s on, and the last holds to the end.

    Returns:
        None where they cannot be about these frames: the rates are the same, or the two do not last
        equally long, to within two frames of the slower.
    """
    apart = abs(n_frames / fps - len(labels) / label_fps) * min(fps, label_fps)
    if fps == label_fps or not len(labels) or apart > SLACK_FRAMES:
        return None
    return labels[frames_before_resampling(n_frames, len(labels), ratio=fps / label_fps)]


def fill_gaps(recording: Recording, *, max_gap_s: float = 0.25) -> Recording:
    """Missing values filled by linear interpolation where a gap is short; longer ones stay NaN.

    Gaps at the beginning or end of the recording stay as they are: there is nothing to lean on.
    """
    skeleton = recording.skeleton.copy()
    series = skeleton.reshape(len(skeleton), -1)
    limit = max_gap_s * recording.fps + 1e-6  # 0.29 s at 100 Hz is 28.999999999999996 frames
    filled = sum(_fill_series(series[:, k], limit) for k in range(series.shape[1]))
    if not filled:
        return recording
    return recording.noted(f"fill_gaps({max_gap_s:g} s): {filled} values", skeleton=skeleton)


def _fill_series(values: np.ndarray, limit: float) -> int:
    """Fill short inner gaps of one series in place; how many values were filled."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        return 0
    gaps = np.diff(known) - 1
    filled = 0
    for place in np.flatnonzero((gaps > 0) & (gaps <= limit)):
        start, stop = known[place] + 1, known[place + 1]
        values[start:stop] = np.interp(
            np.arange(start, stop), [start - 1, stop], [values[start - 1], values[stop]]
        )
        filled += stop - start
    return filled
