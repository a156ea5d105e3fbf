"""What a file reader is: how it knows its files, and how it reads one."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from histvq.annotation import Annotation
from histvq.recording import Recording

Pair = tuple[Recording, Annotation | None]


def _always(path: Path) -> bool:
    return True


def _never(path: Path) -> list[Path]:
    return []


def _no(path: Path) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One file format.

    A new format is one file that makes such an object, and one line in `histvq.io.READERS`.

    Attributes:
        description: What people call the format, for error messages.
        read: From a path and options to a recording and, where the file has labels, its annotation.
            Raises FileFormatError; warns with DataWarning where it had to change values.
        suffixes: How its file names end, lower case; more than one dot may stand in one.
        recognises: Whether a file with such a suffix is of this format: from its name and first
            bytes, without reading it whole.
        in_folder: The recordings of a folder that is as a whole of this format; else empty.
        own_suffixes: Those of the suffixes that a stray file hardly has. In a folder, such a file
            that is not recognised is told as a fault; with other suffixes (`.txt`) it is taken for
            a side file and only counted.
        beside: Whether a file is no recording but belongs to one, or gives way to one: its labels, its
            skeleton, its other frames. Asked of every file before `recognises` of any reader.
    """

    description: str
    read: Callable[..., Pair]
    suffixes: tuple[str, ...]
    recognises: Callable[[Path], bool] = _always
    in_folder: Callable[[Path], list[Path]] = _never
    own_suffixes: tuple[str, ...] = ()
    beside: Callable[[Path], bool] = _no

    def knows(self, path: Path) -> bool:
        """Whether this file is of this format."""
        return path.name.lower().endswith(self.suffixes) and self.recognises(path)

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options its `read` takes."""
        return tuple(inspect.signature(self.read).parameters)[1:]

    def __str__(self) -> str:
        return f"{self.description} ({', '.join(self.suffixes)})"


def head(path: Path, n_bytes: int = 256) -> bytes:
    """The first bytes of a file; none where it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(n_bytes)
    except OSError:
        return b""
