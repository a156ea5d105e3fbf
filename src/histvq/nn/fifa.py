"""Lengths of a fixed sequence of actions: HVQ's decoding."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor


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
    over them, lengths be near those expected, and add up to 1. With the published sharpness the scores
    hardly count (a constant in their place moves a border by 3e-4 of the recording): the answer is the
    order of the actions with the shares it began from, give or take the swing of the last term.

    Source: Spurio et al. 2025 decode with FIFA (Souri et al. 2021); settings of their published code.
    Departure: the scores' columns stand in the order of the actions, as the lengths do.
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
            loss = (
                (energy * over).mean()
                + length_weight * (lengths - expected).abs().sum()
                + (lengths.sum() - 1).abs()
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
