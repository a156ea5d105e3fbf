"""The temporal convolutional network that encodes and decodes every joint by itself.

Source: HiST-VQ section 3.1, after the multi-stage TCN it cites. The axes are (joint, frame, channel)
in memory, so a 1x1 convolution is one matrix product over all joints and frames, and a dilated one
runs in the layout that CPU convolutions are fastest in (channels last).
"""

from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from histvq.nn.dropout import dropout_factors

KERNEL_FRAMES = 3


class DilatedResidualLayer(nn.Module):
    """Dilated convolution, ReLU, 1x1 convolution, dropout, added to the input."""

    def __init__(self, n_maps: int, *, dilation: int, dropout: float) -> None:
        super().__init__()
        # A Conv2d over (joint, frame) whose kernel is one joint high: joints never mix.
        self.dilated = nn.Conv2d(
            n_maps,
            n_maps,
            kernel_size=(1, KERNEL_FRAMES),
            padding=(0, dilation),
            dilation=(1, dilation),
        )
        self.pointwise = nn.Linear(n_maps, n_maps)
        self.dropout = dropout

    def forward(
        self,
        series: Float[Tensor, "joint frame map"],
        real: Bool[Tensor, "joint frame 1"] | None,
        luck: torch.Generator | None = None,
    ) -> Float[Tensor, "joint frame map"]:
        """The layer's output, 0 where not real; `series` must be 0 there already. None: all is real."""
        hidden = _as_series(self.dilated(_as_image(series)).relu_())
        hidden = _masked(_linear(hidden, self.pointwise), real)
        if not (self.training and self.dropout > 0):
            return series + hidden
        factors, rest = dropout_factors(hidden, self.dropout, luck)
        return torch.addcmul(series, hidden, factors, value=rest)


def _as_image(series: Tensor) -> Tensor:
    """(joint, frame, map) as one image (1, map, joint, frame); a view only.

    The batch axis comes first: added last, its stride would hide from PyTorch that this is the
    channels-last layout, and every convolution would copy its input.
    """
    return series.unsqueeze(0).permute(0, 3, 1, 2)


def _as_series(image: Tensor) -> Tensor:
    return image.permute(0, 2, 3, 1).squeeze(0)


def _linear(series: Tensor, layer: nn.Linear) -> Tensor:
    """The layer, on CPUs as a 1x1 convolution: that takes half the time of a matrix product or less.

    A 1x1 kernel has nothing to dilate. Said to be dilated, it goes to the kernels made for convolutions
    with one thread too, as it does with several.
    """
    if series.device.type != "cpu":
        return layer(series)
    weight = layer.weight[:, :, None, None]
    return _as_series(conv2d(_as_image(series), weight, layer.bias, dilation=(1, 2)))


def _masked(series: Tensor, real: Tensor | None) -> Tensor:
    return series if real is None else series * real


class Stage(nn.Module):
    """1x1 convolution to the maps, residual layers of doubling dilation, 1x1 convolution out.

    Without a width to come out with, the last convolution is left out, and the maps come out.
    """

    def __init__(
        self, n_in: int, n_out: int | None, *, n_maps: int, n_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(n_in, n_maps)
        self.layers = nn.ModuleList(
            DilatedResidualLayer(n_maps, dilation=2**layer, dropout=dropout)
            for layer in range(n_layers)
        )
        self.leave = nn.Identity() if n_out is None else nn.Linear(n_maps, n_out)

    def forward(
        self,
        series: Float[Tensor, "joint frame channel"],
        real: Bool[Tensor, "joint frame 1"] | None,
        luck: torch.Generator | None = None,
    ) -> Float[Tensor, "joint frame out"]:
        """The stage's output, 0 where not real. None: all is real."""
        # Every output is masked, the first 1x1 convolution's too: its bias would otherwise stand in
        # masked frames and leak into the neighbours of a gap, and a padded recording would differ
        # from the same one alone.
        hidden = _masked(_linear(series, self.enter), real)
        for layer in self.layers:
            hidden = layer(hidden, real, luck)
        if isinstance(self.leave, nn.Linear):
            hidden = _linear(hidden, self.leave)
        return _masked(hidden, real)


class TCN(nn.Module):
    """Stages one after another, the same weights for every joint.

    Args:
        widths: Channels in, between the stages, and out: `(6, 8, 16)` makes two stages.
        n_maps: Width inside a stage.
        n_layers: Residual layers a stage; layer l has dilation 2**l.
        dropout: Share of values dropped in every residual layer while training.
        shortcut: Add the input itself to the output, in its first channels, and start with weights that
            add nothing to it.

    Attributes:
        n_out: Channels out.
        reach: How many frames before and after it an output depends on, at most.
        low_precision: Whether training multiplies in bfloat16, with weights and gradients in float32.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        *,
        n_maps: int,
        n_layers: int,
        dropout: float,
        shortcut: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.shortcut = shortcut
        self.low_precision = False
        self.n_out = widths[-1]
        self.reach = reach_frames(n_layers, n_stages=len(widths) - 1)
        self.stages = nn.ModuleList(
            Stage(n_in, n_out, n_maps=n_maps, n_layers=n_layers, dropout=dropout)
            for n_in, n_out in pairwise(widths)
        )
        if shortcut:
            last = self.stages[-1].leave
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(
        self,
        series: Float[Tensor, "joint frame channel"],
        real: Bool[Tensor, "joint frame"],
        luck: torch.Generator | None = None,
    ) -> Float[Tensor, "joint frame out"]:
        """Encode or decode recordings laid end to end, with masked frames between them.

        Args:
            series: Input, any finite number where not real.
            real: False in gaps and where nothing was measured. A gap between two recordings must be
                at least `widest_dilation(n_layers)` frames, or they see each other.
            luck: Where dropout draws from; None: torch's global generator.
        """
        # On a GPU nobody waits for the answer whether there is anything to mask.
        whole = series.device.type == "cpu" and bool(real.all())
        mask = None if whole else real.unsqueeze(-1)
        low = self.low_precision and self.training
        given = series
        with torch.autocast(series.device.type, torch.bfloat16, enabled=low):
            for stage in self.stages:
                series = stage(series, mask, luck)
        series = series.to(torch.get_default_dtype()) if low else series
        if self.shortcut:
            series = series + _masked(pad(given, (0, series.shape[-1] - given.shape[-1])), mask)
        return series


def reach_frames(n_layers: int, *, n_stages: int) -> int:
    """How many frames before and after it an output depends on, at most."""
    return n_stages * (2**n_layers - 1)


def widest_dilation(n_layers: int) -> int:
    """How many masked frames keep two recordings laid end to end apart."""
    return 2 ** (n_layers - 1)
