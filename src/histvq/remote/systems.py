"""The file system of an address, opened."""

import logging
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from histvq.errors import ConfigError
from histvq.remote.address import shown
from histvq.remote.faults import first_protocol, in_words

CONNECT_S, READ_S = 20, 60
# These write tracebacks to the terminal where nobody handles their log; their errors come to us anyway.
_TALKATIVE = ("gcsfs", "s3fs", "fsspec", "adlfs", "paramiko")
_NOBODY = logging.NullHandler()


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
        return first_protocol(self.address)

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


def _waiting(fsspec: ModuleType, address: str) -> dict[str, Any]:
    """How long to wait where a protocol would wait for ever, or not long enough for a large file.

    Said of the first protocol alone, and only what the user has not set for it.
    """
    protocol = first_protocol(address)
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
