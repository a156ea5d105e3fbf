"""HVQ: hierarchical vector quantisation of frames (Spurio et al., AAAI 2025)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional as F

from histvq.collapse import warn_if_collapsed
from histvq.features import FrameScale, Series
from histvq.framewise import FrameLabels, FramewiseConfig, FramewiseEstimator, stay_chance
from histvq.nn.clustering import kmeans
from histvq.nn.decoding import decode, order_by_time
from histvq.nn.fifa import fifa_lengths, in_order
from histvq.nn.framecoder import FrameAutoencoder, FrameCodes, commitment_loss
from histvq.training import Items, Watch, train


class HVQConfig(FramewiseConfig, frozen=True, extra="forbid"):
    """Settings of HVQ; the published ones for Breakfast.

    Attributes:
        alpha: Subactions an action.
        n_maps: Width of the network and of the codes.
        n_stages: Stages of the encoder, and of the decoder.
        n_layers: Residual layers a stage.
        ema_decay: Share of the past that stays in a codebook.
        min_usage: nu of the subactions: a code whose running count of frames is below it is dead.
        min_usage_actions: nu of the actions.
        kmeans_init: Start the codebooks from k-means on the first recording.
        lambda_commit: Weight of the commitment loss.
        lambda_rec: Weight of the reconstruction loss.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        shuffle: Learn from the recordings in another order each epoch; published: always as they come.
        epochs: How many, unless `min_steps` asks for more. A batch is one recording.
        min_steps: With little data, train for more epochs, until there are this many batches.
        decoder: From codes to labels. `fifa`: every action at most once, in the order of their mean
            times, with lengths found by gradient descent (published). `counts`: the same with the
            lengths the codes have; FIFA evens them out. `none`: the codes. `transcript`,
            `transcript_skip` and `markov`: Viterbi on the scores, see `nn.decoding`.
        temperature: Of the scores, for Viterbi.
        dwell_seconds: Of `markov`: how long an action is expected to last.
    """

    input_scale: FrameScale = "frame_l2"
    alpha: PositiveInt = 2
    n_maps: PositiveInt = 32
    n_stages: PositiveInt = Field(2, le=64)
    n_layers: PositiveInt = Field(10, le=16)
    ema_decay: float = Field(0.8, ge=0, lt=1)
    min_usage: NonNegativeFloat = 3.0
    min_usage_actions: NonNegativeFloat = 1.0
    kmeans_init: bool = True
    lambda_commit: NonNegativeFloat = 1.0
    lambda_rec: NonNegativeFloat = 0.002
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4
    shuffle: bool = False
    epochs: PositiveInt = 20
    min_steps: NonNegativeInt = 1000
    decoder: Literal["fifa", "counts", "none", "transcript", "transcript_skip", "markov"] = "fifa"
    temperature: PositiveFloat = 0.1
    dwell_seconds: PositiveFloat = 1.0


@dataclass(frozen=True, eq=False)
class _Whole:
    """One recording as a batch."""

    values: Tensor
    real: Tensor
    ids: tuple[str, ...]


class HVQ(FramewiseEstimator):
    """Quantises single frames to subactions and these to actions, then puts the actions in one order.

    `subactions` are the codes of the finest level as they are, also where a decoder has changed the
    action.

    Source: Spurio et al. 2025, from a description of their published pipeline. Departures: k-means uses
    this fit's seed; the columns of the scores follow the order of the actions; lengths expected by FIFA
    are those of the training data throughout, not of the recordings decoded so far, so that an answer
    depends on its recording alone; missing is what was not measured. Gumbel noise, the repulsion and
    codebook losses and the classifier, off by default there, are not built.

    Attributes, after `fit`, beside those of `NetworkEstimator`:
        mean_frames_: (action,): mean frames of each action in the recordings that have it.
        n_used_: Actions in use; those that no frame has come last.
    """

    Config = HVQConfig
    method_name = "hvq"

    network_: FrameAutoencoder
    mean_frames_: np.ndarray
    n_used_: int

    _saved = (*FramewiseEstimator._saved, "n_used")
    _arrays = ("mean_frames",)
    _has_subactions = True

    def _n_codes(self) -> int:
        return int(self.config.alpha * self.config.n_actions)

    def _build(self, generator: torch.Generator) -> FrameAutoencoder:
        config: HVQConfig = self.config
        return FrameAutoencoder(
            self.n_features_,
            n_maps=config.n_maps,
            n_stages=config.n_stages,
            n_layers=config.n_layers,
            n_codes=(self._n_codes(), config.n_actions),
            decay=config.ema_decay,
            min_usage=(config.min_usage, config.min_usage_actions),
        )

    def _learn(self, series: list[Series], watch: Watch) -> FrameAutoencoder:
        config: HVQConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator).to(config.device)
        batches = [self._whole(s) for s in series]

        def start() -> None:
            if config.kmeans_init:
                self._start_codebooks(network.eval(), batches[0])
            network.train()

        def order() -> Tensor:
            if config.shuffle:
                return torch.randperm(len(batches), generator=generator)
            return torch.arange(len(batches))

        def batch_of(places: list[int]) -> _Whole:
            (place,) = places
            return batches[place]

        def step(batch: _Whole) -> dict[str, Tensor]:
            return self._losses(network, batch, generator)

        history = train(
            network=network.train(),
            items=Items(n=len(batches), batch_size=1, order=order, batch=batch_of),
            step=step,
            optimizer=torch.optim.AdamW(
                network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
            ),
            generator=generator,
            epochs=config.epochs,
            min_steps=config.min_steps,
            start=start,
            watch=watch,
        )
        self._keep(history)
        self._number_by_time(network.eval(), batches)
        return network

    def _losses(
        self, network: FrameAutoencoder, batch: _Whole, generator: torch.Generator
    ) -> dict[str, Tensor]:
        config: HVQConfig = self.config
        encoded = network.encode(batch.values, batch.real)
        quantised = network.quantise(encoded, batch.real, generator=generator)
        decoded = network.decode(quantised.values[-1], batch.real)
        commitment = commitment_loss(quantised, network.codebooks, batch.real)
        reconstruction = F.mse_loss(decoded[batch.real], batch.values[batch.real])
        return {
            "commitment": commitment,
            "reconstruction": reconstruction,
            "total": config.lambda_commit * commitment + config.lambda_rec * reconstruction,
        }

    @torch.no_grad()
    def _start_codebooks(self, network: FrameAutoencoder, batch: _Whole) -> None:
        """K-means of one recording's frames, level by level."""
        frames = network.encode(batch.values, batch.real)[batch.real]
        for codebook in network.codebooks:
            centres = kmeans(frames.cpu().numpy(), len(codebook.codes), seed=self.seed_, n_init=10)
            codebook.start_from(self._tensor(centres.astype(np.float32)))
            frames = codebook.codes[codebook.assign(frames)]

    @torch.no_grad()
    def _number_by_time(self, network: FrameAutoencoder, batches: list[_Whole]) -> None:
        """Number the codes of both levels by their mean times, and note how long actions last."""
        answers = [self._quantised(network, batch).codes for batch in batches]
        for level, codebook in enumerate(network.codebooks):
            labels = [codes[level].cpu().numpy() for codes in answers]
            used, empty = order_by_time(labels, len(codebook.codes))
            codebook.reorder(torch.from_numpy(np.concatenate([used, empty])))
            warn_if_collapsed(
                labels,
                len(codebook.codes),
                level=("subactions", "actions")[level],
                try_also=(
                    "dead codes that are replaced sooner (a higher min_usage)",
                    "shuffle=true",
                ),
            )
        self.n_used_ = len(used)
        counts = np.array([np.bincount(x[x >= 0], minlength=len(codebook.codes)) for x in labels])
        mean = counts.sum(axis=0) / np.maximum((counts > 0).sum(axis=0), 1)
        self.mean_frames_ = mean[np.concatenate([used, empty])]

    def _whole(self, series: Series) -> _Whole:
        return _Whole(self._tensor(series.values), self._tensor(series.known), (series.id,))

    def _quantised(self, network: FrameAutoencoder, batch: _Whole) -> FrameCodes:
        return network.quantise(network.encode(batch.values, batch.real), batch.real)

    def _label(self, series: Series) -> FrameLabels:
        batch = self._whole(series)
        quantised = self._quantised(self.network_, batch)
        subactions, actions = (codes.cpu().numpy() for codes in quantised.codes)
        if self.config.decoder != "none":
            scores = self.network_.scores(quantised, batch.real)[batch.real]
            actions = actions.copy()
            actions[series.known] = self._decoded(scores, actions[series.known])
        return FrameLabels(actions, subactions=subactions)

    def _decoded(self, scores: Tensor, actions: np.ndarray) -> np.ndarray:
        """Labels of the known frames after decoding."""
        config: HVQConfig = self.config
        shares = np.bincount(actions, minlength=config.n_actions) / len(actions)
        if config.decoder == "counts":
            return in_order(shares, len(actions))
        if config.decoder == "fifa":
            lengths = fifa_lengths(
                scores.cpu(),
                torch.from_numpy(shares),
                torch.from_numpy(self.mean_frames_ / len(actions)),
            )
            return in_order(lengths.numpy(), len(actions))
        probable = F.log_softmax(scores.double() / config.temperature, dim=1).cpu().numpy()
        probable[:, self.n_used_ :] = -np.inf
        stay = stay_chance(config.dwell_seconds, self.fps_)
        return decode(probable, decoder=config.decoder, stay=stay)
