"""The skeleton of Acclaim motion capture (.asf): bones at rest, and what the motion says of each.

Source: as of `histvq.io.acclaim`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed_text

METRES_PER_INCH = 0.0254
ROOT = "root"
LARGEST = 1e30  # offset of a bone, in whatever unit: many still add up to what float32 holds
_CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")


@dataclass(frozen=True, kw_only=True)
class Bone:
    """A bone at rest; the root has no length.

    Attributes:
        name: Also the name of the joint at its end.
        parent: Place of its parent among the bones, -1 at the root.
        offset: From its start to its end, in metres, at rest.
        axis: Rotation of the frame its angles are measured in.
        channels: What the motion file gives of it, in order, as `tx` or `rz`.
    """

    name: str
    parent: int
    offset: np.ndarray
    axis: Rotation
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """Bones, each after its parent, and what one unit of length is in metres.

    Attributes:
        bones: The root first.
        scale: Metres in a unit of length of the motion file.
        degrees: Whether angles are in degrees.
        position: Of the root at rest, in metres.
    """

    bones: tuple[Bone, ...]
    scale: float
    degrees: bool
    position: np.ndarray


def read_skeleton(path: str | Path) -> Skeleton:
    """Read an ASF file.

    Raises:
        FileFormatError: If it is not as it should be; names the line where there is one.
    """
    path = Path(path)
    sections = _sections(path)
    units = dict(_pair(line, path) for line in sections.get("units", []))
    degrees = _degrees(units.get("angle", "deg"), path)
    length = _number(units.get("length", "1"), f"{path}, :units, length")
    if not abs(length) > 1e-9:
        raise FileFormatError(f"{path}, :units: a length of {length:g} says nothing. {AGAIN}")
    scale = METRES_PER_INCH / length
    about_root = dict(_pair(line, path) for line in sections.get(ROOT, []))
    order = tuple(about_root.get("order", "").lower().split())
    if sorted(order) != sorted(_CHANNELS):
        raise FileFormatError(
            f"{path}, :root: order {' '.join(order) or 'missing'}; expected TX TY TZ RX RY RZ in "
            f"some order. {AGAIN}"
        )
    turn = _numbers(about_root.get("orientation", "0 0 0"), 3, f"{path}, :root, orientation")
    rest_of = {
        ROOT: (
            np.zeros(3),
            _turned(about_root.get("axis", "XYZ"), turn, f"{path}, :root, axis", degrees=degrees),
            order,
        ),
        **dict(_bone(lines, path, scale, degrees=degrees) for lines in _blocks(sections, path)),
    }
    position = _numbers(about_root.get("position", "0 0 0"), 3, f"{path}, :root, position")
    names, parents = _tree(sections.get("hierarchy", []), set(rest_of), path)
    bones = tuple(
        Bone(name=n, parent=p, offset=rest_of[n][0], axis=rest_of[n][1], channels=rest_of[n][2])
        for n, p in zip(names, parents, strict=True)
    )
    return Skeleton(bones=bones, scale=scale, degrees=degrees, position=scale * position)


def _sections(path: Path) -> dict[str, list[str]]:
    """Lines of an ASF by the section they stand in, comments and empty ones left out."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in read_packed_text(path, encoding="ascii").splitlines():
        line = line.strip()
        if line.startswith(":"):
            section = line[1:].split()[0].lower() if line[1:].split() else ""
            found[section] = []
        elif line and not line.startswith("#") and section:
            found[section].append(line)
    missing = [name for name in (ROOT, "bonedata", "hierarchy") if not found.get(name)]
    if missing:
        raise FileFormatError(
            f"{path}: no {' and no '.join(':' + name for name in missing)} in it, so it is no ASF "
            f"skeleton, or not whole. {AGAIN}"
        )
    return found


def _blocks(sections: dict[str, list[str]], path: Path) -> list[list[str]]:
    """The lines of each bone, between `begin` and `end`."""
    text = "\n".join(sections["bonedata"])
    blocks = re.findall(r"^begin$(.*?)^end$", text, flags=re.MULTILINE | re.DOTALL)
    if len(blocks) != len(re.findall(r"^begin$", text, flags=re.MULTILINE)) or not blocks:
        raise FileFormatError(f"{path}, :bonedata: a bone has no end. {AGAIN}")
    return [block.strip().splitlines() for block in blocks]


def _bone(
    lines: list[str], path: Path, scale: float, *, degrees: bool
) -> tuple[str, tuple[np.ndarray, Rotation, tuple[str, ...]]]:
    said = dict(_pair(line, path) for line in lines if not line.startswith("("))
    name = said.get("name", "")
    where = f"{path}, bone {name or '?'}"
    lacking = [key for key in ("name", "direction", "length", "axis") if key not in said]
    if lacking:
        raise FileFormatError(f"{where}: no {' and no '.join(lacking)}. {AGAIN}")
    direction = _numbers(said["direction"], 3, f"{where}, direction")
    length = _number(said["length"], f"{where}, length")
    *words, order = said["axis"].split() or [""]
    angles = _numbers(" ".join(words), 3, f"{where}, axis")
    axis = _turned(order, angles, f"{where}, axis", degrees=degrees)
    channels = tuple(said.get("dof", "").lower().split())
    unknown = [channel for channel in channels if channel not in ("rx", "ry", "rz")]
    if unknown:
        raise FileFormatError(
            f"{where}, dof: {' '.join(unknown)}; only rotations (rx, ry, rz) are understood"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        offset = scale * length * direction
    if not (np.abs(offset) <= LARGEST).all():
        raise FileFormatError(f"{where}: a length of {length:g} along {direction}. {AGAIN}")
    return name, (offset, axis, channels)


def _tree(lines: list[str], known: set[str], path: Path) -> tuple[list[str], list[int]]:
    """Names of the bones, each after its parent, and the place of each one's parent."""
    names, parents = [ROOT], [-1]
    for line in lines:
        words = line.split()
        if words[0] in ("begin", "end"):
            continue
        strangers = [word for word in words if word not in known]
        if strangers or words[0] not in names:
            what = f"bone {strangers[0]} is not" if strangers else f"bone {words[0]} has no place"
            raise FileFormatError(f"{path}, :hierarchy: {what} among the bones so far. {AGAIN}")
        for child in words[1:]:
            if child in names:
                raise FileFormatError(f"{path}, :hierarchy: bone {child} has two parents. {AGAIN}")
            parents.append(names.index(words[0]))
            names.append(child)
    return names, parents


def _pair(line: str, path: Path) -> tuple[str, str]:
    key, _, value = line.strip().partition(" ")
    return key.lower(), value.strip()


def _degrees(angle: str, path: Path) -> bool:
    if angle.lower()[:3] not in ("deg", "rad"):
        raise FileFormatError(f"{path}, :units: angle {angle}; expected deg or rad. {AGAIN}")
    return angle.lower().startswith("deg")


def _turned(order: str, angles: np.ndarray, where: str, *, degrees: bool) -> Rotation:
    if sorted(order.lower()) != ["x", "y", "z"]:
        raise FileFormatError(
            f"{where}: {order[:20]!r}; expected x, y and z in some order. {AGAIN}"
        )
    return Rotation.from_euler(order.lower(), angles, degrees=degrees)


def _number(text: str, where: str) -> float:
    return float(_numbers(text, 1, where)[0])


def _numbers(text: str, count: int, where: str) -> np.ndarray:
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise FileFormatError(f"{where}: {text[:60]!r}; expected {count} numbers. {AGAIN}")
    return numbers
