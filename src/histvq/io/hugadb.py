"""HuGaDB text files: six inertial sensors on the legs, one activity a frame.

Source: R. Chereshnev and A. Kertesz-Farkas, "HuGaDB: Human Gait Database for Activity Recognition
from Wearable Inertial Sensor Networks", AIST 2017.
"""

import csv
import io
import re
import warnings
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.parts.packed import AGAIN, read_packed
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording

BadValues = Literal["interpolate", "keep", "error"]

JOINTS = ("rf", "rs", "rt", "lf", "ls", "lt")
CHANNELS = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
# Right foot -> shin -> thigh, left likewise, the thighs joined in place of the missing pelvis.
PARENTS = (1, 2, -1, 4, 5, 2)
ACTIVITIES = (
    "walking", "running", "going_up", "going_down", "sitting", "sitting_down", "standing_up",
    "standing", "bicycling", "up_by_elevator", "down_by_elevator", "sitting_in_car",
)  # fmt: skip
UNIT = "counts"
FPS = 60.0  # the papers' figure, and what makes 60 frames a second
TRUE_FPS = 58.8  # 2,111,962 frames in 35,903 s, by the official table

SENSOR_COLUMNS = tuple(
    f"{sensor}_{joint}_{axis}" for joint in JOINTS for sensor in ("acc", "gyro") for axis in "xyz"
)
COLUMNS = (*SENSOR_COLUMNS, "EMG_r", "EMG_l", "act")
N_SENSOR = len(SENSOR_COLUMNS)
HEADER_LINES = 4
SUFFIXES = (".txt", ".csv", ".txt.xz", ".csv.xz")

_NAME = re.compile(r"(?:HuGaDB|HGD)_v(\d+)_([a-z_]+)_(\d\d)_(\d\d)")


def parse_name(path: Path) -> tuple[str, str, str, str] | None:
    """Version, kind, person and counter from a file's name; None where it is not a HuGaDB name."""
    match = _NAME.fullmatch(_stem(path))
    return None if match is None else (match[1], match[2], match[3], match[4])


def read_hugadb(
    path: str | Path, *, bad_values: BadValues = "interpolate", fps: float = FPS
) -> Pair:
    """Read one HuGaDB text file; the muscle (EMG) columns are left out.

    Source: the preparation of the published benchmark: 36 sensor columns in file order, no scaling,
    no centring, no resampling.
    Units: counts, 16,384 per g (accelerometers) and 16.384 per degree a second (gyroscopes).

    Args:
        path: `HuGaDB_v1_<kind>_<person>_<counter>.txt`, `.csv` with the same content, or either
            packed as `.xz`.
        bad_values: What to do with numbers no 16-bit sensor can give: `interpolate` between the
            neighbours in time and warn, `keep` them, or `error`.
        fps: Frames a second; 60 in all papers, 58.8 by the official table.

    Raises:
        FileFormatError: If the file's name, header, columns, numbers or activities are not as they
            should be; the message says where.
    """
    path = Path(path)
    if bad_values not in get_args(BadValues):
        raise ConfigError(f"bad_values={bad_values!r}: must be one of {get_args(BadValues)}")
    name = parse_name(path)
    if name is None:
        raise FileFormatError(
            f"{path}: not a HuGaDB file by its name; expected "
            "HuGaDB_v<version>_<kind>_<person>_<counter>.txt, as HuGaDB_v1_various_01_00.txt"
        )
    data = _read_bytes(path)
    date = _check_header(data, path=path)
    values = _parse(data, path=path)
    _check_activities(values, path=path)
    sensors, history = _mend(values, path=path, bad_values=bad_values)
    version, kind, person, counter = name
    metadata: dict[str, object] = {
        "dataset": "hugadb", "version": version, "kind": kind, "counter": counter, "date": date,
        "true_fps": TRUE_FPS,
    }  # fmt: skip
    if history:
        metadata["bad_values"] = bad_values
    recording = Recording(
        id=_stem(path),
        skeleton=sensors.reshape(-1, len(JOINTS), len(CHANNELS)),
        fps=fps,
        joint_names=JOINTS,
        channel_names=CHANNELS,
        parents=PARENTS,
        unit=UNIT,
        person=person,
        metadata=metadata,
        source=str(path),
        history=history,
    )
    labels = (values[:, -1] - 1).astype(np.int32)
    return recording, Annotation(
        recording_id=recording.id, labels=labels, actions=ACTIVITIES, fps=fps
    )


def _stem(path: Path) -> str:
    return re.sub(r"(\.(txt|csv|npz))?(\.xz)?$", "", path.name, flags=re.IGNORECASE)


def _read_bytes(path: Path) -> bytes:
    """The file's text, unpacked, without empty lines at its end."""
    data = read_packed(path)
    if not data.strip():
        raise FileFormatError(f"{path}: the file is empty. {AGAIN}")
    if not data.endswith(b"\n"):
        # Seen from inside, a last `11` cut to `1` is a whole line: only the line end tells.
        warnings.warn(
            f"{path.name}: the last line has no line end, so the file may be cut short; its last "
            "activity may be wrong. Fetch it again, or add the line end if the file is whole",
            DataWarning,
            stacklevel=3,
        )
    return data.rstrip(b"\r\n")


def _check_header(data: bytes, *, path: Path) -> str:
    """The date of the recording; raises unless the four header lines are HuGaDB's."""
    lines = [line.decode("utf-8", "replace") for line in data.split(b"\n", HEADER_LINES)]
    if not lines[0].startswith("#Activity"):
        raise FileFormatError(
            f"{path}, line 1: begins with {lines[0][:20]!r}, expected '#Activity': not HuGaDB"
        )
    if len(lines) < HEADER_LINES:
        raise FileFormatError(f"{path}: ends within the {HEADER_LINES} header lines. {AGAIN}")
    names = lines[HEADER_LINES - 1].rstrip("\r").split("\t")
    for number, (found, expected) in enumerate(zip(names, COLUMNS, strict=False), start=1):
        if found != expected:
            raise FileFormatError(
                f"{path}, line {HEADER_LINES}: column {number} is called {found!r}, expected "
                f"{expected!r}. Bring the columns into HuGaDB's order, or read the file as a table"
            )
    if len(names) != len(COLUMNS):
        raise FileFormatError(
            f"{path}, line {HEADER_LINES}: {len(names)} column names, expected {len(COLUMNS)}. "
            + AGAIN
        )
    if len(lines) == HEADER_LINES:
        raise FileFormatError(f"{path}: a header, but no line of data follows it. {AGAIN}")
    return lines[2].removeprefix("#Date").strip()


def _parse(data: bytes, *, path: Path) -> np.ndarray:
    """All data lines as int64 (frame, column)."""
    import pandas as pd

    try:
        with np.errstate(invalid="raise"):  # a number beyond int64 comes out as another one
            table = pd.read_csv(
                io.BytesIO(data), sep="\t", header=None, skiprows=HEADER_LINES, dtype=np.int64,
                na_filter=False, skip_blank_lines=False, quoting=csv.QUOTE_NONE,
            )  # fmt: skip
    except (ValueError, ArithmeticError) as error:  # pandas' ParserError is a ValueError
        raise _locate_fault(data, path=path) or FileFormatError(f"{path}: {error}") from error
    if table.shape[1] != len(COLUMNS):
        raise _locate_fault(data, path=path) or FileFormatError(
            f"{path}: {table.shape[1]} columns, expected {len(COLUMNS)}"
        )
    return table.to_numpy()


def _locate_fault(data: bytes, *, path: Path) -> FileFormatError | None:
    """The first line that is not 39 whole numbers, as an error; slow, for files known to be bad."""
    lines = data.decode("utf-8", "replace").split("\n")
    for number, line in enumerate(lines[HEADER_LINES:], start=HEADER_LINES + 1):
        cells = line.rstrip("\r").split("\t")
        if len(cells) != len(COLUMNS):
            last = number == len(lines) and len(cells) < len(COLUMNS)
            return FileFormatError(
                f"{path}, {'last line' if last else 'line'} {number}: {len(cells)} columns, "
                f"expected {len(COLUMNS)} tab-separated fields (36 sensor, 2 EMG, 1 activity). "
                f"{AGAIN}" + (", or delete that line" if last else "")
            )
        for column, cell in zip(COLUMNS, cells, strict=True):
            if not re.fullmatch(r" *[+-]?\d{1,18} *", cell, flags=re.ASCII):
                return FileFormatError(
                    f"{path}, {_place(number, column)}: {cell!r} is not a whole number. {AGAIN}, "
                    "or put the number right"
                )
    return None


def _place(line: int, column: str) -> str:
    return f"line {line}, column {COLUMNS.index(column) + 1} {column}"


def _check_activities(values: np.ndarray, *, path: Path) -> None:
    ids = values[:, -1]
    wrong = np.flatnonzero((ids < 1) | (ids > len(ACTIVITIES)))
    if len(wrong):
        raise FileFormatError(
            f"{path}, {_place(wrong[0] + HEADER_LINES + 1, 'act')}: activity {ids[wrong[0]]}, "
            f"expected 1 to {len(ACTIVITIES)}; {len(wrong)} such lines. Put the ids right"
        )


def _mend(
    values: np.ndarray, *, path: Path, bad_values: BadValues
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The sensor columns with impossible numbers dealt with, and what was done to them."""
    sensors = values[:, :N_SENSOR].astype(np.float32)
    limits = np.iinfo(np.int16)
    low = np.array([limits.min] * N_SENSOR + [0, 0])
    high = np.array([limits.max] * N_SENSOR + [255, 255])
    bad = (values[:, :-1] < low) | (values[:, :-1] > high)
    if not bad.any():
        return sensors, ()
    places = np.argwhere(bad)
    if bad_values == "error":
        raise FileFormatError(
            f"{path}, {_complaint(values, places)}. Put them right, or pass "
            'bad_values="interpolate" or "keep"'
        )
    if bad_values == "keep":
        return sensors, (f"bad_values(keep): {_noted(places)}",)
    warnings.warn(
        f"{path.name}, {_complaint(values, places)}. Interpolated; pass "
        'bad_values="error" to stop or "keep" to use it',
        DataWarning,
        stacklevel=3,
    )
    for column in np.flatnonzero(bad[:, :N_SENSOR].any(axis=0)):
        wrong, right = np.flatnonzero(bad[:, column]), np.flatnonzero(~bad[:, column])
        if not len(right):
            raise FileFormatError(
                f"{path}, column {column + 1} {COLUMNS[column]}: every value is outside the "
                f"sensor's 16-bit range, so there is nothing to interpolate between. {AGAIN}"
            )
        sensors[wrong, column] = np.interp(wrong, right, values[right, column])
    return sensors, (f"bad_values(interpolate): {_noted(places)}",)


def _complaint(values: np.ndarray, places: np.ndarray) -> str:
    frame, column = places[0]
    span = "the sensor's 16-bit range" if column < N_SENSOR else "0 to 255 (EMG, not used)"
    more = f" (and {len(places) - 1} more such values)" if len(places) > 1 else ""
    place = _place(frame + HEADER_LINES + 1, COLUMNS[column])
    return f"{place}: {values[frame, column]} is outside {span}{more}"


def _noted(places: np.ndarray) -> str:
    shown = [f"frame {frame} {COLUMNS[column]}" for frame, column in places[:10]]
    return ", ".join(shown) + (f" and {len(places) - 10} more" if len(places) > 10 else "")


def _recognises(path: Path) -> bool:
    return parse_name(path) is not None or head(path).startswith(b"#Activity\t")


READER = Reader(
    description="HuGaDB text",
    read=read_hugadb,
    suffixes=SUFFIXES,
    recognises=_recognises,
)
