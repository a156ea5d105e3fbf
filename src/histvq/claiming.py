"""Folders that results go to: one run at a time, and what a run that was stopped left in them."""

import shlex
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from warnings import warn

from filelock import FileLock, Timeout

from histvq.errors import ConfigError, DataWarning
from histvq.remote import shown
from histvq.writing import make_folder, remove, sweep, write_text

# Any of these in a folder means that somebody's results are in it.
RESULTS = ("config.yaml", "metrics.jsonl", "model", "model.json", "segments.csv")

# A training that is not over; and, for people, that what is in the folder is not all there will be.
TRAINING, UNFINISHED = "training.safetensors", "unfinished.txt"
LOCK = ".lock"


def claim(folder: str | Path, *, overwrite: bool) -> Path:
    """A folder to write results to, made here.

    Args:
        folder: The folder.
        overwrite: Whether results in it may be replaced. Those of a run that was stopped always may.

    Raises:
        ConfigError: If it holds results already and is not to be overwritten.
        NotWrittenError: If it cannot be written to.
    """
    folder = Path(folder)
    there = {name for name in (*RESULTS, UNFINISHED) if (folder / name).exists()}
    check_free(folder, there, overwrite=overwrite)
    return make_folder(folder)


def check_free(folder: str | Path, there: Collection[str], *, overwrite: bool) -> None:
    """Raise ConfigError if these names in a folder are results that are not to be overwritten."""
    if not overwrite and UNFINISHED not in there and any(name in there for name in RESULTS):
        raise ConfigError(
            f"{folder} holds results already; choose another folder, or replace them with --overwrite"
        )


@contextmanager
def under_way(folder: Path) -> Iterator[None]:
    """While this lasts the folder is ours alone, and says that it is not finished.

    It goes on saying so if this ends with an error, unless nothing in it has changed. Within itself it
    does nothing more.

    Raises:
        ConfigError: If another process is at work in the folder.

    Warns:
        DataWarning: If its file system knows no locks.
    """
    lock = FileLock(folder / LOCK, timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"{folder}: another run is at work there; wait until it is over, or choose another folder. "
            f"If there is none, delete {folder / LOCK}"
        ) from None
    except (OSError, NotImplementedError) as error:
        warn(
            f"{folder}: its file system cannot lock ({error}); see to it that no other run writes there",
            DataWarning,
            stacklevel=3,
        )
    try:
        if lock.lock_counter > 1:
            yield
            return
        sweep(folder)
        before, stopped = _stamps(folder), (folder / UNFINISHED).exists()
        write_text(folder / UNFINISHED, _words())
        try:
            yield
        except BaseException:
            if _stamps(folder) == before and not stopped:
                (folder / UNFINISHED).unlink(missing_ok=True)
            raise
        for name in (TRAINING, UNFINISHED):  # in this order: it is finished last
            remove(folder / name)
    finally:
        lock.release()


def _stamps(folder: Path) -> dict[str, int]:
    """When results in a folder were written, and what a run that was stopped would go on from."""
    places = {name: folder / name for name in (*RESULTS, TRAINING)}
    return {name: at.stat().st_mtime_ns for name, at in places.items() if at.exists()}


def _words() -> str:
    command = ""
    if Path(sys.argv[0]).parent.name == "histvq" or Path(sys.argv[0]).stem == "histvq":
        command = f"\n    histvq {shlex.join(map(shown, sys.argv[1:]))}\n"
    return (
        "What is in this folder is being made, or was stopped on the way. The same command goes on from "
        f"where it was.\n{command}"
    )
