"""ASOT: action segmentation by optimal transport (Xu and Gould, CVPR 2024)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional as F

from histvq.features import FrameScale, Series
from histvq.framewise import FrameLabels, FramewiseConfig, FramewiseEstimator
from histvq.nn.clustering import kmeans
from histvq.nn.embedding import UnitEmbedding
from histvq.nn.sampling import cell_frames
from histvq.nn.transport import assignment_cost, segmentation_plan
from histvq.training import Items, Watch, train

FLOOR = 1e-11


class ASOTConfig(FramewiseConfig, frozen=True, extra="forbid"):
    """Settings of ASOT; the published ones, where one serves all of its datasets.

    Attributes:
        n_hidden: Width of the hidden layer.
        n_embedding: Width of the embedding.
        alpha: Weight of keeping neighbouring frames together, in training.
        alpha_predict: The same for the answer.
        epsilon: Entropy of the transport, in training.
        epsilon_predict: The same for the answer.
        lambda_actions: Weight of using all actions alike, in training.
        lambda_predict: The same for the answer.
        radius: Which frames are neighbours, as a share of the recording (at least one frame).
        rho: Weight of a fixed order of the actions; 0: any order. Published: 0.1 to 0.25.
        marginals: Whether actions may differ in use (`relaxed`, published) or not (`fixed`), in training
            and for the answer.
        n_iter: Steps of the solver.
        temperature: tau, of the predicted probabilities.
        kmeans_init: Start the prototypes from k-means on the embeddings before training.
        learning_rate: Of Adam.
        weight_decay: L2, of Adam.
        batch_size: Recordings a batch.
        sample_frames: Frames a recording in a batch.
        epochs: How many, unless `min_steps` asks for more.
        min_steps: With little data, train for more epochs, until there are this many batches.
    """

    input_scale: FrameScale = "recording_scaled"
    n_hidden: PositiveInt = 128
    n_embedding: PositiveInt = 40
    alpha: float = Field(0.3, ge=0, lt=1)
    alpha_predict: float = Field(0.6, ge=0, lt=1)
    epsilon: PositiveFloat = 0.07
    epsilon_predict: PositiveFloat = 0.04
    lambda_actions: NonNegativeFloat = 0.1
    lambda_predict: NonNegativeFloat = 0.01
    radius: float = Field(0.04, gt=0, le=1)
    rho: NonNegativeFloat = 0.15
    marginals: Literal["relaxed", "fixed"] = "relaxed"
    n_iter: PositiveInt = Field(25, le=10_000)
    temperature: PositiveFloat = 0.1
    kmeans_init: bool = True
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4
    batch_size: PositiveInt = 2
    sample_frames: PositiveInt = 256
    epochs: PositiveInt = 30
    min_steps: NonNegativeInt = 2000


@dataclass(frozen=True, eq=False)
class _Samples:
    """Frames of some recordings, the shorter ones padded."""

    values: Tensor  # (recording, frame, feature)
    real: Tensor  # (recording, frame)
    ids: tuple[str, ...]


class ASOT(FramewiseEstimator):
    """Learns frame embeddings and prototypes from labels that a transport with a sense of time hands out.

    The transport (unbalanced fused Gromov-Wasserstein) keeps neighbouring frames in one action, lets
    actions differ in use, and may have them come again or in any order. The answer is the transport of
    the whole recording; `confidence` is the share of a frame that goes to its action.

    Source: Xu and Gould 2024 and their published code. Departures: neighbours reach at least one frame;
    the solver's step is bounded, and found for each recording by itself (see `nn.transport`); missing is
    what was not measured.
    """

    Config = ASOTConfig
    method_name = "asot"

    network_: UnitEmbedding

    def _build(self, generator: torch.Generator) -> UnitEmbedding:
        config: ASOTConfig = self.config
        widths = (self.n_features_, config.n_hidden, config.n_embedding)
        return UnitEmbedding(widths, config.n_actions)

    def _learn(self, series: list[Series], watch: Watch) -> UnitEmbedding:
        config: ASOTConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator).to(config.device).train()
        values = [self._tensor(s.values[s.known]) for s in series]

        def start() -> None:
            if config.kmeans_init:
                self._start_prototypes(network, values, generator)

        def batch_of(places: list[int]) -> _Samples:
            return self._batch(
                [values[p] for p in places], [series[p].id for p in places], generator
            )

        def step(batch: _Samples) -> dict[str, Tensor]:
            network.set_prototypes(network.prototypes)
            return {"total": self._loss(network, batch)}

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
            epochs=config.epochs,
            min_steps=config.min_steps,
            uneven=False,
            start=start,
            watch=watch,
        )
        self._keep(history)
        network.set_prototypes(network.prototypes)
        return network

    def _start_prototypes(
        self, network: UnitEmbedding, values: list[Tensor], generator: torch.Generator
    ) -> None:
        """Put the prototypes on clusters of what the network makes of a sample of the frames."""
        sampled = torch.cat([self._sampled(v, generator) for v in values])
        with torch.no_grad():
            points = network(sampled).cpu().numpy()
        centres = kmeans(points, self.config.n_actions, seed=self.seed_)
        network.set_prototypes(self._tensor(centres.astype(np.float32)))

    def _sampled(self, values: Tensor, generator: torch.Generator) -> Tensor:
        n_samples = self.config.sample_frames
        chosen = cell_frames(len(values), n_samples=n_samples, generator=generator)
        return values[chosen.to(values.device)]

    def _batch(self, values: list[Tensor], ids: list[str], generator: torch.Generator) -> _Samples:
        n_rows = self.config.sample_frames
        samples = [self._sampled(v, generator) for v in values]
        lengths = torch.tensor([len(s) for s in samples], device=samples[0].device)
        return _Samples(
            values=torch.stack([F.pad(s, (0, 0, 0, n_rows - len(s))) for s in samples]),
            real=torch.arange(n_rows, device=lengths.device) < lengths[:, None],
            ids=tuple(ids),
        )

    def _loss(self, network: UnitEmbedding, batch: _Samples) -> Tensor:
        config: ASOTConfig = self.config
        embeddings = network(batch.values)
        labels = self._plan(
            embeddings.detach(),
            network.prototypes.detach(),
            batch.real,
            alpha=config.alpha,
            epsilon=config.epsilon,
            lambda_actions=config.lambda_actions,
        )
        scores = embeddings @ network.prototypes.T / config.temperature
        predicted = (F.softmax(scores, dim=-1) + FLOOR).log()
        # Padded rows of the labels are 0, but count in the mean, as published.
        return -(labels * predicted).sum(dim=-1).mean()

    def _plan(
        self,
        embeddings: Tensor,
        prototypes: Tensor,
        real: Tensor,
        *,
        alpha: float,
        epsilon: float,
        lambda_actions: float,
    ) -> Tensor:
        config: ASOTConfig = self.config
        return segmentation_plan(
            assignment_cost(embeddings, prototypes, rho=config.rho),
            real,
            alpha=alpha,
            epsilon=epsilon,
            lambda_actions=lambda_actions,
            radius=config.radius,
            n_iter=config.n_iter,
            marginals=config.marginals,
        )

    def _label(self, series: Series) -> FrameLabels:
        config: ASOTConfig = self.config
        plan = self._plan(
            self.network_(self._tensor(series.values)).double().unsqueeze(0),
            self.network_.prototypes.double(),
            self._tensor(series.known).unsqueeze(0),
            alpha=config.alpha_predict,
            epsilon=config.epsilon_predict,
            lambda_actions=config.lambda_predict,
        )[0]
        share, actions = plan.max(dim=1)
        return FrameLabels(
            actions.cpu().numpy(), confidence=share.clamp(0, 1).cpu().numpy().astype(np.float32)
        )
