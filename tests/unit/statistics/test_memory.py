"""Postures, speeds, headings and the memory of movement, against sums by hand and made-up signals."""

import numpy as np
import pytest
from histvq.movement import (
    headings,
    log_speed,
    memory_seconds,
    movement_memory,
    posture_and_speed,
    turned_back,
    velocities,
    weighted_mean,
)
from hypothesis import given
from hypothesis import strategies as st


def test_weighted_mean_is_the_sum_of_gaussian_weights_over_what_is_known():
    values = np.random.default_rng(0).normal(size=(40, 3))
    values[5:9, 1] = np.nan
    found = weighted_mean(values, 2.0)
    for frame in range(40):
        apart = np.arange(40) - frame
        weights = np.exp(-0.5 * (apart / 2.0) ** 2) * (abs(apart) <= 8)
        for feature in range(3):
            known = ~np.isnan(values[:, feature])
            expected = np.average(values[known, feature], weights=weights[known])
            assert found[frame, feature] == pytest.approx(expected)


def test_weighted_mean_of_nothing_is_missing():
    values = np.full((100, 1), np.nan)
    values[0] = 3
    found = weighted_mean(values, 1.0)
    assert found[2, 0] == pytest.approx(3)
    assert np.isnan(found[50, 0])


def test_speed_of_even_movement_and_place_in_its_middle():
    seconds = np.arange(90) / 30
    walk = np.zeros((90, 2, 3))
    walk[:, 1, 0] = 2 * seconds  # 2 units a second
    posture, speed = posture_and_speed(walk, fps=30, window_seconds=1, at=np.array([45]))
    assert posture[0, 1, 0] == pytest.approx(2 * 45 / 30)
    assert speed[0] == pytest.approx(np.array([[0, 0, 0], [2, 0, 0]]))


def test_a_single_frame_has_no_speed():
    assert not velocities(np.ones((1, 2, 3)), fps=30).any()


def test_log_speed_adds_a_share_of_the_usual_speed():
    given, still = np.array([[3.0], [4.0]]), np.zeros((2, 1))
    (logs,) = log_speed([given], share=0.1)
    assert logs[:, 0] == pytest.approx(np.log(given[:, 0] + 0.1 * np.sqrt(12.5)))
    assert np.isnan(log_speed([still])[0]).all()


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_memory_of_a_process_that_forgets_exponentially_is_its_time_constant(seconds):
    rng = np.random.default_rng(1)
    keep = np.exp(-1 / (10 * seconds))
    noise = rng.normal(size=(20_000, 8))
    signal = np.zeros_like(noise)
    for frame in range(1, len(noise)):
        signal[frame] = keep * signal[frame - 1] + np.sqrt(1 - keep**2) * noise[frame]
    found = memory_seconds(np.split(signal, 4), fps=10)
    assert found == pytest.approx(seconds, rel=0.1)


def test_memory_of_what_never_changes_is_as_long_as_it_lasts():
    assert memory_seconds([np.ones((50, 2))], fps=10) == pytest.approx(5)
    assert memory_seconds([np.ones((5000, 2))], fps=10, longest=60) == 60


@given(st.floats(-3, 3), st.integers(0, 2))
def test_a_body_turned_any_way_comes_back_the_same(angle, up):
    level = tuple(axis for axis in range(3) if axis != up)
    body = np.random.default_rng(2).normal(size=(20, 4, 3))
    body[:, 1] = body[:, 0]
    body[:, 1, level[0]] += 1  # joint 1 is to the right of joint 0
    whirl = angle + np.zeros(20)
    turned = turned_back(body, -whirl, level=level)
    across = (turned[:, 1] - turned[:, 0])[:, level]
    found = headings(across, fps=30)
    assert np.exp(1j * found) == pytest.approx(np.exp(1j * whirl))
    assert turned_back(turned, found, level=level) == pytest.approx(body)


def test_heading_of_a_body_never_seen_is_none():
    assert not headings(np.full((5, 2), np.nan), fps=30).any()


def _bouts(seconds, *, size=1.0, seed=4):
    """Two joints that swing and rest by turns of about so long."""
    rng = np.random.default_rng(seed)
    lengths = np.maximum(rng.exponential(seconds, size=200), 0.3)
    wild = np.concatenate(
        [np.full(int(length * 30), place % 2) for place, length in enumerate(lengths)]
    )
    swing = np.sin(np.arange(len(wild)) / 30 * 2 * np.pi * 2) * (0.05 + wild)
    return size * np.stack([swing, swing], axis=1)[:, :, None] * np.ones(3)


def test_bouts_that_last_longer_are_remembered_longer_whatever_the_body():
    short, long = (movement_memory([_bouts(s)], ["a"], fps=30) for s in (1.0, 4.0))
    assert 2.5 < long / short < 5
    assert movement_memory([_bouts(1.0, size=1000)], ["a"], fps=30) == pytest.approx(short)
    two = [_bouts(1.0), _bouts(1.0, size=1000)]
    assert movement_memory(two, ["a", "b"], fps=30) == pytest.approx(short, rel=0.1)


def test_memory_of_bodies_that_never_move_is_as_long_as_they_were_seen():
    assert movement_memory([np.ones((90, 2, 3))], [None], fps=30) == pytest.approx(3)
