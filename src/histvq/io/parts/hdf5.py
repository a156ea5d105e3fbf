"""HDF5 files read with care: nothing in them is run, followed elsewhere, or believed of its size."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import unpack_from
from typing import Any

import numpy as np

from histvq.errors import ConfigError, FileFormatError, HistvqError
from histvq.io.parts.packed import AGAIN
from histvq.io.parts.reader import head

MAGIC = b"\x89HDF\r\n\x1a\n"

# No deflated byte unfolds to more than 1032 (zlib, "Technical Details": maximum expansion factor).
_MOST_UNPACKED = 1032


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file, open for reading; whatever its library says of damage becomes a FileFormatError.

    Raises:
        ConfigError: If h5py is not installed.
        FileFormatError: If the file is no HDF5, or what is read within the block is damaged.
    """
    h5py = _h5py()
    if not path.is_file():
        raise FileFormatError(f"{path}: there is no such file. Check the path")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except HistvqError:
        raise
    except MemoryError as error:
        raise FileFormatError(f"{path}: more than fits into the memory at hand") from error
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FileFormatError(f"{path}: no whole HDF5 file ({what}). {AGAIN}") from error


def holds(path: Path, *names: str) -> bool:
    """Whether it is an HDF5 file with all these names at the top; looked at without reading it."""
    if head(path, len(MAGIC)) != MAGIC:
        return False
    try:
        with opened(path) as file:
            return all(name in file for name in names)
    except ConfigError:  # still known, so that the reader can say what to install
        start = head(path, 1 << 16)
        return all(name.encode() in start for name in names)
    except FileFormatError:
        return False


def member(group: Any, name: str, path: Path) -> Any:
    """A group or dataset that lies in this very file.

    Raises:
        FileFormatError: If there is none of that name, or it is a link, perhaps to another file.
    """
    link = group.get(name, getlink=True) if isinstance(group, _h5py().Group) else None
    if link is None:
        raise FileFormatError(f"{path}: no {name!r} in {group.name}. {AGAIN}")
    if not isinstance(link, _h5py().HardLink):
        raise FileFormatError(f"{path}: {name!r} is a link to elsewhere. Write it into one file")
    return group[name]


def dataset(group: Any, name: str, path: Path) -> Any:
    """A dataset whose values are all there, in this very file.

    Raises:
        FileFormatError: Else; in particular where the shape promises more than the file holds.
    """
    found = member(group, name, path)
    if not isinstance(found, _h5py().Dataset) or found.shape is None:
        raise FileFormatError(f"{path}: {name!r} holds no array. {AGAIN}")
    if found.is_virtual or found.external:
        raise FileFormatError(f"{path}: {name!r} is a link to elsewhere. Write it into one file")
    n_values = math.prod(found.shape)  # not found.size, which may overflow
    stored = min(found.id.get_storage_size(), path.stat().st_size)
    filters = found.id.get_create_plist().get_nfilters()
    short = n_values * found.dtype.itemsize > stored * (_MOST_UNPACKED if filters else 1)
    if not short and n_values and found.chunks:
        # What was never written would be read as zeros.
        n_chunks = math.prod(
            math.ceil(n / chunk) for n, chunk in zip(found.shape, found.chunks, strict=True)
        )
        short = found.id.get_num_chunks() < n_chunks
    if short:
        raise FileFormatError(
            f"{path}: {name!r} should have the shape {found.shape}, but the file does not hold as "
            f"many values. {AGAIN}"
        )
    return found


def numbers(found: Any, path: Path, *, field: str | None = None) -> np.ndarray:
    """The numbers of a dataset, or of one field of its rows, as they are.

    Raises:
        FileFormatError: If they are no plain numbers.
    """
    dtype = found.dtype if field is None else found.dtype[field]
    if dtype.base.kind not in "iuf":
        where = found.name if field is None else f"{found.name}, {field}"
        raise FileFormatError(f"{path}: {where} holds {dtype.base}, no plain numbers. {AGAIN}")
    return np.asarray(found[()] if field is None else found[field])


def strings(found: Any, path: Path) -> np.ndarray:
    """The texts of a dataset, of any shape.

    Raises:
        FileFormatError: If they are none: Python objects among others, which are not unpacked.
    """
    kind = _h5py().check_string_dtype(found.dtype)
    if kind is None:
        raise FileFormatError(f"{path}: {found.name} holds {found.dtype}, no text. {AGAIN}")
    if kind.length is None:
        check_heaps(path)
    return np.asarray(found.asstr("utf-8")[()], dtype=object)


def text(group: Any, name: str, path: Path) -> str:
    """An attribute as text; empty where it is missing or something else."""
    return attribute(group, name, path).decode("utf-8", errors="replace")


def attribute(group: Any, name: str, path: Path) -> bytes:
    """The bytes of an attribute that is a text; none where it is missing or something else."""
    if name not in group.attrs:
        return b""
    found = group.attrs.get_id(name)
    kind = _h5py().check_string_dtype(found.dtype)
    if kind is None or found.shape != ():
        return b""
    if kind.length is None:
        check_heaps(path)
    value = group.attrs[name]
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def check_heaps(path: Path) -> None:
    """Raise FileFormatError unless the file's texts of free length stand in whole heaps.

    HDF5 goes round for ever in a heap with a free space of length 0, which one damaged byte makes.

    Source: HDF5 File Format Specification, III.E, "Global Heap".
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        start = data.find(b"GCOL\x01\0\0\0")
        while start != -1 and start + 16 <= len(data):
            (length,) = unpack_from("<Q", data, start + 8)
            place, stop = start + 16, min(start + length, len(data))
            while place + 16 <= stop:
                index, _, size = unpack_from("<HHxxxxQ", data, place)
                # Objects have a head of 16 bytes and end at multiples of 8; free space counts all.
                step = size if index == 0 else 16 + -(-size // 8) * 8
                if step < 16:
                    raise FileFormatError(f"{path}: no whole HDF5 file (damaged heap). {AGAIN}")
                place += step
            start = data.find(b"GCOL\x01\0\0\0", start + 8)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        raise ConfigError(
            'HDF5 files are read with h5py, which is not installed: pip install "histvq[poses]"'
        ) from None
    return h5py
