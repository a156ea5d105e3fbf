"""The encoder-decoder TCN: time halved and doubled again around wide convolutions.

Source: Lea, Flynn, Vidal, Reiter and Hager, CVPR 2017.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from histvq.nn.multistage import InputNorm, flat

TINY = 1e-5


class WideLayer(nn.Module):
    """Convolution over time, whole channels dropped, ReLU, each frame divided by its largest value."""

    def __init__(self, n_in: int, n_out: int, *, kernel_frames: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(n_in, n_out, kernel_frames)
        self.padding = ((kernel_frames - 1) // 2, kernel_frames // 2)
        self.dropout = dropout

    def forward(
        self,
        series: Float[Tensor, "map frame"],
        real: Bool[Tensor, " frame"],
        owner: Int[Tensor, " frame"],
    ) -> Float[Tensor, "out frame"]:
        """The layer's output, at least 0, and 0 where not real; `series` must be 0 there already."""
        hidden = self.convolution(F.pad(series, self.padding).unsqueeze(0)).squeeze(0)
        if self.training and self.dropout > 0:
            n_owners = int(owner.max()) + 1
            keep = torch.rand(len(hidden), n_owners, device=hidden.device) >= self.dropout
            hidden = hidden * (keep / (1 - self.dropout))[:, owner]
        hidden = hidden.relu()
        return hidden / (hidden.amax(dim=0) + TINY) * real


class EncoderDecoderTCN(nn.Module):
    """ED-TCN.

    Departures: each channel can be normalised first (`input_norm`); padding is masked after every layer,
    so that it changes no real frame.

    Args:
        n_joints: Joints.
        n_channels: Channels of a joint.
        n_classes: Classes.
        widths: Maps of each encoder layer; the decoder has them in reverse.
        kernel_frames: Length of a convolution, in frames of the level it is at.
        dropout: Share of channels dropped for a whole recording.
        input_norm: Normalise the input batch by batch.
    """

    def __init__(
        self,
        *,
        n_joints: int,
        n_channels: int,
        n_classes: int,
        widths: tuple[int, ...],
        kernel_frames: int,
        dropout: float,
        input_norm: bool,
    ) -> None:
        super().__init__()
        self.norm = InputNorm(n_joints=n_joints, n_channels=n_channels) if input_norm else None

        def layers(n_in: int, n_outs: tuple[int, ...]) -> nn.ModuleList:
            pairs = zip((n_in, *n_outs), n_outs, strict=False)
            return nn.ModuleList(
                WideLayer(a, b, kernel_frames=kernel_frames, dropout=dropout) for a, b in pairs
            )

        self.encoder = layers(n_joints * n_channels, widths)
        self.decoder = layers(widths[-1], widths[::-1])
        self.leave = nn.Linear(widths[0], n_classes)

    def forward(
        self,
        skeleton: Float[Tensor, "joint frame channel"],
        real: Bool[Tensor, "joint frame"],
        owner: Int[Tensor, " frame"],
    ) -> Float[Tensor, "1 frame class"]:
        """Logits of every frame, 0 where no joint is real.

        Args:
            skeleton: 0 where not real. The number of frames, and the first frame of every recording,
                must be multiples of 2**levels.
            real: False in gaps, of at least `widest_reach` frames, and where nothing was measured.
            owner: Number of the recording a frame belongs to; in gaps any.
        """
        if self.norm is not None:
            skeleton = self.norm(skeleton, real)
        known = real.any(dim=0)
        hidden = flat(skeleton).T
        levels = []
        for layer in self.encoder:
            hidden = layer(hidden, known, owner)
            levels.append((known, owner))
            hidden = F.max_pool1d(hidden.unsqueeze(0), 2).squeeze(0)
            known, owner = known.view(-1, 2).any(dim=1), owner[::2]
        for layer in self.decoder:
            known, owner = levels.pop()
            hidden = layer(hidden.repeat_interleave(2, dim=1) * known, known, owner)
        return (self.leave(hidden.T) * known.unsqueeze(1)).unsqueeze(0)


def widest_reach(n_levels: int, kernel_frames: int) -> int:
    """How many masked frames keep two recordings laid end to end apart.

    A level's convolution reaches half a kernel of that level's frames, and a pooled frame may hold a
    single real one.
    """
    return 2 ** (n_levels - 1) * (kernel_frames // 2 + 1)


def reach_frames(n_levels: int, kernel_frames: int) -> int:
    """How many frames before and after it an output depends on, at most: whole kernels, down and up."""
    return 2 * (2**n_levels - 1) * (kernel_frames + 2)
