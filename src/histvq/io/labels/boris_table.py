"""Labels from BORIS's tables of aggregated events, as CSV or TSV."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from histvq.annotation import Annotation
from histvq.errors import FileFormatError
from histvq.io.labels.boris import EXAMPLE, level_of
from histvq.io.labels.marks import Mark, Owner, annotations, owned
from histvq.io.parts.boris_project import stem_of
from histvq.io.parts.reader import head
from histvq.recording import Recording

COLUMNS = ("Observation id", "Behavior", "Behavior type", "Start (s)", "Stop (s)")
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d*)?", flags=re.ASCII)
_PLAYER = re.compile(r"^player #?\d+\s*:\s*")


def read_boris_tables(
    paths: str | Path | Iterable[str | Path], recordings: Sequence[Recording]
) -> list[Annotation | None]:
    """Read the labels of these recordings from BORIS's tables of aggregated events, as CSV or TSV.

    As `read_boris` in all else. Wrong rows are told by the line they begin at.
    """
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    rows: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for file in given:
        for line, row in _rows(file):
            rows.setdefault(row["Observation id"], []).append((f"{file}, line {line}", row))
    owners = [
        Owner(where=f"{_named(given)}, observation {id!r}", names=(id, *_source_names(said[0][1])))
        for id, said in rows.items()
    ]
    marks: dict[str, dict[str, list[Mark]]] = {"action": {}, "subaction": {}}
    faults: list[str] = []
    found = owned(owners, recordings, example=EXAMPLE)
    for said, recording in zip(rows.values(), found, strict=True):
        if recording is None:
            continue
        for where, row in said:
            if fault := _row_fault(row):
                faults.append(f"{where}: {fault}")
                continue
            start, stop = (float(row[name]) - _offset(row) for name in ("Start (s)", "Stop (s)"))
            level = level_of(row.get("Behavioral category", ""))
            mark = Mark(start, stop, row["Behavior"], where)
            marks[level].setdefault(recording.id, []).append(mark)
    chosen = marks["action"] or marks["subaction"]
    return annotations(chosen, recordings, source=_named(given), faults=faults)


def is_boris_table(path: Path) -> bool:
    """Whether a file's first line has the columns of such a table."""
    first = head(path, 10_000).decode("utf-8-sig", errors="replace").partition("\n")[0]
    return {*COLUMNS} <= {cell.strip(' "\r') for cell in first.split(_separator(first))}


def _source_names(row: Mapping[str, str]) -> tuple[str, ...]:
    """What the first video of a row is called."""
    named = row.get("Media file name") or row.get("Media file") or row.get("Source") or ""
    return stem_of(_PLAYER.sub("", named.split(";")[0]))


def _separator(header: str) -> str:
    return max("\t,;", key=header.count)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table, each with the line it begins at."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not UTF-8; export it from BORIS again as TSV") from error
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=_separator(lines[0] if lines else ""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            raise FileFormatError(
                f"{path}: no column {', '.join(missing)}; expected BORIS's table of aggregated events"
            )
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(header) - len(cells))]
                yield line, {name: c.strip() for name, c in zip(header, padded, strict=False)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileFormatError(f"{path}, line {reader.line_num}: {error}") from error


def _row_fault(row: Mapping[str, str]) -> str:
    """Why a row cannot be read; empty where it can."""
    if not row["Behavior type"].upper().startswith("STATE"):
        return (
            f"{row['Behavior']!r} is of type {row['Behavior type'] or 'none'}, and labels need start and "
            "end; take out rows that are not STATE"
        )
    for name in ("Start (s)", "Stop (s)"):
        if not _NUMBER.fullmatch(row[name]):
            return f"{name} is {row[name]!r}, not a number of seconds"
    return ""


def _offset(row: Mapping[str, str]) -> float:
    said = row.get("Time offset (s)", "")
    return float(said) if _NUMBER.fullmatch(said) else 0.0


def _named(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{len(paths)} files"
