"""The loss of frame-wise classifiers: cross-entropy, and a smoothing of what neighbours say."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

UNLABELLED = -1


def label_loss(
    logits: Float[Tensor, "stage frame class"],
    targets: Int[Tensor, " frame"],
    *,
    class_weights: Float[Tensor, " class"] | None = None,
) -> Float[Tensor, ""]:
    """Cross-entropy with the labels, a mean over labelled frames, summed over stages.

    Source: MS-TCN, eq. 7 there, and MS-GCN.

    Args:
        logits: Of every stage.
        targets: Class of each frame, -1 where nobody said or nothing is.
        class_weights: Weight of a frame by its class (a weighted mean); None: all alike.

    Returns:
        The loss; 0 where no frame is labelled.
    """
    if not bool((targets != UNLABELLED).any()):
        return logits.sum() * 0
    losses = [
        F.cross_entropy(one, targets.long(), weight=class_weights, ignore_index=UNLABELLED)
        for one in logits
    ]
    return torch.stack(losses).sum()


def smoothing_loss(
    logits: Float[Tensor, "stage frame class"],
    real: Bool[Tensor, " frame"],
    *,
    threshold: float = 4.0,
) -> Float[Tensor, ""]:
    """Truncated mean squared difference of neighbouring log-probabilities, summed over stages.

    Source: MS-TCN, eqs. 8-10 there: differences above `threshold` count as that much, so that real
    changes of action cost no more than any. Departure: a mean over real neighbours; the published codes
    divide by padded frames too, which for one recording a batch is the same.
    Gradient: into the later frame alone.

    Args:
        logits: Of every stage.
        real: False where nothing is; neighbours are both real.
        threshold: tau.

    Returns:
        The loss; 0 where no two neighbours are real.
    """
    both = real[1:] & real[:-1]
    if not bool(both.any()):
        return logits.sum() * 0
    log_probable = F.log_softmax(logits, dim=2)
    change = (log_probable[:, 1:] - log_probable[:, :-1].detach()).square()
    return change.clamp(max=threshold**2)[:, both].mean(dim=(1, 2)).sum()
