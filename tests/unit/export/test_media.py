import pytest

from histvq.errors import ConfigError, FileFormatError
from histvq.export.parts.media import find_media, relative


@pytest.fixture
def folder(tmp_path):
    for name in ("1.avi", "10.csv", "10.mp4", "10.wav", "100.MP4", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def test_files_of_a_folder_are_matched_by_their_whole_name(folder):
    found = find_media(folder, ["1", "10", "100", "1000"])
    assert {id: [f.name for f in files] for id, files in found.items()} == {
        "1": ["1.avi"], "10": ["10.mp4", "10.wav"], "100": ["100.MP4"],
    }  # fmt: skip


def test_a_table_names_them_from_where_it_lies(folder):
    table = folder / "media.csv"
    table.write_text("\ufeffrecording,media\r\nada,1.avi\r\n", encoding="utf-8")
    assert find_media(table, ["ada", "ben"]) == {"ada": (folder / "1.avi",)}


def test_all_wrong_rows_are_told(folder):
    table = folder / "media.csv"
    table.write_text("recording,media\nada,2.avi\nbob,1.avi\n")
    with pytest.raises(
        FileFormatError, match=r"row 2: there is no file .*2\.avi\nrow 3: no recording is called"
    ):
        find_media(table, ["ada"])


def test_a_table_of_other_columns(folder):
    (folder / "media.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileFormatError, match="columns a, b; expected recording and media"):
        find_media(folder / "media.csv", ["ada"])


def test_nothing_of_these_recordings_or_no_such_place(folder):
    with pytest.raises(ConfigError, match=r"none is of ada.*as ada\.mp4"):
        find_media(folder, ["ada"])
    with pytest.raises(ConfigError, match="no such folder or table"):
        find_media(folder / "x", ["ada"])


def test_the_way_from_a_folder(tmp_path):
    assert relative(tmp_path / "a" / "v.mp4", tmp_path / "b" / "c") == "../../a/v.mp4"
