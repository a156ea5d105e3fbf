"""What a recording does in the window around each patch: where its joints are, and how much they move."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from histvq.blocks import blocks
from histvq.recording import Recording, quantity_of
from histvq.transforms import blocks_centred_on_root

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
    recording: Recording, *, patch_seconds: float, window_seconds: float, to_root: bool = False
) -> WindowStatistics:
    """Statistics of a window around the middle of each patch, cut off at the recording's ends.

    Args:
        recording: At any rate: lengths are in seconds.
        patch_seconds: Time between windows; no shorter than a frame.
        window_seconds: Length of a window.
        to_root: Whether to take positions relative to the root first, as `centre_on_root` does.
    """
    n_frames = recording.n_frames
    length = max(patch_seconds * recording.fps, 1.0)
    patches = _patches(n_frames, length)
    middles = (np.arange(patches[-1] + 1) + 0.5) * length
    reach = max(window_seconds * recording.fps, 1.0) / 2
    starts = np.clip(_rounded(middles - reach), 0, n_frames - 1)
    stops = np.clip(_rounded(middles + reach), starts + 1, n_frames)
    quantities = [quantity_of(name) for name in recording.channel_names]
    with_mean = [c for c, quantity in enumerate(quantities) if not _turning(quantity)]
    together = [[q == quantity for q in quantities] for quantity in dict.fromkeys(quantities)]
    n_joints = len(recording.joint_names)
    means = np.empty((len(starts), n_joints * len(with_mean)))
    spreads = np.empty((len(starts), n_joints * len(together)))
    for rows, mean, variance in _moments(partial(_frames, recording, to_root), starts, stops):
        n_rows = len(mean)
        means[rows] = mean[:, :, with_mean].reshape(n_rows, -1)
        of_each = [np.sqrt(known_mean(variance[:, :, which], axis=2)) for which in together]
        spreads[rows] = np.stack(of_each, axis=2).reshape(n_rows, -1)
    return WindowStatistics(means=means, spreads=spreads, patches=patches)


def _patches(n_frames: int, length: float) -> np.ndarray:
    """Patch that each frame lies in, of patches of so many frames, which need not be whole."""
    places = np.arange(n_frames, dtype=np.float64)
    places /= length
    places += 1e-9
    return np.floor(places, out=places).astype(int)


def _rounded(frames: np.ndarray) -> np.ndarray:
    """To the nearest frame, half a frame upwards: to even numbers, every other window would shift."""
    return np.floor(frames + 0.5 + 1e-9).astype(int)


def _turning(quantity: str) -> bool:
    return quantity.lower().startswith(("gyr", "angular", "rot"))


def _frames(recording: Recording, to_root: bool) -> Iterator[np.ndarray]:
    """The recording's frames, so few at a time that copies of them are small."""
    length = max(1, VALUES_A_BLOCK // max(1, recording.skeleton[0].size))
    if to_root:
        return blocks_centred_on_root(recording, n_frames=length)
    return blocks(recording.skeleton, n_rows=length)


def _moments(
    frames: Callable[[], Iterable[np.ndarray]], starts: np.ndarray, stops: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Mean and variance of the known values of each window, (window, joint, channel), by running sums.

    Args:
        frames: Goes through the frames, (frame, joint, channel), block by block, whenever asked.
        starts: First frame of each window, in order.
        stops: The frame after its last, likewise.

    Yields:
        Which windows these are, their means and variances; some windows at a time.
    """
    # Around the recording's own mean, or the square of a far-off position would cost the digits.
    middle = _middle(frames())
    borders = np.union1d(starts, stops)
    n_done = n_dropped = 0
    before: np.ndarray | None = None  # at the borders from `n_dropped` on
    for sums in _sums_before(borders, frames(), middle):
        before = sums if before is None else np.concatenate([before, sums], axis=1)
        n_known = n_dropped + before.shape[1]
        n_ready = int(np.searchsorted(stops, borders[n_known - 1], "right"))
        if n_ready == n_done:
            continue
        rows = slice(n_done, n_ready)
        ends = np.searchsorted(borders, stops[rows]), np.searchsorted(borders, starts[rows])
        with np.errstate(invalid="ignore", divide="ignore"):
            count, total, squares = before[:, ends[0] - n_dropped] - before[:, ends[1] - n_dropped]
            mean = total / count
            variance = squares / count - mean**2
        yield rows, mean + middle, np.maximum(variance, 0.0)
        n_done = n_ready
        if n_done < len(starts):  # no later window begins before this one
            first = int(np.searchsorted(borders, starts[n_done]))
            before = before[:, max(first - n_dropped, 0) :]
            n_dropped = n_known - before.shape[1]


def _middle(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of the known values of each joint and channel; NaN where there are none."""
    total = count = np.zeros(())
    for block in frames:
        known = ~np.isnan(block)
        values = np.where(known, block.astype(np.float64), 0.0)
        total = np.concatenate([np.broadcast_to(total, (1, *block.shape[1:])), values]).sum(axis=0)
        count = count + known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return total / count


def _sums_before(
    borders: np.ndarray, frames: Iterable[np.ndarray], middle: np.ndarray
) -> Iterator[np.ndarray]:
    """Known values, their sum and sum of squares around the middle in the frames before each border.

    Args:
        borders: Frames, in order, each once.
        frames: (frame, joint, channel), block by block.
        middle: (joint, channel).

    Yields:
        (3, border, joint, channel) of the next borders.
    """
    running = np.zeros((3, 1, *middle.shape))
    start = n_given = 0
    for block in frames:
        known = ~np.isnan(block)
        around = np.where(known, block - middle, 0.0)
        values = np.stack([known.astype(np.float64), around, around**2])
        running = np.concatenate([running[:, -1:], values], axis=1).cumsum(axis=1)
        n_passed = int(np.searchsorted(borders, start + len(block), "right"))
        if n_passed > n_given:
            yield running[:, borders[n_given:n_passed] - start]
        n_given, start = n_passed, start + len(block)


def known_mean(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """Mean of what is known along an axis; NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0).sum(axis=axis) / known.sum(axis=axis)


def stillness(statistics: Sequence[WindowStatistics]) -> np.ndarray:
    """What to add to each spread before its logarithm is taken: how still is still, (spread,)."""
    return STILL * np.sqrt(_mean_square([s.spreads for s in statistics]))


def features_of(statistics: WindowStatistics, still: np.ndarray) -> np.ndarray:
    """Means, and logarithms of the spreads, (patch, feature).

    A joint that is still throughout the data has no logarithm: NaN.
    """
    features = np.concatenate([statistics.means, statistics.spreads], axis=1)
    energy = features[:, statistics.means.shape[1] :]
    energy += still
    with np.errstate(divide="ignore"):
        np.log(energy, out=energy)
    energy[np.isneginf(energy)] = np.nan
    return features


def means_by_person(features: Sequence[np.ndarray], whose: Sequence[str]) -> dict[str, np.ndarray]:
    """Mean of the features of each person's windows, by name in order."""
    together: dict[str, list[np.ndarray]] = {}
    for of_one, person in zip(features, whose, strict=True):
        together.setdefault(person, []).append(of_one)
    return {person: _mean_of_rows(together[person]) for person in sorted(together)}


def sizes_of(features: Sequence[np.ndarray]) -> np.ndarray:
    """Root of the mean square of each feature over all windows, (feature,); 0 where nothing is known."""
    return np.nan_to_num(np.sqrt(_mean_square(features)))


def scale_of(rest: Sequence[np.ndarray], sizes: np.ndarray) -> np.ndarray:
    """Standard deviation of what is left of features after a mean was taken off; infinite for constants.

    Rounding leaves a constant some spread; divided by that, it would look like movement.

    Args:
        rest: What is left, (patch, feature) of each recording.
        sizes: Of the features themselves: `sizes_of`.
    """
    spread = sizes_of(rest)
    return np.where(spread > 1e-6 * sizes, spread, np.inf)


def _mean_square(parts: Sequence[np.ndarray]) -> np.ndarray:
    return _mean_of_rows(parts, np.square)


def _mean_of_rows(
    parts: Sequence[np.ndarray], change: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> np.ndarray:
    """`known_mean` of the rows of all these arrays one after another, changed first, without a copy."""
    length = max(1, VALUES_A_BLOCK // max(1, parts[0].shape[1]))
    return _middle(change(block) for part in parts for block in blocks(part, n_rows=length))
