"""FreeMoCap: points of the body in space, from several cameras, as a NumPy array.

Source: FreeMoCap documentation and issues on its output data: (frame, point, x y z) in millimetres; of
MediaPipe's points those of the body come first, then those of the right hand, the left hand and the face.
"""

from pathlib import Path

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.archive import DAMAGED, mapped
from histvq.io.parts.asked import given_fps, unit_name
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording
from histvq.skeletons import SKELETONS

BODY = SKELETONS["mediapipe-33"]
# The body; with hands; with hands and a face of 468 points, or of 478 with the irises.
COUNTS = (33, 75, 543, 553)
WHOLE = ("mediapipeskel_3d_body_hands_face.npy", "mediapipe_skeleton_3d.npy")
TEXTS = ("_3d_xyz.csv", "_by_frame.csv", "_by_trajectory.csv")
SUFFIX = "_3d_xyz.npy"
NOT_THE_BODY = ("hand_3d_xyz.npy", "face_3d_xyz.npy")


def read_freemocap(path: str | Path, *, fps: float | None = None, unit: str = "mm") -> Pair:
    """Read the 33 points of the body; such files have no labels. Hands and face are not read.

    Units: millimetres, if the size of the calibration board was given in these, as FreeMoCap asks.

    Args:
        path: `mediapipe_body_3d_xyz.npy`, `mediaPipeSkel_3d_body_hands_face.npy`,
            `mediapipe_skeleton_3d.npy` or another `*_3d_xyz.npy` of these points.
        fps: Frames a second, which the files do not say: that of the cameras.
        unit: Unit of the points, where it is another.

    Raises:
        FileFormatError: If it is no such array, or has no frame.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="FreeMoCap")
    array = _mapped(path)
    n_points = array.shape[1]
    body = np.array(array[:, : len(BODY.joint_names)], dtype=np.float64)
    _check_values(body, path)
    with np.errstate(invalid="ignore"):  # NaN, too, can be such that NumPy warns
        body = body.astype(np.float32)
    recording = Recording(
        id=path.stem,
        skeleton=body,
        fps=fps,
        joint_names=BODY.joint_names,
        parents=BODY.parents,
        unit=unit_name(unit),
        metadata={"points": n_points},
        source=str(path),
        history=(f"the {len(BODY.joint_names)} points of the body, of {n_points}",),
    )
    return recording, None


def _mapped(path: Path) -> np.ndarray:
    """The array without reading it, so that what its header says is held against its size first."""
    try:
        array = mapped(path)
    except DAMAGED as error:
        words = " ".join(str(error).split())[:200]
        raise FileFormatError(f"{path}: not an array numpy can load ({words}). {AGAIN}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise FileFormatError(f"{path}: not an array of numbers, as FreeMoCap writes it")
    if array.ndim != 3 or array.shape[2] != 3 or array.shape[1] not in COUNTS:
        raise FileFormatError(
            f"{path}: shape {array.shape}; expected (frame, point, 3) with {COUNTS[0]} points of "
            f"the body, or {', '.join(map(str, COUNTS[1:]))} with hands and face, as MediaPipe gives "
            "them"
        )
    if not len(array):
        raise FileFormatError(f"{path}: no frame in it. Process the session again, or leave it out")
    return array


def _check_values(body: np.ndarray, path: Path) -> None:
    wrong = np.argwhere(np.abs(body) > np.finfo(np.float32).max)
    if len(wrong):
        frame, joint, axis = wrong[0].tolist()
        raise FileFormatError(
            f"{path}, frame {frame}, {BODY.joint_names[joint]}, {'xyz'[axis]}: "
            f"{body[frame, joint, axis]:g}, expected a number, or NaN for a missing one. {AGAIN}"
        )


def _recognises(path: Path) -> bool:
    """Whether the name is FreeMoCap's; the whole skeleton is left aside where the body lies by it."""
    if not _is_name(path):
        return False
    if path.name.lower() in WHOLE:
        return not path.with_name("mediapipe_body_3d_xyz.npy").exists()
    return not path.name.lower().endswith(NOT_THE_BODY)


def _is_name(path: Path) -> bool:
    """Whether FreeMoCap calls a file of points so."""
    name = path.name.lower()
    return path.absolute().parent.name != "features" and (name in WHOLE or name.endswith(SUFFIX))


def _gives_way(path: Path) -> bool:
    """Whether it is another part of a session, or its text, of which the array of the body is read."""
    if _is_name(path):
        return not _recognises(path)
    if not path.name.lower().endswith(TEXTS):
        return False
    folders = (path.parent, path.parent / "output_data")
    return any(_recognises(file) for folder in folders for file in folder.glob("*.npy"))


READER = Reader(
    description="FreeMoCap array of body points",
    read=read_freemocap,
    suffixes=(".npy",),
    recognises=_recognises,
    beside=_gives_way,
)
