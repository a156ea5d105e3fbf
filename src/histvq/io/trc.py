"""TRC: marker positions of Motion Analysis and OpenSim, one frame a line.

Source: "Marker (.trc) Files" of OpenSim's user guide.
"""

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.asked import unit_name
from histvq.io.parts.last_line import warn_if_cut
from histvq.io.parts.packed import AGAIN, read_packed
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording

SUFFIXES = (".trc", ".trc.xz")
UNEVEN = 0.01  # a step may be so much longer or shorter, as a share

_MAGIC = b"PathFileType"
_BOM = b"\xef\xbb\xbf"

Row = tuple[int, str]  # a line that is not empty, with its line end, after its number


def read_trc(path: str | Path) -> Pair:
    """Read one TRC file: markers as joints, without parents; such files have no labels.

    Rate and unit are those the file says (`DataRate`, `Units`). The column `Time` is held against
    the rate: another rate is an error; steps that differ from it by more than 1 %, and by more than
    rounding does, are told, for then frames are missing. A marker not seen, empty or `NaN`, is
    missing, as are all of a line that ends after its time.

    Args:
        path: `.trc`, or the same packed as `.trc.xz`.

    Raises:
        FileFormatError: If the header, the numbers or their count are not as they should be, with
            the line.
    """
    path = Path(path)
    keys, values, names, axes, *rows = _rows(path)
    fps, n_frames, n_markers, unit = _header(keys, values, path)
    markers = _markers(names, n_markers, path)
    _check_axes(axes, n_markers, path)
    if len(rows) != n_frames or not rows:
        raise FileFormatError(
            f"{path}: {len(rows)} lines of data, but line {values[0]} says NumFrames {n_frames}. "
            f"{AGAIN}, or put NumFrames right if it was trimmed"
        )
    table = _numbers(rows, markers, path)
    _check_times(table[:, 1], rows, fps, path)
    recording = Recording(
        id=re.sub(r"\.trc(\.xz)?$", "", path.name, flags=re.IGNORECASE),
        skeleton=table[:, 2:].reshape(n_frames, n_markers, 3).astype(np.float32),
        fps=fps,
        joint_names=markers,
        unit=unit,
        source=str(path),
    )
    return recording, None


def _rows(path: Path) -> list[Row]:
    """The lines after the first, which holds a path, in whatever encoding; empty ones left out."""
    data = read_packed(path).removeprefix(_BOM)
    if not data.startswith(_MAGIC):
        raise FileFormatError(
            f"{path}, line 1: begins with {data[:20].decode('ascii', 'replace')!r}, expected "
            f"PathFileType: no TRC file. {AGAIN}"
        )
    start = re.search(rb"[\r\n]|$", data)
    try:
        text = data[start.start() if start else 0 :].decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: not a text file ({error}). Save it as UTF-8") from error
    lines = enumerate(text.splitlines(keepends=True), start=1)
    rows = [(number, line) for number, line in lines if line.strip()]
    if len(rows) < 4:
        raise FileFormatError(f"{path}: ends within the five lines of the header. {AGAIN}")
    warn_if_cut(text, path)
    return rows


def _header(keys: Row, values: Row, path: Path) -> tuple[float, int, int, str]:
    """Rate, numbers of frames and of markers, and unit: a line of names, one of values."""
    said = dict(zip(keys[1].split(), values[1].split(), strict=False))
    patterns = {
        "DataRate": r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?",
        "NumFrames": r"\d{1,18}",
        "NumMarkers": r"\d{1,18}",
        "Units": r"\D.*",
    }
    for key, pattern in patterns.items():
        found = said.get(key, "")
        if not re.fullmatch(pattern, found) or (
            key == "DataRate" and not 0 < float(found) < np.inf
        ):
            raise FileFormatError(
                f"{path}, lines {keys[0]} and {values[0]}: {key} is {found[:40]!r}; expected names "
                "DataRate NumFrames NumMarkers Units, and below them values as 60 300 41 mm. Put "
                "them right"
            )
    n_frames, n_markers = int(said["NumFrames"]), int(said["NumMarkers"])
    return float(said["DataRate"]), n_frames, n_markers, unit_name(said["Units"])


def _markers(names: Row, n_markers: int, path: Path) -> tuple[str, ...]:
    """Names of the markers; Cortex also names virtual ones after them, which have no numbers."""
    where = f"{path}, line {names[0]}"
    frame, time, *cells = [*map(str.strip, names[1].split("\t")), ""]
    if not frame.lower().startswith("frame") or not time.lower().startswith("time"):
        raise FileFormatError(
            f"{where}: begins with {names[1].strip()[:40]!r}, expected Frame#, Time and the names "
            f"of the markers with tabs between them. {AGAIN}"
        )
    named = [cell for cell in cells if cell]
    markers, others = tuple(named[:n_markers]), named[n_markers:]
    if len(markers) != n_markers or not markers:
        raise FileFormatError(
            f"{where}: {len(markers)} names of markers, but NumMarkers is {n_markers}. Put either "
            "right"
        )
    if twice := [name for name, count in Counter(markers).items() if count > 1]:
        raise FileFormatError(f"{where}: several markers are called {twice[0]}. Rename them")
    if others:
        warnings.warn(
            f"{path.name}, line {names[0]}: {len(others)} more names than the {n_markers} markers "
            f"(NumMarkers); left out: {', '.join(others[:5])}{' ...' if others[5:] else ''}",
            DataWarning,
            stacklevel=3,
        )
    return markers


def _check_axes(axes: Row, n_markers: int, path: Path) -> None:
    labels = axes[1].split()
    if [label[0].upper() for label in labels[: 3 * n_markers]] != ["X", "Y", "Z"] * n_markers:
        raise FileFormatError(
            f"{path}, line {axes[0]}: {' '.join(labels)[:40]!r}; expected X1 Y1 Z1 and so on for "
            f"{n_markers} markers. {AGAIN}"
        )


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


def _cells(row: Row, width: int, path: Path) -> list[str]:
    """The cells of a line, `nan` for the empty ones; many programs add a tab to its end."""
    number, line = row
    cells = [cell.strip() for cell in line.split("\t")]
    if not any(cells[2:]) and line.endswith(("\r", "\n")):
        cells += [""] * (width - len(cells))  # Cortex ends the line where no marker was seen
    if len(cells) < width or any(cells[width:]):
        raise FileFormatError(
            f"{path}, line {number}: {len(cells)} cells, expected {width} with tabs between them: "
            f"frame, time and X, Y, Z of {width // 3} markers. {AGAIN}"
        )
    return [cell or "nan" for cell in cells[:width]]


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
