"""Takes out of NumPy files: every array that has an axis as long as the recording is cut there."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from histvq.clips.cutter import CannotCutError, Cutter
from histvq.recording import Recording


def arrays(recording: Recording, options: Mapping[str, Any]) -> Cutter:
    """Arrays without such an axis, as a rate or names, go along whole.

    Raises:
        CannotCutError: If no array has such an axis, or one has several, for then which one counts
            frames is not known.
    """
    path = Path(recording.source or "")
    stored = _loaded(path)
    axes = {name: _frame_axis(name, array, recording.n_frames) for name, array in stored.items()}
    if all(axis is None for axis in axes.values()):
        raise CannotCutError(f"no array has an axis of {recording.n_frames} frames")

    def cut(start: int, stop: int) -> dict[str, bytes]:
        parts = {
            name: array if (axis := axes[name]) is None else array.take(range(start, stop), axis)
            for name, array in stored.items()
        }
        file = io.BytesIO()
        if path.suffix.lower() == ".npz":
            np.savez_compressed(file, **parts)  # type: ignore[arg-type]
        else:
            np.save(file, next(iter(parts.values())))
        return {path.suffix.lower(): file.getvalue()}

    return cut


def _loaded(path: Path) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CannotCutError(f"{path.name} cannot be loaded ({error})") from error


def _frame_axis(name: str, array: np.ndarray, n_frames: int) -> int | None:
    axes = [axis for axis, length in enumerate(array.shape) if length == n_frames]
    if len(axes) > 1:
        raise CannotCutError(f"array {name!r} has {len(axes)} axes of {n_frames}")
    return axes[0] if axes else None
