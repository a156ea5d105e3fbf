"""HVQ's network: an autoencoder of frame vectors with two codebooks of single frames in the middle."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from histvq.nn.cosine import CosineCodebook, cosines
from histvq.nn.tcn import Stage


@dataclass(frozen=True)
class FrameCodes:
    """What two levels of quantisation made of one recording's frames.

    Attributes:
        encoded: (frame, map): encoder output.
        values: (frame, map) a level: codes going forward, the identity going backward.
        codes: (frame,) a level: subaction and action.
    """

    encoded: Tensor
    values: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]


class FrameAutoencoder(nn.Module):
    """Encoder, quantisation in two levels, decoder; a recording at a time.

    Source: Spurio et al. 2025: stages of dilated residual layers as in MS-TCN, no class scores between.

    Args:
        n_features: Length of a frame vector.
        n_maps: Width of the stages and of the codes.
        n_stages: Stages of the encoder, and of the decoder.
        n_layers: Residual layers a stage; layer l has dilation 2**l.
        n_codes: Subactions and actions.
        decay: Of both codebooks.
        min_usage: nu, of each.
    """

    def __init__(
        self,
        n_features: int,
        *,
        n_maps: int,
        n_stages: int,
        n_layers: int,
        n_codes: tuple[int, int],
        decay: float,
        min_usage: tuple[float, float],
    ) -> None:
        super().__init__()

        def stage(n_in: int, n_out: int | None = None) -> Stage:
            return Stage(n_in, n_out, n_maps=n_maps, n_layers=n_layers, dropout=0.0)

        self.encoder = nn.ModuleList(
            stage(n_features if place == 0 else n_maps) for place in range(n_stages)
        )
        self.decoder = nn.ModuleList(
            stage(n_maps, n_features if place == n_stages - 1 else None)
            for place in range(n_stages)
        )
        self.fine, self.top = (
            CosineCodebook(_kaiming(n, n_maps), decay=decay, min_usage=nu)
            for n, nu in zip(n_codes, min_usage, strict=True)
        )

    @property
    def codebooks(self) -> tuple[CosineCodebook, CosineCodebook]:
        """Those of the subactions and of the actions."""
        return self.fine, self.top

    def encode(
        self, frames: Float[Tensor, "frame feature"], real: Bool[Tensor, " frame"]
    ) -> Float[Tensor, "frame map"]:
        """Encoder output, 0 where not real."""
        return _through(self.encoder, frames, real)

    def decode(
        self, values: Float[Tensor, "frame map"], real: Bool[Tensor, " frame"]
    ) -> Float[Tensor, "frame feature"]:
        """Frame vectors made of codes, 0 where not real."""
        return _through(self.decoder, values, real)

    def quantise(
        self,
        encoded: Float[Tensor, "frame map"],
        real: Bool[Tensor, " frame"],
        *,
        generator: torch.Generator | None = None,
    ) -> FrameCodes:
        """Codes of both levels; where not real they are -1, and the values 0."""
        below = encoded[real]
        values: list[Tensor] = []
        codes: list[Tensor] = []
        for codebook in self.codebooks:
            quantised, nearest = codebook(below, generator=generator)
            below = below + (quantised - below).detach()
            values.append(encoded.new_zeros(encoded.shape).masked_scatter(real[:, None], below))
            everywhere = torch.full((len(real),), -1, device=real.device, dtype=nearest.dtype)
            codes.append(everywhere.masked_scatter(real, nearest))
        return FrameCodes(encoded, tuple(values), tuple(codes))

    @torch.no_grad()
    def scores(
        self, quantised: FrameCodes, real: Bool[Tensor, " frame"]
    ) -> Float[Tensor, "frame action"]:
        """How well each frame goes with each action: cosines of both levels added up.

        To the cosine of its subaction's code with the action comes the mean cosine of the frame itself
        with the subactions that have this action in this recording, if there are any.

        Source: Spurio et al. 2025, the score that is decoded.
        """
        with_action = cosines(quantised.values[0], self.top.codes)
        with_fine = cosines(quantised.encoded, self.fine.codes)
        subactions, actions = (codes[real] for codes in quantised.codes)
        member = with_fine.new_zeros(with_fine.shape[1], with_action.shape[1])
        member[subactions, actions] = 1
        return with_action + with_fine @ member / member.sum(dim=0).clamp(min=1)


def commitment_loss(
    quantised: FrameCodes, codebooks: Sequence[CosineCodebook], real: Bool[Tensor, " frame"]
) -> Float[Tensor, ""]:
    """Mean squared distance of what enters each level to the codes it got, added up over the levels.

    Source: Spurio et al. 2025, with weight 1 each.
    Gradient: reaches the encoder, from the upper level straight through the lower.
    """
    entering = (quantised.encoded, quantised.values[0])
    return torch.stack(
        [
            (values[real] - codebook.codes[codes[real]].detach()).square().mean()
            for values, codebook, codes in zip(entering, codebooks, quantised.codes, strict=True)
        ]
    ).sum()


def _through(stages: nn.ModuleList, series: Tensor, real: Tensor) -> Tensor:
    """One recording through stages that know of a joint axis."""
    series = series.unsqueeze(0)
    for stage in stages:
        series = stage(series, real[None, :, None])
    return series.squeeze(0)


def _kaiming(n_codes: int, n_maps: int) -> Float[Tensor, "code map"]:
    codes = torch.empty(n_codes, n_maps)
    nn.init.kaiming_uniform_(codes)
    return codes
