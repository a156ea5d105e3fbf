"""Tables that people save from a spreadsheet: comma, semicolon or tab, with or without a BOM."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from histvq.errors import FileFormatError

SAVE_AS_CSV = (
    'save the table as CSV (in Excel "CSV UTF-8", in LibreOffice "Text CSV", Unicode UTF-8)'
)


def text_of(path: Path, *, hint: str) -> str:
    """What the file says, or an error that tells how to save it anew."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file; {hint}") from error
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise FileFormatError(f"{path}: a spreadsheet's own format; {SAVE_AS_CSV}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FileFormatError(f"{path}, line {line}: not UTF-8; {SAVE_AS_CSV}") from error


def rows_of(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not blank: where each begins, and its cells."""
    # strict: otherwise a quote nobody closed swallows the rest of the file in silence.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(
            f'{path}, line {line}: {error}; close the quotes, and write a " inside them twice'
        ) from error
