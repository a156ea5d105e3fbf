import importlib
import os
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from histvq.errors import ConfigError, FileFormatError
from histvq.remote import brought, copies, listed, names_at, read_bytes
from oracles.strange_system import StrangeFileSystem

TREE = {"a.txt": b"a", "s/b c.txt": b"b", "s/t/ü%20.bin": b"\0\xff", "empty": b""}


@pytest.fixture(params=["memory", "file", "zip"])
def tree(request, tmp_path):
    """The address of a folder with the files of TREE, and what is left out."""
    files = {**TREE, ".hidden": b"h", "s/.h/x": b"h"}
    if request.param == "zip":
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(f"top/{name}", content)
        return f"zip://top::file://{tmp_path}/x.zip"
    address = "memory://lab/tree" if request.param == "memory" else f"file://{tmp_path}/tree"
    fs, path = fsspec.core.url_to_fs(address)
    if request.param == "memory":
        fs.rm("/lab", recursive=True) if fs.exists("/lab") else None
    for name, content in files.items():
        fs.makedirs(f"{path}/{name}".rpartition("/")[0], exist_ok=True)
        fs.pipe_file(f"{path}/{name}", content)
    return address


def content_of(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_folder_comes_with_its_tree_and_goes_at_the_end(tree):
    with brought([tree]) as here:
        assert content_of(here[tree]) == TREE
        assert here[tree].name == tree.split("::")[0].rpartition("/")[2]
        place = here[tree]
    assert not place.exists()


def test_what_is_listed_can_be_read_and_brought(tree):
    files = listed(tree)
    assert files == sorted(files)
    assert [read_bytes(file) for file in files] == [TREE[name] for name in sorted(TREE)]
    with brought(files) as here:
        assert [here[file].read_bytes() for file in files] == [TREE[name] for name in sorted(TREE)]


def test_a_file_is_listed_by_itself(tree):
    (file,) = [file for file in listed(tree) if "a.txt" in file]
    assert listed(file) == [file]


def test_what_is_not_there(tree):
    head, *tail = tree.split("::")
    nothing = "::".join([f"{head}/none", *tail])
    assert read_bytes(nothing) is None
    with pytest.raises(FileFormatError, match=r"none.*: there is no such file, folder or bucket"):
        listed(nothing)
    with pytest.raises(FileFormatError, match="there is no such file"), brought([nothing]):
        pass


def test_names_in_a_folder():
    fs = fsspec.filesystem("memory")
    fs.pipe({"/names/a": b"", "/names/b/c": b"", "/names2/d": b""})
    assert names_at("memory://names") == {"a", "b"}
    assert names_at("memory://names/none") == set()


def test_markers_of_folders_are_no_files():
    StrangeFileSystem.holding(
        {"f/": b"", "f/a/": b"", "f/a": b"", "f/a/x": b"1", "f/b_$folder$": b""}
    )
    assert listed("strange://f") == ["strange://f/a/x"]


def test_listing_is_one_call_and_keeps_to_what_was_asked_for():
    StrangeFileSystem.holding({"f/a": b"1", "fa": b"2", "g/b": b"3", "/f/c": b"4", "": b"5"})
    assert listed("strange://f") == ["strange://f/a"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nosuch://x", "no file system is known as 'nosuch'"),
        ("smem://x", "no file system is known as 'smem'; did you mean"),
    ],
)
def test_unknown_protocols(address, words):
    with pytest.raises(ConfigError, match=words):
        listed(address)


@pytest.mark.parametrize(
    ("address", "package", "words"),
    [
        ("s3://b/x", "s3fs", r'pip install "histvq\[s3\]"'),
        ("gs://b/x", "gcsfs", r'pip install "histvq\[gcs\]"'),
        ("az://b/x", "adlfs", "pip install adlfs"),
        ("memory://x", "fsspec.core", r'pip install "histvq\[remote\]"'),
    ],
)
def test_packages_that_are_missing(address, package, words, monkeypatch):
    known = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(known, address.split(":")[0], raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=words):
        listed(address)


class NoCredentialsError(Exception):
    """As the package of a protocol has its own."""


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError("403"), ConfigError, "f/a: access is refused.*credentials"),
        (NoCredentialsError("none"), ConfigError, "f/a: access is refused"),
        (ConnectionRefusedError("x"), OSError, "f/a: cannot be read.*the network"),
        (TimeoutError(), OSError, r"f/a: cannot be read \(TimeoutError\)"),
        (RuntimeError("odd\nthing"), OSError, r"f/a: cannot be read \(RuntimeError: odd thing\)"),
        (FileNotFoundError("went"), FileFormatError, "f/a: there is no such file"),
    ],
)
def test_errors_of_all_sorts_are_told_in_words(error, kind, words):
    StrangeFileSystem.holding({"f/a": b"1"}).fails["f/a"] = error
    with pytest.raises(kind, match=words), brought(["strange://f/a"]):
        pass


def test_a_file_that_cannot_be_brought_costs_only_itself():
    StrangeFileSystem.holding({"f/a": b"1", "f/b": b"2"}).fails["f/a"] = TimeoutError()
    with copies() as made:
        assert content_of(made.bring("strange://f")) == {"b": b"2"}
        assert list(made.faults) == ["strange://f/a"]
    with pytest.raises(OSError, match="f/a: cannot be read"), brought(["strange://f"]):
        pass


def test_more_than_there_is_room_for_is_told_before(monkeypatch, tmp_path):
    usage = type("Usage", (), {"free": 3})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    StrangeFileSystem.holding({"f/a": b"1234"})
    with pytest.raises(ConfigError, match="Set TMPDIR to a folder"), brought(["strange://f"]):
        pass


def test_texts_name_addresses():
    StrangeFileSystem.holding({"f/a": b"1", "f/a.txt": b"2", "f2/b": b"3"})
    with copies() as made:
        f, f2 = made.bring("strange://f/"), made.bring("strange://f2")
        text = f"{f / 'a.txt'}: odd; {f}: odd; {f2 / 'b'}, line 3; {f / 'a'}"
        assert made.in_words(text) == (
            "strange://f/a.txt: odd; strange://f/: odd; strange://f2/b, line 3; strange://f/a"
        )
        with pytest.raises(FileFormatError, match=r"^strange://f/a: bad$"), made.errors_in_words():
            raise FileFormatError(f"{f / 'a'}: bad")


NAMES = st.lists(
    st.one_of(
        st.sampled_from(
            ["..", ".", "", "a", "A", "b", "C:", "a b", "%2e%2e", "ü", "\0", "x" * 300]
        ),
        st.text(max_size=5),
    ),
    min_size=1,
    max_size=4,
).map("/".join)


@given(st.dictionaries(NAMES, st.binary(max_size=3), min_size=1, max_size=8))
@example({"../../x": b"1", "/etc/x": b"2", "a/../../../x": b"3", "a": b"4", "a/b": b"5"})
def test_no_name_of_a_stranger_leads_out_of_the_temporary_folder(files):
    """Each file is brought as it is, or told of, or hidden; none is anywhere else."""
    StrangeFileSystem.holding({f"f/{name}": content for name, content in files.items()})
    with copies() as made:
        outside = made.folder.parent
        before = set(os.listdir(outside))
        with suppress(FileFormatError):  # of the only file, or there is none that is not hidden
            made.bring("strange://f")
        there = {file: file.read_bytes() for file in made.folder.rglob("*") if file.is_file()}
        for file in there:
            assert file.resolve().is_relative_to(made.folder / "0" / "f")
            assert made.addresses[file].removeprefix("strange://") in StrangeFileSystem.files
            assert (
                there[file]
                == StrangeFileSystem.files[made.addresses[file].removeprefix("strange://")]
            )
        told = {*(made.addresses[file] for file in there), *made.faults}
        left_out = {f"strange://f/{name}" for name in files} - told if told else set()
        for address in left_out:
            names = address.removeprefix("strange://f/").split("/")
            assert names[-1] == "" or any(n[:1] == "." for n in names) or not files["/".join(names)]
        assert set(os.listdir(outside)) - before <= {
            p for p in os.listdir(outside) if "histvq" in p
        }


@given(
    st.dictionaries(
        st.text(
            st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20
        ).filter(lambda name: name[0] != "." and name != "::"),
        st.binary(),
        max_size=5,
    )
)
def test_names_and_bytes_survive_the_way_through_a_folder(files):
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    for name, content in files.items():
        fs.pipe_file(f"/way/{name}", content)
    stored = {path.removeprefix("/way/"): fs.cat_file(path) for path in fs.store}
    if not stored:
        return
    with copies() as made:
        assert content_of(made.bring("memory://way")) == {
            n: c for n, c in stored.items() if "/" not in n
        }
    assert isinstance(made.folder, Path)
