import lzma

import numpy as np
import pytest

from histvq.errors import FileFormatError
from histvq.io import expand
from histvq.io.precog import ACTIONS, JOINTS, read_precog

HEADER = "; ".join(JOINTS)


def line(frame, action, *, untracked=()):
    """Joint j of frame t lies at (t + 1, j, 0.5)."""
    cells = [
        "0 0 0" if joint in untracked else f"{frame + 1} {number} 0.5"
        for number, joint in enumerate(JOINTS)
    ]
    return ";".join([*cells, str(action)])


def text(*lines):
    return "\n".join([HEADER, *lines]) + "\n"


@pytest.fixture
def write(tmp_path):
    def write_(content, name="Seq4_7.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write_


def test_a_file_written_by_hand(write):
    path = write("\ufeff" + text(line(0, 0), line(1, 7, untracked=("Head",))))
    recording, annotation = read_precog(path)
    assert (recording.id, recording.person, recording.fps, recording.unit) == (
        "Seq4_7",
        "7",
        30,
        "m",
    )
    assert recording.metadata == {"script": "4"}
    np.testing.assert_array_equal(recording.skeleton[1, 1], [2, 1, 0.5])
    assert np.isnan(recording.skeleton[1, JOINTS.index("Head")]).all()
    assert np.isnan(recording.skeleton).sum() == 3
    assert [ACTIONS[label] for label in annotation.labels] == ["none", "back_fist"]
    assert expand(path) == [("precog", path)]


def test_the_tree_hangs_together():
    recording_parents = {
        "Spine": "HipCenter", "HandLeft": "WristLeft", "ShoulderRight": "ShoulderCenter",
        "FootRight": "AnkleRight", "HipLeft": "HipCenter", "Head": "ShoulderCenter",
    }  # fmt: skip
    from histvq.io.precog import PARENTS

    for child, parent in recording_parents.items():
        assert JOINTS[PARENTS[JOINTS.index(child)]] == parent


def test_packed_and_windows_line_ends(write):
    content = text(line(0, 1), line(1, 2))
    plain, _ = read_precog(write(content))
    windows = write(lzma.compress(content.replace("\n", "\r\n").encode()), "Seq4_7.csv.xz")
    np.testing.assert_array_equal(plain.skeleton, read_precog(windows)[0].skeleton)
    assert expand(windows) == [("precog", windows)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (text(line(0, 1), line(1, 2).rpartition(";")[0]), "line 3: 20 cells"),
        (text(line(0, 9)), "line 2: action 9, expected 0 to 8"),
        (text(line(0, 1).replace("1 3 0.5", "1 3")), "line 2, Head: '1 3', expected 3 numbers"),
        (text(line(0, 1).replace("1 3 0.5", "1 3 nan")), "line 2, Head: '1 3 nan', expected 3"),
        (text(line(0, 1).replace("1 3 0.5", "1 3 1e308")), "line 2, Head: '1 3 1e308', expected 3"),
        (text(line(0, 1).replace("1 3 0.5", "1,0 3 0")), "line 2, Head: '1,0 3 0', expected 3"),
        (HEADER.replace("Head", "Tail") + "\n" + line(0, 1), "line 1: expected the 20 joint names"),
        ("", "line 1: expected the 20 joint names"),
    ],
)
def test_what_is_wrong_and_where(content, words, write):
    path = write(content)
    with pytest.raises(FileFormatError) as caught:
        read_precog(path)
    assert words in str(caught.value)
    assert path.name in str(caught.value)
