import warnings

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from histvq.features import fit_frame_scale, frame_series
from histvq.recording import Recording

MODES = ("recording", "recording_scaled", "dataset", "frame_l2", "none")


def recording_of(skeleton, name="r"):
    return Recording(id=name, skeleton=np.asarray(skeleton, np.float32), fps=50.0)


def moving(n_frames=40, n_joints=3, n_channels=2, *, seed=0, missing=0.0):
    """Every feature around a place of its own and of a size of its own."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.1, 100, size=(n_joints, n_channels))
    place = rng.normal(0, 50, size=(n_joints, n_channels))
    skeleton = place + size * rng.normal(size=(n_frames, n_joints, n_channels))
    skeleton[rng.random(skeleton.shape) < missing] = np.nan
    return recording_of(skeleton, f"r{seed}")


def vectors(recording):
    return recording.skeleton.reshape(recording.n_frames, -1).astype(np.float64)


def scaled(recordings, mode):
    scale = fit_frame_scale(recordings, mode=mode)
    return [frame_series(recording, mode=mode, scale=scale) for recording in recordings]


def one_scaled(recording, mode):
    return scaled([recording], mode)[0]


def constant(value, n_frames=1000):
    """A feature that never changes beside one that does."""
    wave = np.sin(np.arange(n_frames))
    return recording_of(np.stack([np.full(n_frames, value), wave], axis=1)[:, None, :])


# Each scale against another way to it. StandardScaler too leaves NaN out of what it counts.


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_a_recording_is_standardised_by_itself(seed, missing):
    recordings = [moving(seed=seed, missing=missing), moving(70, seed=seed + 9, missing=missing)]
    for recording, series in zip(recordings, scaled(recordings, "recording"), strict=True):
        expected = np.nan_to_num(StandardScaler().fit_transform(vectors(recording)))
        np.testing.assert_allclose(series.values, expected, atol=1e-6)


def test_scaled_it_is_over_the_root_of_the_number_of_features():
    recording = moving(n_joints=4, n_channels=3, missing=0.2)
    expected = np.nan_to_num(StandardScaler().fit_transform(vectors(recording))) / np.sqrt(12)
    np.testing.assert_allclose(
        one_scaled(recording, "recording_scaled").values, expected, atol=1e-6
    )


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_a_dataset_is_standardised_as_one(missing):
    recordings = [moving(n, seed=n, missing=missing) for n in (5, 40, 1, 77)]
    scaler = StandardScaler().fit(np.concatenate([vectors(r) for r in recordings]))
    for recording, series in zip(recordings, scaled(recordings, "dataset"), strict=True):
        expected = np.nan_to_num(scaler.transform(vectors(recording)))
        np.testing.assert_allclose(series.values, expected, atol=1e-5)


def test_a_dataset_is_scaled_as_its_recordings_end_to_end_would_be():
    recordings = [moving(n, seed=n, missing=0.2) for n in (5, 40, 77)]
    whole = recording_of(np.concatenate([r.skeleton for r in recordings]))
    found = np.concatenate([series.values for series in scaled(recordings, "dataset")])
    np.testing.assert_allclose(found, one_scaled(whole, "recording").values, atol=1e-5)


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e5])
def test_frame_vectors_have_unit_length_and_their_old_direction(size):
    recording = recording_of(size * moving().skeleton)
    found, before = one_scaled(recording, "frame_l2").values, vectors(recording)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    along = (found * before).sum(axis=1)
    np.testing.assert_allclose(along, np.linalg.norm(before, axis=1), rtol=1e-6)


def test_a_frame_vector_of_zeros_stays():
    found = one_scaled(recording_of([[[0, 0], [0, 0]], [[3, 0], [0, 4]]]), "frame_l2").values
    np.testing.assert_allclose(found, [[0, 0, 0, 0], [0.6, 0, 0, 0.8]], atol=1e-7)


def test_what_is_missing_adds_no_length_to_a_frame_vector():
    recording = recording_of([[[3, np.nan], [4, 0]]])
    np.testing.assert_allclose(one_scaled(recording, "frame_l2").values, [[0.6, 0, 0.8, 0]])


def test_without_a_scale_the_numbers_stay():
    recording = moving(missing=0.3)
    expected = np.nan_to_num(recording.skeleton).reshape(40, -1)
    np.testing.assert_array_equal(one_scaled(recording, "none").values, expected)


# Features that never change, or hardly


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e6 + 0.1, 3e9 / 7, 1e-30])
@pytest.mark.parametrize("mode", ["recording", "recording_scaled", "dataset"])
def test_a_feature_that_never_changes_is_0(value, mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = one_scaled(constant(value), mode).values
    assert (found[:, 0] == 0).all()
    assert found[:, 1].std() > 0.5


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1])
@pytest.mark.parametrize("mode", ["recording", "recording_scaled", "dataset"])
def test_nor_is_what_rounding_leaves_of_a_constant_movement(value, mode):
    skeleton = constant(value).skeleton.copy()
    skeleton[::3, 0, 0] = np.nextafter(skeleton[0, 0, 0], np.float32(np.inf))
    assert (one_scaled(recording_of(skeleton), mode).values[:, 0] == 0).all()


def test_what_changes_from_recording_to_recording_only_shows_in_the_dataset():
    low, high = constant(1e6), constant(1e6 + 10)
    assert not any(s.values[:, 0].any() for s in scaled([low, high], "recording"))
    found = [s.values[0, 0] for s in scaled([low, high], "dataset")]
    # Offsets are float32, and that has steps of 0.06 here; the standard deviation is 5.
    np.testing.assert_allclose(found, [-1, 1], atol=0.02)


@pytest.mark.parametrize("mode", ["recording", "dataset"])
def test_a_wobble_of_one_count_in_thirty_thousand_is_movement(mode):
    counts = 30_000 + np.arange(60) % 2
    found = one_scaled(recording_of(counts[:, None, None]), mode).values[:, 0]
    np.testing.assert_allclose(found, np.where(np.arange(60) % 2, 1, -1), atol=1e-2)


@pytest.mark.parametrize("mode", ["frame_l2", "none"])
def test_other_scales_keep_a_feature_that_never_changes(mode):
    assert (one_scaled(constant(0.5), mode).values[:, 0] > 0.4).all()


@pytest.mark.parametrize("mode", ["recording", "recording_scaled", "dataset"])
def test_the_only_frame_there_is_never_changes(mode):
    assert not one_scaled(moving(1), mode).values.any()


# What was not measured


@pytest.mark.parametrize("mode", MODES)
def test_what_is_missing_is_0_and_the_rest_is_not(mode):
    recording = moving(missing=0.3)
    missing = np.isnan(vectors(recording))
    found = one_scaled(recording, mode).values
    assert (found[missing] == 0).all()
    assert (found[~missing] != 0).all()


def test_a_frame_is_known_by_one_joint_measured_whole():
    nan = np.nan
    skeleton = [
        [[1, 2], [3, 4]],
        [[1, 2], [3, nan]],  # joint 0
        [[nan, nan], [0, 0]],  # joint 1; zeros were measured
        [[1, nan], [nan, 4]],  # half of each
        [[nan, nan], [nan, nan]],
    ]
    found = one_scaled(recording_of(skeleton), "none")
    assert found.known.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("mode", MODES)
def test_a_recording_without_measurements_is_0_without_a_warning(mode):
    nothing = recording_of(np.full((4, 2, 3), np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for recordings in ([nothing], [nothing, moving(n_joints=2, n_channels=3)]):
            series = scaled(recordings, mode)[0]
            assert not series.values.any()
            assert not series.known.any()


def test_missing_frames_change_nothing_about_the_others():
    short = moving(30)
    gaps = np.full((10, 3, 2), np.nan)
    long = recording_of(np.concatenate([short.skeleton[:12], gaps, short.skeleton[12:]]))
    for mode in MODES:
        series = one_scaled(long, mode)
        np.testing.assert_array_equal(series.known, np.repeat([True, False, True], [12, 10, 18]))
        np.testing.assert_allclose(
            series.values[series.known], one_scaled(short, mode).values, atol=1e-6
        )


# Layout


def test_vectors_go_joint_by_joint():
    frame, joint, channel = np.indices((4, 3, 2))
    found = one_scaled(recording_of(100 * frame + 10 * joint + channel), "none").values
    assert found[2].tolist() == [200, 201, 210, 211, 220, 221]


@pytest.mark.parametrize("mode", MODES)
def test_a_series_is_float32_under_the_recordings_name_and_leaves_it_alone(mode):
    recording = moving(missing=0.2)
    before = recording.skeleton.copy()
    series = one_scaled(recording, mode)
    assert series.id == recording.id
    assert series.values.dtype == np.float32
    assert series.values.shape == (40, 6)
    np.testing.assert_array_equal(recording.skeleton, before)
