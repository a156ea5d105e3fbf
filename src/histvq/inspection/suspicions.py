"""What looks wrong in a recording: each check yields a sentence, or nothing."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce

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
        across = _across(recording.skeleton, np.flatnonzero(persons == person), places)
        if not len(across):
            continue
        size = float(np.median(across)) * METRES[recording.unit]
        if size and not SMALLEST <= size <= LARGEST:
            yield (
                f"the joints lie {size:.3g} m apart: is the unit {recording.unit!r} right? Pass "
                "unit= (--unit) if not"
            )
            return


def _across(values: np.ndarray, joints: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Diagonal of the box around these joints in each frame in which all are known."""
    if len(joints) < 2:
        return np.empty(0)
    low, high = (
        np.stack([reduce(of, (values[:, j, c] for j in joints)) for c in places], axis=1)
        for of in (np.minimum, np.maximum)
    )
    across = np.linalg.norm(high - low, axis=1)
    return across[~np.isnan(across)]  # what is missing stays so in minimum and maximum


def _rate(recording: Recording) -> Iterator[str]:
    if not RATES[0] <= recording.fps <= RATES[1]:
        yield f"{recording.fps:g} frames a second: is that right?"


def _still_joints(recording: Recording) -> Iterator[str]:
    values = recording.skeleton
    if recording.duration_s < 1 or recording.n_frames < 2:
        return
    roots = [p == -1 for p in recording.parents or [0] * values.shape[1]]
    first = _first_known(values)
    joints = range(values.shape[1])
    # Joint by joint, here and below: what is worked out of a long recording takes room as well.
    still = ~np.array([(np.abs(values[:, j] - first[:, j]) > 0).any() for j in joints])
    measured = np.array([np.isfinite(values[:, j]).any() for j in joints])
    centred = np.array(roots) & ~np.array([(np.abs(values[:, j]) > 0).any() for j in joints])
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
    same, some = np.ones(len(values) - 1, dtype=bool), np.zeros(len(values) - 1, dtype=bool)
    for joint in np.moveaxis(values, 1, 0):
        now, before = joint[1:], joint[:-1]
        same &= ((now == before) | np.isnan(now) & np.isnan(before)).all(axis=1)
        some |= np.isfinite(now).any(axis=1)
    same &= some
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
    n_spikes, first = 0, (recording.n_frames, 0, 0)
    for place, series in _series(recording):
        steps = np.diff(series)
        usual = _quantile(np.abs(steps), 0.99)
        there, back = steps[:-1], steps[1:]
        spike = (np.minimum(np.abs(there), np.abs(back)) > SPIKE * usual) & (there * back < 0)
        if usual > 0 and spike.any():
            n_spikes += int(spike.sum())
            first = min(first, (int(spike.argmax()) + 1, *place))
    if n_spikes:
        yield (
            f"{n_spikes} jumps there and back within two frames, the first at frame {first[0]}: "
            f"{recording.joint_names[first[1]]} {recording.channel_names[first[2]]} = "
            f"{recording.skeleton[first]:g}"
        )


def _quantile(steps: np.ndarray, q: float) -> float:
    """Of those steps that are known; 0 where none is."""
    known = steps[~np.isnan(steps)]
    if not len(known):
        return 0.0
    place = int(q * (len(known) - 1))
    return float(np.partition(known, place)[place])


def _clipped(recording: Recording) -> Iterator[str]:
    if {"x", "y", "z"} & set(recording.channel_names) or recording.n_frames < 100:
        return  # positions have no limit; a foot on the floor is often at its lowest
    at = np.zeros(recording.skeleton.shape[1:])
    for place, values in _series(recording):
        top, bottom = np.fmax.reduce(values), np.fmin.reduce(values)
        if top > bottom:
            at[place] = ((values == top) | (values == bottom)).mean()
    if (at > CLIPPED).any():
        joint, channel = np.unravel_index(int(at.argmax()), at.shape)
        yield (
            f"{int((at > CLIPPED).sum())} of {at.size} channels stay at their highest or lowest value "
            f"for more than 1 % of the time, {recording.joint_names[joint]} "
            f"{recording.channel_names[channel]} for {at.max():.1%}: clipped?"
        )


def _series(recording: Recording) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Each joint and channel with its values in time, which stand together: faster to go through."""
    for joint, channel in np.ndindex(recording.skeleton.shape[1:]):
        yield (joint, channel), recording.skeleton[:, joint, channel].copy()


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
