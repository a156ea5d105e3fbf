import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, percentileofscore

from histvq.nn.confidence import certainty, rank_within_action, steps_of, usual_distance

# In steps, so that no unit rounds two different distances to the same.
DISTANCES = arrays(float, (6, 4), elements=st.integers(0, 3200).map(lambda n: n / 64))


def test_two_codes_of_two_actions_by_hand():
    # exp(-1/2) and exp(-4/2) at s = 1: the nearer has 1 / (1 + exp(-3/2)).
    found = certainty(np.array([[1.0, 2.0]]), np.array([0, 1]), usual=1.0)
    assert found == pytest.approx([1 / (1 + np.exp(-1.5))])


def test_it_is_bayes_rule_for_gaussians_of_one_width():
    centres, points = np.array([-1.0, 0.5, 3.0]), np.linspace(-2, 4, 13)
    parents = np.array([0, 1, 0])
    density = norm.pdf(points[:, None], loc=centres, scale=0.8)
    of_action = np.stack([density[:, parents == action].sum(axis=1) for action in (0, 1)], axis=1)
    nearest = parents[np.abs(points[:, None] - centres).argmin(axis=1)]
    expected = (of_action / of_action.sum(axis=1, keepdims=True))[np.arange(13), nearest]
    distances = np.abs(points[:, None] - centres)
    np.testing.assert_allclose(certainty(distances, parents, usual=0.8), expected)


def test_codes_of_one_action_do_not_contend():
    found = certainty(np.array([[1.0, 1.0, 9.0]]), np.array([0, 0, 1]), usual=1.0)
    assert found > 0.999


def test_far_from_everything_it_is_still_a_number():
    found = certainty(np.array([[1e6, 1e6 + 1]]), np.array([0, 1]), usual=1e-3)
    assert found == pytest.approx([1.0])


@given(DISTANCES, st.floats(0.1, 10), st.floats(0.5, 20))
def test_the_unit_of_distances_does_not_matter(distances, usual, factor):
    parents = np.array([0, 1, 0, 2])
    here = certainty(distances, parents, usual=usual)
    there = certainty(distances * factor, parents, usual=usual * factor)
    np.testing.assert_allclose(here, there, rtol=1e-6)
    assert ((here >= 0.25) & (here <= 1)).all()


def test_the_usual_distance_is_the_spread_of_points_around_their_centre():
    points = np.random.default_rng(0).normal(scale=3.0, size=(50, 1))
    assert usual_distance(np.abs(points)) == pytest.approx(np.sqrt((points**2).mean()))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("apart", [2.0, 2e10])
def test_points_on_their_codes_are_certain(apart):
    distances = np.array([[0.0, apart], [apart, 0.0]])
    usual = usual_distance(distances)
    assert certainty(distances, np.array([0, 1]), usual=usual).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("seed", range(5))
def test_the_rank_is_scipys_percentile_as_far_as_steps_are_fine(seed):
    rng = np.random.default_rng(seed)
    values, actions = rng.beta(4, 1, size=400), rng.integers(0, 3, size=400)
    found = rank_within_action(values, actions, steps_of(values, actions, n_actions=3))
    for value, action, rank in zip(values, actions, found, strict=True):
        exact = percentileofscore(values[actions == action], value, kind="mean") / 100
        assert rank == pytest.approx(exact, abs=0.011)


def test_ranks_are_spread_evenly_within_every_action():
    rng = np.random.default_rng(0)
    actions = np.repeat([0, 1], 1000)
    values = np.concatenate([rng.uniform(0.9, 1.0, 1000), rng.uniform(0.3, 0.5, 1000)])
    found = rank_within_action(values, actions, steps_of(values, actions, n_actions=2))
    for action in (0, 1):
        counts = np.histogram(found[actions == action], bins=10, range=(0, 1))[0]
        assert counts.min() > 80
        assert counts.max() < 120


@given(arrays(float, 30, elements=st.floats(0.1, 1)), arrays(int, 30, elements=st.integers(0, 2)))
def test_within_an_action_ranks_keep_the_order_of_certainties(values, actions):
    found = rank_within_action(values, actions, steps_of(values, actions, n_actions=3))
    assert ((found >= 0) & (found <= 1)).all()
    for action in set(actions.tolist()):
        here = actions == action
        order = np.argsort(values[here], kind="stable")
        assert (np.diff(found[here][order]) >= 0).all()


def test_patches_that_are_all_as_certain_are_in_the_middle():
    values, actions = np.full(20, 0.7), np.zeros(20, dtype=int)
    steps = steps_of(values, actions, n_actions=1)
    assert rank_within_action(values, actions, steps).tolist() == [0.5] * 20


def test_an_action_nobody_had_while_learning():
    steps = steps_of(np.array([0.5, 0.9]), np.array([0, 0]), n_actions=2)
    assert rank_within_action(np.array([0.99]), np.array([1]), steps).tolist() == [0.0]
