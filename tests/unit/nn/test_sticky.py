"""Paths that stay, against every path there is; clusters that last, on points made to flicker."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histvq.nn.clustering import distances_to
from histvq.nn.sticky import sticky_kmeans, sticky_paths


def _price(path, cost, penalty):
    changes = (np.diff(path) != 0).sum()
    return cost[np.arange(len(path)), list(path)].sum() + penalty * changes


@given(st.integers(0, 10_000), st.floats(0, 3))
def test_no_path_is_cheaper(seed, penalty):
    rng = np.random.default_rng(seed)
    costs = [rng.uniform(size=(length, 3)) for length in (5, 1, 3)]
    for path, cost in zip(sticky_paths(costs, penalty), costs, strict=True):
        prices = [_price(p, cost, penalty) for p in product(range(3), repeat=len(cost))]
        assert len(path) == len(cost)
        assert _price(path, cost, penalty) == pytest.approx(min(prices))


def test_without_a_penalty_each_point_takes_its_nearest():
    cost = np.random.default_rng(0).uniform(size=(30, 300))
    assert (sticky_paths([cost], 0.0)[0] == cost.argmin(axis=1)).all()


def test_of_equally_good_paths_the_one_that_stays():
    assert sticky_paths([np.zeros((4, 2))], 0.0)[0].tolist() == [0, 0, 0, 0]


def _flickering():
    """Three states of 30 points each, so noisy that their nearest centre flickers."""
    rng = np.random.default_rng(3)
    truth = np.repeat([0, 1, 2, 1, 0], 30)
    places = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
    return places[truth] + rng.normal(scale=1.0, size=(150, 2)), truth


def test_lasting_clusters_are_found_among_flickering_points():
    points, truth = _flickering()
    sequences = np.split(points, [70, 71])
    centres, price = sticky_kmeans(sequences, 3, penalty=4.0, seed=0)
    codes = np.concatenate(sticky_paths([distances_to(s, centres) ** 2 for s in sequences], price))
    agree = sum(np.bincount(truth[codes == code]).max() for code in range(3))
    assert agree >= 147
    nearest = distances_to(points, centres).argmin(axis=1)
    assert (np.diff(nearest) != 0).sum() > 5 * (np.diff(codes) != 0).sum()


def test_same_seed_same_centres():
    points, _ = _flickering()
    first, second = (sticky_kmeans([points], 3, penalty=4.0, seed=7)[0] for _ in range(2))
    assert (first == second).all()


def test_penalty_counts_in_usual_distances_whatever_the_unit():
    points, _ = _flickering()
    centres, price = sticky_kmeans([points], 3, penalty=4.0, seed=0)
    larger, dearer = sticky_kmeans([points * 10], 3, penalty=4.0, seed=0)
    assert dearer == pytest.approx(100 * price)
    assert larger == pytest.approx(10 * centres)
