"""TOT: temporal optimal transport (Kumar et al., CVPR 2022)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional as F

from histvq.features import Series
from histvq.framewise import DecodedConfig, FrameLabels, FramewiseEstimator, stay_chance
from histvq.nn.coherence import coherence_loss
from histvq.nn.decoding import decode, order_by_time
from histvq.nn.embedding import PrototypeScores
from histvq.nn.sampling import anchored_frames
from histvq.nn.transport import balanced_labels, temporal_prior
from histvq.training import Items, Watch, train

FLOOR = 1e-30


class TOTConfig(DecodedConfig, frozen=True, extra="forbid"):
    """Settings of TOT; where its code says something, the published ones.

    Attributes:
        n_embedding: d, width of the embedding; the layer before it has twice that.
        temporal_prior: Pull actions towards their place in the order, by which each is as likely at its
            own share of the recording.
        coherence: Add the temporal coherence loss. The published code has both off unless asked; the
            full method of the paper has both on.
        sigma: Width of the prior.
        epsilon: Entropy of the transport.
        temperature: tau, of the predicted probabilities and of the coherence loss.
        n_sinkhorn: Scalings of the transport; three do not converge, and are the published number.
        learning_rate: Of Adam.
        weight_decay: L2, of Adam.
        batch_size: Recordings a batch.
        sample_frames: Frames a recording in a batch, a multiple of 64.
        reach_frames: How far from its anchor a sampled neighbour may be.
        steps: How many batches, over as many epochs as it takes. Published: 4000 epochs of few videos.
        frozen: Share of the steps during which the prototypes do not learn.
    """

    n_embedding: PositiveInt = 30
    temporal_prior: bool = True
    coherence: bool = True
    sigma: PositiveFloat = 1.5
    epsilon: PositiveFloat = 0.08
    temperature: PositiveFloat = 0.1
    n_sinkhorn: PositiveInt = 3
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4
    batch_size: PositiveInt = 2
    sample_frames: PositiveInt = Field(128, multiple_of=64)
    reach_frames: PositiveInt = 30
    steps: PositiveInt = 10_000
    frozen: float = Field(0.1, ge=0, lt=1)


@dataclass(frozen=True, eq=False)
class _Samples:
    """Frames of some recordings, (recording, sample, feature), each in order of time."""

    values: Tensor
    ids: tuple[str, ...]


class _Steps:
    """How many steps are done."""

    def __init__(self) -> None:
        self.done = 0

    def state_dict(self) -> dict[str, int]:
        return {"done": self.done}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.done = state_dict["done"]


class TOT(FramewiseEstimator):
    """Learns frame embeddings and prototypes of the actions from labels that transport hands out.

    Every batch, the frames are shared out among the actions, each of which gets the same number, by
    score and, with the temporal prior, by time; the network learns to predict the shares. `confidence`
    is the predicted probability of the action.

    Source: Kumar et al. 2022 and their published code. Departures: with a decoder, the order of the
    actions is that of their mean times whether or not there is a prior; missing is what was not
    measured; recordings of fewer than 32 frames can be sampled; the number of steps, above.
    """

    Config = TOTConfig
    method_name = "tot"

    network_: PrototypeScores
    n_used_: int

    _saved = (*FramewiseEstimator._saved, "n_used")

    def _build(self, generator: torch.Generator) -> PrototypeScores:
        return PrototypeScores(self.n_features_, self.config.n_embedding, self.config.n_actions)

    def _learn(self, series: list[Series], watch: Watch) -> PrototypeScores:
        config: TOTConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator).to(config.device).train()
        values = [self._tensor(s.values[s.known]) for s in series]
        prior = self._prior().to(config.device)
        steps = _Steps()

        def batch_of(places: list[int]) -> _Samples:
            return _Samples(
                torch.stack([self._sampled(values[place], generator) for place in places]),
                tuple(series[place].id for place in places),
            )

        def step(batch: _Samples) -> dict[str, Tensor]:
            steps.done += 1
            return self._losses(
                network, batch.values, prior, frozen=steps.done <= config.frozen * config.steps
            )

        history = train(
            network=network,
            items=Items.shuffled(
                range(len(series)), batch_of, batch_size=config.batch_size, generator=generator
            ),
            step=step,
            optimizer=torch.optim.Adam(
                network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
            ),
            generator=generator,
            epochs=1,
            min_steps=config.steps,
            uneven=False,
            also={"steps": steps},
            watch=watch,
        )
        self._keep(history)
        self._number_by_time(network.eval(), series)
        return network

    def _prior(self) -> Tensor:
        """Log prior of the frames of one recording's sample."""
        config: TOTConfig = self.config
        if config.temporal_prior:
            return temporal_prior(config.sample_frames, config.n_actions, sigma=config.sigma)
        return torch.zeros(config.sample_frames, config.n_actions)

    def _sampled(self, values: Tensor, generator: torch.Generator) -> Tensor:
        config: TOTConfig = self.config
        chosen = anchored_frames(
            len(values),
            n_samples=config.sample_frames,
            reach=config.reach_frames,
            generator=generator,
        )
        return values[chosen.to(values.device)]

    def _losses(
        self, network: PrototypeScores, values: Tensor, prior: Tensor, *, frozen: bool
    ) -> dict[str, Tensor]:
        config: TOTConfig = self.config
        embeddings = network.embed(values)
        weight = network.prototypes.weight
        scores = F.linear(embeddings, weight.detach() if frozen else weight).flatten(0, 1)
        labels = balanced_labels(
            scores.detach(),
            prior.repeat(len(values), 1),
            epsilon=config.epsilon,
            n_sinkhorn=config.n_sinkhorn,
        )
        predicted = F.log_softmax(scores / config.temperature, dim=1).clamp(min=math.log(FLOOR))
        losses = {"cluster": -(labels * predicted).sum(dim=1).mean()}
        if config.coherence:
            losses["coherence"] = coherence_loss(embeddings, temperature=config.temperature)
        return {**losses, "total": sum(losses.values(), torch.zeros(()))}

    def _number_by_time(self, network: PrototypeScores, series: list[Series]) -> None:
        """Number the actions by their mean times, those that no frame has last."""
        labels = [
            np.where(s.known, self._log_probabilities(s, network).argmax(axis=1), -1)
            for s in series
        ]
        used, empty = order_by_time(labels, self.config.n_actions)
        network.reorder(np.concatenate([used, empty]).tolist())
        self.n_used_ = len(used)

    @torch.no_grad()
    def _log_probabilities(self, series: Series, network: PrototypeScores) -> np.ndarray:
        scores = network(self._tensor(series.values)) / self.config.temperature
        predicted = F.log_softmax(scores.double(), dim=1).clamp(min=math.log(FLOOR))
        return predicted.cpu().numpy()

    def _label(self, series: Series) -> FrameLabels:
        probable = self._log_probabilities(series, self.network_)
        scores = np.where(series.known[:, None], probable, np.nan)
        scores[:, self.n_used_ :] = -np.inf
        actions = decode(
            scores,
            decoder=self.config.decoder,
            stay=stay_chance(self.config.dwell_seconds, self.fps_),
        )
        return FrameLabels(
            actions, confidence=np.exp(np.take_along_axis(probable, actions[:, None], axis=1))[:, 0]
        )
