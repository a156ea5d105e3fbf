"""Reads altered files one by one, in a process that may be killed for it; tells what came of each."""

import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.fuzz.targets import Target, targets

# What reading a file must never do; `open` for writing is allowed in the folder of the case alone.
FORBIDDEN = {
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "subprocess.Popen",
    "pty.spawn",
    "socket.connect",
    "socket.bind",
    "urllib.Request",
    "ctypes.dlopen",
    "pickle.find_class",
    "code.__new__",
    "os.link",
    "os.symlink",
    "shutil.copyfile",
    "marshal.loads",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class ForbiddenError(BaseException):
    """Something was tried that no file may make the program do; BaseException, so nobody swallows it."""


class Guard:
    """Watches, while a file is read, what Python does; whatever is forbidden is stopped and noted."""

    def __init__(self, folder: Path) -> None:
        self.allowed = (str(folder), "/dev/null")
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        writes = event == "open" and isinstance(args[2], int) and bool(args[2] & WRITES)
        writes |= event in (
            "os.chmod",
            "os.chown",
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.truncate",
        )
        # A relative path is one in the case's own folder, where the process is.
        outside = (
            writes and str(args[0]).startswith("/") and not str(args[0]).startswith(self.allowed)
        )
        if outside or (event in FORBIDDEN and not _is_import(event)):
            self.seen.append(f"{event} {str(args)[:200]}")
            raise ForbiddenError(self.seen[-1])


def _is_import(event: str) -> bool:
    """Whether Python itself is at work: loading its own compiled modules, and libraries of them."""
    if event not in ("marshal.loads", "ctypes.dlopen", "code.__new__"):
        return False
    frame: Any = sys._getframe(2)
    while frame is not None:
        if "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def work(name: str, first: int, last: int, seed: int, memory: int, told: Connection) -> None:
    """Cases `first` to `last` of a target; sends (case, outcome, detail, seconds, bytes) of each.

    Args:
        name: Of the target.
        first: Number of the first case.
        last: Number after the last.
        seed: Of all cases; a case's bytes follow from it and the number.
        memory: Bytes that may be taken beyond what the program takes before any case.
        told: Where to.
    """
    import time

    target = targets()[name]
    sys.setrecursionlimit(1000)
    with _ready(target, memory) as (folder, path, guard):
        good = path.read_bytes()
        for case in range(first, last):
            told.send((case, "making", "", 0.0, 0))
            data = target.alter(good, random.Random(f"{name} {seed} {case}"))
            path.write_bytes(data)
            before = _forget_peak()
            told.send((case, "begun", str(path), 0.0, 0))
            started = time.perf_counter()
            outcome, detail = _outcome(target, path, guard)
            seconds = time.perf_counter() - started
            told.send((case, outcome, detail, seconds, max(_peak() - before, 0)))
            if left := list((folder / "here").rglob("*")):
                told.send((case, "finding", f"left behind: {left[0]}", seconds, 0))
                shutil.rmtree(folder / "here")
                _new(folder / "here")


def read_again(name: str, data: bytes, memory: int, told: Connection) -> None:
    """What comes of a case whose bytes are there already; sends (outcome, detail).

    HDF5 also makes the cases: what ends the process may have been broken while one was made.
    """
    target = targets()[name]
    with _ready(target, memory) as (_, path, guard):
        path.write_bytes(data)
        told.send(_outcome(target, path, guard))


@contextmanager
def _ready(target: Target, memory: int) -> Iterator[tuple[Path, Path, Guard]]:
    """A folder to work in, the good file, read once, and a guard; from here on memory is limited."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        guard = Guard(folder)
        os.chdir(_new(folder / "here"))
        tempfile.tempdir = str(_new(folder / "temporary"))
        path = target.make(_new(folder / "case"))
        warm = _outcome(target, path, guard)
        if warm[0] not in ("read", "warned"):
            raise RuntimeError(f"the good file is {warm}")
        resource.setrlimit(resource.RLIMIT_AS, (_virtual() + memory, resource.RLIM_INFINITY))
        yield folder, path, guard


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _outcome(target: Target, path: Path, guard: Guard) -> tuple[str, str]:
    """What came of reading: read, warned, refused, or a finding and where it came from."""
    from histvq.errors import DataWarning, HistvqError

    guard.on, guard.seen = True, []
    sys.unraisablehook = lambda left: guard.seen.append(f"left to Python: {left.exc_value!r}")
    found: tuple[str, str] = ("read", "")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            target.read(path)
        except HistvqError as error:
            found = "refused", ""
            causes = _causes(error)
            if any(isinstance(cause, MemoryError) for cause in causes):
                found = "finding", f"memory asked for in vain: {_where(causes[-1])}"
            elif not str(error):
                found = "finding", f"an error without words: {_where(error)}"
        except BaseException as error:
            found = "finding", _where(error)
        finally:
            guard.on = False
    if guard.seen:
        found = "finding", f"forbidden: {guard.seen[0]}"
    ours = (DataWarning, RuntimeWarning) if target.any_numbers else DataWarning
    strange = [w for w in caught if not issubclass(w.category, ours)]
    if strange and found[0] != "finding":
        found = (
            "finding",
            f"stray warning: {strange[0].category.__name__}: {str(strange[0].message)[:100]}",
        )
    elif caught and found[0] == "read":
        found = "warned", ""
    return found


def _causes(error: BaseException) -> list[BaseException]:
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and inner not in causes:
        causes.append(inner)
    return causes


def _where(error: BaseException) -> str:
    """The error and the last lines of ours it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(f.filename).name}:{f.lineno}" for f in frames if "histvq" in f.filename][-3:]
    return f"{type(error).__name__}: {str(error)[:150]} ({' > '.join(ours)})"


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def _virtual() -> int:
    return _status("VmSize")


def _peak() -> int:
    return _status("VmHWM")


def _forget_peak() -> int:
    """Begin to measure the most memory anew; returns what is taken now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")
