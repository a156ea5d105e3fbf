"""Frames of a table at an even rate: by frame number, by time, or as the caller says."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from histvq.errors import DataWarning, FileFormatError
from histvq.io.parts.asked import given_fps
from histvq.io.tables.clock import LONGEST_FILLED_S, Clock, Rate, rate_of, to_even_grid
from histvq.io.tables.pivot import MOST_PLACES_A_ROW, Frames


@dataclass(frozen=True, kw_only=True)
class Steady:
    """Motion at an even rate.

    Attributes:
        skeleton: float32 (frame, joint, channel).
        labels: Text (frame,), where the table has it; empty at frames it does not have.
        fps: Frames a second.
        notes: What was done.
    """

    skeleton: np.ndarray
    labels: np.ndarray | None
    fps: float
    notes: tuple[str, ...]


def steady(
    frames: Frames, clock: Clock | None, *, fps: float | None, uneven: str, path: Path
) -> Steady:
    """Bring the frames to an even rate; frames left out or in long pauses are missing.

    Args:
        frames: As the table has them.
        clock: Their times, if it has any.
        fps: Frames a second as given, if it was.
        uneven: `error`, or `resample` to interpolate between uneven times.
        path: The file.

    Raises:
        FileFormatError: See `rate_of`; also if numbers or times leap too far to be a recording's.
        NotSaidError: If nothing says the rate.

    Warns:
        DataWarning: If frames are missing.
    """
    if clock is None:
        fps = given_fps(fps, path, format="table")
        return _with_left_out(frames, fps, f"fps {fps:g} as given", path)
    rate = rate_of(clock, fps=fps, uneven=uneven)
    if rate.even:
        return _with_left_out(frames, rate.fps, rate.note, path)
    return _resampled(frames, rate, path)


def _with_left_out(frames: Frames, fps: float, note: str, path: Path) -> Steady:
    """Frames whose numbers are left out come in between, missing."""
    steps = frames.steps
    if (steps == 1).all():
        return Steady(
            skeleton=frames.skeleton, labels=frames.labels, fps=fps, notes=(*frames.notes, note)
        )
    places = np.concatenate([[0], np.cumsum(steps)])
    n_frames = int(places[-1]) + 1
    at = int(np.argmax(steps)) + 1
    _check_size(n_frames, len(places), f"{path}, line {frames.lines[at]}: frame numbers leap")
    skeleton = np.full((n_frames, *frames.skeleton.shape[1:]), np.nan, np.float32)
    skeleton[places] = frames.skeleton
    labels = None
    if frames.labels is not None:
        labels = np.full(n_frames, "", dtype=object)
        labels[places] = frames.labels
    missing = f"{n_frames - len(places)} frames whose numbers are left out are missing"
    warnings.warn(f"{path}: {missing}", DataWarning, stacklevel=4)
    notes = (*frames.notes, note, missing)
    return Steady(skeleton=skeleton, labels=labels, fps=fps, notes=notes)


def _resampled(frames: Frames, rate: Rate, path: Path) -> Steady:
    n_frames = int(rate.seconds[-1] * rate.fps) + 1
    _check_size(n_frames, len(rate.seconds), f"{path}: times leap")
    skeleton, nearest = to_even_grid(frames.skeleton, rate.seconds, rate.fps)
    labels = None if frames.labels is None else np.where(nearest < 0, "", frames.labels[nearest])
    note = f"{len(rate.seconds)} frames moved to {len(nearest)} at even steps, by interpolation"
    if paused := int((nearest < 0).sum()):
        missing = f"{paused} frames in pauses longer than {LONGEST_FILLED_S:g} s are missing"
        warnings.warn(f"{path}: {missing}", DataWarning, stacklevel=4)
        note = f"{note}; {missing}"
    notes = (*frames.notes, rate.note, note)
    return Steady(skeleton=skeleton, labels=labels, fps=rate.fps, notes=notes)


def _check_size(n_frames: int, n_rows: int, fault: str) -> None:
    """Before the memory is taken: one wrong number would ask for any amount of it."""
    if n_frames > MOST_PLACES_A_ROW * n_rows + 1000:
        raise FileFormatError(
            f"{fault}, to {n_frames} frames for {n_rows} rows. Mend them, or list their column "
            "under `ignore:` in table.yaml"
        )
