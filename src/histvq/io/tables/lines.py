"""Lines of a text file: plain or packed, in the encodings spreadsheets write."""

import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN

Line = tuple[int, str]

_START_BYTES = 64 * 1024
_SAVE_AGAIN = 'Save it as UTF-8 (in Excel: "CSV UTF-8")'


def numbered_lines(path: Path) -> Iterator[Line]:
    """The lines of a text file that are not blank, numbered from 1; unpacked if `.gz` or `.xz`.

    Text is UTF-8, or UTF-16 with a byte order mark. The file is never held whole.

    Raises:
        FileFormatError: If it cannot be read or unpacked, or is no such text.
    """
    encoding = "utf-8"
    try:
        with _opened(path) as file:
            encoding = _encoding(file.read(4))
        with io.TextIOWrapper(_opened(path), encoding=encoding) as text:
            for number, line in enumerate(text, start=1):
                if "\0" in line:
                    raise FileFormatError(
                        f"{path}, line {number}: a zero byte, so this is no text, or UTF-16 "
                        f"without a byte order mark. {_SAVE_AGAIN}"
                    )
                if line.strip():
                    yield number, line.rstrip("\n")
    except UnicodeError as error:
        raise FileFormatError(_undecodable(path, encoding)) from error
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{path}: cannot be unpacked ({error}). {AGAIN}") from error
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror or error})") from error


def first_lines(path: Path, n_lines: int = 30) -> list[Line]:
    """The first lines that are not blank; none of a file that is no text or cannot be read.

    The start of the file is looked at, no more, so the last line may be cut.
    """
    try:
        with _opened(path) as file:
            start = file.read(_START_BYTES)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return []
    text = start.decode(_encoding(start), errors="ignore")
    if "\0" in text:
        return []
    lines = enumerate(re.split(r"\r\n|\r|\n", text), start=1)
    return [(number, line) for number, line in lines if line.strip()][:n_lines]


def _opened(path: Path) -> IO[bytes]:
    opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix.lower(), open)
    return opener(path, "rb")  # type: ignore[operator, no-any-return]


def _encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _undecodable(path: Path, encoding: str) -> str:
    """Where the text is not what it should be: text comes in blocks, so the line is sought here."""
    if encoding == "utf-16":
        return f"{path}: begins as UTF-16 but does not go on so. {AGAIN}"
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte, before = line[error.start], line[: error.start].decode()
                return (
                    f"{path}, line {number}: byte 0x{byte:02X} after {before[-20:]!r} is not "
                    f"UTF-8; the file may be in Latin-1 or Windows-1252. {_SAVE_AGAIN}"
                )
    return f"{path}: not UTF-8 text. {_SAVE_AGAIN}"
