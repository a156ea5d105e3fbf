"""Arrays of a NumPy archive that somebody else wrote: one at a time, never unpickled, never on trust.

`numpy.load` makes room for as many numbers as an array's header promises. Here a header is held against
the bytes there are before anything is allocated.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN

# A zip's deflate cannot shrink anything by more than this, so what claims to is made up.
MOST_SHRUNK = 1032
_HEADER_BYTES = 10_000  # numpy itself reads no longer ones
# What numpy and zipfile raise for files that are not what they should be: headers are parsed as Python.
DAMAGED = (
    OSError, EOFError, MemoryError, OverflowError, ValueError, KeyError, IndexError, TypeError,
    NotImplementedError, RuntimeError, SyntaxError, TokenError, zipfile.BadZipFile, zlib.error, LZMAError,
)  # fmt: skip


class Archive:
    """An open `.npz`: names of its arrays, and their values when asked for."""

    def __init__(self, path: Path, zipped: zipfile.ZipFile) -> None:
        self.path = path
        self._zipped = zipped
        self.names = _array_names(zipped)

    def array(self, name: str, *, shape: Sequence[int | None], kinds: str = "iuf") -> np.ndarray:
        """The array of that name.

        Args:
            name: One of `names`.
            shape: Length of each axis, None where any will do.
            kinds: What `numpy.dtype.kind` may be.

        Raises:
            FileFormatError: If there is none, or it is of another shape or kind.
        """
        where = f"{self.path}, array {name!r}"
        if name not in self.names:
            raise FileFormatError(
                f"{where}: not in the file, which has {', '.join(self.names[:20]) or 'none'}. Is it "
                "the right file?"
            )
        with _in_words(self.path), self._zipped.open(f"{name}.npy") as member:
            found, in_columns, dtype = header(member)
            _check_kind(dtype, kinds, where)
            _check_shape(found, shape, where)
            n_bytes = math.prod(found) * dtype.itemsize
            if n_bytes > (most := self._most_bytes(name)):
                raise FileFormatError(
                    f"{where}: its header promises {n_bytes} bytes, there can be {most}. {AGAIN}"
                )
            data = member.read(n_bytes + 1)
            if len(data) != n_bytes:
                raise FileFormatError(f"{where}: {len(data)} bytes for shape {found}. {AGAIN}")
            return np.frombuffer(data, dtype).reshape(found, order="F" if in_columns else "C")

    def numbers(self, name: str, *, shape: Sequence[int | None]) -> np.ndarray:
        """The same as float64.

        Raises:
            FileFormatError: Also if a number is infinite; NaN may stand for what is missing.
        """
        values = self.array(name, shape=shape).astype(np.float64)
        if np.isinf(values).any():
            place = np.argwhere(np.isinf(values))[0].tolist()
            raise FileFormatError(
                f"{self.path}, array {name!r}: an infinite number at {place}; expected finite ones. "
                f"{AGAIN}"
            )
        return values

    def _most_bytes(self, name: str) -> int:
        about = self._zipped.getinfo(f"{name}.npy")
        packed = min(about.compress_size, self.path.stat().st_size)
        return min(about.file_size, packed * MOST_SHRUNK)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """An archive to take arrays from.

    Raises:
        FileFormatError: If it is no archive, or damaged.
    """
    with _in_words(path):
        zipped = zipfile.ZipFile(path)
        check_claims(zipped, path)
    with zipped:
        yield Archive(path, zipped)


def check_claims(zipped: zipfile.ZipFile, path: Path) -> None:
    """See that no member claims to be more than the file, or is packed as NumPy packs nothing.

    Room for what a member claims is made before it is read, and what is packed by bzip2 or LZMA may be a
    million times as large.

    Raises:
        BadZipFile: If one does.
    """
    n_bytes = path.stat().st_size
    for info in zipped.infolist():
        if info.header_offset + info.compress_size > n_bytes:
            raise zipfile.BadZipFile(f"{info.filename!r} is said to end behind the file")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{info.filename!r} is not packed as NumPy does it")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Whatever a damaged archive raises, as FileFormatError."""
    try:
        yield
    except FileFormatError:
        raise
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error})") from error
    except DAMAGED as error:
        raise FileFormatError(
            f"{path}: no .npz, or a damaged one ({type(error).__name__}: {error}). {AGAIN}"
        ) from error


def array_names(path: Path) -> list[str]:
    """Names of the arrays in a file, from the list at its end; none where it is no archive."""
    try:
        with zipfile.ZipFile(path) as zipped:
            return _array_names(zipped)
    except DAMAGED:
        return []


def _array_names(zipped: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in zipped.namelist() if name.endswith(".npy")]


def header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and type of a `.npy` about to be read."""
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    if version == (2, 0):
        length = member.read(4)
        if (n_bytes := int.from_bytes(length, "little")) > _HEADER_BYTES:
            raise ValueError(f"a header of {n_bytes} bytes")
        return np.lib.format.read_array_header_2_0(io.BytesIO(length + member.read(n_bytes)))
    raise ValueError(f"an .npy of version {version}, for tables of fields")


def mapped(path: Path) -> np.ndarray:
    """An `.npy` mapped for reading, so that what its header says is held against its size.

    Raises:
        Exception: One of `DAMAGED`.
    """
    with path.open("rb") as file:
        header(file)
    # NumPy multiplies shapes in 64 bits, and then looks whether they fit.
    with np.errstate(over="ignore"):
        return np.lib.format.open_memmap(path, mode="r")


def _check_kind(dtype: np.dtype, kinds: str, where: str) -> None:
    if dtype.kind not in kinds:
        what = "Python objects, which are never loaded" if dtype.hasobject else str(dtype)
        wanted = "text" if set(kinds) <= set("US") else "numbers"
        raise FileFormatError(f"{where}: holds {what}; expected {wanted}")


def _check_shape(found: tuple[int, ...], wanted: Sequence[int | None], where: str) -> None:
    fits = len(found) == len(wanted) and all(
        want in (None, have) for want, have in zip(wanted, found, strict=True)
    )
    if not fits:
        axes = ", ".join("any" if n is None else str(n) for n in wanted)
        raise FileFormatError(f"{where}: shape {found}, expected ({axes})")
