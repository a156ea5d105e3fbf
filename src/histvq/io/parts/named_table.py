"""A table of frames whose columns have several levels of names, as pandas writes it to text."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed_text

# What people hand over by mistake: DeepLabCut's table of training pictures looks the same.
PICTURES = (
    "names of pictures stand where frame numbers belong: a table of single labelled pictures "
    "(CollectedData), no motion in time. Give the table that analyze_videos writes"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedTable:
    """Numbers with a frame number a row and several names a column.

    Attributes:
        columns: Names of each column, one a level.
        frames: Integer (row,): the frame number each row says it has.
        values: Float (row, column); NaN where nothing stands.
    """

    columns: tuple[tuple[str, ...], ...]
    frames: np.ndarray
    values: np.ndarray


def read_csv_table(path: Path, levels: tuple[tuple[str, ...], ...]) -> NamedTable:
    """Read a table with commas between the cells.

    The first lines hold the names of the columns, a line a level, each begun by the level's own
    name; the first cell of the others is the frame number.

    Args:
        path: The file.
        levels: Names of levels to expect, one of these lists.

    Raises:
        FileFormatError: If it is no such table; names line and column.
    """
    lines = read_packed_text(path, encoding="utf-8-sig").rstrip().splitlines()
    n_levels = _count_levels(lines, path, levels)
    header = [_cells(line, path, number) for number, line in enumerate(lines[:n_levels], 1)]
    width = len(header[0])
    rows = lines[n_levels:]
    # All rows are counted before any is kept: no header can ask for more than the file holds.
    for number, line in enumerate(lines, 1):
        count = len(header[number - 1]) if number <= n_levels else line.count(",") + 1
        if count != width or width < 2:
            raise FileFormatError(
                f"{path}, line {number}: {count} cells, expected {max(width, 2)} as in line 1. "
                f"{AGAIN}"
            )
    columns = tuple(zip(*(cells[1:] for cells in header), strict=True))
    frames = np.empty(len(rows), dtype=np.int64)
    values = np.empty((len(rows), width - 1))
    for row, line in enumerate(rows):
        where = f"{path}, line {row + n_levels + 1}"
        frame, _, rest = line.partition(",")
        frames[row] = _frame_number(frame, where)
        if "_" in rest:  # Python reads 1_000 as a number, but nobody writes one so
            raise FileFormatError(f"{where}: '_' within the numbers. {AGAIN}")
        values[row] = _numbers(rest.split(","), columns, where)
    return NamedTable(columns=columns, frames=frames, values=values)


def whole_number(value: float, where: str) -> int:
    """A frame number.

    Raises:
        FileFormatError: If it is not whole, or below 0.
    """
    if not (0 <= value < 2**53 and value == int(value)):
        raise FileFormatError(f"{where}: frame number {value:g}; expected 0, 1, 2 ... {AGAIN}")
    return int(value)


def _count_levels(lines: list[str], path: Path, levels: tuple[tuple[str, ...], ...]) -> int:
    begins = tuple(line.partition(",")[0].strip() for line in lines[: max(map(len, levels))])
    for expected in levels:
        if begins[: len(expected)] == expected:
            return len(expected)
    wanted = " or ".join(", ".join(expected) for expected in levels)
    raise FileFormatError(
        f"{path}: the first lines begin with {', '.join(b[:30] for b in begins) or 'nothing'}; "
        f"expected {wanted}, with commas between the cells. {AGAIN}, or saved by a spreadsheet: "
        "write it again"
    )


def _cells(line: str, path: Path, number: int) -> list[str]:
    """Cells of a header line; names with commas in them stand in quotes."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except (csv.Error, StopIteration) as error:
        raise FileFormatError(f"{path}, line {number}: {error}. {AGAIN}") from error


def _frame_number(cell: str, where: str) -> int:
    if not cell.strip():
        raise FileFormatError(f"{where}: no frame number. {AGAIN}")
    try:
        value = float(cell)
    except ValueError:
        raise FileFormatError(f"{where}: {cell.strip()[:40]!r}: {PICTURES}") from None
    return whole_number(value, where)


def _numbers(cells: list[str], columns: tuple[tuple[str, ...], ...], where: str) -> list[float]:
    try:
        return [float(cell) if cell else np.nan for cell in cells]
    except ValueError:
        wrong = next(column for column, cell in enumerate(cells) if not _is_number(cell))
    raise FileFormatError(
        f"{where}, {' '.join(columns[wrong][1:])}: {cells[wrong].strip()[:40]!r} is no number. "
        f"{AGAIN}"
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True
