"""Our own file: one recording and its annotation, without loss, as a NumPy archive."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.errors import ConfigError, FileFormatError
from histvq.io.parts.archive import DAMAGED, Archive, opened
from histvq.io.parts.reader import Pair, Reader, head
from histvq.recording import Recording
from histvq.writing import written_whole

VERSION = 1
_HEADER = "histvq_header"
_TUPLES = ("joint_names", "channel_names", "parents", "joint_persons", "history")


def write_npz(path: str | Path, recording: Recording, annotation: Annotation | None = None) -> None:
    """Write a recording, with its annotation if there is one; `read_npz` gives it back.

    The archive holds `histvq_header` (JSON as UTF-8 bytes: format version, and everything but the
    arrays), `skeleton` (frame, joint, channel) and, with an annotation, `labels`. Motion in whole
    16-bit numbers is stored as int16, half the size; it comes back as float32, bit for bit.

    Raises:
        ConfigError: If the metadata hold something JSON cannot, or the annotation is of another
            recording or not one label a frame.
    """
    arrays = {"skeleton": _compact(recording.skeleton)}
    if annotation is not None:
        if annotation.recording_id != recording.id:
            raise ConfigError(
                f"the annotation is of {annotation.recording_id!r}, the recording is "
                f"{recording.id!r}: give the ones that belong together"
            )
        if annotation.n_frames != recording.n_frames:
            raise ConfigError(
                f"recording {recording.id!r}: {annotation.n_frames} labels for "
                f"{recording.n_frames} frames; give one label a frame"
            )
        arrays["labels"] = annotation.labels
    header = np.frombuffer(_header(recording, annotation).encode(), np.uint8)
    with written_whole(Path(path)) as file:
        # The header goes first: `_recognises` finds its name in the first bytes.
        np.savez_compressed(file, **{_HEADER: header, **arrays})  # type: ignore[arg-type]


def read_npz(path: str | Path) -> Pair:
    """Read what `write_npz` wrote.

    The recording's source is the file read; the source it had when it was written, if any, stands
    in its metadata as `original_source`.

    Raises:
        FileFormatError: If the file is damaged, not one of ours, or of a newer version, or has not
            one label a frame.
    """
    path = Path(path)
    with opened(path) as archive:
        if _HEADER not in archive.names:
            raise FileFormatError(
                f"{path}: an .npz without {_HEADER!r}, so histvq did not write it. Load its "
                "arrays with numpy and make a Recording of them"
            )
        try:
            header = json.loads(archive.array(_HEADER, shape=[None], kinds="u").tobytes())
            _check_version(header["version"], path=path)
            recording = _recording(header["recording"], archive, path=path)
            annotation = _annotation(header, archive)
        except FileFormatError as error:
            raise (
                error if str(path) in str(error) else FileFormatError(f"{path}: {error}")
            ) from error
        except (*DAMAGED, AttributeError) as error:
            raise FileFormatError(
                f"{path}: a damaged .npz ({type(error).__name__}: {error}). It may be cut short: fetch "
                "or write it again"
            ) from error
    if annotation is not None and annotation.n_frames != recording.n_frames:
        raise FileFormatError(
            f"{path}: {recording.n_frames} frames but {annotation.n_frames} labels. Labels and "
            "motion must be of the same frames: write it again"
        )
    return recording, annotation


def _header(recording: Recording, annotation: Annotation | None) -> str:
    about: dict[str, Any] = {
        field.name: getattr(recording, field.name)
        for field in fields(recording)
        if field.name != "skeleton"
    }
    about["metadata"] = dict(recording.metadata)
    labels = None if annotation is None else {"actions": annotation.actions, "fps": annotation.fps}
    try:
        return json.dumps(
            {"version": VERSION, "recording": about, "annotation": labels}, default=_plain
        )
    except TypeError as error:
        raise ConfigError(
            f"recording {recording.id!r}: metadata cannot be written as JSON ({error}); keep to "
            "text, numbers, lists and dictionaries"
        ) from error


def _plain(value: object) -> object:
    """NumPy's numbers and arrays as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{value!r} of type {type(value).__name__}")


def _check_version(version: object, *, path: Path) -> None:
    if not isinstance(version, int) or version > VERSION:
        raise FileFormatError(
            f"{path}: format version {version}, but this histvq reads up to {VERSION}: update it"
        )


def _recording(about: dict[str, Any], archive: Archive, *, path: Path) -> Recording:
    plain = {name: None if about[name] is None else tuple(about[name]) for name in _TUPLES}
    with np.errstate(over="ignore", invalid="ignore"):  # the recording refuses what is infinite
        skeleton = archive.array("skeleton", shape=[None] * 3).astype(np.float32)
    before = about["source"]
    origin = {} if before in (None, str(path)) else {"original_source": before}
    return Recording(
        **{
            **about,
            **plain,
            "metadata": {**origin, **about["metadata"]},
            "source": str(path),
            "skeleton": skeleton,
        }
    )


def _annotation(header: dict[str, Any], archive: Archive) -> Annotation | None:
    about = header["annotation"]
    if about is None:
        return None
    return Annotation(
        recording_id=header["recording"]["id"],
        labels=archive.array("labels", shape=[None], kinds="iu"),
        actions=tuple(about["actions"]),
        fps=about["fps"],
    )


def _compact(skeleton: np.ndarray) -> np.ndarray:
    """The array as int16 where that loses nothing, not even the sign of a zero."""
    limits = np.iinfo(np.int16)
    if not skeleton.size or not np.isfinite(skeleton).all():
        return skeleton
    if skeleton.min() < limits.min or skeleton.max() > limits.max:
        return skeleton
    small = skeleton.astype(np.int16)
    same = small.astype(np.float32).tobytes() == np.ascontiguousarray(skeleton).tobytes()
    return small if same else skeleton


def _recognises(path: Path) -> bool:
    return f"{_HEADER}.npy".encode() in head(path)


READER = Reader(
    description="histvq's own",
    read=read_npz,
    suffixes=(".npz",),
    recognises=_recognises,
    own_suffixes=(".npz",),
)
