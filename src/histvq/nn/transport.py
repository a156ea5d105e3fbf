"""Optimal transport between frames and actions: the pseudo-labels of TOT and of ASOT.

Nothing here is learned and nothing gets a gradient: both methods train a network towards these plans
as if they were given.

Source: Kumar et al. 2022 (TOT), Xu and Gould 2024 (ASOT). Everything runs on logarithms, for the
scores of TOT are unbounded and the plans of ASOT underflow.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

MARGINALS = ("relaxed", "fixed")


# TOT


def temporal_prior(n_frames: int, n_actions: int, *, sigma: float) -> Float[Tensor, "frame action"]:
    """Log of how well each frame's place in its recording fits each action's place in the order.

    Source: TOT. The distance is to the diagonal of the frame-action rectangle. Its factor
    1 / (2 pi sigma), the same everywhere, is left out: the scalings cancel it.
    Units: natural log, 0 on the diagonal, below it elsewhere; float64.

    Args:
        n_frames: Frames of one recording; each recording of a batch has a clock of its own.
        n_actions: K.
        sigma: Width of the diagonal, in about one action's share of the recording.
    """
    distance = _order_gap(torch.tensor([n_frames]), n_frames, n_actions)[0]
    return -distance.square() / (1 / n_frames**2 + 1 / n_actions**2) / (2 * sigma**2)


@torch.no_grad()
def balanced_labels(
    scores: Float[Tensor, "frame action"],
    log_prior: Float[Tensor, "frame action"],
    *,
    epsilon: float,
    n_sinkhorn: int,
) -> Float[Tensor, "frame action"]:
    """Soft labels that follow the scores while every action gets the same share of the batch.

    Source: TOT. Each Sinkhorn iteration scales actions to 1/K, then frames to 1/B. The three it
    takes do not converge where scores spread, so the shares are equal only roughly.
    Units: `epsilon` is in the unit of the scores.
    Gradient: none.

    Args:
        scores: Frames against prototypes, of all recordings of the batch one below the other.
        log_prior: `temporal_prior` of each recording likewise; zeros for plain balanced transport.
        epsilon: Weight of the entropy; smaller is harder.
        n_sinkhorn: Iterations, at least one.

    Returns:
        Rows that sum to 1.
    """
    import ot  # takes a second

    reward = scores.double()
    n_frames, n_actions = reward.shape
    plan = ot.bregman.sinkhorn_log(
        reward.new_full((n_frames,), 1 / n_frames),
        reward.new_full((n_actions,), 1 / n_actions),
        -(reward + epsilon * log_prior.to(reward)),
        epsilon,
        numItermax=n_sinkhorn,
        stopThr=0,
        warn=False,
    )
    return (plan / plan.sum(dim=1, keepdim=True)).to(scores.dtype)


# ASOT


@torch.no_grad()
def assignment_cost(
    embeddings: Float[Tensor, "sequence frame embedding"],
    prototypes: Float[Tensor, "action embedding"],
    *,
    rho: float,
    n_frames: Int[Tensor, " sequence"] | None = None,
) -> Float[Tensor, "sequence frame action"]:
    """Cost of calling a frame an action: unlike its prototype, or far from its place in the order.

    Source: ASOT.
    Gradient: none.

    Args:
        embeddings: Of unit length.
        prototypes: Of unit length.
        rho: Weight of the order; 0 knows none.
        n_frames: Frame count at which each sequence's clock ends. None: all rows, padding included,
            as published; then padding moves the order under a sequence.
    """
    n_rows = embeddings.shape[1]
    if n_frames is None:
        n_frames = torch.full((len(embeddings),), n_rows)
    gap = _order_gap(n_frames.to(embeddings.device), n_rows, len(prototypes))
    return 1 - embeddings @ prototypes.T + rho * gap.to(embeddings.dtype)


@torch.no_grad()
def segmentation_plan(
    cost: Float[Tensor, "sequence frame action"],
    real: Bool[Tensor, "sequence frame"],
    *,
    alpha: float,
    epsilon: float,
    lambda_actions: float,
    radius: float,
    n_iter: int = 25,
    step_size: float | None = None,
    marginals: str = "relaxed",
    n_inner: int = 1,
) -> Float[Tensor, "sequence frame action"]:
    """Soft labels that are cheap and seldom change from one frame to the next.

    Every frame is worth the same. With marginals `relaxed`, the plan T lowers by mirror descent
    (alpha / 2) <V T A, T> + (1 - alpha) <C, T> + lambda KL(column sums || 1/K) - epsilon H(T), where
    V_ij = 1 / radius for different frames at most h = floor(radius n) apart and A_kl = 1 for different
    actions. With `fixed`, each action gets the same share, and T is the Sinkhorn plan of its own cost
    alpha V T A + (1 - alpha) C.

    Source: ASOT. Departures: one step size for each sequence instead of one for the batch, and bounded;
    h is at least one frame and taken from the real frames, so that padding and the rest of the batch
    change nothing; the scalings of `fixed` go on where the last iteration left them.
    Units: `epsilon`, `lambda_actions` and 1 / `step_size` are in the unit of the cost.
    Gradient: none.

    Args:
        cost: C; what masked frames hold is never looked at.
        real: False where a frame is padding or missing, which may be anywhere.
        alpha: Weight of the temporal term.
        epsilon: Weight of the entropy.
        lambda_actions: Weight of equal shares; unused with `fixed`.
        radius: Reach of the temporal term as a share of the real frames.
        n_iter: Iterations.
        step_size: Of the descent; None: 4 over the largest gradient at the first step, but at most
            1 / (epsilon + lambda). Unused with `fixed`.
        marginals: `relaxed` or `fixed`.
        n_inner: Scalings of actions and frames per iteration of `fixed`.

    Returns:
        The plan times the number of real frames: their rows sum to 1, all others are 0.

    Raises:
        ValueError: If `marginals` is unknown.
    """
    if marginals not in MARGINALS:
        raise ValueError(f"marginals {marginals!r} is unknown; choose from {', '.join(MARGINALS)}")
    counts = real.unsqueeze(-1)
    cost = cost.masked_fill(~counts, 0)
    n_real = counts.sum(dim=1, keepdim=True)
    reach = (n_real.double() * radius).floor().clamp(min=1).long().flatten()
    scale = alpha / (radius * n_real.to(cost.dtype))

    def pull(log_plan: Tensor) -> Tensor:
        elsewhere = counts * (1 - log_plan.exp())
        return scale * neighbour_sum(elsewhere, reach) + (1 - alpha) * cost

    if marginals == "fixed":
        log_plan = _fixed_marginals(pull, cost, counts, epsilon, n_iter, n_inner)
    else:
        log_plan = _relaxed_marginals(
            pull, cost, counts, epsilon, lambda_actions, n_iter, step_size
        )
    # Not by a product: in a sequence with nothing real, all is NaN by now.
    return log_plan.exp().masked_fill(~counts, 0)


def _relaxed_marginals(
    pull: Callable[[Tensor], Tensor],
    cost: Tensor,
    counts: Tensor,
    epsilon: float,
    lambda_actions: float,
    n_iter: int,
    step_size: float | None,
) -> Tensor:
    """Mirror descent, on the log of the plan times the number of real frames."""
    log_n, log_k = counts.sum(dim=1, keepdim=True).to(cost.dtype).log(), math.log(cost.shape[-1])
    log_plan = torch.full_like(cost, -log_k)
    step: Tensor | float | None = step_size
    for _ in range(n_iter):
        log_share = log_plan.masked_fill(~counts, -math.inf).logsumexp(dim=1, keepdim=True) - log_n
        gradient = (
            pull(log_plan) + epsilon * (log_plan - log_n) + lambda_actions * (log_share + log_k + 1)
        )
        if step is None:
            largest = gradient.masked_fill(~counts, -math.inf).amax(dim=(1, 2), keepdim=True)
            # Not: 4 / largest whatever it is.
            # But: the entropy term can bring it to zero and below, where costs are small or sequences
            # long. Steps above 2 / (epsilon + lambda) can diverge even with alpha = 0: at a largest cost
            # of 0.47 they ended in NaN. Up to half of it the objective without the temporal term falls.
            step = 4 / largest.clamp(min=max(4 * (epsilon + lambda_actions), 1e-3))
        log_plan = (log_plan - step * gradient).log_softmax(dim=-1)
    return log_plan


def _fixed_marginals(
    pull: Callable[[Tensor], Tensor],
    cost: Tensor,
    counts: Tensor,
    epsilon: float,
    n_iter: int,
    n_inner: int,
) -> Tensor:
    """Sinkhorn scalings of a kernel that follows the plan; frames last, so that rows sum to 1."""
    log_share = counts.sum(dim=1, keepdim=True).to(cost.dtype).log() - math.log(cost.shape[-1])
    log_plan = torch.full_like(cost, -math.log(cost.shape[-1]))
    frame_scale = torch.zeros_like(cost[..., :1])
    for _ in range(n_iter):
        kernel = -pull(log_plan) / epsilon
        for _ in range(n_inner):
            columns = (kernel + frame_scale).masked_fill(~counts, -math.inf)
            action_scale = log_share - columns.logsumexp(dim=1, keepdim=True)
            frame_scale = -(kernel + action_scale).logsumexp(dim=-1, keepdim=True)
        log_plan = kernel + frame_scale + action_scale
    return log_plan


def neighbour_sum(
    values: Float[Tensor, "sequence frame action"], reach: Int[Tensor, " sequence"]
) -> Float[Tensor, "sequence frame action"]:
    """Sum over the frames at most `reach` before or after each frame, without the frame itself.

    By differences of cumulative sums, so that the time does not grow with the reach.
    """
    n_frames = values.shape[1]
    frame, reach = torch.arange(n_frames, device=values.device), reach.unsqueeze(1)
    row = torch.arange(len(values), device=values.device).unsqueeze(1)
    sums = nn.functional.pad(values.cumsum(dim=1), (0, 0, 1, 0))
    start, stop = (frame - reach).clamp(min=0), (frame + reach + 1).clamp(max=n_frames)
    return sums[row, stop] - sums[row, start] - values


def _order_gap(n_frames: Tensor, n_rows: int, n_actions: int) -> Tensor:
    """|i/n - k/K| for sequences of n frames, float64, (sequence, frame, action)."""
    clock = torch.arange(n_rows, device=n_frames.device) / n_frames.double().unsqueeze(1)
    place = torch.arange(n_actions, device=n_frames.device) / n_actions
    return (clock.unsqueeze(-1) - place).abs()
