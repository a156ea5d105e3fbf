"""Takes out of text files: the head stays, and of the lines of motion those of the take.

Lines are taken over byte for byte: frame numbers, times, comments and labels in them stay as they are,
so that each can be found again in the file it is from. Packed files come out unpacked.
"""

import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from histvq.clips.cutter import CannotCutError, Cutter
from histvq.io.tables.cells import split
from histvq.io.tables.header import Header, find_header, plan_of
from histvq.io.tables.notes import FOR_ONE, TableNotes, find_notes, read_notes
from histvq.recording import Recording

Options = Mapping[str, Any]
_PACKED = {".gz": gzip.decompress, ".xz": lzma.decompress}


def bvh(recording: Recording, options: Options) -> Cutter:
    """Skeleton and frame time stay; `Frames:` counts those of the take."""
    lines = _lines(_path(recording))
    place = _first(lines, rb"\s*Frame\s*Time\s*:.*")
    head, rows = lines[: place + 1], _filled(lines[place + 1 :])
    count = _first(head, rb"\s*Frames\s*:\s*\d+\s*")

    def cut(start: int, stop: int) -> dict[str, bytes]:
        said = re.sub(rb"\d+", b"%d" % (stop - start), head[count])
        return {".bvh": b"".join([*head[:count], said, *head[count + 1 :], *rows[start:stop]])}

    return cut


def acclaim(recording: Recording, options: Options) -> Cutter:
    """Frames keep their numbers; the skeleton goes along, as an ASF of the same name."""
    path = _path(recording)
    lines = _lines(path)
    starts = [place for place, line in enumerate(lines) if line.strip().isdigit()]
    ends = [*starts, len(lines)]
    given = options.get("skeleton")
    skeleton = Path(given) if given else path.with_name(str(recording.metadata["skeleton"]))
    rest = _unpacked(skeleton)

    def cut(start: int, stop: int) -> dict[str, bytes]:
        motion = lines[: ends[0]] + lines[ends[start] : ends[stop]]
        return {".amc": b"".join(motion), ".asf": rest}

    return cut


def trc(recording: Recording, options: Options) -> Cutter:
    """`NumFrames` counts those of the take; frame numbers and times stay, `Orig...` too."""
    lines = _filled(_lines(_path(recording)))
    head, rows = lines[:5], lines[5:]
    place = head[1].split().index(b"NumFrames")

    def cut(start: int, stop: int) -> dict[str, bytes]:
        words = [*re.finditer(rb"\S+", head[2])]
        before, after = head[2][: words[place].start()], head[2][words[place].end() :]
        said = before + b"%d" % (stop - start) + after
        return {".trc": b"".join([*head[:2], said, *head[3:], *rows[start:stop]])}

    return cut


def precog(recording: Recording, options: Options) -> Cutter:
    """The line of joint names, and a line a frame."""
    return _rows_after(recording, lambda lines: 1)


def deeplabcut(recording: Recording, options: Options) -> Cutter:
    """Three or four lines of names, and a line a frame, which begins with its number."""
    if _path(recording).suffix.lower() != ".csv":
        raise CannotCutError("HDF5 files are not cut")
    return _rows_after(recording, lambda lines: _first(lines, rb"\d+,.*"))


def table(recording: Recording, options: Options) -> Cutter:
    """The lines up to the column names, and the rows of the take's frames.

    Where a YAML beside the table says what its columns mean, the clip has a copy of it.
    """
    path = _path(recording)
    stem = re.sub(r"\.(csv|tsv|txt)(\.gz|\.xz)?$", "", path.name, flags=re.IGNORECASE)
    columns = options.get("columns")
    beside = find_notes(path, stem) if columns is None else None
    source = (
        beside if columns is None else columns if isinstance(columns, Mapping) else Path(columns)
    )
    notes = TableNotes() if source is None else read_notes(source)
    if (skip := options.get("skip_rows")) is not None:
        notes = notes.model_copy(update={"skip_rows": skip})
    header = find_header(path, notes)
    lines = _lines(path)
    head, rows = lines[: header.line], _filled(lines[header.line :])
    plan = plan_of(path, header, notes, options.get("joint"))
    key = plan.time if plan.joint is not None and plan.frame is None else plan.frame
    frames = _frames(rows, header, key, numbered=plan.frame is not None)
    side = {} if beside is None else {FOR_ONE: beside.read_bytes()}

    def cut(start: int, stop: int) -> dict[str, bytes]:
        wanted = np.flatnonzero((frames >= start) & (frames < stop))
        return {_ending(path): b"".join([*head, *(rows[row] for row in wanted)]), **side}

    return cut


def _frames(
    rows: Sequence[bytes], header: Header, key: int | None, *, numbered: bool
) -> np.ndarray:
    """The frame of each row: by its number, or by the rank of its time; else rows are frames."""
    if key is None:
        return np.arange(len(rows))
    cells = [split(row.decode("utf-8-sig"), header.separator)[key] for row in rows]
    try:
        keys = np.array([float(cell.replace(",", ".")) for cell in cells])
    except ValueError:  # dates, in order as texts too
        keys = np.array(cells)
        numbered = False
    values, ranks = np.unique(keys, return_inverse=True)
    if not numbered or len(set(np.diff(values))) <= 1:
        return ranks
    return (keys - values[0]).astype(int)  # some are left out: they are missing frames


def _rows_after(recording: Recording, n_head: Callable[[Sequence[bytes]], int]) -> Cutter:
    path = _path(recording)
    lines = _lines(path)
    place = n_head(lines)
    head, rows = lines[:place], _filled(lines[place:])

    def cut(start: int, stop: int) -> dict[str, bytes]:
        return {_ending(path): b"".join([*head, *rows[start:stop]])}

    return cut


def _path(recording: Recording) -> Path:
    return Path(recording.source or "")


def _lines(path: Path) -> list[bytes]:
    return _unpacked(path).splitlines(keepends=True)


def _unpacked(path: Path) -> bytes:
    unpack = _PACKED.get(path.suffix.lower(), bytes)
    try:
        return unpack(path.read_bytes())
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise CannotCutError(f"{path.name} cannot be read again ({error})") from error


def _filled(lines: Sequence[bytes]) -> list[bytes]:
    return [line for line in lines if line.strip()]


def _first(lines: Sequence[bytes], pattern: bytes) -> int:
    """Place of the first line that is as this says."""
    wanted = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for place, line in enumerate(lines):
        if wanted.fullmatch(line):
            return place
    raise CannotCutError("its lines are not laid out as usual")


def _ending(path: Path) -> str:
    """The ending of a text file, without that of the packing."""
    return (path.with_suffix("") if path.suffix.lower() in _PACKED else path).suffix.lower()
