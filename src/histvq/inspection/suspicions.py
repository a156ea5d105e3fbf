"""What looks wrong in a recording: each check yields a sentence, or nothing."""

from collections.abc import Callable, Iterator

import numpy as np

from histvq.recording import Recording
from histvq.transforms.space import METRES

# Of a body, in metres: beyond these its unit is more likely to be wrong than its size.
SMALLEST, LARGEST = 0.01, 10.0
RATES = (5.0, 1000.0)
FROZEN_S = 0.5
SPIKE = 50.0  # times what nearly all (99 %) of the steps from frame to frame stay below
CLIPPED = 0.01  # share of the frames at the highest or lowest value there is


def _body_size(recording: Recording) -> Iterator[str]:
    places = [k for k, name in enumerate(recording.channel_names) if name in ("x", "y", "z")]
    if recording.unit not in METRES or not places:
        return
    persons = np.array(recording.joint_persons or [0] * recording.skeleton.shape[1])
    for person in np.unique(persons):
        joints = recording.skeleton[:, persons == person][:, :, places]
        known = joints[np.isfinite(joints).all(axis=(1, 2))]
        if joints.shape[1] < 2 or not len(known):
            continue
        across = np.linalg.norm(known.max(axis=1) - known.min(axis=1), axis=1)
        size = float(np.median(across)) * METRES[recording.unit]
        if size and not SMALLEST <= size <= LARGEST:
            yield (
                f"the joints lie {size:.3g} m apart: is the unit {recording.unit!r} right? Pass "
                "unit= (--unit) if not"
            )
            return


def _rate(recording: Recording) -> Iterator[str]:
    if not RATES[0] <= recording.fps <= RATES[1]:
        yield f"{recording.fps:g} frames a second: is that right?"


def _still_joints(recording: Recording) -> Iterator[str]:
    values = recording.skeleton
    if recording.duration_s < 1 or recording.n_frames < 2:
        return
    roots = [p == -1 for p in recording.parents or [0] * values.shape[1]]
    with np.errstate(invalid="ignore"):
        still = ~(np.abs(values - _first_known(values)) > 0).any(axis=(0, 2))
    measured = np.isfinite(values).any(axis=(0, 2))
    centred = np.array(roots) & ~(np.abs(np.nan_to_num(values)) > 0).any(axis=(0, 2))
    if (stuck := still & measured & ~centred).any():
        yield f"never moves: {_names(recording, stuck)}"
    if (~measured).any():
        yield f"never measured: {_names(recording, ~measured)}"


def _first_known(values: np.ndarray) -> np.ndarray:
    """The first measured value of each joint and channel."""
    first = np.isfinite(values).argmax(axis=0)
    return np.take_along_axis(values, first[None], axis=0)


def _zeros(recording: Recording) -> Iterator[str]:
    zero = (recording.skeleton == 0).all(axis=2)
    if recording.skeleton.shape[2] < 2:
        return
    # A root may well pass through the origin of the room.
    root = np.array([p == -1 for p in recording.parents or [0] * zero.shape[1]])
    some = zero.any(axis=0) & ~zero.all(axis=0) & ~root
    if some.any():
        yield (
            f"exactly 0 in {int(zero[:, some].any(axis=1).sum())} frames: {_names(recording, some)}. If "
            "that means 'not seen', write them as missing"
        )


def _frozen(recording: Recording) -> Iterator[str]:
    values = recording.skeleton
    if recording.n_frames < 2:
        return
    same = ((values[1:] == values[:-1]) | np.isnan(values[1:]) & np.isnan(values[:-1])).all((1, 2))
    same &= np.isfinite(values[1:]).any(axis=(1, 2))
    n_frames = longest_run(same)
    moving = not same.all()
    if moving and n_frames >= max(FROZEN_S * recording.fps, 2):
        start = _start_of_longest(same)
        yield (
            f"one frame repeated {n_frames + 1} times from {start / recording.fps:.2f} s on: was the "
            "recording held up?"
        )


def _spikes(recording: Recording) -> Iterator[str]:
    if recording.n_frames < 10:
        return
    series = recording.skeleton.reshape(recording.n_frames, -1)
    steps = np.diff(series, axis=0)
    with np.errstate(invalid="ignore"):
        usual = _quantile(np.abs(steps), 0.99)
        there, back = steps[:-1], steps[1:]
        spike = (np.minimum(np.abs(there), np.abs(back)) > SPIKE * usual) & (there * back < 0)
    spike &= usual > 0
    if spike.any():
        frame, column = np.argwhere(spike)[0]
        joint, channel = divmod(int(column), recording.skeleton.shape[2])
        yield (
            f"{int(spike.sum())} jumps there and back within two frames, the first at frame {frame + 1}: "
            f"{recording.joint_names[joint]} {recording.channel_names[channel]} = "
            f"{series[frame + 1, column]:g}"
        )


def _quantile(steps: np.ndarray, q: float) -> np.ndarray:
    """Of each column, missing steps left out; 0 where all are."""
    ordered = np.sort(np.nan_to_num(steps, nan=-1.0), axis=0)
    unknown = np.isnan(steps).sum(axis=0)
    place = unknown + np.floor(q * (len(steps) - unknown - 1)).astype(int)
    found = np.take_along_axis(ordered, np.clip(place, 0, len(steps) - 1)[None], axis=0)[0]
    return np.maximum(found, 0.0)


def _clipped(recording: Recording) -> Iterator[str]:
    if {"x", "y", "z"} & set(recording.channel_names) or recording.n_frames < 100:
        return  # positions have no limit; a foot on the floor is often at its lowest
    values = recording.skeleton
    with np.errstate(invalid="ignore"):
        known = np.isfinite(values)
        top = np.where(known, values, -np.inf).max(axis=0)
        bottom = np.where(known, values, np.inf).min(axis=0)
        at = ((values == top) | (values == bottom)).mean(axis=0)
    at[top <= bottom] = 0
    if (at > CLIPPED).any():
        joint, channel = np.unravel_index(int(at.argmax()), at.shape)
        yield (
            f"{int((at > CLIPPED).sum())} of {at.size} channels stay at their highest or lowest value "
            f"for more than 1 % of the time, {recording.joint_names[joint]} "
            f"{recording.channel_names[channel]} for {at.max():.1%}: clipped?"
        )


CHECKS: tuple[Callable[[Recording], Iterator[str]], ...] = (
    _body_size, _rate, _still_joints, _zeros, _frozen, _spikes, _clipped,
)  # fmt: skip


def _names(recording: Recording, chosen: np.ndarray, *, shown: int = 8) -> str:
    names = [name for name, yes in zip(recording.joint_names, chosen, strict=True) if yes]
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" * (len(names) > shown))


def _runs(flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where runs of True begin and end."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges[::2], edges[1::2]


def longest_run(flags: np.ndarray) -> int:
    """Length of the longest run of True."""
    starts, stops = _runs(flags)
    return int((stops - starts).max(initial=0))


def _start_of_longest(flags: np.ndarray) -> int:
    starts, stops = _runs(flags)
    return int(starts[(stops - starts).argmax()])
