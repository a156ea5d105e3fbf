"""BVH motion capture: a skeleton, and the angles of its joints in every frame.

Source: "Biovision BVH", course notes CS 838, University of Wisconsin, 1999.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.asked import given_unit
from histvq.io.parts.bvh_motion import parse_motion
from histvq.io.parts.bvh_skeleton import Joint, parse_hierarchy
from histvq.io.parts.last_line import warn_if_cut
from histvq.io.parts.packed import AGAIN, read_packed_text
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording

SUFFIXES = (".bvh", ".bvh.xz")

_AT_ONCE = 4096  # frames; the rotations of all frames of a long recording would fill the memory


def read_bvh(path: str | Path, *, unit: str | None = None, end_sites: bool = False) -> Pair:
    """Read one BVH file, as joint positions in the world; such files have no labels.

    Several skeletons (ROOT) in a file are taken for several people: their joints stand side by
    side, as `person0/Hips` and `person1/Hips`.

    The frame rate is that of the frame time, whole where its digits allow it: see
    `histvq.io.parts.bvh_motion.frame_rate`.

    Args:
        path: `.bvh`, or the same packed as `.bvh.xz`.
        unit: Unit of the offsets and positions, which the files do not say; often `cm`.
        end_sites: Whether the ends of limbs, as finger tips, are joints too: `<parent>_end`.

    Raises:
        FileFormatError: If the file is not as it should be, with the line; or the unit is not
            known.
    """
    path = Path(path)
    unit = given_unit(unit, path, format="BVH", example="cm")
    hierarchy, motion = _sections(path)
    joints = parse_hierarchy(hierarchy, path, end_sites=end_sites)
    values, fps, note = parse_motion(motion, joints, path, first=len(hierarchy) + 2)
    several = joints[-1].person > 0
    recording = Recording(
        id=re.sub(r"\.bvh(\.xz)?$", "", path.name, flags=re.IGNORECASE),
        skeleton=_positions(joints, values),
        fps=fps,
        joint_names=tuple(f"person{j.person}/{j.name}" if several else j.name for j in joints),
        parents=tuple(joint.parent for joint in joints),
        joint_persons=tuple(joint.person for joint in joints) if several else None,
        unit=unit,
        source=str(path),
        history=(note,),
    )
    return recording, None


def joint_positions(joints: Sequence[Joint], values: np.ndarray) -> np.ndarray:
    """Where the joints are, (frame, joint, space): forward kinematics.

    A joint's rotation is the product of its channels' in the order they are listed, the first one
    outermost; it turns what hangs on the joint. Its position channels take the place of its offset.

    Source: that of the module, which adds the root's position to its offset. Programs write the
        place of the root in the world, so that would count it twice; where files differ in this,
        the whole motion is only shifted.

    Args:
        joints: Each after its parent.
        values: (frame, channel), the channels in the order of the joints; angles in degrees.
    """
    n_frames = len(values)
    positions = np.zeros((n_frames, len(joints) + 1, 3))  # the last one, -1, is the world's origin
    turns = {-1: np.tile(np.eye(3), (n_frames, 1, 1))}
    columns = iter(values.T)
    for place, joint in enumerate(joints):
        position, turn = np.tile(joint.offset, (n_frames, 1)), turns[joint.parent]
        for channel in joint.channels:
            column = next(columns)
            if channel.endswith("position"):
                position[:, "xyz".index(channel[0])] = column
            else:
                turn = _turned(turn, channel[0], np.radians(column))
        position = np.einsum("fij,fj->fi", turns[joint.parent], position)
        positions[:, place] = positions[:, joint.parent] + position
        turns[place] = turn
    return positions[:, :-1]


def _turned(turn: np.ndarray, axis: str, angle: np.ndarray) -> np.ndarray:
    """Rotation matrices, (frame, 3, 3), times those about an axis, which mix two columns alone."""
    one, other = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = turn.copy()
    turned[..., one] = cosine * turn[..., one] + sine * turn[..., other]
    turned[..., other] = cosine * turn[..., other] - sine * turn[..., one]
    return turned


def _positions(joints: Sequence[Joint], values: np.ndarray) -> np.ndarray:
    """The same in single precision, some thousand frames after another."""
    positions = np.empty((len(values), len(joints), 3), dtype=np.float32)
    for start in range(0, len(values), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        positions[part] = joint_positions(joints, values[part])
    return positions


def _sections(path: Path) -> tuple[list[str], list[str]]:
    """The lines before MOTION, and those after it."""
    text = read_packed_text(path, encoding="utf-8-sig")
    lines = text.splitlines()
    if text.split(maxsplit=1)[:1] != ["HIERARCHY"]:
        raise FileFormatError(
            f"{path}: begins with {text.lstrip()[:30]!r}, expected HIERARCHY: no BVH file. {AGAIN}"
        )
    place = next((p for p, line in enumerate(lines) if line.strip().upper() == "MOTION"), None)
    if place is None:
        raise FileFormatError(f"{path}: no MOTION in its {len(lines)} lines. {AGAIN}")
    warn_if_cut(text, path)
    return lines[:place], lines[place + 1 :]


READER = Reader(
    description="BVH motion capture",
    read=read_bvh,
    suffixes=SUFFIXES,
    own_suffixes=SUFFIXES,
)
