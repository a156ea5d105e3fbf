"""A performance as the text of a BVH file.

Source: "Biovision BVH", course notes CS 838, University of Wisconsin, 1999.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from histvq.datasets._examples.acting import Performance
from histvq.datasets._kinematics import JOINT_NAMES, PARENTS, joint_turns

# Such files have y up; z forward and x to the left then keep the axes right-handed. So ours, x, y, z, are
# called Z, X, Y, and what turns by Rz @ Ry @ Rx here has its channels in the order Y, X, Z.
AXES = (1, 2, 0)
TURNS = "Yrotation Xrotation Zrotation"


def bvh_text(one: Performance) -> str:
    """The text, in cm and degrees."""
    order = list(_from(0))
    turns = np.degrees(joint_turns(one.act.angles, len(one.act.lift)))[..., ::-1]  # z, y, x
    turns[:, 0, 0] += one.act.facing
    root = one.positions[:, 0, AXES] / 10
    values = np.concatenate([root, turns[:, order].reshape(len(turns), -1)], axis=1)
    motion = pd.DataFrame(values).to_csv(
        sep=" ", header=False, index=False, float_format="%.4f", lineterminator="\n"
    )
    skeleton = "\n".join(_joint(0, one.style.offsets[:, AXES] / 10, depth=0))
    return (
        f"HIERARCHY\n{skeleton}\nMOTION\nFrames: {len(values)}\n"
        f"Frame Time: {1 / one.part.fps:.8f}\n{motion}"
    )


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _from(joint: int) -> Iterator[int]:
    """The joint and all below it, in the order of the file."""
    yield joint
    for child in _children(joint):
        yield from _from(child)


def _joint(joint: int, offsets: np.ndarray, *, depth: int) -> Iterator[str]:
    """The lines of a joint and all below it."""
    pad, root = "  " * depth, PARENTS[joint] == -1
    yield f"{pad}{'ROOT' if root else 'JOINT'} {JOINT_NAMES[joint]}"
    yield f"{pad}{{"
    yield f"{pad}  OFFSET {_cells(np.zeros(3) if root else offsets[joint])}"
    where = "6 Xposition Yposition Zposition" if root else "3"
    yield f"{pad}  CHANNELS {where} {TURNS}"
    for child in _children(joint):
        yield from _joint(child, offsets, depth=depth + 1)
    if not _children(joint):
        yield f"{pad}  End Site"
        yield f"{pad}  {{"
        yield f"{pad}    OFFSET {_cells(offsets[joint] / 4)}"
        yield f"{pad}  }}"
    yield f"{pad}}}"


def _cells(numbers: np.ndarray) -> str:
    return " ".join(f"{number:.5f}" for number in numbers)
