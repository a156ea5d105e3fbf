"""Where patches and windows lie, against loops in fractions, which do not round."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.windowing import Windows, middle_of, moments

RATES = ["7", "12.5", "25", "29.97", "30", "50", "59.94", "60", "120"]
SECONDS = ["0.05", "0.1", "0.14", "0.25", "0.33", "0.5", "1", "2.5"]


def windows_of(n_frames, fps, patch_seconds, window_seconds):
    return Windows.of(
        n_frames,
        fps=float(fps),
        patch_seconds=float(patch_seconds),
        window_seconds=float(window_seconds),
    )


@given(
    st.integers(1, 70),
    st.sampled_from(RATES),
    st.sampled_from(SECONDS),
    st.sampled_from(["0.1", "0.4", "1", "2", "100"]),
)
def test_windows_agree_with_fractions(n_frames, fps, patch_seconds, window_seconds):
    found = windows_of(n_frames, fps, patch_seconds, window_seconds)
    patch = max(Fraction(patch_seconds) * Fraction(fps), Fraction(1))
    window = max(Fraction(window_seconds) * Fraction(fps), Fraction(1))
    assert found.patches.tolist() == [frame // patch for frame in range(n_frames)]
    n_patches = (n_frames - 1) // patch + 1
    assert found.n_patches == n_patches
    middles = [(p + Fraction(1, 2)) * patch for p in range(n_patches)]
    np.testing.assert_allclose(found.middles, [float(m) for m in middles])
    half = Fraction(1, 2)
    for middle, start, stop in zip(middles, found.starts, found.stops, strict=True):
        # Frames whose own middle lies in the window; one on its edge belongs to the earlier window.
        inside = [
            frame
            for frame in range(n_frames)
            if middle - window / 2 < frame + half <= middle + window / 2
        ]
        expected = inside or [n_frames - 1]
        assert list(range(start, stop)) == expected


def test_patches_and_windows_by_hand():
    windows = windows_of(7, "1", "2", "4")
    assert windows.patches.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert windows.middles.tolist() == [1, 3, 5, 7]
    assert windows.starts.tolist() == [0, 1, 3, 5]
    assert windows.stops.tolist() == [3, 5, 7, 7]


@pytest.mark.parametrize("length", [1, 3, 7, 50])
@pytest.mark.parametrize("missing", [0.0, 0.5, 0.97])
def test_moments_are_those_of_each_window_however_frames_come(length, missing):
    rng = np.random.default_rng(length)
    frames = rng.normal(size=(50, 2, 3)) + 100
    frames[rng.random(frames.shape) < missing] = np.nan
    starts, stops = np.array([0, 0, 5, 6, 20, 49]), np.array([1, 9, 20, 30, 30, 50])

    def blocks():
        return (frames[at : at + length] for at in range(0, 50, length))

    seen = []
    for rows, mean, variance in moments(blocks, starts, stops):
        for place, row in enumerate(range(rows.start, rows.stop)):
            seen.append(row)
            window = frames[starts[row] : stops[row]]
            for index in np.ndindex(2, 3):
                known = window[(slice(None), *index)]
                known = known[~np.isnan(known)]
                expected = (known.mean(), known.var()) if len(known) else (np.nan, np.nan)
                found = mean[(place, *index)], variance[(place, *index)]
                np.testing.assert_allclose(found, expected, atol=1e-9)
    assert seen == list(range(6))


def test_middle_is_the_mean_of_all_blocks():
    frames = np.arange(24.0).reshape(4, 2, 3)
    frames[:, 0, 0], frames[2, 1, 1] = np.nan, np.nan
    found = middle_of([frames[:1], frames[1:]])
    assert np.isnan(found[0, 0])
    assert found[1, 1] == pytest.approx(np.mean([4, 10, 22]))
    assert found[0, 2] == pytest.approx(11)
