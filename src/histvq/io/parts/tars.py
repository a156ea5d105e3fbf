"""Tar archives, unpacked only so far as such an archive can be large."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

# Text of numbers shrinks to a tenth or so; what claims far more is there to fill the disk.
MOST_TIMES = 100
SPARE_BYTES = 2**20
MOST_FILES = 100_000
_HEADER_BYTES = 2**20
_PACKED: dict[bytes, Any] = {b"\xfd7zXZ\0": lzma.open, b"\x1f\x8b": gzip.open, b"BZh": bz2.open}


def check_size(n_bytes: int, n_files: int, archive: Path) -> None:
    """See that no archive of this size claims to hold more than one can.

    Raises:
        ValueError: If it does.
    """
    if n_bytes > _most_bytes(archive) or n_files > MOST_FILES:
        raise ValueError(
            f"unpacked it would be {n_bytes:,} bytes in {n_files} files or more; more than {MOST_TIMES} "
            f"times its size, or {MOST_FILES} files, no archive of recordings has"
        )


def _most_bytes(archive: Path) -> int:
    return MOST_TIMES * archive.stat().st_size + SPARE_BYTES


@contextmanager
def opened_tar(archive: Path) -> Iterator[tuple[tarfile.TarFile, list[tarfile.TarInfo]]]:
    """A tar, packed or not, and its members.

    Raises:
        ValueError: If it holds more, or longer names, than an archive with recordings can.
    """
    with archive.open("rb") as file:
        start = file.read(6)
    unpacked = next((how for magic, how in _PACKED.items() if start.startswith(magic)), open)
    with unpacked(archive, "rb") as stream:
        bounded: Any = _Bounded(stream, _most_bytes(archive))
        with tarfile.open(fileobj=bounded, mode="r:") as packed:
            members, n_bytes = [], 0
            for member in packed:  # the next is looked for behind what this one says it holds
                members.append(member)
                n_bytes += member.size
                check_size(n_bytes, len(members), archive)
            yield packed, members


class _Bounded:
    """A stream from which no more than so many bytes are taken, and never many at once."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream, self.most = stream, most

    def read(self, n_bytes: int = -1) -> bytes:
        if not 0 <= n_bytes <= _HEADER_BYTES:
            raise ValueError(f"a name of {n_bytes} bytes in it")
        self._check(self.stream.tell() + n_bytes)
        return self.stream.read(n_bytes)

    def seek(self, place: int, whence: int = 0) -> int:
        self._check(place)
        return self.stream.seek(place, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def _check(self, place: int) -> None:
        if place > 2 * self.most:  # headers, too, take room
            raise ValueError("it goes on far behind what such an archive can hold")
