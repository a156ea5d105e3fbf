"""PRECOG 2016: short martial-arts actions of eight people in front of a Kinect.

Source: D. Jardim, PRECOG Dataset 2016; six scripts of five actions each. The names of the actions were
worked out from the scripts on the dataset's slides.
"""

import tarfile
import warnings
import zlib
from dataclasses import replace
from lzma import LZMAError
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from histvq.annotation import Annotation
from histvq.datasets import Dataset, DatasetInfo, Fingerprint, Source, narrowed
from histvq.errors import DataWarning, FileFormatError
from histvq.io import Readings, ReadProgress, read_many
from histvq.io.parts.tars import opened_tar
from histvq.io.precog import ACTIONS, FPS, JOINTS
from histvq.transforms import centre_on_root

ARCHIVES = (".tar.xz", ".tar.gz", ".tar")
SOURCE = "https://github.com/DavidJardim/precog_dataset_16"
_FILES = (
    "https://raw.githubusercontent.com/DavidJardim/precog_dataset_16/"
    "1ff2c9de2559664b2845d992ed60024a173e2eae/Dataset/CSV"
)
# Bytes of the files of scripts 1 to 6 by people 1 to 8; four more people are no part of the benchmark,
# but for one of their files.
_SIZES = (
    (139_475, 158_137, 128_619, 113_582, 98_463, 164_183, 179_886, 260_962),
    (88_564, 144_478, 127_683, 138_942, 106_348, 181_562, 160_124, 305_902),
    (123_651, 159_901, 113_458, 146_897, 85_809, 170_753, 156_162, 251_066),
    (145_129, 129_833, 93_175, 120_921, 96_539, 138_173, 192_473, 247_399),
    (137_985, 134_614, 113_713, 123_850, 113_185, 160_352, 208_852, 282_188),
    (96_114, 114_138, 136_687, 141_748, 122_347, 178_632, 209_371, 275_053),
)
_EMPTY = "Seq2_10.csv", 25_350


def _files_and_sizes() -> list[tuple[str, int]]:
    files = [
        (f"Seq{script}_{person}.csv", size)
        for script, sizes in enumerate(_SIZES, start=1)
        for person, size in enumerate(sizes, start=1)
    ]
    return [*files, _EMPTY]


INFO = DatasetInfo(
    name="precog16",
    title="Punches and kicks of eight people, Kinect skeletons; actions of half a second to three",
    n_recordings=49,
    n_persons=9,
    n_frames=12_475,
    fps=FPS,
    unit="m",
    joint_names=JOINTS,
    actions=ACTIONS,
    patch_seconds=0.5,
    terms="MIT",
    source=SOURCE,
    citation="D. Jardim, PRECOG Dataset 2016",
    sources=tuple(
        Source(url=f"{_FILES}/{name}", path=name, size=size) for name, size in _files_and_sizes()
    ),
    fingerprint=Fingerprint(
        pattern="Seq*_*.csv",
        n_files=49,
        sha256="44778094665d699bff98f7ce508aa2d23a8d0694664392059690d31aae1fadc1",
    ),
)


def load(
    root: str | Path, *, strict: bool = False, progress: ReadProgress | None = None
) -> Dataset:
    """Load the recordings, centred on the hips.

    One recording, `Seq2_10`, has nothing but zeros: it is kept, all of it missing, and said so. Its
    labels become -1, or every method would be marked down for what nobody could see.

    Units: metres.

    Args:
        root: Folder of `Seq*_*.csv`; or a tar archive of them, or the folder that holds one.
        strict: Stop instead of skipping files, and at the recording without any value.
        progress: As in `histvq.io.read_many`.

    Raises:
        FileFormatError: If there are no such files, or, when strict, one has a fault.
    """
    readings = _read(Path(root), strict=strict, progress=progress)
    for message in (*readings.warnings, *(fault for _, fault in readings.skipped)):
        warnings.warn(message, DataWarning, stacklevel=2)
    labelled = [
        annotation if np.isfinite(recording.skeleton).any() else _unlabelled(annotation)
        for recording, annotation in zip(readings.recordings, readings.annotations, strict=True)
        if annotation is not None
    ]
    actions, annotations = narrowed(labelled)
    notes = [
        f"{a.recording_id}: nothing was measured; its {a.n_frames} labels are not scored"
        for a in annotations
        if (a.labels < 0).all()
    ]
    if len(readings.recordings) < (INFO.n_recordings or 0):
        notes.append(f"{len(readings.recordings)} of {INFO.n_recordings} recordings")
    return Dataset(
        name=INFO.name,
        recordings=tuple(centre_on_root(recording) for recording in readings.recordings),
        annotations=tuple(annotations),
        actions=actions,
        skipped=readings.skipped,
        warnings=readings.warnings,
        notes=tuple(notes),
        activities={r.id: f"script {r.metadata['script']}" for r in readings.recordings},
    )


def _unlabelled(annotation: Annotation) -> Annotation:
    return replace(annotation, labels=np.full(annotation.n_frames, -1))


def _read(root: Path, *, strict: bool, progress: ReadProgress | None) -> Readings:
    """Files as they lie in a folder, or out of an archive."""
    archive = _archive(root)
    if archive is None:
        return read_many(_files(root, root), format="precog", strict=strict, progress=progress)
    with TemporaryDirectory() as folder:
        try:
            with opened_tar(archive) as (packed, members):
                packed.extractall(folder, members, filter="data")
        except (OSError, EOFError, ValueError, tarfile.TarError, LZMAError, zlib.error) as error:
            raise FileFormatError(
                f"{archive}: cannot be unpacked ({error}). It may be cut short: fetch it again"
            ) from error
        readings = read_many(
            _files(Path(folder), archive), format="precog", strict=strict, progress=progress
        )
    # What they were unpacked to is gone; say which file of the archive each was.
    return replace(
        readings,
        recordings=tuple(
            replace(recording, source=f"{archive}/{Path(recording.source or '').name}")
            for recording in readings.recordings
        ),
        skipped=tuple((archive / file.name, why) for file, why in readings.skipped),
    )


def _archive(root: Path) -> Path | None:
    """The archive that is, or alone lies in, this place; None where files lie there."""
    if root.is_file():
        return root
    if not root.is_dir():
        raise FileFormatError(f"{root}: there is no such file or folder. Check the path")
    if any(root.rglob("Seq*_*.csv*")):
        return None
    return next((file for file in sorted(root.iterdir()) if file.name.endswith(ARCHIVES)), None)


def _files(folder: Path, named: Path) -> list[Path]:
    files = sorted(folder.rglob("Seq*_*.csv*"))
    if not files:
        raise FileFormatError(
            f"{named}: no Seq<script>_<person>.csv in it. Get the dataset from {INFO.source}"
        )
    return files
