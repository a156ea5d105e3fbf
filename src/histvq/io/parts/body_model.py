"""Where the joints of an SMPL body are: rest positions, rotations down the tree, skin over them.

Source: M. Loper, N. Mahmood, J. Romero, G. Pons-Moll and M. Black, "SMPL: A Skinned Multi-Person
Linear Model", SIGGRAPH Asia 2015, equations 2 to 10; J. Romero, D. Tzionas and M. Black, "Embodied
Hands", SIGGRAPH Asia 2017 (SMPL+H). The model files are their authors' and are not part of this
package.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from histvq.errors import FileFormatError
from histvq.io.parts.archive import Archive, opened

# Frames worked on at a time: keeps the matrices of a long motion out of memory.
_FRAMES = 4096
_HANDS = ("hands_meanl", "hands_meanr")


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyModel:
    """What of a body model says where joints, and a few points of the skin, are.

    Attributes:
        path: File it came from.
        parents: Of each joint, -1 at the root; every parent stands before its children.
        joints: Rest positions of the mean body (joint, 3), in metres.
        joint_shapes: How shape parameters move them (joint, 3, shape).
        skin: Rest positions of the points of the skin (point, 3).
        skin_shapes: How shape parameters move those (point, 3, shape).
        skin_poses: How the joints' rotation matrices, less the identity, move them (point, 3,
            9 a joint but the root).
        weights: How much each joint carries of each point (point, joint).
        hands: Mean pose of the left hand, then the right (joints of both, 3), where the file has it.
    """

    path: Path
    parents: tuple[int, ...]
    joints: np.ndarray
    joint_shapes: np.ndarray
    skin: np.ndarray
    skin_shapes: np.ndarray
    skin_poses: np.ndarray
    weights: np.ndarray
    hands: np.ndarray | None = None

    @property
    def n_joints(self) -> int:
        """Number of joints."""
        return len(self.parents)

    def positions(
        self, rotations: np.ndarray, *, betas: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where joints and points of the skin are, the root at its place at rest.

        Args:
            rotations: Axis times angle of each joint within its parent (frame, joint, 3). Fewer
                joints than the model has will do if no point of the skin is asked for: those come
                first, and stand for themselves.
            betas: Shape parameters; None for the mean body.

        Returns:
            (frame, joint, 3) and (frame, point, 3), in metres.
        """
        n_joints = rotations.shape[1]
        betas = np.zeros(0) if betas is None else betas
        rest = (self.joints + self.joint_shapes[:, :, : len(betas)] @ betas)[:n_joints]
        skin = self.skin + self.skin_shapes[:, :, : len(betas)] @ betas
        pieces = [
            self._posed(matrices(rotations[start : start + _FRAMES]), rest, skin)
            for start in range(0, max(len(rotations), 1), _FRAMES)
        ]
        return (
            np.concatenate([joints for joints, _ in pieces]),
            np.concatenate([points for _, points in pieces]),
        )

    def _posed(
        self, local: np.ndarray, rest: np.ndarray, skin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        world, joints = chained(local, rest, self.parents[: len(rest)])
        if not len(skin):
            return joints, np.zeros((len(local), 0, 3))
        bend = (local[:, 1:] - np.eye(3)).reshape(len(local), self.skin_poses.shape[2])
        skin = skin + np.einsum("pck,tk->tpc", self.skin_poses, bend)
        # Each joint carries the point as if it were the only one; the point is their weighted mean.
        moved = np.einsum("tjcd,tpjd->tpjc", world, skin[:, :, None] - rest) + joints[:, None]
        return joints, np.einsum("pj,tpjc->tpc", self.weights, moved)


def matrices(rotations: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axes times angles (..., 3); NaN stays NaN."""
    return Rotation.from_rotvec(rotations.reshape(-1, 3)).as_matrix().reshape(*rotations.shape, 3)


def chained(
    local: np.ndarray, rest: np.ndarray, parents: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and positions in the world, joint by joint from the root.

    Args:
        local: Rotation of each joint within its parent (frame, joint, 3, 3).
        rest: Positions at rest (joint, 3).
        parents: -1 at the root; each before its children.

    Returns:
        (frame, joint, 3, 3) and (frame, joint, 3); a root stays at its place at rest.
    """
    world = local.copy()
    positions = np.broadcast_to(rest, (len(local), *rest.shape)).copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            world[:, joint] = world[:, parent] @ local[:, joint]
            bone = world[:, parent] @ (rest[joint] - rest[parent])
            positions[:, joint] = positions[:, parent] + bone
    return world, positions


def read_body_model(path: str | Path, *, skin: Sequence[int] = ()) -> BodyModel:
    """Read an SMPL, SMPL+H or SMPL-X model file, kept in memory for the next motion.

    Args:
        path: The `.npz` as its authors distribute it.
        skin: Numbers of the vertices wanted.

    Raises:
        FileFormatError: If it is not such a file.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise FileFormatError(
            f"{path}: body models are read from .npz. A .pkl can run code, and is not opened: take "
            "the .npz from where it came from (mano.is.tue.mpg.de has SMPL+H for AMASS as .npz), or "
            "convert it in an environment you trust: load it with pickle there, and give its "
            "v_template, shapedirs, J_regressor (.toarray() if sparse), weights, posedirs and "
            "kintree_table to numpy.savez"
        )
    try:
        about = path.stat()
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from error
    return _read(path, tuple(skin), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, skin: tuple[int, ...], _changed: int, _size: int) -> BodyModel:
    with opened(path) as archive:
        tree = archive.array("kintree_table", shape=(2, None))
        parents = _parents(tree[0], path)
        template = archive.numbers("v_template", shape=(None, 3))
        n_joints, n_vertices = len(parents), len(template)
        if skin and max(skin) >= n_vertices:
            raise FileFormatError(
                f"{path}: {n_vertices} vertices, vertex {max(skin)} is wanted. Give a model of the "
                "SMPL or SMPL+H family, which have 6890"
            )
        regressor = archive.numbers("J_regressor", shape=(n_joints, n_vertices))
        shapes = archive.numbers("shapedirs", shape=(n_vertices, 3, None))
        chosen = list(skin)
        return BodyModel(
            path=path,
            parents=parents,
            joints=regressor @ template,
            joint_shapes=np.einsum("jv,vcs->jcs", regressor, shapes, optimize=True),
            skin=template[chosen],
            skin_shapes=shapes[chosen],
            skin_poses=_poses(archive, n_vertices, n_joints, chosen),
            weights=_weights(archive, n_vertices, n_joints, chosen),
            hands=_hands(archive),
        )


def _parents(row: np.ndarray, path: Path) -> tuple[int, ...]:
    """Parents, of which the root's stands in the files as -1 in any type, as 4294967295."""
    parents = (-1, *(int(parent) for parent in row[1:]))
    for joint, parent in enumerate(parents[1:], start=1):
        if not 0 <= parent < joint:
            raise FileFormatError(
                f"{path}, array 'kintree_table': joint {joint} has parent {parent}; expected one "
                "that stands before it"
            )
    return parents


def _poses(archive: Archive, n_vertices: int, n_joints: int, chosen: list[int]) -> np.ndarray:
    if not chosen:
        return np.zeros((0, 3, 9 * (n_joints - 1)))
    return archive.numbers("posedirs", shape=(n_vertices, 3, 9 * (n_joints - 1)))[chosen]


def _weights(archive: Archive, n_vertices: int, n_joints: int, chosen: list[int]) -> np.ndarray:
    if not chosen:
        return np.zeros((0, n_joints))
    return archive.numbers("weights", shape=(n_vertices, n_joints))[chosen]


def _hands(archive: Archive) -> np.ndarray | None:
    if not set(_HANDS) <= set(archive.names):
        return None
    return np.concatenate([archive.numbers(name, shape=(45,)).reshape(-1, 3) for name in _HANDS])
