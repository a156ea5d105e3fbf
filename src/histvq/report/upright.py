"""What there is to draw of a recording: a body and which way is up, or signals."""

from collections.abc import Sequence

import numpy as np

from histvq.blocks import every
from histvq.recording import Recording, quantity_of
from histvq.skeletons import mirrored_pairs, named_like

_AXES = "xyz"
_HIGH = ("head", "nose", "neck")
_LOW = ("foot", "ankle", "toe", "heel")
_FRAMES_LOOKED_AT = 200


def positions_in(recording: Recording) -> list[int]:
    """The channels that are positions, x, y and maybe z; empty where there are none."""
    place = {name.lower(): channel for channel, name in enumerate(recording.channel_names)}
    if "x" not in place or "y" not in place:
        return []
    return [place[axis] for axis in _AXES if axis in place]


def shape_of(recording: Recording) -> dict[str, object]:
    """What all frames of a recording have in common, for drawing them."""
    joints = list(recording.joint_names)
    channels = positions_in(recording)
    about: dict[str, object] = {"joints": joints, "unit": recording.unit}
    if not channels:
        names = list(recording.channel_names)
        return about | {
            "kind": "signals", "channels": names, "quantities": [quantity_of(c) for c in names],
        }  # fmt: skip
    parents = recording.parents
    if parents is None and (known := named_like(joints)) is not None:
        parents = known.parents
    axis, direction = up_axis(recording)
    return about | {
        "kind": "positions",
        "channels": [recording.channel_names[channel] for channel in channels],
        "parents": [-1] * len(joints) if parents is None else list(parents),
        "sides": _sides(joints),
        "up": [axis, direction],
    }


def up_axis(recording: Recording) -> tuple[int, int]:
    """Which of x, y, z points up, and whether along (1) or against it (-1): a guess, for drawing.

    As the file says, if it does. Else from feet to head, if joints are so called. Else the longer of
    y and z; against y in pictures, whose rows count downwards.
    """
    said = str(recording.metadata.get("up", "")).lower()
    if said.lstrip("+-") in tuple(_AXES):
        return _AXES.index(said.lstrip("+-")), -1 if said.startswith("-") else 1
    channels = positions_in(recording)
    step = max(1, recording.n_frames // _FRAMES_LOOKED_AT)
    places = every(recording.skeleton, step)[:, :, channels]
    rise = _from_feet_to_head(places, recording.joint_names)
    if rise is not None:
        axes = range(len(channels)) if len(channels) == 3 else (1,)
        axis = max(axes, key=lambda a: abs(rise[a]))
        return axis, 1 if rise[axis] >= 0 else -1
    if len(channels) < 3:
        return 1, -1 if recording.unit == "px" else 1
    extent = [_median(_extent(places[:, :, axis])) for axis in range(3)]
    return (1 if extent[1] >= extent[2] else 2), 1


def _from_feet_to_head(places: np.ndarray, joint_names: Sequence[str]) -> np.ndarray | None:
    """How far the head is from the feet along each axis, as a rule; None where nothing is so called."""
    high, low = _named(joint_names, _HIGH), _named(joint_names, _LOW)
    if not high or not low:
        return None
    rise = [
        _median(_middle(places[:, high, axis]) - _middle(places[:, low, axis]))
        for axis in range(places.shape[-1])
    ]
    return np.array(rise) if any(rise) else None


def _named(joint_names: Sequence[str], words: Sequence[str]) -> list[int]:
    return [
        joint for joint, name in enumerate(joint_names) if any(w in name.lower() for w in words)
    ]


def _middle(values: np.ndarray) -> np.ndarray:
    """Mean of each row, NaN where something in it is missing."""
    return values.mean(axis=1)


def _extent(values: np.ndarray) -> np.ndarray:
    return values.max(axis=1) - values.min(axis=1)


def _median(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _sides(joints: Sequence[str]) -> list[int]:
    """-1 for a joint of the left side, 1 of the right, 0 of neither."""
    sides = [0] * len(joints)
    for left, right in mirrored_pairs(joints):
        sides[left], sides[right] = -1, 1
    return sides
