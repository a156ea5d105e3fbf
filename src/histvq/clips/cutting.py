"""One take as a file of its own: in its source's format where that can be cut, else as our `.npz`."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.clips.cutter import CannotCutError, Cutter
from histvq.clips.takes import Take
from histvq.errors import HistvqError, NotWrittenError
from histvq.io import find_reader, read
from histvq.io.npz import write_npz
from histvq.recording import Recording
from histvq.registry import resolve
from histvq.transforms import split_people
from histvq.writing import together, write_bytes

# Formats that are cut; each has a function that makes the `Cutter` of a recording's file.
CUTTERS = {
    "acclaim": "histvq.clips.lines:acclaim",
    "amass": "histvq.clips.arrays:arrays",
    "arrays": "histvq.clips.arrays:arrays",
    "bvh": "histvq.clips.lines:bvh",
    "deeplabcut": "histvq.clips.lines:deeplabcut",
    "precog": "histvq.clips.lines:precog",
    "table": "histvq.clips.lines:table",
    "trc": "histvq.clips.lines:trc",
}
OURS = "histvq"

# What may go wrong with a file that is not laid out as its cutter expects, though its reader took it.
_UNEXPECTED = (HistvqError, OSError, LookupError, ValueError)


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """A recording, and how it was read.

    Attributes:
        recording: As it was read.
        format: Name of its file's format.
        annotation: Its true labels, if any.
        options: What readers were told, as `unit`; each takes those it knows.
        named: Whether the format was named, not found out.
    """

    recording: Recording
    format: str
    annotation: Annotation | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False

    def read(self, path: Path) -> Recording:
        """A clip, read as its source was, without a word."""
        known = find_reader(self.format).options
        options = {name: value for name, value in self.options.items() if name in known}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path, self.format if self.named else None, **options)[0]

    def part(self, take: Take, *, id: str) -> tuple[Recording, Annotation | None]:
        """The frames of a take, and their labels where there is one a frame."""
        frames = slice(take.start, take.stop)
        recording = self.recording.noted(
            f"frames {take.start} to {take.stop} of {self.recording.id!r}",
            id=id,
            skeleton=self.recording.skeleton[frames],
        )
        truth = self.annotation
        if truth is None or truth.n_frames != self.recording.n_frames:
            return recording, None
        return recording, replace(truth, recording_id=id, labels=truth.labels[frames])


def cutter_of(origin: Origin) -> Cutter | str:
    """What cuts the recording's file, or why nothing does; empty for our own format."""
    if origin.format == OURS:
        return ""
    if origin.format not in CUTTERS:
        return f"written as .npz: {origin.format} files are not cut"
    try:
        return resolve(origin.format, CUTTERS, kind="cutter")(origin.recording, origin.options)
    except _UNEXPECTED as error:
        return f"written as .npz: not cut as {origin.format}: {_in_short(error)}"


def write_take(
    folder: Path, stem: str, take: Take, origin: Origin, cutter: Cutter | str
) -> tuple[Path, str]:
    """Write one take; its file, and why it is our `.npz` and not of its source's format, if so.

    A cut file is read again before it is kept: it must give the very numbers of the take.
    """
    reason = cutter
    if not isinstance(cutter, str):
        try:
            return _cut(folder, stem, take, origin, cutter), ""
        except NotWrittenError:
            raise
        except _UNEXPECTED as error:
            reason = f"written as .npz: not cut as {origin.format}: {_in_short(error)}"
    path = folder / f"{stem}.npz"
    write_npz(path, *origin.part(take, id=stem))
    return path, str(reason)


def _cut(folder: Path, stem: str, take: Take, origin: Origin, cutter: Cutter) -> Path:
    contents = cutter(take.start, take.stop)
    names = [f"{stem}{ending}" for ending in contents]
    with together(folder) as place:
        for name, content in zip(names, contents.values(), strict=True):
            write_bytes(place / name, content)
        _check(origin.read(place / names[0]), take, origin.recording)
    return folder / names[0]


def _check(found: Recording, take: Take, source: Recording) -> None:
    """Raise unless a clip holds the frames of the take, of all people in the file or of one."""
    wanted = source.skeleton[take.start : take.stop]
    people = [found] if source.joint_names == found.joint_names else split_people(found)
    for one in people:
        if one.joint_names == source.joint_names and np.array_equal(
            one.skeleton, wanted, equal_nan=True
        ):
            if abs(one.fps / source.fps - 1) > 0.01:
                raise CannotCutError(f"read again, it has {one.fps:g} frames a second")
            return
    raise CannotCutError("read again, a part of it gives other numbers than the whole")


def _in_short(error: Exception) -> str:
    """The first sentence of what went wrong, on one line."""
    return " ".join(str(error).split()).split(". ")[0][:200] or type(error).__name__
