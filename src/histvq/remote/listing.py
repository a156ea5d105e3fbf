"""What lies at addresses: which files there are, and what is in one."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from histvq.errors import FileFormatError
from histvq.remote.address import shown
from histvq.remote.faults import in_words
from histvq.remote.systems import Remote, opened


class NothingThereError(FileFormatError):
    """There is no file at an address."""


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
