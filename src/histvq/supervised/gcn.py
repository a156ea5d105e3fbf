"""MS-GCN (Filtjens, Vanrumste and Slaets, 2022), and the frame-wise ST-GCN, its first stage alone."""

from typing import Any

import numpy as np
import torch
from pydantic import PositiveInt

from histvq.batching import InputScale
from histvq.nn.graph import Partition, adjacency
from histvq.nn.multistage import MultiStageGCN
from histvq.nn.tcn import widest_dilation
from histvq.recording import Recording
from histvq.supervised.graphs import graph_named, graph_of
from histvq.supervised.learning import SupervisedConfig, SupervisedEstimator


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
    n_stages: PositiveInt = 4
    batch_size: PositiveInt = 4
    epochs: PositiveInt = 100


class MSGCN(SupervisedEstimator):
    """Graph convolutions over joints and dilated ones over time, then stages that correct the outcome.

    Source: Filtjens et al. 2022 and the layout of their published weights; ST-GCN: Yan, Xiong and Lin
    2018. Departures: see `nn.multistage.MultiStageGCN` and `nn.frame_loss.smoothing_loss`; published is
    no validation and the last epoch (`validation=0`).

    Attributes, after `fit`, beside those of `SupervisedEstimator`:
        graph_: Edges and centres of the graph, as indices of the joints.
    """

    Config = MSGCNConfig
    method_name = "ms-gcn"

    graph_: dict[str, Any]

    _saved = (*SupervisedEstimator._saved, "graph")

    def _suit(self, prepared: list[Recording]) -> None:
        config: MSGCNConfig = self.config
        first = prepared[0]
        graph = (
            graph_of(first)
            if config.graph == "auto"
            else graph_named(config.graph, first.joint_names)
        )
        self.graph_ = {"edges": [list(edge) for edge in graph.edges], "centres": [*graph.centres]}
        n_channels = first.skeleton.shape[2]
        self.scale_ = InputScale(np.zeros(n_channels, np.float32), np.ones(n_channels, np.float32))

    def _gap(self) -> int:
        return widest_dilation(self.config.n_layers)

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


class STGCNConfig(MSGCNConfig, frozen=True, extra="forbid"):
    """Settings of the frame-wise ST-GCN."""

    n_stages: PositiveInt = 1


class STGCN(MSGCN):
    """A single graph stage: ST-GCN without strides or pooling, so that every frame has an answer.

    Source: see `MSGCN`. The original answers once for a whole clip.
    """

    Config = STGCNConfig
    method_name = "st-gcn"
