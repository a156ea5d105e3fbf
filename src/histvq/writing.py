"""Files that are either whole or not there, whatever stops the program or fills the disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# How files are named while they are being written.
UNFINISHED = ".*.part"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A place beside the file to write to; what is there at the end takes the file's place.

    Who looks finds the old file or the new one, never half of it. What is written has reached the disk
    before it takes the old file's place, so a machine that loses power leaves one of the two as well.

    Args:
        path: The file; its folder is made where it does not exist.

    Raises:
        OSError: If it cannot be written; names the file. The old one is as it was.
    """
    # The process number keeps two writers of one folder apart.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _flush(part)
        part.replace(path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, part, str(part)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):  # what went wrong before says more
            part.unlink(missing_ok=True)
    with suppress(OSError):  # not every system can flush a folder
        _flush(path.parent)


def atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Call `write` with the place `beside` the file; returns the file."""
    with beside(path) as part:
        write(part)
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write bytes to, which takes its place under its name only when it is complete."""
    with beside(path) as part, part.open("wb") as file:
        yield file


def write_text(path: Path, text: str) -> Path:
    """Write a text as UTF-8, whole or not at all; returns the file."""
    with written_whole(path) as file:
        file.write(text.encode("utf-8", errors="replace"))
    return path


def _flush(place: Path) -> None:
    """See that it has reached the disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
