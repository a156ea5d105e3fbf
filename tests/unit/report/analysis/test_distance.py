import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples
from sklearn.metrics.pairwise import nan_euclidean_distances

from histvq.report.analysis import distance
from histvq.report.analysis.distance import (
    distances,
    mean_silhouettes,
    middles,
    nearest_others,
    own_and_other,
)


def some_points(seed, *, n=60, n_actions=4, missing=0.0):
    generator = np.random.default_rng(seed)
    actions = np.concatenate([np.arange(n_actions), generator.integers(n_actions, size=n)])
    actions = np.concatenate([actions, np.arange(n_actions)])  # two of each at least
    points = generator.normal(size=(len(actions), 5)) + actions[:, None]
    points[generator.random(points.shape) < missing] = np.nan
    return points, actions


@pytest.mark.parametrize("seed", range(5))
def test_silhouettes_are_those_of_scikit_learn(seed):
    points, actions = some_points(seed)
    expected = silhouette_samples(points, actions)
    found = mean_silhouettes(points, actions, codes=range(4))
    np.testing.assert_allclose(found, [expected[actions == code].mean() for code in range(4)])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_missing_is_left_out_of_distances_as_in_scikit_learn(seed):
    points, _ = some_points(seed, missing=0.3)
    points[:, 0] = np.where(np.isnan(points).all(axis=1), 0, points[:, 0])
    known = ~np.isnan(points)
    alike = (known.astype(int) @ known.T.astype(int)) > 0
    expected = nan_euclidean_distances(points) / np.sqrt(points.shape[1])
    assert (np.isnan(distances(points, points)) == ~alike).all()
    np.testing.assert_allclose(
        distances(points, points)[alike], expected[alike], atol=1e-5, rtol=1e-9
    )


@pytest.mark.parametrize("seed", range(3))
def test_silhouettes_with_missing_values_by_loops(seed):
    points, actions = some_points(seed, n=20, missing=0.4)
    expected = [
        np.nanmean(
            [silhouette_by_loops(k, points, actions) for k in np.flatnonzero(actions == code)]
        )
        for code in range(4)
    ]
    np.testing.assert_allclose(mean_silhouettes(points, actions, codes=range(4)), expected)


def silhouette_by_loops(k, points, actions):
    away = {code: [] for code in set(actions)}
    for other in range(len(points)):
        both = ~np.isnan(points[k]) & ~np.isnan(points[other])
        if other != k and both.any():
            squares = [(points[k, f] - points[other, f]) ** 2 for f in np.flatnonzero(both)]
            away[actions[other]].append((sum(squares) / len(squares)) ** 0.5)
    means = {code: sum(d) / len(d) for code, d in away.items() if d}
    if actions[k] not in means or len(means) == 1:
        return np.nan
    a = means.pop(actions[k])
    b = min(means.values())
    return (b - a) / max(a, b)


def test_four_points_on_a_line():
    points = np.array([[0.0], [2.0], [10.0], [14.0]])
    # Of 0: a = 2, b = 12; of 2: a = 2, b = 10; of 10: a = 4, b = 9; of 14: a = 4, b = 13.
    expected = [np.mean([10 / 12, 8 / 10]), np.mean([5 / 9, 9 / 13])]
    assert mean_silhouettes(points, np.array([3, 3, 7, 7]), codes=[3, 7]) == pytest.approx(expected)


def test_nothing_to_compare_is_none():
    points = np.array([[0.0], [1.0], [5.0], [np.nan]])
    assert mean_silhouettes(points, np.array([0, 0, 0, 0]), codes=[0]) == [None]  # no other action
    assert mean_silhouettes(points, np.array([0, 0, 1, 2]), codes=[0, 1, 2])[1:] == [None, None]
    assert mean_silhouettes(np.empty((2, 0)), np.array([0, 1]), codes=[0, 1]) == [None, None]
    assert mean_silhouettes(np.empty((0, 3)), np.empty(0, int), codes=[0]) == [None]


@pytest.mark.parametrize("seed", range(20))
def test_actions_at_one_place_are_not_told_apart(seed):
    # How sums round depends on how many there are: of 20 sizes several are not exact.
    generator = np.random.default_rng(seed)
    place = generator.normal(size=(1, generator.integers(1, 130))) * 1e3
    points = np.repeat(place, generator.integers(4, 60), axis=0)
    assert not distances(points, points).any()
    codes = np.arange(len(points)) % 2
    assert mean_silhouettes(points, codes, codes=[0, 1]) == [0.0, 0.0]


def test_a_draw_of_many_comes_near_to_all_of_them(monkeypatch):
    points, actions = some_points(0, n=3000)
    exact = mean_silhouettes(points, actions, codes=range(4))
    monkeypatch.setattr(distance, "MOST_COMPARED", 800)
    drawn = mean_silhouettes(points, actions, codes=range(4), seed=1)
    assert drawn != exact
    assert drawn == mean_silhouettes(points, actions, codes=range(4), seed=1)
    assert drawn != mean_silhouettes(points, actions, codes=range(4), seed=2)
    np.testing.assert_allclose(drawn, exact, atol=0.03)


def test_a_draw_keeps_rare_actions(monkeypatch):
    points, actions = some_points(0, n=3000)
    points = np.concatenate([points, [[90.0] * 5, [91.0] * 5]])
    actions = np.concatenate([actions, [9, 9]])
    monkeypatch.setattr(distance, "MOST_COMPARED", 100)
    assert mean_silhouettes(points, actions, codes=[0, 1, 2, 3, 9])[-1] > 0.9


def test_a_middle_is_the_mean_of_time():
    points = np.array([[0.0, 1.0], [6.0, np.nan], [5.0, 5.0]])
    centres = middles(points, np.array([4, 4, 2]), np.array([1.0, 2.0, 3.0]), codes=[2, 4, 5])
    np.testing.assert_allclose(centres, [[5, 5], [4, 1], [np.nan, np.nan]])


@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_nearest_middle_by_trying_all(seed, n):
    centres = np.random.default_rng(seed).normal(size=(n, 3))
    for k, found in enumerate(nearest_others(centres)):
        others = [j for j in range(n) if j != k]
        nearest = min(others, key=lambda j: np.linalg.norm(centres[j] - centres[k]), default=None)
        assert found == nearest


def test_no_middle_is_near_to_one_that_is_not_known():
    assert nearest_others(np.array([[0.0], [np.nan], [4.0]])) == [2, None, 0]


def test_distance_to_the_own_middle_and_to_the_nearest_other():
    centres = np.array([[0.0], [10.0], [40.0]])
    own, other = own_and_other(np.array([[1.0], [4.0], [np.nan]]), centres, np.array([0, 1, 2]))
    np.testing.assert_allclose(own, [1, 6, np.nan])
    np.testing.assert_allclose(other, [9, 4, np.nan])
    own, other = own_and_other(np.array([[1.0]]), centres[:1], np.array([0]))
    assert (own[0], np.isnan(other[0])) == (1, True)


def test_segments_can_be_very_many():
    generator = np.random.default_rng(0)
    points = generator.normal(size=(20_000, 30))
    actions = generator.integers(60, size=20_000)
    found = mean_silhouettes(points, actions, codes=range(60))
    assert all(
        -0.2 < value < 0 for value in found
    )  # no structure: always nearer to one of 59 others
