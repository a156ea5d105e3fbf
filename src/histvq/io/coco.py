"""COCO keypoints of the images of one video: annotations, or the bare list of a tracker's results.

Source: COCO documentation, "Data format" and "Results format", keypoint detection.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.asked import given_fps, unit_name
from histvq.io.parts.json_values import (
    ends,
    list_in,
    numbers_in,
    object_in,
    read_json,
    shown,
    whole_in,
)
from histvq.io.parts.keypoints import Found, recording_of, timeline
from histvq.io.parts.reader import Pair, Reader
from histvq.skeletons import SKELETONS, Skeleton, mirrored_pairs, named_like, spanning_tree

COCO = SKELETONS["coco-17"]
# Not `id`: that is the annotation's own, another one in each image.
IDENTITIES = ("track_id", "tracking_id", "person_id")

_LAST_NUMBER = re.compile(r"(\d+)(\D*)$")

Id = int | str
Row = tuple[dict[str, Any], str]  # what is said of one person in one image, where


def read_coco(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str = "px",
    whom: str | None = None,
    min_confidence: float = 0.0,
) -> Pair:
    """Read one file of COCO keypoints as a recording, an image a frame; there are no labels.

    Frames have the number in the images' file names, if these are alike but for it; else the
    images' ids. Numbers left out are frames without values. Joints are those of the file's
    category, else COCO's 17.

    Units: pixels.

    Args:
        path: Annotations (an object), or results (a list).
        fps: Frames a second, which the files do not say.
        unit: Unit of the points, where it is another.
        whom: To take where there are several: `main`, `all` or `best`, see
            `histvq.io.parts.keypoints.recording_of`. Who is who is said by `track_id`, `tracking_id` or
            `person_id`; where there is none, people are linked by nearest centre.
        min_confidence: Points whose third number is less are missing; with 0, those where it is 0,
            which means not labelled. It is 1 for hidden and 2 for seen points in annotations.

    Raises:
        FileFormatError: If the file is not as it should be, holds several videos or nobody.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="COCO")
    said = read_json(path)
    if isinstance(said, list):
        said = {"annotations": said}
    said = object_in(said, str(path))
    rows = _rows(said, path)
    skeleton, notes = _skeleton(said, rows, path)
    points = np.array([_points(row, where, skeleton) for row, where in rows])
    numbers = _numbers(said, rows, path)
    frames, n_frames = timeline(numbers.values(), path, what="images")
    found = Found(
        points=points[..., :2],
        confidence=points[..., 2],
        frames=np.array([frames[numbers[row["image_id"]]] for row, _ in rows]),
        n_frames=n_frames,
        names=_names([row for row, _ in rows]),
    )
    recording = recording_of(
        found,
        skeleton,
        path=path,
        id=path.stem,
        fps=fps,
        unit=unit_name(unit),
        whom=whom,
        min_confidence=min_confidence,
        metadata={"first_frame": min(numbers.values())},
        notes=notes,
    )
    return recording, None


def _rows(said: Mapping[str, Any], path: Path) -> list[Row]:
    """The annotations that have keypoints; warns of others."""
    if "annotations" not in said:
        raise FileFormatError(
            f"{path}: no `annotations` in it, so it is no COCO file; it has "
            f"{', '.join(list(said)[:5]) or 'nothing'}"
        )
    given = list_in(said["annotations"], f"{path}, annotations")
    rows = [
        (object_in(row, f"{path}, annotation {n}"), f"{path}, annotation {n}")
        for n, row in enumerate(given, start=1)
    ]
    kept = [(row, where) for row, where in rows if row.get("keypoints") is not None]
    if not kept:
        raise FileFormatError(
            f"{path}: no people in it: none of its {len(rows)} annotations has `keypoints`. Give "
            "the file of keypoints, not that of boxes or outlines"
        )
    if len(kept) < len(rows):
        warnings.warn(
            f"{path}: {len(rows) - len(kept)} of {len(rows)} annotations have no keypoints; they "
            "are left out",
            DataWarning,
            stacklevel=3,
        )
    for row, where in kept:
        if type(row.get("image_id")) not in (int, str):
            raise FileFormatError(
                f"{where}, image_id: expected a number or a name, found "
                f"{shown(row.get('image_id'))}"
            )
    return kept


def _points(row: Mapping[str, Any], where: str, skeleton: Skeleton) -> np.ndarray:
    values = numbers_in(row["keypoints"], f"{where}, keypoints")
    n_joints = len(skeleton.joint_names)
    if len(values) != 3 * n_joints:
        raise FileFormatError(
            f"{where}, keypoints: {len(values)} numbers, expected x, y and confidence of "
            f"{n_joints} points ({skeleton.name}). Other points need their names in `categories`"
        )
    return values.reshape(-1, 3)


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Who each is, under the first key that says it of all; trackers write -1 where they do not know."""
    for key in IDENTITIES:
        ids = [row.get(key, _attributes(row).get(key)) for row in rows]
        if all(type(id) is str or (type(id) is int and id >= 0) for id in ids):
            return [str(id) for id in ids]
    return None


def _attributes(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where CVAT puts what COCO has no key for."""
    attributes = row.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


# The joints


def _skeleton(
    said: Mapping[str, Any], rows: Sequence[Row], path: Path
) -> tuple[Skeleton, list[str]]:
    """The joints of the category in use, and what was done to make a tree of its bones."""
    given = list_in(said.get("categories") or [], f"{path}, categories")
    categories = [object_in(one, f"{path}, category {n}") for n, one in enumerate(given, start=1)]
    used = {str(row.get("category_id")) for row, _ in rows}
    named = [c for c in categories if c.get("keypoints") and str(c.get("id")) in used]
    if len(used) > 1 and categories:
        raise FileFormatError(
            f"{path}: keypoints of {len(used)} categories ({', '.join(sorted(used)[:10])}); "
            "expected those of one. Make a file of each"
        )
    if not named:
        return COCO, []
    where = f"{path}, category {named[0].get('name', named[0].get('id'))}"
    names = list_in(named[0]["keypoints"], f"{where}, keypoints")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or name in seen:
            raise FileFormatError(
                f"{where}, keypoints: {shown(name)}; expected names, each of them once"
            )
        seen.add(name)
    if preset := named_like(names):
        return preset, []
    edges, notes = _edges(named[0].get("skeleton") or [], len(names), f"{where}, skeleton")
    parents, left_out = spanning_tree(edges, len(names))
    if left_out:
        notes.append(f"{len(left_out)} of {len(edges)} bones left out to make a tree")
    called = str(named[0].get("name", "category"))
    return Skeleton(called, tuple(names), parents, mirrored_pairs(names)), notes


def _edges(said: Any, n_joints: int, where: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Bones as places from 0 on; COCO counts from 1, and who has a 0 among them from 0."""
    pairs = [[whole_in(place, where) for place in list_in(p, where)] for p in list_in(said, where)]
    first = 0 if any(0 in pair for pair in pairs) else 1
    for pair in pairs:
        if len(pair) != 2 or not all(first <= place < n_joints + first for place in pair):
            raise FileFormatError(
                f"{where}: {str(pair)[:40]}; expected two numbers from {first} to "
                f"{n_joints + first - 1}, a bone each"
            )
    notes = [] if first else ["bones counted from 0"]
    return [(one - first, other - first) for one, other in pairs], notes


# The frames


def _numbers(said: Mapping[str, Any], rows: Sequence[Row], path: Path) -> dict[Id, int]:
    """Number of the frame each image is, by the image's id."""
    if said.get("images"):
        names = _images(said, rows, path)
        numbers = _in_names(names) or _in_ids(names)
    else:
        names = {row["image_id"]: str(row["image_id"]) for row, _ in rows}
        numbers = _in_ids(names) or _in_names(names)
    if numbers is None:
        raise FileFormatError(
            f"{path}: images {', '.join(name[:40] for name in list(names.values())[:3])}: not the "
            "numbered frames of one video, as walk_0001.jpg, walk_0002.jpg. Name them so, or make a "
            "file of each video"
        )
    return numbers


def _images(said: Mapping[str, Any], rows: Sequence[Row], path: Path) -> dict[Id, str]:
    """Names of the images' files by their ids, checked to be of one video."""
    names: dict[Id, str] = {}
    videos, folders = set(), set()
    for n, one in enumerate(list_in(said["images"], f"{path}, images"), start=1):
        image = object_in(one, f"{path}, image {n}")
        id: Any = image.get("id")
        name = str(image.get("file_name", ""))
        if type(id) not in (int, str) or id in names:
            raise FileFormatError(
                f"{path}, image {n}, id: {shown(id)}; expected a number or a name, another for each "
                "image"
            )
        names[id] = name
        videos.add(str(image.get("video_id")))
        folders.add(str(PurePosixPath(name.replace("\\", "/")).parent))
    for kind, several in (("videos", videos), ("folders", folders)):
        if len(several) > 1:
            raise FileFormatError(
                f"{path}: images of {len(several)} {kind} ({', '.join(sorted(several)[:5])}); a "
                "file must hold one recording. Make a file of each"
            )
    for row, where in rows:
        if row["image_id"] not in names:
            raise FileFormatError(f"{where}: there is no image {shown(row['image_id'])}")
    return names


def _in_ids(names: Mapping[Id, str]) -> dict[Id, int] | None:
    """The ids themselves, where all are numbers."""
    numbers: dict[Id, int] = {id: id for id in names if isinstance(id, int)}
    return numbers if len(numbers) == len(names) else None


def _in_names(names: Mapping[Id, str]) -> dict[Id, int] | None:
    """The last number in each name, where names are alike but for it."""
    numbers, rests = {}, set()
    for id, name in names.items():
        match = _LAST_NUMBER.search(name) if len(name) < 1000 else None
        if match is None:
            return None
        numbers[id] = int(match[1])
        rests.add((name[: match.start()], match[2]))
    return numbers if len(rests) == 1 and len(set(numbers.values())) == len(numbers) else None


def _recognises(path: Path) -> bool:
    """Whether keypoints of images stand at the start or, after a long list of images, at the end."""
    return any(
        b'"keypoints"' in part and (b'"image_id"' in part or b'"categories"' in part)
        for part in ends(path)
    )


READER = Reader(
    description="COCO keypoints of one video",
    read=read_coco,
    suffixes=(".json",),
    recognises=_recognises,
)
