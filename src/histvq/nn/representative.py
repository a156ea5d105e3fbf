"""The codebook of SMQ's published code, with the ways it has of its own.

Source: SMQ (Gokay et al., ICCV 2025) as its published code does it. Apart from `nn.codebook`: the running
sum is kept beside the running count and carries the code's smoothing factor; a code is dead at once;
a dead code becomes the mean of several patches; and the luck of that can be the same at every step.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from histvq.nn.codebook import Codebook
from histvq.nn.exact import exact_sums
from histvq.nn.parts import or_all
from histvq.nn.peers import ALONE, all_summed, drawn_from_all, handed_out, peers

CANDIDATES = ("representative", "exploratory")
EPSILON = 1e-5
FIXED_SEED = 42


def smoothed(usage: Float[Tensor, " code"]) -> Float[Tensor, " code"]:
    """The count each running sum is divided by: n (n + eps) / (n + K eps), practically n.

    Laplace smoothing with the sum taken over each code by itself instead of over all, as in the
    published code; two of its checkpoints follow this formula exactly, and not the textbook's.
    """
    return usage * (usage + EPSILON) / (usage + len(usage) * EPSILON)


def revival_groups(
    nearest: Float[Tensor, " patch"],
    *,
    n_dead: int,
    group_size: int,
    candidates: str,
    generator: torch.Generator,
) -> Int[Tensor, "dead member"]:
    """Which patches become each dead code.

    Args:
        nearest: Distance of each patch to its nearest prototype.
        n_dead: How many codes to replace.
        group_size: Patches whose mean one becomes.
        candidates: `representative`: the half of the patches that is covered better;
            `exploratory`: the other half. Those at the median are in either.
        generator: Draws the patches, each once; too few of them are taken round and round in order.
    """
    # Of the negated distances, as there: with ties it matters on which side the median falls.
    median = torch.quantile(-nearest, 0.5)
    wished = -nearest >= median if candidates == "representative" else -nearest <= median
    pool = torch.nonzero(wished).flatten()
    wanted = n_dead * group_size
    if len(pool) >= wanted:
        order = torch.randperm(len(pool), generator=generator)[:wanted]
    else:
        order = torch.arange(wanted) % len(pool)
    return pool[order.to(pool.device)].view(n_dead, group_size)


class RepresentativeCodebook(Codebook):
    """Prototypes as SMQ's published code learns them.

    Args:
        prototypes: Where to start, each with a count of one.
        decay: beta.
        min_usage: nu, whole: a code whose running count is below it is replaced at once by the mean of
            so many patches; 0 never is.
        distance: `patch` or `frame`.
        candidates: `representative` or `exploratory`, see `revival_groups`.
        fixed_luck: Draw from a generator seeded anew at every step, as the published code does, so
            equally many candidates give the same draw; else from the one `learn` is given.
    """

    total: Tensor

    def __init__(
        self,
        prototypes: Float[Tensor, "code patch_frame joint latent"],
        *,
        decay: float,
        min_usage: int,
        distance: str,
        candidates: str,
        fixed_luck: bool,
    ) -> None:
        super().__init__(
            prototypes,
            decay=decay,
            min_usage=float(min_usage),
            dead_batches=1,
            distance=distance,
        )
        self.candidates = candidates
        self.fixed_luck = fixed_luck
        self.register_buffer("total", prototypes.clone())

    @torch.no_grad()
    def learn(
        self,
        patches: Float[Tensor, "patch patch_frame joint latent"],
        real: Bool[Tensor, "patch patch_frame joint"],
        codes: Int[Tensor, " patch"],
        *,
        weights: Float[Tensor, " patch"] | None = None,
        parts: Sequence[slice] | None = None,
        numbers: Int[Tensor, " patch"] | None = None,
        generator: torch.Generator,
    ) -> None:
        """Move the prototypes towards one batch, then replace the dead ones by means of patches.

        What is not real counts as the zero it is; `weights` do not apply, as there is one level only.
        """
        by = ALONE if numbers is None else peers()
        patches = patches.detach().float()
        member = nn.functional.one_hot(codes, len(self.usage)).to(patches.dtype)
        terms = [
            torch.tensordot(member[part], patches[part], dims=([0], [0]))
            for part in or_all(parts, patches)
        ]
        (sums,) = exact_sums([terms], like=[self.prototypes], by=by)
        (used,) = all_summed([member.sum(dim=0)], by=by)
        self.usage = torch.lerp(self.usage, used, 1 - self.decay)
        self.total = torch.lerp(self.total, sums, 1 - self.decay)
        self.seen = self.seen | (used > 0)[:, None, None]
        self._settle()
        dead = torch.nonzero(self.usage < self.min_usage).flatten()
        if not len(dead):
            return
        nearest = self._distances(patches, real, parts)
        luck = torch.Generator().manual_seed(FIXED_SEED) if self.fixed_luck else generator

        def draw(of_all: Tensor) -> Tensor:
            return revival_groups(
                of_all,
                n_dead=len(dead),
                group_size=int(self.min_usage),
                candidates=self.candidates,
                generator=luck,
            ).flatten()

        if numbers is None:
            numbers = torch.arange(len(patches), device=patches.device)
        drawn = drawn_from_all(numbers, draw, nearest.amin(dim=1).float(), by=by)
        groups = handed_out(patches, drawn, by=by).unflatten(0, (len(dead), -1))
        self.prototypes[dead] = groups.mean(dim=1)
        self.usage[dead] = self.min_usage
        self.total[dead] = self.prototypes[dead] * self.min_usage
        self.seen[dead] = True

    def _settle(self) -> None:
        """Prototypes from sums and counts; one whose count has faded away stays where it is."""
        known = (self.usage > 1000 * EPSILON)[:, None, None, None]
        moved = self.total / smoothed(self.usage)[:, None, None, None]
        self.prototypes = torch.where(known, moved, self.prototypes)
        self.mass = self.usage[:, None, None].expand_as(self.mass).clone()
