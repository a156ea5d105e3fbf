"""Vertical speed from made-up sensors whose rides are known."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.statistics.resting import (
    GRAVITY,
    LEAST,
    MOVING_SECONDS,
    REST_SECONDS,
    vertical_speed,
)

# A ride from second 40 to second 53: 1.5 s to speed up, 1.5 s to slow down, 1.5 m/s between.
DURATION, SPEED = 90.0, 1.5
CRUISE = (43.0, 50.0)


def felt_in_a_lift(fps=60.0, *, up=1.0, noise=0.0, errors=(0.0, 0.03, -0.05), seed=0):
    """(frame, sensor), in m/s2; each sensor takes gravity for a little more or less than it is."""
    seconds = (np.arange(round(DURATION * fps)) + 0.5) / fps
    pushed = ((seconds >= 40) & (seconds < 41.5)).astype(float)
    pushed -= (seconds >= 51.5) & (seconds < 53)
    felt = GRAVITY + up * SPEED / 1.5 * pushed[:, None]
    felt = felt * (1 + np.array(errors))
    return felt + noise * np.random.default_rng(seed).normal(size=felt.shape)


def between(speed, first, fps, start, stop):
    """Mean speed of each sensor from one second to another."""
    return speed[(first >= start * fps) & (first < stop * fps)].mean(axis=0)


def shaken(felt, fps, start, stop, seed=1):
    """The same, but the body walks from one second to another."""
    walking = np.arange(len(felt)) / fps
    walking = (walking >= start) & (walking < stop)
    steps = 0.4 * np.median(felt) * np.random.default_rng(seed).normal(size=felt.shape)
    return np.where(walking[:, None], np.abs(felt + steps), felt)


def strict_speed(felt, fps):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return vertical_speed(felt, fps=fps)


def test_speed_is_what_was_gained_before_less_what_will_be_lost_forgetting_on_the_way():
    # One push up and one down, in bins of six frames: the sum is known in full.
    pushes = np.zeros(600)
    pushes[100:110], pushes[350:360] = 0.05, -0.05
    speed, first = strict_speed(np.repeat(1 + pushes, 6)[:, None] * 7.7, 60.0)
    np.testing.assert_array_equal(first, np.arange(0, 3600, 6))
    gained = np.sign(pushes) * np.maximum(np.abs(pushes) - LEAST, 0) * GRAVITY * 0.1
    apart = np.arange(600)[:, None] - np.arange(600)
    expected = np.sign(apart) * np.exp(-0.1 * np.abs(apart) / REST_SECONDS) @ gained / 2
    np.testing.assert_allclose(speed[:, 0], expected, atol=1e-9)


def speed_by_loop(felt, n_bins):
    """The same of one sensor bin by bin, at 60 frames a second: six frames are a bin."""
    size = np.median([np.mean(felt[6 * b : 6 * b + 6]) for b in range(n_bins)])
    mean = [np.mean(felt[6 * b : 6 * b + 6]) / size for b in range(n_bins)]
    quiet = [np.std(felt[6 * b : 6 * b + 6]) / size < 0.1 for b in range(n_bins)]
    calm = [all(quiet[max(b - 3, 0) : b + 4]) for b in range(n_bins)]
    gained = np.zeros(n_bins)
    for b in range(n_bins):
        if calm[b]:
            around = [mean[o] for o in range(max(b - 200, 0), min(b + 201, n_bins)) if calm[o]]
            off = mean[b] / np.median(around) - 1
            if 0.003 < abs(off) <= 0.303:
                gained[b] = np.sign(off) * (abs(off) - 0.003) * 9.81 * 0.1
    speed = np.zeros(n_bins)
    for order, sign in ((range(n_bins), 1), (reversed(range(n_bins)), -1)):
        total = 0.0
        for b in order:
            total = total * np.exp(-0.1 / (30 if calm[b] else 1)) + gained[b]
            speed[b] += sign * total / 2
    return speed


@pytest.mark.parametrize("seed", range(4))
def test_speed_agrees_with_the_loop(seed):
    """Levels that change every second or so, some too far off to be a lift's, and some walking."""
    rng = np.random.default_rng(seed)
    levels = np.repeat(1 + rng.choice([0, 0.002, -0.05, 0.1, -0.28, 0.31, 0.5], size=60), 60)
    felt = shaken(4096 * levels[:, None], 60, 20, 28, seed)
    felt += 300 * rng.normal(size=felt.shape) * (rng.random(felt.shape) < 0.02)
    speed, _ = strict_speed(felt, 60.0)
    np.testing.assert_allclose(speed[:, 0], speed_by_loop(felt[:, 0], 600), atol=1e-9)


@pytest.mark.parametrize("fps", [4.0, 8.0, 10.0, 15.0, 25.0, 59.94, 100.0])
def test_a_ride_goes_up_at_about_its_speed_at_any_rate(fps):
    speed, first = strict_speed(felt_in_a_lift(fps), fps)
    assert between(speed, first, fps, *CRUISE) == pytest.approx(SPEED, rel=0.25)
    assert between(speed, first, fps, 0, 38) == pytest.approx(0, abs=0.2)
    assert between(speed, first, fps, 55, 90) == pytest.approx(0, abs=0.2)


def test_down_is_up_turned_round():
    up, down = (strict_speed(felt_in_a_lift(up=u), 60.0)[0] for u in (0.5, -0.5))
    np.testing.assert_allclose(up, -down, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_a_sensor_hardly_matters(seed):
    speed, first = strict_speed(felt_in_a_lift(noise=0.05, seed=seed), 60.0)
    assert between(speed, first, 60.0, *CRUISE) == pytest.approx(SPEED, rel=0.25)


def test_walking_before_and_after_a_ride_leaves_it_as_it_is_and_is_none_itself():
    felt = shaken(shaken(felt_in_a_lift(), 60, 5, 35), 60, 58, 85)
    speed, first = strict_speed(felt, 60.0)
    assert between(speed, first, 60.0, *CRUISE) == pytest.approx(SPEED, rel=0.25)
    assert between(speed, first, 60.0, 10, 34) == pytest.approx(0, abs=0.1)
    assert between(speed, first, 60.0, 60, 80) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("fps", [6.0, 10.0, 60.0])
def test_while_the_body_moves_there_is_no_telling(fps):
    felt = shaken(felt_in_a_lift(fps), fps, 43, 51)
    speed, first = strict_speed(felt, fps)
    middle = 47.0
    forgotten = np.exp(-(middle - 43) / MOVING_SECONDS)
    assert between(speed, first, fps, middle - 0.7, middle + 0.7) == pytest.approx(
        0, abs=5 * SPEED * forgotten
    )
    assert (between(speed, first, fps, 41.5, 42.5) > SPEED / 4).all()  # from before


def test_at_a_low_rate_the_bins_beside_movement_count_as_movement():
    felt = np.full((60, 1), 9.81)
    felt[30:33, 0] = 5, 14, 9.81  # the tenth bin of three frames
    felt[33:36] = 10.5
    assert not strict_speed(felt, 5.0)[0].any()
    felt[30:33] = 9.81
    assert strict_speed(felt, 5.0)[0].any()


def test_a_ride_that_ends_after_the_recording_is_half_seen():
    felt = felt_in_a_lift()[: 48 * 60]
    speed, first = strict_speed(felt, 60.0)
    assert between(speed, first, 60.0, 42, 48) == pytest.approx(SPEED / 2, rel=0.2)
    felt = felt_in_a_lift()[45 * 60 :]
    speed, first = strict_speed(felt, 60.0)
    assert between(speed, first, 60.0, 0, 6) == pytest.approx(SPEED / 2, rel=0.2)


def test_another_posture_is_no_ride():
    """Sensors err in another way once somebody has sat down, for longer than the level takes to tell."""
    felt = np.full((120 * 60, 3), GRAVITY)
    felt[60 * 60 :] *= [1.03, 0.98, 1.0]
    speed, _ = strict_speed(shaken(felt, 60, 59, 61), 60.0)
    assert np.abs(speed).max() < 0.1


@pytest.mark.parametrize("fps", [3.0, 10.0, 60.0])
def test_walking_alone_is_no_ride(fps):
    felt = shaken(np.full((round(60 * fps), 3), GRAVITY), fps, 0, 60)
    assert np.abs(strict_speed(felt, fps)[0]).max() < 0.1


@pytest.mark.parametrize("size", [0.0, 0.2])
def test_without_gravity_there_is_no_speed(size):
    noise = size * np.random.default_rng(0).normal(size=(1800, 2, 3))
    speed, _ = strict_speed(np.linalg.norm(noise, axis=2), 60.0)
    assert speed.shape == (300, 2)
    assert not speed.any()


def test_sensors_that_fail_count_as_none():
    felt = felt_in_a_lift()
    expected, _ = strict_speed(felt, 60.0)
    broken = np.concatenate([felt, np.full((len(felt), 2), np.nan)], axis=1)
    broken[: len(felt) // 3, 4] = 9.81
    found, _ = strict_speed(broken, 60.0)
    np.testing.assert_allclose(found[:, :3], expected, atol=1e-9)
    assert not found[:, 3].any()
    gap = felt.copy()
    gap[44 * 60 : 46 * 60] = np.nan
    speed, _ = strict_speed(gap, 60.0)
    assert not np.isnan(speed).any()
    assert not strict_speed(np.full((100, 2), np.nan), 60.0)[0].any()
    dead = felt.copy()
    dead[: 30 * 60, 0] = 0
    assert np.isfinite(strict_speed(dead, 60.0)[0]).all()


@given(st.floats(1e-4, 1e5))
@settings(max_examples=20)
def test_the_unit_does_not_matter(factor):
    felt = shaken(felt_in_a_lift(20.0, noise=0.03), 20, 60, 70)
    expected, _ = vertical_speed(felt, fps=20.0)
    found, _ = vertical_speed(felt * factor, fps=20.0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.integers(1, 300), st.floats(0.5, 200))
def test_bins_cover_every_recording_in_order(n_frames, fps):
    speed, first = strict_speed(np.full((n_frames, 2), 9.81), fps)
    assert first[0] == 0
    assert (np.diff(first) > 0).all()
    assert first[-1] < n_frames
    assert speed.shape == (len(first), 2)
    assert np.abs(speed).max() < 1e-9
