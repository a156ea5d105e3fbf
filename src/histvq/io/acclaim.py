"""Acclaim motion capture: joint angles (.amc) on a skeleton (.asf), as in the CMU database.

Source: the Acclaim file format; forward kinematics as J. Lander, "Working with Motion Capture File
Formats", Game Developer 1998, describes it.
"""

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from histvq.errors import FileFormatError
from histvq.io.parts.asf_skeleton import ROOT, Skeleton, read_skeleton
from histvq.io.parts.asked import given_fps
from histvq.io.parts.packed import AGAIN, read_packed_text
from histvq.io.parts.reader import Pair, Reader
from histvq.recording import Recording


def read_acclaim(
    path: str | Path, *, fps: float | None = None, skeleton: str | Path | None = None
) -> Pair:
    """Read the motion in an AMC file, as joint positions; such files have no labels.

    Units: metres. An ASF's factor `length` turns its numbers into inches.

    Args:
        path: `.amc`, or the same packed as `.amc.xz`.
        fps: Frames a second, which the files do not say; most of the CMU database has 120.
        skeleton: The ASF file (`.asf`, `.asf.xz`). None: the one beside the file that has its name,
            its subject's name (`13.asf` for `13_29.amc`), or is the only one.

    Raises:
        FileFormatError: If a file is not as it should be, with the line; or the skeleton or the
            rate is not known.
    """
    path = Path(path)
    fps = given_fps(fps, path, format="AMC (those of the CMU database mostly have 120)")
    place = Path(skeleton) if skeleton else _skeleton_beside(path)
    rest = read_skeleton(place)
    positions = joint_positions(rest, read_channels(path, rest))
    if not (np.abs(positions) <= np.finfo(np.float32).max).all():
        raise FileFormatError(f"{path}: positions too large to be metres. {AGAIN}")
    stem = path.name.split(".")[0]
    recording = Recording(
        id=stem,
        skeleton=positions.astype(np.float32),
        fps=fps,
        joint_names=tuple(bone.name for bone in rest.bones),
        parents=tuple(bone.parent for bone in rest.bones),
        unit="m",
        metadata={"skeleton": place.name},
        source=str(path),
    )
    return recording, None


def read_channels(path: str | Path, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """The numbers of an AMC file: bone -> (frame, channel), in the file's units.

    Every frame must give the same bones in the same order, as all programs write them; then the
    numbers of the whole file are one table.

    Raises:
        FileFormatError: If frames differ, or numbers are missing; names the line.
    """
    path = Path(path)
    first, lines = _motion_lines(path, skeleton)
    widths = {bone.name: len(bone.channels) for bone in skeleton.bones}
    names = _bones_of_frame(lines, widths, path, first)
    n_lines = len(names) + 1
    tokens = [line.split() for line in lines]
    for place, cells in enumerate(tokens):
        frame, row = divmod(place, n_lines)
        expected = str(frame + int(tokens[0][0])) if row == 0 else names[row - 1]
        width = 0 if row == 0 else widths[names[row - 1]]
        if cells[0] != expected or len(cells) != width + 1:
            raise FileFormatError(
                f"{path}, line {first + place}: {' '.join(cells)[:60]!r}; expected "
                + (f"frame number {expected}" if row == 0 else f"{expected} and {width} numbers")
                + f", as in the first frame. {AGAIN}"
            )
    if len(tokens) % n_lines:
        raise FileFormatError(
            f"{path}, line {first + len(tokens) - 1}: the last frame has {len(tokens) % n_lines - 1} "
            f"of {len(names)} bones. {AGAIN}"
        )
    flat = [cell for cells in tokens for cell in cells[1:]]
    try:
        table = np.array(flat, dtype=np.float64).reshape(len(tokens) // n_lines, -1)
    except ValueError as error:
        raise FileFormatError(f"{path}: {error}. {AGAIN}") from error
    if not np.isfinite(table).all():
        raise FileFormatError(f"{path}: a number is not finite. {AGAIN}")
    bounds = np.cumsum([widths[name] for name in names])[:-1]
    return dict(zip(names, np.split(table, bounds, axis=1), strict=True))


def joint_positions(skeleton: Skeleton, channels: dict[str, np.ndarray]) -> np.ndarray:
    """Where the joints are, (frame, joint, space) in metres: forward kinematics.

    A bone's rotation is C M C', with C its axis and M its angles in the order of its channels, each
    about a fixed axis; it turns what its parent has turned already.
    """
    n_frames = len(next(iter(channels.values())))
    positions = np.empty((n_frames, len(skeleton.bones), 3))
    turns: list[Rotation] = []
    for place, bone in enumerate(skeleton.bones):
        values = channels.get(bone.name, np.zeros((n_frames, len(bone.channels))))
        local = bone.axis * _rotation(values, bone.channels, skeleton.degrees) * bone.axis.inv()
        if bone.parent < 0:
            shift = np.zeros((n_frames, 3))
            for column, channel in enumerate(bone.channels):
                if channel[0] == "t":
                    shift[:, "xyz".index(channel[1])] = skeleton.scale * values[:, column]
            positions[:, place] = skeleton.position + shift
            turns.append(local)
            continue
        turns.append(turns[bone.parent] * local)
        positions[:, place] = positions[:, bone.parent] + turns[place].apply(bone.offset)
    return positions


def _rotation(values: np.ndarray, channels: tuple[str, ...], degrees: bool) -> Rotation:
    turning = [column for column, channel in enumerate(channels) if channel[0] == "r"]
    if not turning:
        return Rotation.identity(len(values))
    order = "".join(channels[column][1] for column in turning)
    return Rotation.from_euler(order, values[:, turning], degrees=degrees)


def _skeleton_beside(path: Path) -> Path:
    stem = path.name.split(".")[0]
    for name in (stem, stem.split("_")[0]):
        for ending in (".asf", ".asf.xz"):
            if (path.with_name(name + ending)).is_file():
                return path.with_name(name + ending)
    others = sorted(f for f in path.parent.glob("*.asf*") if f.name.endswith((".asf", ".asf.xz")))
    if len(others) == 1:
        return others[0]
    found = f"{len(others)} lie beside it, none of its name" if others else "none lies beside it"
    raise FileFormatError(
        f"{path}: which skeleton (.asf)? {found}. Put {stem.split('_')[0]}.asf there, or pass "
        "skeleton='path/to/file.asf'"
    )


def _motion_lines(path: Path, skeleton: Skeleton) -> tuple[int, list[str]]:
    """Number of the first line that is motion, and the lines from there on."""
    text = read_packed_text(path, encoding="ascii")
    lines = text.splitlines()
    if text and text[-1] != "\n":
        raise FileFormatError(
            f"{path}, line {len(lines)}: the file ends in the middle of a line, so its last number may "
            "be cut. Fetch it again, or add a line end if it is whole"
        )
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            _check_flag(words[0].upper(), path, number, skeleton)
        elif words[0].isdecimal() and len(words) == 1 and len(words[0]) < 16:
            rest = lines[number - 1 :]
            while rest and not rest[-1].strip():
                rest.pop()
            empty = next((i for i, text in enumerate(rest) if not text.strip()), None)
            if empty is not None:
                raise FileFormatError(f"{path}, line {number + empty}: empty. {AGAIN}")
            return number, rest
        else:
            raise FileFormatError(
                f"{path}, line {number}: {line[:60]!r}; expected the number of the first frame"
            )
    raise FileFormatError(f"{path}: no frame in it. {AGAIN}")


def _check_flag(flag: str, path: Path, number: int, skeleton: Skeleton) -> None:
    if flag in (":DEGREES", ":RADIANS") and (flag == ":DEGREES") != skeleton.degrees:
        raise FileFormatError(
            f"{path}, line {number}: {flag}, but the skeleton's angles are in "
            f"{'degrees' if skeleton.degrees else 'radians'}. Give the skeleton of this file"
        )
    if flag not in (":DEGREES", ":RADIANS", ":FULLY-SPECIFIED", ":SAMPLES-PER-SECOND"):
        raise FileFormatError(f"{path}, line {number}: {flag} is not understood")


def _bones_of_frame(lines: list[str], widths: dict[str, int], path: Path, first: int) -> list[str]:
    """The bones the first frame gives, in order."""
    names: list[str] = []
    for place, line in enumerate(lines[1:], start=1):
        name = (line.split() or [""])[0]
        if name.isdecimal():
            break
        if name not in widths:
            raise FileFormatError(
                f"{path}, line {first + place}: the skeleton has no bone {name!r}. Give the "
                "skeleton of this person, as skeleton='13.asf'"
            )
        names.append(name)
    if ROOT not in names:
        raise FileFormatError(f"{path}, line {first}: the first frame has no root. {AGAIN}")
    return names


READER = Reader(
    description="Acclaim motion, with its skeleton (.asf) beside it",
    read=read_acclaim,
    suffixes=(".amc", ".amc.xz"),
    own_suffixes=(".amc", ".amc.xz"),
    beside=lambda path: path.suffix.lower() == ".asf",
)
