"""Results at an address: whole or not at all, as `histvq.writing` does for files of this machine."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from histvq.errors import DataWarning, NotWrittenError
from histvq.remote.address import shown
from histvq.remote.copying import Copies, NothingThereError, side_by_side
from histvq.remote.systems import Remote, in_words, local_path, opened
from histvq.writing import atomically, unfinished_prefix, written_whole

# Where a file that is being written is seen half, and a rename puts it in its place in one step. All
# others are object stores, which show an object when it is complete.
_RENAMING = ("sftp", "ssh", "ftp", "smb", "hdfs", "arrow_hdfs", "webhdfs", "dbfs", "jupyter")

# Of a file: what is another once it was written to.
_Stamps = Mapping[str, tuple[int, int, int]]


def write_bytes(address: str, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        ConfigError: If access is refused.
        NotWrittenError: If it cannot be written. The old one is as it was.
    """
    _write(opened(address), content)


def remove(address: str) -> None:
    """Remove a file, if it is there.

    Raises:
        ConfigError, NotWrittenError: If it cannot be.
    """
    _remove(opened(address))


@contextmanager
def results_at(address: str) -> Iterator[Path]:
    """A local folder whose files are at the address at the end, also where this ends with an error.

    What is at the address stays there, unless a file takes its place. Hidden files are not put there.
    Where they cannot be put there, the local folder stays, and the error says where it is.

    Raises:
        ConfigError, NotWrittenError: If the address cannot be written to; seen before anything is done.
    """
    with worked_on(address, earlier=False) as (place, _):
        place.mkdir(exist_ok=True)
        yield place


@contextmanager
def worked_on(address: str, *, earlier: bool = True) -> Iterator[tuple[Path, Callable[[str], str]]]:
    """A local copy of a file or folder; what changes in it changes at the address at the end.

    Args:
        address: Of a file, of a folder, or of nothing yet.
        earlier: Bring what is there. Otherwise it stays as it is, but for files that are written anew.

    Yields:
        The copy, or where it would be: its folder is there; and `Copies.in_words`.

    Raises:
        FileFormatError: If what is there cannot be brought.
        ConfigError, NotWrittenError: If it cannot be written to; seen before anything is done.
    """
    remote = opened(address)
    made = Copies(Path(tempfile.mkdtemp(prefix="histvq-")).resolve())
    kept = False
    try:
        place = made.place_for(remote)
        place.parent.mkdir(parents=True)
        if earlier:
            with suppress(NothingThereError):
                made.bring(address)
            made.check()
        made.addresses[place] = address
        _try_to_write(remote)
        before = _stamps(place)
        try:
            yield place, made.in_words
        except BaseException as error:
            try:
                _put_changes(remote, place, before)
            except Exception as other:  # what went wrong first says more
                kept = True
                warnings.warn(_kept(other, made.folder), DataWarning, stacklevel=2)
            raise error
        try:
            _put_changes(remote, place, before)
        except Exception as error:
            kept = True
            raise OSError(_kept(error, made.folder)) from error
    finally:
        if not kept:
            shutil.rmtree(made.folder, ignore_errors=True)


def _kept(error: Exception, folder: Path) -> str:
    """The error, and where what was computed is now: under a name that is not told as an address."""
    elsewhere = folder.with_name(folder.name.replace("histvq-", "histvq-results-"))
    folder.rename(elsewhere)
    return f"{error}. What was computed is kept in {elsewhere}: copy it from there"


def _stamps(place: Path) -> _Stamps:
    """All files in a folder, or in that of a file, without hidden ones: when they were written."""
    root = _root(place)
    found = {}
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for file in (Path(folder, name) for name in names if not name.startswith(".")):
            stat = file.stat()
            found[file.relative_to(root).as_posix()] = (
                stat.st_mtime_ns,
                stat.st_size,
                stat.st_ino,
            )
    return found


def _root(place: Path) -> Path:
    return place if place.is_dir() else place.parent


def _put_changes(remote: Remote, place: Path, before: _Stamps) -> None:
    """Write what is new or another, then remove what is gone, in order of name."""
    root = _root(place)
    base = remote if root == place else remote.parent
    now = _stamps(place)
    new = [name for name in sorted(now) if now[name] != before.get(name)]
    for _, error in side_by_side(remote, lambda name: _put(root / name, base / name), new):
        if error is not None:
            raise error
    for name in sorted(before.keys() - now.keys()):
        _remove(base / name)


def _try_to_write(remote: Remote) -> None:
    """See that something can be written there, before anything is computed."""
    probe = _beside(remote)
    try:
        _write(probe, b"")
    except NotWrittenError as error:
        raise NotWrittenError(error.errno, error.strerror, shown(remote.address)) from error
    with suppress(Exception):  # who may write but not remove leaves an empty hidden file
        _remove(probe)


def _write(remote: Remote, content: bytes) -> None:
    if (target := local_path(remote)) is not None:
        with written_whole(target) as file:
            file.write(content)
        return
    with _placed(remote) as path:
        remote.fs.pipe_file(path, content)


def _put(place: Path, remote: Remote) -> None:
    if (target := local_path(remote)) is not None:
        atomically(target, lambda part: shutil.copyfile(place, part))
        return
    with _placed(remote) as path:
        remote.fs.put_file(str(place), path)


def _remove(remote: Remote) -> None:
    with in_words(remote.address, writing=True), suppress(FileNotFoundError):
        remote.fs.rm_file(remote.path)


@contextmanager
def _placed(remote: Remote) -> Iterator[str]:
    """Where to write what is to be at a place, so that it is there in one step."""
    fs = remote.fs
    with in_words(remote.address, writing=True):
        if remote.protocol not in _RENAMING:
            yield remote.path
            return
        part = _beside(remote)
        fs.makedirs(remote.parent.path, exist_ok=True)
        try:
            yield part.path
            fs.mv(part.path, remote.path)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(part.path)
            raise


def _beside(remote: Remote) -> Remote:
    """A place in the same folder that nobody else writes to, with a name that readers leave out."""
    return remote.parent / f"{unfinished_prefix()}{os.urandom(8).hex()}.part"
