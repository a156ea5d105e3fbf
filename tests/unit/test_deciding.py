"""Answers along a recording, against every way there is to answer it."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from histvq.deciding import Decision, decided, fit_decision
from histvq.nn.confidence import certainty

PARENTS = np.array([0, 1, 0, 2])
SEEDS = st.integers(0, 10_000)


def drawn(n_patches=40, *, seed=0, n_codes=4):
    return np.random.default_rng(seed).uniform(0.1, 3, size=(n_patches, n_codes))


def decision(price=0.0, *, n_actions=3, usual=1.0):
    return Decision(price, usual, np.tile(np.linspace(0, 1, 11), (n_actions, 1)))


def everywhere(distances):
    return np.ones(len(distances), dtype=bool)


def cost_of(path, distances, price):
    """Squared distances to the nearest code of each action named, and the price of each change."""
    nearest = [
        min(d for d, parent in zip(row, PARENTS, strict=True) if parent == action) ** 2
        for action, row in zip(path, distances, strict=True)
    ]
    return sum(nearest) + price * sum(a != b for a, b in pairwise(path))


@given(SEEDS)
def test_without_a_price_it_is_the_nearest_code(seed):
    distances = drawn(seed=seed)
    codes = decision()(distances, everywhere(distances), PARENTS)
    np.testing.assert_array_equal(codes.subactions, distances.argmin(axis=1))
    np.testing.assert_array_equal(codes.actions, PARENTS[distances.argmin(axis=1)])


@given(SEEDS, st.integers(1, 6), st.floats(0.01, 5))
def test_at_a_price_no_path_costs_less(seed, n_patches, price):
    distances = drawn(n_patches, seed=seed)
    found = decided(distances, PARENTS, price=price)
    least = min(cost_of(p, distances, price) for p in product(range(3), repeat=n_patches))
    assert cost_of(found.tolist(), distances, price) == pytest.approx(least)


@given(SEEDS, st.floats(0, 5))
def test_the_subaction_is_the_nearest_of_those_of_the_action(seed, price):
    distances = drawn(seed=seed)
    codes = decision(price)(distances, everywhere(distances), PARENTS)
    for row, action, subaction in zip(distances, codes.actions, codes.subactions, strict=True):
        assert PARENTS[subaction] == action
        assert row[subaction] == row[action == PARENTS].min()


def test_at_too_high_a_price_nothing_changes():
    distances = drawn()
    codes = decision(1e9)(distances, everywhere(distances), PARENTS)
    totals = [(distances[:, action == PARENTS].min(axis=1) ** 2).sum() for action in range(3)]
    assert set(codes.actions.tolist()) == {int(np.argmin(totals))}


def test_an_action_without_codes_is_never_the_answer():
    parents = np.array([0, 3, 0, 3])
    for price in (0.0, 0.5):
        assert set(decided(drawn(), parents, price=price).tolist()) == {0, 3}


# What was not measured


@pytest.mark.parametrize("price", [0.0, 0.7])
def test_order_goes_on_over_patches_that_were_not_measured(price):
    distances, occupied = drawn(), np.ones(40, dtype=bool)
    occupied[[0, 7, 8, 9, 20, 39]] = False
    spoilt = np.where(occupied[:, None], distances, -1e6)
    codes = decision(price)(spoilt, occupied, PARENTS)
    alone = decision(price)(distances[occupied], np.ones(34, dtype=bool), PARENTS)
    for name, unknown in (("actions", -1), ("subactions", -1), ("confidence", 0)):
        found = getattr(codes, name)
        assert (found[~occupied] == unknown).all()
        np.testing.assert_array_equal(found[occupied], getattr(alone, name))
        assert found.dtype == getattr(alone, name).dtype


def test_a_patch_across_a_gap_pays_for_the_change():
    distances = np.array([[0.0, 1.0], [9.0, 9.0], [1.0, 0.0]])
    occupied, parents = np.array([True, False, True]), np.array([0, 1])
    answers = {
        price: decision(price, n_actions=2)(distances, occupied, parents).actions.tolist()
        for price in (0.9, 1.1)
    }
    assert answers == {0.9: [0, -1, 1], 1.1: [0, -1, 0]}


@pytest.mark.parametrize("n_patches", [0, 1, 5])
def test_nothing_measured_at_all(n_patches):
    codes = decision(1.0)(drawn(n_patches), np.zeros(n_patches, dtype=bool), PARENTS)
    assert codes.actions.tolist() == codes.subactions.tolist() == [-1] * n_patches
    assert codes.confidence.tolist() == [0] * n_patches


# How sure


@given(SEEDS, st.floats(0, 3))
def test_confidence_is_a_share(seed, stay):
    learned_from = [drawn(n, seed=seed + n) for n in (30, 1, 12)]
    made = fit_decision(learned_from, PARENTS, stay=stay, n_actions=3)
    new = drawn(seed=seed + 99)
    codes = made(new, everywhere(new), PARENTS)
    assert ((codes.confidence >= 0) & (codes.confidence <= 1)).all()


def test_confidence_is_the_share_of_the_actions_patches_that_are_less_certain():
    learned_from = [drawn(300, seed=1), drawn(200, seed=2)]
    made = fit_decision(learned_from, PARENTS, stay=0.5, n_actions=3)
    actions = np.concatenate([decided(d, PARENTS, price=made.price) for d in learned_from])
    sure = certainty(np.concatenate(learned_from), PARENTS, usual=made.usual, actions=actions)
    new = drawn(50, seed=3)
    codes = made(new, everywhere(new), PARENTS)
    own = certainty(new, PARENTS, usual=made.usual, actions=codes.actions)
    for action, value, found in zip(codes.actions, own, codes.confidence, strict=True):
        exact = percentileofscore(sure[actions == action], value, kind="mean") / 100
        assert found == pytest.approx(exact, abs=0.011)  # steps are a hundredth wide


# What is learned


def test_the_price_is_in_patches_at_their_usual_distance():
    parts = [drawn(30, seed=1), drawn(20, seed=2)]
    nearest = np.concatenate(parts).min(axis=1)
    made = fit_decision(parts, PARENTS, stay=2.0, n_actions=3)
    assert made.usual == pytest.approx(np.sqrt((nearest**2).mean()))
    assert made.price == pytest.approx(2 * (nearest**2).mean())
    assert made.steps.shape == (3, 101)
    larger = fit_decision([10 * part for part in parts], PARENTS, stay=2.0, n_actions=3)
    assert larger.price == pytest.approx(100 * made.price)
    np.testing.assert_allclose(larger.steps, made.steps)


@pytest.mark.filterwarnings("error")
def test_patches_that_all_lie_on_their_codes():
    distances = np.array([[0.0, 1e9], [1e9, 0.0], [0.0, 1e9]])
    made = fit_decision([distances], np.array([0, 1]), stay=1.0, n_actions=2)
    codes = made(distances, everywhere(distances), np.array([0, 1]))
    assert codes.actions.tolist() == [0, 1, 0]
    assert codes.confidence.tolist() == [0.5] * 3


def test_saved_and_restored_it_decides_the_same():
    made = fit_decision([drawn(60, seed=1)], PARENTS, stay=0.8, n_actions=4)
    again = Decision.restored({name: value.copy() for name, value in made.arrays.items()})
    assert (again.price, again.usual) == (made.price, made.usual)
    np.testing.assert_array_equal(again.steps, made.steps)
    new = drawn(seed=2)
    one, other = (d(new, everywhere(new), PARENTS) for d in (made, again))
    for name in ("actions", "subactions", "confidence"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
