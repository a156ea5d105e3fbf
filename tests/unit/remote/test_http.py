"""Files of a web server; runs where aiohttp is installed (`pip install aiohttp`)."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from histvq.errors import FileFormatError, NotWrittenError
from histvq.remote import brought, listed, read_bytes, write_bytes

pytest.importorskip("aiohttp")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(tmp_path):
    (tmp_path / "s" / "t").mkdir(parents=True)
    (tmp_path / "s" / "a b.txt").write_bytes(b"1")
    (tmp_path / "s" / "t" / "ü.txt").write_bytes(b"2")
    (tmp_path / "s" / ".h").write_bytes(b"3")
    (tmp_path / "other").write_bytes(b"4")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_and_what_is_not_there(site):
    address = f"{site}/s/a%20b.txt?signature=12"
    with brought([address]) as here:
        assert (here[address].name, here[address].read_bytes()) == ("a b.txt", b"1")
    assert read_bytes(address) == b"1"
    assert read_bytes(f"{site}/none") is None
    with pytest.raises(FileFormatError, match="none: there is no such file"):
        brought([f"{site}/none"]).__enter__()


def test_a_folder_as_a_page_of_links(site):
    with brought([f"{site}/s/"]) as here:
        found = {p.relative_to(here[f"{site}/s/"]).as_posix(): p.read_bytes()
                 for p in here[f"{site}/s/"].rglob("*") if p.is_file()}  # fmt: skip
    assert found == {"a b.txt": b"1", "t/ü.txt": b"2"}
    assert [read_bytes(file) for file in listed(f"{site}/s/")] == [b"1", b"2"]


def test_it_is_only_read(site):
    with pytest.raises(NotWrittenError, match="s/x cannot be written: .*501"):
        write_bytes(f"{site}/s/x", b"1")


def test_nobody_there():
    with pytest.raises(OSError, match=r"127.0.0.1:9/x: cannot be read.*the network"):
        read_bytes("http://127.0.0.1:9/x")
