"""MS-TCN (Abu Farha and Gall, CVPR 2019), and its first stage alone."""

import numpy as np
import torch
from pydantic import Field, PositiveInt

from histvq.batching import InputScale
from histvq.features import fit_frame_scale
from histvq.nn.multistage import MultiStageTCN
from histvq.nn.tcn import reach_frames, widest_dilation
from histvq.recording import Recording
from histvq.supervised.learning import SupervisedConfig, SupervisedEstimator


class FlatConfig(SupervisedConfig, frozen=True, extra="forbid"):
    """Settings of methods that take a frame's joints and channels as one vector.

    Attributes:
        input_norm: Normalise each channel of each joint batch by batch; else by mean and deviation of
            the training data. How the published rows were fed is not known: raw counts train badly.
    """

    input_norm: bool = True


class MSTCNConfig(FlatConfig, frozen=True, extra="forbid"):
    """Settings of MS-TCN; the published ones.

    Attributes:
        n_stages: Stages, each correcting the one before it.
        n_layers: Residual layers a stage; layer l has dilation 2**l frames.
        n_maps: Width of a stage.
        dropout: In every layer.
    """

    n_stages: PositiveInt = Field(4, le=64)
    n_layers: PositiveInt = Field(10, le=16)
    n_maps: PositiveInt = 64
    dropout: float = Field(0.5, ge=0, lt=1)


class FlatEstimator(SupervisedEstimator):
    """Sees a frame as one vector."""

    def _suit(self, prepared: list[Recording]) -> None:
        shape = prepared[0].skeleton.shape[1:]
        scale = fit_frame_scale(prepared, mode="none" if self.config.input_norm else "dataset")
        self.scale_ = InputScale(
            *(a.reshape(shape).astype(np.float32) for a in (scale.offset, scale.factor))
        )


class MSTCN(FlatEstimator):
    """Four stages of dilated convolutions over the frame vectors, each correcting the one before it.

    Source: Abu Farha and Gall 2019. Departures: see `nn.multistage.MultiStageTCN` and
    `nn.frame_loss.smoothing_loss`; published is no validation and the last epoch (`validation=0`).
    """

    Config = MSTCNConfig
    method_name = "ms-tcn"

    def _gap(self) -> int:
        return widest_dilation(self.config.n_layers)

    def _reach(self) -> int:
        return reach_frames(self.config.n_layers, n_stages=self.config.n_stages)

    def _build(self, generator: torch.Generator) -> MultiStageTCN:
        config: MSTCNConfig = self.config
        return MultiStageTCN(
            n_joints=len(self.layout_["joint_names"]),
            n_channels=self._n_channels,
            n_classes=len(self.actions_),
            n_maps=config.n_maps,
            n_layers=config.n_layers,
            n_stages=config.n_stages,
            dropout=config.dropout,
            input_norm=config.input_norm,
        )


class SingleStageConfig(MSTCNConfig, frozen=True, extra="forbid"):
    """Settings of the single-stage TCN."""

    n_stages: PositiveInt = Field(1, le=64)


class SingleStageTCN(MSTCN):
    """A single stage of MS-TCN: most likely what the papers' tables call TCN.

    Source: see `MSTCN`. The tables cite Lea et al., whose own network is `ed-tcn`; but accuracies close
    to MS-TCN's with far lower F1 are what leaving out its later stages makes.
    """

    Config = SingleStageConfig
    method_name = "single-stage-tcn"
