"""From people found in single frames to one recording."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from histvq.errors import ConfigError, DataWarning, FileFormatError
from histvq.io.parts.keypoints import Found, linked, recording_of, timeline
from histvq.skeletons import Skeleton
from oracles.linking import linked_by_trying

ARM = Skeleton("arm", ("shoulder", "hand"), (-1, 0))
OPTIONS = {
    "path": Path("walk.json"), "id": "walk", "fps": 30, "unit": "px", "metadata": {},
}  # fmt: skip


def found(*rows, n_frames=None, names=None):
    """Rows of (frame, x of the shoulder, confidence): the hand is 1 further, at the same height."""
    frames = np.array([row[0] for row in rows])
    x = np.array([row[1] for row in rows], dtype=float)
    confidence = np.array([[row[2], row[2]] for row in rows], dtype=float)
    points = np.stack([np.stack([x, x + 1], axis=1), np.full((len(rows), 2), 5.0)], axis=2)
    n_frames = frames.max() + 1 if n_frames is None else n_frames
    return Found(
        points=points, confidence=confidence, frames=frames, n_frames=n_frames, names=names
    )


def shoulder(recording, person=0):
    return recording.skeleton[:, 2 * person, 0].tolist()


def taken(found_, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = recording_of(
            found_, ARM, **{"whom": None, "min_confidence": 0.0, **OPTIONS, **options}
        )
    return recording, [str(warning.message) for warning in caught]


def test_one_person_is_taken_without_a_word():
    recording, words = taken(found((0, 3, 0.9), (2, 4, 0.8), n_frames=4))
    assert words == []
    np.testing.assert_array_equal(shoulder(recording), [3, np.nan, 4, np.nan])
    np.testing.assert_array_equal(recording.skeleton[0], [[3, 5], [4, 5]])
    assert recording.joint_names == ("shoulder", "hand")
    assert recording.parents == (-1, 0)
    assert recording.joint_persons is None
    assert recording.history == ("points of confidence 0 or less are missing",)


CROSSING = (  # one walks from 0 to the right, one from 10 to the left, listed in any order
    (0, 10, 0.5), (0, 0, 0.8), (1, 2, 0.8), (1, 8, 0.9), (2, 7, 0.5), (2, 3, 0.8),
)  # fmt: skip


def test_two_who_are_listed_in_any_order_are_followed():
    main, words = taken(found(*CROSSING))
    assert shoulder(main) == [0, 2, 3]
    assert words == [
        "walk.json: 2 people, up to 2 in a frame; linked from frame to frame by nearest centre; "
        "took the one found most, person1 (whom='main')"
    ]
    assert main.history[-1] == words[0].removeprefix("walk.json: ")


def test_frames_may_come_in_any_order():
    # In the order listed, the one at 9 would be who was at 12, and the one at 5 the same again.
    main, _ = taken(found((0, 0, 0.9), (0, 12, 0.9), (2, 9, 0.9), (1, 5, 0.9)))
    assert shoulder(main) == [0, 5, 9]


def test_all_side_by_side():
    both, words = taken(found(*CROSSING), whom="all")
    assert shoulder(both, 0) == [10, 8, 7]
    assert shoulder(both, 1) == [0, 2, 3]
    assert both.joint_names == ("person0/shoulder", "person0/hand", "person1/shoulder",
                                "person1/hand")  # fmt: skip
    assert both.parents == (-1, 0, -1, 2)
    assert both.joint_persons == (0, 0, 1, 1)
    assert "took all, side by side" in words[0]


def test_the_best_of_each_frame_is_not_always_the_same():
    best, words = taken(found(*CROSSING), whom="best")
    assert shoulder(best) == [0, 8, 3]
    assert "not always the same" in words[0]


def test_names_in_the_file_come_before_nearness():
    rows = ((0, 0, 0.5), (0, 9, 0.9), (1, 9, 0.5), (1, 0, 0.9))
    both, words = taken(found(*rows, names=["ann", "bob", "ann", "bob"]))
    assert words == []  # nothing was guessed or left out
    assert both.joint_names[0] == "ann/shoulder"
    assert (shoulder(both, 0), shoulder(both, 1)) == ([0, 9], [9, 0])
    assert "who is who is said in the file" in both.history[-1]
    main, words = taken(found(*rows, names=["ann", "bob", "ann", "bob"]), whom="main")
    assert shoulder(main) == [9, 0]
    assert "took the one found most, bob" in words[0]


def test_a_passing_ghost_does_not_take_the_number_of_who_walks_through_its_place():
    rows = [(0, 0, 0.9), (0, 20, 0.1)] + [(t, 4 * t, 0.9) for t in range(1, 10)]
    main, _ = taken(found(*rows))
    assert shoulder(main) == [4 * t for t in range(10)]


def test_who_is_gone_for_some_frames_keeps_the_number():
    rows = [(0, 0, 0.9), (0, 50, 0.9), (1, 50, 0.9), (2, 52, 0.9), (3, 52, 0.9), (3, 4, 0.9)]
    assert linked(found(*rows).points[:, 0], found(*rows).frames).tolist() == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("seed", range(40))
def test_numbers_are_those_of_trying_every_way(seed):
    chance = np.random.default_rng(seed)
    counts = chance.integers(0, 5, size=6)
    frames = np.repeat(np.arange(6), counts)
    centres = chance.normal(size=(len(frames), 2))
    numbers = linked(centres, frames)
    assert numbers.tolist() == linked_by_trying(centres, frames)
    assert len(set(numbers.tolist())) == max(counts)


def test_points_that_are_not_sure_enough_are_missing():
    rows = found((0, 3, 0.9), (1, 4, 0.5), (2, 5, 0.2))
    rows.confidence[0, 1] = 0
    rows.confidence[2, 1] = 0.6
    plain, _ = taken(rows)
    assert np.isnan(plain.skeleton[0, 1]).all()
    assert np.isnan(plain.skeleton).sum() == 2
    strict, _ = taken(rows, min_confidence=0.5)
    np.testing.assert_array_equal(shoulder(strict), [3, 4, np.nan])
    assert strict.skeleton[2, 1].tolist() == [6, 5]
    assert strict.history == ("points of confidence under 0.5 are missing",)


def test_one_missing_coordinate_makes_the_point_missing():
    rows = found((0, 3, 0.9), (1, 4, 0.5))
    rows.points[1, 0, 1] = np.nan
    recording, _ = taken(rows)
    np.testing.assert_array_equal(recording.skeleton[1], [[np.nan, np.nan], [5, 5]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"whom": "mian"}, "whom is 'mian'; did you mean 'main'"),
        ({"whom": ""}, "whom is ''; known are all, best, main"),
        ({"min_confidence": -1}, "min_confidence is -1; expected a number, 0 or more"),
        ({"min_confidence": float("nan")}, "min_confidence is nan"),
        ({"min_confidence": "0.5"}, "min_confidence is '0.5'"),
    ],
)
def test_options_out_of_bounds(options, words):
    with pytest.raises(ConfigError, match=words):
        taken(found((0, 3, 0.9)), **options)


def test_nobody_and_somebody_twice():
    with pytest.raises(FileFormatError, match=r"walk\.json: no people .* confidence above 0"):
        taken(found((0, 3, 0), (1, 3, 0)))
    with pytest.raises(FileFormatError, match=r"no people .* the 1 found in 1 .* above 0\.95"):
        taken(found((0, 3, 0.9)), min_confidence=0.95)
    with pytest.raises(FileFormatError, match=r"walk\.json, frame 1: person ann is there 2 times"):
        taken(found((0, 3, 1), (1, 3, 1), (1, 9, 1), names=["ann"] * 3))


def test_a_crowd_is_not_put_side_by_side():
    crowd = found(*((0, x, 0.9) for x in range(101)))
    with pytest.raises(FileFormatError, match=r"101 people, side by side at most 100.*'main'"):
        taken(crowd, whom="all")
    assert taken(crowd)[0].skeleton.shape == (1, 2, 2)


def test_a_timeline_starts_at_its_first_number_and_tells_its_gaps():
    assert timeline([4, 5, 6], Path("a"), what="files") == ({4: 0, 5: 1, 6: 2}, 3)
    with pytest.warns(DataWarning, match=r"a: 3 of 6 frames are not there, number 6 the first"):
        assert timeline([5, 9, 4, 5], Path("a"), what="files") == ({4: 0, 5: 1, 9: 5}, 6)
    with pytest.raises(FileFormatError, match=r"2 files, numbered from 1 to 99999999: too few"):
        timeline([1, 99_999_999], Path("a"), what="files")
