"""Text tables of one's own: a row a frame, or a row a frame and joint."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.parts.asked import given_fps, given_unit
from histvq.io.parts.reader import Pair, Reader
from histvq.io.tables.cells import (
    MISSING,
    SEPARATORS,
    Cells,
    Dialect,
    Wanted,
    find_decimal,
    read_cells,
    split,
)
from histvq.io.tables.clock import SECONDS, Clock, check_fps, is_date, seconds_of_dates
from histvq.io.tables.columns import Plan, understand
from histvq.io.tables.frame_labels import annotation_of
from histvq.io.tables.header import Header, find_header, likely_headers, plan_of
from histvq.io.tables.lines import Line, numbered_lines
from histvq.io.tables.notes import TableNotes, find_notes, read_notes
from histvq.io.tables.pivot import Frames, long, wide
from histvq.io.tables.steady import steady
from histvq.recording import Recording

SUFFIXES = tuple(
    kind + packed for packed in ("", ".gz", ".xz") for kind in (".csv", ".tsv", ".txt")
)
_LATEST = 1e20  # in ns the year 5138
UNEVEN = ("error", "resample")


def read_table(
    path: str | Path,
    *,
    fps: float | None = None,
    unit: str | None = None,
    columns: str | Path | Mapping[str, Any] | None = None,
    joint: str | None = None,
    time_unit: str | None = None,
    uneven: str = "error",
    skip_rows: int | None = None,
) -> Pair:
    """Read a table of one's own.

    Wide tables have a row a frame and columns `<joint>_<channel>`; those of one sensor leave out
    the joint; long ones have a row a frame and joint, with columns `frame` (or `time`), `joint` and
    the channels. Separator and decimal comma are found; the history says how all was understood.

    Frames come at an even rate. Frame numbers left out become missing frames; a column of times
    gives the rate, see `rate_of`. Labels stand in a column `label`, `activity` or `action`; empty
    ones are -1.

    Args:
        path: `.csv`, `.tsv` or `.txt`, also packed as `.gz` or `.xz`.
        fps: Frames a second; needed where there is no column of times, else checked against it.
        unit: Of positions, or of whatever sensors measure, as `m/s2, rad/s`; needed where column
            names do not say it in brackets; `unknown` will do.
        columns: A YAML file that says what columns mean, or the same as a mapping; see
            `TableNotes`. Else `<name>.table.yaml` or `table.yaml` in the file's folder, if any.
            Options given here go before it.
        joint: Name of the only joint, where columns name none; `sensor` if not given.
        time_unit: What times count in (s, ms, us, ns), where their column's name does not say.
        uneven: What to do with times more than 1 % uneven: `error`, or `resample` to move the
            frames to even steps by linear interpolation.
        skip_rows: How many lines stand before the column names.

    Raises:
        FileFormatError: If the table is not as it should be; names line and column.
        NotSaidError: If rate, unit or unit of times is not said.
        ConfigError: If an option has no such value.

    Warns:
        DataWarning: If columns have no meaning here and are left out; if frames are missing.
    """
    path = Path(path)
    check_fps(fps)
    _check_options(uneven, time_unit, skip_rows)
    notes = _notes(path, columns)
    if skip_rows is not None:
        notes = notes.model_copy(update={"skip_rows": skip_rows})
    fps = notes.fps if fps is None else fps
    header = find_header(path, notes)
    plan = plan_of(path, header, notes, joint)
    unit = _unit(unit or notes.unit, plan, path)
    if plan.time is None:
        given_fps(fps, path, format="table")  # asked for before a large file is read
    cells, dialect = _cells(path, header, plan, notes)
    times = None if plan.time is None else _times(cells, plan.time, header, path)
    frames = (wide if plan.joint is None else long)(cells, plan, times, path=path)
    clock = None
    if plan.time is not None and frames.times is not None:
        clock = Clock(
            times=frames.times,
            unit="s" if plan.time in cells.texts else time_unit or plan.time_unit,
            column=header.names[plan.time],
            steps=frames.steps,
            lines=frames.lines,
            path=path,
        )
    even = steady(frames, clock, fps=fps, uneven=uneven, path=path)
    _warn_unused(plan, path)
    parents = _parents(notes, frames, path)
    try:
        recording = Recording(
            id=_stem(path),
            skeleton=even.skeleton,
            fps=even.fps,
            joint_names=frames.joints,
            channel_names=plan.channels,
            parents=parents,
            joint_persons=frames.persons,
            unit=unit,
            person=frames.person,
            source=str(path),
            history=(_said(header, dialect, plan, frames), *even.notes),
        )
    except FileFormatError as error:  # parents in a loop
        raise FileFormatError(f"{path}: {error}") from error
    missing = frozenset(map(str, notes.missing))
    return recording, annotation_of(recording, even.labels, missing=missing)


def _check_options(uneven: str, time_unit: str | None, skip_rows: int | None) -> None:
    for name, value, known in (("uneven", uneven, UNEVEN), ("time_unit", time_unit, SECONDS)):
        if value is not None and value not in known:
            raise ConfigError(f"{name}={value!r}{did_you_mean(str(value), known)}")
    if skip_rows is not None and (not isinstance(skip_rows, int) or skip_rows < 0):
        raise ConfigError(f"skip_rows={skip_rows!r}; give a number of lines, as skip_rows=4")


def _notes(path: Path, columns: str | Path | Mapping[str, Any] | None) -> TableNotes:
    if isinstance(columns, Mapping):
        return read_notes(columns)
    if not isinstance(columns, str | Path | None):
        raise ConfigError(f"columns={columns!r}; expected the path of a YAML file, or a mapping")
    beside = find_notes(path, _stem(path)) if columns is None else Path(columns)
    return TableNotes() if beside is None else read_notes(beside)


def _unit(unit: str | None, plan: Plan, path: Path) -> str:
    positions = {"x", "y", "z"} >= set(plan.channels)
    example = "mm" if positions else "m/s2, rad/s"
    return given_unit(unit or plan.unit, path, format="table", example=example)


def _cells(path: Path, header: Header, plan: Plan, notes: TableNotes) -> tuple[Cells, Dialect]:
    def rows() -> Iterator[Line]:
        return (
            (number, line)
            for number, line in numbered_lines(path)
            if number > header.line and number not in notes.skipped
        )

    first = next((split(line, header.separator) for _, line in rows()), [])
    dated = plan.time is not None and plan.time < len(first) and is_date(first[plan.time])
    texts = (plan.label, plan.joint, plan.person, plan.time if dated else None)
    numbers = (plan.frame, None if dated else plan.time)
    wanted = Wanted(
        motion=plan.motion,
        numbers=tuple(place for place in numbers if place is not None),
        texts=tuple(place for place in texts if place is not None),
    )
    decimal = notes.decimal or find_decimal(
        rows(), (*wanted.motion, *wanted.numbers), header.separator
    )
    missing = MISSING.union(map(str, notes.missing))
    dialect = Dialect(separator=header.separator, decimal=decimal, missing=missing)
    return read_cells(rows(), wanted, names=header.names, dialect=dialect, path=path), dialect


def _times(cells: Cells, place: int, header: Header, path: Path) -> np.ndarray:
    """The times of the rows: as they stand, dates as seconds since the first."""
    name = header.names[place]
    if place in cells.texts:
        return seconds_of_dates(cells.texts[place], path=path, column=name, lines=cells.lines)
    times = cells.numbers[place]
    if (wrong := np.flatnonzero(~(np.abs(times) < _LATEST))).size:
        raise FileFormatError(
            f"{path}, line {cells.lines[wrong[0]]}, column {name!r}: no time, or none there can be. "
            "Mend it, or list the column under `ignore:` in table.yaml and pass fps="
        )
    return times


def _said(header: Header, dialect: Dialect, plan: Plan, frames: Frames) -> str:
    """How the table was understood, in a line."""
    names = header.names
    shown = ", ".join(frames.joints[:6]) + (" ..." if len(frames.joints) > 6 else "")
    parts = [
        f"table, {'wide' if plan.joint is None else 'long'}",
        f"{SEPARATORS.get(dialect.separator, dialect.separator)} between cells",
        *(["decimal comma"] if dialect.decimal == "," else []),
        f"{len(frames.lines)} frames",
        f"{len(frames.joints)} joints ({shown})",
        f"channels {' '.join(plan.channels)}",
    ]
    if plan.label is not None:
        parts.append(f"labels from {names[plan.label]!r}")
    if plan.unused:
        parts.append(f"not used: {', '.join(plan.unused)}")
    return "; ".join(parts)


def _warn_unused(plan: Plan, path: Path) -> None:
    if plan.unused and not plan.chosen:
        shown = ", ".join(map(repr, plan.unused[:5]))
        more = f" and {len(plan.unused) - 5} more" if len(plan.unused) > 5 else ""
        warnings.warn(
            f"{path}: columns without a meaning here, left out: {shown}{more}. List them under "
            "`ignore:` in table.yaml if that is right",
            DataWarning,
            stacklevel=3,
        )


def _parents(notes: TableNotes, frames: Frames, path: Path) -> tuple[int, ...] | None:
    """Indices from the names the notes give; several persons hang together alike."""
    if not notes.parents:
        return None
    index = {name: place for place, name in enumerate(frames.joints)}
    bare = {name: name.partition("/")[2] if frames.persons else name for name in frames.joints}
    for child, parent in notes.parents.items():
        for name in (child, *([parent] if parent else [])):
            if name not in bare.values():
                raise FileFormatError(
                    f"{path}: no joint {name!r}, which `parents.{child}` of the YAML names"
                    f"{did_you_mean(name, set(bare.values()))}"
                )
    parents = []
    for name in frames.joints:
        parent = notes.parents.get(bare[name])
        person = name.removesuffix(bare[name])
        parents.append(-1 if parent is None else index.get(person + parent, -1))
    return tuple(parents)


def _stem(path: Path) -> str:
    name = path.name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def _recognises(path: Path) -> bool:
    """Whether some line at the start names columns of motion, by itself or by a YAML beside it."""
    if any(True for _ in likely_headers(path)):
        return True
    if (beside := find_notes(path, _stem(path))) is None:
        return False
    try:
        notes = read_notes(beside)
        header = find_header(path, notes)
        understand(header.names, notes, where=str(path))
    except FileFormatError:
        # A fault of the YAML is told when a table is read; prose beside it is none.
        return not path.name.lower().endswith(".txt")
    return True


READER = Reader(
    description="table of motion with column names",
    read=read_table,
    suffixes=SUFFIXES,
    recognises=_recognises,
)
