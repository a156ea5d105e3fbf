"""The memory of movement, against processes whose memory is known."""

import warnings

import numpy as np
import pytest

from histvq.recording import Recording
from histvq.statistics.memory import memory_seconds, movement_memory


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


def bouts(seconds, *, size=1.0, fps=30.0, person=None, seed=4):
    """Two joints that swing and rest by turns of about so long, seen so many times a second."""
    lengths = np.maximum(np.random.default_rng(seed).exponential(seconds, size=200), 0.3)
    times = np.arange(0, lengths.sum(), 1 / fps)
    wild = np.searchsorted(np.cumsum(lengths), times, "right") % 2
    swing = np.sin(times * 2 * np.pi * 2) * (0.05 + wild)
    skeleton = size * np.stack([swing, swing], axis=1)[:, :, None] * np.ones(3)
    return Recording(id="r", skeleton=skeleton, fps=fps, person=person)


def test_bouts_that_last_longer_are_remembered_longer_whatever_the_body():
    short, long = (movement_memory([bouts(s)]) for s in (1.0, 4.0))
    assert 2.5 < long / short < 5
    assert movement_memory([bouts(1.0, size=1000)]) == pytest.approx(short, rel=1e-4)
    two = [bouts(1.0, person="a"), bouts(1.0, size=1000, person="b")]
    assert movement_memory(two) == pytest.approx(short, rel=0.1)


@pytest.mark.parametrize("fps", [24.0, 59.94, 120.0])
def test_memory_is_in_seconds_at_any_rate(fps):
    usual = movement_memory([bouts(1.0)])
    assert movement_memory([bouts(1.0, fps=fps)]) == pytest.approx(usual, rel=0.1)
    mixed = [bouts(1.0), bouts(1.0, fps=fps, seed=5), bouts(1.0, seed=5)]
    alike = [bouts(1.0), bouts(1.0, seed=5), bouts(1.0, seed=5)]
    assert movement_memory(mixed) == pytest.approx(movement_memory(alike), rel=0.1)


def test_memory_of_movement_is_that_of_log_speeds_each_joint_alike():
    steady, wild = (bouts(s, size=size).skeleton[:3000] for s, size in ((0.5, 1), (4.0, 300)))
    skeleton = np.concatenate([steady[:, :1], wild[:, :1]], axis=1)
    times = np.arange(3000)
    gaussian = np.exp(-0.5 * ((times[:, None] - times) / (0.5 * 30 / 12**0.5)) ** 2)
    gaussian *= np.abs(times[:, None] - times) <= round(4 * 0.5 * 30 / 12**0.5)
    squares = (np.gradient(skeleton, axis=0) ** 2).mean(axis=2)
    speeds = 30 * np.sqrt(gaussian @ squares / gaussian.sum(axis=1, keepdims=True))
    logs = np.log(speeds + 0.1 * np.sqrt((speeds**2).mean(axis=0)))
    expected = memory_seconds([(logs - logs.mean(axis=0)) / logs.std(axis=0)], fps=30)
    found = movement_memory([Recording(id="r", skeleton=skeleton, fps=30)])
    assert found == pytest.approx(expected, rel=1e-3)


def test_people_without_a_name_count_as_one():
    unnamed, named = ([bouts(1.0, person=p), bouts(1.0, person=p, seed=5)] for p in (None, "a"))
    assert movement_memory(unnamed) == movement_memory(named)


def test_a_joint_that_never_moves_or_never_was_seen_does_not_count():
    recording = bouts(1.0)
    still, unseen = np.full((2, recording.n_frames, 1, 3), [[[[7.0]]], [[[np.nan]]]])
    more = Recording(
        id="r", skeleton=np.concatenate([recording.skeleton, still, unseen], axis=1), fps=30
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = movement_memory([more])
    assert found == pytest.approx(movement_memory([recording]))


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_memory_of_bodies_that_never_move_is_as_long_as_they_were_seen(value):
    recording = Recording(id="r", skeleton=np.full((90, 2, 3), value), fps=30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert movement_memory([recording]) == pytest.approx(3)


def test_memory_is_the_same_wherever_a_signal_lies():
    signal = np.random.default_rng(0).normal(size=(200, 2)).cumsum(axis=0)
    found = memory_seconds([signal + np.array([3e7, -5e7])], fps=10)
    assert found == pytest.approx(memory_seconds([signal], fps=10), rel=1e-6)


def test_memory_of_signals_with_gaps_is_by_the_pairs_that_are_known():
    signal = np.random.default_rng(0).normal(size=(60, 2)).cumsum(axis=0)
    signal[10:20, 0] = np.nan
    signal[40, 1] = np.nan
    known = ~np.isnan(signal)
    mean = [signal[known[:, c], c].mean() for c in (0, 1)]
    variance = ((signal - mean)[known] ** 2).mean()
    shares = [0.0]
    for lag in range(1, 60):
        pairs = [
            (t, c) for t in range(60 - lag) for c in (0, 1) if known[t, c] and known[t + lag, c]
        ]
        squares = [(signal[t + lag, c] - signal[t, c]) ** 2 for t, c in pairs]
        shares.append(np.mean(squares) / 2 / variance)
    expected = next(
        lag - 1 + (1 - np.exp(-1) - shares[lag - 1]) / (shares[lag] - shares[lag - 1])
        for lag in range(1, 60)
        if shares[lag] >= 1 - np.exp(-1)
    )
    assert memory_seconds([signal], fps=10) == pytest.approx(expected / 10)
    assert np.isfinite(memory_seconds([np.full((5, 1), np.nan)], fps=10))
