"""MS-GCN (Filtjens, Vanrumste and Slaets, 2022), and the frame-wise ST-GCN, its first stage alone."""

from collections.abc import Sequence
from typing import Any, Self, overload
from warnings import warn

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from histvq.batching import InputScale
from histvq.errors import DataWarning
from histvq.inputs import alike, listed
from histvq.nn.graph import Partition, adjacency
from histvq.nn.multistage import MultiStageGCN
from histvq.nn.tcn import reach_frames, widest_dilation
from histvq.recording import Recording
from histvq.segments import Segmentation
from histvq.supervised.graphs import graph_named, graph_of
from histvq.supervised.learning import SupervisedConfig, SupervisedEstimator

# How much like the training data recordings must look for imported weights, see `MSGCN._compare`.
ALIKE, TIMES, ENOUGH_S = 0.9, 10.0, 300.0


class MSGCNConfig(SupervisedConfig, frozen=True, extra="forbid"):
    """Settings of MS-GCN; the published ones.

    Attributes:
        graph: Which joints are joined: `auto`, as the recordings' parents say; or a name of
            `supervised.graphs.GRAPHS`, whose joints must be the recordings'.
        partition: How the graph is cut into parts with weights of their own: `spatial`, `distance` or
            `uniform`.
        n_stages: Stages; the first sees the graph, the others correct the one before them.
        n_layers: Layers a stage; layer l has dilation 2**l frames.
        n_maps: Width of a stage.
    """

    graph: str = "auto"
    partition: Partition = "spatial"
    n_stages: PositiveInt = Field(4, le=64)
    n_layers: PositiveInt = Field(10, le=16)
    n_maps: PositiveInt = 64
    batch_size: PositiveInt = 4
    epochs: PositiveInt = 100


class MSGCN(SupervisedEstimator):
    """Graph convolutions over joints and dilated ones over time, then stages that correct the outcome.

    Source: Filtjens et al. 2022 and the layout of their published weights; ST-GCN: Yan, Xiong and Lin
    2018. Departures: see `nn.multistage.MultiStageGCN` and `nn.frame_loss.smoothing_loss`; published is
    no validation and the last epoch (`validation=0`).

    Attributes, after `fit`, beside those of `SupervisedEstimator`:
        graph_: Edges and centres of the graph, as indices of the joints.
        imported_: Whether the weights come from elsewhere; recordings are then looked at first.
    """

    Config = MSGCNConfig
    method_name = "ms-gcn"

    graph_: dict[str, Any]
    imported_: bool = False

    _saved = (*SupervisedEstimator._saved, "graph", "imported")

    def _suit(self, prepared: list[Recording]) -> None:
        config: MSGCNConfig = self.config
        first = prepared[0]
        graph = (
            graph_of(first)
            if config.graph == "auto"
            else graph_named(config.graph, first.joint_names)
        )
        self.graph_ = {"edges": [list(edge) for edge in graph.edges], "centres": [*graph.centres]}
        self.imported_ = False
        self.scale_ = _as_it_is(first.skeleton.shape[2])

    def _gap(self) -> int:
        return widest_dilation(self.config.n_layers)

    def _reach(self) -> int:
        return reach_frames(self.config.n_layers, n_stages=self.config.n_stages)

    def _build(self, generator: torch.Generator) -> MultiStageGCN:
        config: MSGCNConfig = self.config
        return MultiStageGCN(
            adjacency=adjacency(
                [(one, other) for one, other in self.graph_["edges"]],
                n_joints=len(self.layout_["joint_names"]),
                centres=self.graph_["centres"],
                partition=config.partition,
            ),
            n_channels=self._n_channels,
            n_classes=len(self.actions_),
            n_maps=config.n_maps,
            n_layers=config.n_layers,
            n_stages=config.n_stages,
        )

    @overload
    def predict(self, recordings: Recording) -> Segmentation: ...
    @overload
    def predict(self, recordings: Sequence[Recording]) -> list[Segmentation]: ...
    def predict(
        self, recordings: Recording | Sequence[Recording]
    ) -> Segmentation | list[Segmentation]:
        """One action for every frame, see `SavedEstimator.predict`.

        Warns:
            DataWarning: With imported weights, if the recordings together look as if their joints were in
                another order, or their numbers on another scale, than those the weights were trained on.
        """
        self._require_fitted(self._learned)
        if self.imported_:
            made = [alike(recording, self.layout_) for recording in listed(recordings)]
            self._compare(made)
            recordings = made[0] if isinstance(recordings, Recording) else made
        return super().predict(recordings)

    def _compare(self, recordings: list[Recording]) -> None:
        """Hold the channels of all recordings against the normalisation the network has learned.

        The thresholds were set on HuGaDB: in the right order every person's means correlate by 0.97 and
        more, in the files' own order by 0.85 and less; deviations are 0.4 to 1.5 times the learned ones.
        Somebody who only sits is not like everybody: less than `ENOUGH_S` of recordings tell nothing.
        """
        norm = self.network_.norm.norm
        learned, spread = (v.cpu().double().numpy() for v in (norm.running_mean, norm.running_var))
        if sum(r.duration_s for r in recordings) < ENOUGH_S or not learned.std():
            return
        frames = [
            self._prepare(r).skeleton.reshape(r.n_frames and -1, len(learned)) for r in recordings
        ]
        values = np.concatenate(frames).astype(np.float64)
        values = values[~np.isnan(values).any(axis=1)]
        mean = values.mean(axis=0) if len(values) else np.zeros(len(learned))
        if not mean.std():
            return
        likeness = np.corrcoef(mean, learned)[0, 1]
        varying = float(np.median(values.std(axis=0) / np.sqrt(np.maximum(spread, 1e-12))))
        size = float(np.linalg.norm(mean) / np.linalg.norm(learned))
        faults = []
        if likeness < ALIKE:
            faults.append(
                f"the means of the channels correlate by {likeness:.2f} with those the imported weights "
                f"were trained on (expected: {ALIKE:g} or more). Perhaps the joints are in another order "
                "than their names say, or the axes point elsewhere"
            )
        # Both: somebody who stands still varies little, but is as heavy as ever.
        if all(not 1 / TIMES < ratio < TIMES for ratio in (varying, size)):
            faults.append(
                f"the channels vary {varying:.2g} times as much, and are {size:.2g} times as large on "
                "average, as those the imported weights were trained on. Perhaps the numbers are scaled, "
                "or in another unit"
            )
        for fault in faults:
            warn(fault, DataWarning, stacklevel=3)

    @classmethod
    def from_weights(
        cls,
        weights: dict[str, Tensor],
        *,
        layout: dict[str, Any],
        actions: Sequence[str],
        fps: float,
        **params: Any,
    ) -> Self:
        """A fitted method with learned weights from elsewhere.

        Args:
            weights: Parameters and buffers of the network, by our names; the graph is among them.
            layout: Joints, channels and unit of the recordings it was trained on, see `layout_of`.
            actions: Name of each class.
            fps: Rate it works at.
            **params: The method's parameters.

        Raises:
            ConfigError: If the weights do not fit the parameters.
        """
        model = cls(fps=fps, centre=False, validation=0.0, **params)
        model.layout_, model.fps_, model.centred_ = layout, fps, False
        model.actions_, model.held_out_, model.n_recordings_ = tuple(actions), [], 0
        model.seed_, model.history_, model.kept_epoch_ = 0, [], 0
        model.graph_, model.imported_ = {"edges": [], "centres": []}, True
        model.scale_ = _as_it_is(model._n_channels)
        model._take(weights)
        return model


def _as_it_is(n_channels: int) -> InputScale:
    """The network normalises its input itself."""
    return InputScale(np.zeros(n_channels, np.float32), np.ones(n_channels, np.float32))


class STGCNConfig(MSGCNConfig, frozen=True, extra="forbid"):
    """Settings of the frame-wise ST-GCN."""

    n_stages: PositiveInt = Field(1, le=64)


class STGCN(MSGCN):
    """A single graph stage: ST-GCN without strides or pooling, so that every frame has an answer.

    Source: see `MSGCN`. The original answers once for a whole clip.
    """

    Config = STGCNConfig
    method_name = "st-gcn"
