"""Files that are either whole or not there, whatever stops the program or fills the disk.

All that is written goes to a place beside the file first, and from there to the disk; then it takes the
file's name in one step (rename). Who looks, finds the old file or the new one, never half of it; so does
who comes back after a loss of power.
"""

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from histvq.errors import NotWrittenError

# How files are named while they are being written; only a program that was killed leaves any.
UNFINISHED = ".histvq-*-*.part"

# What can be wrong with the place alone, never with what is written, nor with a file that is read.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
# What a file system says that cannot do it at all.
_CANNOT = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


@contextmanager
def beside(path: str | Path) -> Iterator[Path]:
    """A place beside the file to write to; what is there at the end takes the file's place.

    For what other programs write; what we write ourselves goes to `written_whole`.

    Args:
        path: The file; its folder is made where it does not exist. Where it is a link, what it leads to
            is written. Who may read the old file may read the new one, and nobody else.

    Raises:
        NotWrittenError: If it cannot be written. The old one is as it was.
    """
    with _in_place_of(Path(path)) as part:
        yield part
        to_disk(part)


@contextmanager
def written_whole(path: str | Path, *, lasting: bool = True) -> Iterator[IO[bytes]]:
    """A file to write bytes to, which takes its place under its name only when it is complete.

    Args:
        path: The file.
        lasting: Wait until it has reached the disk, which takes longer than to write a small file. Not
            for what is made anew where it is found damaged: after a loss of power it may be.

    Raises:
        NotWrittenError: If it cannot be written. The old one is as it was.
    """
    with _in_place_of(Path(path), lasting=lasting) as part, open(part, "xb") as file:
        yield file
        if lasting:
            _to_disk(file)


def atomically(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Call `write` with the place `beside` the file; returns the file."""
    with beside(path) as part:
        write(part)
    return Path(path)


def write_text(path: str | Path, text: str) -> Path:
    """Write a text as UTF-8, whole or not at all; returns the file."""
    return write_bytes(path, text.encode("utf-8", errors="replace"))


def write_bytes(path: str | Path, content: bytes, *, lasting: bool = True) -> Path:
    """Write bytes, whole or not at all; returns the file. `lasting` as for `written_whole`."""
    with written_whole(path, lasting=lasting) as file:
        file.write(content)
    return Path(path)


@contextmanager
def growing(
    path: str | Path, *, again: str = NotWrittenError.again
) -> Iterator[Callable[[str], None]]:
    """A way to write on to a file that is there, for who reads it while it grows.

    This is the one file written in place. Every call writes whole lines at once; where there is no room
    for all of them, the file is cut back to what it held before, so that it always ends with a line.
    Only a loss of power can leave a part of one.

    Args:
        path: The file.
        again: What to do where it cannot be written, once that is mended.

    Raises:
        NotWrittenError: If it cannot be written; what was written before is in it.
    """
    path = Path(path)
    try:
        file = open(path, "ab", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise _told(error, path, path) from error
    with file:

        def write(lines: str) -> None:
            whole, rest = file.tell(), lines.encode("utf-8", errors="replace")
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError as error:
                with suppress(OSError):
                    file.truncate(whole)
                told = _told(error, path, path)
                if isinstance(told, NotWrittenError):
                    told.again = again
                raise told from error

        yield write


@contextmanager
def together(folder: str | Path, names: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write files to, which take their places in `folder` when all of them are written.

    So what fills the disk or fails half-way leaves the old ones, all of them. Only who kills the program
    between two renames sees old and new side by side.

    Args:
        folder: Where the files go; made where it does not exist.
        names: In which order; of these, one that is not written is removed from `folder`. By name, and
            none is removed, if nothing is said.

    Raises:
        NotWrittenError: If they cannot be written.
    """
    folder = Path(folder)
    place, ours = _unfinished(folder), not folder.exists()
    try:
        place.mkdir(parents=True)
        yield place
        for name in names or sorted(file.name for file in place.iterdir()):
            if (place / name).exists():
                _put(place / name, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise _told(error, folder, place) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if ours:
            with suppress(OSError):
                folder.rmdir()  # unless there is something in it
    _folder_to_disk(folder)


def remove(path: str | Path) -> None:
    """Remove a file, if it is there.

    Raises:
        NotWrittenError: If it cannot be.
    """
    path = Path(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _told(error, path, path) from error


def make_folder(folder: str | Path) -> Path:
    """Make a folder, unless it is there, and see that something can be written in it.

    Raises:
        NotWrittenError: If not.
    """
    part = _unfinished(Path(folder))
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "xb") as file:
            file.write(b"\n" * 4096)  # a full disk often has room for a name still
            _to_disk(file)
    except OSError as error:
        raise _told(error, Path(folder), part) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Path(folder)


def sweep(folder: str | Path) -> list[Path]:
    """Remove what processes that are no more left half-written in a folder and the folders in it.

    Returns:
        What was removed.
    """
    left = []
    for part in (part for way in ("", "*/") for part in Path(folder).glob(way + UNFINISHED)):
        writer = re.fullmatch(r"\.histvq-(\d+)-\w+\.part", part.name)
        if writer and not _lives(int(writer[1])):
            left.append(part)
    for part in left:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return left


def _lives(process: int) -> bool:
    """Whether there is a process of that number on this machine; if in doubt, yes."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def _in_place_of(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    target = Path(os.path.realpath(path))
    part = _unfinished(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _put(part, target)
    except OSError as error:
        raise _told(error, path, part) from error
    finally:
        with suppress(OSError):  # what went wrong before says more
            part.unlink(missing_ok=True)
    if lasting:
        _folder_to_disk(target.parent)


def _unfinished(folder: Path) -> Path:
    """A place that no other thread, process or machine writes to."""
    return folder / f"{unfinished_prefix()}{os.urandom(8).hex()}.part"


def unfinished_prefix() -> str:
    """How the names of unfinished files of this process begin; by its number `sweep` knows them."""
    return f".histvq-{os.getpid()}-"


def _put(part: Path, target: Path) -> None:
    """Let what is written take its place, with the rights of the old file if there is one."""
    if target.exists():
        # A rename would not ask whether the file is protected, or is a device.
        if target.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(part))
        if not target.is_file():
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), str(part))
        if not os.access(target, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(part))
        with suppress(OSError):  # not every file system knows rights
            shutil.copymode(target, part)
    part.replace(target)


def _told(error: OSError, path: Path, part: Path) -> OSError:
    """The error in words of the file that was to be written; as it is, if it is about another."""
    named = error.filename
    about = Path(os.fsdecode(named)) if isinstance(named, str | bytes | os.PathLike) else part
    if about.is_relative_to(part):
        path /= about.relative_to(part)  # of files written together, the one
    elif isinstance(error, NotWrittenError) or about not in (path, *path.parents, *part.parents):
        return error
    return NotWrittenError(error.errno, error.strerror or str(error), str(path))


def to_disk(path: Path) -> None:
    """See that what another program wrote has reached the disk."""
    with path.open("rb+") as file:
        _to_disk(file)


def _to_disk(file: IO[bytes]) -> None:
    """See that it has reached the disk."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def _folder_to_disk(folder: Path) -> None:
    """See that names have reached the disk, where the system can do it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
