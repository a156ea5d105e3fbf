import warnings

import numpy as np
import pytest

from histvq.statistics.smoothing import SPREAD_OF_A_BOX, velocities, weighted_mean


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


def test_weighted_mean_of_nothing_raises_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(weighted_mean(np.full((9, 2), np.nan), 1.0)).all()
        assert np.isnan(velocities(np.full((9, 2), np.nan), fps=10)).all()


def test_a_gaussian_is_as_wide_as_the_box_it_stands_for():
    box = np.linspace(-1, 1, 100_001)  # two seconds long
    assert box.std() == pytest.approx(2 * SPREAD_OF_A_BOX, rel=1e-3)


def test_a_single_frame_has_no_speed():
    assert not velocities(np.ones((1, 2, 3)), fps=30).any()


def test_velocities_are_central_differences_and_one_sided_at_the_ends():
    places = np.array([0.0, 1, 4, 9, 16])[:, None]  # squares: their slope is known
    np.testing.assert_allclose(velocities(places, fps=10)[:, 0], [10, 20, 40, 60, 70])


def test_a_gap_takes_the_velocities_beside_it_along():
    places = np.arange(7.0)
    places[3] = np.nan
    expected = [1, 1, np.nan, 1, np.nan, 1, 1]
    np.testing.assert_array_equal(velocities(places, fps=1), expected)
