"""ED-TCN, the encoder-decoder of Lea, Flynn, Vidal, Reiter and Hager, CVPR 2017."""

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from histvq.batching import Batch
from histvq.nn.encoder_decoder import EncoderDecoderTCN, reach_frames, widest_reach
from histvq.supervised.tcn import FlatConfig, FlatEstimator


class EDTCNConfig(FlatConfig, frozen=True, extra="forbid"):
    """Settings of ED-TCN; the published ones for 50 Salads.

    Attributes:
        widths: Maps of each encoder layer; every layer halves the frame rate.
        kernel_frames: Length of a convolution.
        kernel_seconds: The same in seconds, at the network's rate; None: as `kernel_frames` says.
            Published kernels span 2 s and more, as their input has few frames a second.
        dropout: Share of channels dropped, for a whole recording.
    """

    widths: tuple[PositiveInt, ...] = Field((64, 96), min_length=1, max_length=6)
    kernel_frames: PositiveInt = 25
    kernel_seconds: PositiveFloat | None = None
    dropout: float = Field(0.3, ge=0, lt=1)
    smoothing_weight: float = Field(0.0, ge=0)
    learning_rate: PositiveFloat = 1e-3
    batch_size: PositiveInt = 8
    epochs: PositiveInt = 200


class EDTCN(FlatEstimator):
    """Wide convolutions over ever fewer frames, and back again.

    Source: Lea et al. 2017 and their published code (RMSprop, cross-entropy). Departures: see
    `nn.encoder_decoder.EncoderDecoderTCN`.
    """

    Config = EDTCNConfig
    method_name = "ed-tcn"

    def _kernel_frames(self) -> int:
        config: EDTCNConfig = self.config
        if config.kernel_seconds is None:
            return config.kernel_frames
        return max(1, round(config.kernel_seconds * self.fps_))

    def _gap(self) -> int:
        return widest_reach(len(self.config.widths), self._kernel_frames())

    def _reach(self) -> int:
        return reach_frames(len(self.config.widths), self._kernel_frames())

    def _start_at(self) -> int:
        return int(2 ** len(self.config.widths))

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        # The published code leaves these to its framework, Keras.
        return torch.optim.RMSprop(
            network.parameters(), lr=self.config.learning_rate, alpha=0.9, eps=1e-7
        )

    def _logits(self, network: nn.Module, batch: Batch) -> Tensor:
        frames = torch.arange(batch.skeleton.shape[1], device=batch.skeleton.device)
        starts = torch.tensor(batch.starts, device=frames.device)
        owner = torch.searchsorted(starts, frames, right=True) - 1
        logits: Tensor = network(batch.skeleton, batch.real, owner)
        return logits

    def _build(self, generator: torch.Generator) -> EncoderDecoderTCN:
        config: EDTCNConfig = self.config
        return EncoderDecoderTCN(
            n_joints=len(self.layout_["joint_names"]),
            n_channels=self._n_channels,
            n_classes=len(self.actions_),
            widths=config.widths,
            kernel_frames=self._kernel_frames(),
            dropout=config.dropout,
            input_norm=config.input_norm,
        )
