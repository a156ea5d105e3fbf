import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from histvq.choosing.criteria import (
    agreement,
    beyond,
    knee,
    merge_heights,
    two_lines,
    variance_left,
    within_one_error,
    without_structure,
)


def numbers(*values):
    return np.array(values, dtype=float)


def test_agreement_is_of_pairs_whatever_the_codes_are_called():
    one = np.array([0, 0, 1, 1, 2, 2])
    assert agreement(one, np.array([5, 5, 0, 0, 7, 7])) == 1.0
    # By hand: 3 pairs together in one, 6 in the other, 2 in both, of 15; 3 * 6 / 15 expected.
    other = np.array([0, 0, 1, 1, 1, 0])
    assert agreement(one, other) == pytest.approx((2 - 1.2) / ((3 + 6) / 2 - 1.2))


def test_data_without_structure_spread_along_every_axis_as_before():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3)) + 100
    shuffled = without_structure(points, rng)
    middle = points.mean(axis=0)
    axes = np.linalg.eigh(np.cov(points.T))[1]
    before, after = (points - middle) @ axes, (shuffled - middle) @ axes
    np.testing.assert_allclose(np.sort(after, axis=0), np.sort(before, axis=0), atol=1e-8)
    assert np.abs(after - before).max() > 1


def test_beyond_what_is_expected_by_hand():
    share, error = beyond(numbers(0.8, 0.6), numbers(0.4, 0.6))
    assert share == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    # Errors of both means are 0.1; the share's slopes are 1 / 0.5 and 0.3 / 0.5**2.
    assert error == pytest.approx(np.hypot(0.1 * 2, 0.1 * 1.2))
    assert beyond(numbers(0.9, 0.8), numbers(1, 1)) == (0.0, 0.0)


def test_within_an_error_of_the_best():
    found = within_one_error(numbers(0.1, 0.5, 0.6, 0.58), numbers(1, 0, 0.1, 0))
    assert found.tolist() == [1, 2, 3]
    assert within_one_error(numbers(0.1, 0.5), numbers(1, 0)).tolist() == [1]


def test_variance_left_is_what_kmeans_calls_inertia():
    points = np.random.default_rng(0).normal(size=(80, 4)) + 50
    kmeans = KMeans(5, n_init=3, tol=0, random_state=0).fit(points)
    total = np.square(points - points.mean(axis=0)).sum()
    assert variance_left(points, kmeans.labels_) == pytest.approx(kmeans.inertia_ / total)
    assert variance_left(np.ones((4, 2)), np.zeros(4, dtype=int)) == 0


def test_merge_heights_by_hand():
    points = numbers(0, 0, 1, 1, 10, 10)[:, None]
    labels = np.array([4, 4, 0, 0, 7, 7])  # centres 0, 1 and 10
    expected = [np.sqrt(2 * 2 * 1 / (2 + 1)) * 9.5, 1.0, 0.0]
    np.testing.assert_allclose(merge_heights(points, labels, (2, 3, 4)), expected)
    assert merge_heights(points, np.zeros(6, dtype=int), (2, 3)).tolist() == [0, 0]


def test_a_knee_by_hand():
    assert knee(numbers(2, 3, 4, 5, 6), numbers(10, 4, 3, 2, 1)) == 1
    assert knee(numbers(2, 3, 4, 5, 6), numbers(10, 8, 3, 2, 1)) == 2
    assert knee(numbers(2, 3, 4), numbers(3, 2, 1)) is None
    assert knee(numbers(2, 3, 4), numbers(1, 1, 1)) is None
    assert knee(numbers(2, 3), numbers(2, 1)) is None


@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_a_knee_stays_where_it_is_in_another_unit(factor, offset):
    ks, falling = numbers(2, 3, 4, 5, 6), numbers(10, 7, 3, 2, 1)
    assert knee(ks, factor * falling + offset) == knee(ks, falling) == 2


def test_two_lines_by_hand():
    # 10, 7, 4 on one line, the rest on another.
    assert two_lines(np.arange(2.0, 9), numbers(10, 7, 4, 2, 1.9, 1.8, 1.7)) == 2
    assert two_lines(np.arange(2.0, 8), numbers(9, 5, 1.5, 1.4, 1.3, 1.2)) == 1
    assert two_lines(np.arange(2.0, 8), numbers(6, 5, 4, 3, 2, 1)) is None
    assert two_lines(np.arange(2.0, 5), numbers(6, 5, 1)) is None
