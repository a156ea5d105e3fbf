"""A 22-joint body: bones, the angles it can bend by, and where its joints then are."""

from collections.abc import Mapping

import numpy as np

# Axes: x forward, y to the person's left, z up. At rest a person stands, arms hanging down.
# Joint: (parent, offset from it at rest in mm of a person 1.75 m tall).
_SIDES = {"left": 1, "right": -1}
_TRUNK = {
    "pelvis": (None, (0, 0, 0)),
    "spine1": ("pelvis", (0, 0, 110)),
    "spine2": ("spine1", (0, 0, 130)),
    "chest": ("spine2", (0, 0, 130)),
    "neck": ("chest", (0, 0, 120)),
    "head": ("neck", (20, 0, 160)),
}
_LIMBS = {
    "hip": ("pelvis", (0, 95, -50)),
    "knee": ("{side}_hip", (0, 0, -420)),
    "ankle": ("{side}_knee", (0, 0, -410)),
    "toe": ("{side}_ankle", (150, 0, -50)),
    "collar": ("chest", (0, 70, 70)),
    "shoulder": ("{side}_collar", (0, 110, 10)),
    "elbow": ("{side}_shoulder", (0, 0, -290)),
    "wrist": ("{side}_elbow", (0, 0, -260)),
}
_BONES: dict[str, tuple[str | None, tuple[float, float, float]]] = {
    **_TRUNK,
    **{
        f"{side}_{joint}": (parent.format(side=side), (x, sign * y, z))
        for side, sign in _SIDES.items()
        for joint, (parent, (x, y, z)) in _LIMBS.items()
    },
}
JOINT_NAMES = tuple(_BONES)
PARENTS = tuple(
    -1 if parent is None else JOINT_NAMES.index(parent) for parent, _ in _BONES.values()
)
OFFSETS = np.array([offset for _, offset in _BONES.values()], dtype=float)

# Angle: the (joint, axis, factor) it turns. Signs make a positive angle mean what the name says.
_ANGLES: dict[str, tuple[tuple[str, int, float], ...]] = {
    "lean": (("spine1", 1, 0.4), ("spine2", 1, 0.3), ("chest", 1, 0.3)),
    "lean_left": (("spine1", 0, -0.4), ("spine2", 0, -0.3), ("chest", 0, -0.3)),
    "twist": (("spine1", 2, 0.3), ("spine2", 2, 0.3), ("chest", 2, 0.4)),
    "nod": (("neck", 1, 1.0),),
    **{
        f"{side}_{name}": ((f"{side}_{joint}", axis, factor * (sign if axis == 0 else 1)),)
        for side, sign in _SIDES.items()
        for name, (joint, axis, factor) in {
            "leg_forward": ("hip", 1, -1.0),
            "leg_out": ("hip", 0, 1.0),
            "knee": ("knee", 1, 1.0),
            "toe_up": ("ankle", 1, -1.0),
            "arm_forward": ("shoulder", 1, -1.0),
            "arm_out": ("shoulder", 0, 1.0),
            "elbow": ("elbow", 1, -1.0),
            "forearm_out": ("elbow", 0, 1.0),
        }.items()
    },
}
ANGLE_NAMES = tuple(_ANGLES)
_FEET = [JOINT_NAMES.index(f"{side}_{joint}") for side in _SIDES for joint in ("ankle", "toe")]
_SOLE_MM = (70.0, 20.0) * 2  # how high ankle and toe are above the ground when the foot is flat


def place_joints(
    angles: Mapping[str, np.ndarray], offsets: np.ndarray, *, lift: np.ndarray
) -> np.ndarray:
    """Joint positions for the angles of every frame, pelvis above the origin, a foot on the ground.

    Units: angles in degrees; offsets, lift and positions in mm.

    Args:
        angles: Angle name -> (frame,); names left out stay 0.
        offsets: (joint, 3) from each joint's parent, at rest.
        lift: (frame,) height of the lower foot above the ground.

    Returns:
        (frame, joint, 3).
    """
    local = _rotations(joint_turns(angles, len(lift)))
    turned = np.empty_like(local)
    positions = np.zeros((len(lift), len(offsets), 3))
    for joint, parent in enumerate(PARENTS):
        if parent == -1:
            turned[:, joint] = local[:, joint]
            continue
        turned[:, joint] = turned[:, parent] @ local[:, joint]
        positions[:, joint] = positions[:, parent] + turned[:, parent] @ offsets[joint]
    lowest = (positions[:, _FEET, 2] - _SOLE_MM).min(axis=1)
    positions[..., 2] += (lift - lowest)[:, None]
    return positions


def joint_turns(angles: Mapping[str, np.ndarray], n_frames: int) -> np.ndarray:
    """How far every joint is turned about the x, y and z axes of its parent: Rz @ Ry @ Rx.

    Units: angles in degrees, turns in radians.

    Returns:
        (frame, joint, axis).
    """
    turn = np.zeros((n_frames, len(JOINT_NAMES), 3))
    for name, values in angles.items():
        for moved, axis, factor in _ANGLES[name]:
            turn[:, JOINT_NAMES.index(moved), axis] += factor * np.radians(values)
    return turn


def turn_about_vertical(positions: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Positions (frame, joint, 3) turned about the z axis by an angle per frame."""
    zeros = np.zeros(len(degrees))
    rotation = _rotations(np.stack([zeros, zeros, np.radians(degrees)], axis=-1))
    return np.einsum("fij,fvj->fvi", rotation, positions)


def _rotations(turn: np.ndarray) -> np.ndarray:
    """Rotation matrices Rz @ Ry @ Rx of (..., 3) angles in radians."""
    (sx, sy, sz), (cx, cy, cz) = np.moveaxis(np.sin(turn), -1, 0), np.moveaxis(np.cos(turn), -1, 0)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
