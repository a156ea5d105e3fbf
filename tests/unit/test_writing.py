"""What a file is after it was written: its place, its rights, links to it, and what is swept."""

import os
import stat
import subprocess
import sys
import threading
import traceback

import pytest

from histvq import writing
from histvq.errors import NotWrittenError
from histvq.writing import (
    atomically,
    growing,
    make_folder,
    remove,
    sweep,
    together,
    write_bytes,
    write_text,
    written_whole,
)
from oracles.failing_disk import Disk


def as_somebody_else(act):
    """Do it in a process without an administrator's rights; what it raised, if that was ours."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresuid(65534, 65534, 65534)
            act()
            os.write(write, b"done")
        except NotWrittenError as error:
            os.write(write, str(error).encode())
        except BaseException:
            os.write(write, traceback.format_exc().encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as said:
        words = said.read()
    os.waitpid(child, 0)
    return words


@pytest.fixture
def open_folder(tmp_path_factory):
    """A folder that anybody may write to, and reach."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o777)
        yield writing.Path(place)


def test_folders_are_made_and_nothing_else_is_left(tmp_path):
    assert write_text(tmp_path / "a" / "b" / "c.txt", "é\ud800") == tmp_path / "a" / "b" / "c.txt"
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"\xc3\xa9?"
    assert [file.name for file in (tmp_path / "a" / "b").iterdir()] == ["c.txt"]


def test_all_is_on_the_disk_before_the_file_takes_its_name(tmp_path, monkeypatch):
    with Disk().in_place(monkeypatch) as disk:
        write_text(tmp_path / "a", "words")
    assert disk.asked == ["mkdir", "open", "write", "fsync", "close", "rename", "fsync"]
    with Disk().in_place(monkeypatch) as disk, together(tmp_path / "new") as place:
        write_text(place / "b", "words")
        write_text(place / "a", "words")
    asked = [what for what in disk.asked if what != "mkdir"]
    assert asked == ["open", "write", "fsync", "close", "rename", "fsync"] * 2 + [
        *("rename", "rename", "fsync")
    ]


def test_a_name_as_long_as_names_may_be(tmp_path):
    write_bytes(tmp_path / ("x" * 255), b"1")
    with pytest.raises(NotWrittenError, match="that name is too long; choose a shorter one"):
        write_bytes(tmp_path / ("x" * 256), b"1")


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "new"


def test_who_may_read_the_old_file_may_read_the_new_one(tmp_path):
    file = write_text(tmp_path / "private", "old")
    file.chmod(0o600)
    write_text(file, "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_protected_file_is_not_replaced(open_folder):
    file = write_text(open_folder / "mine", "old")
    file.chmod(0o444)
    assert "not permitted" in as_somebody_else(lambda: write_text(file, "new"))
    assert file.read_text() == "old"
    assert [one.name for one in open_folder.iterdir()] == ["mine"]


def test_a_protected_file_among_several_is_not_replaced(open_folder):
    file = write_text(open_folder / "mine", "old")
    file.chmod(0o444)

    def write():
        with together(open_folder) as place:
            write_text(place / "mine", "new")

    assert f"{file} cannot be written: writing there is not permitted" in as_somebody_else(write)
    assert file.read_text() == "old"


def test_a_folder_that_may_not_be_written_to(open_folder):
    (open_folder / "shut").mkdir(mode=0o555)
    for write in (
        lambda: write_text(open_folder / "shut" / "new", ""),
        lambda: write_text(open_folder / "shut" / "deeper" / "new", ""),
        lambda: make_folder(open_folder / "shut"),
    ):
        words = as_somebody_else(write)
        assert words.startswith(str(open_folder / "shut"))
        assert "writing there is not permitted; choose another place" in words


def test_a_folder_or_a_file_is_in_the_way(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotWrittenError, match="a folder of that name is there"):
        write_text(tmp_path / "folder", "")
    write_text(tmp_path / "file", "")
    for place in (tmp_path / "file" / "a", tmp_path / "file" / "a" / "b"):
        with pytest.raises(NotWrittenError, match="a file is where its folder should be"):
            write_text(place, "")
    with pytest.raises(NotWrittenError, match="a file is where"):
        make_folder(tmp_path / "file")


def test_an_error_about_another_file_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="elsewhere"), written_whole(tmp_path / "a") as file:
        file.write((tmp_path / "elsewhere").read_bytes())
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_vanishes_meanwhile(tmp_path):
    def write():
        with written_whole(tmp_path / "run" / "a") as file:
            file.write(b"1")
            next((tmp_path / "run").iterdir()).unlink()
            (tmp_path / "run").rmdir()

    with pytest.raises(NotWrittenError, match="its folder is gone"):
        write()


def test_many_threads_write_one_file(tmp_path):
    texts = [str(n) * 100_000 for n in range(8)]
    threads = [threading.Thread(target=write_text, args=(tmp_path / "a", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a").read_text() in texts
    assert len([*tmp_path.iterdir()]) == 1


def test_another_program_writes(tmp_path):
    atomically(tmp_path / "a", lambda part: part.write_bytes(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    with pytest.raises(NotWrittenError, match="cannot be written"):  # it wrote nothing
        atomically(tmp_path / "a", lambda part: None)
    assert (tmp_path / "a").read_bytes() == b"new"


def test_files_that_belong_together(tmp_path):
    for name in ("first", "second", "other"):
        write_text(tmp_path / name, "old")
    with together(tmp_path, ("first", "second")) as place:
        write_text(place / "first", "new")
        assert (tmp_path / "first").read_text() == "old"
    assert (tmp_path / "first").read_text() == "new"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first", "other"]


def test_nothing_is_left_of_files_that_could_not_be_written_together(tmp_path):
    def write():
        with together(tmp_path / "new") as place:
            write_text(place / "first", "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert not (tmp_path / "new").exists()


def test_what_killed_programs_left_is_swept(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive = f".histvq-{gone.pid}-0a.part", f".histvq-{os.getpid()}-0a.part"
    for name in (dead, f"model/{dead}", alive, "keep.part", ".histvq-x-0a.part"):
        write_text(tmp_path / name, "")
    write_text(tmp_path / "figures" / dead / "a.svg", "")
    assert len(sweep(tmp_path)) == 3
    left = sorted(file.name for file in tmp_path.rglob("*") if file.is_file())
    assert left == sorted([alive, ".histvq-x-0a.part", "keep.part"])


def test_what_is_removed_need_not_be_there(tmp_path):
    remove(tmp_path / "a")
    with pytest.raises(NotWrittenError, match="folder of that name"):
        remove(tmp_path)


def test_a_growing_file_ends_with_a_whole_line(tmp_path, monkeypatch):
    import resource

    file = write_text(tmp_path / "a.csv", "header\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with growing(file, again="do that") as write:
        write("1,2\n")
        assert file.read_text() == "header\n1,2\n"
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 6, limits[1]))
        try:
            with pytest.raises(NotWrittenError, match="then do that"):
                write("3,4\n5,6\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "header\n1,2\n"
