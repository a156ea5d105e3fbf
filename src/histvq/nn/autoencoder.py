"""Encoder, hierarchical quantiser, spatial and temporal decoder put together."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from histvq.nn.codebook import Codebook
from histvq.nn.hierarchy import HierarchicalQuantiser, Quantised
from histvq.nn.parts import Part, by_part
from histvq.nn.patches import from_patches, mask_to_patches, to_patches
from histvq.nn.tcn import TCN
from histvq.nn.tiles import in_tiles
from histvq.nn.timestamps import TemporalDecoder

FEEDS = ("subaction", "action", "both")


@dataclass(frozen=True)
class Encoded:
    """Patches with anything real in them.

    Attributes:
        patches: (patch, patch_frame, joint, latent).
        real: (patch, patch_frame, joint): False where a value is padding or missing.
        compared: (patch, patch_frame, joint): where patches are compared with prototypes.
        occupied: For each patch of the packed frames, whether it is among them.
        parts: Which of them belong to one recording, in order; None: all to one.
    """

    patches: Tensor
    real: Tensor
    compared: Tensor
    occupied: Tensor
    parts: tuple[slice, ...] | None = None


@dataclass(frozen=True)
class Decoded:
    """What training compares.

    Attributes:
        encoded: The encoder's patches.
        quantised: Their prototypes, a level each.
        fed: (joint, frame, latent) for the spatial decoder.
        times: (patch,) relative time guessed, for the occupied patches; None where nothing guesses it.
        parts: Recordings that are worked on each by itself; None: all together.
    """

    encoded: Encoded
    quantised: Quantised
    fed: Tensor
    times: Tensor | None
    parts: Sequence[Part] | None = None


class HierarchicalAutoencoder(nn.Module):
    """The network of HiST-VQ (section 3.1, Fig. 2).

    Args:
        n_joints: V.
        n_channels: C.
        patch_frames: P.
        n_latent: D; the stages of the encoder end in D/2 and D channels, the decoder mirrors them.
        n_maps: Width inside a stage.
        n_layers: Residual layers a stage.
        dropout: In the residual layers.
        codebooks: Finest level first.
        spatial_input: Which quantiser feeds the spatial decoder: `subaction` (the finest), `action` (the
            top), or `both` side by side on the latent axis.
        temporal_input: Likewise for the temporal decoder.
        temporal_hidden: Width of the temporal decoder; 0: there is none, as in SMQ.
        shortcut: The encoder adds what it learns to the input itself (see `TCN`).
        keep_parents: Each code has the parent it started with (see `HierarchicalQuantiser`).
        whole_patches: Compare all of a patch with the prototypes, its missing values as the zeros they
            are after the encoder (SMQ's code), instead of its real part alone.
    """

    def __init__(
        self,
        *,
        n_joints: int,
        n_channels: int,
        patch_frames: int,
        n_latent: int,
        n_maps: int,
        n_layers: int,
        dropout: float,
        codebooks: list[Codebook],
        spatial_input: str,
        temporal_input: str,
        temporal_hidden: int,
        shortcut: bool = False,
        keep_parents: bool = False,
        whole_patches: bool = False,
    ) -> None:
        super().__init__()
        self.patch_frames = patch_frames
        self.spatial_input = spatial_input
        self.temporal_input = temporal_input
        self.whole_patches = whole_patches
        half = n_latent // 2

        def tcn(*widths: int, shortcut: bool = False) -> TCN:
            return TCN(widths, n_maps=n_maps, n_layers=n_layers, dropout=dropout, shortcut=shortcut)

        self.encoder = tcn(n_channels, half, n_latent, shortcut=shortcut)
        self.quantiser = HierarchicalQuantiser(codebooks, keep_parents=keep_parents)
        self.spatial_decoder = tcn(n_latent * _width(spatial_input), half, n_channels)
        self.temporal_decoder: TemporalDecoder | None = None
        if temporal_hidden:
            n_in = patch_frames * n_joints * n_latent * _width(temporal_input)
            self.temporal_decoder = TemporalDecoder(n_in, hidden=temporal_hidden)

    def set_precision(self, *, low: bool) -> None:
        """Whether training multiplies in bfloat16. Codebooks and losses stay in float32."""
        self.encoder.low_precision = self.spatial_decoder.low_precision = low

    def encode(
        self,
        skeleton: Float[Tensor, "joint frame channel"],
        real: Bool[Tensor, "joint frame"],
        parts: Sequence[Part] | None = None,
    ) -> Encoded:
        """Latent patches of recordings laid end to end, each worked on by itself if it is a part."""
        patches = to_patches(in_tiles(self.encoder, skeleton, real, parts), self.patch_frames)
        mask = mask_to_patches(real, self.patch_frames)
        occupied = mask.flatten(1).any(dim=1)
        patches, mask = patches[occupied], mask[occupied]
        compared = torch.ones_like(mask) if self.whole_patches else mask
        return Encoded(patches, mask, compared, occupied, self._patches_of(parts, occupied))

    def _patches_of(
        self, parts: Sequence[Part] | None, occupied: Tensor
    ) -> tuple[slice, ...] | None:
        """Which of the occupied patches are of each part."""
        if parts is None:
            return None
        n_before = [0, *occupied.cumsum(0).tolist()]
        borders = [
            (part.frames.start // self.patch_frames, -(-part.frames.stop // self.patch_frames))
            for part in parts
        ]
        return tuple(slice(n_before[first], n_before[last]) for first, last in borders)

    def forward(
        self,
        skeleton: Float[Tensor, "joint frame channel"],
        real: Bool[Tensor, "joint frame"],
        *,
        parts: Sequence[Part] | None = None,
        numbers: Int[Tensor, " patch"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Decoded:
        """Encode, quantise and guess times; while training, the codebooks learn on the way.

        Args:
            skeleton: Recordings laid end to end.
            real: False where a value is padding or missing.
            parts: Each recording, to be worked on by itself; None: all together.
            numbers: Where processes share a batch out, those of the patches in all of it.
            generator: Luck of the codebooks; needed while training.
        """
        encoded = self.encode(skeleton, real, parts)
        if numbers is not None:
            numbers = numbers[encoded.occupied]
        quantised = self.quantiser(
            encoded.patches,
            encoded.compared,
            parts=encoded.parts,
            numbers=numbers,
            generator=generator,
        )
        fed = _fed(quantised, self.spatial_input)
        laid_out = fed.new_zeros(len(encoded.occupied), *fed.shape[1:])
        laid_out = laid_out.index_put((encoded.occupied,), fed)
        times = None
        if self.temporal_decoder is not None:
            fed_times = _fed(quantised, self.temporal_input)
            times = by_part(self.temporal_decoder, fed_times, encoded.parts)
        return Decoded(encoded, quantised, from_patches(laid_out), times, parts)

    def rebuild(
        self, decoded: Decoded, real: Bool[Tensor, "joint frame"]
    ) -> Float[Tensor, "joint frame channel"]:
        """Skeletons from the quantised patches."""
        return in_tiles(self.spatial_decoder, decoded.fed, real, decoded.parts)


def _width(feed: str) -> int:
    return 2 if feed == "both" else 1


def _fed(quantised: Quantised, feed: str) -> Tensor:
    if feed == "both":
        return torch.cat((quantised.values[0], quantised.values[-1]), dim=-1)
    return quantised.values[0 if feed == "subaction" else -1]
