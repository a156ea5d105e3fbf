"""Local copies of what lies at addresses, in the tree it has there."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from histvq.errors import ConfigError, FileFormatError, HistvqError
from histvq.remote.address import shown
from histvq.remote.systems import Remote, in_words, opened


class NothingThereError(FileFormatError):
    """There is no file at an address."""


# Copied side by side, where a file system can do that.
AT_ONCE = 16
# Of the name of a file: bytes, and what may not stand in it.
LONGEST = 255
_NOT_IN_NAMES = frozenset('\0/\\:*?"<>|' if sys.platform == "win32" else "\0/")


def listed(address: str) -> list[str]:
    """All files under an address, or itself, as full addresses in order; hidden ones are left out.

    Raises:
        FileFormatError: If there is none.
        ConfigError, OSError: If it cannot be looked into.
    """
    remote = opened(address)
    files = [remote.at(path) for path in sorted(files_at(remote))]
    if odd := [file for file in files if file.count("::") > address.count("::")]:
        raise FileFormatError(f"{shown(odd[0])}: no address can hold a name with '::'. Rename it")
    return files


def names_at(address: str) -> set[str]:
    """Names of the files and folders directly in a folder; none where there is no such folder.

    Raises:
        ConfigError, OSError: If it cannot be looked into.
    """
    remote = opened(address)
    with in_words(address):
        remote.fs.invalidate_cache()
        try:
            found = remote.fs.ls(remote.path, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return set()
    return {str(path).rstrip("/").rpartition("/")[2] for path in found}


def read_bytes(address: str) -> bytes | None:
    """What is in a file; None where there is no such file.

    Raises:
        ConfigError, OSError: If it cannot be read.
    """
    remote = opened(address)
    with in_words(address):
        try:
            return bytes(remote.fs.cat_file(remote.path))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None


@contextmanager
def brought(addresses: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Local copies of files and folders, by address, with the tree they have; gone at the end.

    Raises:
        FileFormatError: If there is nothing at an address, or files of it cannot be kept here.
        ConfigError, OSError: If it cannot be read.
    """
    with copies() as made:
        places = {address: made.bring(address) for address in addresses}
        made.check()
        yield places


@contextmanager
def copies() -> Iterator["Copies"]:
    """A place for local copies, which goes with them at the end."""
    with tempfile.TemporaryDirectory(prefix="histvq-", ignore_cleanup_errors=True) as folder:
        yield Copies(Path(folder).resolve())


class Copies:
    """Local copies of what lies at addresses, all of it below one folder.

    Attributes:
        folder: The folder.
        addresses: Of each copy, and of each folder that was asked for.
        faults: Files in folders that could not be brought, and why, by address.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.addresses: dict[Path, str] = {}
        self.faults: dict[str, HistvqError | OSError] = {}
        self._systems: list[Any] = []

    def bring(self, address: str) -> Path:
        """Copy a file, or all files of a folder, unless they are here; gives the place.

        Raises:
            FileFormatError: If there is nothing, or the file cannot be brought.
            ConfigError: If there is no room here.
            OSError: If it cannot be read.
        """
        remote = opened(address)
        files = files_at(remote)
        root = self.place_for(remote)
        wanted: dict[str, Path] = {}
        for path in files:
            try:
                place = self.folder / self._number(remote) / _local(path, remote)
            except FileFormatError as error:
                self._note(remote, path, error, n_files=len(files))
                continue
            if self.addresses.get(place) is None:
                wanted[path] = place
        _check_room(self.folder, remote.address, sum(files[path] for path in wanted))
        for path, fault in side_by_side(
            remote, lambda path: _copy(remote, path, wanted[path]), wanted
        ):
            if fault is None:
                self.addresses[wanted[path]] = remote.at(path)
            else:
                self._note(remote, path, fault, n_files=len(files))
        self.addresses.setdefault(root, address)
        return root

    def check(self) -> None:
        """Raise for files in folders that could not be brought.

        Raises:
            OSError: If another try may bring one.
            FileFormatError: If not.
        """
        if not self.faults:
            return
        words = "\n".join(map(str, self.faults.values()))
        if any(isinstance(error, OSError) for error in self.faults.values()):
            raise OSError(words)
        raise FileFormatError(words)

    def place_for(self, remote: Remote) -> Path:
        """Where a copy of it goes."""
        return self.folder / self._number(remote) / _local(remote.path, remote)

    def in_words(self, text: str) -> str:
        """A text with addresses where it names copies."""
        if str(self.folder) not in text:
            return text
        for place in sorted(self.addresses, key=lambda place: len(str(place)), reverse=True):
            text = text.replace(str(place), shown(self.addresses[place]))
        return text

    @contextmanager
    def errors_in_words(self) -> Iterator[None]:
        """Errors on purpose with addresses where they name copies."""
        try:
            yield
        except HistvqError as error:
            if (words := self.in_words(str(error))) == str(error):
                raise
            raise type(error)(words) from error

    def _number(self, remote: Remote) -> str:
        """A folder for each file system, so that equal paths of two do not meet."""
        if remote.fs not in self._systems:
            self._systems.append(remote.fs)
        return str(self._systems.index(remote.fs))

    def _note(
        self, remote: Remote, path: str, error: HistvqError | OSError, *, n_files: int
    ) -> None:
        if n_files == 1:
            raise error
        self.faults[remote.at(path)] = error


def files_at(remote: Remote) -> Mapping[str, int]:
    """Paths of the files at a place or below it, with their sizes in bytes; one call for all.

    Hidden ones are left out, and the empty objects by which object stores mark a folder.

    Raises:
        FileFormatError: If there is none.
    """
    if remote.is_web and not remote.address.endswith("/"):
        return {remote.path: 0}  # a listing would read the whole file to look for links in it
    with in_words(remote.address):
        remote.fs.invalidate_cache()
        found = remote.fs.find(remote.path + "/" * remote.is_web, detail=True)
        sizes = {str(path): int(info.get("size") or 0) for path, info in found.items()}
    folders = {path.rsplit("/", 1)[0] for path in sizes}
    files = {
        path: size
        for path, size in sizes.items()
        if _is_below(path, remote.path) and not _is_marker(path, size, folders, remote)
    }
    if not files:
        raise NothingThereError(
            f"{shown(remote.address)}: there is no such file, folder or bucket, or nothing in it. Check "
            "the address"
        )
    return files


def _is_below(path: str, root: str) -> bool:
    """Whether a listing that was asked for a place speaks of what is there, and it is not hidden."""
    if path == root:
        return True
    if not path.startswith(f"{root}/" if root else ""):
        return False
    return not any(
        name.startswith(".") and name not in (".", "..")
        for name in path[len(root) :].strip("/").split("/")
    )


def _is_marker(path: str, size: int, folders: set[str], remote: Remote) -> bool:
    """Whether it stands for a folder, or is a link of a web page to itself in another order."""
    if remote.is_web:
        return urlsplit(path).path.endswith("/")
    return path.endswith("/") or (not size and (path in folders or path.endswith("_$folder$")))


def _local(path: str, remote: Remote) -> Path:
    """The relative path of its copy.

    Raises:
        FileFormatError: If a name in it cannot be one of a file here, or would lead elsewhere.
    """
    if remote.is_web:
        parts = urlsplit(path)
        path = f"{parts.netloc}{unquote(parts.path)}"
    names = path.strip("/").split("/")
    for name in names:
        if not _can_be_a_name(name):
            raise FileFormatError(
                f"{shown(remote.at(path))}: not brought here, for {name[:80]!r} can be the name of no "
                "file. Rename it"
            )
    return Path(*names)


def _can_be_a_name(name: str) -> bool:
    """Whether a file of this system can be called so."""
    try:
        n_bytes = len(os.fsencode(name))
    except UnicodeEncodeError:
        return False
    return name not in ("", ".", "..") and n_bytes <= LONGEST and not _NOT_IN_NAMES & set(name)


def _check_room(folder: Path, address: str, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise ConfigError(
            f"{shown(address)}: {n_bytes / 1e9:.1f} GB to be copied here while they are read, and "
            f"{free / 1e9:.1f} GB free in {folder.parent}. Set TMPDIR to a folder of a larger disk, or "
            "name fewer files"
        )


def side_by_side(
    remote: Remote, do: Callable[[str], object], names: Iterable[str]
) -> Iterator[tuple[str, HistvqError | OSError | None]]:
    """Do something for each name, several at once where the file system can; gives what went wrong."""

    def attempt(name: str) -> tuple[str, HistvqError | OSError | None]:
        try:
            do(name)
        except (HistvqError, OSError) as error:
            return name, error
        return name, None

    if not getattr(remote.fs, "async_impl", False):
        yield from map(attempt, names)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            yield from pool.map(attempt, names)
        finally:
            pool.shutdown(cancel_futures=True)


def _copy(remote: Remote, path: str, place: Path) -> None:
    address = remote.at(path)
    with in_words(address):
        if not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                remote.fs.get_file(path, str(place))
            except BaseException:
                with suppress(OSError):
                    place.unlink()
                raise
            if place.is_file():
                return
    raise FileFormatError(
        f"{shown(address)}: not brought here, for another file or folder has its name on this system. "
        "Rename one"
    )
