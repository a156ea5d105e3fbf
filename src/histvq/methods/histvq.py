"""HiST-VQ: hierarchical spatiotemporal vector quantisation (Ahmed et al. 2026, arXiv 2604.15196)."""

from collections.abc import Iterable, Sequence
from typing import Literal, Self

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator
from torch import Tensor

from histvq.batching import Batch, fit_scale
from histvq.coding import patch_distances
from histvq.deciding import fit_decision
from histvq.inputs import check_enough, check_measured
from histvq.nn.autoencoder import Decoded, HierarchicalAutoencoder
from histvq.nn.codebook import Codebook
from histvq.nn.objective import objective
from histvq.patchwise import PatchwiseConfig, PatchwiseEstimator
from histvq.recording import Recording
from histvq.segmenter import AUTO, NonNegative, Seconds
from histvq.starting import start_on_clusters
from histvq.statistics import Whose, fit_front_end, kind_of, tempo_of
from histvq.transforms import centre_on_root

Feed = Literal["subaction", "action", "both"]


class HiSTVQConfig(PatchwiseConfig, frozen=True, extra="forbid"):
    """Settings of HiST-VQ.

    Preset `best` is what segments real recordings best. The defaults take motion as the paper does, and
    are for recordings of one's own: unit-free input, a light network, enough steps for little data. The
    paper's loss weights are for raw numbers: on unit-free input they make the spatial loss count for
    nothing. Where a default is not the paper's (n_maps, dropout, lambda_spat, nu, learning rate, pieces,
    keep) it was set by looking at the made-up people of `histvq demo`; no real recording's labels had a
    say. The paper's settings are the presets `paper-hugadb`, `hugadb-fast`.

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
        input: What the encoder sees: `motion`, frame by frame, as the paper, or `statistics` of windows,
            a frame a patch (see `histvq.statistics`): inertial sensors and positions each their own.
        patch_seconds: Length of a patch, the shortest thing told apart. `auto`, with statistics: 0.25 s
            for inertial sensors; for positions a quarter of how long movement goes on as it is.
        window_seconds: With statistics, the length of a window. `auto`: 1.5 s for inertial sensors; for
            positions as long as movement goes on as it is.
        own_mean: With statistics, whose mean is taken off: each `person`'s, each `recording`'s, or
            `none`. People whose name is not known count as one.
        shortcut: The encoder adds what it learns to its input, and starts as if it were not there.
            There are then at least as many latent channels as channels of the input.
        start: Where codebooks start: at `random`, as the paper, or on `clusters` of what the encoder
            makes of the patches before it has learned (see `nn.starting`).
        n_starts: How many clusterings are made to start from.
        parents: How a subaction comes to its action: `quantised`, by the nearest action prototype, as
            the paper, or `kept`, as the clusters that it started from say: then a dead code takes its
            action along to where it is put, unless min_usage_patches is 0.
        stay: Price of a change of action, in patches at their usual squared distance; 0: every patch is
            answered by itself. `auto`, with statistics: 0 for inertial sensors, 1.2 for positions.
        confidence: `margin`, see `PatchwiseEstimator`, or `rank`: the share of the training data's
            patches with that action that are less certain of it (see `nn.confidence`). With a price on
            changes it is the rank always: the action need not be that of the nearest code.
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
    input: Literal["motion", "statistics"] = "motion"
    patch_seconds: Seconds = 1.0  # type: ignore[assignment]  # wider than the base's
    window_seconds: Seconds = "auto"
    own_mean: Whose = "person"
    shortcut: bool = False
    start: Literal["random", "clusters"] = "random"
    n_starts: PositiveInt = 30
    parents: Literal["quantised", "kept"] = "quantised"
    stay: NonNegative = 0.0
    confidence: Literal["margin", "rank"] = "margin"

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.input == "motion" and AUTO in (self.patch_seconds, self.stay):
            raise ValueError(
                "auto is told from window statistics: give a number, or input='statistics'"
            )
        if self.input == "statistics" and self.fps is not None:
            raise ValueError(
                "fps says at what rate motion is taken; leave it out with input='statistics'"
            )
        if self.parents == "kept" and self.start == "random":
            raise ValueError("parents='kept' needs start='clusters', which say them")
        return self


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
    _against_collapse = (
        "codebooks that move slowly (ema_decay=0.99)",
        "dead codes that are replaced sooner (a higher min_usage_patches and min_usage_prototypes)",
        "preset best, whose codebooks start on clusters",
    )

    _price: float  # of a change of action while fitting, in patches

    def _prepare_all(self, recordings: Sequence[Recording]) -> list[Recording]:
        config: HiSTVQConfig = self.config
        self.front_end_ = self.decision_ = None
        if config.input == "motion":
            self._price = _either(config.stay, 0.0)
            return super()._prepare_all(recordings)
        check_measured(recordings)
        if self.centred_:
            recordings = [centre_on_root(recording) for recording in recordings]
        tempo = tempo_of(recordings)
        self.front_end_, made = fit_front_end(
            recordings,
            kind=kind_of(recordings[0]),
            patch_seconds=_either(config.patch_seconds, tempo.patch_seconds),
            window_seconds=_either(config.window_seconds, tempo.window_seconds),
            own_mean=config.own_mean,
        )
        self.fps_ = self.front_end_.rate
        self._price = _either(config.stay, tempo.stay)
        return made

    def _suit(self, prepared: list[Recording]) -> None:
        if self.front_end_ is None:
            super()._suit(prepared)
            return
        self.patch_frames_ = 1
        n_patches = sum(recording.n_frames for recording in prepared)
        check_enough(
            prepared,
            n_codes=self._n_codes(),
            n_patches=n_patches,
            patch_seconds=self.front_end_.patch_seconds,
        )
        self.scale_ = fit_scale(prepared, mode="none")

    def _start(self, network: HierarchicalAutoencoder, batches: Iterable[Batch]) -> None:
        config: HiSTVQConfig = self.config
        if config.start == "clusters":
            start_on_clusters(
                network,
                batches,
                alpha=config.alpha,
                n_starts=config.n_starts,
                penalty=self._price,
                seed=self.seed_,
            )

    def _decide(self, network: HierarchicalAutoencoder, prepared: list[Recording]) -> None:
        config: HiSTVQConfig = self.config
        if config.confidence == "margin" and not self._price:
            return
        coder = self._coder(network)
        found = patch_distances(prepared, coder)
        self.decision_ = fit_decision(
            [distances[occupied] for distances, occupied in found if occupied.any()],
            coder.parents.cpu().numpy(),
            stay=self._price,
            n_actions=config.n_actions,
        )

    def _n_latent(self) -> int:
        """D: even, and with a shortcut no less than the input has channels."""
        n_channels = self._n_channels() if self.config.shortcut else 0
        return max(self.config.n_latent, n_channels + n_channels % 2)

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
            shape = (n_codes, self.patch_frames_, n_joints, self._n_latent())
            return Codebook(
                torch.randn(shape, generator=generator),
                decay=config.ema_decay,
                min_usage=config.min_usage_prototypes if level else config.min_usage_patches,
                dead_batches=config.dead_batches,
                distance=config.distance,
            )

        return HierarchicalAutoencoder(
            n_joints=n_joints,
            n_channels=self._n_channels(),
            patch_frames=self.patch_frames_,
            n_latent=self._n_latent(),
            n_maps=config.n_maps,
            n_layers=config.n_layers,
            dropout=config.dropout,
            codebooks=[draw(level) for level in range(config.n_levels)],
            spatial_input=config.spatial_input,
            temporal_input=config.temporal_input,
            temporal_hidden=config.temporal_hidden,
            shortcut=config.shortcut,
            keep_parents=config.parents == "kept",
        )


def _either(wish: float | Literal["auto"], found: float) -> float:
    return found if wish == "auto" else wish
