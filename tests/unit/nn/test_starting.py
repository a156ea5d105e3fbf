"""Where codebooks start, against means and k-means taken one action at a time."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from histvq.nn.clustering import distances_to, kmeans, nearest
from histvq.nn.consensus import consensus
from histvq.nn.starting import clustered_actions, start_of
from histvq.nn.sticky import sticky_kmeans, sticky_paths

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(90, 4))
ACTIONS = np.arange(90) % 3
LEVELS = pytest.mark.parametrize("n_levels", [1, 2, 3])


def started(points=POINTS, actions=ACTIONS, *, n_actions=3, alpha=2, n_levels=2):
    return start_of(
        points, actions, n_actions=n_actions, alpha=alpha, n_levels=n_levels, seed=5
    )  # fmt: skip


@LEVELS
@pytest.mark.parametrize("alpha", [1, 2, 3])
def test_every_code_has_alpha_codes_below(alpha, n_levels):
    start = started(alpha=alpha, n_levels=n_levels)
    sizes = [3 * alpha**power for power in reversed(range(n_levels))]
    assert [p.shape for p in start.prototypes] == [(size, 4) for size in sizes]
    assert len(start.parents) == n_levels - 1
    for parents, above in zip(start.parents, sizes[1:], strict=True):
        assert np.bincount(parents).tolist() == [alpha] * above


@LEVELS
def test_actions_lie_in_the_middle_of_their_patches(n_levels):
    top = started(n_levels=n_levels).prototypes[-1]
    for action in range(3):
        np.testing.assert_allclose(top[action], POINTS[action == ACTIONS].mean(axis=0))


def test_subactions_are_k_means_of_the_patches_of_their_action():
    start = started(alpha=4)
    for action in range(3):
        expected = kmeans(POINTS[action == ACTIONS], 4, seed=5)
        np.testing.assert_array_equal(start.prototypes[0][start.parents[0] == action], expected)


def test_a_third_level_parts_the_patches_of_each_code():
    start = started(n_levels=3)
    finest, middle, _ = start.prototypes
    for action in range(3):
        members = POINTS[action == ACTIONS]
        subactions = np.flatnonzero(start.parents[1] == action)
        codes = nearest(members, middle[subactions])
        for place, subaction in enumerate(subactions):
            expected = kmeans(members[codes == place], 2, seed=5)
            np.testing.assert_array_equal(finest[start.parents[0] == subaction], expected)


@LEVELS
def test_with_one_code_each_every_level_is_the_same(n_levels):
    start = started(alpha=1, n_levels=n_levels)
    for prototypes in start.prototypes:
        np.testing.assert_allclose(prototypes, start.prototypes[-1])


@LEVELS
def test_an_action_that_no_patch_has_starts_in_the_middle_of_everything(n_levels):
    start = started(n_actions=4, n_levels=n_levels)
    for level, prototypes in enumerate(start.prototypes):
        top = np.arange(len(prototypes))
        for parents in start.parents[level:]:
            top = parents[top]
        expected = np.tile(POINTS.mean(axis=0), ((top == 3).sum(), 1))
        np.testing.assert_allclose(prototypes[top == 3], expected)


def test_a_code_that_no_patch_has_lies_on_the_code_above():
    """One action has one patch, so that its second subaction has none."""
    points, actions = np.concatenate([POINTS, [[50.0] * 4]]), np.append(ACTIONS, 3)
    start = started(points, actions, n_actions=4, n_levels=3)
    for prototypes in start.prototypes:
        share = len(prototypes) // 4
        np.testing.assert_allclose(prototypes[-share:], 50.0)


def test_same_seed_same_start():
    pair = started(n_levels=3).prototypes, started(n_levels=3).prototypes
    for one, other in zip(*pair, strict=True):
        assert (one == other).all()


# Actions


def states(n_recordings=4):
    """Recordings of three states that last, in few dimensions."""
    rng = np.random.default_rng(3)
    truth = [np.repeat(rng.permutation(3), 15) for _ in range(n_recordings)]
    places = 8 * np.eye(3)
    return [places[labels] + rng.normal(size=(len(labels), 3)) for labels in truth], truth


@pytest.mark.parametrize("penalty", [0.0, 1.5])
def test_an_action_for_each_patch_of_all_recordings_in_order(penalty):
    sequences, truth = states()
    found = clustered_actions(sequences, 3, n_fine=9, n_starts=4, penalty=penalty, seed=0)
    assert adjusted_rand_score(np.concatenate(truth), found) == 1


def test_without_a_penalty_they_are_the_consensus():
    sequences, _ = states()
    found = clustered_actions(sequences, 4, n_fine=9, n_starts=4, penalty=0.0, seed=2)
    expected = consensus(np.concatenate(sequences), 4, n_fine=9, n_runs=4, seed=2)
    np.testing.assert_array_equal(found, expected)


def test_with_a_penalty_each_recording_has_its_own_best_path():
    sequences, _ = states()
    found = clustered_actions(sequences, 4, n_fine=9, n_starts=3, penalty=2.0, seed=2)
    centres, price = sticky_kmeans(sequences, 4, penalty=2.0, seed=2, n_init=3)
    alone = [sticky_paths([distances_to(s, centres) ** 2], price)[0] for s in sequences]
    np.testing.assert_array_equal(found, np.concatenate(alone))
