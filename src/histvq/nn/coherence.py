"""TOT's temporal coherence loss."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

GROUP = 4


def coherence_loss(
    embeddings: Float[Tensor, "sequence frame embedding"], *, temperature: float
) -> Float[Tensor, ""]:
    """Each frame should be more like the one after it than like frames of other times.

    Source: Kumar et al. 2022 (n-pairs loss) and their published code: the rows of a batch are cut into
    groups of four; from each comes a pair of neighbours, the first of which must be told to belong to
    the second among the second ones of all groups. Both are divided by the temperature, and neither is
    brought to unit length.
    Gradient: reaches the embeddings.

    Args:
        embeddings: Frames of each recording in order of time; their number is a multiple of four. Which
            row of a group comes first is drawn from torch's global generator.
        temperature: tau.
    """
    groups = embeddings.reshape(-1, GROUP, embeddings.shape[-1]) / temperature
    every = torch.arange(len(groups), device=groups.device)
    first = torch.randint(GROUP - 1, (len(groups),), device=groups.device)
    logits = groups[every, first] @ groups[every, first + 1].T
    return F.cross_entropy(logits, every)
