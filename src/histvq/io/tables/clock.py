"""Times of frames: what they count in, how many frames a second they make, an even grid."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.asked import NotSaidError

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
TOLERANCE = 0.01  # of a step
LONGEST_FILLED_S = 0.25  # over longer pauses nobody knows what the body did

_STEPS_S = (1e-6, 1e4)
_DATES = (978_307_200, 4_102_444_800)  # 2001 to 2099, in seconds since 1970
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The column of times of a recording.

    Attributes:
        times: float64 (frame,), as in the file.
        unit: What they count in, where it is said.
        column: Its name.
        steps: Integer (frame - 1,): how many frames lie between neighbours; 1 if none is left out.
        lines: Line of each frame.
        path: The file.
    """

    times: np.ndarray
    unit: str | None
    column: str
    steps: np.ndarray
    lines: np.ndarray
    path: Path

    @property
    def where(self) -> str:
        """File and column, for messages."""
        return f"{self.path}, column {self.column!r}"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Frames a second.

    Attributes:
        fps: The rate.
        note: How it was found.
        seconds: float64 (frame,): times from 0 on.
        even: Whether frames lie at even steps already.
    """

    fps: float
    note: str
    seconds: np.ndarray
    even: bool = True


def check_fps(fps: float | None) -> None:
    """Raise unless a rate that is given is one.

    Raises:
        ConfigError: If not.
    """
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps < np.inf):
        raise ConfigError(f"fps={fps!r}; give the frames a second as a number, as fps=60")


def is_date(cell: str) -> bool:
    """Whether a cell looks like a date and time, as 2024-05-01T12:30:00.25."""
    return _ISO.fullmatch(cell) is not None


def seconds_of_dates(
    texts: np.ndarray, *, path: Path, column: str, lines: np.ndarray
) -> np.ndarray:
    """ISO 8601 dates and times as seconds since the first.

    Raises:
        FileFormatError: At the first that is none.
    """
    dates = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True, errors="coerce")
    if wrong := np.flatnonzero(dates.isna()).tolist():
        raise FileFormatError(
            f"{path}, line {lines[wrong[0]]}, column {column!r}: {str(texts[wrong[0]])[:40]!r}, "
            "expected a date and time as 2024-05-01T12:30:00.25"
        )
    return (dates - dates.iloc[0]).dt.total_seconds().to_numpy()


def rate_of(clock: Clock, *, fps: float | None, uneven: str) -> Rate:
    """Frames a second by the column of times.

    Steps may differ by 1 % and by what rounding of the times makes: 60 frames a second written in
    whole milliseconds have steps of 16 and 17. Within that rounding a whole number of frames a
    second is taken. An `fps` given must agree to 1 %, and is then taken as it is.

    Raises:
        FileFormatError: If times do not go up, are uneven (and `uneven` is not `resample`), or
            disagree with `fps`.
        NotSaidError: If nobody says what the times count in.
    """
    _check_rising(clock)
    if len(clock.times) < 2:
        if fps is None:
            raise NotSaidError(
                f"{clock.path}: one frame, from which no frame rate follows. Pass fps= (--fps), as "
                "fps=60",
                option="fps",
            )
        return Rate(fps=fps, note=f"fps {fps:g} as given", seconds=np.zeros(len(clock.times)))
    unit = clock.unit or _unit_by_size(clock, fps)
    times = (clock.times - clock.times[0]) * SECONDS[unit]
    resolution = _resolution(clock.times) * SECONDS[unit]
    steps = np.diff(times) / clock.steps
    mean = times[-1] / clock.steps.sum()
    even = bool((np.abs(steps - mean) <= _allowed(mean, resolution)).all())
    if not even and uneven != "resample":
        raise FileFormatError(_uneven(clock, steps))
    step = float(mean if even else np.median(steps))
    if not _STEPS_S[0] <= step <= _STEPS_S[1]:
        raise FileFormatError(
            f"{clock.where}: steps of {step:.3g} s (times in {unit}) are none of a recording of "
            "motion. Say what they count in (time_unit=)"
        )
    _check_agree(clock, 1 / step, fps, unit)
    if fps is not None:
        note = f"fps {fps:g} as given, in agreement with {clock.column!r}"
    else:
        fps = _rounded(1 / step, resolution / times[-1] if even else TOLERANCE)
        note = f"fps {fps:g} from {clock.column!r} in {unit}"
    return Rate(fps=fps, note=note, seconds=times, even=even)


def to_even_grid(skeleton: np.ndarray, times: np.ndarray, fps: float) -> tuple[np.ndarray, ...]:
    """Motion at even steps by linear interpolation, with the nearest old frame of each new one.

    A missing value makes those next to it missing. So is everything within a pause longer than
    `LONGEST_FILLED_S`, where the nearest old frame is -1.

    Args:
        skeleton: (frame, joint, channel).
        times: Of its frames in seconds, from 0 on.
        fps: Frames a second of the grid.
    """
    grid = np.arange(int(np.floor(times[-1] * fps + 1e-6)) + 1) / fps
    after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    before = after - 1
    length = times[after] - times[before]
    weight = np.clip((grid - times[before]) / length, 0, 1)
    share = weight[:, None, None].astype(np.float32)
    mixed = (1 - share) * skeleton[before] + share * skeleton[after]
    # At an old frame its neighbour has no say, even if it is missing.
    moved = np.where(share == 0, skeleton[before], np.where(share == 1, skeleton[after], mixed))
    nearest = np.where(weight < 0.5, before, after)
    pause = (length > max(LONGEST_FILLED_S, 2 / fps)) & (weight > 0) & (weight < 1)
    moved[pause] = np.nan
    return moved, np.where(pause, -1, nearest)


def _check_rising(clock: Clock) -> None:
    falls = np.flatnonzero(~(np.diff(clock.times) > 0))
    if len(falls):
        at = int(falls[0])
        raise FileFormatError(
            f"{clock.where}, line {clock.lines[at + 1]}: {clock.times[at + 1]:.12g} after "
            f"{clock.times[at]:.12g}; times must go up. If the column holds something else, or is "
            "coarser than the frames, rename it or list it under `ignore:` in table.yaml, and pass "
            "fps="
        )


def _unit_by_size(clock: Clock, fps: float | None) -> str:
    """What times without a unit count in: whatever agrees with fps, or else a plain rule.

    Seconds, if the steps then are 1 ms to 0.2 s; milli-, micro- or nanoseconds, if the times then
    are since 1970 and lie between 2001 and 2099, and the steps from 1 ms to 1 s.
    """
    step = float(np.median(np.diff(clock.times) / clock.steps))
    if fps is not None:
        fitting = [u for u, s in SECONDS.items() if abs(1 / (step * s) / fps - 1) <= 2 * TOLERANCE]
        return fitting[0] if fitting else "s"
    if step * (1 + TOLERANCE) >= 0.001 and step <= 0.2 * (1 + TOLERANCE):
        return "s"
    for unit in ("ms", "us", "ns"):
        first, length = clock.times[0] * SECONDS[unit], step * SECONDS[unit]
        if _DATES[0] <= first <= _DATES[1] and 0.001 <= length <= 1:
            return unit
    raise NotSaidError(
        f"{clock.where}: steps of {step:.6g}, but of what is not said. Pass time_unit= "
        "(--option time_unit=), as time_unit='ms' (s, ms, us or ns)",
        option="time_unit",
    )


def _resolution(times: np.ndarray) -> float:
    """What the last written digit of the times is worth, down to the sixth place; else 0."""
    for digits in range(7):
        scaled = times * 10.0**digits
        slack = np.maximum(1e-6, 8 * np.finfo(float).eps * np.abs(scaled))
        if (np.abs(scaled - np.rint(scaled)) <= slack).all():
            return 10.0**-digits
    return 0.0


def _allowed(step: float, resolution: float) -> float:
    # Coarser times hide whether a frame is missing, so their rounding is no excuse.
    return TOLERANCE * step + (resolution if resolution < step / 2 else 0)


def _rounded(fps: float, share: float) -> float:
    """A whole number if it is within this share, else nine digits."""
    whole = float(round(fps))
    return whole if abs(fps - whole) <= fps * max(share, 1e-9) else float(f"{fps:.9g}")


def _check_agree(clock: Clock, found: float, fps: float | None, unit: str) -> None:
    if fps is not None and abs(found / fps - 1) > TOLERANCE:
        raise FileFormatError(
            f"{clock.where}: {found:.4g} frames a second (times in {unit}), but fps={fps:g} was "
            "given. Leave fps out, or mend the times or their unit (time_unit=)"
        )


def _uneven(clock: Clock, steps: np.ndarray) -> str:
    median = float(np.median(steps))
    worst = int(np.argmax(np.abs(steps - median)))
    return (
        f"{clock.where}: uneven steps: median {median * 1e3:.6g} ms, worst {steps[worst] * 1e3:.6g} "
        f"ms before line {clock.lines[worst + 1]}; more than 1 % apart. Pass uneven='resample' "
        "(--option uneven=resample) to move the frames to even steps by linear interpolation"
    )
