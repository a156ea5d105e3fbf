"""Text tables of one's own: a row a frame, or a row a frame and joint."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError, did_you_mean
from histvq.io.asked import given_fps, given_unit
from histvq.io.cells import (
    MISSING,
    SEPARATORS,
    Cells,
    Dialect,
    Wanted,
    find_decimal,
    find_separator,
    read_cells,
    split,
)
from histvq.io.clock import (
    LONGEST_FILLED_S,
    SECONDS,
    Clock,
    Rate,
    check_fps,
    is_date,
    rate_of,
    seconds_of_dates,
    to_even_grid,
)
from histvq.io.columns import Plan, plausible, understand
from histvq.io.lines import Line, first_lines, numbered_lines
from histvq.io.notes import TableNotes, find_notes, read_notes
from histvq.io.packed import AGAIN
from histvq.io.pivot import MOST_PLACES_A_ROW, Frames, long, wide, with_left_out
from histvq.io.reader import Pair, Reader
from histvq.recording import Recording

SUFFIXES = tuple(
    kind + packed for packed in ("", ".gz", ".xz") for kind in (".csv", ".tsv", ".txt")
)
UNEVEN = ("error", "resample")


@dataclass(frozen=True, kw_only=True)
class _Header:
    """The line of column names."""

    line: int
    names: tuple[str, ...]
    separator: str


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
    header = _header(path, notes)
    plan = _plan(path, header, notes, joint)
    cells, dialect = _cells(path, header, plan, notes)
    times = _times(cells, plan, header, path)
    frames = (wide if plan.joint is None else long)(cells, plan, times, path=path)
    understood = _said(header, dialect, plan, frames)
    unit = given_unit(
        unit or notes.unit or plan.unit,
        path,
        format="table",
        example="mm" if set(plan.channels) <= {"x", "y", "z"} else "m/s2, rad/s",
    )
    clock = _clock(frames, plan, header, time_unit, path)
    frames, rate, notes_of_rate = _evened(
        frames, clock, notes.fps if fps is None else fps, uneven, path
    )
    _warn_unused(plan, path)
    recording = Recording(
        id=_stem(path),
        skeleton=frames.skeleton,
        fps=rate,
        joint_names=frames.joints,
        channel_names=plan.channels,
        parents=_parents(notes, frames, path),
        joint_persons=frames.persons,
        unit=unit,
        person=frames.person,
        source=str(path),
        history=(understood, *frames.notes, *notes_of_rate),
    )
    return recording, _annotation(recording, frames.labels, notes)


def _check_options(uneven: str, time_unit: str | None, skip_rows: int | None) -> None:
    for name, value, known in (("uneven", uneven, UNEVEN), ("time_unit", time_unit, SECONDS)):
        if value is not None and value not in known:
            raise ConfigError(f"{name}={value!r}{did_you_mean(str(value), known)}")
    if skip_rows is not None and (not isinstance(skip_rows, int) or skip_rows < 0):
        raise ConfigError(f"skip_rows={skip_rows!r}; give a number of lines, as skip_rows=4")


def _notes(path: Path, columns: str | Path | Mapping[str, Any] | None) -> TableNotes:
    if isinstance(columns, Mapping):
        return read_notes(columns)
    beside = find_notes(path) if columns is None else Path(columns)
    return TableNotes() if beside is None else read_notes(beside)


def _header(path: Path, notes: TableNotes) -> _Header:
    """The first line not to pass over; a line `sep=;`, as Excel has it, says the separator."""
    separator = notes.separator_itself
    for number, line in numbered_lines(path):
        if number in notes.skipped:
            continue
        if line.lower().startswith("sep=") and len(line.rstrip(",;")) <= 5:
            separator = separator or line[4:5]
            continue
        separator = separator or find_separator(line)
        if not (names := split(line, separator)):
            raise FileFormatError(f"{path}, line {number}: quotes that do not close. {AGAIN}")
        return _Header(line=number, names=tuple(names), separator=separator)
    raise FileFormatError(f"{path}: no line of column names in it. {AGAIN}")


def _plan(path: Path, header: _Header, notes: TableNotes, joint: str | None) -> Plan:
    """What the columns mean; where nothing is recognised, a later line may be the names."""
    try:
        plan = understand(header.names, notes, where=f"{path}, line {header.line}")
    except FileFormatError as error:
        later = [number for number, names in _later_headers(path) if number > header.line]
        if plausible(header.names) or not later:
            raise
        raise FileFormatError(
            f"{error}. Line {later[0]} looks like column names: pass skip_rows={later[0] - 1}, or "
            f"say `skip_rows: {later[0] - 1}` in table.yaml"
        ) from error
    if plan.joints == ("",):
        return replace(plan, joints=(joint or notes.joint or "sensor",))
    if joint is not None:
        raise ConfigError(
            f"{path}: joint={joint!r}, but its columns name their joints. Leave the option out"
        )
    return plan


def _later_headers(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines at the start of a file that may be column names, and their numbers."""
    for number, line in first_lines(path):
        if plausible(names := split(line, find_separator(line))):
            yield number, names


def _cells(path: Path, header: _Header, plan: Plan, notes: TableNotes) -> tuple[Cells, Dialect]:
    def rows() -> Iterator[Line]:
        return (
            (number, line)
            for number, line in numbered_lines(path)
            if number > header.line and number not in notes.skipped
        )

    first = [split(line, header.separator) for _, line in islice(rows(), 1)]
    dated = (
        plan.time is not None and len(first) == 1 and is_date((*first[0], *header.names)[plan.time])
    )
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
    missing = dict.fromkeys((*MISSING, *map(str, notes.missing)))
    dialect = Dialect(separator=header.separator, decimal=decimal, missing=tuple(missing))
    return read_cells(rows(), wanted, names=header.names, dialect=dialect, path=path), dialect


def _times(cells: Cells, plan: Plan, header: _Header, path: Path) -> np.ndarray | None:
    """The times of the rows: as they stand, dates as seconds since the first."""
    if plan.time is None:
        return None
    name = header.names[plan.time]
    if plan.time in cells.texts:
        return seconds_of_dates(cells.texts[plan.time], path=path, column=name, lines=cells.lines)
    times = cells.numbers[plan.time]
    if (gaps := np.flatnonzero(np.isnan(times))).size:
        raise FileFormatError(
            f"{path}, line {cells.lines[gaps[0]]}, column {name!r}: no time. Mend it, or list the "
            "column under `ignore:` in table.yaml and pass fps="
        )
    return times


def _clock(
    frames: Frames, plan: Plan, header: _Header, time_unit: str | None, path: Path
) -> Clock | None:
    if plan.time is None or frames.times is None:
        return None
    return Clock(
        times=frames.times,
        unit=time_unit or plan.time_unit,
        column=header.names[plan.time],
        steps=frames.steps,
        lines=frames.lines,
        path=path,
    )


def _evened(
    frames: Frames, clock: Clock | None, fps: float | None, uneven: str, path: Path
) -> tuple[Frames, float, tuple[str, ...]]:
    """Frames at an even rate, the rate, and what was done to get there."""
    if clock is None:
        rate = given_fps(fps, path, format="table")
        note = f"fps {rate:g} as given"
    else:
        found = rate_of(clock, fps=fps, uneven=uneven)
        rate, note = found.fps, found.note
        if not found.even:
            return _resampled(frames, found, path)
    frames, left_out = with_left_out(frames, path=path)
    if not left_out:
        return frames, rate, (note,)
    filled = f"{left_out} frames whose numbers are left out are missing"
    warnings.warn(f"{path}: {filled}", DataWarning, stacklevel=4)
    return frames, rate, (note, filled)


def _resampled(frames: Frames, rate: Rate, path: Path) -> tuple[Frames, float, tuple[str, ...]]:
    n_frames = rate.seconds[-1] * rate.fps
    if n_frames > MOST_PLACES_A_ROW * len(rate.seconds) + 1000:
        raise FileFormatError(
            f"{path}: {len(rate.seconds)} frames over {rate.seconds[-1]:.6g} s make {n_frames:.3g} at "
            f"{rate.fps:g} a second: the times leap. Mend them"
        )
    skeleton, nearest = to_even_grid(frames.skeleton, rate.seconds, rate.fps)
    labels = None
    if frames.labels is not None:
        labels = np.where(nearest < 0, "", frames.labels[nearest])
    paused = int((nearest < 0).sum())
    note = (
        f"moved to even steps by linear interpolation: {len(nearest)} frames of {len(frames.lines)}"
    )
    if paused:
        filled = f"{paused} frames in pauses longer than {LONGEST_FILLED_S:g} s are missing"
        warnings.warn(f"{path}: {filled}", DataWarning, stacklevel=5)
        note = f"{note}; {filled}"
    return replace(frames, skeleton=skeleton, labels=labels), rate.fps, (rate.note, note)


def _said(header: _Header, dialect: Dialect, plan: Plan, frames: Frames) -> str:
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
                    f"{path}: no joint {name!r}, which parents.{child} of the notes names"
                    f"{did_you_mean(name, set(bare.values()))}"
                )
    parents = []
    for name in frames.joints:
        parent = notes.parents.get(bare[name])
        person = name.removesuffix(bare[name])
        parents.append(-1 if parent is None else index.get(person + parent, -1))
    return tuple(parents)


def _annotation(
    recording: Recording, labels: np.ndarray | None, notes: TableNotes
) -> Annotation | None:
    """Labels as numbers; actions in order of name, numbers in order of size."""
    if labels is None:
        return None
    codes, raw = pd.factorize(labels)
    none = {"", "nan", "NaN", *map(str, notes.missing)}
    bare = [str(name).strip() for name in raw]
    actions = sorted({name for name in bare if name not in none}, key=_in_order)
    index = {name: place for place, name in enumerate(actions)} | dict.fromkeys(none, -1)
    if not actions:
        return None
    return Annotation(
        recording_id=recording.id,
        labels=np.array([index[name] for name in bare], np.int32)[codes],
        actions=tuple(actions),
        fps=recording.fps,
    )


def _in_order(name: str) -> tuple[bool, int, str]:
    whole = name.isascii() and name.isdecimal()
    return (not whole, int(name) if whole else 0, name)


def _stem(path: Path) -> str:
    name = path.name
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def _recognises(path: Path) -> bool:
    """Whether some line at the start names columns of motion, by itself or by a YAML beside it."""
    if any(True for _ in _later_headers(path)):
        return True
    if (beside := find_notes(path)) is None:
        return False
    try:
        notes = read_notes(beside)
        header = _header(path, notes)
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
