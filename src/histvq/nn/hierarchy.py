"""Vector quantisation in levels: patches to subactions, subactions to actions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from histvq.nn.codebook import Codebook, prototype_distances
from histvq.nn.peers import peers


@dataclass(frozen=True)
class Quantised:
    """What every level made of the patches, finest level first.

    Attributes:
        values: (patch, patch_frame, joint, latent) a level: prototypes going forward, the identity
            going backward (straight-through), 0 where not real.
        codes: (patch,) a level.
    """

    values: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]


class HierarchicalQuantiser(nn.Module):
    """Codebooks one above the other: each level quantises the prototypes of the level below.

    Source: HiST-VQ section 3.1, eqs. (1)-(4). A higher level sees only prototypes of the level below,
    so it maps codes to codes: every patch of a subaction has the same action.

    Args:
        codebooks: Finest level first.
        keep_parents: Each code has the parent that `start_at` gave it, whatever prototype is nearest:
            actions that are no balls cannot be told by the nearest of one prototype each.
    """

    def __init__(self, codebooks: list[Codebook], *, keep_parents: bool = False) -> None:
        super().__init__()
        self.codebooks = nn.ModuleList(codebooks)
        self.keep_parents = keep_parents
        if keep_parents:
            for level, codebook in enumerate(codebooks[:-1]):
                kept = torch.zeros(len(codebook.usage), dtype=torch.int64)
                self.register_buffer(f"parents_{level}", kept)

    @property
    def shapes(self) -> list[torch.Size]:
        """Shape of each level's prototypes, the finest first."""
        return [self._codebook(level).prototypes.shape for level in range(len(self.codebooks))]

    @torch.no_grad()
    def start_at(
        self,
        prototypes: Sequence[Float[Tensor, "_ patch_frame joint latent"]],
        parents: Sequence[Int[Tensor, " _"]],
        *,
        usage: float,
    ) -> None:
        """Put the codebooks on these prototypes.

        Args:
            prototypes: Of each level, the finest first.
            parents: Of each level but the top, the code above.
            usage: How many patches of a batch a code of the finest level has on average.
        """
        for level, values in enumerate(prototypes):
            n_codes = len(prototypes[0]) / len(values)
            self._codebook(level).start_at(values, usage=usage * n_codes)
        if self.keep_parents:
            for level, codes in enumerate(parents):
                setattr(self, f"parents_{level}", codes.to(self._codebook(level).usage.device))

    def reorder(self, level: int, order: Int[Tensor, " code"]) -> None:
        """Number the codes of a level anew: the code at place i is the former `order[i]`."""
        order = order.to(self._codebook(level).usage.device)
        self._codebook(level).reorder(order)
        if not self.keep_parents:
            return
        if level < len(self.codebooks) - 1:
            setattr(self, f"parents_{level}", self.parents(level)[order])
        if level > 0:
            place = torch.empty_like(order)
            place[order] = torch.arange(len(order), device=order.device)
            setattr(self, f"parents_{level - 1}", place[self.parents(level - 1)])

    def forward(
        self,
        patches: Float[Tensor, "patch patch_frame joint latent"],
        real: Bool[Tensor, "patch patch_frame joint"],
        *,
        parts: Sequence[slice] | None = None,
        numbers: Int[Tensor, " patch"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Quantised:
        """Quantise patches; while training, learn from them first.

        The codes are chosen with the prototypes as they were, the values are the prototypes after
        this batch's step, as in the published code that the paper builds on.

        Args:
            patches: Encoder output.
            real: False where a value is padding or missing.
            parts: Which patches belong together, to be worked on by themselves; None: all of them.
            numbers: Number of each patch in the whole batch, where processes share it out.
            generator: Luck of the replacements; needed while training.
        """
        # Float32 whatever the precision of the network around: sums over a batch overflow half
        # precision and lose what a small moving-average step adds.
        below = patches.float()
        keep = real.unsqueeze(-1)
        values: list[Tensor] = []
        codes: list[Tensor] = []
        for level in range(len(self.codebooks)):
            if level == 0:
                codes.append(self._finest(below, real, parts, numbers, generator))
            else:
                codes.append(self._above(level, codes[-1], numbers is not None, generator))
            quantised = self._codebook(level).prototypes[codes[-1]] * keep
            below = below + (quantised - below).detach()
            values.append(below)
        return Quantised(tuple(values), tuple(codes))

    def _finest(
        self,
        patches: Tensor,
        real: Tensor,
        parts: Sequence[slice] | None,
        numbers: Tensor | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Code of each patch at the finest level; while training, it learns from them."""
        codebook = self._codebook(0)
        codes = codebook.assign(patches, real, parts=parts)
        if self.training:
            luck = _needed(generator)
            codebook.learn(patches, real, codes, parts=parts, numbers=numbers, generator=luck)
        return codes

    def _above(
        self, level: int, below: Tensor, shared: bool, generator: torch.Generator | None
    ) -> Tensor:
        """Code of each patch at a higher level, from those one level below; while training, it learns.

        Its items are the prototypes below, each as often as it was chosen, by all processes together
        where they share a batch out.
        """
        codebook, lower = self._codebook(level), self._codebook(level - 1)
        patches, real = lower.prototypes, lower.shown()
        codes = self.parents(level - 1)
        if self.training:
            weights = torch.bincount(below, minlength=len(patches)).float()
            weights = peers().summed(weights) if shared else weights
            luck = _needed(generator)
            codebook.learn(patches, real, codes, weights=weights, generator=luck)
        return codes[below]

    def _codebook(self, level: int) -> Codebook:
        codebook = self.codebooks[level]
        assert isinstance(codebook, Codebook)
        return codebook

    @torch.no_grad()
    def parents(self, level: int) -> Int[Tensor, " code"]:
        """For each code of a level, its code one level up."""
        if self.keep_parents:
            kept: Tensor = getattr(self, f"parents_{level}")
            return kept
        lower = self._codebook(level)
        return self._codebook(level + 1).assign(lower.prototypes, lower.shown())

    @torch.no_grad()
    def distances(
        self,
        patches: Float[Tensor, "patch patch_frame joint latent"],
        real: Bool[Tensor, "patch patch_frame joint"],
    ) -> Float[Tensor, "patch code"]:
        """Distance of each patch to each prototype of the finest level."""
        codebook = self._codebook(0)
        return prototype_distances(
            patches.float(), real, codebook.prototypes, distance=codebook.distance
        )

    @torch.no_grad()
    def actions(self) -> Int[Tensor, " code"]:
        """For each code of the finest level, its code at the top."""
        top = torch.arange(len(self._codebook(0).usage), device=self._codebook(0).usage.device)
        for level in range(len(self.codebooks) - 1):
            top = self.parents(level)[top]
        return top


def _needed(generator: torch.Generator | None) -> torch.Generator:
    if generator is None:
        raise ValueError("training the quantiser needs a generator")
    return generator
