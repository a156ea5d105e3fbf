"""Text files as they are, or packed as `.xz`."""

import lzma
from pathlib import Path

from histvq.errors import FileFormatError

AGAIN = "The file may be cut short or damaged: fetch it again"


def read_packed(path: Path) -> bytes:
    """Content of a file, unpacked if its name ends in `.xz`.

    Raises:
        FileFormatError: If it cannot be read or unpacked.
    """
    try:
        data = path.read_bytes()
        return lzma.decompress(data) if path.suffix.lower() == ".xz" else data
    except (lzma.LZMAError, EOFError) as error:
        raise FileFormatError(f"{path}: cannot be unpacked ({error}). {AGAIN}") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from error


def read_packed_text(path: Path, *, encoding: str) -> str:
    """The same as text.

    Raises:
        FileFormatError: If it cannot be read or unpacked, or is not such text.
    """
    try:
        return read_packed(path).decode(encoding)
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not a text file ({error}). {AGAIN}") from error
