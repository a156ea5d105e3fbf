from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.checkpoints.msgcn import PUBLISHED
from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read_many
from histvq.io.parts.pku_mmd_labels import ACTIONS, NOT_IN_VERSION_2, Action, paint
from histvq.io.pku_mmd import JOINTS, PARENTS, parse_name, read_pku_mmd
from histvq.supervised.graphs import GRAPHS
from oracles.accidents import spoilt
from oracles.pku_mmd_files import LABELS, line, person, put, text


def labels_file(path):
    return path.parent.parent / LABELS / path.name


def test_the_first_of_two_people_and_the_labels(tmp_path):
    path = put(tmp_path)
    recording, annotation = read_pku_mmd(path)
    np.testing.assert_array_equal(recording.skeleton, person(40))
    assert (recording.id, recording.person, recording.fps) == ("A01N05-L", "05", 30)
    assert (recording.unit, recording.source, recording.history) == ("m", str(path), ())
    assert recording.metadata == {
        "dataset": "pku-mmd", "script": "01", "view": "L", "bodies": "first",
        "overlapping_frames": 0,
    }  # fmt: skip
    # 1 from 2 to 10, 33 from 12 to 20, by hand.
    assert annotation.labels.tolist() == [0] * 2 + [1] * 8 + [0] * 2 + [33] * 8 + [0] * 20
    assert [annotation.actions[code] for code in (0, 1, 33)] == [
        "background",
        "bow",
        "sitting down",
    ]
    assert expand(tmp_path) == [("pku-mmd", path)]


def test_names_are_those_of_the_published_weights_and_graphs():
    assert any(known.actions == ACTIONS for known in PUBLISHED.values())
    assert len(ACTIONS) - len(NOT_IN_VERSION_2) == 41 + 1
    graph = GRAPHS["pku-mmd"]
    assert graph.joint_names == JOINTS
    edges = {frozenset(edge) for edge in graph.edges}
    assert edges == {frozenset((j, p)) for j, p in enumerate(PARENTS) if p >= 0}


def test_names():
    assert parse_name(Path("A26N13-R.txt")) == ("26", "13", "R")
    for other in ("0002-L.txt", "A01N05-X.txt", "A01N05.txt", "A01N05-L-1.txt"):
        assert parse_name(Path(other)) is None


def test_both_people_side_by_side(tmp_path):
    path = put(tmp_path, absent=())
    recording, _ = read_pku_mmd(path, person="both")
    np.testing.assert_array_equal(recording.skeleton[:, :25], person(40))
    np.testing.assert_array_equal(recording.skeleton[:, 25:], person(40, 1))
    assert recording.joint_names[:2] == ("person0/spine_base", "person0/spine_mid")
    assert recording.joint_names[25] == "person1/spine_base"
    assert recording.joint_persons == (0,) * 25 + (1,) * 25
    assert recording.parents[25:] == (-1, *(p + 25 for p in PARENTS[1:]))
    assert recording.person == "05"


def test_who_is_not_there_is_missing(tmp_path):
    path = put(tmp_path)
    recording, _ = read_pku_mmd(path, person="both")
    assert np.isnan(recording.skeleton[:, 25:]).all()
    lines = [line(0), line(1, absent=(0, 1)), line(2)]
    cells = lines[2].split()
    cells[9:12] = "0", "0.0", "-0"  # the head, and it alone
    path.write_text("\n".join([*lines[:2], " ".join(cells)]) + "\n")
    labels_file(path).write_text("1,0,2\n")
    skeleton = read_pku_mmd(path)[0].skeleton
    assert np.isnan(skeleton[1]).all()
    assert np.isnan(skeleton[2]).all(axis=1).nonzero()[0].tolist() == [3]


def test_who_moves_most(tmp_path):
    path = put(tmp_path, absent=())
    assert read_pku_mmd(path, person="most_moving")[0].history == ("person(most_moving): person0",)
    still = "\n".join(
        f"{' '.join(['1'] * 75)} {line(t, absent=()).split(' ', 75)[75]}" for t in range(40)
    )
    path.write_text(still + "\n")
    recording, _ = read_pku_mmd(path, person="most_moving")
    np.testing.assert_array_equal(recording.skeleton, person(40, 1))
    assert recording.history == ("person(most_moving): person1",)
    assert recording.joint_names == JOINTS
    with pytest.raises(ConfigError, match="person='second': must be one of"):
        read_pku_mmd(path, person="second")


@pytest.mark.parametrize(
    "folder",
    ["Label", "Label/Label_PKUMMD_v2", "data/labels", "data/Label_x/Train_Label_PKU_final"],
)
def test_labels_are_found_where_releases_have_them(tmp_path, folder):
    path = tmp_path / "data" / "Skeleton_v2" / "A01N05-M.txt"
    for file, content in ((path, text(5)), (tmp_path / folder / "A01N05-M.txt", "2,1,3\n")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert read_pku_mmd(path)[1].labels.tolist() == [0, 2, 2, 0, 0]
    assert read_many(tmp_path).skipped == ()


def test_labels_in_a_folder_that_is_named(tmp_path):
    path = put(tmp_path / "x", n_frames=4, labels=None)
    assert read_pku_mmd(path)[1] is None
    (tmp_path / "truth" / "deep").mkdir(parents=True)
    (tmp_path / "truth" / "deep" / path.name).write_text("5,0,1\n")
    assert read_pku_mmd(path)[1] is None
    assert read_pku_mmd(path, labels=tmp_path / "truth")[1].labels.tolist() == [5, 0, 0, 0]
    assert read_pku_mmd(path, labels=tmp_path)[1].labels.tolist() == [5, 0, 0, 0]


@pytest.mark.parametrize(
    ("actions", "expected", "overlapping"),
    [
        ("1,0,3 2,5,7", [1, 1, 1, 0, 0, 2, 2, 0], 0),
        ("1,0,5 2,3,7", [1, 1, 1, 2, 2, 2, 2, 0], 2),
        ("2,3,7 1,0,5", [1, 1, 1, 2, 2, 2, 2, 0], 2),  # in order of start, not of the file
        ("1,2,4 2,2,6", [0, 0, 2, 2, 2, 2, 0, 0], 2),  # together: in the order of the file
        ("2,2,6 1,2,4", [0, 0, 1, 1, 2, 2, 0, 0], 2),
        ("1,0,8 2,2,3 3,2,4", [1, 1, 3, 3, 1, 1, 1, 1], 2),  # three at once are one frame
    ],
)
def test_later_actions_cover_earlier_ones(tmp_path, actions, expected, overlapping):
    path = put(tmp_path, n_frames=8, labels="\n".join(actions.split()) + "\n")
    recording, annotation = read_pku_mmd(path)
    assert annotation.labels.tolist() == expected
    assert recording.metadata["overlapping_frames"] == overlapping


@given(
    spans=st.lists(st.tuples(st.integers(1, 51), st.integers(0, 12), st.integers(1, 6)), max_size=8)
)
def test_painted_as_each_frame_would_choose(spans):
    actions = [Action(code, start, start + length) for code, start, length in spans]
    labels, overlapping = paint(actions, 20, path=Path("x"))
    for frame, label in enumerate(labels):
        here = [(a.start, n, a.code) for n, a in enumerate(actions) if a.start <= frame < a.stop]
        assert label == (max(here)[2] if here else 0)
    assert overlapping == sum(
        sum(a.start <= frame < a.stop for a in actions) > 1 for frame in range(20)
    )


@pytest.mark.parametrize(
    ("labels", "expected", "words"),
    [
        (
            "1,3,1,2\n2,4,5,1\n",
            [0, 1, 1, 0, 2, 0],
            "1 actions end before they start, first in line 1",
        ),
        (
            "1,4,9\n",
            [0, 0, 0, 0, 1, 1],
            "1 actions end after the last of 6 frames, at most at 9: cut",
        ),
        ("1,7,9\n", [0] * 6, "1 actions end after the last of 6 frames"),
        ("1,2,2\n", [0] * 6, "1 actions end where they start"),
        (
            "12,0,1\n",
            [12, 0, 0, 0, 0, 0],
            "12 giving something to other person. Is it a file of vers",
        ),
    ],
)
def test_odd_labels_are_told(tmp_path, labels, expected, words):
    path = put(tmp_path, n_frames=6, labels=labels)
    with pytest.warns(DataWarning) as caught:
        annotation = read_pku_mmd(path)[1]
    assert annotation.labels.tolist() == expected
    assert len(caught) == 1
    assert words in str(caught[0].message)
    assert str(caught[0].message).startswith("A01N05-L.txt (labels): ")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("", "line 1: ''; expected whole numbers"),
        ("1,2\n", "line 1: '1,2'; expected whole numbers"),
        ("1,2,3\n1,2,3,1,5\n", "line 2: '1,2,3,1,5'"),
        ("1,2,3\n\n1,2,3\n", "line 2: ''"),
        ("1,-2,3\n", "line 1: '1,-2,3'"),
        ("1,2.5,3\n", "line 1: '1,2.5,3'"),
        ("1,2,99999999999999999999\n", "line 1: '1,2,99999999999999999999'"),
        ("52,2,3\n", "line 1: action 52, expected 1 to 51"),
        ("1,2,3\n0,2,3\n", "line 2: action 0, expected 1 to 51"),
        ("1,2,3\n".encode("utf-16"), "it may be UTF-16"),
        (b"1,2,\xe9\n", "line 1"),
    ],
)
def test_what_is_wrong_with_the_labels(tmp_path, labels, words):
    path = put(tmp_path)
    labels_file(path).write_bytes(labels if isinstance(labels, bytes) else labels.encode())
    with pytest.raises(FileFormatError) as caught:
        read_pku_mmd(path)
    assert words in str(caught.value)
    assert str(labels_file(path)) in str(caught.value)


def test_windows_line_ends_a_byte_order_mark_and_tabs(tmp_path):
    path = put(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + text(40).replace("\n", " \r\n").replace(" ", " \t").encode())
    labels_file(path).write_bytes(b"\xef\xbb\xbf1, 2, 10, 2,\r\n33, 12, 20\r\n")
    recording, annotation = read_pku_mmd(path)
    np.testing.assert_array_equal(recording.skeleton, person(40))
    assert np.bincount(annotation.labels)[[1, 33]].tolist() == [8, 8]


def test_one_frame_and_no_last_line_end(tmp_path):
    path = put(tmp_path, n_frames=1, labels="1,0,1\n")
    assert read_pku_mmd(path)[0].n_frames == 1
    path.write_text(line(0))
    with pytest.warns(DataWarning, match="the last line has no line end"):
        read_pku_mmd(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        (" \n", "the file is empty"),
        (text(2) + "1 2 3\n", "last line 3: 3 cells, expected 150"),
        (text(1) + line(1) + " 7\n" + text(1), "line 2: 151 cells, expected 150"),
        (text(1) + "\n" + text(1), "line 2: 0 cells, expected 150"),
        (
            text(1).replace("2.5", "x", 1),
            "line 1, column 3 person0/spine_base/z: 'x' is not a finite",
        ),
        (text(1).replace("2.5", "nan", 1), "line 1, column 3 person0/spine_base/z: 'nan'"),
        (text(1).replace("2.5", "inf", 1), "line 1, column 3 person0/spine_base/z: 'inf'"),
        (text(1).replace("2.5", "1e60", 1), "line 1, column 3 person0/spine_base/z: '1e60'"),
        (text(1).replace("2.5", "\xe9", 1).encode("latin-1"), "person0/spine_base/z: '\xe9'"),
        (text(3).encode("utf-16"), "it may be UTF-16"),
        ("5 " * 100_000, "last line 1: 100000 cells, expected 150"),
        ("1,2,3\n", "line 1: 1 cells, expected 150"),
    ],
)
def test_what_is_wrong_and_where(tmp_path, content, words):
    path = put(tmp_path)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileFormatError) as caught:
        read_pku_mmd(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_name_that_is_none(tmp_path):
    path = put(tmp_path).rename(tmp_path / "0002-L.txt")
    with pytest.raises(FileFormatError, match="not a recording of PKU-MMD version 2 by its name"):
        read_pku_mmd(path)


def test_empty_files_are_recordings_only_among_recordings(tmp_path):
    path = put(tmp_path)
    put(tmp_path, "A02N05-L", labels="")
    path.write_text("")
    many = [file for _, file in expand(tmp_path)]
    assert [file.name for file in many] == ["A01N05-L.txt", "A02N05-L.txt"]
    assert {file.parent.name for file in many} == {"Skeleton_v2"}


GOOD = text(4).encode(), b"1,0,2,1\n2,2,3,1\n33,1,4\n"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(motion=spoilt(GOOD[0]), labels=spoilt(GOOD[1]), which=st.sampled_from(["motion", "labels"]))
@pytest.mark.filterwarnings("ignore::histvq.errors.DataWarning")
def test_whatever_is_in_the_files_only_our_errors_come_out(tmp_path, motion, labels, which):
    path = put(tmp_path)
    path.write_bytes(motion if which == "motion" else GOOD[0])
    labels_file(path).write_bytes(labels if which == "labels" else GOOD[1])
    said = ""
    try:
        recording, annotation = read_pku_mmd(path)
    except FileFormatError as error:
        said = str(error)
    assert path.name in said or (recording.n_frames > 0 and not np.isinf(recording.skeleton).any())
    if not said and annotation is not None:
        assert annotation.n_frames == recording.n_frames
