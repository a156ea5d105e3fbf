"""Channels of inertial sensors against loops over windows, with numpy and scipy doing the sums."""

import warnings

import numpy as np
import pytest
import scipy.stats

from histvq.recording import Recording
from histvq.statistics.inertial import INERTIAL, LIVELY, SHARED, STILL, finish, measure, weights
from histvq.windowing import Windows

ACC = ("acc_x", "acc_y", "acc_z")
GYRO = ("gyro_x", "gyro_y", "gyro_z")
BOTH = ACC + GYRO


def sensors(n_frames=150, channels=BOTH, *, n_joints=2, fps=30.0, seed=0):
    """Skewed noise with some memory, and each channel a little of the one before."""
    rng = np.random.default_rng(seed)
    skeleton = rng.gamma(2, size=(n_frames, n_joints, len(channels)))
    skeleton[1:] += 0.7 * skeleton[:-1]
    skeleton[:, :, 1:] += 0.5 * skeleton[:, :, :-1]
    return Recording(id="r", skeleton=skeleton + 5, fps=fps, channel_names=channels)


def windows_of(recording, patch_seconds=0.5, window_seconds=1.5):
    return Windows.of(
        recording.n_frames,
        fps=recording.fps,
        patch_seconds=patch_seconds,
        window_seconds=window_seconds,
    )


def channels_by_name(recording, windows, still=None):
    """Each channel, (patch, joint), by its name."""
    measured = measure(recording, windows)
    if still is None:
        still = np.zeros(measured.spreads.shape[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = finish(recording, measured, still)
    names = list(weights(recording))
    assert found.shape == (windows.n_patches, len(recording.joint_names), len(names))
    return dict(zip(names, np.moveaxis(found, 2, 0), strict=True))


def by_loop(recording, windows, statistic):
    """`statistic` of each window's frames, with the frame before them as first row (NaN if none)."""
    skeleton = recording.skeleton.astype(np.float64)
    before = np.concatenate([np.full((1, *skeleton.shape[1:]), np.nan), skeleton])
    return np.array(
        [
            [statistic(before[start : stop + 1, joint]) for joint in range(skeleton.shape[1])]
            for start, stop in zip(windows.starts, windows.stops, strict=True)
        ]
    )


def rms_deviation(values):
    """Of the axes together: root of the mean of their known variances."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.sqrt(np.nanmean(np.nanvar(values, axis=0)))


def agree(recording, windows):
    found = channels_by_name(recording, windows)

    def check(name, statistic, **tolerance):
        expected = by_loop(recording, windows, statistic)
        np.testing.assert_allclose(found.pop(name), expected, err_msg=name, **tolerance)

    names = recording.channel_names
    for c, name in enumerate(names):
        if not name.startswith("gyro"):
            check(f"{name}_mean", lambda v, c=c: np.nanmean(v[1:, c]), rtol=1e-9)
    for quantity in dict.fromkeys(name.rpartition("_")[0] or name for name in names):
        cs = [c for c, name in enumerate(names) if (name.rpartition("_")[0] or name) == quantity]
        check(
            f"{quantity}_log_spread", lambda v, cs=cs: np.log(rms_deviation(v[1:, cs])), atol=1e-9
        )
        check(
            f"{quantity}_log_shake",
            lambda v, cs=cs: np.log(
                rms_deviation(np.diff(v[:, cs], axis=0) * recording.fps) / rms_deviation(v[1:, cs])
            ),
            atol=1e-8,
        )
    gyroscope = [c for c, name in enumerate(names) if name in GYRO]
    for g in gyroscope:
        skewness = lambda v, g=g: scipy.stats.skew(v[1:, g], nan_policy="omit")  # noqa: E731
        check(f"{names[g]}_swing", skewness, atol=1e-8)
        for a in [c for c, name in enumerate(names) if name in ACC]:

            def correlation(v, a=a, g=g):
                pair = v[1:, [a, g]]
                return np.corrcoef(pair[~np.isnan(pair).any(axis=1)].T)[0, 1]

            check(f"{names[a]}_with_{names[g]}", correlation, atol=1e-8)
    return found


@pytest.mark.parametrize("fps", [7.3, 30.0, 59.94])
def test_channels_agree_with_the_loop(fps):
    recording = sensors(fps=fps)
    assert set(agree(recording, windows_of(recording))) == {"vertical_speed"}


@pytest.mark.parametrize("values_a_block", [1, 40, 12 * 31])
def test_however_it_is_cut_into_blocks(monkeypatch, values_a_block):
    monkeypatch.setattr("histvq.statistics.inertial.VALUES_A_BLOCK", values_a_block)
    recording = sensors(90)
    agree(recording, windows_of(recording))


def test_frames_that_were_not_measured_are_left_out():
    recording = sensors(300)
    skeleton = recording.skeleton.copy()
    skeleton[np.random.default_rng(1).random((300, 2)) < 0.3] = np.nan
    recording = recording.noted("", skeleton=skeleton)
    agree(recording, windows_of(recording))


def test_one_axis_that_fails_leaves_the_spread_of_the_others():
    recording = sensors()
    skeleton = recording.skeleton.copy()
    skeleton[40:120, 0, 1] = np.nan
    recording = recording.noted("", skeleton=skeleton)
    windows = windows_of(recording)
    found = channels_by_name(recording, windows)
    expected = by_loop(recording, windows, lambda v: np.log(rms_deviation(v[1:, :3])))
    np.testing.assert_allclose(found["acc_log_spread"], expected, atol=1e-9)
    assert np.isnan(found["acc_y_mean"][4, 0])
    assert not np.isnan(found["acc_x_mean"]).any()


def test_sensors_that_miss_different_frames_are_coupled_within_bounds():
    recording = sensors(300, seed=3)
    skeleton = recording.skeleton.copy()
    skeleton[::2, :, :3] = np.nan
    skeleton[::3, :, 3:] = np.nan
    recording = recording.noted("", skeleton=skeleton)
    found = channels_by_name(recording, windows_of(recording, window_seconds=0.2))
    coupled = np.stack([values for name, values in found.items() if "_with_" in name])
    assert np.nanmax(np.abs(coupled)) <= 1


# Layouts


@pytest.mark.parametrize(
    "channels", [ACC, GYRO, (*BOTH, "mag_x", "mag_y", "mag_z", "emg"), ("acc",)]
)
def test_layouts_agree_with_the_loop(channels):
    recording = sensors(channels=channels)
    rest = agree(recording, windows_of(recording))
    assert set(rest) == ({"vertical_speed"} if set(ACC) <= set(channels) else set())


def test_channels_may_come_in_any_order():
    recording = sensors()
    order = [4, 0, 3, 2, 5, 1]
    shuffled = recording.noted(
        "",
        skeleton=recording.skeleton[:, :, order],
        channel_names=tuple(BOTH[c] for c in order),
    )
    found = channels_by_name(shuffled, windows_of(recording))
    expected = channels_by_name(recording, windows_of(recording))
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9, err_msg=name)


def test_what_a_sensor_never_measured_is_nan_and_the_rest_is_not():
    recording = sensors(n_joints=3)
    skeleton = recording.skeleton.copy()
    skeleton[:, 0] = np.nan
    skeleton[:, 1, :3] = np.nan
    recording = recording.noted("", skeleton=skeleton)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = channels_by_name(recording, windows_of(recording))
    for name, values in found.items():
        assert np.isnan(values[:, 0]).all(), name
        of_gyroscope = name.startswith("gyro") and "_with_" not in name
        assert np.isnan(values[:, 1]).all() != of_gyroscope, name
        assert not np.isnan(values[:, 2]).any(), name


@pytest.mark.parametrize("n_frames", [1, 2, 5])
def test_a_recording_of_hardly_a_window_has_its_means(n_frames):
    recording = sensors(n_frames)
    found = channels_by_name(recording, windows_of(recording), still=np.full((2, 4), 0.1))
    mean = recording.skeleton.mean(axis=0)[:, 0]
    np.testing.assert_allclose(found["acc_x_mean"], mean[None], rtol=1e-6)


# Stillness


def test_stillness_draws_swing_and_coupling_to_nothing():
    recording, windows = sensors(), windows_of(sensors())
    sharp = channels_by_name(recording, windows)
    usual = np.array([[2.0, 3.0, 20.0, 30.0]])  # spreads of acc, gyro and of their changes
    soft = channels_by_name(recording, windows, still=STILL * np.repeat(usual, 2, axis=0))
    a, g = (by_loop(recording, windows, lambda v, c=c: v[1:, c].std()) for c in (0, 4))
    lively = LIVELY * usual[0]
    factor_a, factor_g = (
        1 / np.sqrt(1 + (lively[0] / a) ** 2),
        1 / np.sqrt(1 + (lively[1] / g) ** 2),
    )
    np.testing.assert_allclose(soft["gyro_y_swing"], sharp["gyro_y_swing"] * factor_g**3, rtol=1e-9)
    np.testing.assert_allclose(
        soft["acc_x_with_gyro_y"], sharp["acc_x_with_gyro_y"] * factor_a * factor_g, rtol=1e-9
    )
    np.testing.assert_allclose(
        np.exp(soft["acc_log_spread"]), np.exp(sharp["acc_log_spread"]) + STILL * 2.0
    )


def test_a_sensor_that_lies_still_neither_swings_nor_warns():
    still = Recording(id="r", skeleton=np.full((90, 1, 6), 7.0), fps=30, channel_names=BOTH)
    found = channels_by_name(still, windows_of(still), still=np.full((1, 4), 0.1))
    for name, values in found.items():
        expected = 7 if "_mean" in name else np.log(0.1) if "_log_spread" in name else 0
        np.testing.assert_allclose(values, expected, atol=1e-9, err_msg=name)
    never = channels_by_name(still, windows_of(still))
    assert np.isnan(never["gyro_log_spread"]).all()
    assert np.isnan(never["gyro_x_swing"]).all()


def test_rounding_where_nothing_moves_has_no_direction():
    recording = sensors(90)
    measured = measure(recording, windows_of(recording))
    measured.plain["turning"][:] = 0
    measured.plain["third"][:] = 1e-17
    measured.plain["together"][:] = -1e-17
    channels = finish(recording, measured, np.zeros((2, 4)))
    for name, values in zip(weights(recording), np.moveaxis(channels, 2, 0), strict=True):
        assert np.isnan(values).all() == (name.endswith("_swing") or "_with_" in name)


def test_what_lies_far_off_keeps_its_digits():
    near, windows = sensors(), windows_of(sensors())
    skeleton = np.round(near.skeleton * 64) / 64  # which float32 holds at thirty thousand
    found, expected = (
        channels_by_name(near.noted("", skeleton=skeleton + place), windows) for place in (3e4, 0)
    )
    for name in expected:
        if "_mean" not in name and name != "vertical_speed":
            np.testing.assert_allclose(found[name], expected[name], atol=1e-7, err_msg=name)


# The ground


def test_vertical_speed_is_that_of_the_bins_in_the_window(monkeypatch):
    recording = sensors(61, fps=30.0)  # bins of 3 frames, the last one of a single frame
    speed = np.arange(21.0)[:, None] * [1, -2]
    monkeypatch.setattr(
        "histvq.statistics.inertial.vertical_speed", lambda _, fps: (speed, np.arange(0, 61, 3))
    )
    windows = windows_of(recording, 0.6, 1.0)  # which end with a bin
    found = channels_by_name(recording, windows)["vertical_speed"]
    for patch, (start, stop) in enumerate(zip(windows.starts, windows.stops, strict=True)):
        bins = sorted({frame // 3 for frame in range(start, stop)})
        np.testing.assert_allclose(found[patch], np.mean(speed[bins], axis=0))


@pytest.mark.parametrize("values_a_block", [1, 100])
def test_blocks_change_nothing_about_the_ground(monkeypatch, values_a_block):
    still = Recording(id="r", skeleton=np.ones((900, 1, 3)), fps=30, channel_names=ACC)
    still.skeleton[400:420] = 1.1
    windows = windows_of(still)
    expected = channels_by_name(still, windows)["vertical_speed"]
    monkeypatch.setattr("histvq.statistics.inertial.VALUES_A_BLOCK", values_a_block)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_array_equal(channels_by_name(still, windows)["vertical_speed"], expected)


# Weights


def test_blocks_share_their_variance():
    variances = {name: weight**2 for name, weight in weights(sensors()).items()}
    assert list(variances)[:4] == ["acc_x_mean", "acc_y_mean", "acc_z_mean", "acc_log_spread"]
    swing = [v for name, v in variances.items() if name.endswith("_swing")]
    coupling = [v for name, v in variances.items() if "_with_" in name]
    assert (len(swing), len(coupling)) == (3, 9)
    assert sum(swing) == pytest.approx(SHARED["swing"])
    assert sum(coupling) == pytest.approx(SHARED["coupling"])
    assert variances["vertical_speed"] == pytest.approx(SHARED["vertical"])
    assert INERTIAL.weights(sensors()) == weights(sensors())
