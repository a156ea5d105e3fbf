import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io import expand, read, read_many
from histvq.io.openpose import read_openpose
from histvq.io.parts.asked import NotSaidError
from histvq.skeletons import SKELETONS


def body(x, *, n=25, confidence=0.9, size=2):
    """Point j lies at (x + j, x + 2 j[, x + 3 j])."""
    return [
        value
        for joint in range(n)
        for value in (*(x + axis * joint for axis in range(1, size + 1)), confidence)
    ]


def person(points, *, key="pose_keypoints_2d", **more):
    return {"person_id": [-1], key: points, "face_keypoints_2d": [], **more}


@pytest.fixture
def write(tmp_path):
    def write_(*frames, name="walk", first=0, step=1, width=12):
        """One file a frame of these people; text and bytes as they are."""
        for place, people in enumerate(frames):
            number = first + place * step
            file = tmp_path / f"{name}_{number:0{width}}_keypoints.json"
            if isinstance(people, list):
                people = json.dumps({"version": 1.3, "people": people})
            file.write_bytes(people if isinstance(people, bytes) else people.encode())
        return tmp_path / f"{name}_{first:0{width}}_keypoints.json"

    return write_


def test_a_series_written_by_hand(write):
    points = body(10.5)
    points[3:6] = [0, 0, 0]  # the neck was not found
    path = write([person(points)], [], [person(body(20))])
    recording, annotation = read_openpose(path, fps=25)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit) == ("walk", 25, "px")
    assert recording.skeleton.shape == (3, 25, 2)
    assert recording.joint_names == SKELETONS["body-25"].joint_names
    assert recording.parents == SKELETONS["body-25"].parents
    assert recording.source == str(path)
    assert recording.skeleton[0, 0].tolist() == [10.5, 10.5]
    assert np.isnan(recording.skeleton[0, 1]).all()
    assert recording.skeleton[0, 24].tolist() == [34.5, 58.5]
    assert np.isnan(recording.skeleton[1]).all()
    assert recording.skeleton[2, 3].tolist() == [23, 26]


def test_a_file_as_openpose_writes_it(write):
    # Written out by hand after the documentation's example: hands and face stand beside the body.
    text = (
        '{"version":1.1,"people":[{"pose_keypoints_2d":[582.349,507.866,0.845918,'
        + "0,0,0," * 23
        + '746.975,631.307,0.587007],"face_keypoints_2d":[468.725,715.636,0.189116],'
        '"hand_left_keypoints_2d":[],"pose_keypoints_3d":[]}],'
        '"part_candidates":[{"0":[296.994,258.976,0.845918]}]}'
    )
    recording, _ = read_openpose(write(text), fps=30)
    np.testing.assert_allclose(recording.skeleton[0, 0], [582.349, 507.866], rtol=1e-6)
    np.testing.assert_allclose(recording.skeleton[0, 24], [746.975, 631.307], rtol=1e-6)
    assert np.isnan(recording.skeleton[0, 1:24]).all()


def test_the_old_key_and_eighteen_points(write):
    recording, _ = read_openpose(write([person(body(1, n=18), key="pose_keypoints")]), fps=30)
    assert recording.joint_names == SKELETONS["coco-18"].joint_names
    assert recording.skeleton[0, 17].tolist() == [18, 35]


def test_three_dimensions_have_a_unit_that_must_be_given(write):
    three = {"pose_keypoints_3d": body(1, size=3, confidence=1)}
    path = write([person(body(7), **three)], [])
    with pytest.raises(NotSaidError, match="no unit in three-dimensional OpenPose files"):
        read_openpose(path, fps=30)
    recording, _ = read_openpose(path, fps=30, unit="millimetres")
    assert recording.skeleton.shape == (2, 25, 3)
    assert recording.unit == "mm"
    assert recording.skeleton[0, 2].tolist() == [3, 5, 7]
    assert recording.channel_names == ("x", "y", "z")


def test_points_from_0_to_1_are_no_pixels(write):
    path = write([person([0.5, 1.0, 0.9] * 25)])
    with pytest.raises(NotSaidError, match=r"no unit in OpenPose files.*unit='unknown'"):
        read_openpose(path, fps=30)
    assert read_openpose(path, fps=30, unit="unknown")[0].unit == "unknown"


def test_the_first_file_stands_for_the_series(write, tmp_path):
    walk = write(*[[person(body(t))] for t in range(5)], first=7)
    run = write(*[[person(body(t))] for t in range(3)], name="run")
    loose = write([person(body(1))], name="frame", first=1, width=4)
    assert expand(tmp_path) == [("openpose", loose), ("openpose", run), ("openpose", walk)]
    many = read_many(tmp_path, fps=30)
    assert [(r.id, r.n_frames) for r in many.recordings] == [("frame", 1), ("run", 3), ("walk", 5)]
    assert many.skipped == ()
    third = walk.with_name("walk_000000000009_keypoints.json")
    recording, _ = read(third, format="openpose", fps=30)
    assert recording.n_frames == 5
    assert recording.source == str(walk)


def test_a_series_without_a_name_has_its_folders(tmp_path):
    folder = tmp_path / "camera 1"
    folder.mkdir()
    file = folder / "000000000000_keypoints.json"
    file.write_text(json.dumps({"people": [person(body(1))]}))
    assert read(folder, fps=30)[0].id == "camera 1"


def test_gaps_are_frames_without_values(write):
    path = write(*[[person(body(t))] for t in range(3)], first=4, step=3)
    with pytest.warns(DataWarning, match="4 of 7 frames are not there, number 5 the first"):
        recording, _ = read_openpose(path, fps=30)
    assert expand(path.parent) == [("openpose", path)]
    there = ~np.isnan(recording.skeleton).all(axis=(1, 2))
    assert there.tolist() == [True, False, False, True, False, False, True]
    assert recording.metadata == {"first_frame": 4}


def test_people_are_followed_by_nearest_centre_or_by_what_tracking_says(write):
    frames = [[person(body(0)), person(body(100))], [person(body(101)), person(body(1))]]
    with pytest.warns(DataWarning, match="2 people, up to 2 in a frame; linked") as caught:
        recording, _ = read_openpose(write(*frames), fps=30, whom="all")
    assert len(caught) == 1
    assert recording.skeleton[:, [0, 25], 0].tolist() == [[0, 100], [1, 101]]
    for people in frames:
        for number, one in enumerate(people):
            one["person_id"] = [number + 3]
    recording, _ = read_openpose(write(*frames), fps=30)
    assert recording.joint_names[25] == "4/nose"
    assert recording.skeleton[:, [0, 25], 0].tolist() == [[0, 100], [101, 1]]


def test_a_face_without_a_body_is_nobody(write):
    recording, _ = read_openpose(write([person([])], [person(body(1)), person([])]), fps=30)
    assert np.isnan(recording.skeleton[0]).all()
    assert recording.skeleton.shape == (2, 25, 2)


def test_windows_line_ends_and_a_mark_at_the_start(write):
    text = json.dumps({"people": [person(body(1))]}, indent=1).replace("\n", "\r\n")
    recording, _ = read_openpose(write("\ufeff" + text), fps=30)
    assert recording.skeleton[0, 1].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ("", "line 1, column 1: not JSON"),
        ('{"people": [', "line 1, column 13: not JSON"),
        ("[]", "expected keys and values, found a list of 0 values"),
        ("null", "expected keys and values, found null"),
        (
            '{"version": 1.3}',
            "no `people` in it, so it is not what OpenPose writes; it has version",
        ),
        ('{"people": {}}', "people: expected a list in brackets, found an object of 0 keys"),
        ('{"people": [3]}', "person 1: expected keys and values, found 3"),
        ([person(body(1)[:-1])], "person 1, pose_keypoints_2d: 74 numbers, expected 3 for each"),
        (
            [person(body(1, n=15))],
            "45 numbers, expected 3 for each of 18 .coco-18. or 25 .body-25.",
        ),
        ([person(body(1, n=18))], "person 1, pose_keypoints_2d: 54 numbers, but 75 of the first"),
        ([person([*body(1)[:-1], "0.5"])], 'value 75 of 75: expected a number, .* found "0.5"'),
        ([person([*body(1)[:-1], True])], "value 75 of 75: expected a number, .* found true"),
        ([person([*body(1)[:-1], []])], "value 75 of 75: .* found a list of 0 values"),
        ([person([1e39, *body(1)[1:]])], r"value 1 of 75: 1e\+39 is too large"),
        ([person([10**400, *body(1)[1:]])], r"value 1 of 75: 1000.*\.\.\. is too large"),
        ([person("abc")], 'expected a list in brackets, found "abc"'),
        (
            json.dumps({"people": [person([float("nan")] * 75)]}),
            "NaN is no JSON number; write null",
        ),
        (json.dumps({"people": [person([float("-inf")] * 75)]}), "-Infinity is no JSON number"),
        ('{"people": [{"pose_keypoints_2d": [' + "1" * 5000 + "]}]}", "Exceeds the limit"),
        ('{"people": ' + "[" * 200_000, "brackets within brackets, too deep"),
        ('{"people": ' + '{"a":' * 200_000, "brackets within brackets, too deep"),
        ('{"people": []}'.encode("utf-16"), "not a text file"),
        ('{"whom": "Füße"}'.encode("latin-1"), "not a text file"),
        (b"\x00\xff\x10", "not a text file"),
    ],
)
def test_what_is_wrong_and_where(write, frame, words):
    path = write([person(body(1))], frame, [person(body(2))])
    with pytest.raises(FileFormatError, match=words) as caught:
        read_openpose(path, fps=30)
    assert "walk_000000000001_keypoints.json" in str(caught.value)


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (([], []), "no people in it, or none with a body"),
        (([person([])],), "no people in it, or none with a body"),
        (([person([0.0] * 75)],), "no people in it: among the 1 found in 1 frames, no point"),
        (([person([None] * 75)],), "no people in it: among the 1 found"),
    ],
)
def test_a_series_of_nobody(write, frames, words):
    with pytest.raises(FileFormatError, match=words):
        read_openpose(write(*frames), fps=30)


def test_what_must_be_given_and_what_is_out_of_bounds(write, tmp_path):
    path = write([person(body(1))])
    with pytest.raises(NotSaidError, match="no frame rate in OpenPose files") as caught:
        read_openpose(path)
    assert caught.value.option == "fps"
    with pytest.raises(ConfigError, match="whom is 'first'"):
        read_openpose(path, fps=30, whom="first")
    with pytest.raises(FileFormatError, match=r"other\.json: OpenPose names its files <name>"):
        read_openpose(tmp_path / "other.json", fps=30)
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_openpose(tmp_path / "no_000000000000_keypoints.json", fps=30)
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_openpose(tmp_path / "no" / "a_000000000000_keypoints.json", fps=30)
    write([person(body(1))], width=3)
    with pytest.raises(FileFormatError, match="are both frame 0"):
        read_openpose(path, fps=30)
    with pytest.raises(FileFormatError, match="are both frame 0"):
        read_many(tmp_path, fps=30)


def test_numbers_far_apart_are_no_series(write):
    path = write([person(body(1))], [person(body(1))], step=999_999_999_998)
    with pytest.raises(FileFormatError, match="2 files, numbered from 0 to 999999999998: too few"):
        read_openpose(path, fps=30)


GOOD = json.dumps({"version": 1.3, "people": [person(body(1)), person(body(50))]}).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_an_error(write, data):
    start = data.draw(st.integers(0, len(GOOD)))
    stop = data.draw(st.integers(start, len(GOOD)))
    middle = data.draw(st.sampled_from([b"", b"null", b"1e999", b"[", b"}", b'"', b"\xff", b"-"]))
    path = write(GOOD[:start] + middle + GOOD[stop:])
    try:
        recording, _ = _silent(read_openpose, path, fps=30)
    except FileFormatError as error:
        assert path.name in str(error)  # noqa: PT017
    else:
        assert recording.n_frames == 1


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60) | st.text('[]{}":,0123456789.eE-nulNaN ', max_size=60))
def test_any_text_is_an_error(write, text):
    path = write(text.encode("utf-8", errors="replace"))
    with pytest.raises(FileFormatError, match=path.name):
        read_openpose(path, fps=30)


def _silent(function, *arguments, **options):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return function(*arguments, **options)
