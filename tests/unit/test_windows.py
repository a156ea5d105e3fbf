import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.recording import Recording
from histvq.transforms import centre_on_root
from histvq.windowing import known_mean
from histvq.windows import (
    features_of,
    means_by_person,
    scale_of,
    sizes_of,
    stillness,
    window_statistics,
)

INERTIAL = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")


def moving(n_frames=200, n_joints=2, channels=INERTIAL, *, fps=30.0, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    skeleton = rng.normal(size=(n_frames, n_joints, len(channels))).cumsum(axis=0)
    skeleton[rng.random(skeleton.shape) < missing] = np.nan
    return Recording(id="r", skeleton=skeleton, fps=fps, channel_names=channels)


def patches_by_loop(n_frames, fps, patch_seconds):
    """Patch by patch in fractions, which do not round: 0.14 s at 50 frames a second are 7 frames."""
    length = Fraction(str(patch_seconds)) * Fraction(str(fps))
    patches, patch = [], 0
    for frame in range(n_frames):
        while frame >= (patch + 1) * length:
            patch += 1
        patches.append(patch)
    return patches


def frames_by_loop(recording, patch, patch_seconds, window_seconds):
    """Frames whose own middle lies in the window; where none does, the last frame."""
    fps = Fraction(str(recording.fps))
    middle = (patch + Fraction(1, 2)) * Fraction(str(patch_seconds)) * fps
    reach = Fraction(str(window_seconds)) * fps / 2
    gaps = [abs(frame + Fraction(1, 2) - middle) for frame in range(recording.n_frames)]
    assert reach not in gaps, "a frame's middle on a window's edge: either answer would do"
    return [t for t, gap in enumerate(gaps) if gap < reach] or [recording.n_frames - 1]


def statistics_by_loop(recording, *, patch_seconds, window_seconds, quantities, turning=()):
    """Means and spreads, one window, joint and channel at a time.

    `quantities` lists the channels of each quantity, `turning` the channels without a mean.
    """
    skeleton = recording.skeleton.astype(np.float64)
    means, spreads = [], []
    for patch in range(patches_by_loop(recording.n_frames, recording.fps, patch_seconds)[-1] + 1):
        frames = frames_by_loop(recording, patch, patch_seconds, window_seconds)
        block = skeleton[frames]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of nothing but NaN
            mean, spread = np.nanmean(block, axis=0), np.nanstd(block, axis=0)
            joints = range(skeleton.shape[1])
            channels = [c for c in range(skeleton.shape[2]) if c not in turning]
            means.append([mean[joint, c] for joint in joints for c in channels])
            spreads.append(
                [
                    np.sqrt(np.nanmean(spread[joint, list(together)] ** 2))
                    for joint in joints
                    for together in quantities
                ]
            )
    return np.array(means), np.array(spreads)


def agree(recording, patch_seconds, window_seconds, *, atol=1e-9):
    found = window_statistics(recording, patch_seconds=patch_seconds, window_seconds=window_seconds)
    means, spreads = statistics_by_loop(
        recording,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
        quantities=[(0, 1, 2), (3, 4, 5)],
        turning=(3, 4, 5),
    )
    np.testing.assert_allclose(found.means, means, rtol=1e-9, atol=atol)
    np.testing.assert_allclose(found.spreads, spreads, rtol=1e-7, atol=1e-6)
    assert found.patches.tolist() == patches_by_loop(
        recording.n_frames, recording.fps, patch_seconds
    )


# Against the loop


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(
    ("fps", "patch_seconds", "window_seconds"),
    [
        (60, 1.0, 2.0),
        (50, 0.14, 0.7),  # seven frames, but 0.14 * 50 is a little more
        (58.5, 0.5, 1.0),
        (25, 0.33, 0.9),
        (59.94, 0.25, 0.7),
        (12.5, 0.4, 3.0),
        (30, 1.0, 0.4),  # windows with gaps between them
        (7, 2.0, 400.0),  # the whole recording, every time
    ],
)
def test_statistics_agree_with_the_loop(fps, patch_seconds, window_seconds, missing):
    agree(moving(fps=fps, missing=missing), patch_seconds, window_seconds)


@pytest.mark.parametrize("n_frames", [1, 2, 3, 29, 30, 31, 45, 61])
def test_short_recordings_agree_with_the_loop(n_frames):
    agree(moving(n_frames, fps=30), 1.0, 2.0)
    agree(moving(n_frames, fps=30, missing=0.5), 1.0, 0.4)


@pytest.mark.parametrize("seed", range(3))
def test_gaps_agree_with_the_loop(seed):
    """A joint that comes late, one channel that fails, and a time in which nothing was measured."""
    recording = moving(fps=60, seed=seed)
    skeleton = recording.skeleton.copy()
    skeleton[:70, 1] = np.nan
    skeleton[20:150, 0, 1] = np.nan
    skeleton[75:140] = np.nan
    gappy = recording.noted("gaps", skeleton=skeleton)
    agree(gappy, 0.5, 1.0)
    found = window_statistics(gappy, patch_seconds=0.5, window_seconds=1.0)
    for statistics in (found.means, found.spreads):
        assert np.isnan(statistics[3]).all()  # frames 75 to 134
        assert not np.isnan(statistics[0, : statistics.shape[1] // 2]).any()


def test_the_first_values_by_hand():
    # A frame a second, patches of two, windows of four: frames 0 to 2 (one is cut off), then 1 to 4.
    series = np.array([0.0, 3, 6, 6, 9])[:, None, None]
    recording = Recording(id="r", skeleton=series, fps=1, channel_names=("x",))
    found = window_statistics(recording, patch_seconds=2, window_seconds=4)
    assert found.patches.tolist() == [0, 0, 1, 1, 2]
    np.testing.assert_allclose(found.means[:2, 0], [3, 6])
    np.testing.assert_allclose(found.spreads[:2, 0], [np.sqrt(6), np.sqrt(4.5)])


def test_one_frame():
    recording = moving(1, n_joints=3)
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=2.0)
    np.testing.assert_allclose(found.means, recording.skeleton[:, :, :3].reshape(1, 9), rtol=1e-6)
    assert (found.spreads == 0).all()
    assert found.patches.tolist() == [0]


def test_a_window_shorter_than_a_frame_holds_one():
    # The middles, 15 and 45, lie on a border between frames: either side would do.
    recording = moving(60, fps=30)
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=0.01)
    for patch, middle in enumerate((15, 45)):
        sides = recording.skeleton[[middle - 1, middle], :, :3].reshape(2, -1)
        assert np.abs(sides - found.means[patch]).max(axis=1).min() < 1e-6
    assert (found.spreads < 1e-6).all()


def test_one_frame_without_measurements_is_nan_without_a_warning():
    nothing = moving(1, missing=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = window_statistics(nothing, patch_seconds=1.0, window_seconds=2.0)
    assert np.isnan(found.means).all()
    assert np.isnan(found.spreads).all()


# Which channels


@pytest.mark.parametrize("name", ["gyro", "Gyroscope", "angular_velocity", "rotation"])
def test_turning_has_a_spread_but_no_mean(name):
    channels = ("acc_x", "acc_y", "acc_z", *(f"{name}_{axis}" for axis in "xyz"))
    recording = moving(n_joints=2, channels=channels)
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=2.0)
    expected = statistics_by_loop(
        recording,
        patch_seconds=1.0,
        window_seconds=2.0,
        quantities=[(0, 1, 2), (3, 4, 5)],
        turning=(3, 4, 5),
    )
    np.testing.assert_allclose(found.means, expected[0], rtol=1e-9)
    np.testing.assert_allclose(found.spreads, expected[1], rtol=1e-7)
    assert found.means.shape[1] == 6
    assert found.spreads.shape[1] == 4


def test_turning_alone_has_no_means_at_all():
    recording = moving(channels=("gyro_x", "gyro_y", "gyro_z"))
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=2.0)
    assert found.means.shape == (7, 0)
    assert found.spreads.shape == (7, 2)


def test_quantities_in_mixed_order_stay_apart():
    # One quantity need not stand in one place, nor have three axes.
    channels = ("y", "acc_x", "x", "pressure", "acc_z")
    recording = moving(n_joints=3, channels=channels, fps=60)
    found = window_statistics(recording, patch_seconds=0.5, window_seconds=1.0)
    means, spreads = statistics_by_loop(
        recording, patch_seconds=0.5, window_seconds=1.0, quantities=[(0, 2), (1, 4), (3,)]
    )
    np.testing.assert_allclose(found.means, means, rtol=1e-9)
    np.testing.assert_allclose(found.spreads, spreads, rtol=1e-7)


# Digits


def test_far_off_positions_keep_their_digits():
    near = moving(3000, n_joints=1, channels=("x", "y", "z"))
    # Whole eighths, which float32 holds at a million.
    skeleton = np.round(8 * np.sin(near.skeleton)) / 8
    at_home, far = (near.noted("", skeleton=skeleton + place) for place in (0, 1e6))
    found, expected = (
        window_statistics(r, patch_seconds=1.0, window_seconds=2.0) for r in (far, at_home)
    )
    np.testing.assert_allclose(found.means - 1e6, expected.means, atol=1e-8)
    np.testing.assert_allclose(found.spreads, expected.spreads, rtol=1e-9)


def test_a_joint_that_stands_still_has_no_spread_wherever_it_stands():
    skeleton = np.full((500, 2, 3), 1e6 + 0.1)
    skeleton[:, 1] = -0.3
    recording = Recording(id="r", skeleton=skeleton, fps=30)
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=2.0)
    assert (found.spreads == 0).all()


def test_a_still_window_in_a_wide_walk_has_hardly_any_spread():
    # 10 m away from the rest, in mm: what running sums leave of their squares shows here, if anywhere.
    skeleton = np.zeros((2000, 1, 3))
    skeleton[1000:] = 1e4
    recording = Recording(id="r", skeleton=skeleton, fps=30)
    found = window_statistics(recording, patch_seconds=1.0, window_seconds=2.0)
    assert (np.delete(found.spreads, [32, 33, 34], axis=0) < 0.01).all()
    assert found.spreads[33] > 1000


# Patches


@given(st.integers(1, 400), st.floats(5, 100), st.floats(0.2, 5))
def test_every_frame_has_a_patch_and_they_go_up_one_by_one(n_frames, fps, patch_seconds):
    recording = Recording(id="r", skeleton=np.zeros((n_frames, 1, 1)), fps=fps)
    found = window_statistics(recording, patch_seconds=patch_seconds, window_seconds=1.0)
    assert found.patches.shape == (n_frames,)
    assert found.patches[0] == 0
    assert set(np.diff(found.patches)) <= {0, 1}
    assert len(found.means) == len(found.spreads) == found.patches[-1] + 1


def test_patches_of_no_whole_number_of_frames_keep_time():
    # 2.5 frames: three and two in turn.
    recording = Recording(id="r", skeleton=np.zeros((11, 1, 1)), fps=25)
    found = window_statistics(recording, patch_seconds=0.1, window_seconds=1.0)
    assert found.patches.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4]


# The mean of what is known


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_known_mean_is_numpys_without_its_warning(axis):
    values = moving(6, missing=0.6).skeleton.astype(np.float64)
    values[:, 0, 0] = values[0, 1] = values[1, :, 2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = np.nanmean(values, axis=axis)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = known_mean(values, axis=axis)
    assert np.isnan(found).any()
    np.testing.assert_allclose(found, expected)


def test_windows_are_evenly_spaced_also_where_their_middles_lie_between_frames():
    # 25 frames a patch, 50 a window: middles at 12.5, 37.5, 62.5, ...
    ramp = Recording(id="ramp", skeleton=np.arange(500.0)[:, None, None], fps=25)
    means = window_statistics(ramp, patch_seconds=1.0, window_seconds=2.0).means[1:-1, 0]
    np.testing.assert_allclose(np.diff(means), 25)


def test_a_patch_is_a_frame_at_least():
    ramp = Recording(id="ramp", skeleton=np.arange(7.0)[:, None, None], fps=10)
    found = window_statistics(ramp, patch_seconds=0.01, window_seconds=0.01)
    np.testing.assert_array_equal(found.patches, np.arange(7))
    np.testing.assert_allclose(found.means[:, 0], np.arange(7))


@pytest.mark.parametrize("values_a_block", [1, 12, 100, 10**6])
def test_however_it_is_cut_into_blocks_sums_run_on(monkeypatch, values_a_block):
    monkeypatch.setattr("histvq.windows.VALUES_A_BLOCK", values_a_block)
    recording = moving(n_frames=150, missing=0.2, seed=3)
    skeleton = recording.skeleton.astype(float)
    found = window_statistics(recording, patch_seconds=0.5, window_seconds=1.0)
    # The running sums as they are when the whole recording is at hand, and of the same bytes.
    known = ~np.isnan(skeleton)
    middle = np.where(known, skeleton, 0).sum(axis=0) / known.sum(axis=0)
    around = np.where(known, skeleton - middle, 0)
    sums, counts = (
        np.concatenate([np.zeros((1, 2, 6)), v.cumsum(axis=0)]) for v in (around, known)
    )
    starts, stops = np.array([0, 8, 23]), np.array([23, 38, 53])
    means = (sums[stops] - sums[starts]) / (counts[stops] - counts[starts]) + middle
    np.testing.assert_array_equal(found.means[:3].reshape(3, 2, 3), means[:, :, :3])


@settings(max_examples=60)
@given(
    n_frames=st.integers(1, 60),
    fps=st.sampled_from([1.0, 7.3, 30.0]),
    patch_seconds=st.sampled_from([0.1, 0.5, 3.0]),
    window_seconds=st.sampled_from([0.05, 1.0, 9.0]),
    missing=st.sampled_from([0, 0.3, 0.95]),
    values_a_block=st.integers(1, 200),
)
def test_blocks_change_no_bit_and_centring_may_come_with_them(
    n_frames, fps, patch_seconds, window_seconds, missing, values_a_block
):
    recording = replace(
        moving(n_frames, channels=("x", "y", "z"), fps=fps, missing=missing), parents=(-1, 0)
    )
    lengths = {"patch_seconds": patch_seconds, "window_seconds": window_seconds}
    whole = window_statistics(centre_on_root(recording), **lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("histvq.windows.VALUES_A_BLOCK", values_a_block)
        found = window_statistics(recording, **lengths, to_root=True)
    for name in ("means", "spreads", "patches"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


@pytest.mark.parametrize("values_a_block", [1, 7, 10**6])
def test_sizes_are_those_of_all_rows_together(monkeypatch, values_a_block):
    monkeypatch.setattr("histvq.windows.VALUES_A_BLOCK", values_a_block)
    random = np.random.default_rng(0)
    parts = [random.normal(size=(n, 3)) for n in (1, 20, 5)]
    parts[1][random.random((20, 3)) < 0.3] = np.nan
    expected = np.sqrt(np.nanmean(np.concatenate(parts) ** 2, axis=0))
    np.testing.assert_allclose(sizes_of(parts), expected, rtol=1e-12)
    np.testing.assert_array_equal(sizes_of([np.full((2, 1), np.nan)]), [0])


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.integers(0, 5))
def test_means_by_person_are_those_of_all_their_windows(whose, seed):
    random = np.random.default_rng(seed)
    features = [random.normal(size=(random.integers(1, 4), 2)) for _ in whose]
    found = means_by_person(features, whose)
    assert list(found) == sorted(set(whose))
    for person, mean in found.items():
        mine = [
            row
            for of_one, who in zip(features, whose, strict=True)
            if who == person
            for row in of_one
        ]
        np.testing.assert_allclose(mean, np.mean(mine, axis=0), rtol=1e-12)


def test_scale_is_the_standard_deviation_but_constants_have_none():
    features = np.array([[1.0, 0.1, np.nan], [3.0, 0.1, 5.0], [5.0, 0.1, 7.0]])
    rest = features - np.array([3.0, 0.1 + 1e-12, 6.0])
    np.testing.assert_allclose(
        scale_of([rest], sizes_of([features])), [np.std([1, 3, 5]), np.inf, 1.0]
    )


def test_a_joint_that_is_still_throughout_has_no_logarithm():
    skeleton = np.random.default_rng(0).normal(size=(60, 2, 3))
    skeleton[:, 1] = 5.0
    recording = Recording(id="r", skeleton=skeleton, fps=30.0)
    statistics = window_statistics(recording, patch_seconds=1.0, window_seconds=1.0)
    still = stillness([statistics])
    features = features_of(statistics, still)
    np.testing.assert_allclose(features[:, :6], statistics.means)
    rms = np.sqrt(np.mean(statistics.spreads[:, 0] ** 2))
    np.testing.assert_allclose(features[:, 6], np.log(statistics.spreads[:, 0] + rms / 100))
    assert np.isnan(features[:, 7]).all()
