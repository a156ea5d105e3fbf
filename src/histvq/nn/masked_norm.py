"""Batch normalisation that does not see gaps."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class MaskedBatchNorm(nn.Module):
    """Batch normalisation over the real places of a batch; 0 where not real.

    With nothing masked it is PyTorch's, whose names, momentum and epsilon it has. Mean and variance of
    a batch, and with them the running ones, do not depend on how much of it is padding; in the published
    networks they do.

    Args:
        n_maps: Channels, each with its own mean and variance.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, n_maps: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(n_maps))
        self.bias = nn.Parameter(torch.zeros(n_maps))
        self.register_buffer("running_mean", torch.zeros(n_maps))
        self.register_buffer("running_var", torch.ones(n_maps))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(
        self, values: Float[Tensor, "row frame map"], real: Bool[Tensor, "row frame #map"]
    ) -> Float[Tensor, "row frame map"]:
        """Normalised values, 0 where not real.

        Args:
            values: Any finite number where not real.
            real: For all maps alike (one column), or map by map.
        """
        if not self.training:
            scale = self.weight * torch.rsqrt(self.running_var + self.eps)
            # The mean first: numbers far from 0 that hardly vary would lose their last digits.
            return torch.addcmul(self.bias, values - self.running_mean, scale) * real
        count = real.sum(dim=(0, 1)).clamp(min=1)
        mean = (values * real).sum(dim=(0, 1)) / count
        centred = (values - mean) * real
        variance = centred.square().sum(dim=(0, 1)) / count
        self._remember(mean.detach(), variance.detach(), count)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias * real, centred, scale)

    def _remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics; a map with fewer than two values says nothing."""
        told = (count > 1).expand_as(mean)
        unbiased = variance * count / (count - 1).clamp(min=1)
        for running, latest in ((self.running_mean, mean), (self.running_var, unbiased)):
            running.lerp_(torch.where(told, latest, running), self.momentum)
        self.num_batches_tracked += 1
