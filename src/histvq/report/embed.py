"""Motion made small enough to stand in a page: 16 bits a number, at a lower rate, in pieces."""

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from histvq.blocks import blocks
from histvq.recording import Recording
from histvq.report.upright import positions_in, shape_of

MISSING = -32768
# The eye is content with 30 frames a second; below 5 a step is no longer seen as one.
RATES = (30.0, 25.0, 20.0, 15.0, 12.0, 10.0, 8.0, 6.0, 5.0)
# Of recordings that are left out as a whole, clips still play: so much of each.
CLIP_SECONDS = 6.0
BYTES_A_NUMBER = 2 * 4 / 3  # in base64
# A multiple of three: then the base64 of blocks, one after another, is the base64 of them all.
_FRAMES_A_BLOCK = 999

Stretch = tuple[str, int, int]


@dataclass(frozen=True)
class Piece:
    """A stretch of a recording that the page holds: every `stride`th frame of [start, stop)."""

    recording: Recording
    start: int
    stop: int
    stride: int

    @property
    def n_frames(self) -> int:
        """Frames that are held."""
        return len(range(self.start, self.stop, self.stride))

    @property
    def n_bytes(self) -> float:
        """Room it takes in the page."""
        n_joints, n_channels = self.recording.skeleton.shape[1:]
        n_channels = len(positions_in(self.recording)) or n_channels
        return self.n_frames * n_joints * n_channels * BYTES_A_NUMBER


@dataclass(frozen=True)
class Embedded:
    """What of the motion stands in the page, and what to tell of it.

    Attributes:
        pieces: In the order of the recordings.
        fps: The highest rate anything is shown at; None where there is no motion at all.
        left_out: Ids of the recordings not held as a whole.
    """

    pieces: tuple[Piece, ...]
    fps: float | None
    left_out: tuple[str, ...]


def choose_pieces(
    recordings: Sequence[Recording], *, room: float, clips: Iterable[Stretch] = ()
) -> Embedded:
    """Choose what to embed, so that it takes no more than `room` bytes.

    All recordings at the highest of the `RATES` that fits. Where not even the lowest does, the clips
    (recording, start, stop) first, then as many whole recordings as there is room for, in their order.
    """
    for rate in RATES:
        whole = [_whole(recording, rate) for recording in recordings]
        if sum(piece.n_bytes for piece in whole) <= room:
            return Embedded(tuple(whole), _highest_rate(whole), ())
    chosen, room = _fitting(_of_clips(recordings, clips), room)
    kept, _ = _fitting(whole, room)
    ids = {piece.recording.id for piece in kept}
    pieces = kept + [piece for piece in chosen if piece.recording.id not in ids]
    left_out = tuple(recording.id for recording in recordings if recording.id not in ids)
    return Embedded(tuple(pieces), _highest_rate(pieces), left_out)


def in_numbers(piece: Piece) -> tuple[dict[str, object], str]:
    """A piece as what the page needs to know of it, and its numbers in base64.

    The numbers are little-endian int16 (frame, joint, channel): value = offset + scale * number, for
    each channel; -32768 stands for a missing value. Positions have one scale, or bodies would change
    their shape; signals are means over `stride` frames, or quick ones would come out as slow ones.
    """
    middle, reach = _span(_held(piece))
    if positions_in(piece.recording):
        reach = np.full_like(reach, reach.max())
    scale = np.where(reach > 0, reach / 32767, 1.0)
    texts = [_encoded(values, middle, scale) for values in _held(piece)]
    about = {
        "start": piece.start,
        "stride": piece.stride,
        "frames": piece.n_frames,
        "offset": middle.tolist(),
        "scale": scale.tolist(),
    }
    return about, "".join(texts)


def shapes_of(pieces: Iterable[Piece]) -> tuple[list[Mapping[str, object]], dict[str, int]]:
    """Every body or set of sensors once, and which one each recording has."""
    shapes: list[Mapping[str, object]] = []
    places: dict[str, int] = {}
    for piece in pieces:
        if piece.recording.id in places:
            continue
        shape = shape_of(piece.recording)
        if shape not in shapes:
            shapes.append(shape)
        places[piece.recording.id] = shapes.index(shape)
    return shapes, places


def _whole(recording: Recording, rate: float) -> Piece:
    return Piece(recording, 0, recording.n_frames, _stride(recording, rate))


def _stride(recording: Recording, rate: float) -> int:
    # A little below: 59.94 / 30 is meant to be 2 and 30.0003 / 30 to be 1.
    return max(1, math.ceil(recording.fps / rate - 0.01))


def _of_clips(recordings: Sequence[Recording], clips: Iterable[Stretch]) -> list[Piece]:
    by_id = {recording.id: recording for recording in recordings}
    pieces = []
    for name, start, stop in clips:
        if name in by_id:
            recording = by_id[name]
            stop = min(stop, start + math.ceil(CLIP_SECONDS * recording.fps))
            pieces.append(Piece(recording, start, stop, _stride(recording, 15.0)))
    return pieces


def _fitting(pieces: Iterable[Piece], room: float) -> tuple[list[Piece], float]:
    """Those of the pieces there is room for, and the room that is left."""
    chosen = []
    for piece in pieces:
        if piece.n_bytes <= room:
            chosen.append(piece)
            room -= piece.n_bytes
    return chosen, room


def _highest_rate(pieces: Iterable[Piece]) -> float | None:
    return max((piece.recording.fps / piece.stride for piece in pieces), default=None)


def _held(piece: Piece) -> Iterator[np.ndarray]:
    """What is held of a piece, (frame, joint, channel) in float64, some frames at a time.

    One block at least; all but the last have `_FRAMES_A_BLOCK` frames.
    """
    chosen = positions_in(piece.recording)
    frames = piece.recording.skeleton[piece.start : piece.stop]
    for block in blocks(frames, n_rows=piece.stride * _FRAMES_A_BLOCK) if len(frames) else [frames]:
        values = block[:: piece.stride][:, :, chosen] if chosen else _means(block, piece.stride)
        yield values.astype(np.float64, copy=False)


def _encoded(values: np.ndarray, middle: np.ndarray, scale: np.ndarray) -> str:
    numbers = np.round((values - middle) / scale)
    whole = np.where(np.isnan(numbers), MISSING, numbers).astype("<i2")
    return base64.b64encode(whole.tobytes()).decode("ascii")


def _means(values: np.ndarray, stride: int) -> np.ndarray:
    """Means of `stride` frames at a time, of what was measured of them."""
    if stride == 1 or not len(values):
        return values
    values = values.astype(np.float64)
    starts = np.arange(0, len(values), stride)
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    counts = np.add.reduceat(known.astype(int), starts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _span(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Middle of each channel's values, and how far they lie from it at most; 0 where there are none."""
    low, high = np.array(np.inf), np.array(-np.inf)
    for values in parts:
        # Of NaN and a number, `fmin` and `fmax` take the number.
        low = np.fmin(low, np.fmin.reduce(values, axis=(0, 1), initial=np.inf))
        high = np.fmax(high, np.fmax.reduce(values, axis=(0, 1), initial=-np.inf))
    empty = low > high
    low, high = np.where(empty, 0.0, low), np.where(empty, 0.0, high)
    return (low + high) / 2, (high - low) / 2
