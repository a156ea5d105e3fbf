"""What a recording does in the window around each patch: where its joints are, and how much they move."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from histvq.blocks import blocks
from histvq.recording import Recording, quantity_of
from histvq.transforms import blocks_centred_on_root
from histvq.windowing import Windows, known_mean, middle_of, moments

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
    windows = Windows.of(
        recording.n_frames,
        fps=recording.fps,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
    )
    starts, stops = windows.starts, windows.stops
    quantities = [quantity_of(name) for name in recording.channel_names]
    with_mean = [c for c, quantity in enumerate(quantities) if not turning(quantity)]
    together = [[q == quantity for q in quantities] for quantity in dict.fromkeys(quantities)]
    n_joints = len(recording.joint_names)
    means = np.empty((len(starts), n_joints * len(with_mean)))
    spreads = np.empty((len(starts), n_joints * len(together)))
    for rows, mean, variance in moments(partial(_frames, recording, to_root), starts, stops):
        n_rows = len(mean)
        means[rows] = mean[:, :, with_mean].reshape(n_rows, -1)
        of_each = [np.sqrt(known_mean(variance[:, :, which], axis=2)) for which in together]
        spreads[rows] = np.stack(of_each, axis=2).reshape(n_rows, -1)
    return WindowStatistics(means=means, spreads=spreads, patches=windows.patches)


def turning(quantity: str) -> bool:
    """Whether a quantity is a rate of turning."""
    return quantity.lower().startswith(("gyr", "angular", "rot"))


def _frames(recording: Recording, to_root: bool) -> Iterator[np.ndarray]:
    """The recording's frames, so few at a time that copies of them are small."""
    length = max(1, VALUES_A_BLOCK // max(1, recording.skeleton[0].size))
    if to_root:
        return blocks_centred_on_root(recording, n_frames=length)
    return blocks(recording.skeleton, n_rows=length)


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
    return middle_of(change(block) for part in parts for block in blocks(part, n_rows=length))
