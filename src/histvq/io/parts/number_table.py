"""Lines of numbers in text, read fast; the faulty line is looked for only where reading fails."""

import csv
import io
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", flags=re.IGNORECASE | re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
_MISSING = ("", "nan")


def unix_text(data: bytes, *, path: Path) -> bytes:
    """The text without byte-order mark, Windows line ends and empty lines at its end.

    Raises:
        FileFormatError: If it holds zero bytes, as UTF-16 and other than text does.
    """
    if b"\0" in data:
        raise FileFormatError(
            f"{path}: holds zero bytes, so it is no plain text; it may be UTF-16. Save it as UTF-8, "
            "or fetch it again"
        )
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip()


def is_number(cell: str, *, missing: bool = False) -> bool:
    """Whether this is a finite number, or, where these may be, a missing one."""
    cell = cell.strip()
    if missing and cell.lower() in _MISSING:
        return True
    return _NUMBER.fullmatch(cell) is not None and abs(float(cell)) <= LARGEST


def read_numbers(
    data: bytes,
    *,
    path: Path,
    columns: Sequence[str],
    separator: str = ",",
    leading: int = 0,
    missing: bool = False,
    first_line: int = 1,
) -> np.ndarray:
    """All numbers of the text as float32 (line, column).

    Args:
        data: As `unix_text` gives it, from the first line of numbers on.
        path: For error messages.
        columns: What each column is called.
        separator: What stands between two cells; " " for any run of blanks.
        leading: So many columns before these, of whatever sort, are left out.
        missing: Whether cells may be empty or `nan`; they become NaN.
        first_line: Number of the first line, for error messages.

    Raises:
        FileFormatError: If a line has not as many cells, or one is no number.
    """
    import pandas as pd

    data = data.rstrip() + b"\n"
    n_cells = leading + len(columns)
    n_lines = _check_counts(data, n_cells, path=path, separator=separator, first_line=first_line)
    fault = partial(
        _fault, data, path=path, columns=columns, separator=separator, leading=leading,
        missing=missing, first_line=first_line,
    )  # fmt: skip
    try:
        table = pd.read_csv(
            io.BytesIO(data), sep=r"\s+" if separator == " " else separator, header=None,
            usecols=range(leading, n_cells), dtype=np.float64, keep_default_na=False,
            na_values=["nan", "NaN", "Nan", "NAN", *([""] if separator != " " else [])],
            skip_blank_lines=False, skipinitialspace=True, quoting=csv.QUOTE_NONE,
            encoding="latin-1",
        )  # fmt: skip
    except (ValueError, OverflowError) as error:  # pandas' ParserError is a ValueError
        raise fault() from error
    values = table.to_numpy()
    odd = np.abs(values) > LARGEST if missing else ~(np.abs(values) <= LARGEST)
    if values.shape != (n_lines, len(columns)) or odd.any():
        raise fault()
    return values.astype(np.float32)


def _check_counts(data: bytes, n_cells: int, *, path: Path, separator: str, first_line: int) -> int:
    """The number of lines; raises unless each has so many cells, as pandas fills short lines up."""
    counts = _cells_of_each_line(data, separator)
    wrong = np.flatnonzero(counts != n_cells)
    if len(wrong):
        last = wrong[0] == len(counts) - 1
        raise FileFormatError(
            f"{path}, {'last line' if last else 'line'} {first_line + wrong[0]}: "
            f"{counts[wrong[0]]} cells, expected {n_cells}. {AGAIN}"
            + (", or delete that line" if last else "")
        )
    return len(counts)


def _cells_of_each_line(data: bytes, separator: str) -> np.ndarray:
    raw = np.frombuffer(data, np.uint8)
    if separator == " ":
        inked = raw > ord(" ")
        marks, more = np.flatnonzero(inked & ~np.concatenate([[False], inked[:-1]])), 0
    else:
        marks, more = np.flatnonzero(raw == ord(separator)), 1
    ends = np.flatnonzero(raw == ord("\n"))
    return np.diff(np.searchsorted(marks, ends), prepend=0) + more


def _fault(
    data: bytes,
    *,
    path: Path,
    columns: Sequence[str],
    separator: str,
    leading: int,
    missing: bool,
    first_line: int,
) -> FileFormatError:
    """The first cell that is no number, as an error; slow, for files known to be bad."""
    for number, line in enumerate(data.decode("latin-1").split("\n"), start=first_line):
        cells = line.split(None if separator == " " else separator)[leading:]
        for place, cell in enumerate(cells):
            if not is_number(cell, missing=missing):
                return FileFormatError(
                    f"{path}, line {number}, column {leading + place + 1} {columns[place]}: "
                    f"{cell.strip()[:40]!r} is not a finite number. {AGAIN}, or put it right"
                )
    return FileFormatError(f"{path}: not a table of {len(columns)} numbers a line. {AGAIN}")
