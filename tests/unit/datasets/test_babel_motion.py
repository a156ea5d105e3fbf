import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.datasets._babel_motion import JOINTS, PARENTS, frames_at_30, turned
from oracles.little_babel import frames_by_loop, points, taking


def test_steps_between_frames():  # worked by hand
    assert np.diff(frames_at_30(200, 100.0))[:7].tolist() == [3, 3, 4, 3, 3, 4, 3]
    assert np.diff(frames_at_30(500, 250.0))[:7].tolist() == [8, 8, 9, 8, 8, 9, 8]
    assert frames_at_30(9, 120.0).tolist() == [0, 4, 8]
    assert frames_at_30(9, 120.00005).tolist() == [0, 4, 8]
    assert frames_at_30(5, 60.0).tolist() == [0, 2, 4]
    assert frames_at_30(4, 30.0).tolist() == [0, 1, 2, 3]
    assert frames_at_30(0, 100.0).tolist() == []
    # A rate a hair below 60: blocks of 59 frames, and the third is the second but one, not two, on.
    a_hair_below = frames_at_30(120, 59.99999)
    assert a_hair_below[:4].tolist() == [0, 1, 3, 5]
    assert a_hair_below[29:33].tolist() == [57, 59, 60, 62]


@given(
    n_frames=st.integers(0, 700),
    fps=st.sampled_from([59.99999, 60.0, 100.0, 120.0, 120.00005, 150.0, 250.0])
    | st.floats(30, 300),
)
def test_frames_as_by_plain_loops(n_frames, fps):
    assert frames_at_30(n_frames, fps).tolist() == frames_by_loop(n_frames, fps)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_frame_stands_up_and_looks_one_way(seed):
    given_ = np.random.default_rng(seed).normal(size=(6, 25, 3))
    found = turned(given_)
    assert (found[:, 1] == 0).all()
    across = found[0, 8] - found[0, 4]
    np.testing.assert_allclose(across / np.linalg.norm(across), [1, 0, 0], atol=1e-12)
    # A rigid turn, the same for all frames: distances and their change over time stay.
    for a, b in ((0, 3), (4, 24)):
        lengths = [np.linalg.norm(x[:, a] - x[:, b], axis=1) for x in (given_, found)]
        np.testing.assert_allclose(*lengths)
    relative = given_ - given_[:, 1:2]
    pairs = [(x[2, 5] @ x[4, 9]) for x in (relative, found)]
    assert pairs[0] == pytest.approx(pairs[1])


def test_the_spine_is_upright_where_the_shoulders_are_level():
    given_ = points(4)
    given_[:, 8] = given_[:, 4] + [0.3, 0.4, 0]  # level, once the spine is along z
    found = turned(given_ @ taking(np.array([0.0, 0, 1]), np.array([0.6, 0.0, 0.8])).T)
    np.testing.assert_allclose(found[0, 1] - found[0, 0], [0, 0, 0.1], atol=1e-12)
    np.testing.assert_allclose(found[0, 8] - found[0, 4], [0.5, 0, 0], atol=1e-12)


def test_where_a_body_already_stands_is_left_alone():
    given_ = points(4)
    given_[:, 8] = given_[:, 4] + [0.3, 0, 0]
    np.testing.assert_array_equal(turned(given_), given_)


def test_the_tree_hangs_together():
    expected = {
        "spine1": "pelvis", "spine3": "spine1", "neck": "spine3", "head": "neck",
        "left_shoulder": "spine3", "right_shoulder": "spine3", "left_wrist": "left_elbow",
        "left_index_tip": "left_index1", "left_thumb_tip": "left_wrist", "right_index1": "right_wrist",
        "right_index_tip": "right_index1", "right_thumb_tip": "right_wrist", "left_foot": "left_ankle",
    }  # fmt: skip
    for child, parent in expected.items():
        assert JOINTS[PARENTS[JOINTS.index(child)]] == parent
    assert JOINTS[PARENTS.index(-1)] == "pelvis"
