"""Frames of a text file that grows, or of standard input: a line a frame, as soon as it is there."""

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.blocks import blocks
from histvq.errors import FileFormatError
from histvq.io.parts.stored import stored_arrays
from histvq.io.tables.cells import MISSING, SEPARATORS, Dialect, as_number, find_separator, split

READ_BYTES = 256 * 1024
POLL_S = 0.05
STANDARD_INPUT = Path("-")
_UNIT = re.compile(r"\s*[\[(][^\])]*[\])]$")

Line = tuple[int, str]


def grown(path: Path, *, idle_s: float | None) -> Iterator[bytes]:
    """What stands in a file, then what comes to it.

    Args:
        path: The file, or `-` for standard input, which ends when its writer does.
        idle_s: End when nothing came for so many seconds; 0: at what stands there now; None: never.

    Raises:
        FileFormatError: If the file becomes shorter.
        OSError: If it cannot be read.
    """
    if path == STANDARD_INPUT:
        while data := sys.stdin.buffer.read1(READ_BYTES):  # type: ignore[union-attr]
            yield data
        return
    with path.open("rb") as file:
        latest = time.monotonic()
        while True:
            if data := file.read(READ_BYTES):
                yield data
                latest = time.monotonic()
            elif path.stat().st_size < file.tell():
                raise FileFormatError(f"{path} became shorter while it was followed; start again")
            elif idle_s is not None and time.monotonic() - latest >= idle_s:
                return
            else:
                time.sleep(POLL_S)


def lines_of(pieces: Iterable[bytes]) -> Iterator[list[Line]]:
    """For each piece, the lines it completes that are not blank, numbered from 1.

    The last line may lack its end; it waits for it until there are no more pieces.
    """
    rest, number = b"", 0
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield [
            (number + place, line.decode("utf-8-sig", errors="replace").strip("\r"))
            for place, line in enumerate(whole, start=1)
            if line.strip()
        ]
        number += len(whole)
    if rest.strip():
        yield [(number + 1, rest.decode("utf-8-sig", errors="replace"))]


@dataclass(frozen=True)
class LineLayout:
    """How the numbers of a frame stand in a line.

    Attributes:
        separator: Between cells; empty: blanks.
        n_cells: Of a line.
        places: Where the columns stand, in the order wanted.
        names: What the cells are called, as far as the first line says.
    """

    separator: str
    n_cells: int
    places: tuple[int, ...]
    names: tuple[str, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """How the cells are written."""
        return Dialect(separator=self.separator)

    def cells(self, line: str) -> list[str]:
        """The cells of a line."""
        return split(line, self.separator) if self.separator else line.split()


def layout_of(line: str, columns: Sequence[str], *, where: str) -> LineLayout:
    """How a first line says the others are laid out.

    Args:
        line: Names of columns, in any order, or the numbers of the first frame, in the order wanted.
        columns: The columns wanted, `<joint>_<channel>`.
        where: Of the line, for messages.

    Raises:
        FileFormatError: If columns lack.
    """
    separator = find_separator(line)
    separator = separator if separator in line else ""
    cells = LineLayout(separator, 0, ()).cells(line)
    if all(as_number(cell, Dialect(separator=separator)) is not None for cell in cells):
        if len(cells) != len(columns):
            raise FileFormatError(_miscounted(where, len(cells), separator, columns))
        return LineLayout(separator, len(cells), tuple(range(len(columns))))
    named = {_UNIT.sub("", cell).casefold(): place for place, cell in enumerate(cells)}
    places = [named.get(column.casefold()) for column in columns]
    if lacking := [name for name, at in zip(columns, places, strict=True) if at is None]:
        shown = ", ".join(lacking[:4]) + (f" and {len(lacking) - 4} more" * (len(lacking) > 4))
        raise FileFormatError(
            f"{where}: read as names of columns, but among {', '.join(cells[:6])}"
            f"{' ...' * (len(cells) > 6)} there is no {shown}. Name the columns <joint>_<channel>, or "
            f"send numbers alone, {_ordered(columns)}"
        )
    return LineLayout(
        separator, len(cells), tuple(p for p in places if p is not None), tuple(cells)
    )


def frames_of(
    lines: Iterable[list[Line]], columns: Sequence[str], *, name: str
) -> Iterator[np.ndarray]:
    """Frames, float32 (frame, column), a block for what each block of lines holds.

    Raises:
        FileFormatError: At the first line that is no frame, once those before it were given.
    """
    layout: LineLayout | None = None
    for block in lines:
        rows = []
        for number, line in block:
            where = f"{name}, line {number}"
            try:
                if layout is None:
                    layout = layout_of(line, columns, where=where)
                    if layout.names:
                        continue
                rows.append(_row(line, layout, columns, where=where))
            except FileFormatError:
                if rows:
                    yield np.array(rows, np.float32)
                raise
        if rows:
            yield np.array(rows, np.float32)


def array_blocks(path: Path) -> Iterator[np.ndarray]:
    """The frames of a `.npy` file, a block at a time, never all at once where the file is large.

    Raises:
        FileFormatError: If there is no such array.
    """
    with stored_arrays(path) as arrays:
        (stored,) = arrays
        if stored.dtype.kind not in "iuf" or len(stored.shape) not in (2, 3):
            raise FileFormatError(
                f"{path}: {stored.dtype} of shape {stored.shape}; expected real numbers, (frame, joint, "
                "channel) or (frame, joint * channel)"
            )
        yield from blocks(stored.read())


def _row(line: str, layout: LineLayout, columns: Sequence[str], *, where: str) -> list[float]:
    """The wanted numbers of a line."""
    cells = layout.cells(line)
    if len(cells) != layout.n_cells:
        names = layout.names or columns
        raise FileFormatError(_miscounted(where, len(cells), layout.separator, names))
    return [
        _number(cells[place], column, layout.dialect, where)
        for place, column in zip(layout.places, columns, strict=True)
    ]


def _number(cell: str, column: str, dialect: Dialect, where: str) -> float:
    number = float("nan") if cell in MISSING else as_number(cell, dialect)
    if number is None or abs(number) > _LARGEST:
        raise FileFormatError(
            f"{where}, {column}: {cell[:40]!r}, expected a finite number, or nothing or nan where "
            "nothing was measured"
        )
    return number


_LARGEST = float(np.finfo(np.float32).max)


def _miscounted(where: str, found: int, separator: str, columns: Sequence[str]) -> str:
    parted = SEPARATORS.get(separator, "blank")
    return f"{where}: {found} cells (parted by {parted}), expected {_ordered(columns)}"


def _ordered(columns: Sequence[str]) -> str:
    more = " ..." if len(columns) > 4 else ""
    return f"{len(columns)} in the order {', '.join(columns[:4])}{more}"
