import numpy as np
import pytest

from histvq.errors import DataWarning, FileFormatError
from histvq.io.labels.label_files import read_label_files


def test_numbers_of_several_files_share_one_list(tmp_path):
    (tmp_path / "13_29.labels.txt").write_text("1 1 10\n 2 -1")
    (tmp_path / "14_20.labels.txt").write_text("2\n2\n")
    one, other = read_label_files([tmp_path], ["14_20", "13_29", "15_01"], fps=10)
    assert (one.recording_id, other.recording_id) == ("14_20", "13_29")
    assert one.actions == other.actions == ("1", "2", "10")
    assert other.labels.tolist() == [0, 0, 2, 1, -1]
    assert one.labels.tolist() == [1, 1]
    assert one.fps == 10


def test_names_one_a_line(tmp_path):
    (tmp_path / "walk.txt").write_bytes("\ufeffjumping jack\r\n\r\nrun\r\n".encode())
    (read,) = read_label_files([tmp_path / "walk.txt"], ["walk"], fps=5)
    assert read.actions == ("jumping jack", "run")
    assert read.labels.tolist() == [0, -1, 1]


def test_a_file_belongs_to_the_longest_id_its_name_begins_with(tmp_path):
    for name in ("walk.txt", "walk_2.txt", "walkman.txt"):
        (tmp_path / name).write_text("1 2")
    (tmp_path / "walk_2.txt").write_text("3")
    found = read_label_files([tmp_path], ["walk", "walk_2"], fps=1)
    assert [(a.recording_id, a.n_frames) for a in found] == [("walk", 2), ("walk_2", 1)]
    with pytest.warns(DataWarning, match=r"walkman\.txt: of no recording here; left out"):
        read_label_files([tmp_path / "walk.txt", tmp_path / "walkman.txt"], ["walk"], fps=1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"a\.txt: no label in it"),
        (b"\n \n", r"a\.txt: no label in it"),
        (b"\xff\xfe1\x00", r"a\.txt: no labels to be read.*UTF-8"),
    ],
)
def test_files_nobody_can_read(tmp_path, content, words):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        read_label_files([tmp_path], ["a"], fps=10)


def test_two_files_of_one_recording_and_none(tmp_path):
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "a.labels.txt").write_text("2")
    with pytest.raises(FileFormatError, match=r"a\.labels\.txt and .*a\.txt are both of .*'a'"):
        read_label_files([tmp_path], ["a"], fps=10)
    with pytest.raises(FileFormatError, match=r"no label file of b\. .*as b\.txt"):
        read_label_files([tmp_path], ["b"], fps=10)
    with pytest.raises(FileFormatError, match="labels at 0 a second"):
        read_label_files([tmp_path], ["b"], fps=0)
    with pytest.raises(FileFormatError, match=r"gone\.txt: no label file of b"):
        read_label_files([tmp_path / "gone.txt"], ["b"], fps=1)


def test_a_file_named_twice_is_one_file(tmp_path):
    (tmp_path / "a.txt").write_text("1")
    (read,) = read_label_files([tmp_path, tmp_path / "a.txt"], ["a"], fps=10)
    assert np.array_equal(read.labels, [0])
