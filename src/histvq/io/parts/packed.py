"""Text files as they are, or packed as `.xz`."""

import lzma
from gzip import GzipFile
from pathlib import Path
from typing import IO

from histvq.errors import FileFormatError

# Text of numbers shrinks to a tenth or so; what is far larger unpacked is there to fill the memory.
_SPARE_BYTES, _MOST_TIMES = 2**25, 30
_CHUNK = 2**20
_WINDOW_BYTES = 2**27  # what xz may keep in mind; at its highest setting it does half of that

AGAIN = "The file may be cut short or damaged: fetch it again"


def read_packed(path: Path) -> bytes:
    """Content of a file, unpacked if its name ends in `.xz`.

    Raises:
        FileFormatError: If it cannot be read or unpacked.
    """
    try:
        if path.suffix.lower() != ".xz":
            return path.read_bytes()
        _check_window(path)
        with lzma.open(path) as file:
            return read_unpacked(file, path)
    except MemoryError as error:
        raise FileFormatError(f"{path}: more than fits into the memory at hand") from error
    except (lzma.LZMAError, EOFError) as error:
        raise FileFormatError(f"{path}: cannot be unpacked ({error}). {AGAIN}") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from error


def read_unpacked(file: "IO[bytes] | GzipFile", path: Path) -> bytes:
    """All of an open file that unpacks what is read.

    Raises:
        FileFormatError: If it is more than such a file of this size holds; no more is taken in.
    """
    most = _SPARE_BYTES + _MOST_TIMES * path.stat().st_size
    data = bytearray()
    while chunk := file.read(_CHUNK):
        data += chunk
        if len(data) > most:
            raise FileFormatError(
                f"{path}: unpacks to more than {most >> 20} MiB, which no file of its size does that has "
                "numbers and words in it. Do not trust it"
            )
    return bytes(data)


def _check_window(path: Path) -> None:
    """Raise LZMAError where unpacking would need more memory than anything packed with sense."""
    with path.open("rb") as file:
        lzma.LZMADecompressor(memlimit=_WINDOW_BYTES).decompress(file.read(_CHUNK), max_length=1)


def read_packed_text(path: Path, *, encoding: str) -> str:
    """The same as text.

    Raises:
        FileFormatError: If it cannot be read or unpacked, or is not such text.
    """
    try:
        return read_packed(path).decode(encoding)
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not a text file ({error}). {AGAIN}") from error
