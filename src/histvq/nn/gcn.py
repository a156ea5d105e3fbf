"""Spatial-temporal graph convolutions over recordings laid end to end.

Source: Yan, Xiong and Lin, AAAI 2018, in the dilated form without strides of Filtjens, Vanrumste and
Slaets, arXiv 2202.01727. The axes are (joint, frame, channel), see `tcn`.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from histvq.nn.masked_norm import MaskedBatchNorm
from histvq.nn.tcn import KERNEL_FRAMES


class GraphConvolution(nn.Module):
    """Every joint hears its neighbours, through one set of weights for each part of the graph.

    Args:
        n_in: Channels in.
        n_out: Channels out.
        n_parts: Parts of the graph, as `graph.adjacency` gives them.
        n_joints: Joints.
    """

    def __init__(self, n_in: int, n_out: int, *, n_parts: int, n_joints: int) -> None:
        super().__init__()
        convolution = nn.Linear(n_in, n_parts * n_out)  # its initial weights
        self.weight = nn.Parameter(convolution.weight.detach().unflatten(0, (n_parts, n_out)))
        self.bias = nn.Parameter(convolution.bias.detach().unflatten(0, (n_parts, n_out)))
        self.edges = nn.Parameter(torch.ones(n_parts, n_joints, n_joints))

    def forward(
        self,
        series: Float[Tensor, "joint frame map"],
        adjacency: Float[Tensor, "part joint joint"],
    ) -> Float[Tensor, "joint frame out"]:
        """The sum over parts and joints: adjacency and learned edge weight times the joint's share."""
        n_joints, n_frames, _ = series.shape
        rows = series.reshape(1, n_joints * n_frames, -1).expand(len(adjacency), -1, -1)
        shares = torch.baddbmm(self.bias.unsqueeze(1), rows, self.weight.transpose(1, 2))
        # Shares are (part, joint, frame, out): one matrix product takes them to their targets.
        into = (adjacency * self.edges).flatten(0, 1).transpose(0, 1)
        return (into @ shares.view(into.shape[1], -1)).view(n_joints, n_frames, -1)


class DilatedConvolution(nn.Module):
    """Dilated convolution over time, three frames wide, each joint by itself."""

    def __init__(self, n_maps: int, *, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            n_maps,
            n_maps,
            kernel_size=(1, KERNEL_FRAMES),
            padding=(0, dilation),
            dilation=(1, dilation),
        )

    def forward(self, series: Float[Tensor, "joint frame map"]) -> Float[Tensor, "joint frame map"]:
        """The convolved series; `series` must be 0 where not real."""
        image = series.unsqueeze(0).permute(0, 3, 1, 2)  # channels last, see `DilatedResidualLayer`
        convolved: Tensor = self.convolution(image)
        return convolved.permute(0, 2, 3, 1).squeeze(0)


class GraphLayer(nn.Module):
    """Graph convolution, then dilated convolution, each normalised and rectified; added to the input.

    The last ReLU comes before the sum, as in the published MS-GCN; in ST-GCN it comes after.
    """

    def __init__(self, n_maps: int, *, n_parts: int, n_joints: int, dilation: int) -> None:
        super().__init__()
        self.spatial = GraphConvolution(n_maps, n_maps, n_parts=n_parts, n_joints=n_joints)
        self.spatial_norm = MaskedBatchNorm(n_maps)
        self.temporal = DilatedConvolution(n_maps, dilation=dilation)
        self.temporal_norm = MaskedBatchNorm(n_maps)

    def forward(
        self,
        series: Float[Tensor, "joint frame map"],
        real: Bool[Tensor, "joint frame 1"],
        adjacency: Float[Tensor, "part joint joint"],
    ) -> Float[Tensor, "joint frame map"]:
        """The layer's output, 0 where not real; `series` must be 0 there already."""
        hidden = self.spatial_norm(self.spatial(series, adjacency), real).relu()
        hidden = self.temporal_norm(self.temporal(hidden), real).relu()
        return series + hidden


class GraphStage(nn.Module):
    """1x1 convolution to the maps, graph layers of doubling dilation, mean over joints, 1x1 convolution.

    Args:
        n_in: Channels of a joint.
        n_out: Classes.
        adjacency: (part, joint, joint), kept with the weights.
        n_maps: Width inside.
        n_layers: Layer l has dilation 2**l.
    """

    adjacency: Tensor

    def __init__(
        self, n_in: int, n_out: int, *, adjacency: Tensor, n_maps: int, n_layers: int
    ) -> None:
        super().__init__()
        n_parts, n_joints, _ = adjacency.shape
        self.register_buffer("adjacency", adjacency)
        self.enter = nn.Linear(n_in, n_maps)
        self.layers = nn.ModuleList(
            GraphLayer(n_maps, n_parts=n_parts, n_joints=n_joints, dilation=2**layer)
            for layer in range(n_layers)
        )
        self.leave = nn.Linear(n_maps, n_out)

    def forward(
        self, series: Float[Tensor, "joint frame channel"], real: Bool[Tensor, "joint frame"]
    ) -> Float[Tensor, "1 frame out"]:
        """Logits of every frame, 0 where no joint is real; the mean is over the joints that are."""
        each = real.unsqueeze(-1)
        hidden = self.enter(series) * each
        for layer in self.layers:
            hidden = layer(hidden, each, self.adjacency)
        n_real = real.sum(dim=0).clamp(min=1).unsqueeze(-1)
        mean = (hidden.sum(dim=0) / n_real).unsqueeze(0)
        return self.leave(mean) * real.any(dim=0)[None, :, None]


class RefinementStage(nn.Module):
    """Corrects the probabilities of the stage before it; normalised, without a second 1x1 convolution.

    Source: the later stages of MS-GCN. Those of MS-TCN are `tcn.Stage`.
    """

    def __init__(self, n_classes: int, *, n_maps: int, n_layers: int) -> None:
        super().__init__()
        self.enter = nn.Linear(n_classes, n_maps)
        self.layers = nn.ModuleList(
            DilatedConvolution(n_maps, dilation=2**layer) for layer in range(n_layers)
        )
        self.norms = nn.ModuleList(MaskedBatchNorm(n_maps) for _ in range(n_layers))
        self.leave = nn.Linear(n_maps, n_classes)

    def forward(
        self, series: Float[Tensor, "1 frame channel"], real: Bool[Tensor, "1 frame 1"]
    ) -> Float[Tensor, "1 frame out"]:
        """Logits of every frame, 0 where not real."""
        hidden = self.enter(series) * real
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = hidden + norm(layer(hidden), real).relu()
        return self.leave(hidden) * real
