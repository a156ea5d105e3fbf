"""What a file system raises, in words that name the address."""

import errno
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from histvq.errors import ConfigError, FileFormatError, HistvqError, NotWrittenError, did_you_mean
from histvq.remote.address import shown

# Extras of ours that bring a protocol's package.
_EXTRAS = {"s3": "s3", "s3a": "s3", "gcs": "gcs", "gs": "gcs"}
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or FSSPEC_S3_ANON=true for public "
    "data",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS, gcloud auth, or FSSPEC_GCS_TOKEN=anon for public data",
}
_LOCAL_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


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
    protocol, said = _last_protocol(address), _said(error)
    address = shown(address)
    if isinstance(error, OSError) and error.errno in _LOCAL_FAULTS and not writing:
        return OSError(
            f"{address}: no room for a copy in {tempfile.gettempdir()} ({error.strerror}). Set TMPDIR to "
            "a folder of a larger disk"
        )
    if isinstance(error, ImportError):
        return ConfigError(f"{address}: {_missing(protocol, error)}")
    if isinstance(error, ValueError) and "Protocol not known" in str(error):
        name = str(error).rpartition(": ")[2]
        return ConfigError(f"{address}: no file system is known as {name!r}{_meant(name)}")
    if _is_refused(error):
        keys = _KEYS.get(_EXTRAS.get(protocol, ""), f"the variables FSSPEC_{protocol.upper()}_...")
        return ConfigError(
            f"{address}: access is refused ({said}). See that this account may "
            f"{'write' if writing else 'read'} there, and give its credentials: {keys}"
        )
    if writing:
        why = "there is no such bucket or folder" if _is_gone(error) else said
        if isinstance(error, NotImplementedError):
            why = f"{first_protocol(address)}:// can only be read"
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


def first_protocol(address: str) -> str:
    """That of the file system which answers, as `zip` of `zip://a::s3://b/x.zip`."""
    return re.split(r"::|://", address, maxsplit=1)[0].lower()


def _last_protocol(address: str) -> str:
    """That of the store which the others of a chain look into."""
    return first_protocol(address.rpartition("::")[2])
