"""HiST-VQ: hierarchical spatiotemporal vector quantisation (Ahmed et al. 2026, arXiv 2604.15196)."""

from typing import Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from histvq.batching import Batch
from histvq.nn.autoencoder import Decoded, HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.objective import objective
from histvq.patchwise import PatchwiseConfig, PatchwiseEstimator

Feed = Literal["subaction", "action", "both"]


class HiSTVQConfig(PatchwiseConfig, frozen=True, extra="forbid"):
    """Settings of HiST-VQ.

    The defaults are for recordings of one's own: unit-free input, a light network, enough steps for
    little data. The paper's loss weights are for raw numbers: on unit-free input they make the spatial
    loss count for nothing. Where a default is not the paper's (n_maps, dropout, lambda_spat, nu,
    learning rate, pieces, keep) it was set by looking at the made-up people of `histvq demo`; no real
    recording's labels had a say. The paper's settings are the presets `paper-hugadb`, `hugadb-fast`.

    Attributes:
        alpha: Codes of a level for each code of the level above.
        n_levels: Levels of quantisation: alpha^(n_levels - 1) K codes at the finest, K at the top.
        distance: Between patch and prototype: `patch`, one norm (eqs. 1-2), or `frame`, the sum of
            the frames' norms (SMQ's code).
        commitment: `mean` over elements, or `sum` as printed in eqs. (5)-(6).
        joint_distance: `plain` Euclidean, or `squared` as printed in eq. (7).
        spatial_input: Which quantiser feeds the spatial decoder.
        temporal_input: Which quantiser feeds the temporal decoder.
        lambda_commit: Weight of both commitment losses (eq. 9).
        lambda_spat: Weight of the spatial loss.
        lambda_temp: Weight of the temporal loss.
        min_usage_patches: nu of a codebook fed with patches (the paper's nu_Z).
        min_usage_prototypes: nu of a codebook fed with prototypes (the paper's nu_A).
        dead_batches: Batches in a row below nu until a code is replaced.
        temporal_hidden: Width of the temporal decoder.
    """

    alpha: PositiveInt = 2
    n_levels: int = Field(2, ge=1, le=3)
    distance: Literal["patch", "frame"] = "patch"
    commitment: Literal["mean", "sum"] = "mean"
    joint_distance: Literal["plain", "squared"] = "plain"
    spatial_input: Feed = "action"
    temporal_input: Feed = "subaction"
    lambda_commit: NonNegativeFloat = 1.0
    lambda_spat: NonNegativeFloat = 10.0
    lambda_temp: NonNegativeFloat = 0.1
    min_usage_patches: NonNegativeFloat = 0.5
    min_usage_prototypes: NonNegativeFloat = 0.5
    dead_batches: PositiveInt = 3
    temporal_hidden: PositiveInt = 128


class HiSTVQ(PatchwiseEstimator):
    """Finds actions and subactions in recordings nobody has labelled.

    Patches of about a second are encoded joint by joint, put to the nearest of alpha * K subaction
    prototypes, and those to the nearest of K action prototypes; decoding the skeleton from the actions
    and the time from the subactions teaches the encoder. Learned state: see `PatchwiseEstimator`.

    Source: HiST-VQ sections 3 and 4. Departures: codebooks keep running sums (see `nn.codebook`); masked
    values count for nothing anywhere; a subaction has one action, found from its whole prototype.
    """

    Config = HiSTVQConfig
    method_name = "histvq"

    def _n_codes(self) -> int:
        config: HiSTVQConfig = self.config
        return config.n_actions * config.alpha ** (config.n_levels - 1)

    def _losses(
        self, network: HierarchicalAutoencoder, decoded: Decoded, batch: Batch
    ) -> dict[str, Tensor]:
        config: HiSTVQConfig = self.config
        return objective(
            decoded,
            batch.skeleton,
            batch.real,
            batch.patch_times,
            spatial_decoder=network.spatial_decoder,
            persons=self.layout_["joint_persons"],
            lambda_commit=config.lambda_commit,
            lambda_spat=config.lambda_spat,
            lambda_temp=config.lambda_temp,
            commitment=config.commitment,
            joint_distance=config.joint_distance,
        )

    def _build(self, generator: torch.Generator) -> HierarchicalAutoencoder:
        config: HiSTVQConfig = self.config
        n_joints = len(self.layout_["joint_names"])

        def draw(level: int) -> Codebook:
            n_codes = config.n_actions * config.alpha ** (config.n_levels - 1 - level)
            shape = (n_codes, self.patch_frames_, n_joints, config.n_latent)
            return Codebook(
                torch.randn(shape, generator=generator),
                decay=config.ema_decay,
                min_usage=config.min_usage_prototypes if level else config.min_usage_patches,
                dead_batches=config.dead_batches,
                distance=config.distance,
            )

        return HierarchicalAutoencoder(
            n_joints=n_joints,
            n_channels=len(self.layout_["channel_names"]),
            patch_frames=self.patch_frames_,
            n_latent=config.n_latent,
            n_maps=config.n_maps,
            n_layers=config.n_layers,
            dropout=config.dropout,
            codebooks=[draw(level) for level in range(config.n_levels)],
            spatial_input=config.spatial_input,
            temporal_input=config.temporal_input,
            temporal_hidden=config.temporal_hidden,
        )
