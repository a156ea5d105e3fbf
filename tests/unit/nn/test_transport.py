import math

import numpy as np
import ot
import pytest
import torch
from jaxtyping import TypeCheckError

from histvq.nn.transport import (
    assignment_cost,
    balanced_labels,
    neighbour_sum,
    segmentation_plan,
    temporal_prior,
)

pytestmark = pytest.mark.usefixtures("one_thread")

TRAINING = {"alpha": 0.3, "epsilon": 0.07, "lambda_actions": 0.1, "radius": 0.04}
EVALUATION = {"alpha": 0.6, "epsilon": 0.04, "lambda_actions": 0.01, "radius": 0.04}


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def on_the_sphere(*shape, seed=0):
    return torch.nn.functional.normalize(drawn(*shape, seed=seed), dim=-1)


def costs(*shape, seed=0):
    """As of unit vectors: from 0 to 2."""
    return 1 - drawn(*shape, seed=seed).tanh()


def everywhere(cost):
    return torch.ones(cost.shape[:2], dtype=torch.bool)


def solve(cost, real=None, **settings):
    """The plan of a single sequence."""
    real = torch.ones(len(cost), dtype=torch.bool) if real is None else real
    return segmentation_plan(cost.unsqueeze(0), real.unsqueeze(0), **settings)[0]


# TOT: the prior


def test_prior_by_hand():
    # Frames at 0, 1/4, 1/2, 3/4, actions at 0, 1/2; squared gaps over 1/16 + 1/4 = 5/16, halved.
    found = temporal_prior(4, 2, sigma=1.0)
    expected = torch.tensor([[0, -0.4], [-0.1, -0.1], [-0.4, 0], [-0.9, -0.1]]).double()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(temporal_prior(4, 2, sigma=2.0), expected / 4)


def test_prior_at_the_published_sigma():
    # Worked out apart: d = 0.1 / sqrt(1 / 128**2 + 0.01) = 0.99696 for one action, four times that.
    factor = temporal_prior(128, 10, sigma=1.5)[0].exp()
    assert factor[1].item() == pytest.approx(math.exp(-(0.99696**2) / 4.5), rel=1e-4)
    assert factor[4].item() == pytest.approx(math.exp(-16 * 0.99696**2 / 4.5), rel=1e-4)


# TOT: the labels


def labels_by_scaling(scores, prior, *, epsilon, n_sinkhorn):
    """Action by action, frame by frame, on plain numbers."""
    plan = np.exp(scores / epsilon) * prior
    n_frames, n_actions = plan.shape
    for _ in range(n_sinkhorn):
        for action in range(n_actions):
            plan[:, action] *= (1 / n_actions) / plan[:, action].sum()
        for frame in range(n_frames):
            plan[frame] *= (1 / n_frames) / plan[frame].sum()
    return plan / plan.sum(axis=1, keepdims=True)


def two_clocks(n_frames=30, n_actions=5, *, sigma=1.5):
    return torch.cat([temporal_prior(n_frames, n_actions, sigma=sigma)] * 2)


@pytest.mark.parametrize("epsilon", [0.08, 0.5])
@pytest.mark.parametrize("n_sinkhorn", [1, 3])
def test_labels_are_the_scalings_written_out(epsilon, n_sinkhorn):
    scores, log_prior = 0.3 * drawn(60, 5), two_clocks()
    found = balanced_labels(scores, log_prior, epsilon=epsilon, n_sinkhorn=n_sinkhorn)
    expected = labels_by_scaling(
        scores.numpy(), log_prior.exp().numpy(), epsilon=epsilon, n_sinkhorn=n_sinkhorn
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_three_iterations_are_not_enough_but_many_are():
    scores, log_prior = 0.3 * drawn(60, 5), two_clocks()
    share = {
        n: balanced_labels(scores, log_prior, epsilon=0.08, n_sinkhorn=n).mean(dim=0)
        for n in (3, 2000)
    }
    assert (share[3] - 0.2).abs().max() > 0.01
    torch.testing.assert_close(share[2000], torch.full_like(share[2000], 0.2))


def test_with_many_iterations_labels_are_the_converged_plan():
    # POT's plain Sinkhorn-Knopp on the kernel, run until it stands still.
    scores, log_prior = 0.3 * drawn(60, 5), two_clocks()
    found = balanced_labels(scores, log_prior, epsilon=0.08, n_sinkhorn=3000)
    cost = -(scores + 0.08 * log_prior).numpy()
    frames, actions = np.full(60, 1 / 60), np.full(5, 1 / 5)
    converged = ot.sinkhorn(
        frames, actions, cost, 0.08, method="sinkhorn", numItermax=20_000, stopThr=1e-15
    )
    np.testing.assert_allclose(found, 60 * converged, atol=1e-9)


def test_a_thousand_more_for_every_score_changes_nothing():
    # exp(1000 / 0.08) is no float of any width.
    scores, log_prior = 0.3 * drawn(60, 5), two_clocks()
    before = balanced_labels(scores, log_prior, epsilon=0.08, n_sinkhorn=3)
    after = balanced_labels(scores + 1000, log_prior, epsilon=0.08, n_sinkhorn=3)
    torch.testing.assert_close(after, before, atol=1e-9, rtol=1e-9)


def test_large_scores_in_single_precision_lose_nothing():
    # At 1000 / 0.08 neighbouring floats are 0.001 apart, and labels would be as far off.
    scores = (1000 + 0.3 * drawn(60, 5)).float()
    single, double = (
        balanced_labels(x, two_clocks(), epsilon=0.08, n_sinkhorn=3)
        for x in (scores, scores.double())
    )
    torch.testing.assert_close(single.double(), double, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1.0, 1000.0])
def test_labels_of_a_frame_sum_to_one(dtype, size):
    scores = (size * drawn(60, 5)).to(dtype)
    found = balanced_labels(scores, two_clocks(), epsilon=0.08, n_sinkhorn=3)
    assert found.dtype == dtype
    assert (found >= 0).all()
    torch.testing.assert_close(found.sum(dim=1), torch.ones(60, dtype=dtype))


def test_without_scores_the_prior_puts_actions_in_order():
    log_prior = temporal_prior(40, 4, sigma=1.5)
    found = balanced_labels(torch.zeros(40, 4), log_prior, epsilon=0.08, n_sinkhorn=50).argmax(1)
    assert (found.diff() >= 0).all()
    assert found.unique().tolist() == [0, 1, 2, 3]


# ASOT: the cost


def cost_by_loop(embeddings, prototypes, *, rho, n_frames):
    cost = np.zeros((len(embeddings), len(prototypes)))
    for i, embedding in enumerate(embeddings):
        for k, prototype in enumerate(prototypes):
            order = abs(i / n_frames - k / len(prototypes))
            cost[i, k] = 1 - np.dot(embedding, prototype) + rho * order
    return cost


def test_cost_agrees_with_the_loop():
    embeddings, prototypes = on_the_sphere(2, 7, 4), on_the_sphere(3, 4, seed=1)
    found = assignment_cost(embeddings, prototypes, rho=0.15)
    for one, rows in zip(found, embeddings, strict=True):
        expected = cost_by_loop(rows.numpy(), prototypes.numpy(), rho=0.15, n_frames=7)
        np.testing.assert_allclose(one, expected, atol=1e-12)


def test_a_clock_may_end_with_the_real_frames():
    embeddings, prototypes = on_the_sphere(2, 7, 4), on_the_sphere(3, 4, seed=1)
    clocks = torch.tensor([7, 5])
    found = assignment_cost(embeddings, prototypes, rho=0.15, n_frames=clocks)
    alone = assignment_cost(embeddings[1:, :5], prototypes, rho=0.15)
    torch.testing.assert_close(found[1:, :5], alone)
    padded = assignment_cost(embeddings, prototypes, rho=0.15)
    assert not torch.allclose(padded[1:, :5], alone)


# ASOT: neighbours


def band(position, reach):
    """1 where two positions are 1 to `reach` apart."""
    apart = np.abs(np.subtract.outer(position, position))
    return ((apart >= 1) & (apart <= reach)).astype(float)


@pytest.mark.parametrize("n_frames", [1, 2, 9, 40])
def test_neighbour_sum_is_a_product_with_the_band(n_frames):
    values, reach = drawn(4, n_frames, 3), torch.tensor([1, 2, 7, 100])
    found = neighbour_sum(values, reach)
    for one, its_values, its_reach in zip(found, values, reach.tolist(), strict=True):
        expected = band(np.arange(n_frames), its_reach) @ its_values.numpy()
        np.testing.assert_allclose(one, expected, atol=1e-12)


# ASOT: the plan, against matrices


def objective(plan, cost, position, *, alpha, epsilon, lambda_actions, radius):
    """What the plan minimises, with dense matrices and logarithms of plain numbers.

    -H(T) as sum T (log T - 1) and KL(s || q) as sum s log(s / q): sums of T and s are fixed, so the
    constants do not matter to the plan, only to the largest gradient.
    """
    n_frames, n_actions = plan.shape
    between_frames = band(position, max(1, math.floor(n_frames * radius))) / radius
    between_actions = 1 - np.eye(n_actions)
    share = plan.sum(axis=0)
    return (
        alpha / 2 * np.sum((between_frames @ plan @ between_actions) * plan)
        + (1 - alpha) * np.sum(cost * plan)
        + lambda_actions * np.sum(share * np.log(share * n_actions))
        + epsilon * np.sum(plan * (np.log(plan) - 1))
    )


def gradient_by_matrices(plan, cost, position, *, alpha, epsilon, lambda_actions, radius):
    n_frames, n_actions = plan.shape
    between_frames = band(position, max(1, math.floor(n_frames * radius))) / radius
    between_actions = 1 - np.eye(n_actions)
    return (
        alpha * between_frames @ plan @ between_actions
        + (1 - alpha) * cost
        + epsilon * np.log(plan + 1e-12)
        + lambda_actions * (np.log(plan.sum(axis=0) * n_actions + 1e-12) + 1)
    )


def plan_by_matrices(cost, position=None, *, n_iter=25, step_size=None, **settings):
    """Mirror descent as printed, on plain numbers, for the real frames at their positions."""
    n_frames, n_actions = cost.shape
    position = np.arange(n_frames) if position is None else position
    plan = np.full(cost.shape, 1 / (n_frames * n_actions))
    for _ in range(n_iter):
        gradient = gradient_by_matrices(plan, cost, position, **settings)
        if step_size is None:
            slowest = 4 * (settings["epsilon"] + settings["lambda_actions"])
            step_size = 4 / max(gradient.max(), slowest, 1e-3)
        plan = plan * np.exp(-step_size * gradient)
        plan = plan / plan.sum(axis=1, keepdims=True) / n_frames
    return n_frames * plan


@pytest.mark.parametrize("settings", [TRAINING, EVALUATION, TRAINING | {"alpha": 0.0}])
def test_the_gradient_is_that_of_the_objective(settings):
    # Central differences in every entry of an arbitrary positive plan: of the reference, which the
    # plan is held against below.
    plan, cost, position = drawn(9, 4).exp().numpy() / 50, costs(9, 4).numpy(), np.arange(9)
    settings = settings | {"radius": 0.25}
    found = gradient_by_matrices(plan, cost, position, **settings)
    for place in np.ndindex(*plan.shape):
        nudge = np.zeros_like(plan)
        nudge[place] = 1e-6
        up, down = (objective(plan + s * nudge, cost, position, **settings) for s in (1, -1))
        assert (up - down) / 2e-6 == pytest.approx(found[place], abs=1e-6)


@pytest.mark.parametrize("settings", [TRAINING, EVALUATION, EVALUATION | {"radius": 0.3}])
@pytest.mark.parametrize(
    ("n_frames", "n_actions"), [(1, 4), (2, 3), (5, 1), (12, 5), (90, 6), (256, 10)]
)
def test_plan_agrees_with_dense_matrices(settings, n_frames, n_actions):
    cost = costs(n_frames, n_actions, seed=n_frames)
    expected = plan_by_matrices(cost.numpy(), **settings)
    np.testing.assert_allclose(solve(cost, **settings), expected, atol=1e-6)


def test_step_and_iterations_can_be_chosen():
    cost = costs(60, 4)
    chosen = EVALUATION | {"step_size": 1.5, "n_iter": 7}
    found = solve(cost, **chosen)
    np.testing.assert_allclose(found, plan_by_matrices(cost.numpy(), **chosen), atol=1e-6)
    assert (found - solve(cost, **EVALUATION)).abs().max() > 1e-3


def test_missing_frames_in_the_middle_keep_their_place_in_time():
    cost, real = costs(80, 5), drawn(80, seed=1) > -0.5
    settings = EVALUATION | {"radius": 0.1}
    position = np.flatnonzero(real)
    expected = plan_by_matrices(cost[real].numpy(), position, **settings)
    found = solve(cost, real, **settings)
    np.testing.assert_allclose(found[real], expected, atol=1e-6)
    assert (found[~real] == 0).all()
    # The test would not notice if the gaps were closed up and that changed nothing.
    assert np.abs(plan_by_matrices(cost[real].numpy(), **settings) - expected).max() > 1e-3


# ASOT: the plan, against POT


@pytest.mark.filterwarnings("ignore:If reg_type = entropy")
@pytest.mark.parametrize("size", [1.0, 0.1, 0.0])
@pytest.mark.parametrize("step_size", [None, 1 / 0.17])
def test_without_the_temporal_term_it_is_semi_relaxed_transport(size, step_size):
    # With small costs the entropy makes the whole gradient negative; see the bound of the step.
    cost = size * costs(60, 5)
    settings = TRAINING | {"alpha": 0.0, "n_iter": 200, "step_size": step_size}
    relaxed = ot.unbalanced.sinkhorn_unbalanced(
        np.full(60, 1 / 60),
        np.full(5, 1 / 5),
        cost.numpy(),
        0.07,
        (float("inf"), 0.1),
        reg_type="entropy",
        numItermax=5000,
        stopThr=1e-14,
    )
    np.testing.assert_allclose(solve(cost, **settings), 60 * relaxed, atol=1e-9)


@pytest.mark.parametrize("n_inner", [1, 20])
@pytest.mark.parametrize("alpha", [0.1, 0.3])
def test_fixed_marginals_are_entropic_fused_gromov_wasserstein(alpha, n_inner):
    # The product of the structures is their square loss with one of them negated, up to what the
    # marginals fix: 4 a' / (1 - a') there is alpha / (1 - alpha) here.
    cost, epsilon, radius = costs(40, 4), 0.15, 0.11
    share = 1 / (1 + 4 * (1 - alpha) / alpha)
    expected = ot.gromov.entropic_fused_gromov_wasserstein(
        cost.numpy(),
        band(np.arange(40), 4) / radius,
        np.eye(4) - 1,
        loss_fun="square_loss",
        epsilon=epsilon * (1 - share) / (1 - alpha),
        alpha=share,
        max_iter=500,
        tol=1e-13,
        numItermax=2000,
        stopThr=1e-14,
    )
    found = solve(
        cost,
        alpha=alpha,
        epsilon=epsilon,
        lambda_actions=0.0,
        radius=radius,
        marginals="fixed",
        n_iter=500,
        n_inner=n_inner,
    )
    np.testing.assert_allclose(found, 40 * expected, atol=1e-9, rtol=0)
    assert (found.argmax(dim=1).numpy() == expected.argmax(axis=1)).all()
    torch.testing.assert_close(found.sum(dim=0), torch.full((4,), 10.0).double())


def test_inner_scalings_bring_the_shares_of_actions_together():
    # One iteration is plain transport at a cost that stands still; POT solves it to the end.
    cost, settings = costs(40, 4), TRAINING | {"alpha": 0.0, "marginals": "fixed", "n_iter": 1}
    frames, actions = np.full(40, 1 / 40), np.full(4, 1 / 4)
    expected = 40 * ot.sinkhorn(
        frames, actions, cost.numpy(), 0.07, method="sinkhorn_log", numItermax=5000, stopThr=1e-14
    )
    np.testing.assert_allclose(solve(cost, **settings, n_inner=1000), expected, atol=1e-9)
    assert (solve(cost, **settings).sum(dim=0) - 10).abs().max() > 0.1


# ASOT: the plan, whatever the batch


@pytest.mark.parametrize("marginals", ["relaxed", "fixed"])
@pytest.mark.parametrize("garbage", [0.0, 1e6, float("nan"), float("-inf")])
def test_padding_and_the_rest_of_the_batch_change_nothing(marginals, garbage):
    lengths, settings = (40, 26, 1, 0), EVALUATION | {"marginals": marginals}
    cost = torch.full((4, 50, 5), garbage).double()
    real = torch.arange(50) < torch.tensor(lengths).unsqueeze(1)
    cost[real] = costs(sum(lengths), 5)
    found = segmentation_plan(cost, real, **settings)
    for one, its_cost, length in zip(found, cost, lengths, strict=True):
        if length:
            alone = solve(its_cost[:length], **settings)
            torch.testing.assert_close(one[:length], alone, atol=1e-10, rtol=1e-10)
        assert (one[length:] == 0).all()


@pytest.mark.parametrize("marginals", ["relaxed", "fixed"])
def test_without_the_temporal_term_missing_frames_might_as_well_be_cut_out(marginals):
    cost, real = costs(80, 5), drawn(80, seed=1) > -0.5
    settings = TRAINING | {"alpha": 0.0, "marginals": marginals}
    torch.testing.assert_close(solve(cost, real, **settings)[real], solve(cost[real], **settings))


@pytest.mark.parametrize("marginals", ["relaxed", "fixed"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(2, 1, 1), (2, 1, 4), (2, 3, 5), (2, 256, 10)])
def test_rows_sum_to_one_where_frames_are_real(marginals, dtype, shape):
    cost = costs(*shape).to(dtype)
    real = everywhere(cost)
    real[1, shape[1] // 2] = False
    found = segmentation_plan(cost, real, **TRAINING, marginals=marginals)
    assert found.dtype == dtype
    assert (found >= 0).all()
    torch.testing.assert_close(found.sum(dim=2), real.to(dtype))


@pytest.mark.parametrize("settings", [TRAINING, EVALUATION, TRAINING | {"marginals": "fixed"}])
def test_single_precision_is_enough_for_training(settings):
    cost = costs(2, 256, 10)
    double = segmentation_plan(cost, everywhere(cost), **settings)
    single = segmentation_plan(cost.float(), everywhere(cost), **settings)
    torch.testing.assert_close(single.double(), double, atol=2e-3, rtol=0)


def test_actions_may_be_numbered_anew():
    cost, order = costs(60, 5), [3, 0, 4, 2, 1]
    expected = solve(cost, **EVALUATION)[:, order]
    torch.testing.assert_close(solve(cost[:, order], **EVALUATION), expected)


def noisy(n_frames, n_actions=5, *, n_segments=12, seed=0):
    """Costs 0.3 lower for the true action, under noise of the same size."""
    luck = torch.Generator().manual_seed(seed)
    moves = torch.randint(1, n_actions, (n_segments,), generator=luck)
    actions = moves.cumsum(0) % n_actions
    true = actions[torch.arange(n_frames) * n_segments // n_frames]
    cost = 1 + 0.3 * drawn(n_frames, n_actions, seed=seed)
    return cost.scatter_add(1, true.unsqueeze(1), torch.full((n_frames, 1), -0.3).double()), true


def n_segments_of(plan):
    return len(plan.argmax(dim=1).unique_consecutive())


@pytest.mark.parametrize("seed", range(3))
def test_the_temporal_term_makes_segments(seed):
    cost, true = noisy(600, seed=seed)
    without, with_it = (solve(cost, **EVALUATION | {"alpha": a}) for a in (0.0, 0.6))
    assert n_segments_of(with_it) < n_segments_of(without) / 10
    right = [(plan.argmax(dim=1) == true).double().mean() for plan in (without, with_it)]
    assert right[1] > right[0] + 0.2


def test_a_long_sequence():
    cost, true = noisy(20_000, n_segments=100)
    found = solve(cost, **EVALUATION | {"radius": 0.002})
    torch.testing.assert_close(found.sum(dim=1), torch.ones(20_000).double())
    assert (found.argmax(dim=1) == true).double().mean() > 0.9


def test_plans_pass_no_gradient_on():
    embeddings, prototypes = on_the_sphere(2, 7, 4), on_the_sphere(3, 4, seed=1)
    cost = assignment_cost(embeddings.requires_grad_(), prototypes, rho=0.15)
    assert not cost.requires_grad
    assert not segmentation_plan(cost.requires_grad_(), everywhere(cost), **TRAINING).requires_grad
    scores = drawn(60, 5).requires_grad_()
    assert not balanced_labels(scores, two_clocks(), epsilon=0.1, n_sinkhorn=3).requires_grad


def test_unknown_marginals_are_named():
    with pytest.raises(ValueError, match="marginals 'hard' is unknown; choose from relaxed, fixed"):
        solve(costs(5, 2), **TRAINING, marginals="hard")


def test_swapped_frames_and_actions_are_caught():
    cost = costs(2, 5, 3)
    with pytest.raises(TypeCheckError):
        segmentation_plan(cost.transpose(1, 2), everywhere(cost), **TRAINING)
