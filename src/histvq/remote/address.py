"""What an address of a file on another machine is, and how it is written down."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from histvq.errors import ConfigError

# As s3://bucket/x, or chained: zip://a/b::s3://bucket/x.zip. One letter is a drive of Windows.
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]+::)*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/@:\s]*):[^/@\s]*@")
_QUERY = re.compile(r"(https?://[^?\s]*)\?\S*")

_LocalPath: Any = Path if TYPE_CHECKING else type(Path())


def is_remote(place: str | Path) -> bool:
    """Whether it is an address with a protocol, as `s3://bucket/x`, and no path of this machine."""
    return _ADDRESS.match(str(place)) is not None


def as_path(text: str | Path) -> Path:
    """The path, or the address as it was typed."""
    return Address(text) if is_remote(text) else Path(text)


def shown(address: str | Path) -> str:
    """The address as it may stand in a file that others read: without password or signature."""
    return _QUERY.sub(r"\1", _PASSWORD.sub(r"\1@", str(address)))


class Address(_LocalPath):  # type: ignore[misc]
    """An address where a path is expected, with its text as it was typed.

    `Path("s3://bucket/x")` would lose a slash. It has a path's name and suffix, but leads to nothing on
    this machine: whoever opens it without bringing it first is told so in words.
    """

    def __new__(cls, address: str | Path) -> "Address":  # noqa: D102
        made: Address = super().__new__(cls, str(address))
        made._address = str(address)
        return made

    def __str__(self) -> str:
        return str(getattr(self, "_address", super().__str__()))

    def __truediv__(self, name: Any) -> "Address":
        return Address(f"{str(self).rstrip('/')}/{name}")

    def __fspath__(self) -> NoReturn:
        raise ConfigError(
            f"{shown(self)}: an address, where only files and folders of this machine can be named. Copy "
            "it here first"
        )

    def __reduce__(self) -> tuple[type["Address"], tuple[str]]:
        return Address, (str(self),)

    def with_segments(self, *segments: Any) -> Path:
        """What `parent` and the like give: no address any more (Python 3.12 and later)."""
        return Path(*map(str, segments))
