"""Arrays of a safetensors file from anybody: what its header claims is checked before anything is made.

The file is eight bytes that say how long the header is, the header (JSON: each array's type, shape and
place), and the bytes of the arrays, one after the other.

Source: the format as written at https://github.com/huggingface/safetensors, section "Format".
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from histvq.errors import FileFormatError

HEADER_BYTES = 2**22  # a hundred times what any model of ours has
FILE_BYTES = 2**32
MOST_AXES = 8
TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?",
}  # fmt: skip


@dataclass(frozen=True)
class TensorPlace:
    """What the header says of one array; `start` and `stop` are bytes after the header."""

    type: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def read_safetensors(
    place: str | Path, *, at_most_bytes: int = FILE_BYTES
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays of a file by name, and the words its writer left beside them.

    Args:
        place: The file.
        at_most_bytes: A larger file is refused unread.

    Raises:
        FileFormatError: If it is missing, damaged or too large; a header that claims what the file does
            not hold is found before room is made for it.
    """
    path = Path(place)
    try:
        with path.open("rb") as file:
            n_bytes = path.stat().st_size
            if n_bytes > at_most_bytes:
                raise ValueError(f"{n_bytes:,} bytes, where {at_most_bytes:,} are the most")
            begin, places, words = _header(file, n_bytes)
            return {name: _array(file, begin, place) for name, place in places.items()}, words
    except (OSError, ValueError, RecursionError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileFormatError(f"{path}: cannot be read ({what}); save it again") from error


def _header(file: IO[bytes], n_bytes: int) -> tuple[int, dict[str, TensorPlace], dict[str, str]]:
    """Where the arrays' bytes begin, what each is, and the words beside them.

    Raises:
        ValueError: If it is not the header of a file of this many bytes.
    """
    length = int.from_bytes(file.read(8), "little")
    begin = 8 + length
    if n_bytes < 8 or begin > n_bytes or length > HEADER_BYTES:
        raise ValueError("no safetensors file, or one cut short")
    said = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_each_once)
    if not isinstance(said, dict):
        raise ValueError("its header is no object of JSON")
    words = said.pop("__metadata__", {})
    if not isinstance(words, dict) or not all(isinstance(word, str) for word in words.values()):
        raise ValueError("its header has words beside the arrays that are no text")
    places = {name: _place(name, claim) for name, claim in said.items()}
    at = 0
    for name, one in sorted(places.items(), key=lambda item: (item[1].start, item[1].stop)):
        if one.start != at:
            raise ValueError(
                f"array {name!r} begins at byte {one.start}, the one before ends at {at}"
            )
        at = one.stop
    if begin + at != n_bytes:
        raise ValueError(f"its arrays need {begin + at:,} bytes, it has {n_bytes:,}")
    return begin, places, words


def _place(name: str, claim: Any) -> TensorPlace:
    """One array's entry in the header, as it should be."""
    if not isinstance(claim, dict) or claim.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"array {name!r}: expected dtype, shape and data_offsets")
    kind, shape, offsets = claim["dtype"], claim["shape"], claim["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"array {name!r}: of a type not known here; known are {', '.join(TYPES)}")
    if not _counts(shape) or len(shape) > MOST_AXES or not _counts(offsets) or len(offsets) != 2:
        raise ValueError(f"array {name!r}: its shape or place is not in whole numbers")
    type_ = np.dtype(TYPES[kind])
    if offsets[1] - offsets[0] != math.prod(shape) * type_.itemsize:
        raise ValueError(f"array {name!r}: its bytes are not as many as its shape needs")
    return TensorPlace(type_, tuple(shape), *offsets)


def _counts(value: Any) -> bool:
    """Whether it is a list of sizes."""
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**48 for one in value)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("its header names something twice")
    return found


def _array(file: IO[bytes], begin: int, place: TensorPlace) -> np.ndarray:
    """The array at this place, of bytes that are known to be there."""
    file.seek(begin + place.start)
    if place.type == np.bool_:  # a byte that is neither 0 nor 1 would be neither True nor False
        return np.fromfile(file, np.uint8, math.prod(place.shape)).reshape(place.shape) != 0
    return np.fromfile(file, place.type, math.prod(place.shape)).reshape(place.shape)
