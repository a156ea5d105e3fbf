"""Patches of a length in seconds, and moments of what lies in the windows around their middles."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Where the patches of one recording lie, and what of it is looked at for each.

    Attributes:
        n_frames: Of the recording, one at least.
        patch_frames: Length of a patch in frames; need not be whole.
        window_frames: Length of a window in frames; likewise.
    """

    n_frames: int
    patch_frames: float
    window_frames: float

    @classmethod
    def of(
        cls, n_frames: int, *, fps: float, patch_seconds: float, window_seconds: float
    ) -> "Windows":
        """Those of a recording; neither patch nor window is shorter than a frame."""
        return cls(n_frames, max(patch_seconds * fps, 1.0), max(window_seconds * fps, 1.0))

    @property
    def patches(self) -> np.ndarray:
        """(frame,): patch that each frame lies in."""
        places = np.arange(self.n_frames, dtype=np.float64)
        places /= self.patch_frames
        places += 1e-9
        return np.floor(places, out=places).astype(int)

    @property
    def n_patches(self) -> int:
        """How many patches there are, the last one as short as it is."""
        return int(np.floor((self.n_frames - 1) / self.patch_frames + 1e-9)) + 1

    @property
    def middles(self) -> np.ndarray:
        """(patch,): middle of each patch, in frames."""
        return (np.arange(self.n_patches) + 0.5) * self.patch_frames

    @property
    def starts(self) -> np.ndarray:
        """(patch,): first frame of each window, which is cut off at the recording's beginning."""
        return np.clip(_rounded(self.middles - self.window_frames / 2), 0, self.n_frames - 1)

    @property
    def stops(self) -> np.ndarray:
        """(patch,): the frame after the last of each window, which is cut off at the recording's end."""
        stops = _rounded(self.middles + self.window_frames / 2)
        return np.clip(stops, self.starts + 1, self.n_frames)


def _rounded(frames: np.ndarray) -> np.ndarray:
    """To the nearest frame, half a frame upwards: to even numbers, every other window would shift."""
    return np.floor(frames + 0.5 + 1e-9).astype(int)


def moments(
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
    middle = middle_of(frames())
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


def middle_of(frames: Iterable[np.ndarray]) -> np.ndarray:
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
