"""The C3D file: its parameters and points, in the byte orders of all three processors.

Read here and not by a library: those at hand bring down the whole program, or never come back, on
damaged files.

Source: "The C3D File Format: A Technical User Guide" (Motion Lab Systems), on the header, the
parameter section, the 3D data section and the POINT group.
"""

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed

BLOCK = 512
KEY = 0x50

# By the number of the processor: order of the bytes, and whether floats are those of a VAX.
_PROCESSORS = {84: ("<", False), 85: ("<", True), 86: (">", False)}
_NUMBERS = {1: "u1", 2: "i2", 4: "f4"}
_TEXT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class C3D:
    """What is read of a C3D file.

    Attributes:
        numbers: Number parameters as flat arrays, by `GROUP:NAME`; none of them empty.
        texts: Text parameters, by `GROUP:NAME`.
        first_frame: Number of the first frame, as the file counts.
        points: float32 (frame, point, 4): x, y, z, and below 0 where the point was not seen.
    """

    numbers: Mapping[str, np.ndarray]
    texts: Mapping[str, list[str]]
    first_frame: int
    points: np.ndarray


def read_c3d_file(path: Path) -> C3D:
    """Read a file whole.

    Raises:
        FileFormatError: If it is no C3D file, damaged or cut short.
    """
    data = read_packed(path)
    if len(data) < 2 * BLOCK or data[1] != KEY or data[0] < 2:
        raise FileFormatError(f"{path}: no whole C3D file: it does not begin as one. {AGAIN}")
    start = (data[0] - 1) * BLOCK
    if start + 4 > len(data) or data[start + 3] not in _PROCESSORS:
        raise FileFormatError(f"{path}: no C3D parameters at byte {start}. {AGAIN}")
    order, vax = _PROCESSORS[data[start + 3]]
    numbers: dict[str, np.ndarray] = {}
    texts: dict[str, list[str]] = {}
    for name, kind, sizes, content in _parameters(data, start + 4, order, path):
        if kind == _TEXT:
            texts[name] = _split(content, sizes[0] if sizes else 1)
        elif content:
            numbers[name] = _decoded(content, f"{order}{_NUMBERS[kind]}", vax)
    _, n_points, n_analog, first, last, _ = unpack_from(f"{order}6H", data)
    (scale,) = _decoded(data[12:16], f"{order}f4", vax)
    place = _whole(numbers, "POINT:DATA_START", unpack_from(f"{order}H", data, 16)[0], path)
    points = _points(
        data[max(place - 1, 0) * BLOCK :],
        path,
        n_frames=_n_frames(numbers, last - first + 1, path),
        n_points=_whole(numbers, "POINT:USED", n_points, path),
        n_analog=n_analog,
        scale=float(numbers.get("POINT:SCALE", [scale])[0]),
        order=order,
        vax=vax,
    )
    return C3D(numbers=numbers, texts=texts, first_frame=first, points=points)


def _parameters(
    data: bytes, place: int, order: str, path: Path
) -> Iterator[tuple[str, int, tuple[int, ...], bytes]]:
    """Each parameter's `GROUP:NAME`, kind, sizes and content.

    A record is the length of its name, the number of its group, the name, and how far the next one
    is. Groups, whose number is negative, may come after their parameters.
    """
    groups: dict[int, str] = {}
    found: list[tuple[int, str, int, tuple[int, ...], bytes]] = []
    try:
        while length := abs(unpack_from("b", data, place)[0]):  # below 0: locked
            (group,) = unpack_from("b", data, place + 1)
            name = _text(data[place + 2 : place + 2 + length]).upper()
            at = place + 2 + length
            (step,) = unpack_from(f"{order}H", data, at)
            if group < 0:
                groups[-group] = name
            else:
                found.append(
                    (group, name, *_content(data, at + 2, at + step if step else len(data)))
                )
            if not step:
                break
            place = at + step
    except (IndexError, ValueError, StructError) as error:
        raise FileFormatError(
            f"{path}: damaged C3D parameters at byte {place} ({error}). {AGAIN}"
        ) from error
    for group, name, kind, sizes, content in found:
        yield f"{groups.get(group, '')}:{name}", kind, sizes, content


def _content(data: bytes, place: int, end: int) -> tuple[int, tuple[int, ...], bytes]:
    """Kind, sizes and bytes of the values of a parameter, whose record ends there."""
    kind, n_sizes = unpack_from("bB", data, place)
    sizes = unpack_from(f"{n_sizes}B", data, place + 2)
    start = place + 2 + n_sizes
    stop = start + abs(kind) * math.prod(sizes)
    if kind != _TEXT and kind not in _NUMBERS:
        raise ValueError(f"values of the kind {kind}")
    if stop > min(end, len(data)):
        raise ValueError(f"{math.prod(sizes)} values, more than its record holds")
    return kind, sizes, data[start:stop]


def _split(content: bytes, length: int) -> list[str]:
    """Texts of one length each, without the spaces that fill them up."""
    return [_text(content[at : at + length]) for at in range(0, len(content), length or 1)]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8").strip(" \0")
    except UnicodeDecodeError:
        return content.decode("latin-1").strip(" \0")


def _decoded(content: bytes, dtype: str, vax: bool) -> np.ndarray:
    """Numbers of that type; the halves of a VAX's floats are swapped, and 4 times what IEEE says."""
    if not (vax and dtype.endswith("f4")):
        return np.frombuffer(content, dtype)
    halves = np.frombuffer(content, "<u2").reshape(-1, 2)
    return np.ascontiguousarray(halves[:, ::-1]).view("<f4")[:, 0] / 4


def _whole(numbers: Mapping[str, np.ndarray], name: str, default: int, path: Path) -> int:
    """A count; kept in 16 bits, it has no sign."""
    if name not in numbers:
        return default
    value = numbers[name][0]
    if value.dtype.kind in "iu":
        return int(value) & 0xFFFF
    if not 0 <= value < 2**31:
        raise FileFormatError(f"{path}: {name} is {value:g}, which counts nothing. {AGAIN}")
    return int(value)


def _n_frames(numbers: Mapping[str, np.ndarray], in_header: int, path: Path) -> int:
    """The number of frames; where 16 bits do not hold it, it stands in one of two other places."""
    n_frames = _whole(numbers, "POINT:FRAMES", in_header, path)
    if n_frames < 0xFFFF:
        return n_frames
    first, last = (numbers.get(f"TRIAL:ACTUAL_{end}_FIELD", ()) for end in ("START", "END"))
    if len(first) == len(last) == 2:
        low, high = (np.asarray([first, last]).astype(np.int64) & 0xFFFF).T
        return int(np.diff(low + (high << 16))[0]) + 1
    return _whole(numbers, "POINT:LONG_FRAMES", n_frames, path)


def _points(
    data: bytes,
    path: Path,
    *,
    n_frames: int,
    n_points: int,
    n_analog: int,
    scale: float,
    order: str,
    vax: bool,
) -> np.ndarray:
    """Positions, by the scale if they are whole numbers, which it says by its sign."""
    if not math.isfinite(scale) or scale == 0:
        raise FileFormatError(f"{path}: the scale of the points is {scale:g}. {AGAIN}")
    if n_frames < 1:
        raise FileFormatError(f"{path}: no frame in it. Leave it out, or write it again")
    dtype = f"{order}{'f4' if scale < 0 else 'i2'}"
    width = 4 * n_points + n_analog
    n_bytes = width * np.dtype(dtype).itemsize
    if n_frames * n_bytes > len(data):
        raise FileFormatError(
            f"{path}: {n_frames} frames of {n_points} points announced, but only "
            f"{len(data) // n_bytes} are there. {AGAIN}"
        )
    # A block may be filled up, or follow whole. Programs that count in 16 bits write more than that.
    n_left = len(data) - n_frames * n_bytes
    if n_left > max(BLOCK, n_bytes):
        warnings.warn(
            f"{path}: {n_left} bytes after the {n_frames} frames it says it has are not read",
            DataWarning,
            stacklevel=4,
        )
    values = _decoded(data[: n_frames * n_bytes], dtype, vax).reshape(n_frames, width)
    points = values[:, : 4 * n_points].reshape(n_frames, n_points, 4).astype(np.float32)
    if scale > 0:
        with np.errstate(over="ignore"):  # the reader refuses what is infinite, and says where
            points[:, :, :3] *= np.float32(scale)
    return points
