"""Motion of the BABEL subsets: 25 points of a mean male body at 30 frames a second, turned one way.

Source: the preparation of Q. Yu and K. Fujiwara, "Frame-Level Label Refinement for Skeleton-Based
Weakly-Supervised Action Recognition", AAAI 2023, which follows that of NTU RGB+D.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.amass import MODELS, read_motion
from histvq.io.amass import PARENTS as BODY_PARENTS
from histvq.io.parts.body_model import BodyModel, matrices, read_body_model

FPS = 30.0
# In the order of NTU RGB+D's, but that there 21 and 23 are the tips of the hands, 22 and 24 the thumbs.
JOINTS = (
    "pelvis", "spine1", "neck", "head", "left_shoulder", "left_elbow", "left_wrist", "left_index1",
    "right_shoulder", "right_elbow", "right_wrist", "right_index1", "left_hip", "left_knee",
    "left_ankle", "left_foot", "right_hip", "right_knee", "right_ankle", "right_foot", "spine3",
    "left_thumb_tip", "left_index_tip", "right_thumb_tip", "right_index_tip",
)  # fmt: skip
PARENTS = (-1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 6, 7, 10, 11)
PELVIS, CENTRE, HEAD, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 1, 3, 4, 8

# The first 21 are joints of SMPL+H, the others vertices of its skin.
_PICKED = (0, 3, 12, 15, 16, 18, 20, 22, 17, 19, 21, 37, 1, 4, 7, 10, 2, 5, 8, 11, 9)
_TIPS = (2746, 2319, 6191, 5782)
_N_JOINTS, _FIRST_HAND = 52, 22
_MOST_FPS = 10_000
# Names of AMASS folders that differ between its releases and BABEL's paths.
_FOLDERS = {"BMLrub": "BioMotionLab_NTroje", "DFaust": "DFaust_67"}
_MODELS = (
    "male/model.npz", "*/male/model.npz", "*/*/male/model.npz",
    "[Ss][Mm][Pp][Ll][Hh]_[Mm][Aa][Ll][Ee].npz", "*/[Ss][Mm][Pp][Ll][Hh]_[Mm][Aa][Ll][Ee].npz",
)  # fmt: skip


def find_motion(root: Path, motion: PurePosixPath) -> Path | None:
    """The file of a path as BABEL writes it, under any of the names its folder may have."""
    _, folder, *rest = motion.parts
    both = _FOLDERS | {new: old for old, new in _FOLDERS.items()}
    names = (PurePosixPath(folder), PurePosixPath(both.get(folder, folder)), *_newer(motion))
    places = (place / name.joinpath(*rest) for place in _places(root) for name in names)
    return next((place for place in places if place.is_file()), None)


def find_model(root: Path) -> Path:
    """The male SMPL+H model in a folder.

    Raises:
        FileFormatError: If there is none.
    """
    if root.is_file():
        return root
    found = next((file for pattern in _MODELS for file in sorted(root.glob(pattern))), None)
    if found is None:
        raise FileFormatError(
            f"{root}: no body model in it, as male/model.npz or SMPLH_MALE.npz. Get the SMPL+H models "
            "for AMASS from mano.is.tue.mpg.de (after registration), and give the file as body_model="
        )
    return found


def read_model(path: Path) -> BodyModel:
    """The body model with the tips of thumbs and index fingers.

    Raises:
        FileFormatError: If it is not one of SMPL+H.
    """
    model = read_body_model(path, skin=_TIPS)
    if model.n_joints != _N_JOINTS or model.parents[: len(BODY_PARENTS)] != BODY_PARENTS:
        raise FileFormatError(
            f"{path}: a body model of {model.n_joints} joints "
            f"({MODELS.get(model.n_joints, 'another skeleton')}); BABEL needs SMPL+H's {_N_JOINTS}"
        )
    return model


def read_positions(path: Path, model: BodyModel, *, n_frames: int, mean_hands: bool) -> np.ndarray:
    """The 25 points (frame, joint, 3) in metres, of the first so many frames at 30 a second.

    Everybody has the model's mean body, and stays in place.

    Args:
        path: An AMASS file.
        model: Of `read_model`.
        n_frames: How many at most; fewer where the motion is shorter.
        mean_hands: Add the model's mean pose of the hands to theirs, as the published preparation
            does. (AMASS's hands are whole as they are.)

    Raises:
        FileFormatError: If the motion is of another body model, or has missing values.
    """
    motion = read_motion(path)
    if motion.rotations.shape[1] != _N_JOINTS:
        raise FileFormatError(
            f"{path}: rotations of {motion.rotations.shape[1]} joints; BABEL needs the SMPL+H release "
            f"of AMASS, with {_N_JOINTS}"
        )
    if not FPS <= motion.fps <= _MOST_FPS:
        raise FileFormatError(
            f"{path}: {motion.fps:g} frames a second; expected {FPS:g} to {_MOST_FPS}"
        )
    rotations = motion.rotations[frames_at_30(len(motion.rotations), motion.fps)[:n_frames]]
    if np.isnan(rotations).any() or not len(rotations):
        what = "missing values" if len(rotations) else "no frame"
        raise FileFormatError(f"{path}: {what} in it. Fetch it again")
    if mean_hands and model.hands is not None:
        hands = rotations[:, _FIRST_HAND:] + model.hands
        rotations = np.concatenate([rotations[:, :_FIRST_HAND], hands], axis=1)
    joints, tips = model.positions(rotations)
    return turned(np.concatenate([joints[:, list(_PICKED)], tips], axis=1))


def frames_at_30(n_frames: int, fps: float) -> np.ndarray:
    """Which frames of a motion make 30 a second, without a filter.

    A whole multiple of 30 gives every so-maniest; else each second gives 30 frames by itself, so that
    at 100 a second they lie 3, 3, 4, 3, 3, 4, ... apart. A rate counts with its whole part there:
    motions at 59.99999 are cut into blocks of 59 frames, each of which gives 30.
    """
    second, step = int(fps), fps / FPS
    if second % 30 == 0:
        frames = np.floor(np.arange(n_frames // (second / FPS) + 1) * step).astype(int)
    else:
        offsets = np.floor(np.arange(30) * step).astype(int)
        frames = (np.arange(0, n_frames, second)[:, None] + offsets).ravel()
    return frames[frames < n_frames]


def turned(points: np.ndarray) -> np.ndarray:
    """Positions relative to the spine, turned so that the first frame stands up and looks one way.

    The spine's first joint is taken off frame by frame. Then the whole motion is turned twice by what
    the first frame needs: so that pelvis to spine is along z, then left to right shoulder along x, after
    which the spine may lean a little.
    """
    points = points - points[:, CENTRE : CENTRE + 1]
    first = points[0]
    points = points @ _turn(first[CENTRE] - first[PELVIS], onto=np.array([0.0, 0.0, 1.0])).T
    first = points[0]
    across = first[RIGHT_SHOULDER] - first[LEFT_SHOULDER]
    return points @ _turn(across, onto=np.array([1.0, 0.0, 0.0])).T


def _turn(direction: np.ndarray, *, onto: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes one direction to another; none where they are (anti)parallel."""
    axis = np.cross(direction, onto)
    length = np.linalg.norm(axis)
    if length < 1e-9:
        return np.eye(3)
    angle = np.arctan2(length, direction @ onto)
    return matrices(axis / length * angle)


def _newer(motion: PurePosixPath) -> tuple[PurePosixPath, ...]:
    """The folder under the name newer releases give it, alone or around the older one."""
    newer, folder, *_ = motion.parts
    return PurePosixPath(newer), PurePosixPath(newer, folder)


def _places(root: Path) -> tuple[Path, ...]:
    return root, root / "amass", root / "AMASS"
