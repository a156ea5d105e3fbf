"""Which side is left: mixed up names, and mirrored axes."""

import re
from collections.abc import Sequence

import numpy as np

from histvq.recording import Recording

SURE = 0.8  # share of the frames in which left is on one side of right


def swapped_sides(recordings: Sequence[Recording]) -> list[str]:
    """Recordings whose left is where the others have their right: names mixed up, or a mirrored axis."""
    sides = {recording.id: handedness(recording) for recording in recordings}
    known = [side for side in sides.values() if side]
    if len(set(known)) < 2:
        return []
    usual = 1 if known.count(1) >= known.count(-1) else -1
    odd = [id for id, side in sides.items() if side == -usual]
    return [
        f"left and right, or one axis, are the other way round in {', '.join(odd[:10])}"
        f"{' ...' if len(odd) > 10 else ''} than in {known.count(usual)} others: if names are swapped, "
        "rename them (--transform rename=...); if the picture is mirrored, read those files apart"
    ]


def handedness(recording: Recording) -> int:
    """1 where right, forwards and up are like thumb and fingers of a right hand, -1 of a left; 0 unknown.

    Forwards is from heel or ankle to toe, up from hips to head or neck, right from the left hip (or
    shoulder) to the right one.
    """
    if recording.skeleton.shape[2] != 3 or len(set(recording.joint_persons or (0,))) > 1:
        return 0
    across, toes, heels, top = (
        _joints(recording, kind) for kind in ("across", "toe", "heel", "top")
    )
    if not (across and toes and heels and top):
        return 0
    left, right = (recording.skeleton[:, joint] for joint in across)
    forwards = np.mean([recording.skeleton[:, joint] for joint in toes], axis=0) - np.mean(
        [recording.skeleton[:, joint] for joint in heels], axis=0
    )
    up = recording.skeleton[:, top[0]] - (left + right) / 2
    volume = np.einsum("ts,ts->t", np.cross(right - left, forwards), up)
    volume = volume[np.isfinite(volume) & (volume != 0)]
    mean = float(np.sign(volume).mean()) if len(volume) else 0.0
    return int(np.sign(mean)) if abs(mean) >= SURE else 0


_BODY = "hip|femur|thigh|up|hum|sho|big|toe|foot|ank|heel|tib|asi"
_SIDES = tuple(
    re.compile(rf"{word}|(^|[^a-z]){word[0]}([^a-z]|$|{_BODY})") for word in ("left", "right")
)
_KINDS = {
    "across": ("femur", "hip", "upleg", "upperleg", "thigh", "asi", "humerus", "shoulder", "sho"),
    "toe": ("toe", "foot_index", "foot index", "footindex", "foot"),
    "heel": ("ankle", "heel", "ank", "tibia", "foot"),
    "top": ("head", "neck", "nose"),
}


def _joints(recording: Recording, kind: str) -> list[int]:
    """Joints of one kind: both sides of the first word that has both; the first, of the top."""
    names = [name.lower() for name in recording.joint_names]
    for word in _KINDS[kind]:
        fitting = [k for k, name in enumerate(names) if word in name]
        if kind == "top" and fitting:
            return fitting[:1]
        sides = [next((k for k in fitting if pattern.search(names[k])), None) for pattern in _SIDES]
        if None not in sides:
            return [side for side in sides if side is not None]
    return []
