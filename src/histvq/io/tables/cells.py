"""Cells of a text table: what parts them, and what numbers they hold."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from histvq.errors import FileFormatError
from histvq.io.parts.packed import AGAIN
from histvq.io.tables.lines import Line

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
MISSING = frozenset(
    ["", "nan", "NaN", "NAN", "-nan", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None"]
)

_CELLS_AT_A_TIME = 600_000  # a few megabytes of text, whatever the size of the file
_FEWEST_ROWS = 200  # pandas takes its time for each column of a block, however short
_LARGEST = float(np.finfo(np.float32).max)  # what is larger would become infinite
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", flags=re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", flags=re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How cells are written.

    Attributes:
        separator: Between cells.
        decimal: Between a number's whole part and its fraction.
        missing: What stands where nothing was measured.
    """

    separator: str
    decimal: str = "."
    missing: frozenset[str] = MISSING

    @cached_property
    def codes(self) -> frozenset[float]:
        """Numbers that stand for missing ones, as -999, however they are written."""
        return frozenset(float(word) for word in self.missing if _NUMBER.fullmatch(word))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which columns to read, by place: motion as float32, numbers as float64, and text."""

    motion: tuple[int, ...]
    numbers: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The wanted columns, row by row, and the line of each row.

    Attributes:
        lines: Integer (row,), the first line of the file being 1.
        motion: float32 (row, column), columns in the order wanted.
        numbers: float64 (row,) by place of the column.
        texts: Strings (row,) by place of the column.
    """

    lines: np.ndarray
    motion: np.ndarray
    numbers: dict[int, np.ndarray]
    texts: dict[int, np.ndarray]


def split(line: str, separator: str) -> list[str]:
    """The cells of a line, without quotes and outer spaces; empty where quotes are in disorder."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]


def find_separator(header: str) -> str:
    """That of comma, semicolon and tab which parts the header into most cells."""
    return max(SEPARATORS, key=lambda separator: len(split(header, separator)))


def find_decimal(lines: Iterable[Line], places: Sequence[int], separator: str) -> str:
    """A comma if the first number with a fraction has one, else a point."""
    for _, line in lines:
        if separator == "," and '"' not in line:
            return "."
        if "," not in line and "." not in line:
            continue
        cells = split(line, separator)
        for cell in (cells[place] for place in places if place < len(cells)):
            if "." in cell:
                return "."
            if "," in cell and _NUMBER.fullmatch(cell.replace(",", ".", 1)):
                return ","
    return "."


def read_cells(
    lines: Iterable[Line],
    wanted: Wanted,
    *,
    names: Sequence[str],
    dialect: Dialect,
    path: Path,
) -> Cells:
    """Read the wanted columns of these lines.

    Raises:
        FileFormatError: At the first row with more or fewer cells than there are names, and at the
            first cell that should be a number and is none, or not finite.
    """
    blocks = [
        _parsed(rows, wanted, names=names, dialect=dialect, path=path)
        for rows in _row_blocks(lines, names, dialect.separator, path)
    ]
    if not blocks:
        raise FileFormatError(f"{path}: no row below the column names. {AGAIN}")
    return Cells(
        lines=np.concatenate([block.lines for block in blocks]),
        motion=np.concatenate([block.motion for block in blocks]),
        numbers={
            place: np.concatenate([block.numbers[place] for block in blocks])
            for place in wanted.numbers
        },
        texts={
            place: np.concatenate([block.texts[place] for block in blocks])
            for place in wanted.texts
        },
    )


def _row_blocks(
    lines: Iterable[Line], names: Sequence[str], separator: str, path: Path
) -> Iterator[list[Line]]:
    """Blocks of lines, each line with as many cells as there are names."""
    block: list[Line] = []
    n_rows = max(_FEWEST_ROWS, _CELLS_AT_A_TIME // len(names))
    for number, line in lines:
        n_cells = line.count(separator) + 1 if '"' not in line else len(split(line, separator))
        if n_cells != len(names):
            found = f"{n_cells} cells" if n_cells else "quotes that do not close"
            raise FileFormatError(
                f"{path}, line {number}: {found}, expected {len(names)} as in the line of column "
                f"names (separator {SEPARATORS.get(separator, separator)}). {AGAIN}"
            )
        block.append((number, line))
        if len(block) == n_rows:
            yield block
            block = []
    if block:
        yield block


def _parsed(
    rows: list[Line], wanted: Wanted, *, names: Sequence[str], dialect: Dialect, path: Path
) -> Cells:
    """One block as pandas reads it; cell by cell where that fails, which finds the fault."""
    table = _fast(rows, wanted, n_columns=len(names), dialect=dialect)
    if table is None:
        table = _cell_by_cell(rows, wanted, names=names, dialect=dialect, path=path)
    texts = {place: table[place] for place in wanted.texts}
    for place in {*wanted.motion, *wanted.numbers}.intersection(texts):
        cells = [split(line, dialect.separator)[place] for _, line in rows]
        texts[place] = np.array(cells, dtype=object)
    motion = np.empty((len(rows), len(wanted.motion)), np.float32)
    for at, place in enumerate(wanted.motion):
        motion[:, at] = table[place]
    return Cells(
        lines=np.array([number for number, _ in rows]),
        motion=motion,
        numbers={place: table[place] for place in wanted.numbers},
        texts=texts,
    )


def _fast(
    rows: list[Line], wanted: Wanted, *, n_columns: int, dialect: Dialect
) -> dict[int, np.ndarray] | None:
    """Columns by place, or None where a cell is no number or too large for one."""
    numeric = sorted({*wanted.motion, *wanted.numbers})
    if not set(numeric).isdisjoint(wanted.texts):  # one column told to be both
        return None
    numeric_names = [str(place) for place in numeric]
    text_names = [str(place) for place in wanted.texts]
    words = [word for word in dialect.missing if not _NUMBER.fullmatch(word)]
    try:
        frame = pd.read_csv(
            io.StringIO("\n".join(line for _, line in rows)),
            sep=dialect.separator,
            decimal=dialect.decimal,
            header=None,
            names=[str(place) for place in range(n_columns)],
            usecols=[*numeric_names, *text_names],
            dtype=dict.fromkeys(numeric_names, "float64") | dict.fromkeys(text_names, "object"),
            na_values=dict.fromkeys(numeric_names, words),
            keep_default_na=False,
            skipinitialspace=True,
            index_col=False,
        )
    except (ValueError, OverflowError):
        return None
    columns = {place: frame[str(place)].to_numpy() for place in (*numeric, *wanted.texts)}
    for place in numeric if dialect.codes else ():
        columns[place] = np.where(
            np.isin(columns[place], list(dialect.codes)), np.nan, columns[place]
        )
    if len(frame) != len(rows) or any(np.isinf(columns[place]).any() for place in numeric):
        return None
    if any((np.abs(columns[place]) >= _LARGEST).any() for place in wanted.motion):
        return None
    return None if _truths({place: columns[place] for place in numeric}, rows, dialect) else columns


def _truths(columns: dict[int, np.ndarray], rows: list[Line], dialect: Dialect) -> bool:
    """Whether pandas made 1 and 0 of a column with nothing but `True` and `False` in it."""
    firsts = {place: int(np.isnan(column).argmin()) for place, column in columns.items()}
    cells = {row: split(rows[row][1], dialect.separator) for row in set(firsts.values())}
    return any(as_number(cells[row][place], dialect) is None for place, row in firsts.items())


def _cell_by_cell(
    rows: list[Line], wanted: Wanted, *, names: Sequence[str], dialect: Dialect, path: Path
) -> dict[int, np.ndarray]:
    cells = [split(line, dialect.separator) for _, line in rows]
    table: dict[int, np.ndarray] = {
        place: np.array([row[place] for row in cells], dtype=object) for place in wanted.texts
    }
    places = {*wanted.motion, *wanted.numbers}
    columns: dict[int, list[float]] = {place: [] for place in sorted(places)}
    for (number, _), row in zip(rows, cells, strict=True):
        for place, column in columns.items():
            value = as_number(row[place], dialect)
            limit = _LARGEST if place in wanted.motion else float("inf")
            if value is None or abs(value) >= limit:
                where = f"{path}, line {number}, column {names[place]!r}"
                raise FileFormatError(
                    f"{where}: {_fault(row[place], dialect)}{_units_hint(number, row, dialect)}"
                )
            column.append(value)
    return table | {place: np.array(column, np.float64) for place, column in columns.items()}


def as_number(cell: str, dialect: Dialect) -> float | None:
    """The number a cell holds, NaN where it stands for a missing one, None where it is text."""
    if cell in dialect.missing:
        return float("nan")
    if dialect.decimal != ".":
        cell = cell.replace(".", "?").replace(dialect.decimal, ".", 1)
    if not (_NUMBER.fullmatch(cell) or _INFINITE.fullmatch(cell)):
        return None
    number = float(cell)
    return float("nan") if number in dialect.codes else number


def _fault(cell: str, dialect: Dialect) -> str:
    """What is wrong with a cell that is no finite number."""
    if as_number(cell, dialect) is not None:
        return (
            f"{cell[:40]!r} is infinite, or too large for a measurement. Mend it, or let it stand "
            f"for missing: `missing: [{cell[:40]!r}]` in table.yaml"
        )
    other = "," if dialect.decimal == "." else "."
    if as_number(cell, replace(dialect, decimal=other)) is not None:
        return (
            f"{cell!r}, but numbers of this file have {dialect.decimal!r} before the fraction. "
            "Write all alike; `decimal:` in table.yaml says which"
        )
    return (
        f"{cell[:40]!r}, expected a number. Mend it; if it stands for a missing one, say "
        f"`missing: [{cell[:40]!r}]` in table.yaml"
    )


def _units_hint(number: int, row: list[str], dialect: Dialect) -> str:
    """What to do with a line of words, most likely units below the column names."""
    if any(as_number(cell, dialect) is not None for cell in row if cell):
        return ""
    return (
        f". No cell of this line is a number: `skip_rows: [{number}]` in table.yaml passes it over"
    )
