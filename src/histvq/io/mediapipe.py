"""MediaPipe Pose: landmarks of each frame, as people write them to JSON.

There is no official file. What is common is read: a list with one entry a frame, which is null or
empty where nobody was found, a list of 33 landmarks, a list of such lists (one a person), or an object
that holds one of these; a landmark is an object of x, y, z and visibility, or a list of these numbers.

Source: MediaPipe documentation, "Pose landmark detection".
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.io.parts.asked import NotSaidError, given_fps, unit_name
from histvq.io.parts.json_values import ends, list_in, numbers_in, object_in, read_json, shown
from histvq.io.parts.keypoints import Found, recording_of, timeline
from histvq.io.parts.reader import Pair, Reader
from histvq.skeletons import SKELETONS

MEDIAPIPE = SKELETONS["mediapipe-33"]
# Where an object has its landmarks; those of no kind last, for the caller says which they are.
KEYS = {
    "image": ("pose_landmarks", "poseLandmarks", "image_landmarks", "landmarks", "landmark"),
    "world": ("pose_world_landmarks", "poseWorldLandmarks", "world_landmarks", "worldLandmarks",
              "landmarks", "landmark"),
}  # fmt: skip
FRAME_LISTS = ("frames", "poses", "results", "data")
FRAME_NUMBERS = ("frame", "frame_number", "frame_index", "frame_idx", "frame_id")
FARTHEST = 10  # widths of the picture; who is found is in it, or nearly

Pose = tuple[int, list[Any], str]  # place of its frame, landmarks, where


def read_mediapipe(
    path: str | Path,
    *,
    fps: float | None = None,
    landmarks: str | None = None,
    width: float | None = None,
    height: float | None = None,
    unit: str | None = None,
    whom: str | None = None,
    min_confidence: float = 0.0,
) -> Pair:
    """Read the landmarks of one file; such files have no labels.

    Units: world landmarks are in metres, from between the hips. Image landmarks are parts of the
        picture's width and height, and z of its width: with both given they become pixels, without
        which a picture would be as high as wide.

    Args:
        path: The file.
        fps: Frames a second, which the files do not say.
        landmarks: Which they are, `image` or `world`. Must be given.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        unit: Unit of the numbers, to take image landmarks as they are; `px` if they have been
            multiplied, `unknown` for parts of the picture. World landmarks: `m` where not given.
        whom: To take where there are several: `main`, `all` or `best`, see
            `histvq.io.parts.keypoints.recording_of`. Nobody says who is who: they are linked by nearest
            centre.
        min_confidence: Landmarks of less visibility are missing; with 0, those where it is 0.

    Raises:
        FileFormatError: If the file is not as it should be, or there is nobody.
        NotSaidError: If an option is not given that must be.
        ConfigError: If an option is out of bounds.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="MediaPipe")
    _check_landmarks(landmarks, path)
    scale, unit = _scale(landmarks, width, height, unit, path)
    said = _frames(read_json(path), path)
    poses = list(_poses(said, str(landmarks), path))
    if not poses:
        raise FileFormatError(f"{path}: no people in it, in any of its {len(said)} frames")
    points = np.array([_numbers(pose, where) for _, pose, where in poses])
    seen = points[..., 3]
    notes = [f"{landmarks} landmarks"]
    if scale is not None:
        _check_parts(points, path)
        points[..., :3] *= scale
        notes.append(f"multiplied by {scale[0]:g} x {scale[1]:g}")
    numbers = _frame_numbers([frame for frame, _ in said], path)
    frames, n_frames = timeline(numbers, path, what="frames")
    found = Found(
        points=points[..., :3],
        confidence=np.where(np.isnan(seen), 1.0, seen),
        frames=np.array([frames[numbers[place]] for place, _, _ in poses]),
        n_frames=n_frames,
    )
    recording = recording_of(
        found,
        MEDIAPIPE,
        path=path,
        id=path.stem,
        fps=fps,
        unit=unit,
        whom=whom,
        min_confidence=min_confidence,
        metadata={"landmarks": landmarks, "first_frame": min(numbers)},
        notes=notes,
    )
    return recording, None


def _check_landmarks(landmarks: str | None, path: Path) -> None:
    if landmarks is None:
        raise NotSaidError(
            f"{path}: image or world landmarks? The numbers do not say it. Pass landmarks='image' "
            "(0 to 1 over the picture) or landmarks='world' (metres from between the hips)",
            option="landmarks",
        )
    if landmarks not in KEYS:
        raise ConfigError(f"landmarks is {landmarks!r}{did_you_mean(str(landmarks), KEYS)}")


def _scale(
    landmarks: str | None,
    width: float | None,
    height: float | None,
    unit: str | None,
    path: Path,
) -> tuple[np.ndarray | None, str]:
    """What to multiply x, y and z by, if anything, and the unit that makes."""
    size = [side for side in (width, height) if side is not None]
    if landmarks == "world" or unit is not None:
        if size:
            raise ConfigError(
                "width and height are for image landmarks whose unit is not given. Leave them out"
            )
        return None, unit_name(unit or "m")
    if width is None or height is None:
        raise NotSaidError(
            f"{path}: image landmarks are parts of the picture's width and height. Pass width= and "
            "height=, as width=1920, height=1080; unit='unknown' takes the numbers as they are",
            option="width" if width is None else "height",
        )
    if not all(isinstance(side, int | float) and 0 < side < 1e6 for side in size):
        raise ConfigError(f"width {width!r}, height {height!r}; expected pixels, as 1920 and 1080")
    return np.array([width, height, width], dtype=np.float64), "px"


def _check_parts(points: np.ndarray, path: Path) -> None:
    """Raise where points lie so far outside the picture that they are no parts of it."""
    x = points[..., 0]
    median = np.median(np.abs(x[np.isfinite(x)])) if np.isfinite(x).any() else 0
    if median > FARTHEST:
        raise FileFormatError(
            f"{path}: x is {median:.4g} widths of the picture in the median, so it has been "
            "multiplied already. Pass unit='px' in place of width and height"
        )


# What the file holds


def _frames(said: Any, path: Path) -> list[tuple[Any, str]]:
    """What is said of each frame, and where."""
    if isinstance(said, dict):
        key = next((key for key in FRAME_LISTS if key in said), None)
        keys = KEYS["image"] + KEYS["world"]
        key = key or next((key for key in keys if isinstance(said.get(key), list)), None)
        if key is None and said and all(_is_number(name) for name in said):
            said = [{"frame": int(n), "landmarks": said[n]} for n in said]
        elif key is None:
            raise FileFormatError(
                f"{path}: no list of frames in it; expected one, or `frames` or `landmarks` with "
                f"one. It has {', '.join(name[:20] for name in list(said)[:5]) or 'nothing'}"
            )
        else:
            said = said[key]
    frames = list_in(said, str(path))
    if frames and _is_landmark(frames[0]):
        frames = [frames]
    return [(frame, f"{path}, frame {n}") for n, frame in enumerate(frames)]


def _poses(frames: list[tuple[Any, str]], landmarks: str, path: Path) -> Iterator[Pose]:
    for place, (frame, where) in enumerate(frames):
        for pose in _poses_in(frame, landmarks, where, depth=0):
            yield place, pose, where


def _poses_in(said: Any, landmarks: str, where: str, *, depth: int) -> Iterator[list[Any]]:
    """The poses somewhere in this value: lists of landmarks."""
    if isinstance(said, dict):
        key = next((key for key in KEYS[landmarks] if key in said), None)
        if key is None:
            raise FileFormatError(
                f"{where}: no {landmarks} landmarks ({', '.join(KEYS[landmarks])}); it has "
                f"{', '.join(name[:20] for name in list(said)[:5]) or 'nothing'}"
            )
        said = said[key]
    items = [] if said is None else [said] if isinstance(said, dict) else list_in(said, where)
    if items and _is_landmark(items[0]):
        yield items
    elif depth < 4:
        for item in items:
            yield from _poses_in(item, landmarks, where, depth=depth + 1)
    elif items:
        raise FileFormatError(f"{where}: brackets within brackets, and no landmark in them")


def _is_landmark(value: Any) -> bool:
    if isinstance(value, dict):
        return "x" in value
    return isinstance(value, list) and bool(value) and not isinstance(value[0], list | dict)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 16


def _numbers(pose: list[Any], where: str) -> np.ndarray:
    """(landmark, 4): x, y, z and visibility, NaN where it is not given."""
    n_joints = len(MEDIAPIPE.joint_names)
    if len(pose) != n_joints:
        raise FileFormatError(
            f"{where}: {len(pose)} landmarks, expected the {n_joints} of MediaPipe Pose. Write "
            "all of them, in MediaPipe's order"
        )
    flat: list[Any] = []
    for name, landmark in zip(MEDIAPIPE.joint_names, pose, strict=True):
        if isinstance(landmark, list):
            values = landmark if len(landmark) == 4 else [*landmark, None]
        else:
            said = object_in(landmark, f"{where}, {name}")
            lacking = [axis for axis in "xyz" if axis not in said]
            if lacking:
                raise FileFormatError(f"{where}, {name}: no {' and no '.join(lacking)} in it")
            values = [said["x"], said["y"], said["z"], said.get("visibility")]
        if len(values) != 4:
            raise FileFormatError(
                f"{where}, {name}: {shown(landmark)}; expected x, y, z and visibility"
            )
        flat += values
    return numbers_in(flat, f"{where}, x, y, z and visibility in turn").reshape(n_joints, 4)


def _frame_numbers(frames: list[Any], path: Path) -> list[int]:
    """The numbers that all frames say of themselves, else their places."""
    for key in FRAME_NUMBERS:
        said = [frame.get(key) for frame in frames if isinstance(frame, dict)]
        numbers = [number for number in said if type(number) is int]
        if len(numbers) < len(frames):
            continue
        number, times = Counter(numbers).most_common(1)[0]
        if times > 1:
            raise FileFormatError(f"{path}: frame {number} is there {times} times ({key!r})")
        return numbers
    return list(range(len(frames)))


def _recognises(path: Path) -> bool:
    """Whether landmarks stand at its start, or at its end where nobody is seen for long."""
    return any(b'"visibility"' in part and b'"keypoints"' not in part for part in ends(path))


READER = Reader(
    description="MediaPipe pose landmarks",
    read=read_mediapipe,
    suffixes=(".json",),
    recognises=_recognises,
)
