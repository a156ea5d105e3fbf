"""What datasets that are prepared from raw files have in common."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from histvq.annotation import Annotation
from histvq.datasets import Dataset, Prepared, narrowed
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import Readings
from histvq.io.layout import write_layout
from histvq.io.npz import write_npz
from histvq.io.parts.file_names import check_file_names
from histvq.recording import Recording

Layout = Literal["npz", "smq"]


def check_choice(option: str, value: object, known: object) -> None:
    """Raise ConfigError unless the value is one of the words of this Literal."""
    if value not in get_args(known):
        raise ConfigError(f"{option}={value!r}: must be one of {get_args(known)}")


def listed(names: Sequence[str], *, shown: int = 10) -> str:
    """The first ten names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def short(recordings: Iterable[Recording], *, patch_seconds: float) -> list[str]:
    """A note of recordings shorter than a patch, if there are any."""
    ids = [r.id for r in recordings if r.duration_s < patch_seconds]
    if not ids:
        return []
    return [f"{len(ids)} recordings shorter than a patch of {patch_seconds:g} s: {listed(ids)}"]


def as_dataset(name: str, readings: Readings, *, notes: Sequence[str]) -> Dataset:
    """Recordings and labels as a dataset; warns of what was changed or skipped.

    Raises:
        FileFormatError: If a file has no labels, as then there is nothing to score against.
    """
    pairs = zip(readings.recordings, readings.annotations, strict=True)
    if bare := [str(recording.source) for recording, annotation in pairs if annotation is None]:
        raise FileFormatError(
            f"{listed(bare)}: no labels in it, and a benchmark needs them in every file. Prepare the "
            f"raw files again with `histvq data prepare {name}`, or take the file out of the folder"
        )
    for message in (*readings.warnings, *(fault for _, fault in readings.skipped)):
        warnings.warn(message, DataWarning, stacklevel=3)
    given: list[Annotation] = [a for a in readings.annotations if a is not None]
    actions, annotations = narrowed(given)
    return Dataset(
        name=name,
        recordings=readings.recordings,
        annotations=tuple(annotations),
        actions=actions,
        skipped=readings.skipped,
        warnings=readings.warnings,
        notes=tuple(notes),
    )


def write_prepared(
    out: Path, readings: Readings, *, layout: Layout, notes: Sequence[str]
) -> Prepared:
    """Write all of them, as `.npz` of our own or in the folder layout of SMQ.

    Raises:
        FileFormatError: If an id cannot be a file's name.
        ConfigError: If the layout has no place for what is missing.
    """
    if layout == "smq":
        write_layout(out, readings.recordings, readings.annotations)
    else:
        check_file_names(recording.id for recording in readings.recordings)
        for recording, annotation in zip(readings.recordings, readings.annotations, strict=True):
            write_npz(out / f"{recording.id}.npz", recording, annotation)
    return Prepared(
        folder=out,
        n_recordings=len(readings.recordings),
        n_frames=sum(recording.n_frames for recording in readings.recordings),
        skipped=readings.skipped,
        warnings=readings.warnings,
        notes=tuple(notes),
    )
