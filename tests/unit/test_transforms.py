import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.transforms import (
    centre_on_root,
    fill_gaps,
    frames_before_resampling,
    relative_features,
    resample,
    select_joints,
    stride,
)


def moving(n_frames=40, n_joints=4, *, fps=30.0, seed=0, **about):
    skeleton = np.random.default_rng(seed).normal(size=(n_frames, n_joints, 3))
    about.setdefault("parents", tuple(range(-1, n_joints - 1)))
    return Recording(id="r", skeleton=skeleton, fps=fps, **about)


def series(values, fps=10.0):
    return Recording(id="r", skeleton=np.array(values, float)[:, None, None], fps=fps)


@given(
    st.integers(1, 60),
    st.floats(5, 100),
    st.floats(5, 100),
)
def test_resampling_is_linear_interpolation_in_time(n_frames, before, after):
    recording = moving(n_frames, fps=before)
    resampled = resample(recording, after)
    times = np.arange(resampled.n_frames) / after
    known = np.arange(n_frames) / before
    for joint, channel in [(0, 0), (3, 2)]:
        expected = np.interp(times, known, recording.skeleton[:, joint, channel])
        np.testing.assert_allclose(resampled.skeleton[:, joint, channel], expected, atol=1e-3)
    # It ends within one new frame of the old end, and never beyond it.
    assert times[-1] <= known[-1] + 1e-6
    assert known[-1] - times[-1] < 1 / after + 1e-6


def test_a_whole_ratio_takes_frames_as_they_are():
    recording = moving(fps=60)
    resampled = resample(recording, 20)
    np.testing.assert_array_equal(resampled.skeleton, recording.skeleton[::3])
    assert resampled.fps == 20
    assert resample(recording, 60) is recording


def test_resampling_does_not_invent_what_is_missing():
    resampled = resample(series([0, np.nan, 2, 3], fps=10), 20)
    np.testing.assert_array_equal(
        resampled.skeleton[:, 0, 0], [0, np.nan, np.nan, np.nan, 2, 2.5, 3]
    )


def test_resampling_nothing_gives_nothing():
    assert resample(series([], fps=10), 7).n_frames == 0


def test_a_rate_that_is_none():
    with pytest.raises(ConfigError, match="fps 0: must be above 0"):
        resample(moving(), 0)


def test_stride_notes_itself_and_slows_the_clock():
    recording = stride(moving(7, fps=30), 3)
    assert (recording.n_frames, recording.fps, recording.history) == (3, 10, ("stride(3)",))
    with pytest.raises(ConfigError, match="stride 0"):
        stride(recording, 0)


@given(st.integers(1, 200), st.fractions("1/5", 8, max_denominator=60))
def test_each_original_frame_gets_the_latest_resampled_one_not_after_it(n_original, ratio):
    n_resampled = max(1, int((n_original - 1) / ratio) + 1)
    found = frames_before_resampling(n_original, n_resampled, ratio=float(ratio))
    for frame in range(n_original):
        times = [k for k in range(n_resampled) if k * ratio <= frame]  # exact: fractions
        assert found[frame] == max(times)


def test_centring_puts_the_root_at_zero_and_keeps_distances():
    recording = moving()
    centred = centre_on_root(recording)
    assert (centred.skeleton[:, 0] == 0).all()
    for a, b in [(1, 2), (0, 3)]:
        before = recording.skeleton[:, a] - recording.skeleton[:, b]
        after = centred.skeleton[:, a] - centred.skeleton[:, b]
        np.testing.assert_allclose(after, before, atol=1e-6)


def test_centring_forgets_where_a_person_stands():
    recording = moving()
    path = np.random.default_rng(1).normal(size=(40, 1, 3)).astype(np.float32)
    moved = Recording(id="r", skeleton=recording.skeleton + path, fps=30, parents=recording.parents)
    np.testing.assert_allclose(
        centre_on_root(moved).skeleton, centre_on_root(recording).skeleton, atol=1e-5
    )


def test_each_person_has_a_root_of_their_own():
    recording = moving(parents=(-1, 0, 3, -1), joint_persons=(0, 0, 1, 1))
    centred = centre_on_root(recording).skeleton
    original = recording.skeleton
    np.testing.assert_array_equal(centred[:, 1], original[:, 1] - original[:, 0])
    np.testing.assert_array_equal(centred[:, 2], original[:, 2] - original[:, 3])


def test_centring_leaves_other_channels_alone():
    recording = moving(channel_names=("x", "y", "confidence"))
    centred = centre_on_root(recording).skeleton
    np.testing.assert_array_equal(centred[..., 2], recording.skeleton[..., 2])


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"parents": None}, "parents are not known"),
        ({"channel_names": ("acc_x", "acc_y", "acc_z")}, "turn centring off for inertial data"),
        (
            {"parents": (-1, 0, 1, 2), "joint_persons": (0, 0, 1, 1)},
            "person 1 has no joint to centre on; give the root the parent -1",
        ),
    ],
)
def test_what_cannot_be_centred(about, words):
    with pytest.raises(ConfigError, match=words):
        centre_on_root(moving(**about))


def test_joints_chosen_by_hand():
    # hip <- spine <- neck <- head, and a hand on the neck.
    recording = moving(
        n_joints=5,
        joint_names=("hip", "spine", "neck", "head", "hand"),
        parents=(-1, 0, 1, 2, 2),
        joint_persons=(0, 0, 0, 0, 0),
    )
    chosen = select_joints(recording, ("head", "hip", "hand"))
    assert chosen.joint_names == ("head", "hip", "hand")
    assert chosen.parents == (1, -1, 1)  # the next ancestor kept is the hip
    assert chosen.joint_persons == (0, 0, 0)
    np.testing.assert_array_equal(chosen.skeleton, recording.skeleton[:, [3, 0, 4]])
    assert select_joints(recording, ("head", "hand")).parents == (-1, -1)
    with pytest.raises(ConfigError, match="no joint tail; it has hip, spine"):
        select_joints(recording, ("hip", "tail"))


def test_gaps_by_hand():
    n = np.nan
    values = [n, 1, n, 3, n, n, n, 7, n, n, n, n, 12, n]
    filled = fill_gaps(series(values, fps=10), max_gap_s=0.3)
    expected = [n, 1, 2, 3, 4, 5, 6, 7, n, n, n, n, 12, n]
    np.testing.assert_allclose(filled.skeleton[:, 0, 0], expected)
    assert filled.history == ("fill_gaps(0.3 s): 4 values",)


def test_a_gap_of_just_the_limit_is_filled_in_spite_of_rounding():
    values = [0, *[np.nan] * 29, 30]  # 0.29 * 100 is a little less than 29
    filled = fill_gaps(series(values, fps=100), max_gap_s=0.29)
    np.testing.assert_allclose(filled.skeleton[:, 0, 0], np.arange(31), rtol=1e-6)


def test_nothing_to_fill_and_nothing_to_lean_on():
    whole = series([1, 2, 3])
    assert fill_gaps(whole) is whole
    empty = series([np.nan, np.nan, 1])
    assert fill_gaps(empty) is empty


def test_no_transform_touches_its_input():
    recording = moving()
    recording.skeleton[5:7, 1] = np.nan
    before = recording.skeleton.copy()
    for changed in (
        centre_on_root(recording),
        fill_gaps(recording),
        resample(recording, 17),
        select_joints(recording, ("joint0", "joint1")),
    ):
        changed.skeleton[:] = -1
    np.testing.assert_array_equal(recording.skeleton, before)


def test_a_root_that_is_not_measured_costs_the_other_joints_nothing():
    root = np.array([[0.0], [np.nan], [4.0], [np.nan]])
    hand = np.array([[1.0], [3.0], [5.0], [5.5]])
    skeleton = np.stack([root, hand], axis=1)  # frame, joint, channel x
    known = Recording(id="r", skeleton=skeleton, fps=10, parents=(-1, 0), channel_names=("x",))
    centred = centre_on_root(known).skeleton[..., 0]
    # The root goes from 0 to 4 through 2, and stays at 4.
    np.testing.assert_allclose(centred[:, 1], [1, 1, 1, 1.5])
    np.testing.assert_array_equal(np.isnan(centred[:, 0]), [False, True, False, True])


def test_a_root_that_is_never_measured_is_taken_amid_the_others():
    skeleton = np.array([[np.nan, 1.0, 3.0], [np.nan, 5.0, np.nan]])[..., None]
    lost = Recording(id="r", skeleton=skeleton, fps=10, parents=(-1, 0, 0), channel_names=("x",))
    centred = centre_on_root(lost).skeleton[..., 0]
    np.testing.assert_array_equal(centred[:, 1:], [[-1, 1], [0, np.nan]])


def test_displacements_and_relative_positions_by_hand():
    nan = np.nan
    joints = np.array([
        [[nan, nan], [nan, nan]],
        [[1, 0], [2, 2]],
        [[2, 0], [4, 5]],
        [[4, 1], [nan, 9]],
        [[7, 1], [8, 9]],
        [[nan, nan], [nan, nan]],
    ])  # fmt: skip
    made = relative_features(Recording(id="r", skeleton=joints, fps=30))
    assert made.channel_names == ("dx", "dy", "x", "y")
    np.testing.assert_array_equal(made.skeleton[:, 0], [
        [nan, nan, nan, nan], [1, 0, 0, 0], [2, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0],
        [nan, nan, nan, nan],
    ])  # fmt: skip
    np.testing.assert_array_equal(made.skeleton[:, 1], [
        [nan, nan, nan, nan], [2, 3, 1, 2], [nan, 4, 2, 5], [nan, 0, nan, 8], [0, 0, 1, 8],
        [nan, nan, nan, nan],
    ])  # fmt: skip


def test_whoever_moves_evenly_is_displaced_evenly_but_for_the_end():
    line = np.arange(20.0)[:, None, None] * np.array([[1.0, 2, 3]]) + np.zeros((1, 5, 1))
    made = relative_features(Recording(id="r", skeleton=line, fps=30)).skeleton
    assert (made[:-1, :, :3] == [1, 2, 3]).all()
    assert (made[-1, :, :3] == 0).all()
    assert (made[:, :, 3:] == 0).all()
    slower = relative_features(Recording(id="r", skeleton=line, fps=30), fps=15).skeleton
    assert (slower[:-1, :, :3] == [2, 4, 6]).all()
    np.testing.assert_array_equal(slower[:, :, 3:], made[:, :, 3:])
    assert relative_features(Recording(id="r", skeleton=line[:0], fps=30)).n_frames == 0


def test_no_displacements_of_what_are_no_positions():
    sensors = Recording(id="r", skeleton=np.zeros((3, 1, 2)), fps=30, channel_names=("acc_x", "x"))
    with pytest.raises(ConfigError, match="not of acc_x, x; take the channels as they are"):
        relative_features(sensors)


def test_blocks_of_frames_change_nothing(monkeypatch):
    recording = moving(n_frames=100, fps=30.0)
    monkeypatch.setattr("histvq.transforms.time.FRAMES_A_BLOCK", 7)
    found = resample(recording, 47.0).skeleton
    times = np.arange(len(found)) / 47.0
    for joint, channel in np.ndindex(4, 3):
        series = recording.skeleton[:, joint, channel]
        expected = np.interp(times, np.arange(100) / 30.0, series)
        np.testing.assert_allclose(found[:, joint, channel], expected, atol=1e-5)
