"""AMASS: motion capture of many archives as joint rotations of one body model (.npz).

Source: N. Mahmood, N. Ghorbani, N. Troje, G. Pons-Moll and M. Black, "AMASS: Archive of Motion Capture
as Surface Shapes", ICCV 2019; the releases for SMPL+H (52 joints) and SMPL-X (55 joints).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.archive import Archive, array_names, opened
from histvq.io.parts.asked import given_fps
from histvq.io.parts.body_model import BodyModel, matrices, read_body_model
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
ROTATION_CHANNELS = ("rot1_x", "rot1_y", "rot1_z", "rot2_x", "rot2_y", "rot2_z")
# Joints of the body models -> their names; all begin with the 22 above.
MODELS = {22: "the body alone", 24: "SMPL", 52: "SMPL+H", 55: "SMPL-X"}

_RATES = ("mocap_framerate", "mocap_frame_rate")
_GENDERS = ("male", "female", "neutral")


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """What one AMASS file holds.

    Attributes:
        rotations: Axis times angle of each joint within its parent (frame, joint, 3).
        translation: Of the root (frame, 3), in metres.
        betas: Shape parameters.
        fps: Frames a second.
        gender: `male`, `female` or `neutral`; None where not said.
    """

    rotations: np.ndarray
    translation: np.ndarray
    betas: np.ndarray
    fps: float
    gender: str | None


def read_amass(
    path: str | Path,
    *,
    body_model: str | Path | None = None,
    translation: bool = True,
    shape: bool = True,
    fps: float | None = None,
) -> Pair:
    """Read the 22 joints of the body in an AMASS file; such files have no labels.

    Without a body model, each joint's rotation within its parent, as the first two columns of its
    matrix: channels `rot1_x` to `rot1_z`, then `rot2_x` to `rot2_z`. That says the rotation whole, and
    never jumps, as angles do. Where the person is in the room is then left out.

    With one, joint positions in metres, z up.

    Args:
        path: `<sequence>_poses.npz` (SMPL+H) or `<sequence>_stageii.npz` (SMPL-X).
        body_model: Model file of the same family, as `smplh/male/model.npz` (mano.is.tue.mpg.de) or
            `SMPLX_MALE.npz`; or the folder that holds `male`, `female` and `neutral`, to take the one
            the file says.
        translation: Keep where the person is; else the pelvis stays at its place at rest.
        shape: Give the body the person's shape; else the model's mean.
        fps: Frames a second, only where the file does not say.

    Raises:
        FileFormatError: If a file is not as it should be, or motion and model are of different kinds.
    """
    path = Path(path)
    motion = read_motion(path, fps=fps)
    if body_model is None:
        skeleton = matrices(motion.rotations[:, : len(JOINTS)])[..., :2]
        return _recording(
            path,
            motion,
            skeleton=skeleton.swapaxes(2, 3).reshape(len(skeleton), len(JOINTS), 6),
            channel_names=ROTATION_CHANNELS,
            unit="rotation",
            history=("rotations only, without the translation",),
        ), None
    model = read_body_model(_model_file(Path(body_model), motion, path))
    positions = _positions(motion, model, path, shape=shape)
    if translation:
        positions = positions + motion.translation[:, None]
    said = f"positions by {model.path.name}, translation={translation}, shape={shape}"
    return _recording(
        path, motion, skeleton=positions, channel_names=("x", "y", "z"), unit="m", history=(said,)
    ), None


def read_motion(path: Path, *, fps: float | None = None) -> Motion:
    """What an AMASS file holds, as it stands there.

    Raises:
        FileFormatError: If it is not as it should be.
    """
    with opened(path) as archive:
        _check_is_motion(archive)
        poses = archive.numbers("poses", shape=(None, None))
        if poses.shape[1] not in [3 * n for n in MODELS]:
            known = ", ".join(f"{3 * n} ({name})" for n, name in MODELS.items())
            raise FileFormatError(
                f"{path}, array 'poses': {poses.shape[1]} numbers a frame, expected {known}"
            )
        return Motion(
            rotations=poses.reshape(len(poses), poses.shape[1] // 3, 3),
            translation=archive.numbers("trans", shape=(len(poses), 3)),
            betas=_betas(archive),
            fps=_fps(archive, fps),
            gender=_gender(archive),
        )


def _check_is_motion(archive: Archive) -> None:
    missing = [name for name in ("poses", "trans") if name not in archive.names]
    if _is_shape(archive.path, archive.names):
        raise FileFormatError(
            f"{archive.path}: the shape of a body, without motion. Leave it out: the motion is in the "
            "files beside it that end in _poses.npz or _stageii.npz"
        )
    if missing:
        raise FileFormatError(
            f"{archive.path}: no array {' or '.join(map(repr, missing))} in it, so it is no motion of "
            f"AMASS; it has {', '.join(archive.names[:20]) or 'none'}"
        )


def _betas(archive: Archive) -> np.ndarray:
    if "betas" not in archive.names:
        return np.zeros(0)
    return archive.numbers("betas", shape=(None,))


def _fps(archive: Archive, given: float | None) -> float:
    name = next((name for name in _RATES if name in archive.names), None)
    if name is None:
        return given_fps(given, archive.path, format="these AMASS")
    fps = float(archive.numbers(name, shape=()))
    if not fps > 0:
        raise FileFormatError(f"{archive.path}, array {name!r}: {fps}, expected a rate above 0")
    return fps


def _gender(archive: Archive) -> str | None:
    """As text or bytes in different releases; None where it is neither."""
    try:
        value = archive.array("gender", shape=(), kinds="US").item()
    except FileFormatError:  # of all the file says it matters least
        return None
    word = value.decode("ascii", errors="replace") if isinstance(value, bytes) else str(value)
    return word if word in _GENDERS else None


def _recording(path: Path, motion: Motion, **what: object) -> Recording:
    known = {"gender": motion.gender, "model": MODELS[motion.rotations.shape[1]]}
    return Recording(
        id=path.stem,
        fps=motion.fps,
        joint_names=JOINTS,
        parents=PARENTS,
        metadata={name: value for name, value in known.items() if value},
        source=str(path),
        **what,  # type: ignore[arg-type]
    )


def _positions(motion: Motion, model: BodyModel, path: Path, *, shape: bool) -> np.ndarray:
    n_joints = motion.rotations.shape[1]
    if model.n_joints != n_joints or model.parents[: len(PARENTS)] != PARENTS:
        raise FileFormatError(
            f"{path}: rotations of {n_joints} joints ({MODELS[n_joints]}), but {model.path} has "
            f"{model.n_joints} ({MODELS.get(model.n_joints, 'another skeleton')}). Give the model the "
            "motion was made with"
        )
    n_shapes = model.joint_shapes.shape[2]
    if shape and len(motion.betas) > n_shapes:
        raise FileFormatError(
            f"{path}: {len(motion.betas)} shape parameters, but {model.path} has {n_shapes}. Give the "
            "model the motion was made with, or shape=False for its mean body"
        )
    body = motion.rotations[:, : len(JOINTS)]
    return model.positions(body, betas=motion.betas if shape else None)[0]


def _model_file(place: Path, motion: Motion, path: Path) -> Path:
    """The model file given, or the one of the person's gender in a folder."""
    if not place.is_dir():
        return place
    gender = motion.gender or "neutral"
    names = (f"{gender}/model.npz", f"smplh_{gender}.npz", f"smplx_{gender}.npz")
    for file in sorted([*place.glob("*.npz"), *place.glob("*/model.npz")]):
        if file.relative_to(place).as_posix().lower() in names:
            return file
    raise FileFormatError(
        f"{path}: of a {gender} body, and {place} has none of {', '.join(names)}. Give the model file "
        "itself as body_model="
    )


def _is_shape(path: Path, names: list[str]) -> bool:
    named = path.name == "shape.npz" or path.name.endswith("_stagei.npz")
    return named and "betas" in names and "poses" not in names


def _recognises(path: Path) -> bool:
    names = array_names(path)
    return ({"poses", "trans"} <= set(names) and bool(set(_RATES) & set(names))) or _is_shape(
        path, names
    )


READER = Reader(
    description="AMASS motion of an SMPL body",
    read=read_amass,
    suffixes=(".npz",),
    recognises=_recognises,
    own_suffixes=(".npz",),
)
