"""One file from the web: goes on where it stopped, and takes its name only when it is whole.

Source: RFC 9110, "HTTP Semantics": ranges (14), Retry-After (10.2.3).
"""

import errno
import hashlib
import http.client
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from histvq.datasets import Source
from histvq.download.web import DownloadError, Lost, ask, mark_of, status_of, whole_number
from histvq.writing import to_disk

Progress = Callable[[str, int, int | None], None]

CHUNK = 1 << 18
ATTEMPTS = 5  # in a row that bring nothing
LONGEST_WAIT_S = 60.0
MOST_ATTEMPTS = 100
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


def fetch(
    source: Source,
    folder: Path,
    *,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch one file, unless it is there; returns what is known of it.

    What came before a break stays as `.part`; a later call goes on from there if the server says
    that its file is still the same, and else begins anew.

    Args:
        source: What to fetch.
        folder: Folder that `source.path` is under.
        progress: Called with path, bytes so far and bytes in all, None where not known.
        sleep: Waits between attempts.

    Raises:
        DownloadError: If it cannot be had, or is not what was expected.
    """
    target = folder / source.path
    if target.is_file() and not _wrong(source, target):
        return f"{source.path}: already there, {_known_by(source)}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = _Part.beside(target)
        _fill(source, part, progress, sleep)
        if wrong := _wrong(source, part.file):
            part.forget()
            raise DownloadError(
                f"{source.url}: {wrong}. It was damaged on the way, or the file there is another "
                "one now: try once more"
            )
        to_disk(part.file)
        part.file.replace(target)
        part.forget()
    except OSError as error:
        raise DownloadError(
            f"{_reason(error, target)}. Or fetch it by hand from {source.url} and put it at {target}"
        ) from error
    return f"{source.path}: fetched, {_known_by(source)}"


def _reason(error: OSError, target: Path) -> str:
    if isinstance(error, DownloadError):
        return str(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full; make room, and what has come stays" if full else error
    return f"{target}: cannot be written ({reason})"


@dataclass(frozen=True)
class _Part:
    """What has come so far, and the server's mark of the file it is a part of.

    Written in place, for it is to outlive a program that is killed. A mark cut short is no mark of the
    server's, which then sends the file from its first byte.
    """

    file: Path
    mark: Path

    @classmethod
    def beside(cls, target: Path) -> "_Part":
        return cls(
            target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.tag")
        )

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file.is_file() else 0

    @property
    def tag(self) -> str:
        """The mark; empty where there is none, and then the part is of no use."""
        return self.mark.read_text(encoding="latin-1").strip() if self.mark.is_file() else ""

    def begin(self, tag: str) -> None:
        self.forget()
        if tag:
            self.mark.write_text(tag, encoding="latin-1")

    def forget(self) -> None:
        self.file.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)


def _fill(
    source: Source, part: _Part, progress: Progress | None, sleep: Callable[[float], None]
) -> None:
    """Make the part whole, with as many connections as it takes."""
    in_vain = 0
    for _ in range(MOST_ATTEMPTS):
        before = part.size
        try:
            return _one_connection(source, part, progress)
        except Lost as lost:
            in_vain = 0 if part.size > before else in_vain + 1
            if in_vain >= ATTEMPTS:
                raise DownloadError(f"{source.url}: tried {ATTEMPTS} times: {lost}") from lost
            wait = lost.wait if lost.wait is not None else 2.0 ** (in_vain - 1)
            sleep(min(wait, LONGEST_WAIT_S))
    raise DownloadError(f"{source.url}: still not whole after {MOST_ATTEMPTS} connections")


def _one_connection(source: Source, part: _Part, progress: Progress | None) -> None:
    """Append what one connection brings.

    Raises:
        Lost: If it broke before the end.
        DownloadError: If it is no use to try again.
    """
    start = part.size if part.tag else 0
    if start and start == source.size:
        return
    try:
        with ask(source.url, start, part.tag) as answer:
            total = _begin(source, part, answer, start)
            _copy(source, part, answer, total, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # nothing is left, or the file there has become shorter
            if error.headers.get("Content-Range") == f"bytes */{start}":
                return
            part.forget()
            raise Lost("the server has no such range") from error
        if error.code in _AGAIN:
            raise Lost(status_of(error), whole_number(error.headers.get("Retry-After"))) from error
        raise DownloadError(f"{source.url}: {status_of(error)}") from error


def _begin(source: Source, part: _Part, answer: Any, start: int) -> int | None:
    """Check what is offered, and begin anew unless it goes on from `start`; returns the total."""
    headers, goes_on = answer.headers, answer.status == 206 and start > 0
    total = whole_number(headers.get("Content-Length"))
    if goes_on:
        unit, _, span = headers.get("Content-Range", "").partition(" ")
        first, _, rest = span.partition("-")
        if unit != "bytes" or first != str(start):
            part.forget()
            raise Lost(f"the server sent another range, {span!r}")
        total = whole_number(rest.partition("/")[2])
    # A wrong offer leaves the part alone: a network that asks to log in makes one for any address.
    if headers.get_content_type() == "text/html":
        raise DownloadError(
            f"{source.url}: a web page came instead of {source.path}: one has to log in or agree "
            "to something there first, or it has moved"
        )
    if source.size is not None and total is not None and total != source.size:
        raise DownloadError(
            f"{source.url}: {total} bytes are offered, expected {source.size}: it is not the file "
            "this version of histvq knows"
        )
    if not goes_on:
        part.begin(mark_of(headers))
    return total


def _copy(
    source: Source, part: _Part, answer: Any, total: int | None, progress: Progress | None
) -> None:
    total = source.size if total is None else total
    done = part.size
    with part.file.open("ab") as file:
        while total is None or done < total:
            chunk = _read(answer, CHUNK if total is None else min(CHUNK, total - done))
            if not chunk:
                break
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(source.path, done, total)
    if total is not None and done < total:
        raise Lost(f"the connection broke after {done} of {total} bytes")


def _read(answer: Any, n_bytes: int) -> bytes:
    try:
        return answer.read(n_bytes)
    except (OSError, http.client.HTTPException) as error:
        raise Lost(f"the connection broke ({error})") from error


def _known_by(source: Source) -> str:
    """By what a file that is not wrong is known to be whole."""
    if source.sha256 is not None:
        return "SHA-256 as expected"
    if source.size is not None:
        return "size as expected, no checksum known"
    return "neither size nor checksum known"


def _wrong(source: Source, file: Path) -> str:
    size = file.stat().st_size if file.is_file() else 0
    if source.size is not None and size != source.size:
        return f"{size} bytes, expected {source.size}"
    if source.sha256 is not None:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != source.sha256:
            return f"SHA-256 {found}, expected {source.sha256}"
    return "" if size or source.size == 0 else "an empty file"
