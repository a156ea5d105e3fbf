"""TRC: marker positions of Motion Analysis and OpenSim, one frame a line.

Source: "Marker (.trc) Files" of OpenSim's user guide.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.asked import unit_name
from histvq.io.last_line import warn_if_cut
from histvq.io.packed import AGAIN, read_packed
from histvq.io.reader import Pair, Reader, head
from histvq.recording import Recording

SUFFIXES = (".trc", ".trc.xz")
UNEVEN = 0.01  # a step may be so much longer or shorter, as a share

_MAGIC = b"PathFileType"
_BOM = b"\xef\xbb\xbf"
_HEADER_LINES = 5

Row = tuple[int, str]  # a line that is not empty, after its number


def read_trc(path: str | Path) -> Pair:
    """Read one TRC file: markers as joints, without parents; such files have no labels.

    Rate and unit are those the file says (`DataRate`, `Units`). The column `Time` is held against
    the rate: another rate is an error; steps longer or shorter by more than 1 % and than its
    rounding are told, for then frames are missing. A marker not seen, empty or `NaN`, is missing.

    Args:
        path: `.trc`, or the same packed as `.trc.xz`.

    Raises:
        FileFormatError: If the header, the numbers or their count are not as they should be, with
            the line.
    """
    path = Path(path)
    lines = _lines(path)
    fps, n_frames, n_markers, unit = _header(lines[1].split(), lines[2].split(), path)
    markers = _markers(lines[3], lines[4], n_markers, path)
    rows = [(number, line) for number, line in enumerate(lines[5:], start=6) if line.strip()]
    if len(rows) != n_frames or not rows:
        raise FileFormatError(
            f"{path}: {len(rows)} lines of data, but line 3 says NumFrames {n_frames}. {AGAIN}, or "
            "put NumFrames right if it was trimmed"
        )
    values = _numbers(rows, markers, path)
    _check_times(values[:, 1], rows, fps, path)
    recording = Recording(
        id=re.sub(r"\.trc(\.xz)?$", "", path.name, flags=re.IGNORECASE),
        skeleton=values[:, 2:].reshape(n_frames, n_markers, 3).astype(np.float32),
        fps=fps,
        joint_names=markers,
        unit=unit,
        source=str(path),
    )
    return recording, None


def _lines(path: Path) -> list[str]:
    """The lines of the file, the first one empty: it holds a path, in whatever encoding."""
    data = read_packed(path).removeprefix(_BOM)
    if not data.startswith(_MAGIC):
        raise FileFormatError(
            f"{path}, line 1: begins with {data[:20].decode('ascii', 'replace')!r}, expected "
            f"PathFileType: no TRC file. {AGAIN}"
        )
    first = re.search(rb"[\r\n]|$", data)
    try:
        text = data[first.start() if first else 0 :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not a text file ({error}). Save it as UTF-8") from error
    lines = text.splitlines()
    if len(lines) < _HEADER_LINES:
        raise FileFormatError(f"{path}: ends within the {_HEADER_LINES} header lines. {AGAIN}")
    warn_if_cut(text, path)
    return lines


def _header(keys: list[str], values: list[str], path: Path) -> tuple[float, int, int, str]:
    """Rate, numbers of frames and of markers, and unit: lines 2 and 3."""
    said = dict(zip(keys, values, strict=False))
    patterns = {
        "DataRate": r"\d*\.?\d+([eE][+-]?\d+)?|\d+\.",
        "NumFrames": r"\d{1,18}",
        "NumMarkers": r"\d{1,18}",
        "Units": r".*[^\W\d].*",
    }
    for key, pattern in patterns.items():
        found = said.get(key)
        if found is None or not re.fullmatch(pattern, found):
            raise FileFormatError(
                f"{path}, lines 2 and 3: {key} is {'missing' if found is None else repr(found[:40])}; "
                f"expected names such as DataRate NumFrames NumMarkers Units, and below them values "
                "such as 60 300 41 mm. Put them right"
            )
    fps = float(said["DataRate"])
    if not 0 < fps < np.inf:
        raise FileFormatError(
            f"{path}, line 3: DataRate {said['DataRate'][:40]}; expected frames a second. Put it "
            "right"
        )
    return fps, int(said["NumFrames"]), int(said["NumMarkers"]), unit_name(said["Units"])


def _markers(names: str, axes: str, n_markers: int, path: Path) -> tuple[str, ...]:
    """Names of the markers: line 4, under each of which line 5 has X, Y and Z."""
    frame, time, *cells = [*map(str.strip, names.split("\t")), "", ""]
    markers = tuple(cell for cell in cells if cell)
    if not frame.lower().startswith("frame") or not time.lower().startswith("time"):
        raise FileFormatError(
            f"{path}, line 4: begins with {names[:40]!r}, expected Frame#, Time and the names of "
            f"the markers with tabs between them. {AGAIN}"
        )
    if len(markers) != n_markers or not markers:
        raise FileFormatError(
            f"{path}, line 4: {len(markers)} names of markers, but line 3 says NumMarkers "
            f"{n_markers}. Put either right"
        )
    if twice := sorted({name for name in markers if markers.count(name) > 1}):
        raise FileFormatError(f"{path}, line 4: several markers are called {twice[0]}. Rename them")
    if [cell[0].upper() for cell in axes.split()] != ["X", "Y", "Z"] * n_markers:
        raise FileFormatError(
            f"{path}, line 5: {' '.join(axes.split())[:40]!r}; expected X1 Y1 Z1 and so on for "
            f"{n_markers} markers. {AGAIN}"
        )
    return markers


def _numbers(rows: Sequence[Row], markers: Sequence[str], path: Path) -> np.ndarray:
    """The numbers of all lines, (frame, column); NaN where a marker was not seen."""
    width = 2 + 3 * len(markers)
    reason = "the numbers cannot be read"
    try:
        cells = ("\t".join(_cells(row, width, path)) for row in rows)
        values = np.loadtxt(cells, delimiter="\t", comments=None, ndmin=2)
        if np.isfinite(values[:, :2]).all() and not _infinite(values).any():
            return values
    except FileFormatError:
        raise
    except ValueError as error:
        reason = str(error)
    raise FileFormatError(f"{path}{_fault(rows, markers, path) or ': ' + reason}. {AGAIN}")


def _cells(row: Row, width: int, path: Path) -> Iterator[str]:
    """The cells of a line, `nan` for the empty ones; many programs add a tab to its end."""
    number, line = row
    cells = line.split("\t")
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        raise FileFormatError(
            f"{path}, line {number}: {len(cells)} cells, expected {width} with tabs between them: "
            f"frame, time and X, Y, Z of {(width - 2) // 3} markers. {AGAIN}"
        )
    return (cell.strip() or "nan" for cell in cells[:width])


def _fault(rows: Sequence[Row], markers: Sequence[str], path: Path) -> str:
    """Which cell is no number, and where; slow, for files known to be bad."""
    columns = ["Frame#", "Time", *(f"{marker} {axis}" for marker in markers for axis in "XYZ")]
    for row in rows:
        for column, cell in zip(columns, _cells(row, len(columns), path), strict=True):
            try:
                number = float(cell)
            except ValueError:
                number = np.inf
            if _infinite(number) or (column in columns[:2] and np.isnan(number)):
                return f", line {row[0]}, {column}: {cell[:40]!r} is no finite number"
    return ""


def _infinite(number: np.ndarray | float) -> np.ndarray:
    """Whether it is infinite, or would be in single precision."""
    return np.abs(number) > np.finfo(np.float32).max


def _check_times(times: np.ndarray, rows: Sequence[Row], fps: float, path: Path) -> None:
    """Hold the column Time against the rate; it is often rounded to milliseconds."""
    if len(times) == 1:
        return
    decimals = max(len(line.split("\t", 2)[1].strip().partition(".")[2]) for _, line in rows)
    step, rounding = 1 / fps, 10.0**-decimals
    steps = np.diff(times)
    figures = f"median {np.median(steps):.4g} s, longest {steps.max():.4g} s"
    if abs(steps.mean() - step) > UNEVEN * step + rounding / len(steps):
        raise FileFormatError(
            f"{path}: DataRate {fps:g} makes steps of {step:.4g} s, but by column Time they are "
            f"{steps.mean():.4g} s ({figures}). Put DataRate or Time right"
        )
    odd = np.flatnonzero(np.abs(steps - step) > UNEVEN * step + rounding + 1e-9)
    if len(odd):
        warnings.warn(
            f"{path.name}: {len(odd)} of {len(steps)} steps of Time are uneven by more than 1 % "
            f"({figures}, expected {step:.4g} s), the first after line {rows[odd[0]][0]}. Taken "
            f"for {fps:g} frames a second; fill in the missing frames if times matter",
            DataWarning,
            stacklevel=3,
        )


def _recognises(path: Path) -> bool:
    """Whether it begins as TRC does; other programs' traces end in `.trc` too."""
    return path.suffix.lower() == ".xz" or head(path).removeprefix(_BOM).startswith(_MAGIC)


READER = Reader(
    description="TRC markers",
    read=read_trc,
    suffixes=SUFFIXES,
    recognises=_recognises,
    own_suffixes=SUFFIXES,
)
