import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, log_softmax

from histvq.nn.fifa import fifa_lengths, in_order

pytestmark = pytest.mark.usefixtures("one_thread")


def problem(n_frames=200, n_actions=5, *, seed=0, total=0.97):
    """Scores that speak for one action a frame, its shares, and what is expected.

    The shares do not quite add up to 1: the first step's direction would hang on how 1 is rounded.
    """
    rng = np.random.default_rng(seed)
    actions = rng.permuted(np.arange(n_frames) % n_actions)
    actions[: n_frames // 3] = 0
    scores = rng.normal(0, 0.3, size=(n_frames, n_actions))
    scores[np.arange(n_frames), actions] += 1
    shares = np.bincount(actions, minlength=n_actions) / n_frames
    return scores, total * shares, shares * rng.uniform(0.6, 1.5, n_actions)


def solve(scores, shares, expected, **settings):
    tensors = (torch.from_numpy(np.asarray(x, float)) for x in (scores, shares, expected))
    return fifa_lengths(*tensors, **settings).numpy()


# The descent, worked out in numpy


def energies(scores):
    """(action, frame), as specified."""
    return -np.log(np.exp(log_softmax(scores, axis=1)) + 1e-16).T


def objective(theta, energy, expected, *, sharpness=0.1, length_weight=0.001):
    n_actions, n_frames = energy.shape
    lengths = np.exp(theta)
    total = 0.0
    for k in range(n_actions):
        end = lengths[: k + 1].sum()
        start = end - lengths[k]
        for t, time in enumerate(np.linspace(0, 1, n_frames)):
            over = expit(sharpness * (end - time)) * expit(sharpness * (time - start))
            total += energy[k, t] * over / (n_actions * n_frames)
    return (
        total + length_weight * np.abs(lengths - expected).sum() + np.abs(lengths.sum() - 1).item()
    )


def slope_by_hand(theta, energy, expected, *, sharpness=0.1, length_weight=0.001):
    """Derivative of the objective by each theta.

    With a = sig(kappa (e_k - t)) and b = sig(kappa (t - s_k)): da/de_k = kappa a (1 - a), and
    db/ds_k = -kappa b (1 - b). Length j moves every end from j on, and every start after j.
    """
    n_actions, n_frames = energy.shape
    lengths, time = np.exp(theta), np.linspace(0, 1, n_frames)
    ends = lengths.cumsum()[:, None]
    a, b = expit(sharpness * (ends - time)), expit(sharpness * (time - ends + lengths[:, None]))
    by_end = (energy * sharpness * a * (1 - a) * b).mean(axis=1) / n_actions
    by_start = -(energy * sharpness * a * b * (1 - b)).mean(axis=1) / n_actions
    slope = [by_end[j:].sum() + by_start[j + 1 :].sum() for j in range(n_actions)]
    return lengths * (
        slope + length_weight * np.sign(lengths - expected) + np.sign(lengths.sum() - 1)
    )


def lengths_in_numpy(scores, shares, expected, *, steps=100, rate=0.6, **settings):
    energy, theta = energies(scores), np.log(np.maximum(shares, 1e-16))
    for _ in range(steps):
        theta = theta - rate * slope_by_hand(theta, energy, expected, **settings)
    return np.exp(theta) / np.exp(theta).sum()


@pytest.mark.parametrize("settings", [{}, {"sharpness": 20.0, "length_weight": 0.3}])
def test_the_slope_by_hand_is_that_of_the_objective(settings):
    # Central differences: of the reference, which the lengths are held against below.
    scores, shares, expected = problem(30, 4)
    theta, energy = np.log(shares), energies(scores)
    found = slope_by_hand(theta, energy, expected, **settings)
    for k in range(4):
        nudge = 1e-6 * np.eye(4)[k]
        up, down = (objective(theta + s * nudge, energy, expected, **settings) for s in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(found[k], abs=1e-7)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"steps": 1},
        {"steps": 7, "rate": 0.1},
        # Sharp borders, where the scores decide; small steps, or differences in the last digit grow.
        {"sharpness": 30.0, "rate": 0.01, "length_weight": 0.05},
    ],
)
@pytest.mark.parametrize(("n_frames", "n_actions"), [(200, 5), (37, 2), (1, 3), (90, 10)])
def test_lengths_agree_with_numpy(n_frames, n_actions, settings):
    given = problem(n_frames, n_actions, seed=n_frames)
    np.testing.assert_allclose(
        solve(*given, **settings), lengths_in_numpy(*given, **settings), rtol=1e-6, atol=1e-9
    )


def test_one_step_by_finite_differences():
    scores, shares, expected = problem(60, 4, seed=3)
    theta, energy = np.log(shares), energies(scores)
    slope = []
    for k in range(4):
        nudge = 1e-6 * np.eye(4)[k]
        up, down = (objective(theta + s * nudge, energy, expected) for s in (1, -1))
        slope.append((up - down) / 2e-6)
    moved = np.exp(theta - 0.6 * np.array(slope))
    np.testing.assert_allclose(
        solve(scores, shares, expected, steps=1), moved / moved.sum(), atol=1e-7
    )


def test_without_steps_the_shares_stay():
    scores, shares, expected = problem()
    found = solve(scores, shares, expected, steps=0)
    np.testing.assert_allclose(found, shares / shares.sum(), rtol=1e-12)


def test_settings_are_the_published_ones():
    given = problem()
    published = {"steps": 100, "rate": 0.6, "sharpness": 0.1, "length_weight": 0.001}
    np.testing.assert_array_equal(solve(*given), solve(*given, **published))


# What it comes to


@pytest.mark.parametrize(("n_actions", "at_most"), [(3, 4e-3), (10, 1e-3)])
def test_the_scores_hardly_count(n_actions, at_most):
    # The median: now and then the last term swings the other way at one step, which is worth 0.03.
    changes, moves = [], []
    for seed in range(9):
        scores, shares, expected = problem(300, n_actions, seed=seed)
        found = solve(scores, shares, expected)
        constant = solve(np.zeros_like(scores), shares, expected)
        changes.append(np.abs(found - constant).max())
        moves.append(np.abs(found - shares).max())
    assert 0 < np.median(changes) < at_most
    assert np.median(changes) < np.median(moves) / 30


def test_with_sharp_borders_they_do():
    # Half a recording each, but the shares begin at 0.3 and 0.7.
    scores = np.where(np.arange(100)[:, None] < 50, [4.0, 0.0], [0.0, 4.0])
    found = solve(scores, [0.3, 0.69], [0.5, 0.5], sharpness=30.0, rate=0.02, steps=500)
    assert found[0] == pytest.approx(0.5, abs=0.05)
    swapped = solve(scores[:, ::-1].copy(), [0.3, 0.69], [0.5, 0.5], sharpness=30.0, rate=0.02)
    assert abs(swapped[0] - 0.5) > 0.1


@pytest.mark.parametrize("seed", range(5))
def test_constant_scores_keep_the_order_of_the_shares(seed):
    _, _, expected = problem(seed=seed)
    shares = np.array([0.05, 0.4, 0.1, 0.25, 0.17])
    found = solve(np.zeros((200, 5)), shares, expected)
    assert np.argsort(found).tolist() == np.argsort(shares).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_an_action_without_frames_stays_empty(seed):
    scores, shares, expected = problem(seed=seed)
    shares[[1, 4]] = 0
    found = solve(scores, shares, expected)
    assert (found[[1, 4]] < 1e-12).all()
    assert (found[[0, 2, 3]] > 0.01).all()
    labels = in_order(found, 200)
    assert set(labels) == {0, 2, 3}


@pytest.mark.parametrize("shape", [(200, 5), (1, 4), (3, 1)])
def test_lengths_add_up_to_1(shape):
    found = solve(*problem(*shape, total=1.0))
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_no_gradient_comes_out_and_none_is_needed():
    scores, shares, expected = (torch.from_numpy(x) for x in problem())
    with torch.no_grad():
        found = fifa_lengths(scores, shares, expected)
    assert not fifa_lengths(
        scores.requires_grad_(), shares.requires_grad_(), expected
    ).requires_grad
    np.testing.assert_array_equal(found, solve(*problem()))


# Lengths in whole frames


@pytest.mark.parametrize(
    ("shares", "n_frames", "lengths"),
    [
        ([0.5, 0.25, 0.25], 8, [4, 2, 2]),
        # 3.3, 3.3, 3.4: one is left, for the last.
        ([0.33, 0.33, 0.34], 10, [3, 3, 4]),
        # 1.6 each, two left for five equal remainders: the first ones. Rounded, the last would have 0.
        ([0.2] * 5, 8, [2, 2, 2, 1, 1]),
        # 0.7, 1.8, 2.5: two left.
        ([0.14, 0.36, 0.5], 5, [1, 2, 2]),
        ([0, 1, 0], 4, [0, 4, 0]),
        ([2, 6], 4, [1, 3]),  # need not add up to 1
        ([0.5, 0.5], 1, [1, 0]),
        ([0.1, 0.2, 0.7], 10, [1, 2, 7]),  # 0.7 * 10 is a little less than 7
    ],
)
def test_largest_remainder_by_hand(shares, n_frames, lengths):
    expected = np.repeat(np.arange(len(shares)), lengths)
    assert in_order(np.array(shares, float), n_frames).tolist() == expected.tolist()


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1)), min_size=1, max_size=12).filter(any),
    st.integers(1, 3000),
)
def test_each_action_once_in_order_within_a_frame_of_its_share(shares, n_frames):
    shares = np.array(shares)
    labels = in_order(shares, n_frames)
    assert len(labels) == n_frames
    assert (np.diff(labels) >= 0).all()
    lengths = np.bincount(labels, minlength=len(shares))
    assert (np.abs(lengths - shares / shares.sum() * n_frames) < 1 + 1e-6).all()
    assert (lengths[shares == 0] == 0).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=10).filter(any))
def test_counts_come_back_whole(counts):
    labels = in_order(np.array(counts, float) / sum(counts), sum(counts))
    assert np.bincount(labels, minlength=len(counts)).tolist() == counts
