"""One request to the web, and what its answer says.

Source: RFC 9110, "HTTP Semantics": ranges (14), If-Range (13.1.5), entity tags (8.8.3).
"""

import http.client
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from histvq.errors import HistvqError

TIMEOUT_S = 30.0


class DownloadError(HistvqError, OSError):
    """A file could not be fetched; the message says why, and how to get it by hand."""


class Lost(Exception):
    """The connection broke, or the server asks to come again later."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def ask(url: str, start: int, tag: str) -> Any:
    """The server's answer: the file from a byte on if it is still the tagged one, else all of it.

    Raises:
        HTTPError: If the server says that there is none.
        Lost: If there is no answer.
        DownloadError: If the address, or where it leads, is not of the web.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url}: only http and https addresses are fetched")
    # Identity: a range of a packed answer would be no range of the file.
    headers = {"User-Agent": "histvq", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": tag}
    request = urllib.request.Request(url, headers=headers)
    try:
        return _opener().open(request, timeout=TIMEOUT_S)
    except (urllib.error.HTTPError, DownloadError):
        raise
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Lost(f"no answer; is there a network? ({reason})") from error


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only, and from https to https only."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise DownloadError(f"{req.full_url}: leads on to {newurl}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """An opener for the web alone: urllib's usual one also reads files and ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(), urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(), _OnlyWeb(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener


def mark_of(headers: Any) -> str:
    """What tells that a file is still the same; a weak tag does not tell it byte for byte."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def status_of(error: urllib.error.HTTPError) -> str:
    """A refusal in words."""
    meaning = {
        401: "one has to log in there", 403: "the server refuses", 404: "there is no such file",
        410: "the file has been taken away",
    }.get(error.code, "the server says")  # fmt: skip
    return f"{meaning} ({error.code} {error.reason})"


def whole_number(text: str | None) -> int | None:
    """The number in a header; None where there is none."""
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None
