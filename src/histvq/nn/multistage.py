"""Frame-wise classifiers in several stages, each correcting the one before it.

Source: MS-TCN, Abu Farha and Gall, CVPR 2019; MS-GCN, Filtjens, Vanrumste and Slaets, arXiv 2202.01727.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from histvq.nn.gcn import GraphStage, RefinementStage
from histvq.nn.masked_norm import MaskedBatchNorm
from histvq.nn.tcn import Stage


class InputNorm(nn.Module):
    """Normalises every channel of every joint by itself; 0 where not measured."""

    def __init__(self, *, n_joints: int, n_channels: int) -> None:
        super().__init__()
        self.norm = MaskedBatchNorm(n_joints * n_channels)

    def forward(
        self, skeleton: Float[Tensor, "joint frame channel"], real: Bool[Tensor, "joint frame"]
    ) -> Float[Tensor, "joint frame channel"]:
        """The normalised skeleton."""
        n_joints, _, n_channels = skeleton.shape
        known = real.T.repeat_interleave(n_channels, dim=1)
        normed = self.norm(flat(skeleton).unsqueeze(0), known.unsqueeze(0)).squeeze(0)
        return normed.unflatten(1, (n_joints, n_channels)).transpose(0, 1)


def flat(skeleton: Float[Tensor, "joint frame channel"]) -> Float[Tensor, "frame feature"]:
    """One vector a frame, joint by joint."""
    return skeleton.transpose(0, 1).flatten(1)


class MultiStageTCN(nn.Module):
    """MS-TCN: a frame's joints and channels as one vector, stages of dilated residual layers.

    Source: Abu Farha and Gall 2019. Departures: each channel can be normalised first (`input_norm`); the
    first 1x1 convolution of every stage is masked too, so that padding changes no real frame.

    Args:
        n_joints: Joints.
        n_channels: Channels of a joint.
        n_classes: Classes.
        n_maps: Width of a stage.
        n_layers: Layers of a stage.
        n_stages: Stages; with one it is a single-stage dilated TCN.
        dropout: In every layer while training.
        input_norm: Normalise the input batch by batch.
    """

    def __init__(
        self,
        *,
        n_joints: int,
        n_channels: int,
        n_classes: int,
        n_maps: int,
        n_layers: int,
        n_stages: int,
        dropout: float,
        input_norm: bool,
    ) -> None:
        super().__init__()
        self.norm = InputNorm(n_joints=n_joints, n_channels=n_channels) if input_norm else None
        self.stages = nn.ModuleList(
            Stage(n_in, n_classes, n_maps=n_maps, n_layers=n_layers, dropout=dropout)
            for n_in in (n_joints * n_channels, *[n_classes] * (n_stages - 1))
        )

    def forward(
        self, skeleton: Float[Tensor, "joint frame channel"], real: Bool[Tensor, "joint frame"]
    ) -> Float[Tensor, "stage frame class"]:
        """Logits of every stage, 0 where no joint is real.

        Args:
            skeleton: 0 where not real.
            real: False in gaps and where nothing was measured. A gap between two recordings must be at
                least `tcn.widest_dilation(n_layers)` frames, or they see each other.
        """
        known = real.any(dim=0)[None, :, None]
        if self.norm is not None:
            skeleton = self.norm(skeleton, real)
        first, *later = self.stages
        logits = [first(flat(skeleton).unsqueeze(0), known)]
        for stage in later:
            logits.append(stage(logits[-1].softmax(dim=2) * known, known))
        return torch.cat(logits)


class MultiStageGCN(nn.Module):
    """MS-GCN: a stage of graph layers, then stages that correct its probabilities.

    Source: Filtjens et al. 2022 and the key layout of their weights. Departures: normalisation does not
    see gaps, every layer of the first stage is masked, and the mean is over measured joints, so that
    padding changes no real frame; with one whole recording and nothing missing all of these are the
    same. Joints of several people stand side by side, with weights of their own. A joint that is not
    measured tells its neighbours a constant, the bias of the graph convolution.

    Args:
        adjacency: (part, joint, joint), see `graph.adjacency`.
        n_channels: Channels of a joint.
        n_classes: Classes.
        n_maps: Width of a stage.
        n_layers: Layers of a stage.
        n_stages: Stages; with one it is the frame-wise ST-GCN.
    """

    def __init__(
        self,
        *,
        adjacency: Tensor,
        n_channels: int,
        n_classes: int,
        n_maps: int,
        n_layers: int,
        n_stages: int,
    ) -> None:
        super().__init__()
        self.norm = InputNorm(n_joints=adjacency.shape[1], n_channels=n_channels)
        self.graph = GraphStage(
            n_channels, n_classes, adjacency=adjacency, n_maps=n_maps, n_layers=n_layers
        )
        self.stages = nn.ModuleList(
            RefinementStage(n_classes, n_maps=n_maps, n_layers=n_layers)
            for _ in range(n_stages - 1)
        )

    def forward(
        self, skeleton: Float[Tensor, "joint frame channel"], real: Bool[Tensor, "joint frame"]
    ) -> Float[Tensor, "stage frame class"]:
        """Logits of every stage; see `MultiStageTCN.forward`."""
        known = real.any(dim=0)[None, :, None]
        logits = [self.graph(self.norm(skeleton, real), real)]
        for stage in self.stages:
            logits.append(stage(logits[-1].softmax(dim=2) * known, known))
        return torch.cat(logits)
