"""Archives from the web, unpacked so that nothing lands outside the folder."""

import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from histvq.errors import FileFormatError, NotWrittenError
from histvq.io.parts.tars import check_size, opened_tar
from histvq.writing import UNWRITABLE, sweep, to_disk, unfinished_prefix

_DAMAGED = (
    OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, NotImplementedError,
    RuntimeError, ValueError, LookupError, lzma.LZMAError, MemoryError, OverflowError, struct.error,
)  # fmt: skip
# Not LZMA: how much memory it takes is up to who packed it.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    folder: bool
    file: bool  # neither of both: a link or a device


def unpack(archive: Path, folder: Path) -> int:
    """Unpack a zip or tar archive into a folder; returns the number of files.

    Files take their places when all are unpacked, so a cut unpacking leaves none behind. Files of
    the same name are replaced; nothing is done where all are there in their sizes.

    Raises:
        FileFormatError: If the archive is damaged, holds links, or names places outside the folder;
            or the disk has no room for it.
        NotWrittenError: If the folder cannot be written to.
    """
    try:
        with _opened(archive) as (packed, members):
            files = _checked(members, archive)
            check_size(sum(file.size for file in files), len(members), archive)
            if not all(_is_there(folder / file.name, file.size) for file in files):
                _check_room(sum(file.size for file in files), folder, archive)
                _extract(packed, files, folder)
    except FileFormatError:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            raise NotWrittenError(error.errno, error.strerror, str(folder)) from error
        raise FileFormatError(
            f"{archive}: cannot be unpacked ({type(error).__name__}: {error}). It may be damaged: "
            "delete it and fetch it again"
        ) from error
    return len(files)


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[zipfile.ZipFile | tarfile.TarFile, list[_Member]]]:
    """The archive, and what it says it holds."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield zipped, _members(zipped)
    else:
        with opened_tar(archive) as (tar, infos):
            yield tar, [_Member(m.name, m.size, m.isdir(), m.isreg()) for m in infos]


def _members(zipped: zipfile.ZipFile) -> list[_Member]:
    members = []
    for info in zipped.infolist():
        if info.compress_type not in _PACKINGS:
            raise ValueError(f"{info.filename!r} is packed in a way that is not read")
        # Archives made on Windows have no mode; those made elsewhere hide links in it.
        kind = stat.S_IFMT(info.external_attr >> 16)
        file = not info.is_dir() and kind in (0, stat.S_IFREG)
        members.append(_Member(info.filename, info.file_size, info.is_dir(), file))
    return members


def _checked(members: Sequence[_Member], archive: Path) -> list[_Member]:
    """The files among the members, if all stay inside and are what they seem."""
    for member in members:
        path = PurePosixPath(member.name)
        outside = path.is_absolute() or ".." in path.parts or set(member.name) & set("\\:\0")
        if outside or not (member.file or member.folder):
            what = "leads out of the folder" if outside else "is a link or a device"
            raise FileFormatError(
                f"{archive}: holds {member.name!r}, which {what}: nothing is unpacked. This is not "
                "the archive it should be; delete it"
            )
    return [member for member in members if member.file]


def _is_there(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _check_room(needed: int, folder: Path, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FileFormatError(
            f"{archive}: unpacked it takes {needed} bytes, and {free} are free. Make room"
        )


def _extract(
    packed: zipfile.ZipFile | tarfile.TarFile, files: Sequence[_Member], folder: Path
) -> None:
    sweep(folder)
    with tempfile.TemporaryDirectory(
        dir=folder, prefix=unfinished_prefix(), suffix=".part"
    ) as made:
        place = Path(made)
        if isinstance(packed, tarfile.TarFile):
            packed.extractall(place, filter="data")
        else:
            packed.extractall(place, [file.name for file in files])
        for file in files:
            to_disk(place / file.name)
        for file in files:
            target = folder / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            (place / file.name).replace(target)
