import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read
from histvq.io.mediapipe import read_mediapipe
from histvq.io.parts.asked import NotSaidError
from histvq.skeletons import SKELETONS

WORLD = {"fps": 30, "landmarks": "world"}
IMAGE = {"fps": 30, "landmarks": "image"}


def pose(x, *, seen=0.9):
    """Landmark j lies at (x + j / 100, x / 2, -j / 100)."""
    return [
        {"x": x + j / 100, "y": x / 2, "z": -j / 100, "visibility": seen, "presence": 1.0}
        for j in range(33)
    ]


def in_list(landmarks):
    return [[mark["x"], mark["y"], mark["z"], mark["visibility"]] for mark in landmarks]


@pytest.fixture
def write(tmp_path):
    def write_(content):
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        file = tmp_path / "walk.json"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write_


def test_a_file_written_by_hand(write):
    first = pose(0.5)
    first[2]["visibility"] = 0
    path = write([first, None, pose(0.25)])
    recording, annotation = read_mediapipe(path, **WORLD)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit) == ("walk", 30, "m")
    assert recording.skeleton.shape == (3, 33, 3)
    assert recording.joint_names == SKELETONS["mediapipe-33"].joint_names
    assert recording.parents == SKELETONS["mediapipe-33"].parents
    np.testing.assert_allclose(recording.skeleton[0, 32], [0.82, 0.25, -0.32], rtol=1e-6)
    assert np.isnan(recording.skeleton[0, 2]).all()
    assert np.isnan(recording.skeleton[1]).all()
    assert recording.skeleton[2, 0].tolist() == [0.25, 0.125, 0]
    assert recording.history[0] == "world landmarks"
    assert expand(path) == [("mediapipe", path)]


def test_parts_of_a_picture_become_pixels(write):
    recording, _ = read_mediapipe(write([pose(0.5)]), **IMAGE, width=1000, height=400)
    assert recording.unit == "px"
    np.testing.assert_allclose(recording.skeleton[0, 10], [600, 100, -100], rtol=1e-6)
    assert recording.history[:2] == ("image landmarks", "multiplied by 1000 x 400")


@pytest.mark.parametrize("unit", ["px", "unknown"])
def test_a_unit_takes_image_landmarks_as_they_are(write, unit):
    recording, _ = read_mediapipe(write([pose(0.5)]), **IMAGE, unit=unit)
    assert recording.unit == unit
    assert recording.skeleton[0, 0].tolist() == [0.5, 0.25, 0]


def test_what_must_be_given(write):
    path = write([pose(0.5)])
    for options, option, words in (
        ({"landmarks": "world"}, "fps", "no frame rate in MediaPipe files"),
        ({"fps": 30}, "landmarks", "image or world landmarks"),
        (IMAGE, "width", "parts of the picture's width and height. Pass width= and height="),
        (IMAGE | {"width": 100}, "height", "parts of the picture's width"),
        (IMAGE | {"height": 100}, "width", "parts of the picture's width"),
    ):
        with pytest.raises(NotSaidError, match=words) as caught:
            read_mediapipe(path, **options)
        assert caught.value.option == option


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"landmarks": "word"}, "landmarks is 'word'; did you mean 'world'"),
        (WORLD | {"width": 3}, "width and height are for image landmarks"),
        (IMAGE | {"width": 3, "height": 4, "unit": "px"}, "width and height are for image"),
        (IMAGE | {"width": 0, "height": 4}, "width 0, height 4; expected pixels"),
        (IMAGE | {"width": 3, "height": float("nan")}, "width 3, height nan; expected pixels"),
        (IMAGE | {"width": 3, "height": "4"}, "width 3, height '4'; expected pixels"),
    ],
)
def test_options_out_of_bounds(write, options, words):
    with pytest.raises(ConfigError, match=words):
        read_mediapipe(write([pose(0.5)]), **{"fps": 30, **options})


def test_pixels_taken_for_parts_of_the_picture(write):
    path = write([pose(500)])
    with pytest.raises(FileFormatError, match=r"x is 500\.2 widths of the picture in the median"):
        read_mediapipe(path, **IMAGE, width=1000, height=400)


FORMS = {
    "lists": [in_list(pose(0.5)), None, in_list(pose(0.25))],
    "lists without visibility": [
        [mark[:3] for mark in in_list(pose(x))] if x else [] for x in (0.5, 0, 0.25)
    ],
    "a list of people": [[pose(0.5)], [], [pose(0.25)]],
    "a key": [{"landmarks": pose(0.5)}, {"landmarks": None}, {"landmarks": pose(0.25)}],
    "numbered": [{"frame": 4, "landmarks": pose(0.5)}, {"frame": 6, "landmarks": pose(0.25)}],
    "any order": [{"frame": 6, "landmarks": pose(0.25)}, {"frame": 4, "landmarks": pose(0.5)}],
    "by number": {"4": pose(0.5), "6": pose(0.25)},
    "protobuf": [{"pose_world_landmarks": {"landmark": pose(x)}} if x else None for x in (0.5, 0, 0.25)],
    "both kinds": [
        {"poseLandmarks": pose(9), "poseWorldLandmarks": pose(x) if x else []} for x in (0.5, 0, 0.25)
    ],
    "frames": {"fps": 30, "frames": [pose(0.5), None, pose(0.25)]},
    "frames of people": {"frames": [{"landmarks": [pose(0.5)]}, None, {"landmarks": [pose(0.25)]}]},
    "landmarks": {"landmarks": [pose(0.5), [], pose(0.25)]},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:.*1 of 3 frames are not there")
def test_forms_people_write(write, form):
    recording, _ = read_mediapipe(write(FORMS[form]), **WORLD)
    expected, _ = read_mediapipe(write([pose(0.5), None, pose(0.25)]), **WORLD)
    np.testing.assert_array_equal(recording.skeleton, expected.skeleton)


def test_gaps_are_told(write):
    with pytest.warns(DataWarning, match="1 of 3 frames are not there, number 5 the first"):
        recording, _ = read_mediapipe(write(FORMS["numbered"]), **WORLD)
    assert recording.metadata == {"landmarks": "world", "first_frame": 4}


def test_a_single_frame(write):
    assert read_mediapipe(write(pose(0.5)), **WORLD)[0].skeleton.shape == (1, 33, 3)


def test_several_people_are_followed(write):
    path = write([[pose(0), pose(5)], [pose(5.1), pose(0.1)]])
    with pytest.warns(DataWarning, match="2 people, up to 2 in a frame; linked"):
        recording, _ = read_mediapipe(path, **WORLD, whom="all")
    np.testing.assert_allclose(recording.skeleton[:, [0, 33], 0], [[0, 5], [0.1, 5.1]], rtol=1e-6)


def test_windows_line_ends_and_a_mark_at_the_start(write):
    text = json.dumps([pose(0.5)], indent=1).replace("\n", "\r\n")
    assert read(write("\ufeff" + text), **WORLD)[0].n_frames == 1


def test_nobody_for_long_hides_no_landmarks(write):
    path = write([None] * 20_000 + [pose(0.5)])
    assert expand(path) == [("mediapipe", path)]


SHORT = pose(0.5)[:32]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "line 1, column 1: not JSON"),
        ("[" * 200_000, "brackets within brackets, too deep"),
        ("[" * 400 + "]" * 400, "brackets within brackets, and no landmark in them"),
        ("3", "expected a list in brackets, found 3"),
        ([], "no people in it, in any of its 0 frames"),
        ([None, [], None], "no people in it, in any of its 3 frames"),
        ([pose(0.5, seen=0)], "no people in it: among the 1 found in 1 frames"),
        ({}, "no list of frames in it; expected one, .* It has nothing"),
        ({"a": 1}, "no list of frames in it; .* It has a"),
        ({"frames": 3}, "expected a list in brackets, found 3"),
        ([pose(0.5), SHORT], "frame 1: 32 landmarks, expected the 33 of MediaPipe Pose"),
        ([pose(0.5), 4], "frame 1: expected a list in brackets, found 4"),
        ([{"hands": []}], r"frame 0: no world landmarks \(pose_world_landmarks, .* it has hands"),
        ([{"pose_landmarks": pose(1)}], "frame 0: no world landmarks .* it has pose_landmarks"),
        ([[*SHORT, 3]], "frame 0, right_foot_index: expected keys and values, found 3"),
        ([[*SHORT, {"x": 1, "y": 2}]], "frame 0, right_foot_index: no z in it"),
        ([[*SHORT, [1, 2]]], "right_foot_index: a list of 2 values; expected x, y, z and visib"),
        (
            [[*SHORT, SHORT[0] | {"x": "0.5"}]],
            'value 129 of 132: expected a number, .* found "0.5"',
        ),
        ([[*SHORT, SHORT[0] | {"y": True}]], "value 130 of 132: .* found true"),
        ([[*SHORT, SHORT[0] | {"x": 1e300}]], r"value 129 of 132: 1e\+300 is too large"),
        ([[*SHORT, SHORT[0] | {"z": float("nan")}]], "NaN is no JSON number"),
        ([{"frame": 3, "landmarks": pose(1)}] * 2, r"frame 3 is there 2 times \('frame'\)"),
        ({"0": pose(1), "99999999": pose(1)}, "2 frames, numbered from 0 to 99999999: too few"),
        (json.dumps([pose(0.5)]).encode("utf-16"), "not a text file"),
        ('{"visibility": "ü"}'.encode("latin-1"), "not a text file"),
    ],
)
def test_what_is_wrong_and_where(write, said, words):
    path = write(said)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_mediapipe(path, **WORLD)
    assert "walk.json" in str(caught.value)


GOOD = json.dumps([pose(0.5), None, {"frame": 2, "landmarks": pose(0.75)}]).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_an_error(write, data):
    start = data.draw(st.integers(0, len(GOOD)))
    stop = data.draw(st.integers(start, min(start + 12, len(GOOD))))
    middle = data.draw(st.sampled_from([b"", b"null", b"1e999", b"[", b"}", b'"', b"\xff", b"-1"]))
    _read_or_error(write(GOOD[:start] + middle + GOOD[stop:]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["x", "y", "landmarks", "frame", "frames", "7"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=JSON)
def test_any_json_is_an_error(write, said):
    with pytest.raises(FileFormatError, match=r"walk\.json"):
        read_mediapipe(write(said), **WORLD)


def _read_or_error(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            read_mediapipe(path, **WORLD)
        except FileFormatError as error:
            assert path.name in str(error)  # noqa: PT017
