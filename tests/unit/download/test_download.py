"""Datasets fetched whole, from a server on this machine: the true ones are elsewhere."""

import hashlib
import io
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from histvq.cli import Exit
from histvq.datasets import DATASETS, Fingerprint, Source, dataset_info, hugadb, load_dataset
from histvq.download import DownloadError, download_dataset, offer
from histvq.errors import ConfigError
from histvq.io.hugadb import COLUMNS
from oracles.commands import histvq

RECORDING = "HuGaDB_v1_various_01_00.txt"

BY_HAND = ("babel-1", "lara", "pku-mmd", "pku-mmd-cross-view")


def text(*activities):
    rows = "".join("\t".join([*["5"] * 38, str(activity)]) + "\n" for activity in activities)
    return (
        "#Activity\twalking \n#ActivityID\t1 \n#Date 01-01-01-01\n" + "\t".join(COLUMNS) + "\n"
    ) + rows


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def little(tmp_path, monkeypatch):
    """HuGaDB in miniature: an archive of one recording on a server, and its INFO."""
    site = tmp_path / "site"
    site.mkdir()
    with zipfile.ZipFile(site / "all.zip", "w") as archive:
        archive.writestr(f"Data/{RECORDING}", text(1, 1, 2, 2))
    packed = (site / "all.zip").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    source = Source(
        url=f"http://127.0.0.1:{server.server_port}/all.zip",
        path="all.zip",
        size=len(packed),
        sha256=hashlib.sha256(packed).hexdigest(),
        packed=True,
    )
    both = RECORDING.encode() + text(1, 1, 2, 2).encode()
    known = Fingerprint(
        pattern="HuGaDB_v1_various_*.txt", n_files=1, sha256=hashlib.sha256(both).hexdigest()
    )
    info = replace(hugadb.INFO, sources=(source,), fingerprint=known)
    monkeypatch.setattr(hugadb, "INFO", info)
    yield info
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetched_unpacked_and_loaded(little, tmp_path):
    folder = tmp_path / "raw"
    made = download_dataset("hugadb", folder, terms_accepted=True)
    assert made.notes == (
        "all.zip: fetched, SHA-256 as expected; 1 files in it, unpacked beside it",
        f"not fetched: {little.by_hand}",
    )
    assert made.warnings == ()
    (recording,) = load_dataset("hugadb", folder).recordings
    assert recording.n_frames == 4
    again = download_dataset("hugadb", folder, terms_accepted=True)
    assert "already there" in again.notes[0]


def test_files_that_are_not_the_benchmarks_are_told(little, tmp_path, monkeypatch):
    other = replace(little.fingerprint, sha256="0" * 64)
    monkeypatch.setattr(hugadb, "INFO", replace(little, fingerprint=other))
    made = download_dataset("hugadb", tmp_path / "raw", terms_accepted=True)
    assert "are not those this version of histvq knows: SHA-256 over all is" in made.warnings[0]
    other = replace(little.fingerprint, n_files=364)
    monkeypatch.setattr(hugadb, "INFO", replace(little, fingerprint=other))
    made = download_dataset("hugadb", tmp_path / "raw", terms_accepted=True)
    assert "1 files HuGaDB_v1_various_*.txt, expected 364" in made.warnings[0]


def test_terms_come_first(little, tmp_path):
    with pytest.raises(ConfigError, match=r"on these terms: no licence stated.* pass terms_acc"):
        download_dataset("hugadb", tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_what_is_not_there_says_where_to_get_it(little, tmp_path, monkeypatch):
    (source,) = little.sources
    gone = replace(source, url=source.url + "x")
    monkeypatch.setattr(hugadb, "INFO", replace(little, sources=(gone,)))
    with pytest.raises(DownloadError, match=r"no such file \(404.*by hand from http.* put it at"):
        download_dataset("hugadb", tmp_path / "raw", terms_accepted=True)


# The tables


@pytest.mark.parametrize("name", DATASETS)
def test_every_source_is_fit_to_be_fetched(name):
    sources = dataset_info(name).sources
    for source in sources:
        address = urlsplit(source.url)
        assert address.scheme in ("http", "https")
        assert address.hostname
        assert source.path
        assert ".." not in source.path
        assert source.sha256 is None or len(bytes.fromhex(source.sha256)) == 32
        assert source.size is None or source.size > 0
    assert len({source.path for source in sources}) == len(sources)
    assert bool(sources) == ("histvq data download" in str(offer(name)))


def test_precog_has_the_files_of_the_benchmark():
    info = dataset_info("precog16")
    assert len(info.sources) == info.n_recordings == info.fingerprint.n_files
    assert {"Seq1_1.csv", "Seq6_8.csv", "Seq2_10.csv"} < {source.path for source in info.sources}


@pytest.mark.real_data
def test_precog_sizes_and_fingerprint_are_those_of_the_files(shared_data, tmp_path):
    import tarfile

    info = dataset_info("precog16")
    with tarfile.open(shared_data / "precog16" / "people_1_to_8.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    sizes = {file.name: file.stat().st_size for file in tmp_path.rglob("Seq*.csv")}
    assert {source.path: source.size for source in info.sources} == sizes
    assert info.fingerprint.fault(tmp_path) == ""


@pytest.mark.real_data
def test_cmu_checksums_are_those_of_the_files(shared_data):
    import lzma

    folder = shared_data / "cmu_exercises"
    for source in dataset_info("cmu-exercises").sources:
        plain = folder / source.path
        data = (
            plain.read_bytes()
            if plain.exists()
            else lzma.decompress((folder / f"{source.path}.xz").read_bytes())
        )
        assert source.size in (None, len(data))
        assert source.sha256 in (None, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("name", BY_HAND)
def test_what_needs_a_person_says_where(name, tmp_path):
    assert "https://" in offer(name).by_hand
    with pytest.raises(ConfigError, match=f"{name}.* cannot be fetched without a person: .*https"):
        download_dataset(name, tmp_path, terms_accepted=True)


def test_what_is_made_up_and_what_nobody_knows(tmp_path):
    with pytest.raises(ConfigError, match="'synthetic' is made up: there is nothing to fetch"):
        download_dataset("synthetic", tmp_path)
    with pytest.raises(ConfigError, match="no dataset is called 'hugabd'; did you mean 'hugadb'"):
        offer("hugabd")


# The command


def test_the_command_fetches_once_agreed(little, tmp_path):
    folder = tmp_path / "raw"
    status, said = histvq("data", "download", "hugadb", "-o", folder, "--yes")
    assert status == Exit.ALL
    assert "terms: no licence stated" in said
    assert "all.zip: fetched, SHA-256 as expected" in said
    assert f"wrote {folder}; next: histvq reproduce" in said
    assert len(list(folder.rglob(RECORDING))) == 1


def test_a_bar_on_a_terminal(little, tmp_path, monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("histvq.console.ERR", terminal)
    status, _ = histvq("data", "download", "hugadb", "-o", tmp_path / "raw", "--yes")
    assert status == Exit.ALL
    assert "all.zip" in screen.getvalue()
    size = little.sources[0].size
    assert f"{size}/{size} bytes" in screen.getvalue()


def test_nobody_to_ask(little, tmp_path):
    status, said = histvq("data", "download", "hugadb", "-o", tmp_path / "raw")
    assert status == Exit.USAGE
    assert "terms: no licence stated" in said
    assert "nobody to ask" in said
    assert "--yes" in said
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(("answer", "status"), [("y\n", Exit.ALL), ("n\n", Exit.NOTHING_DONE)])
def test_asked_on_a_terminal(answer, status, little, tmp_path, monkeypatch):
    monkeypatch.setattr("histvq.cli.benchmarks._has_terminal", lambda: True)
    folder = tmp_path / "raw"
    given, said = histvq("data", "download", "hugadb", "-o", folder, input=answer)
    assert given == status
    assert "Do you agree to these terms?" in said
    assert folder.exists() == (status == Exit.ALL)


def test_by_hand_is_nothing_done():
    status, said = histvq("data", "download", "babel-1", "--yes")
    assert status == Exit.NOTHING_DONE
    assert "babel.is.tue.mpg.de" in said
    assert "Put what you get into data/raw/babel" in said.replace("\\", "/")


def test_the_list_says_how_to_get_each():
    status, said = histvq("data", "list")
    assert status == Exit.ALL
    assert "histvq data download hugadb (1 file, 162.8 MB); by hand: labels of version 2" in said
    assert "histvq data download precog16 (49 files, 7.4 MB)" in said
    for name in BY_HAND:
        assert name in said
    assert "sha256" not in said
