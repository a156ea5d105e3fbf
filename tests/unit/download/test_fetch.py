import errno
import hashlib
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import numpy as np
import pytest

from histvq.datasets import Source
from histvq.download import DownloadError, web
from histvq.download import fetch as module
from histvq.download.fetch import ATTEMPTS, LONGEST_WAIT_S, fetch

DATA = np.random.default_rng(0).bytes(100_000)
SHA = hashlib.sha256(DATA).hexdigest()


class Site:
    """What the server has, how it misbehaves, and what it was asked."""

    def __init__(self):
        self.data = DATA
        self.tag = '"one"'
        self.modified = None
        self.kind = "application/zip"
        self.cut_after = []  # bytes a connection brings before it breaks, for the next ones
        self.statuses = []  # what the next connections get instead
        self.headers = {}
        self.ranges = True
        self.says_length = True
        self.lies = 0  # added to the beginning of the range it says
        self.asked = []  # ranges
        self.sent_from = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/file.zip"


def handler(site):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            asked = self.headers.get("Range")
            site.asked.append(asked)
            if self.path != "/file.zip":
                return self.answer(404)
            if site.statuses:
                return self.answer(site.statuses.pop(0))
            start = 0
            strong = site.tag if site.tag and not site.tag.startswith("W/") else None
            same = self.headers.get("If-Range") in {strong, site.modified} - {None}
            if asked and site.ranges and same:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(site.data):
                    return self.answer(416, {"Content-Range": f"bytes */{len(site.data)}"})
            return self.send(start)

        def answer(self, status, headers=None):
            self.send_response(status)
            for name, value in {**site.headers, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send(self, start):
            site.sent_from.append(start)
            body = site.data[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", site.kind)
            if site.says_length:
                self.send_header("Content-Length", str(len(body)))
            if site.tag:
                self.send_header("ETag", site.tag)
            if site.modified:
                self.send_header("Last-Modified", site.modified)
            if start:
                span = f"bytes {start + site.lies}-{len(site.data) - 1}/{len(site.data)}"
                self.send_header("Content-Range", span)
            self.end_headers()
            if site.cut_after:
                body = body[: site.cut_after.pop(0)]
            self.wfile.write(body)

    return Handler


@pytest.fixture
def site():
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def get(site, tmp_path, waits):
    def get_(**changes):
        known = {"url": site.url, "path": "sub/file.zip", "size": len(DATA), "sha256": SHA}
        return fetch(Source(**known | changes), tmp_path, sleep=waits.append)

    return get_


@pytest.fixture
def got(tmp_path):
    return tmp_path / "sub" / "file.zip"


def leftovers(got):
    return sorted(file.name for file in got.parent.iterdir() if file != got)


def interrupted(site, get, got, *, after=30_000):
    """A download that was stopped for good after some bytes."""
    site.cut_after = [after]
    site.statuses = []

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(Source(url=site.url, path="sub/file.zip", size=len(DATA)), got.parents[1], sleep=stop)
    assert not got.exists()
    assert got.with_name("file.zip.part").stat().st_size == after
    site.asked.clear()
    site.sent_from.clear()


def test_a_file_comes_whole_and_only_once(site, get, got):
    assert get() == "sub/file.zip: fetched, SHA-256 as expected"
    assert got.read_bytes() == DATA
    assert get() == "sub/file.zip: already there, SHA-256 as expected"
    assert site.asked == [None]
    assert leftovers(got) == []


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"sha256": None}, "size as expected, no checksum known"),
        ({"sha256": None, "size": None}, "neither size nor checksum known"),
        ({"size": None}, "SHA-256 as expected"),
    ],
)
def test_it_says_by_what_a_file_is_known(known, words, get):
    assert get(**known).endswith(words)
    assert get(**known) == f"sub/file.zip: already there, {words}"


def test_a_file_of_the_wrong_size_or_content_is_fetched_anew(get, got):
    for wrong in (b"short", bytes(len(DATA))):
        got.parent.mkdir(exist_ok=True)
        got.write_bytes(wrong)
        assert "fetched" in get()
        assert got.read_bytes() == DATA


def test_a_cut_connection_goes_on_where_it_stopped(site, get, got, waits):
    site.cut_after = [30_000, 1, 20_000]
    get()
    assert got.read_bytes() == DATA
    assert site.asked == [None, "bytes=30000-", "bytes=30001-", "bytes=50001-"]
    assert len(waits) == 3
    assert leftovers(got) == []


def test_a_later_call_goes_on_where_an_earlier_one_was_stopped(site, get, got):
    interrupted(site, get, got)
    get()
    assert got.read_bytes() == DATA
    assert site.sent_from == [30_000]


def test_by_its_date_where_the_tag_is_weak(site, get, got):
    site.tag, site.modified = 'W/"one"', "Wed, 25 Nov 2020 19:01:48 GMT"
    interrupted(site, get, got)
    get()
    assert got.read_bytes() == DATA
    assert site.sent_from == [30_000]


def test_a_file_that_changed_in_between_begins_anew(site, get, got):
    interrupted(site, get, got)
    site.data, site.tag = DATA[::-1], '"two"'
    get(sha256=None)
    assert got.read_bytes() == DATA[::-1]
    assert site.asked == ["bytes=30000-"]
    assert site.sent_from == [0]


@pytest.mark.parametrize("change", [{"ranges": False}, {"tag": None}])
def test_a_server_without_ranges_or_tags_begins_anew(change, site, get, got):
    interrupted(site, get, got)
    vars(site).update(change)
    get()
    assert got.read_bytes() == DATA


def test_without_a_mark_no_range_is_asked_for(site, get, got):
    site.tag = None
    site.cut_after = [30_000]
    get()
    assert got.read_bytes() == DATA
    assert site.asked == [None, None]


def test_a_part_that_is_whole_already(site, get, got):
    interrupted(site, get, got)
    got.with_name("file.zip.part").write_bytes(DATA)
    get()
    assert got.read_bytes() == DATA
    assert site.asked == []
    got.unlink()
    interrupted(site, get, got)
    got.with_name("file.zip.part").write_bytes(DATA)
    get(size=None)
    assert site.asked == [f"bytes={len(DATA)}-"]


def test_a_part_longer_than_the_file_begins_anew(site, get, got):
    interrupted(site, get, got)
    got.with_name("file.zip.part").write_bytes(bytes(2 * len(DATA)))
    get(size=None)
    assert got.read_bytes() == DATA


def test_another_range_than_asked_for_begins_anew(site, get, got):
    interrupted(site, get, got)
    site.lies = 5
    get()
    assert got.read_bytes() == DATA
    assert site.asked == ["bytes=30000-", None]


def test_a_length_that_is_not_said(site, get, got):
    site.says_length = False
    get()
    assert got.read_bytes() == DATA
    got.unlink()
    site.cut_after = [99_999]
    with pytest.raises(DownloadError, match=r"SHA-256 .*, expected"):
        get(size=None)
    assert leftovers(got) == []


def test_progress_counts_to_the_end(site, tmp_path):
    seen = []
    source = Source(url=site.url, path="file.zip")
    fetch(source, tmp_path, progress=lambda *event: seen.append(event), sleep=lambda _: None)
    assert seen[-1] == ("file.zip", len(DATA), len(DATA))


# What goes wrong


def test_a_checksum_that_does_not_fit(site, get, got):
    with pytest.raises(DownloadError, match=f"SHA-256 {SHA}, expected 0000.* try once more"):
        get(sha256="0" * 64)
    assert not got.exists()
    assert leftovers(got) == []


def test_a_part_of_something_else_is_not_kept_for_ever(site, get, got):
    """A server that swears by the same tag while its file has changed: the checksum tells."""
    interrupted(site, get, got)
    part = got.with_name("file.zip.part")
    part.write_bytes(bytes(30_000))
    with pytest.raises(DownloadError, match="damaged on the way"):
        get()
    get()
    assert got.read_bytes() == DATA


@pytest.mark.parametrize("length", [134, 100_001])
def test_another_size_than_expected_is_refused_before_it_comes(length, site, get, got):
    site.data = bytes(length)
    with pytest.raises(DownloadError, match=f"{length} bytes are offered, expected 100000: it is"):
        get()
    assert leftovers(got) == []


def test_a_login_page_instead_of_the_file(site, get, got):
    site.kind = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match=r"a web page came instead of sub/file.zip: one has to"):
        get(size=None, sha256=None)
    assert leftovers(got) == []


def test_a_network_that_asks_to_log_in_does_not_cost_what_has_come(site, get, got):
    interrupted(site, get, got)
    site.kind, site.ranges = "text/html", False
    with pytest.raises(DownloadError, match="a web page came"):
        get()
    site.kind, site.ranges = "application/zip", True
    site.asked.clear()
    get()
    assert site.asked == ["bytes=30000-"]
    assert got.read_bytes() == DATA


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, r"there is no such file \(404"),
        (403, r"the server refuses \(403"),
        (401, r"one has to log in there \(401"),
        (410, r"taken away \(410"),
    ],
)
def test_what_no_second_try_would_mend(status, words, site, get, got, waits):
    site.statuses = [status]
    with pytest.raises(DownloadError, match=words) as caught:
        get()
    assert f"Or fetch it by hand from {site.url} and put it at {got}" in str(caught.value)
    assert waits == []


def test_a_busy_server_is_asked_again_later(site, get, got, waits):
    site.statuses = [503, 429, 500]
    get()
    assert got.read_bytes() == DATA
    assert waits == [1, 2, 4]


def test_waits_as_long_as_the_server_says_but_not_for_ever(site, get, waits):
    site.statuses = [503]
    site.headers = {"Retry-After": "7"}
    get()
    assert waits == [7]
    site.statuses, site.headers = [503], {"Retry-After": "86400"}
    get(path="other.zip")
    assert waits == [7, LONGEST_WAIT_S]


def test_gives_up_after_some_tries_in_a_row(site, get, waits):
    site.statuses = [503] * 99
    with pytest.raises(DownloadError, match=r"tried 5 times: the server says .503"):
        get()
    assert len(site.asked) == ATTEMPTS
    assert waits == [1, 2, 4, 8]


def test_a_connection_that_brings_something_begins_the_count_anew(site, get, got):
    site.cut_after = [1000] * 20
    get()
    assert got.read_bytes() == DATA


def test_a_server_that_never_comes_to_an_end_is_left(site, get, monkeypatch):
    monkeypatch.setattr(module, "MOST_ATTEMPTS", 7)
    site.cut_after = [1] * 99
    with pytest.raises(DownloadError, match="still not whole after 7 connections"):
        get()


def test_no_network(tmp_path, waits):
    source = Source(url="http://127.0.0.1:9/file.zip", path="file.zip")
    with pytest.raises(DownloadError, match="no answer; is there a network") as caught:
        fetch(source, tmp_path, sleep=waits.append)
    assert f"put it at {tmp_path / 'file.zip'}" in str(caught.value)
    assert len(waits) == ATTEMPTS - 1


def test_a_full_disk(get, got, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_copy", full)
    with pytest.raises(DownloadError, match=r"file.zip: .*the disk is full; make room"):
        get()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,hello"])
def test_only_the_web_is_fetched_from(url, get):
    with pytest.raises(DownloadError, match="only http and https"):
        get(url=url)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a"])
def test_leads_to_other_places_are_not_followed(to, site, get):
    site.statuses, site.headers = [302], {"Location": to}
    with pytest.raises(DownloadError):
        get()


def test_a_lead_to_another_address_is_followed(site, get, got):
    site.statuses, site.headers = [302], {"Location": site.url}
    get()
    assert got.read_bytes() == DATA
    assert urlsplit(site.url).scheme == "http"


def test_from_https_none_leads_back_to_http():
    request = web.urllib.request.Request("https://safe.example/file")
    with pytest.raises(DownloadError, match=r"leads on to http://.* not followed"):
        web._OnlyWeb().redirect_request(request, None, 302, "", {}, "http://safe.example/file")


def test_a_folder_that_cannot_be_written(site, tmp_path):
    (tmp_path / "sub").write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match=r"file.zip: cannot be written"):
        fetch(Source(url=site.url, path="sub/file.zip"), tmp_path)
    shutil.rmtree(tmp_path)
