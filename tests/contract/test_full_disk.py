"""The same on real disks: one that is full, one that is read-only, and a limit on the size of files."""

import errno
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from histvq import writing
from histvq.errors import NotWrittenError
from oracles.writers import WRITERS

pytestmark = pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
QUICK = [name for name, writer in WRITERS.items() if not writer.few]


@pytest.fixture
def disk(tmp_path):
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("making a small disk (mount -t tmpfs) takes an administrator")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, *, but):
    """Fill it, but for so many bytes."""
    free = shutil.disk_usage(disk).free - but
    (disk / "rest").write_bytes(bytes(max(free, 0)))


def contents(folder, same):
    return {
        str(file.relative_to(folder)): same(file.read_bytes())
        for file in folder.rglob("*")
        if file.is_file()
    }


@contextmanager
def largest_file(n_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", QUICK)
def test_files_that_may_not_get_so_large(name, tmp_path):
    writer = WRITERS[name]
    (tmp_path / "made").mkdir()
    writer.write(tmp_path / "made", 0)
    old = contents(tmp_path / "made", writer.same)
    writer.write(shutil.copytree(tmp_path / "made", tmp_path / "new"), 1)
    new = contents(tmp_path / "new", writer.same)
    for limit in (0, 1, 9):
        with largest_file(limit), pytest.raises(NotWrittenError, match="larger than files may be"):
            writer.write(tmp_path / "made", 1)
        for file, content in contents(tmp_path / "made", writer.same).items():
            assert content in (old.get(file), new.get(file)), file
        if writer.together:
            assert contents(tmp_path / "made", writer.same) == old


@pytest.mark.parametrize("name", [n for n in QUICK if n not in ("timelines", "onnx")])
def test_a_disk_that_is_full_or_nearly(name, disk):
    writer, folder = WRITERS[name], disk / "made"
    folder.mkdir()
    writer.write(folder, 0)
    old = contents(folder, writer.same)
    for but in (0, 4096):
        fill(disk, but=but)
        try:
            writer.write(folder, 1)
        except NotWrittenError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017
            if writer.together or len(old) == 1:
                assert contents(folder, writer.same) == old
        else:
            assert but
        assert not [*folder.rglob(writing.UNFINISHED)]
    (disk / "rest").unlink()
    writer.write(folder, 1)  # the same once more


@pytest.mark.parametrize("name", QUICK)
def test_a_disk_that_is_read_only(name, disk):
    writer, folder = WRITERS[name], disk / "made"
    folder.mkdir()
    writer.write(folder, 0)
    old = contents(folder, writer.same)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(NotWrittenError, match="that place is read-only"):
        writer.write(folder, 1)
    assert contents(folder, writer.same) == old


def test_dev_full(tmp_path, monkeypatch):
    """A link to a device that is always full: a device is not replaced by a file."""
    (tmp_path / "a.txt").symlink_to("/dev/full")
    with pytest.raises(NotWrittenError, match="a device of that name"):
        writing.write_text(tmp_path / "a.txt", "words")
    assert not os.path.isfile("/dev/full")
    with (
        pytest.raises(NotWrittenError, match="the disk is full"),
        writing.growing(tmp_path / "a.txt") as write,
    ):
        write("a line\n")
