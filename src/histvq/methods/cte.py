"""CTE: continuous temporal embedding and k-means (Kukleva et al., CVPR 2019)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from scipy.stats import multivariate_normal
from torch import Tensor

from histvq.features import Series
from histvq.framewise import DecodedConfig, FrameLabels, FramewiseEstimator, stay_chance
from histvq.nn.clustering import kmeans, nearest
from histvq.nn.decoding import decode, order_by_time
from histvq.nn.embedding import TimeRegression
from histvq.training import Items, Watch, train

# Added to a Gaussian's covariance, as in the published code.
RIDGE = 1e-4


class CTEConfig(DecodedConfig, frozen=True, extra="forbid"):
    """Settings of CTE; those of its network are the published ones.

    Attributes:
        n_embedding: d, width of the embedding; the layer before it has twice that.
        embed_activation: What is clustered: the embedding as it is (`none`), or its `sigmoid`, as TOT's
            code has it.
        kmeans: `minibatch` (published) or `full`.
        kmeans_batch: Frames a step of mini-batch k-means; published: 50, slow and noisy on much data.
        learning_rate: Of Adam.
        weight_decay: L2, of Adam.
        halve_every: Epochs after which the learning rate is halved, again and again; 0: never.
            Published: 30.
        batch_frames: Frames a batch, from all recordings mixed.
        max_frames_per_epoch: With very much data, an epoch sees so many frames, drawn anew; 0: all.
        epochs: How many, unless `min_steps` asks for more.
        min_steps: With little data, train for more epochs, until there are this many batches.
    """

    n_embedding: PositiveInt = 20
    embed_activation: Literal["none", "sigmoid"] = "none"
    kmeans: Literal["minibatch", "full"] = "minibatch"
    kmeans_batch: PositiveInt = 1024
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4
    halve_every: NonNegativeInt = 0
    batch_frames: PositiveInt = 256
    max_frames_per_epoch: NonNegativeInt = 0
    epochs: PositiveInt = 30
    min_steps: NonNegativeInt = 5000


@dataclass(frozen=True, eq=False)
class _Frames:
    """A batch of frames from all over the data, and their relative times."""

    values: Tensor
    times: Tensor
    places: Tensor
    names: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.names[place] for place in self.places.unique().tolist())


class CTE(FramewiseEstimator):
    """Learns to tell a frame's relative time, and clusters what the network makes of it on the way.

    Frames get the nearest of K centres, or with a decoder the best path through the Gaussians of the
    clusters. What the embedding knows best is when in a recording a frame stands: where actions come
    again, or in another order, clusters mostly say that.

    Source: Kukleva et al. 2019 and their published code, without its model of a background.
    Departures: missing is what was not measured, not frames that add up to 0; a cluster of fewer than
    two frames is left out of the transcript; a recording shorter than the transcript may skip actions.

    Attributes, after `fit`, beside those of `NetworkEstimator`:
        centres_: (action, embedding), in the order of the actions' mean times.
        gaussian_means_, covariances_: Of the frames of each cluster; NaN for one of fewer than two.
    """

    Config = CTEConfig
    method_name = "cte"

    network_: TimeRegression
    centres_: np.ndarray
    gaussian_means_: np.ndarray
    covariances_: np.ndarray

    _arrays = ("centres", "gaussian_means", "covariances")

    def _build(self, generator: torch.Generator) -> TimeRegression:
        return TimeRegression(self.n_features_, self.config.n_embedding)

    def _learn(self, series: list[Series], watch: Watch) -> TimeRegression:
        config: CTEConfig = self.config
        generator = torch.Generator().manual_seed(self.seed_)
        network = self._build(generator).to(config.device).train()
        values = self._tensor(np.concatenate([s.values[s.known] for s in series]))
        times = self._tensor(np.concatenate([_relative_times(s)[s.known] for s in series]))
        counts = torch.tensor([int(s.known.sum()) for s in series])
        places = torch.repeat_interleave(torch.arange(len(series)), counts)
        names = tuple(s.id for s in series)
        n_frames = min(len(values), config.max_frames_per_epoch or len(values))

        def batch_of(chosen: list[int]) -> _Frames:
            there = torch.tensor(chosen)
            return _Frames(
                values[there.to(config.device)],
                times[there.to(config.device)],
                places[there],
                names,
            )

        def step(batch: _Frames) -> dict[str, Tensor]:
            # A sum, not a mean: that is what the weight decay is measured against.
            return {"total": (network(batch.values) - batch.times).square().sum()}

        optimizer = torch.optim.Adam(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        schedule = torch.optim.lr_scheduler.StepLR(
            optimizer, config.halve_every or 10**9, gamma=0.5
        )

        def end_of_epoch(_: int) -> dict[str, float]:
            schedule.step()
            return {"learning_rate": float(schedule.get_last_lr()[0])}

        history = train(
            network=network,
            items=Items(
                n=n_frames,
                batch_size=config.batch_frames,
                order=lambda: torch.randperm(len(values), generator=generator)[:n_frames],
                batch=batch_of,
            ),
            step=step,
            optimizer=optimizer,
            generator=generator,
            epochs=config.epochs,
            min_steps=config.min_steps,
            uneven=False,
            also={"schedule": schedule},
            end_of_epoch=end_of_epoch,
            watch=watch,
        )
        self._keep(history)
        self._cluster(network.eval(), series)
        return network

    @torch.no_grad()
    def _cluster(self, network: TimeRegression, series: list[Series]) -> None:
        """Centres and Gaussians, in the order of their mean times."""
        config: CTEConfig = self.config
        embedded = [self._embedded(s, network) for s in series]
        points = np.concatenate([e[s.known] for e, s in zip(embedded, series, strict=True)])
        centres = kmeans(
            points,
            config.n_actions,
            seed=self.seed_,
            batch_size=config.kmeans_batch if config.kmeans == "minibatch" else 0,
        )
        labels = [
            np.where(s.known, nearest(e, centres), -1)
            for e, s in zip(embedded, series, strict=True)
        ]
        used, empty = order_by_time(labels, config.n_actions)
        order = np.concatenate([used, empty])
        self.centres_ = centres[order]
        codes = np.concatenate(labels)
        codes = np.argsort(order)[codes[codes >= 0]]
        members = [points[codes == k] for k in range(config.n_actions)]
        self.gaussian_means_ = np.array([_mean(m) for m in members])
        self.covariances_ = np.array([_covariance(m) for m in members])

    def _embedded(self, series: Series, network: TimeRegression) -> np.ndarray:
        embedding = network.embedding(self._tensor(series.values))
        if self.config.embed_activation == "sigmoid":
            embedding = torch.sigmoid(embedding)
        return embedding.cpu().numpy().astype(np.float64)

    def _label(self, series: Series) -> FrameLabels:
        embedded = self._embedded(series, self.network_)
        decoder = self.config.decoder
        if decoder == "none":
            return FrameLabels(nearest(embedded, self.centres_))
        scores = self.log_densities(embedded)
        scores[~series.known] = np.nan
        return FrameLabels(
            decode(scores, decoder=decoder, stay=stay_chance(self.config.dwell_seconds, self.fps_))
        )

    def log_densities(self, embedded: np.ndarray) -> np.ndarray:
        """Log density of frames (frame, embedding) under each cluster's Gaussian; -inf without one."""
        scores = np.full((len(embedded), len(self.centres_)), -np.inf)
        for k in np.flatnonzero(~np.isnan(self.gaussian_means_).any(axis=1)):
            gaussian = multivariate_normal(self.gaussian_means_[k], self.covariances_[k])
            scores[:, k] = gaussian.logpdf(embedded)
        return scores


def _relative_times(series: Series) -> np.ndarray:
    """When in its recording each frame stands, in [0, 1)."""
    n_frames = len(series.values)
    return (np.arange(n_frames) / n_frames).astype(np.float32)


def _mean(members: np.ndarray) -> np.ndarray:
    return members.mean(axis=0) if len(members) > 1 else np.full(members.shape[1], np.nan)


def _covariance(members: np.ndarray) -> np.ndarray:
    """Maximum-likelihood covariance and the ridge."""
    width = members.shape[1]
    if len(members) < 2:
        return np.full((width, width), np.nan)
    return np.cov(members, rowvar=False, bias=True).reshape(width, width) + RIDGE * np.eye(width)
