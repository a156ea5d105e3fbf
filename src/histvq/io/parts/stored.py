"""Arrays of a `.npy` or `.npz` file: their shapes first, their numbers when wanted, never pickles."""

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.archive import DAMAGED, MOST_SHRUNK, check_claims, header
from histvq.io.parts.packed import AGAIN

# From here on a `.npy` file is mapped. A smaller one is read, so that it may be written anew meanwhile.
MAPPED_BYTES = 32 * 1024 * 1024


class Stored(NamedTuple):
    """An array of a file, before it is read."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]


@contextmanager
def stored_arrays(path: Path) -> Iterator[list[Stored]]:
    """The arrays of a file; open as long as they are to be read.

    What a header promises is held against the bytes there are before anything is allocated.

    Raises:
        FileFormatError: If the file is damaged or none of these, also while arrays are read.
    """
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                check_claims(archive, path)
                members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
                yield [_member(archive, info, path) for info in members]
        else:
            with path.open("rb") as file:
                size = path.stat().st_size
                yield [_announced(path.stem, file, size, lambda: _loaded(path, size))]
    except (FileFormatError, ConfigError):
        raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (*DAMAGED, RecursionError) as error:
        raise FileFormatError(
            f"{path}: no file of arrays numpy can load ({type(error).__name__}: {error}). {AGAIN}, "
            "or write it again with numpy.save of numbers"
        ) from error


def _loaded(path: Path, size: int) -> np.ndarray:
    """A `.npy` file's array: in memory, or mapped for reading where it is large."""
    return np.load(path, mmap_mode="r" if size >= MAPPED_BYTES else None, allow_pickle=False)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Stored:
    if info.file_size > MOST_SHRUNK * min(info.compress_size, path.stat().st_size) + 1024:
        raise FileFormatError(
            f"{path}: {info.filename} is said to unpack to {info.file_size} bytes, more than "
            f"{info.compress_size} can hold. {AGAIN}"
        )

    def read() -> np.ndarray:
        with archive.open(info) as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    with archive.open(info) as file:
        return _announced(info.filename.removesuffix(".npy"), file, info.file_size, read)


def _announced(name: str, file: IO[bytes], size: int, read: Callable[[], np.ndarray]) -> Stored:
    """What the head of an array says, held against how many bytes there are for it."""
    shape, _, dtype = header(file)
    left = size - file.tell()
    needed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or (needed != left and not dtype.hasobject):
        raise ValueError(f"array {name!r} of shape {shape} takes {needed} bytes, but has {left}")
    return Stored(name, shape, dtype, read)
