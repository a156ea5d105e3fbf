"""Labels from a table of segments that a person corrected, in a spreadsheet or an editor."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.reader import head
from histvq.io.parts.spreadsheet import rows_of, text_of
from histvq.recording import Recording
from histvq.segments import LEVELS

UNITS = {"frame": ("start_frame", "stop_frame"), "s": ("start_s", "stop_s")}
SHOWN = 10
# Bounded, so that no number of a cell is too large for a float; no nan, inf or 1_000 either.
NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", flags=re.ASCII)


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]
    decimal: str


class _Span(NamedTuple):
    start: int
    stop: int
    name: str
    line: int


_Fault = tuple[int, str]


def read_labels(path: str | Path, recordings: Sequence[Recording]) -> list[Annotation | None]:
    """Read the labels of these recordings from a table of segments, as `segments.csv` of a run.

    Columns: `recording`; `start_frame` and `stop_frame` (half-open), or `start_s` and `stop_s`, or
    all four; `name`, or else `label`. Others do not count, save `level`: rows of level `action` are
    read, and where there is none those of level `subaction`. Where frames and seconds agree to
    within a frame, the frames hold; a row may leave either pair empty. Rows without a name label
    nothing. Cells are parted by comma, semicolon or tab; the latter two allow decimal commas.

    Units: seconds become frames with each recording's own frame rate.

    Args:
        path: The table, or the folder of a run that holds `segments.csv`.
        recordings: Those the labels are wanted for, at the frame rate the table was made with.

    Returns:
        In step with the recordings; None where no row gives a label. Frames no row covers are -1.
        All share `actions`: the names as they first occur, by order of recordings, then start.

    Raises:
        FileFormatError: If the file is no such table, rows are wrong (all are named by line), none
            of its recordings is among these, or it labels no frame.

    Warns:
        DataWarning: If some of its recordings are not among these; their rows are left out.
    """
    path = Path(path)
    path = path / "segments.csv" if path.is_dir() else path
    rows, faults = _rows(path)
    spans, more = _spans(_matched(rows, recordings, path))
    if faults := faults + more:
        raise FileFormatError(_listed(faults, path))
    in_step = [spans.get(recording.id, []) for recording in recordings]
    actions = tuple(dict.fromkeys(span.name for found in in_step for span in found))
    if not actions:
        raise FileFormatError(f"{path}: no row labels a frame; give the segments names")
    return [
        _annotation(recording, found, actions)
        for recording, found in zip(recordings, in_step, strict=True)
    ]


def is_segment_table(path: Path) -> bool:
    """Whether a file's first line has the columns of such a table; a run's folder has one in it."""
    if path.is_dir():
        return (path / "segments.csv").is_file()
    first = head(path, 10_000).decode("utf-8-sig", errors="replace").partition("\n")[0]
    cells = {cell.strip(' "\r') for cell in first.split(_separator(first))}
    return "recording" in cells and any(set(pair) <= cells for pair in UNITS.values())


def _rows(path: Path) -> tuple[list[_Row], list[_Fault]]:
    """The rows with the cells that count, by name, and what is wrong with others."""
    text = text_of(path, hint="name a table of segments, or the folder of a run")
    separator = _separator(next((line for line in text.splitlines() if line.strip()), ""))
    records = rows_of(text, separator, path)
    header = [cell.strip() for cell in next(records, (1, []))[1]]
    places = _places(header, path)
    rows: list[_Row] = []
    faults: list[_Fault] = []
    for line, cells in records:
        row = {name: cells[k] if k < len(cells) else "" for name, k in places.items()}
        row = {name: cell if name == "recording" else cell.strip() for name, cell in row.items()}
        row.setdefault("level", LEVELS[0])
        if any(cell.strip() for cell in cells[len(header) :]):
            hint = f"put what holds {separator!r} in quotes, and write decimals with a point"
            faults.append((line, f"{len(cells)} cells, the header has {len(header)}; {hint}"))
        elif fault := _fault(row):
            faults.append((line, fault))
        else:
            rows.append(_Row(line, row, "." if separator == "," else ","))
    # Who names the finer level deletes the rows of the coarser.
    level = min((row.cells["level"] for row in rows), key=LEVELS.index, default="")
    return [row for row in rows if row.cells["level"] == level], faults


def _separator(header: str) -> str:
    """What parts the header line into the most columns of a table of segments."""
    known = {"recording", "name", "label", "level", *UNITS["frame"], *UNITS["s"]}
    return max(",;\t", key=lambda mark: len(known & {c.strip(' "') for c in header.split(mark)}))


def _fault(row: dict[str, str]) -> str:
    """Why nobody can tell what a row is about; empty where one can."""
    if row["level"] not in LEVELS:
        return f"level is {row['level'] or 'empty'}; expected {' or '.join(LEVELS)}"
    return "" if row["recording"].strip() else "recording is empty; say which it is"


def _places(header: list[str], path: Path) -> dict[str, int]:
    """Where the columns that count are."""
    given = [column for pair in UNITS.values() if {*pair} <= {*header} for column in pair]
    name = "name" if "name" in header else "label"
    missing = ["recording"] * ("recording" not in header)
    missing += [] if given else ["start_frame and stop_frame (or start_s and stop_s)"]
    missing += ["name (or label)"] * (name not in header)
    if missing:
        there = f"there are {', '.join(header)}" if header else "the file is empty"
        raise FileFormatError(f"{path}: no column {', '.join(missing)}; {there}")
    wanted = {"recording": "recording", "name": name, **{column: column for column in given}}
    wanted |= {"level": "level"} if "level" in header else {}
    if twice := [column for column in wanted.values() if header.count(column) > 1]:
        raise FileFormatError(f"{path}: more than one column {', '.join(twice)}; delete the others")
    return {key: header.index(column) for key, column in wanted.items()}


def _matched(
    rows: list[_Row], recordings: Sequence[Recording], path: Path
) -> list[tuple[_Row, Recording]]:
    """Rows with the recordings they are about."""
    by_id = {recording.id: recording for recording in recordings}
    names = dict.fromkeys(row.cells["recording"] for row in rows)
    found = {name: by_id.get(name, by_id.get(name.strip())) for name in names}
    unknown = [name for name, recording in found.items() if recording is None]
    if unknown and len(unknown) == len(names):
        raise FileFormatError(
            f"{path}: none of its recordings ({_few(unknown)}) is among the files' "
            f"({_few(by_id)}); put the column recording right, or name the files it is about"
        )
    if unknown:
        warnings.warn(
            f"{path}: no file for recordings {_few(unknown)}; their rows are left out",
            DataWarning,
            stacklevel=3,
        )
    matches = ((row, found[row.cells["recording"]]) for row in rows)
    return [(row, recording) for row, recording in matches if recording is not None]


def _spans(
    matched: Iterable[tuple[_Row, Recording]],
) -> tuple[dict[str, list[_Span]], list[_Fault]]:
    """By recording, its rows with a name in order of start; and what is wrong with rows."""
    spans: dict[str, list[_Span]] = {}
    faults: list[_Fault] = []
    for row, recording in matched:
        try:
            start, stop = _bounds(row, recording)
        except FileFormatError as error:
            faults.append((row.line, f"recording {recording.id!r}: {error}"))
        else:
            if name := row.cells["name"]:
                spans.setdefault(recording.id, []).append(_Span(start, stop, name, row.line))
    for id, found in spans.items():
        found.sort()
        faults += [(line, f"recording {id!r}: {text}") for line, text in _clashes(found)]
    return spans, faults


def _bounds(row: _Row, recording: Recording) -> tuple[int, int]:
    """Start and stop in frames."""
    units = [unit for unit, pair in UNITS.items() if any(row.cells.get(name) for name in pair)]
    if not units:
        raise FileFormatError("start and stop are empty; fill them, or delete the row")
    found = {u: [_frame(row, name, recording.fps) for name in UNITS[u]] for u in units}
    start, stop = found[units[0]]
    said = ", ".join(f"{name} {row.cells[name]}" for unit in units for name in UNITS[unit])
    if len(units) == 2:
        gaps = [abs(frame - other) for frame, other in zip(*found.values(), strict=True)]
        if max(gaps) > 1:
            at_s = " to ".join(map(str, found["s"]))
            raise FileFormatError(
                f"{said}: these seconds are frames {at_s} at {recording.fps:g} frames a second; "
                "change both, or delete the two columns you do not keep up to date"
            )
    n_frames = recording.n_frames
    # Seconds rounded in a spreadsheet may end one frame late.
    if not 0 <= start < min(stop, n_frames) or stop > n_frames + 1:
        raise FileFormatError(
            f"{said}: frames {start} to {stop}, but the recording has {n_frames} "
            f"({recording.duration_s:g} s); start must be 0 or more, stop after it and not beyond "
            "the end"
        )
    return start, min(stop, n_frames)


def _frame(row: _Row, column: str, fps: float) -> int:
    """A cell's number in frames."""
    cell = row.cells[column]
    number = cell.replace(row.decimal, ".")
    if not NUMBER.fullmatch(number):
        raise FileFormatError(
            f"{column} is {f'{cell!r}, not a number' if cell else 'empty; fill it'}"
        )
    if column in UNITS["s"]:
        return round(float(number) * fps)
    if not float(number).is_integer():
        raise FileFormatError(f"{column} is {cell}; frames are whole numbers")
    return int(float(number))


def _clashes(spans: Iterable[_Span]) -> Iterator[_Fault]:
    """Of spans in order, those that share frames with an earlier one of another name."""
    last: dict[str, _Span] = {}  # by name, the span that reaches farthest
    for span in spans:
        for name, other in last.items():
            if name != span.name and other.stop > span.start:
                shared = f"{span.start} to {min(span.stop, other.stop)} (stop excluded)"
                text = (
                    f"{span.name!r} and {name!r} of line {other.line} share frames {shared}; let "
                    "one stop where the other starts"
                )
                yield span.line, text
        last[span.name] = max(last.get(span.name, span), span, key=lambda s: s.stop)


def _annotation(
    recording: Recording, spans: list[_Span], actions: tuple[str, ...]
) -> Annotation | None:
    if not spans:
        return None
    labels = np.full(recording.n_frames, -1, dtype=np.int32)
    for span in spans:
        labels[span.start : span.stop] = actions.index(span.name)
    return Annotation(recording_id=recording.id, labels=labels, actions=actions, fps=recording.fps)


def _listed(faults: list[_Fault], path: Path) -> str:
    """All faults in one message, by line, at most ten of them."""
    texts = [f"line {line}: {text}" for line, text in sorted(faults)]
    if len(texts) == 1:
        return f"{path}, {texts[0]}"
    more = [f"... and {len(texts) - SHOWN} more"] * (len(texts) > SHOWN)
    return "\n".join([f"{path}: {len(texts)} faults:", *texts[:SHOWN], *more])


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
