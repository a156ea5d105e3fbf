"""The motion of a BVH file: how many frames, how far apart, and the numbers of each."""

import math
import re
import warnings
from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.bvh_skeleton import LARGEST, Joint
from histvq.io.parts.packed import AGAIN

Row = tuple[int, str]  # a line that is not empty, after its number

_HEADER = {
    "Frames: 40": re.compile(r"Frames\s*:\s*(\d{1,18})", re.IGNORECASE),
    "Frame Time: 0.0333333": re.compile(r"Frame\s*Time\s*:\s*(\S+)", re.IGNORECASE),
}


def parse_motion(
    lines: Sequence[str], joints: Sequence[Joint], path: Path, *, first: int
) -> tuple[np.ndarray, float, str]:
    """The numbers, (frame, channel); the frames a second; and how they were found out.

    Args:
        lines: Those after MOTION.
        joints: The skeleton.
        path: For messages.
        first: Number of the first line.

    Raises:
        FileFormatError: If the two lines of the header are not there, or the numbers are not as
            many as they and the skeleton promise, or one of them is none.
    """
    rows = [(number, line) for number, line in enumerate(lines, start=first) if line.strip()]
    said = []
    for (expected, pattern), row in zip_longest(_HEADER.items(), rows[:2]):
        match = pattern.fullmatch(row[1].strip()) if row else None
        if not match:
            place = f", line {row[0]}: {row[1].strip()[:60]!r}" if row else ": the file ends"
            raise FileFormatError(f"{path}{place}; expected a line as {expected!r}. {AGAIN}")
        said.append(match[1])
    if int(said[0]) == 0:
        raise FileFormatError(f"{path}: no frame in it (Frames: 0)")
    fps = _frame_rate(said[1], path, rows[1][0])
    note = f"frame_time({said[1]} s): {fps:.10g} frames a second"
    return _numbers(rows[2:], int(said[0]), joints, path), fps, note


def frame_rate(frame_time: str) -> tuple[float, int]:
    """Frames a second of a frame time, and how many whole rates would print as these digits.

    Files print the time of a frame with few digits. Where just one whole rate has a frame time that
    prints so, rounded or cut off, it is that rate: 30 for 0.033333 and for 0.033, 120 for
    0.00833333, 60 for 0.0166. Times that are a whole rate's to single precision, as 0.04 or
    0.0333333351, are always that rate. Else the rate is the inverse as it stands: 29.97 for
    0.033367, which no whole rate gives; 58.8 for 0.017, which five do (56 to 60).
    """
    seconds = float(frame_time)
    rate = 1 / seconds
    if abs(rate - round(rate)) <= np.finfo(np.float32).eps * rate:
        return float(round(rate)), 1
    step = 10.0 ** int(Decimal(frame_time).as_tuple().exponent)
    lowest = math.floor(1 / (seconds + step)) + 1  # cut off: the time is less than a step more
    highest = math.floor(1 / (seconds - step / 2))  # rounded up: half a step less at most
    return float(lowest) if lowest == highest else rate, max(highest - lowest + 1, 0)


def _frame_rate(frame_time: str, path: Path, line: int) -> float:
    """The same of a text that may be no time at all; warns where many rates fit."""
    try:
        seconds = float(frame_time)
    except ValueError:
        seconds = math.nan
    if not 1e-9 < seconds < 1e9:
        raise FileFormatError(
            f"{path}, line {line}: frame time {frame_time[:40]!r}; expected the seconds from one "
            "frame to the next, as 0.0333333. Put it right"
        )
    fps, n_rates = frame_rate(frame_time)
    if n_rates > 1 and n_rates > 0.01 * fps:
        warnings.warn(
            f"{path.name}, line {line}: frame time {frame_time} has too few digits to tell "
            f"{n_rates} whole frame rates apart; {fps:.4g} taken. Write it with six digits",
            DataWarning,
            stacklevel=4,
        )
    return fps


def _numbers(rows: Sequence[Row], n_frames: int, joints: Sequence[Joint], path: Path) -> np.ndarray:
    """The numbers of all frames, (frame, channel)."""
    names = [f"{joint.name} {channel}" for joint in joints for channel in joint.channels]
    if not names:
        raise FileFormatError(f"{path}: no joint has CHANNELS, so nothing moves. {AGAIN}")
    reason = "the numbers cannot be read"
    try:
        if len(rows) == n_frames:
            values = np.loadtxt((line for _, line in rows), comments=None, ndmin=2)
            if values.shape[1] == len(names) and (np.abs(values) <= LARGEST).all():
                return values
    except ValueError as error:
        reason = str(error)
    raise FileFormatError(f"{path}{_fault(rows, n_frames, names) or ': ' + reason}. {AGAIN}")


def _fault(rows: Sequence[Row], n_frames: int, names: Sequence[str]) -> str:
    """Where lines of motion are at fault, and how; slow, for files known to be bad."""
    found = {number: line.split() for number, line in rows}
    odd = next((number for number in found if len(found[number]) != len(names)), None)
    if odd or len(found) != n_frames:
        return (
            f": Frames: {n_frames} and {len(names)} channels make {n_frames * len(names)} numbers, "
            f"but there are {sum(map(len, found.values()))} in {len(found)} lines"
            + (f"; line {odd} has {len(found[odd])}, not {len(names)}" if odd else "")
        )
    for number, words in found.items():
        for name, word in zip(names, words, strict=True):
            if not _is_finite(word):
                return f", line {number}, {name}: {word[:40]!r} is no finite number"
    return ""


def _is_finite(word: str) -> bool:
    try:
        return abs(float(word)) <= LARGEST
    except ValueError:
        return False
