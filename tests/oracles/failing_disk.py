"""A disk that fails at the n-th thing asked of it, or takes the program with it."""

import errno
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from histvq import writing

# By what is asked: what systems answer when they cannot.
FAULTS = {
    "open": (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT),
    "write": (errno.ENOSPC, errno.EIO, errno.EDQUOT),
    "fsync": (errno.EIO, errno.ENOSPC),
    "close": (errno.EIO, errno.ENOSPC),
    "rename": (errno.EACCES, errno.EIO, errno.ENOSPC),
    "mkdir": (errno.EROFS, errno.EACCES, errno.ENOSPC),
}


class Killed(BaseException):
    """The program is no more: nothing that comes after it is done."""


class Disk:
    """Counts what is asked of the disk; at `at` answers with an error, or with the program's end.

    Attributes:
        asked: What was asked, in order.
    """

    def __init__(self, at=None, *, kill=False, variant=0, part=0):
        self.at, self.kill, self.variant, self.part = at, kill, variant, part
        self.asked = []
        self.dead = False

    def ask(self, what, path=None):
        """Raise where it is time to; True if this is where writing fails."""
        if self.dead:
            raise Killed
        self.asked.append(what)
        if len(self.asked) - 1 != self.at:
            return
        if self.kill:
            self.dead = True
            raise Killed
        codes = FAULTS[what]
        code = codes[self.variant % len(codes)]
        # Files that are open are not named in what the system says.
        named = () if what in ("write", "fsync", "close") else (str(path),)
        raise OSError(code, os.strerror(code), *named)

    def still_here(self):
        if self.dead:
            raise Killed

    @contextmanager
    def in_place(self, monkeypatch):
        """Everything that writes goes to this disk."""
        with monkeypatch.context() as patch:
            patch.setattr(writing, "open", self._open, raising=False)
            patch.setattr(os, "fsync", self._before(lambda descriptor: None, "fsync"))
            patch.setattr(Path, "replace", self._before(Path.replace, "rename"))
            patch.setattr(Path, "mkdir", self._before(Path.mkdir, "mkdir"))
            patch.setattr(Path, "unlink", self._before(Path.unlink, None))
            patch.setattr(shutil, "rmtree", self._before(shutil.rmtree, None))
            yield self

    def _before(self, done, what):
        def faulty(*args, **kwargs):
            self.still_here()
            if what is not None:
                self.ask(what, args[0])
            return done(*args, **kwargs)

        return faulty

    def _open(self, path, mode, buffering=-1):
        self.ask("open", path)
        raw = _Raw(path, mode.replace("b", ""), self)
        return raw if buffering == 0 else io.BufferedWriter(raw, buffer_size=512)


class _Raw(io.FileIO):
    """A file on that disk: of what it cannot take, it takes a part."""

    def __init__(self, path, mode, disk):
        super().__init__(path, mode)
        self.disk = disk

    def write(self, content):
        try:
            self.disk.ask("write")
        except BaseException:
            super().write(memoryview(content)[: self.disk.part])
            raise
        return super().write(content)

    def close(self):
        if self.closed:
            return
        super().close()
        self.disk.ask("close")

    def truncate(self, size=None):
        self.disk.still_here()
        return super().truncate(size)
