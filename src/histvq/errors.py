"""Errors that say what was wrong, where, and how to mend it."""

import difflib
import errno
from collections.abc import Iterable


class HistvqError(Exception):
    """Base of every error this package raises on purpose."""


class FileFormatError(HistvqError, ValueError):
    """A file does not hold what its format promises."""


class ConfigError(HistvqError, ValueError):
    """A setting is unknown, out of bounds, or at odds with another or with the data."""


class CheckpointMismatch(ConfigError):
    """A checkpoint belongs to a training with other settings, or of other data."""


class DamagedCheckpoint(FileFormatError):
    """A checkpoint cannot be read."""


class NotFittedError(HistvqError, ValueError, AttributeError):
    """A method was asked for an answer before it was fitted."""


class TrainingError(HistvqError, RuntimeError):
    """Training cannot go on."""


class ProcessLost(TrainingError):
    """One of several processes that train together has ended."""


_ELSEWHERE = "choose another place (-o)"
_ROOM = f"make room, or {_ELSEWHERE}"
_WHY = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("no more may be stored there, the quota is used up", _ROOM),
    errno.EFBIG: ("it is larger than files may be there", _ELSEWHERE),
    errno.EROFS: ("that place is read-only", _ELSEWHERE),
    errno.EACCES: ("writing there is not permitted", _ELSEWHERE),
    errno.EPERM: ("writing there is not permitted", _ELSEWHERE),
    errno.ENOENT: ("its folder is gone", f"see whether its disk is still there, or {_ELSEWHERE}"),
    errno.ENOTDIR: ("a file is where its folder should be", _ELSEWHERE),
    errno.EEXIST: ("a file is where its folder should be", _ELSEWHERE),
    errno.EISDIR: ("a folder of that name is there", _ELSEWHERE),
    errno.ENODEV: ("a device of that name is there, no file", _ELSEWHERE),
    errno.ENAMETOOLONG: ("that name is too long", "choose a shorter one"),
    errno.EIO: ("the disk reports a fault", f"{_ELSEWHERE}, and have that disk looked at"),
}


class NotWrittenError(OSError):
    """A file could not be written; says which, why, and how to mend it.

    What was there under its name is as it was.

    Attributes:
        again: What to do once it is mended.
    """

    again = "give the command again"

    def __str__(self) -> str:
        why, mend = _WHY.get(self.errno or 0, (self.strerror, _ELSEWHERE))
        return f"{self.filename} cannot be written: {why}; {mend}, then {self.again}"


class Stopped(KeyboardInterrupt):
    """Somebody asked to stop, by Ctrl-C or SIGTERM; the message says what was kept.

    Attributes:
        signal: Its number.
    """

    def __init__(self, message: str, *, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class DataWarning(UserWarning):
    """Something in the data was changed, left out or looks wrong; the message says what and where."""


_NO_MEMORY = ("can't allocate memory", "cannot allocate memory", "out of memory")


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python and numpy say so by the error's type, PyTorch in words."""
    if isinstance(error, MemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in _NO_MEMORY)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the closest of the known names, else the whole list."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"
