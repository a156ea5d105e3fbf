"""The file system of an address, and its errors in words."""

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from histvq.errors import ConfigError, FileFormatError, HistvqError, NotWrittenError, did_you_mean
from histvq.remote.address import shown

CONNECT_S, READ_S = 20, 60
# Extras of ours that bring a protocol's package.
_EXTRAS = {"s3": "s3", "s3a": "s3", "gcs": "gcs", "gs": "gcs"}
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or FSSPEC_S3_ANON=true for public "
    "data",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS, gcloud auth, or FSSPEC_GCS_TOKEN=anon for public data",
}
# These write tracebacks to the terminal where nobody handles their log; their errors come to us anyway.
_TALKATIVE = ("gcsfs", "s3fs", "fsspec", "adlfs", "paramiko")
_NOBODY = logging.NullHandler()
_LOCAL_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Remote:
    """An address, opened.

    Attributes:
        address: As it was typed.
        fs: The file system, an `fsspec.AbstractFileSystem`.
        path: Where it is in that, without a slash at the end.
    """

    address: str
    fs: Any
    path: str

    @property
    def protocol(self) -> str:
        """The first of its protocols, that of `fs`."""
        return _first_protocol(self.address)

    @property
    def is_web(self) -> bool:
        """Whether it is read by HTTP, where paths are whole addresses and folders are pages of links."""
        return self.protocol in ("http", "https")

    def at(self, path: str) -> str:
        """The address of a path of the file system that is this one or below it."""
        rest = path[len(self.path) :].removeprefix("/")
        if not rest:
            return self.address
        head, *tail = self._links()
        return "::".join([f"{head}{'' if head.endswith('/') else '/'}{rest}", *tail])

    def __truediv__(self, name: str) -> "Remote":
        path = f"{self.path}/{name}"
        return replace(self, address=self.at(path), path=path)

    @property
    def parent(self) -> "Remote":
        """The folder it is in; itself where it is the uppermost."""
        folder = self.path.rpartition("/")[0]
        if not folder.strip("/"):
            return self
        head, *tail = self._links()
        return replace(self, address="::".join([head.rpartition("/")[0], *tail]), path=folder)

    def _links(self) -> list[str]:
        """The address cut after the part that names the place, without slashes at its end."""
        links = self.address.split("::")
        n_head = next(n for n, link in enumerate(links, start=1) if "://" in link)
        protocol, inner = "::".join(links[:n_head]).split("://", 1)
        return [f"{protocol}://{inner.rstrip('/') or inner}", *links[n_head:]]


def opened(address: str) -> Remote:
    """The file system of an address, and the place in it; nothing is asked of it yet.

    Raises:
        ConfigError: If fsspec, or the package of the protocol, is not there, or knows no such protocol.
    """
    fsspec = _fsspec(address)
    for package in _TALKATIVE:  # who configures logging hears them all the same
        logging.getLogger(package).addHandler(_NOBODY)
    with in_words(address):
        fs, path = fsspec.core.url_to_fs(address, **_waiting(fsspec, address))
        return Remote(address, fs, str(path).rstrip("/"))


@contextmanager
def in_words(address: str, *, writing: bool = False) -> Iterator[None]:
    """Whatever a file system raises while this lasts, in words that name the address.

    Raises:
        ConfigError: If access is refused: to try again is of no use.
        FileFormatError: If there is no such file.
        NotWrittenError: If it cannot be written.
        OSError: If it cannot be reached.
    """
    try:
        yield
    except (HistvqError, NotWrittenError):
        raise
    except Exception as error:
        raise _told(address, error, writing=writing) from error


def _told(address: str, error: Exception, *, writing: bool) -> Exception:
    protocol, said = _first_protocol(address), _said(error)
    address = shown(address)
    if isinstance(error, OSError) and error.errno in _LOCAL_FAULTS and not writing:
        return NotWrittenError(error.errno, error.strerror, error.filename)
    if isinstance(error, ImportError):
        return ConfigError(f"{address}: {_missing(protocol, error)}")
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        return ConfigError(f"{address}: no file system is known as {protocol!r}{_meant(protocol)}")
    if _is_refused(error):
        keys = _KEYS.get(_EXTRAS.get(protocol, ""), f"the variables FSSPEC_{protocol.upper()}_...")
        keys = keys if protocol not in ("gs", "gcs") else _KEYS["gcs"]
        return ConfigError(
            f"{address}: access is refused ({said}). See that this account may "
            f"{'write' if writing else 'read'} there, and give its credentials: {keys}"
        )
    if writing:
        why = "there is no such bucket or folder" if _is_gone(error) else said
        if isinstance(error, NotImplementedError):
            why = f"{protocol}:// can only be read"
        return NotWrittenError(0, why, address)
    if _is_gone(error):
        return FileFormatError(
            f"{address}: there is no such file, folder or bucket. Check the address"
        )
    return OSError(
        f"{address}: cannot be read ({said}). Check the address and the network, then try again"
    )


def _is_gone(error: Exception) -> bool:
    return isinstance(error, FileNotFoundError | NotADirectoryError)


def _is_refused(error: Exception) -> bool:
    """Whether who asks is not known, or not allowed to; packages have names of their own for it."""
    name = type(error).__name__
    return (
        isinstance(error, PermissionError)
        or "Credential" in name
        or "Auth" in name
        or name in ("RefreshError", "TokenRetrievalError")
        or getattr(error, "status", None) in (401, 403)
        or (name == "error_perm" and str(error).startswith("530"))  # FTP
    )


def _said(error: Exception) -> str:
    """What an error says, on one line and not too long."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {text[:300]}' if text else ''}"


def _missing(protocol: str, error: ImportError) -> str:
    if extra := _EXTRAS.get(protocol):
        return f'needs a package that is not installed: pip install "histvq[{extra}]"'
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    wanted = f": pip install {cause.name.split('.')[0]}" if cause.name else ""
    return f"needs a package that is not installed ({_said(error)}){wanted}"


def _meant(protocol: str) -> str:
    from fsspec.registry import known_implementations

    return did_you_mean(protocol, known_implementations)


def _first_protocol(address: str) -> str:
    return re.split(r"::|://", address, maxsplit=1)[0].lower()


def _waiting(fsspec: ModuleType, address: str) -> dict[str, Any]:
    """How long to wait where a protocol would wait for ever, or not long enough for a large file.

    Said of the first protocol alone, and only what the user has not set for it.
    """
    protocol = _first_protocol(address)
    waiting: dict[str, Any] = {}
    if protocol in ("sftp", "ssh"):
        waiting = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), CONNECT_S)
    elif protocol in ("http", "https") and (aiohttp := _installed("aiohttp")):
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
        waiting = {"client_kwargs": {"timeout": timeout}}
    said = fsspec.config.conf.get(protocol, {})
    return {} if "::" in address else {k: v for k, v in waiting.items() if k not in said}


def _installed(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError:
        return None


def _fsspec(address: str) -> ModuleType:
    try:
        import fsspec.config
        import fsspec.core
    except ImportError:
        raise ConfigError(
            f"{shown(address)}: addresses need a package that is not installed: pip install "
            '"histvq[remote]"'
        ) from None
    return fsspec


def local_path(remote: Remote) -> Path | None:
    """The file of this machine that it is, if it is one."""
    return Path(remote.path) if remote.protocol in ("file", "local") else None
