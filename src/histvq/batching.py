"""Recordings to batches: the one crossing from (frame, joint, channel) to the network's axes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from histvq.errors import ConfigError
from histvq.recording import Recording, quantity_of


@dataclass(frozen=True, eq=False)
class Batch:
    """Recordings laid end to end in time, a gap of masked frames after each.

    Each begins at a whole patch, so cutting the whole into patches cuts every recording into its own.
    The gap keeps convolutions from seeing the neighbour: the result is that of padding, without the
    43 % of padding that batches of HuGaDB have.

    Attributes:
        skeleton: Float (joint, frame, channel), 0 where not real.
        real: Bool (joint, frame), False in gaps and where nothing was measured.
        patch_times: Float (patch,): middle of each patch as a share of its recording, in [0, 1].
        numbers: Int (patch,): number of each patch in the whole batch, of which this may be a share.
        places: Of the recordings that are laid down, their places among those of the whole batch.
        frames: Of each of these, (start, stop) here.
        starts: First frame of each recording, in the whole batch.
        lengths: Frames of each recording.
        ids: Id of each recording.
    """

    skeleton: Tensor
    real: Tensor
    patch_times: Tensor
    numbers: Tensor
    places: tuple[int, ...]
    frames: tuple[tuple[int, int], ...]
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    ids: tuple[str, ...]

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return replace(
            self,
            skeleton=self.skeleton.to(device),
            real=self.real.to(device),
            patch_times=self.patch_times.to(device),
            numbers=self.numbers.to(device),
        )


@dataclass(frozen=True, eq=False)
class InputScale:
    """The offset and factor of each channel that make the input unit-free.

    Attributes:
        offset: (channel,), in the recordings' unit.
        factor: (channel,), likewise; 1 and 0 leave the numbers as they are.
    """

    offset: np.ndarray
    factor: np.ndarray

    def apply(self, skeleton: np.ndarray) -> np.ndarray:
        """(skeleton - offset) / factor."""
        return (skeleton - self.offset) / self.factor

    def undo(self, skeleton: np.ndarray) -> np.ndarray:
        """Skeletons in the recordings' unit again."""
        return skeleton * self.factor + self.offset


def fit_scale(recordings: Sequence[Recording], *, mode: str) -> InputScale:
    """The scale of these recordings.

    Args:
        recordings: All of the training data.
        mode: `none` leaves the numbers as they are (the paper's runs). `quantity` takes each channel's
            mean off and divides by one standard deviation for all axes of a quantity: `x`, `y` and `z`
            share one, `acc_x`, `acc_y`, `acc_z` another. Directions and, for positions, the
            proportions of distances stay as they were.
    """
    names = recordings[0].channel_names
    if mode == "none":
        return InputScale(np.zeros(len(names), np.float32), np.ones(len(names), np.float32))
    count, total, squares = (np.zeros(len(names)) for _ in range(3))
    for recording in recordings:
        values = recording.skeleton.reshape(-1, len(names)).astype(np.float64)
        count += np.isfinite(values).sum(axis=0)
        total += np.nansum(values, axis=0)
        squares += np.nansum(values**2, axis=0)
    mean = total / np.maximum(count, 1)
    variance = squares / np.maximum(count, 1) - mean**2
    # Rounding leaves a constant channel some variance; divided by, it would blow up what is none.
    variance[variance <= (4 * np.finfo(np.float32).eps * mean) ** 2] = 0
    quantities = [quantity_of(name) for name in names]
    shared = [
        np.sqrt(np.mean([v for v, q in zip(variance, quantities, strict=True) if q == quantity]))
        for quantity in quantities
    ]
    factor = np.where(np.array(shared) > 0, shared, 1)
    return InputScale(mean.astype(np.float32), factor.astype(np.float32))


def pack(
    recordings: Sequence[Recording],
    *,
    patch_frames: int,
    gap: int,
    scale: InputScale,
    spans: Sequence[tuple[int, int]] | None = None,
    share: Sequence[int] | None = None,
) -> Batch:
    """Lay recordings, or pieces of them, end to end.

    Args:
        recordings: All with the same joints and channels.
        patch_frames: P; every recording begins at a multiple of it.
        gap: Masked frames after each recording, at least; the widest dilation keeps them apart.
        scale: Applied to the values.
        spans: Frames of each recording to take, (start, stop), start at a whole patch; None: all.
        share: Places of the recordings to lay down, in rising order; None: all. Where it is empty, a
            single patch is there, of which nothing is real.

    Raises:
        ConfigError: If a recording has no frames.
    """
    for recording in recordings:
        if not recording.n_frames:
            raise ConfigError(f"recording {recording.id!r} has no frames; leave it out")
    spans = spans or [(0, recording.n_frames) for recording in recordings]
    lengths = [stop - start for start, stop in spans]
    n_patches = [-(-(length + gap) // patch_frames) for length in lengths]
    first_patches = np.concatenate(([0], np.cumsum(n_patches)))
    share = range(len(recordings)) if share is None else share
    laid = [np.arange(first_patches[place], first_patches[place + 1]) for place in share]
    numbers = np.concatenate(laid) if laid else np.zeros(1, np.int64)
    n_joints, n_channels = recordings[0].skeleton.shape[1:]
    n_frames = len(numbers) * patch_frames
    skeleton = np.zeros((n_joints, n_frames, n_channels), np.float32)
    real = np.zeros((n_joints, n_frames), bool)
    times = np.zeros(len(numbers), np.float32)
    patch, frames = 0, []
    for place in share:
        recording, (first, last) = recordings[place], spans[place]
        start = patch * patch_frames
        stop = start + last - first
        values = scale.apply(recording.skeleton[first:last]).transpose(1, 0, 2)
        known = ~np.isnan(values).any(axis=2)
        skeleton[:, start:stop] = np.where(known[:, :, None], values, 0)
        real[:, start:stop] = known
        middles = _patch_middles(first, last, patch_frames) / recording.n_frames
        times[patch : patch + len(middles)] = middles
        patch += n_patches[place]
        frames.append((start, stop))
    return Batch(
        skeleton=torch.from_numpy(skeleton),
        real=torch.from_numpy(real),
        patch_times=torch.from_numpy(times),
        numbers=torch.from_numpy(numbers),
        places=tuple(share),
        frames=tuple(frames),
        starts=tuple((first_patches[:-1] * patch_frames).tolist()),
        lengths=tuple(lengths),
        ids=tuple(recording.id for recording in recordings),
    )


def dealt(lengths: Sequence[int], *, rank: int, n: int) -> list[int]:
    """The share of one of several processes in a batch, all of about the same length in total.

    The longest goes first, each to whom has least (longest processing time first).

    Args:
        lengths: Of the recordings of the batch.
        rank: Of the process.
        n: How many processes there are; some may go without.

    Returns:
        Places of its recordings, in rising order.
    """
    loads = [0] * n
    mine = []
    for place in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        least = loads.index(min(loads))
        loads[least] += lengths[place]
        if least == rank:
            mine.append(place)
    return sorted(mine)


def _patch_middles(start: int, stop: int, patch_frames: int) -> np.ndarray:
    """Frame in the middle of each patch, the last one as short as it is."""
    starts = np.arange(start, stop, patch_frames)
    return (starts + np.minimum(starts + patch_frames, stop)) / 2


def pieces(n_frames: int, piece_frames: int | None) -> list[tuple[int, int]]:
    """Spans of at most this many frames that make up a recording; one span if None."""
    step = piece_frames or n_frames
    return [(start, min(start + step, n_frames)) for start in range(0, n_frames, step)]
