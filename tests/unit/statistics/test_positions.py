import warnings
from fractions import Fraction

import numpy as np
import pytest

from histvq.recording import Recording
from histvq.statistics.channels import log_above
from histvq.statistics.positions import SPEED_WEIGHT, finish, measure, weights
from histvq.windowing import Windows


def windows_of(recording, patch_seconds=0.5, window_seconds=1.0):
    return Windows.of(
        recording.n_frames,
        fps=recording.fps,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
    )


def swaying(n_frames=100, *, fps=20.0, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    skeleton = rng.normal(size=(n_frames, 2, 3)).cumsum(axis=0)
    skeleton[rng.random(skeleton.shape) < missing] = np.nan
    return Recording(id="r", skeleton=skeleton, fps=fps)


def test_speed_of_even_movement_and_place_in_its_middle():
    walk = np.zeros((90, 2, 3))
    walk[:, 1, 0] = 2 * np.arange(90) / 30  # 2 units a second
    recording = Recording(id="r", skeleton=walk, fps=30)
    found = measure(recording, windows_of(recording, patch_seconds=1.0))
    assert found.plain["mean"][1, 1, 0] == pytest.approx(2 * 45 / 30)
    np.testing.assert_allclose(found.spreads[1], [[0, 0, 0], [2, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("lengths", ["20 0.5", "14.3 0.3", "3 0.1", "100 0.58"])
def test_a_window_is_a_gaussian_around_the_frame_in_the_middle(lengths, missing):
    fps, patch_seconds = map(float, lengths.split())
    recording = swaying(60, fps=fps, missing=missing)
    windows = windows_of(recording, patch_seconds)
    found = measure(recording, windows)
    places = recording.skeleton.astype(np.float64)
    moved = np.gradient(places, axis=0) * fps
    spread = max(fps, 1) / np.sqrt(12)
    # In fractions: 0.58 * 100 is a little less than 58.
    patch_frames = max(np.prod([Fraction(length) for length in lengths.split()]), 1)
    for patch in range(windows.n_patches):
        apart = np.arange(60) - min(int((patch + Fraction(1, 2)) * patch_frames), 59)
        gaussian = np.exp(-0.5 * (apart / spread) ** 2) * (abs(apart) <= int(4 * spread + 0.5))
        for joint, channel in np.ndindex(2, 3):
            for values, got in (
                (places, found.plain["mean"]),
                (moved**2, found.spreads**2),
            ):
                series = values[:, joint, channel]
                known = ~np.isnan(series)
                near = gaussian * known
                expected = np.dot(near[known], series[known]) / near.sum() if near.any() else np.nan
                assert got[patch, joint, channel] == pytest.approx(expected, nan_ok=True)


def test_what_was_never_seen_is_nan_without_a_warning():
    recording = swaying()
    skeleton = recording.skeleton.copy()
    skeleton[:, 0] = np.nan
    skeleton[50:, 1, 0] = np.nan
    recording = recording.noted("", skeleton=skeleton)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = measure(recording, windows_of(recording))
        channels = finish(recording, measured, np.full((2, 3), 0.1))
    assert np.isnan(channels[:, 0]).all()
    assert np.isnan(channels[-1, 1]).tolist() == [True, False, False, True, False, False]
    assert not np.isnan(channels[0, 1]).any()


def test_channels_are_means_then_log_speeds():
    recording = swaying()
    measured = measure(recording, windows_of(recording))
    still = np.arange(1.0, 7).reshape(2, 3)
    channels = finish(recording, measured, still)
    np.testing.assert_array_equal(channels[:, :, :3], measured.plain["mean"])
    np.testing.assert_allclose(np.exp(channels[:, :, 3:]), measured.spreads + still)
    names = ["x_mean", "y_mean", "z_mean", "x_log_speed", "y_log_speed", "z_log_speed"]
    assert list(weights(recording)) == names
    assert list(weights(recording).values()) == [1.0] * 3 + [SPEED_WEIGHT] * 3


def test_log_of_what_is_still_throughout_is_missing():
    spreads = np.array([[[3.0, 0.0, np.nan]], [[0.0, 0.0, 1.0]]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = log_above(spreads, np.array([[1.0, 0.0, 0.5]]))
    expected = [[[np.log(4), np.nan, np.nan]], [[0, np.nan, np.log(1.5)]]]
    np.testing.assert_allclose(found, expected)


def test_a_single_frame_is_a_patch_that_stands_still():
    recording = swaying(1)
    found = measure(recording, windows_of(recording))
    np.testing.assert_allclose(found.plain["mean"][0], recording.skeleton[0], rtol=1e-6)
    assert not found.spreads.any()


def test_what_the_window_does_not_show_was_not_measured():
    skeleton = np.random.default_rng(3).normal(size=(300, 1, 3)).cumsum(axis=0)
    skeleton[100:200] = np.nan  # 10 s of a window of 3 s
    recording = Recording(id="r", skeleton=skeleton, fps=10)
    windows = Windows.of(300, fps=10, patch_seconds=1, window_seconds=3)
    found = measure(recording, windows)
    unseen = [
        np.isnan(skeleton[start:stop]).all()
        for start, stop in zip(windows.starts, windows.stops, strict=True)
    ]
    assert sum(unseen) == 8
    np.testing.assert_array_equal(np.isnan(found.plain["mean"]).all(axis=(1, 2)), unseen)
    np.testing.assert_array_equal(np.isnan(found.spreads).any(axis=(1, 2)), unseen)
