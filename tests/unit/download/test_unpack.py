import io
import stat
import tarfile
import zipfile

import pytest

from histvq.download import unpack as module
from histvq.download.unpack import unpack
from histvq.errors import FileFormatError

FILES = {"a.txt": b"one", "sub/b.txt": b"two" * 1000}


def zipped(path, files=FILES, *, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("sub")
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK if name in links else stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return path


def tarred(path, files=FILES, *, links=()):
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if name in links:
                info.type, info.linkname = tarfile.SYMTYPE, content.decode()
            archive.addfile(info, io.BytesIO(content))
    return path


both = pytest.mark.parametrize("pack", [zipped, tarred])


@both
def test_files_come_out_as_they_went_in(pack, tmp_path):
    archive, folder = pack(tmp_path / "archive"), tmp_path / "out"
    folder.mkdir()
    assert unpack(archive, folder) == 2
    found = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    assert found == FILES


@both
def test_what_is_there_is_left_and_what_is_cut_is_mended(pack, tmp_path):
    archive = pack(tmp_path / "archive")
    unpack(archive, tmp_path)
    before = (tmp_path / "a.txt").stat().st_mtime_ns
    unpack(archive, tmp_path)
    assert (tmp_path / "a.txt").stat().st_mtime_ns == before
    (tmp_path / "sub" / "b.txt").write_bytes(b"tw")
    unpack(archive, tmp_path)
    assert (tmp_path / "sub" / "b.txt").read_bytes() == FILES["sub/b.txt"]


@both
@pytest.mark.parametrize(
    "name", ["../out.txt", "sub/../../out.txt", "/tmp/out.txt", "C:\\out.txt", "..\\out.txt"]
)
def test_nothing_lands_outside(pack, name, tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    archive = pack(tmp_path / "archive", {"good.txt": b"good", name: b"bad"})
    with pytest.raises(FileFormatError, match=r"archive: holds .*, which leads out of the folder"):
        unpack(archive, folder)
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "out.txt").exists()


@both
def test_links_are_refused(pack, tmp_path):
    archive = pack(tmp_path / "archive", {"a": b"/etc/passwd", "b": b"x"}, links=["a"])
    with pytest.raises(FileFormatError, match="holds 'a', which is a link or a device"):
        unpack(archive, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["archive"]


@both
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6])
def test_a_cut_archive_leaves_nothing_behind(pack, part, tmp_path):
    archive = pack(tmp_path / "archive")
    data = archive.read_bytes()
    archive.write_bytes(data[: int(part * len(data))])
    with pytest.raises(FileFormatError, match="archive: cannot be unpacked"):
        unpack(archive, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["archive"]


def test_damage_inside_is_noticed_before_a_file_takes_its_place(tmp_path):
    archive = zipped(tmp_path / "archive", {"a.txt": bytes(range(256)) * 20})
    data = bytearray(archive.read_bytes())
    data[data.index(b"a.txt") + 40] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(FileFormatError, match="cannot be unpacked"):
        unpack(archive, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["archive"]


@both
def test_no_room(pack, tmp_path, monkeypatch):
    usage = module.shutil.disk_usage(tmp_path)._replace(free=3000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FileFormatError, match="unpacked it takes 3003 bytes, and 3000 are free"):
        unpack(pack(tmp_path / "archive"), tmp_path)
