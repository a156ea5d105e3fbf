"""Which epoch of a training to keep, judged by the network's answers patch by patch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from histvq.chunks import PatchCodes
from histvq.nn.codebook import Codebook
from histvq.nn.hierarchy import HierarchicalQuantiser


class Kept:
    """Keeps one epoch: the last, or the steadiest of those in which the most actions are in use.

    The second condition is there because nothing is steadier than one action for everything.
    """

    def __init__(self, *, steadiest: bool) -> None:
        self.steadiest = steadiest
        self.n_offered = 0
        self.best = (-1, 0.0)
        self.epoch = 0
        self.scores: dict[str, float] = {}
        self.latest: list[PatchCodes] = []
        self.answers: list[PatchCodes] = []
        self.state: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """Everything of it."""
        lists = {name: [vars(a) for a in getattr(self, name)] for name in ("latest", "answers")}
        return {**vars(self), **lists}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back."""
        vars(self).update(state_dict)
        for name in ("latest", "answers"):
            setattr(self, name, [PatchCodes(**arrays) for arrays in state_dict[name]])

    def offer(self, answers: list[PatchCodes], network: nn.Module) -> None:
        """Consider the network as it is after an epoch, and its answers for all training data."""
        changed, used = share_changed(self.latest, answers), n_used(answers)
        self.n_offered += 1
        self.latest = answers
        self.scores = {"changed": changed, "actions_in_use": used}
        if self.steadiest and (used, -changed) <= self.best:
            return
        self.best, self.epoch, self.answers = (used, -changed), self.n_offered, answers
        self.state = {name: value.clone() for name, value in network.state_dict().items()}


def share_changed(before: list[PatchCodes], after: list[PatchCodes]) -> float:
    """Share of patches whose action is another than an epoch ago; 1 after the first epoch."""
    if not before:
        return 1.0
    pairs = zip(before, after, strict=True)
    return float(np.mean(np.concatenate([b.actions != a.actions for b, a in pairs])))


def n_used(answers: list[PatchCodes]) -> int:
    """How many actions occur."""
    codes = np.unique(np.concatenate([answer.actions for answer in answers]))
    return int((codes >= 0).sum())


def number_by_use(quantiser: HierarchicalQuantiser, answers: list[PatchCodes]) -> None:
    """Number the codes of the finest level and of the top by how many patches have them."""
    for level, codes in ((0, "subactions"), (-1, "actions")):
        codebook = quantiser.codebooks[level]
        assert isinstance(codebook, Codebook)
        used = np.concatenate([getattr(answer, codes) for answer in answers])
        counts = np.bincount(used[used >= 0], minlength=len(codebook.usage))
        place = level % len(quantiser.codebooks)
        quantiser.reorder(place, torch.from_numpy(np.argsort(-counts, kind="stable")))
        if len(quantiser.codebooks) == 1:
            return
