"""Results at an address: whole or not at all, as `histvq.writing` does for files of this machine."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from histvq import writing
from histvq.remote.systems import Remote, in_words, local_path, opened

# Where a file that is being written is seen half, and a rename puts it in its place in one step. All
# others are object stores, which show an object when it is complete.
_RENAMING = ("sftp", "ssh", "ftp", "smb", "hdfs", "arrow_hdfs", "webhdfs", "dbfs", "jupyter")


def write_bytes(address: str, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        ConfigError: If access is refused.
        NotWrittenError: If it cannot be written.
    """
    remote = opened(address)
    if (place := local_path(remote)) is not None:
        writing.write_bytes(place, content)
        return
    with _placed(remote) as path:
        remote.fs.pipe_file(path, content)


def put_file(place: Path, address: str) -> None:
    """Copy a file of this machine to an address, whole or not at all; raises as `write_bytes`."""
    remote = opened(address)
    if (target := local_path(remote)) is not None:
        with writing.beside(target) as part:
            part.write_bytes(place.read_bytes())
        return
    with _placed(remote) as path:
        remote.fs.put_file(str(place), path)


def remove(address: str) -> None:
    """Remove a file, if it is there.

    Raises:
        ConfigError, NotWrittenError: If it cannot be.
    """
    remote = opened(address)
    with in_words(address, writing=True), suppress(FileNotFoundError):
        remote.fs.rm_file(remote.path)


@contextmanager
def results_at(address: str) -> Iterator[Path]:
    """A local folder whose files are at the address at the end, also where this ends with an error.

    Where they cannot be put there, the local folder stays, and the error says where it is.

    Raises:
        ConfigError, NotWrittenError: If the address cannot be written to.
    """
    folder = Path(tempfile.mkdtemp(prefix="histvq-")).resolve()
    try:
        yield folder
    finally:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            put_file(file, f"{address.rstrip('/')}/{file.relative_to(folder).as_posix()}")


@contextmanager
def _placed(remote: Remote) -> Iterator[str]:
    """Where to write what is to be at a place, so that it is there in one step."""
    fs = remote.fs
    with in_words(remote.address, writing=True):
        if remote.protocol not in _RENAMING:
            yield remote.path
            return
        folder = remote.path.rpartition("/")[0]
        part = f"{folder}/{writing.unfinished_prefix()}{os.urandom(8).hex()}.part"
        fs.makedirs(folder, exist_ok=True)
        try:
            yield part
            fs.mv(part, remote.path)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(part)
            raise
