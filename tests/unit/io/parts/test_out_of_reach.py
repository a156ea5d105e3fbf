"""What lies in a folder but cannot be opened: told, where it may be a recording, and never fatal."""

import builtins
import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.io import read_many
from histvq.io.npz import write_npz
from histvq.recording import Recording


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "files"
    (place / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        write_npz(
            place / f"{name}.npz",
            Recording(id=Path(name).stem, skeleton=np.ones((9, 2, 3)), fps=5, unit="m"),
        )
    return place


def faults(given, **options):
    """Recordings and, by file, why others are none."""
    readings = read_many(given, **options)
    said = {file.name: words.partition(": ")[2] for file, words in readings.skipped}
    return [recording.id for recording in readings.recordings], said


def test_links_that_lead_nowhere_or_in_a_circle(folder):
    (folder / "broken.npz").symlink_to(folder / "gone")
    (folder / "circle.npz").symlink_to(folder / "circle.npz")
    (folder / "broken.jpg").symlink_to(folder / "gone")
    (folder / "up").symlink_to(folder)
    nowhere = "a link that leads nowhere. Mend it, or take it out"
    assert faults(folder) == (
        ["a", "b", "c"],
        {"broken.npz": nowhere, "circle.npz": nowhere},
    )
    ids, said = faults([folder / "a.npz", folder / "circle.npz"])
    assert ids == ["a"]
    assert "no such file or folder" in said["circle.npz"]


def test_what_is_no_file(folder):
    os.mkfifo(folder / "pipe.npz")  # to read from it would wait for ever
    (folder / "empty.npz").mkdir()
    (folder / "notes").mkdir()
    assert faults(folder)[1] == {
        "pipe.npz": "neither a file nor a folder. Name a file",
        "empty.npz": "a folder, though called as a file. Rename it",
    }
    assert "neither a file" in faults([folder / "a.npz", folder / "pipe.npz"])[1]["pipe.npz"]
    (folder / "sub").rename(folder / "sub.npz")
    assert faults(folder)[0] == ["a", "b", "c"]  # a folder may be called as it likes if it is one


@pytest.fixture
def locked(monkeypatch):
    """The names of files and folders that nobody may open, whoever runs this."""
    names = set()

    def refused(path):
        return not isinstance(path, int) and not {*Path(os.fsdecode(path)).parts}.isdisjoint(names)

    def guard(plain):
        def guarded(path, *args, **kwargs):
            if refused(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return plain(path, *args, **kwargs)

        return guarded

    for module, name in ((builtins, "open"), (io, "open"), (os, "scandir"), (os, "listdir")):
        monkeypatch.setattr(module, name, guard(getattr(module, name)))
    return names


def test_files_and_folders_nobody_may_open(folder, locked):
    (folder / "README.txt").write_text("not a recording")
    (folder / "photo.jpg").write_bytes(b"\xff")
    locked |= {"b.npz", "sub", "photo.jpg"}
    closed = "cannot be read (Permission denied). Check that it is there and that you may read it"
    assert faults(folder) == (["a"], {"b.npz": closed, "sub": closed})
    assert faults([folder / "a.npz", folder / "b.npz"]) == (["a"], {"b.npz": closed})
    with pytest.raises(FileFormatError, match="Permission denied"):
        read_many(folder / "b.npz")
    locked |= {"files"}
    with pytest.raises(FileFormatError, match=r"files: cannot be read \(Permission denied\)"):
        read_many(folder)


def test_a_place_that_cannot_even_be_looked_at(folder, monkeypatch):
    plain = os.stat

    def guarded(path, *args, **kwargs):
        if "sub" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return plain(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", guarded)
    ids, said = faults([folder / "a.npz", folder / "sub" / "c.npz"])
    assert (ids, "Permission denied" in said["c.npz"]) == (["a"], True)
