"""Agreement between clusterings, worked by hand and pair by pair; clusters that everybody must see."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from histvq.nn import consensus as module
from histvq.nn.consensus import apart, consensus

FEW = {"n_fine": 8, "n_runs": 5}


def blobs(n_blobs=4, *, size=30, seed=0):
    rng = np.random.default_rng(seed)
    places = 20 * np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0]])[:n_blobs]
    truth = np.repeat(np.arange(n_blobs), size)
    return places[truth] + rng.normal(size=(len(truth), 2)), truth


def test_how_often_grains_are_told_apart_by_hand():
    grains = np.array([0, 0, 1, 1, 2])
    runs = [np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])]
    # The first run has half of grain 1 with grain 0 and half with grain 2; the second all with grain 2.
    expected = [[0, 0.75, 1], [0.75, 0, 0.25], [1, 0.25, 0]]
    np.testing.assert_allclose(apart(grains, runs), expected)


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_it_is_the_share_of_pairs_of_points_that_are_told_apart(seed, n_runs):
    rng = np.random.default_rng(seed)
    grains = np.concatenate([np.arange(3), rng.integers(0, 3, size=9)])
    runs = [rng.integers(0, 4, size=12) for _ in range(n_runs)]
    found = apart(grains, runs)
    for one, other in product(range(3), repeat=2):
        pairs = list(product(np.flatnonzero(grains == one), np.flatnonzero(grains == other)))
        told = np.mean([[run[a] != run[b] for a, b in pairs] for run in runs])
        assert found[one, other] == pytest.approx(0 if one == other else told)


@pytest.mark.parametrize("seed", range(10))
def test_clear_blobs_are_found_whatever_the_seed(seed):
    points, truth = blobs()
    assert adjusted_rand_score(truth, consensus(points, 4, **FEW, seed=seed)) == 1


def test_many_runs_agree_more_than_single_ones():
    """Four blobs that run into one another: single runs part them now this way, now that."""
    rng = np.random.default_rng(0)
    places = 3 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    points = places[np.arange(200) % 4] + 1.2 * rng.normal(size=(200, 2))

    def agreement(n_runs):
        found = [consensus(points, 4, n_fine=16, n_runs=n_runs, seed=seed) for seed in range(5)]
        return np.mean([adjusted_rand_score(*pair) for pair in combinations(found, 2)])

    assert agreement(20) > agreement(1) + 0.15


@pytest.mark.parametrize("n_clusters", [3, 5, 200])
def test_with_too_few_different_points_each_is_a_cluster(n_clusters):
    points, which = np.array([[0.0, 1.0], [2.0, 1.0], [5.0, 5.0]]), np.arange(30) % 3
    found = consensus(points[which], n_clusters, **FEW, seed=0)
    assert adjusted_rand_score(which, found) == 1
    assert found.max() < 3


def test_points_seen_often_weigh_no_more_than_others():
    """Of three different points the two nearest go together, however many centres lie on each."""
    points = np.array([[0.0], [1.0], [2.05]])[np.arange(30) % 3]
    found = consensus(points, 2, n_fine=4, n_runs=3, seed=0)
    assert found[0] == found[1] != found[2]


def test_one_point():
    assert consensus(np.zeros((1, 2)), 4, **FEW, seed=0).tolist() == [0]


def test_one_cluster():
    assert set(consensus(blobs()[0], 1, **FEW, seed=0).tolist()) == {0}


@pytest.mark.parametrize("n_clusters", [4, 7])
def test_there_are_as_many_clusters_as_asked_for(n_clusters, monkeypatch):
    monkeypatch.setattr(module, "N_GRAINS", 5)
    points = np.random.default_rng(0).normal(size=(200, 3))
    found = consensus(points, n_clusters, n_fine=20, n_runs=5, seed=0)
    assert set(found.tolist()) == set(range(n_clusters))


def test_same_seed_same_clusters():
    points = np.random.default_rng(0).normal(size=(300, 3))
    first, again, other = (consensus(points, 6, **FEW, seed=seed) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_the_order_of_points_does_not_matter_where_clusters_are_clear():
    points, truth = blobs(5)
    order = np.random.default_rng(1).permutation(len(points))
    found = consensus(points[order], 5, **FEW, seed=0)
    assert adjusted_rand_score(truth[order], found) == 1


def test_points_are_left_alone():
    points, _ = blobs()
    before = points.copy()
    consensus(points, 4, **FEW, seed=0)
    assert (points == before).all()
