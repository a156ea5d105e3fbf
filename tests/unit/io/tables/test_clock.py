from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histvq.errors import FileFormatError
from histvq.io.parts.asked import NotSaidError
from histvq.io.tables.clock import Clock, is_date, rate_of, seconds_of_dates, to_even_grid


def clock(times, unit="s", *, steps=None):
    times = np.asarray(times, float)
    steps = np.ones(len(times) - 1, int) if steps is None else np.asarray(steps)
    lines = np.arange(len(times)) + 2
    return Clock(times=times, unit=unit, column="t", steps=steps, lines=lines, path=Path("a.csv"))


def rate(times, unit="s", *, fps=None, uneven="error", steps=None):
    return rate_of(clock(times, unit, steps=steps), fps=fps, uneven=uneven)


@pytest.mark.parametrize("fps", [24, 30, 50, 60, 100, 120, 240])
@pytest.mark.parametrize("start", [0, 1_700_000_000_123])
def test_whole_milliseconds_give_the_rate_they_were_rounded_from(fps, start):
    times = start + np.rint(np.arange(500) * 1000 / fps)
    assert rate(times, "ms").fps == fps


@given(fps=st.floats(5, 400), n=st.integers(50, 300), start=st.sampled_from([0.0, 1.7e9]))
@settings(deadline=None)
def test_a_rate_need_not_be_whole(fps, n, start):
    found = rate(start + np.arange(n) / fps).fps
    assert found == pytest.approx(fps, rel=1e-4)


@pytest.mark.parametrize("fps", [30, 60, 100, 120])
@pytest.mark.parametrize("unit", [1.0, 1e-3])
def test_a_dropped_frame_is_seen_in_spite_of_rounding(fps, unit):
    times = np.rint(np.delete(np.arange(500), 250) / fps / unit * 1000) / 1000
    with pytest.raises(
        FileFormatError, match=r"uneven steps: median .* before line 252; .*resample"
    ):
        rate(times, "s" if unit == 1 else "ms")


def test_left_out_frame_numbers_explain_a_long_step():
    assert rate([0, 0.1, 0.4, 0.5], steps=[1, 3, 1]).fps == 10
    assert rate([0, 0.3, 0.6, 0.7], None, steps=[3, 3, 1]).fps == 10


@pytest.mark.parametrize("jitter", [0.009, 0.011])
def test_one_percent_is_the_limit(jitter):
    steps = np.full(1000, 0.0123456789)
    steps[500] *= 1 + jitter
    times = np.cumsum(steps) * np.pi  # no digits at which these are whole
    if jitter < 0.01:
        assert rate(times).fps == pytest.approx(1 / 0.0123456789 / np.pi, rel=1e-4)
    else:
        with pytest.raises(FileFormatError, match="uneven steps"):
            rate(times)


@pytest.mark.parametrize(
    ("times", "fps"),
    [
        (np.arange(9) * 0.01, 100),
        (np.arange(9) * 0.1 + 1.7e9, 10),
        (np.arange(9) * 10 + 1.7e12, 100),
        (np.arange(9) * 20_000 + 1.7e15, 50),
        (np.arange(9) * 5_000_000 + 1.7e18, 200),
        (np.arange(9) * 10, None),
        (np.arange(9) * 10_000, None),
        (np.arange(9) + 1.7e9, None),
        (np.arange(9) * 16_667 + 1.7e9, None),
        (np.arange(9) * 0.01 / 60, None),
    ],
)
def test_what_times_without_a_unit_count_in(times, fps):
    if fps is None:
        with pytest.raises(NotSaidError, match="time_unit="):
            rate(times, None)
    else:
        assert rate(times, None).fps == fps


def test_a_given_rate_says_what_times_count_in_and_is_held_against_them():
    assert rate(np.arange(9) * 10, None, fps=100).fps == 100
    assert rate(np.arange(9) * 10_000, None, fps=99.5).fps == 99.5
    with pytest.raises(FileFormatError, match=r"100 frames a second \(times in ms\), but fps=90"):
        rate(np.arange(9) * 10, "ms", fps=90)


def test_times_must_go_up():
    with pytest.raises(FileFormatError, match=r"line 4: 0\.1 after 0\.2; times must go up"):
        rate([0, 0.2, 0.1])


def test_dates():
    texts = np.array(
        ["2024-05-01T12:00:59.75", "2024-05-01 12:01:00", "2024-05-01T14:01:00.25+02:00"], object
    )
    assert all(map(is_date, texts))
    assert not is_date("12.5")
    where = {"path": Path("a.csv"), "column": "t", "lines": np.array([2, 3, 4])}
    assert seconds_of_dates(texts, **where).tolist() == [0, 0.25, 0.5]
    texts[1] = "noon"
    with pytest.raises(FileFormatError, match="line 3, column 't': 'noon', expected a date"):
        seconds_of_dates(texts, **where)


@given(
    steps=st.lists(st.floats(0.001, 0.1), min_size=2, max_size=40),
    fps=st.sampled_from([7, 30, 100]),
    seed=st.integers(0, 9),
)
@settings(deadline=None)
def test_an_even_grid_is_numpys_interpolation(steps, fps, seed):
    times = np.concatenate([[0], np.cumsum(steps)])
    skeleton = np.random.default_rng(seed).normal(size=(len(times), 2, 3)).astype(np.float32)
    moved, nearest = to_even_grid(skeleton, times, fps)
    grid = np.arange(len(moved)) / fps
    assert grid[-1] <= times[-1] + 1e-6 / fps < grid[-1] + 1 / fps + 1e-6
    for joint, channel in np.ndindex(2, 3):
        expected = np.interp(grid, times, skeleton[:, joint, channel])
        np.testing.assert_allclose(moved[:, joint, channel], expected, atol=1e-5)
    for at, place in zip(grid, nearest, strict=True):
        assert abs(times[place] - at) == pytest.approx(np.abs(times - at).min(), abs=1e-9)


def test_missing_values_and_long_pauses_stay_missing():
    times = np.array([0, 0.1, 0.2, 0.3, 1.0])
    skeleton = np.array([0, 1, np.nan, 3, 10.0], np.float32)[:, None, None]
    moved, nearest = to_even_grid(skeleton, times, 20)
    finite = np.flatnonzero(np.isfinite(moved[:, 0, 0])).tolist()
    assert finite == [0, 1, 2, 6, 20]
    assert nearest[7:20].tolist() == [-1] * 13
    assert moved[[0, 1, 2, 6, 20], 0, 0].tolist() == [0, 0.5, 1, 3, 10]
