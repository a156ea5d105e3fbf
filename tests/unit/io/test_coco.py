import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from histvq.errors import DataWarning, FileFormatError
from histvq.io import expand, read
from histvq.io.coco import read_coco
from histvq.io.parts.asked import NotSaidError
from histvq.skeletons import SKELETONS


def points(x, *, n=17, sure=0.9):
    """Point j lies at (x + j, x + 2 j)."""
    return [value for joint in range(n) for value in (x + joint, x + 2 * joint, sure)]


def row(image, x, *, n=17, sure=0.9, **more):
    return {"image_id": image, "category_id": 1, "keypoints": points(x, n=n, sure=sure)} | more


def images(*names, **more):
    return [{"id": n, "file_name": name, **more} for n, name in enumerate(names, start=10)]


@pytest.fixture
def write(tmp_path):
    def write_(content, name="walk.json"):
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return write_


def test_results_written_by_hand(write):
    first = row(5, 100)
    first["keypoints"][3:6] = [0, 0, 0]
    path = write([row(6, 200, score=0.4), first])
    recording, annotation = read_coco(path, fps=25)
    assert annotation is None
    assert (recording.id, recording.fps, recording.unit) == ("walk", 25, "px")
    assert recording.joint_names == SKELETONS["coco-17"].joint_names
    assert recording.parents == SKELETONS["coco-17"].parents
    assert recording.metadata == {"first_frame": 5}
    assert recording.skeleton[:, 0].tolist() == [[100, 100], [200, 200]]
    assert np.isnan(recording.skeleton[0, 1]).all()
    assert recording.skeleton[1, 16].tolist() == [216, 232]
    assert expand(path) == [("coco", path)]


def test_images_without_anybody_are_frames(write):
    said = {
        "images": images("b/0003.jpg", "b/0002.jpg", "b/0001.jpg"),
        "annotations": [row(10, 3, sure=2), row(12, 1, sure=1), row(12, 0, sure=0)],
    }
    recording, _ = read_coco(write(said), fps=25)
    assert recording.skeleton[:, 0, 0].tolist()[::2] == [1, 3]
    assert np.isnan(recording.skeleton[1]).all()


@pytest.mark.parametrize(
    ("ids", "frames"),
    [
        ([0, 1, 4], [0, 1, 4]),
        ([-1, 0, 1], [0, 1, 2]),
        (["7.jpg", "8.jpg", "9.jpg"], [0, 1, 2]),
        (["walk_v2_0998.png", "walk_v2_0999.png", "walk_v2_1000.png"], [0, 1, 2]),
    ],
)
@pytest.mark.filterwarnings("ignore:.*frames are not there")
def test_frames_of_results_are_numbers_of_their_images(write, ids, frames):
    recording, _ = read_coco(write([row(id, n) for n, id in enumerate(ids)]), fps=25)
    assert np.flatnonzero(~np.isnan(recording.skeleton[:, 0, 0])).tolist() == frames
    assert recording.skeleton[frames, 0, 0].tolist() == [0, 1, 2]


def test_gaps_are_told(write):
    with pytest.warns(DataWarning, match=r"walk\.json: 2 of 5 frames are not there, number 2"):
        read_coco(write([row(n, n) for n in (0, 1, 4)]), fps=25)


def test_images_with_other_names_go_by_their_ids(write):
    # As Roboflow names them: numbers at the end are those of a hash.
    said = {"images": images("f1.rf.a2", "f2.rf.c34"), "annotations": [row(11, 2), row(10, 1)]}
    recording, _ = read_coco(write(said), fps=25)
    assert recording.skeleton[:, 0, 0].tolist() == [1, 2]


def test_a_category_names_its_own_points_and_bones(write):
    category = {
        "id": 1, "name": "mouse", "keypoints": ["nose", "left_ear", "right_ear", "tail"],
        "skeleton": [[1, 2], [3, 1], [2, 3], [1, 4]],
    }  # fmt: skip
    said = {"annotations": [row(0, 0, n=4)], "categories": [category, {"id": 2, "name": "car"}]}
    recording, _ = read_coco(write(said), fps=25)
    assert recording.joint_names == ("nose", "left_ear", "right_ear", "tail")
    assert recording.parents == (-1, 0, 0, 0)
    assert recording.history[0] == "1 of 4 bones left out to make a tree"
    category["skeleton"] = [[0, 1], [1, 2], [2, 3]]
    recording, _ = read_coco(write(said), fps=25)
    assert recording.parents == (-1, 0, 1, 2)
    assert recording.history[0] == "bones counted from 0"
    category["skeleton"] = []
    recording, _ = read_coco(write(said), fps=25)
    assert recording.parents is None  # nothing was said of them


def test_cocos_own_category_has_the_tree_of_the_preset(write):
    # The bones of person_keypoints_val2017.json, which have loops.
    bones = [
        [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9],
        [8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
    ]  # fmt: skip
    names = list(SKELETONS["coco-17"].joint_names)
    category = {"id": 1, "name": "person", "keypoints": names, "skeleton": bones}
    said = {"annotations": [row(0, 0)], "categories": [category]}
    recording, _ = read_coco(write(said), fps=25)
    assert recording.parents == SKELETONS["coco-17"].parents
    names[0] = "snout"
    recording, _ = read_coco(write(said), fps=25)
    assert recording.parents.count(-1) == 1
    assert "3 of 19 bones left out to make a tree" in recording.history


@pytest.mark.parametrize("key", ["track_id", "tracking_id", "person_id", "attributes"])
def test_who_is_who_where_the_file_says_it(write, key):
    rows = [row(0, 0), row(0, 50), row(1, 50), row(1, 0)]
    for one, id in zip(rows, (7, 8, 7, 8), strict=True):
        one[key] = {"track_id": id} if key == "attributes" else id
    recording, _ = read_coco(write(rows), fps=25)
    assert recording.joint_names[0] == "7/nose"
    assert recording.joint_names[17] == "8/nose"
    assert recording.joint_persons == (0,) * 17 + (1,) * 17
    assert recording.parents[17:20] == (-1, 17, 17)
    assert recording.skeleton[:, [0, 17], 0].tolist() == [[0, 50], [50, 0]]


@pytest.mark.parametrize("nobody", [None, -1, 1.5, True])
def test_who_is_who_where_not_all_say_it(write, nobody):
    rows = [row(0, 0, track_id=1), row(0, 50, track_id=2), row(1, 1, track_id=nobody), row(1, 51)]
    with pytest.warns(DataWarning, match="2 people, up to 2 in a frame; linked from frame"):
        recording, _ = read_coco(write(rows), fps=25)
    assert recording.skeleton[:, 0, 0].tolist() == [0, 1]


def test_boxes_among_the_keypoints_are_left_out(write):
    said = {"annotations": [row(0, 0), {"image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4]}]}
    with pytest.warns(DataWarning, match="1 of 2 annotations have no keypoints"):
        read_coco(write(said), fps=25)


def test_windows_line_ends_and_a_mark_at_the_start(write):
    text = json.dumps([row(0, 1)], indent=1).replace("\n", "\r\n")
    path = write("\ufeff" + text)
    assert read(path, fps=25)[0].n_frames == 1


def test_a_long_list_of_images_hides_no_keypoints(write, tmp_path):
    said = {"images": images(*(f"{n:0200}.jpg" for n in range(1000))), "annotations": [row(10, 1)]}
    said["categories"] = [{"id": 1, "keypoints": list("abcdefghijklmnopq")}]
    path = write(said)
    assert expand(path) == [("coco", path)]
    other = write({"images": said["images"], "annotations": []}, "boxes.json")
    assert expand(tmp_path) == [("coco", path)]
    with pytest.raises(FileFormatError, match="none of the known formats"):
        expand(other)


CATEGORY = {"id": 1, "name": "cat", "keypoints": ["a", "b"], "skeleton": [[1, 2]]}
TWO = [row(0, 0, n=2)]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "line 1, column 1: not JSON"),
        ("[\n{]", "line 2, column 2: not JSON"),
        ("[" * 200_000, "brackets within brackets"),
        ("3", "expected keys and values, found 3"),
        ([], "no people in it: none of its 0 annotations has `keypoints`"),
        ([row(0, 0, keypoints=None)], "none of its 1 annotations has `keypoints`"),
        ({}, "no `annotations` in it, so it is no COCO file; it has nothing"),
        ({"images": []}, "no COCO file; it has images"),
        ({"annotations": 3}, "annotations: expected a list in brackets, found 3"),
        ([3], "annotation 1: expected keys and values, found 3"),
        (
            [row(0, 0), row(1, 0, n=16)],
            "annotation 2, keypoints: 48 numbers, expected x, y and con",
        ),
        ([row(0, 0, n=26)], r"78 numbers, .* of 17 points \(coco-17\)"),
        ([row(0, 0, keypoints="x")], 'keypoints: expected a list in brackets, found "x"'),
        (
            [row(0, 0, keypoints=["5"] * 51)],
            'annotation 1, keypoints, value 1 of 51: expected a number, .* found "5',
        ),
        ([row(0, 0, keypoints=[False] * 51)], "found false"),
        ([row(0, float("nan"))], "NaN is no JSON number"),
        ([row(0, float("inf"))], "Infinity is no JSON number"),
        ([row(0, 10**300)], "value 1 of 51: 1000.* is too large"),
        ([row(None, 0)], "annotation 1, image_id: expected a number or a name, found null"),
        ([row([1], 0)], "image_id: expected a number or a name, found a list of 1 values"),
        ([row(1.5, 0)], "image_id: expected a number or a name, found 1.5"),
        ([row(0, 0), row(999_999, 0)], "2 images, numbered from 0 to 999999: too few to be one"),
        ([row(0, 0, sure=0)], "no people in it: among the 1 found in 1 frames"),
        ([row(0, 0, track_id=4), row(0, 9, track_id=4)], "frame 0: person 4 is there 2 times"),
        ([row("a1", 0), row("b2", 0)], "images a1, b2: not the numbered frames of one video"),
        ([row("a1", 0), row("a01", 0)], "images a1, a01: not the numbered frames"),
        ([row("x", 0)], "images x: not the numbered frames of one video"),
        ([row("1" * 5000, 0)], "images 1{40}: not the numbered frames"),
        (
            {"images": images("a/1.jpg", "b/1.jpg"), "annotations": [row(10, 0)]},
            r"images of 2 folders \(a, b\); a file must hold one recording",
        ),
        (
            {
                "images": [{"id": 1, "video_id": 1}, {"id": 2, "video_id": 2}],
                "annotations": [row(1, 0)],
            },
            r"images of 2 videos \(1, 2\)",
        ),
        (
            {"images": images("1.jpg"), "annotations": [row(3, 0)]},
            "annotation 1: there is no image 3",
        ),
        ({"images": [{}], "annotations": [row(0, 0)]}, "image 1, id: null; expected a number"),
        (
            {"images": [{"id": 0}, {"id": 0}], "annotations": [row(0, 0)]},
            "image 2, id: 0; expected",
        ),
        (
            {"images": "x", "annotations": [row(0, 0)]},
            'images: expected a list in brackets, found "x',
        ),
        (
            {"annotations": [*TWO, row(1, 0, n=2, category_id=2)], "categories": [CATEGORY]},
            r"keypoints of 2 categories \(1, 2\)",
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"keypoints": ["a", "a"]}]},
            'category cat, keypoints: "a"; expected names, each of them once',
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"keypoints": [1, 2]}]},
            "category cat, keypoints: 1; expected names",
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"skeleton": [[1, 3]]}]},
            r"category cat, skeleton: \[1, 3\]; expected two numbers from 1 to 2",
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"skeleton": [[0, 2]]}]},
            r"skeleton: \[0, 2\]; expected two numbers from 0 to 1",
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"skeleton": [["a", "b"]]}]},
            'skeleton: expected a whole number, found "a"',
        ),
        (
            {"annotations": TWO, "categories": [CATEGORY | {"skeleton": [[1, 2, 1]]}]},
            r"skeleton: \[1, 2, 1\]; expected two numbers",
        ),
        ({"annotations": TWO, "categories": [7]}, "category 1: expected keys and values, found 7"),
        (json.dumps([row(0, 0)]).encode("utf-16"), "not a text file"),
        ('[{"keypoints": "ü"}]'.encode("latin-1"), "not a text file"),
    ],
)
def test_what_is_wrong_and_where(write, said, words):
    path = write(said)
    with pytest.raises(FileFormatError, match=words) as caught:
        read_coco(path, fps=25)
    assert "walk.json" in str(caught.value)


def test_the_rate_must_be_given(write):
    with pytest.raises(NotSaidError, match="no frame rate in COCO files"):
        read_coco(write([row(0, 0)]))


def test_another_unit(write):
    assert read_coco(write([row(0, 0)]), fps=25, unit="pixels")[0].unit == "px"
    assert read_coco(write([row(0, 0)]), fps=25, unit="mm")[0].unit == "mm"


SAID = {
    "images": images("1.jpg", "2.jpg"),
    "annotations": [row(10, 0, n=2, track_id=1), row(11, 5, n=2, track_id=2)],
    "categories": [CATEGORY],
}
GOOD = json.dumps(SAID).encode()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_an_error(write, data):
    start = data.draw(st.integers(0, len(GOOD)))
    stop = data.draw(st.integers(start, min(start + 12, len(GOOD))))
    middle = data.draw(st.sampled_from([b"", b"null", b"1e999", b"[", b"}", b'"', b"\xff", b"-1"]))
    _read_or_error(write(GOOD[:start] + middle + GOOD[stop:]))


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({})


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_an_error(write, data):
    said = json.loads(GOOD)
    at = said
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(at[key], dict | list) and at[key]) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(VALUES)
    _read_or_error(write(said))


def _read_or_error(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            read_coco(path, fps=25)
        except FileFormatError as error:
            assert path.name in str(error)  # noqa: PT017
