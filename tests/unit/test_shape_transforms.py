"""Transforms of bodies: heading, size, sides, units, filters."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from histvq.errors import ConfigError
from histvq.recording import Recording
from histvq.transforms import (
    centre_on,
    centre_on_root,
    face_heading,
    low_pass,
    mirror,
    rename_joints,
    scale_to_body,
    to_unit,
    unit_variance,
)

NAMES = ("pelvis", "left_hip", "right_hip", "head")
PARENTS = (-1, 0, 0, 0)


def body(n_frames=30, *, seed=0, **about):
    rng = np.random.default_rng(seed)
    rest = np.array([[0, 0, 0], [-1, 0, -0.1], [1, 0, -0.1], [0, 0, 5.0]])
    skeleton = rest + 0.01 * rng.normal(size=(n_frames, 4, 3))
    about = {"joint_names": NAMES, "parents": PARENTS, "unit": "m", "fps": 30.0, **about}
    return Recording(id="r", skeleton=skeleton, **about)


def turned(recording, angles):
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    skeleton = recording.skeleton.copy()
    x, y = recording.skeleton[..., 0], recording.skeleton[..., 1]
    skeleton[..., 0], skeleton[..., 1] = cos * x - sin * y, sin * x + cos * y
    return recording.noted("turned", skeleton=skeleton)


@given(st.integers(0, 50))
def test_whichever_way_somebody_looks_is_forgotten(seed):
    recording = body(seed=seed)
    angles = np.random.default_rng(seed).uniform(-9, 9, size=30)
    faced = face_heading(turned(recording, angles), left="left_hip", right="right_hip")
    expected = face_heading(recording, left="left_hip", right="right_hip")
    np.testing.assert_allclose(faced.skeleton, expected.skeleton, atol=1e-4)
    across = faced.skeleton[:, 2] - faced.skeleton[:, 1]
    np.testing.assert_allclose(across[:, 1], 0, atol=1e-5)
    assert (across[:, 0] > 0).all()


def test_the_heading_holds_while_a_hip_is_not_seen():
    recording = body()
    angles = np.linspace(0, 3, 30)
    gappy = turned(recording, angles)
    gappy.skeleton[10:20, 1] = np.nan
    faced = face_heading(gappy, left="left_hip", right="right_hip").skeleton
    whole = face_heading(turned(recording, angles), left="left_hip", right="right_hip").skeleton
    np.testing.assert_allclose(faced[:, 3], whole[:, 3], atol=0.1)
    nobody = gappy.noted("x", skeleton=np.where(np.arange(4)[:, None] == 1, np.nan, gappy.skeleton))
    np.testing.assert_array_equal(
        face_heading(nobody, left="left_hip", right="right_hip").skeleton, nobody.skeleton
    )


def test_a_heading_that_cannot_be_told():
    with pytest.raises(ConfigError, match="no joint left_knee to tell the heading by"):
        face_heading(body(), left="left_knee", right="right_hip")
    flat = Recording(id="r", skeleton=np.zeros((3, 4, 2)), fps=30, joint_names=NAMES)
    with pytest.raises(ConfigError, match="needs channels x, y and z"):
        face_heading(flat, left="left_hip", right="right_hip")
    with pytest.raises(ConfigError, match="up=w"):
        face_heading(body(), left="left_hip", right="right_hip", up="w")


def test_the_same_motion_of_a_taller_person_is_the_same_motion():
    one = scale_to_body(body())
    for factor in (0.5, 1.3, 1000):
        tall = body()
        other = scale_to_body(tall.noted("x", skeleton=tall.skeleton * factor))
        np.testing.assert_allclose(other.skeleton, one.skeleton, rtol=1e-4, atol=1e-6)
    assert one.unit == "body"


def test_a_body_is_as_long_as_its_longest_chain_by_hand():
    # A chain 0-1-2 of bones 3 and 4, a branch 0-3 of 12, another 3-4 of 5: from 2 to 4 it is 24.
    at = [[0, 0, 0], [3, 0, 0], [3, 4, 0], [0, 0, 12], [0, 5, 12.0]]
    recording = Recording(
        id="r", skeleton=np.tile(at, (3, 1, 1)), fps=30, parents=(-1, 0, 1, 0, 3), unit="cm"
    )
    scaled = scale_to_body(recording)
    np.testing.assert_allclose(scaled.skeleton[0, 3], [0, 0, 12 / 24])
    assert scaled.history == ("scale_to_body(24 cm)",)
    two = Recording(
        id="r", skeleton=np.tile([*at, [0, 0, 0], [0, 0, 2.0]], (3, 1, 1)), fps=30,
        parents=(-1, 0, 1, 0, 3, -1, 5), joint_persons=(0,) * 5 + (1,) * 2,
    )  # fmt: skip
    np.testing.assert_allclose(scale_to_body(two).skeleton[0, 6], [0, 0, 1])


def test_no_body_to_measure():
    with pytest.raises(ConfigError, match="parents are not known"):
        scale_to_body(body(parents=None))
    with pytest.raises(ConfigError, match="no bone was ever measured"):
        scale_to_body(body().noted("x", skeleton=np.full((5, 4, 3), np.nan)))
    with pytest.raises(ConfigError, match="no x, y, z channels to scale to the body"):
        scale_to_body(body(channel_names=("acc_x", "acc_y", "acc_z")))


def test_each_quantity_by_itself_has_a_deviation_of_one():
    rng = np.random.default_rng(0)
    skeleton = rng.normal(size=(200, 3, 4)) * [3, 5, 100, 0] + [7, -2, 9, 4]
    skeleton[:20, 0] = np.nan
    names = ("acc_x", "acc_y", "gyro_x", "still")
    scaled = unit_variance(Recording(id="r", skeleton=skeleton, fps=30, channel_names=names))
    flat = scaled.skeleton.reshape(200, 3, 4).astype(float)
    centred = flat - np.nanmean(flat, axis=0)
    assert np.nanmean(centred[..., :2] ** 2) == pytest.approx(1, abs=1e-3)
    assert np.nanmean(centred[..., 2] ** 2) == pytest.approx(1, abs=1e-3)
    ratio = np.nanstd(flat[..., 1]) / np.nanstd(flat[..., 0])
    assert ratio == pytest.approx(
        np.nanstd(skeleton[..., 1]) / np.nanstd(skeleton[..., 0]), rel=1e-3
    )
    np.testing.assert_array_equal(flat[20:, 0, 3], 4)


def test_units_there_and_back():
    recording = body()
    in_mm = to_unit(recording, "mm")
    np.testing.assert_allclose(in_mm.skeleton, recording.skeleton * 1000, rtol=1e-6)
    assert in_mm.unit == "mm"
    np.testing.assert_allclose(to_unit(in_mm, "m").skeleton, recording.skeleton, rtol=1e-5)
    assert to_unit(recording, "m") is recording
    mixed = body(channel_names=("rotation", "x", "y"))
    np.testing.assert_array_equal(to_unit(mixed, "cm").skeleton[..., 0], mixed.skeleton[..., 0])
    with pytest.raises(
        ConfigError, match="cannot bring px to m; known lengths are mm, cm, m, inch"
    ):
        to_unit(body(unit="px"), "m")


def test_centred_on_a_joint_of_ones_choice():
    recording = body()
    np.testing.assert_array_equal(
        centre_on(recording, "pelvis").skeleton, centre_on_root(recording).skeleton
    )
    assert (centre_on(recording, "head").skeleton[:, 3] == 0).all()
    two = Recording(
        id="r", skeleton=np.random.default_rng(0).normal(size=(9, 4, 3)), fps=30,
        joint_names=("a/head", "a/foot", "b/head", "b/foot"), joint_persons=(0, 0, 1, 1),
    )  # fmt: skip
    centred = centre_on(two, "head").skeleton
    np.testing.assert_array_equal(centred[:, 3], two.skeleton[:, 3] - two.skeleton[:, 2])
    with pytest.raises(ConfigError, match="no joint 'nose' to centre on; it has pelvis, left_hip"):
        centre_on(recording, "nose")


def test_a_mirror_swaps_sides_and_turns_an_axis_round():
    recording = body()
    seen = mirror(recording)
    np.testing.assert_array_equal(seen.skeleton[:, 1, 0], -recording.skeleton[:, 2, 0])
    np.testing.assert_array_equal(seen.skeleton[:, 1, 1:], recording.skeleton[:, 2, 1:])
    np.testing.assert_array_equal(seen.skeleton[:, 3, 2], recording.skeleton[:, 3, 2])
    np.testing.assert_array_equal(mirror(seen).skeleton, recording.skeleton)
    for names in (("root", "LeftHip", "RightHip", "Head"), ("c", "l_hip", "r_hip", "lr")):
        again = mirror(body(joint_names=names))
        np.testing.assert_array_equal(again.skeleton, seen.skeleton)
    with pytest.raises(ConfigError, match="no channel 'acc_x' to mirror"):
        mirror(recording, axis="acc_x")


def test_joints_under_other_names():
    renamed = rename_joints(body(), {"pelvis": "hips"})
    assert renamed.joint_names == ("hips", *NAMES[1:])
    assert renamed.history == ("rename_joints(pelvis=hips)",)
    with pytest.raises(ConfigError, match="no joint LKNE; it has pelvis"):
        rename_joints(body(), {"LKNE": "left_knee"})
    with pytest.raises(ConfigError, match="two joints would be called 'head'"):
        rename_joints(body(), {"pelvis": "head"})


def test_slow_movements_pass_and_fast_ones_do_not():
    times = np.arange(600) / 100
    slow, fast = np.sin(2 * np.pi * 1.5 * times), np.sin(2 * np.pi * 20 * times)
    both = Recording(id="r", skeleton=(slow + fast)[:, None, None], fps=100)
    passed = low_pass(both, 6).skeleton[:, 0, 0]
    np.testing.assert_allclose(passed[50:-50], slow[50:-50], atol=0.02)
    sections = signal.butter(2, 6, fs=100, output="sos")
    expected = signal.sosfiltfilt(sections, both.skeleton[:, 0, 0].astype(float))
    np.testing.assert_allclose(passed, expected, atol=1e-5)
    assert low_pass(both, 50) is both
    with pytest.raises(ConfigError, match="low_pass 0 Hz: must be above 0"):
        low_pass(both, 0)
    for hertz in (1e-320, 1e-12, both.fps * 0.9e-6, float("nan")):
        with pytest.raises(
            ConfigError, match=r"Hz: must be above 0, and at \d+ frames a second at"
        ):
            low_pass(both, hertz)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(low_pass(both, both.fps * 1.01e-6).skeleton).all()


def test_gaps_are_not_filtered_over():
    values = np.random.default_rng(0).normal(size=100)
    values[40:43] = np.nan
    values[95] = np.nan
    filtered = low_pass(Recording(id="r", skeleton=values[:, None, None], fps=100), 6)
    passed = filtered.skeleton[:, 0, 0]
    np.testing.assert_array_equal(np.isnan(passed), np.isnan(values))
    np.testing.assert_array_equal(passed[96:], values[96:].astype(np.float32))  # too short
    alone = low_pass(Recording(id="r", skeleton=values[:40, None, None], fps=100), 6)
    np.testing.assert_array_equal(passed[:40], alone.skeleton[:, 0, 0])
