"""How far a training has come."""

from dataclasses import asdict
from typing import Any

from torch import Tensor

from histvq.segmenter import Progress


class Course:
    """Epochs and batches done, and what they brought.

    Attributes:
        epoch: The one under way, from 0.
        n_done: Batches of it that are done.
        order: Places of its items, in order; None before it begins.
        sums: Of the losses of its batches.
        history: One entry an epoch that is over.
        over: Whether no more epochs are to come, however many are allowed.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.n_done = 0
        self.order: Tensor | None = None
        self.sums: dict[str, float] = {}
        self.history: list[Progress] = []
        self.over = False

    @property
    def means(self) -> dict[str, float]:
        """Of the losses since the epoch began."""
        return {name: total / self.n_done for name, total in self.sums.items()}

    def add(self, losses: dict[str, float]) -> None:
        """Note the losses of a batch."""
        self.n_done += 1
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + loss

    def end_epoch(
        self, epochs: int, n_batches: int, scores: dict[str, float], *, min_gain: float
    ) -> None:
        """Note what an epoch brought, and whether it was the last."""
        means = self.means
        self.history.append(
            Progress(self.epoch, epochs, n_batches, n_batches, means, scores, epoch_over=True)
        )
        if min_gain and self.epoch:
            before = self.history[-2].losses["total"]
            self.over = means["total"] > (1 - min_gain) * before
        self.epoch, self.n_done, self.order, self.sums = self.epoch + 1, 0, None, {}

    def state_dict(self) -> dict[str, Any]:
        """Everything of it."""
        return {**vars(self), "history": [asdict(entry) for entry in self.history]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        vars(self).update(state_dict)
        self.history = [Progress(**entry) for entry in state_dict["history"]]
