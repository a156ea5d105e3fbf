"""A table of recordings: what a person knows of each, to compare groups by."""

import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.spreadsheet import rows_of, text_of

if TYPE_CHECKING:
    import pandas as pd

RECORDING = "recording"
SHOWN = 5


def read_groups(path: str | Path, recordings: Sequence[str]) -> "pd.DataFrame":
    """Read a table with a column `recording` and others of one's own, as `treatment` or `age`.

    Cells are parted by comma, semicolon or tab; the file is UTF-8. All cells are taken as text; an empty
    one puts its recording into no group of that column.

    Args:
        path: The table.
        recordings: Ids of the recordings to compare.

    Returns:
        A row each for those of the recordings the table has, in their order, by their ids (the index
        `recording`); the table's other columns in its order.

    Raises:
        FileFormatError: If the file is no such table, names a recording twice or none of these.

    Warns:
        DataWarning: If some of these recordings are not in the table, or it has others, or a column
            has no name; each is left out.
    """
    import pandas as pd

    path = Path(path)
    header, rows = _rows(path)
    known = {id: id for id in recordings}
    known |= {id.strip(): id for id in recordings if id.strip() not in known}
    found = {known[name]: cells for name, cells in rows.items() if name in known}
    strangers = [name for name in rows if name not in known]
    if not found:
        raise FileFormatError(
            f"{path}: none of its recordings ({_few(strangers)}) is one of these ({_few(recordings)}); "
            "put the column recording right"
        )
    if strangers:
        _tell(f"{path}: not among these recordings, left out: {_few(strangers)}")
    if missing := [id for id in recordings if id not in found]:
        _tell(f"{path}: has no row for {_few(missing)}; they are in no group")
    ids = [id for id in recordings if id in found]
    index = pd.Index(ids, name=RECORDING, dtype=str)
    return pd.DataFrame([found[id] for id in ids], columns=header, index=index, dtype=str)


def _rows(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    """The names of the free columns, and their cells by recording."""
    text = text_of(path, hint="name a table with a column recording")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=lambda mark: _likely(first, mark))
    lines = rows_of(text, separator, path)
    header = [cell.strip() for cell in next(lines, (1, []))[1]]
    places = _places(header, path)
    own = header.index(RECORDING)
    rows: dict[str, list[str]] = {}
    at: dict[str, int] = {}
    faults: list[str] = []
    for line, cells in lines:
        name = cells[own].strip() if own < len(cells) else ""
        if any(cell.strip() for cell in cells[len(header) :]):
            faults.append(
                f"line {line}: {len(cells)} cells, the header has {len(header)}; put what holds "
                f"{separator!r} in quotes"
            )
        elif not name:
            faults.append(f"line {line}: recording is empty; say which it is")
        elif name in at:
            faults.append(
                f"line {line}: recording {name!r} stands on line {at[name]} too; keep one"
            )
        at.setdefault(name, line)
        rows[name] = [cells[place].strip() if place < len(cells) else "" for place in places]
    if faults:
        raise FileFormatError(f"{path}, " + "\n".join(faults[:10]))
    return [header[place] for place in places], rows


def _likely(line: str, mark: str) -> tuple[bool, int]:
    cells = [cell.strip(' "') for cell in line.split(mark)]
    return RECORDING in cells, len(cells)


def _places(header: Sequence[str], path: Path) -> list[int]:
    """Where the free columns are."""
    if RECORDING not in header:
        there = f"there are {', '.join(header)}" if header else "the file is empty"
        raise FileFormatError(f"{path}: no column recording; {there}")
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        raise FileFormatError(
            f"{path}: more than one column {', '.join(sorted(twice))}; rename the others"
        )
    if "" in header:  # the rows' names, as R's write.csv puts them
        _tell(f"{path}: a column without a name is left out")
    places = [place for place, name in enumerate(header) if name not in (RECORDING, "")]
    if not places:
        raise FileFormatError(
            f"{path}: no column beside recording; add one to compare by, as treatment"
        )
    return places


def _tell(words: str) -> None:
    warnings.warn(words, DataWarning, stacklevel=4)


def _few(names: Iterable[str] | Collection[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more
