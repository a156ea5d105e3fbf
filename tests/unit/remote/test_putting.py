import errno
import os
import warnings
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning, NotWrittenError
from histvq.remote import brought, listed, read_bytes, results_at, write_bytes
from histvq.remote.putting import worked_on
from oracles.strange_system import StrangeFileSystem


@pytest.fixture(params=["memory", "file"])
def place(request, tmp_path):
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        return "memory://lab/results"
    return f"file://{tmp_path}/results"


@pytest.fixture
def renaming(monkeypatch):
    """A file system whose files are seen half while they are written, and which can rename."""
    monkeypatch.setattr("histvq.remote.putting._RENAMING", ("strange",))
    return StrangeFileSystem


def compute(place, error, *, fails=False):
    """Write a result and end with an error, if one is given; from there on it cannot be put there."""
    with results_at(place) as folder:
        (folder / "a").write_bytes(b"1")
        if fails:
            StrangeFileSystem.fails["r/a"] = TimeoutError()
        if error is not None:
            raise error


@given(st.binary(), st.binary())
def test_what_is_written_is_read(first, second):
    for content in (first, second):
        write_bytes("memory://b/x.bin", content)
        assert read_bytes("memory://b/x.bin") == content


def test_a_folder_of_results_is_at_the_address_at_the_end(place):
    write_bytes(f"{place}/other", b"stays")
    with results_at(place) as folder:
        (folder / "model").mkdir()
        (folder / "model" / "m.json").write_text("{}")
        (folder / "ü b.csv").write_bytes(b"\0")
        (folder / ".lock").touch()
        assert listed(place) == [f"{place}/other"]
    assert listed(place) == [f"{place}/{n}" for n in ("model/m.json", "other", "ü b.csv")]
    assert not folder.exists()


@pytest.mark.parametrize("error", [OSError("x"), KeyboardInterrupt(), ConfigError("y")])
def test_what_was_computed_before_an_error_is_there_too(place, error):
    with pytest.raises(type(error)):
        compute(place, error)
    assert read_bytes(f"{place}/a") == b"1"


def test_only_what_changed_is_written_and_what_went_is_removed(renaming):
    renaming.holding({"r/same": b"1", "r/other": b"2", "r/gone": b"3", "r/s/x": b"4", "q/y": b"5"})
    with worked_on("strange://r") as (folder, _):
        assert (folder / "s" / "x").read_bytes() == b"4"
        (folder / "gone").unlink()
        (folder / "other").write_bytes(b"22")
        (folder / "new").write_bytes(b"6")
    assert renaming.files == {
        "r/same": b"1", "r/other": b"22", "r/new": b"6", "r/s/x": b"4", "q/y": b"5"
    }  # fmt: skip
    assert {path for what, path in renaming.asked if what == "rename"} >= {"r/new", "r/other"}
    assert not {path for _, path in renaming.asked} & {"r/same", "r/s/x", "q/y"}


@pytest.mark.parametrize("there", [True, False])
def test_a_single_file_is_worked_on_with_what_comes_beside_it(place, there):
    if there:
        write_bytes(f"{place}/k.csv", b"1")
    with worked_on(f"{place}/k.csv") as (file, _):
        assert file.exists() == there
        file.write_bytes(b"2")
        (file.parent / "k.txt").write_bytes(b"3")
    assert read_bytes(f"{place}/k.csv") == b"2"
    assert read_bytes(f"{place}/k.txt") == b"3"


def test_a_file_is_never_seen_half_where_there_is_renaming(renaming):
    renaming.holding({"r/a": b"old"}).fails[".part"] = OSError(errno.EIO, "odd")
    with pytest.raises(NotWrittenError, match="strange://r/a cannot be written"):
        write_bytes("strange://r/a", b"new one")
    assert renaming.files == {"r/a": b"old"}
    renaming.fails = {"r/a": OSError(errno.EIO, "odd")}
    with pytest.raises(NotWrittenError):
        write_bytes("strange://r/a", b"new one")
    assert renaming.files == {"r/a": b"old"}
    renaming.fails = {}
    write_bytes("strange://r/a", b"new one")
    assert renaming.files == {"r/a": b"new one"}


def test_object_stores_are_asked_once(tmp_path):
    StrangeFileSystem.holding({})
    write_bytes("strange://r/a", b"new")
    assert StrangeFileSystem.asked == [("write", "r/a")]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError("no"), ConfigError, "strange://r.*: access is refused.*may write there"),
        (
            FileNotFoundError("no"),
            NotWrittenError,
            "strange://r cannot be written: there is no such",
        ),
        (NotImplementedError(), NotWrittenError, "strange:// can only be read"),
        (
            TimeoutError("slow"),
            NotWrittenError,
            "strange://r cannot be written: TimeoutError: slow",
        ),
    ],
)
def test_what_cannot_be_written_is_seen_before_anything_is_computed(error, kind, words):
    StrangeFileSystem.holding({}).fails[""] = error
    with pytest.raises(kind, match=words), results_at("strange://r"):
        pytest.fail("computed in vain")


def folder_named_in(words):
    return Path(words.partition("kept in ")[2].partition(":")[0])


def test_results_that_cannot_be_put_in_their_place_are_kept_here():
    StrangeFileSystem.holding({})
    with pytest.raises(OSError, match=r"r/a cannot be written.*kept in .*histvq-results-") as told:
        compute("strange://lab/r", None, fails=True)
    (found,) = folder_named_in(str(told.value)).rglob("a")
    assert found.read_bytes() == b"1"


def test_the_first_error_is_the_one_that_is_told():
    StrangeFileSystem.holding({})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(ZeroDivisionError):
            compute("strange://lab/r", ZeroDivisionError(), fails=True)
    (warned,) = [w for w in told if w.category is DataWarning]
    assert folder_named_in(str(warned.message)).is_dir()


def test_what_was_there_and_cannot_be_brought_is_not_taken_for_nothing():
    StrangeFileSystem.holding({"r/a": b"1", "r/t": b"2"}).fails["r/t"] = TimeoutError()
    with pytest.raises(OSError, match="r/t: cannot be read"), worked_on("strange://r"):
        pytest.fail("went on as if nothing had been there")


def test_local_addresses_are_files(tmp_path):
    write_bytes(f"file://{tmp_path}/s/a", b"1")
    assert (tmp_path / "s" / "a").read_bytes() == b"1"
    assert os.listdir(tmp_path / "s") == ["a"]
    with brought([f"file://{tmp_path}/s"]) as here:
        assert [p.name for p in here[f"file://{tmp_path}/s"].iterdir()] == ["a"]
