"""Lengths of a fixed sequence of actions: HVQ's decoding."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

ROUNDING = 1e-12


def fifa_lengths(
    scores: Float[Tensor, "frame action"],
    shares: Float[Tensor, " action"],
    expected: Float[Tensor, " action"],
    *,
    steps: int = 100,
    rate: float = 0.6,
    sharpness: float = 0.1,
    length_weight: float = 0.001,
) -> Float[Tensor, " action"]:
    """Share of a recording that each action gets, the actions following one another in their order.

    Plain gradient descent on the logarithms of the lengths: frames should go with the action that lies
    over them, lengths be near those expected, and add up to 1. With the published sharpness the masks are
    so soft that the scores hardly count (a constant in their place changes a length by about 1e-3). What
    moves the lengths is the swing of the last term, which evens them out: shares of 0.6, 0.2, 0.2 become
    0.36, 0.32, 0.32 where the scores say nothing.

    Source: Spurio et al. 2025 decode with FIFA (Souri et al. 2021); settings of their published code.
    Departures: the scores' columns stand in the order of the actions, as the lengths do; lengths that add
    up to 1 but for rounding are not pushed, or the last digit would decide the first step.
    Gradient: none.

    Args:
        scores: Of frames and actions; columns in the order of the actions.
        shares: Of the frames that have each action before decoding; an action without any keeps none.
        expected: Length expected of each action, as a share of this recording.
        steps: Of the descent.
        rate: Length of a step.
        sharpness: kappa, how sharply an action ends.
        length_weight: Weight of the expected lengths.
    """
    energy = -(torch.softmax(scores.detach().double(), dim=1) + 1e-16).log()
    time = torch.linspace(0, 1, len(scores), dtype=energy.dtype, device=energy.device)[:, None]
    log_lengths = shares.detach().double().clamp(min=1e-16).log().requires_grad_()
    with torch.enable_grad():
        for _ in range(steps):
            lengths = log_lengths.exp()
            ends = lengths.cumsum(0)
            over = torch.sigmoid(sharpness * (ends - time)) * torch.sigmoid(
                sharpness * (time - ends + lengths)
            )
            excess = lengths.sum() - 1
            loss = (
                (energy * over).mean()
                + length_weight * (lengths - expected).abs().sum()
                + torch.where(excess.abs() > ROUNDING, excess.abs(), 0 * excess)
            )
            (slope,) = torch.autograd.grad(loss, log_lengths)
            log_lengths = (log_lengths - rate * slope).detach().requires_grad_()
    lengths = log_lengths.detach().exp()
    return lengths / lengths.sum()


def in_order(shares: Float[np.ndarray, " action"], n_frames: int) -> Int[np.ndarray, " frame"]:
    """Labels in which the actions follow one another, each as long as its share.

    Whole frames by the largest remainder, so that the lengths add up (rounding each, as published, can
    leave the last one less than nothing).
    """
    exact = shares / shares.sum() * n_frames
    lengths = np.floor(exact + 1e-9).astype(int)
    left = n_frames - lengths.sum()
    lengths[np.argsort(lengths - exact, kind="stable")[:left]] += 1
    return np.repeat(np.arange(len(shares)), lengths)
