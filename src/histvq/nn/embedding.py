"""Embeddings of single frames, each by itself."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

SMALL = 0.01


class SigmoidEmbedding(nn.Module):
    """Two layers with a sigmoid between them: the network of CTE, which TOT shares.

    Source: Kukleva et al. 2019; weights start from N(0, 0.01^2), biases from 0.

    Args:
        n_features: Length of a frame vector.
        n_hidden: Width of the first layer.
        n_embedding: d, width of the second.
    """

    def __init__(self, n_features: int, n_hidden: int, n_embedding: int) -> None:
        super().__init__()
        self.enter = small(nn.Linear(n_features, n_hidden))
        self.leave = small(nn.Linear(n_hidden, n_embedding))

    def forward(self, frames: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch embedding"]:
        """The second layer's output, before any sigmoid."""
        hidden: Tensor = self.leave(torch.sigmoid(self.enter(frames)))
        return hidden


class TimeRegression(nn.Module):
    """CTE: an embedding from which the relative time of a frame can be read off.

    Source: Kukleva et al. 2019.
    """

    def __init__(self, n_features: int, n_embedding: int) -> None:
        super().__init__()
        self.embedding = SigmoidEmbedding(n_features, 2 * n_embedding, n_embedding)
        self.time = small(nn.Linear(n_embedding, 1))

    def forward(self, frames: Float[Tensor, "frame feature"]) -> Float[Tensor, " frame"]:
        """Relative time of each frame."""
        return self.time(torch.sigmoid(self.embedding(frames))).squeeze(-1)


class PrototypeScores(nn.Module):
    """TOT: an embedding in (0, 1), and its dot product with a prototype of each action.

    Source: Kumar et al. 2022; neither is brought to unit length.
    """

    def __init__(self, n_features: int, n_embedding: int, n_actions: int) -> None:
        super().__init__()
        self.embedding = SigmoidEmbedding(n_features, 2 * n_embedding, n_embedding)
        self.prototypes = small(nn.Linear(n_embedding, n_actions, bias=False))

    def embed(self, frames: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch embedding"]:
        """Embeddings of frames."""
        return torch.sigmoid(self.embedding(frames))

    def forward(self, frames: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch action"]:
        """Scores of frames."""
        scores: Tensor = self.prototypes(self.embed(frames))
        return scores

    @torch.no_grad()
    def reorder(self, order: Sequence[int]) -> None:
        """Number the actions anew: the one at place i is the former `order[i]`."""
        self.prototypes.weight.copy_(self.prototypes.weight[list(order)].clone())


class UnitEmbedding(nn.Module):
    """ASOT: layers with ReLU between them, brought to unit length, and unit prototypes.

    Source: Xu and Gould 2024.

    Args:
        widths: Length of a frame vector, the hidden widths, length of an embedding.
        n_actions: Number of prototypes.
    """

    def __init__(self, widths: Sequence[int], n_actions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        prototypes = nn.functional.normalize(torch.randn(n_actions, widths[-1]), dim=1)
        self.prototypes = nn.Parameter(prototypes)

    def forward(self, frames: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch embedding"]:
        """Embeddings of frames."""
        return nn.functional.normalize(self.layers(frames), dim=-1)

    @torch.no_grad()
    def set_prototypes(self, prototypes: Float[Tensor, "action embedding"]) -> None:
        """Put the prototypes where these point."""
        self.prototypes.copy_(nn.functional.normalize(prototypes, dim=1))


def small(layer: nn.Linear) -> nn.Linear:
    """The layer with weights from N(0, 0.01^2) and biases 0."""
    nn.init.normal_(layer.weight, std=SMALL)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
