"""The network as it was after its best epoch."""

import math
from typing import Any

from torch import Tensor, nn


class BestEpoch:
    """Remembers the network as it was after its best epoch."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.score = -math.inf
        self.epoch = 0
        self.state: dict[str, Tensor] = {}

    def offer(self, score: float, epoch: int) -> None:
        """Remember it as it is now, if no epoch before (from 0) had as high a score."""
        if score > self.score:
            self.score, self.epoch = score, epoch + 1
            self.state = {name: v.clone() for name, v in self.network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything of it but the network."""
        return {name: value for name, value in vars(self).items() if name != "network"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        vars(self).update(state_dict)

    def restore(self) -> int:
        """Put it back; returns the epoch, from 1."""
        self.network.load_state_dict(self.state)
        return self.epoch
