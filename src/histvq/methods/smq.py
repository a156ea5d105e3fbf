"""SMQ: skeleton motion quantisation (Gokay et al., ICCV 2025), as its published code does it."""

import math
from typing import Any, Literal, Self

import torch
from pydantic import NonNegativeFloat, PositiveInt, model_validator
from torch import Tensor

from histvq.batching import Batch, InputScale
from histvq.nn.autoencoder import Decoded, HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.objective import objective
from histvq.nn.representative import RepresentativeCodebook
from histvq.patchwise import PatchwiseConfig, PatchwiseEstimator


class SMQConfig(PatchwiseConfig, frozen=True, extra="forbid"):
    """Settings of SMQ.

    The defaults are for recordings of one's own: the shared parts are set as those of HiST-VQ, and the
    published code's quirks are off. The presets `paper-smq-hugadb` and `smq-hugadb-fast` have them all,
    `smq-clean-hugadb` and `smq-clean-hugadb-fast` differ from those in having none.

    Attributes:
        distance: Between patch and prototype: `patch`, one norm, or `frame`, the sum of the frames'
            norms (the published code).
        revival: What replaces a dead code: a `random` patch of the batch, or the mean of `min_usage`
            patches out of the half that is covered better (`representative`, the published code) or
            worse (`exploratory`).
        min_usage: nu. A code whose running count is below it is dead; published: 10.
        dead_batches: Batches in a row below nu until a code is replaced; with `random` only, the means
            come at once.
        fixed_luck: Draw the patches of a mean from a generator seeded anew at every step, always alike,
            as the published code does.
        short_patches: What the missing end of a recording's last patch, and missing values, count as in
            distances and sums: `masked`, nothing, or `zeros` (the published code).
        rec_mean: Whether the reconstruction loss is a mean over `real` frames, or over `padded` ones too,
            as if the batch were padded to its longest recording (the published code).
        lambda_commit: Weight of the commitment loss.
        lambda_rec: Weight of the reconstruction loss; published, on raw numbers: 0.001.
    """

    distance: Literal["patch", "frame"] = "patch"
    revival: Literal["random", "representative", "exploratory"] = "random"
    min_usage: NonNegativeFloat = 0.5
    dead_batches: PositiveInt = 3
    fixed_luck: bool = False
    short_patches: Literal["masked", "zeros"] = "masked"
    rec_mean: Literal["real", "padded"] = "real"
    lambda_commit: NonNegativeFloat = 1.0
    lambda_rec: NonNegativeFloat = 10.0

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.revival != "random" and self.min_usage % 1:
            raise ValueError(
                f"min_usage={self.min_usage:g} patches cannot be averaged with "
                f"revival={self.revival!r}; give a whole number, as min_usage=10"
            )
        return self


class SMQ(PatchwiseEstimator):
    """Finds actions by vector quantisation of patches in one level.

    Patches are encoded joint by joint and put to the nearest of K prototypes; decoding the skeleton
    from the prototypes teaches the encoder. There are no subactions. Learned state: see
    `PatchwiseEstimator`.

    Source: Gokay et al., ICCV 2025, and their published code. Departures that no setting undoes:
    masked frames are masked after a stage's first 1x1 convolution too (the published code lets its
    bias reach the last frame of a recording padded in a batch); K-means initialisation and the plain
    reconstruction loss, off by default there, are not built; recordings without any value in a patch
    are answered with -1; codes are numbered by use after training.
    """

    Config = SMQConfig
    method_name = "smq"
    _against_collapse = (
        "a codebook that moves slowly (ema_decay=0.99)",
        "dead codes that are replaced sooner (a higher min_usage)",
    )

    def _n_codes(self) -> int:
        return int(self.config.n_actions)

    def _losses(
        self, network: HierarchicalAutoencoder, decoded: Decoded, batch: Batch
    ) -> dict[str, Tensor]:
        config: SMQConfig = self.config
        share = padding_share(batch) if config.rec_mean == "padded" else 1.0
        return objective(
            decoded,
            batch.skeleton,
            batch.real,
            batch.patch_times,
            spatial_decoder=network.spatial_decoder,
            persons=self.layout_["joint_persons"],
            lambda_commit=config.lambda_commit,
            lambda_spat=config.lambda_rec * share,
            lambda_temp=0.0,
            commitment="mean",
            joint_distance="plain",
        )

    def _build(self, generator: torch.Generator) -> HierarchicalAutoencoder:
        config: SMQConfig = self.config
        n_joints = len(self.layout_["joint_names"])
        shape = (config.n_actions, self.patch_frames_, n_joints, config.n_latent)
        # Kaiming's bound, fan-in being a whole patch.
        bound = math.sqrt(6 / math.prod(shape[1:]))
        prototypes = (2 * torch.rand(shape, generator=generator) - 1) * bound
        return HierarchicalAutoencoder(
            n_joints=n_joints,
            n_channels=len(self.layout_["channel_names"]),
            patch_frames=self.patch_frames_,
            n_latent=config.n_latent,
            n_maps=config.n_maps,
            n_layers=config.n_layers,
            dropout=config.dropout,
            codebooks=[_codebook(config, prototypes)],
            spatial_input="action",
            temporal_input="action",
            temporal_hidden=0,
            whole_patches=config.short_patches == "zeros",
        )

    @classmethod
    def from_weights(
        cls,
        weights: dict[str, Tensor],
        *,
        layout: dict[str, Any],
        fps: float,
        patch_frames: int,
        centred: bool,
        **params: Any,
    ) -> Self:
        """A fitted method with learned weights from elsewhere.

        Args:
            weights: Parameters and buffers of the network, by our names.
            layout: Joints, channels and unit of the recordings it was trained on, see `layout_of`.
            fps: Rate it works at.
            patch_frames: Frames of a patch.
            centred: Whether positions are taken relative to the root.
            **params: The method's parameters.

        Raises:
            ConfigError: If the weights do not fit the parameters.
        """
        model = cls(**params)
        n_channels = len(layout["channel_names"])
        model.layout_, model.fps_, model.patch_frames_ = layout, fps, patch_frames
        model.centred_, model.seed_, model.history_, model.kept_epoch_ = centred, 0, [], 0
        model.scale_ = InputScale(torch.zeros(n_channels).numpy(), torch.ones(n_channels).numpy())
        model._take(weights)
        return model


def padding_share(batch: Batch) -> float:
    """Share of real frames in the whole batch, were it padded to its longest recording."""
    return sum(batch.lengths) / (len(batch.lengths) * max(batch.lengths))


def _codebook(config: SMQConfig, prototypes: Tensor) -> Codebook:
    if config.revival == "random":
        return Codebook(
            prototypes,
            decay=config.ema_decay,
            min_usage=config.min_usage,
            dead_batches=config.dead_batches,
            distance=config.distance,
        )
    return RepresentativeCodebook(
        prototypes,
        decay=config.ema_decay,
        min_usage=int(config.min_usage),
        distance=config.distance,
        candidates=config.revival,
        fixed_luck=config.fixed_luck,
    )
