"""Prototypes of one level: nearest one, moving average, and revival of the dead.

Source: HiST-VQ eqs. (1)-(4). A prototype is the running sum of its patches over their running count
(van den Oord et al. 2017). Eqs. (3)-(4) print the prototype where the running sum belongs; taken
literally, prototypes settle at about half the mean of their patches at beta = 0.5, so the sum is what
is meant. It is not stored: it is prototype times mass.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from histvq.nn.exact import exact_sums
from histvq.nn.parts import or_all
from histvq.nn.peers import ALONE, Peers, all_summed, drawn_from_all, handed_out, peers

DISTANCES = ("patch", "frame")


def prototype_distances(
    patches: Float[Tensor, "patch patch_frame joint latent"],
    real: Bool[Tensor, "patch patch_frame joint"],
    prototypes: Float[Tensor, "code patch_frame joint latent"],
    *,
    distance: str,
) -> Float[Tensor, "patch code"]:
    """Distance of every patch to every prototype, over the real part of the patch.

    `patch` is one Euclidean norm over the whole patch (eqs. 1-2); `frame` sums the norms of the
    frames, as the published code of SMQ does. As |x|^2 - 2xz + |z|^2 with matrix products, in float64:
    in float32 the difference of large squares would lose the digits that decide.
    """
    x = (patches * real.unsqueeze(-1)).double()
    z = prototypes.double()
    by_joint = z.square().sum(dim=-1)
    if distance == "patch":
        squares = (
            x.square().flatten(1).sum(dim=1, keepdim=True)
            - 2 * x.flatten(1) @ z.flatten(1).T
            + real.double().flatten(1) @ by_joint.flatten(1).T
        )
        return squares.clamp(min=0).sqrt()
    x, z = x.flatten(2).transpose(0, 1), z.flatten(2).permute(1, 2, 0)
    squares = (
        x.square().sum(dim=2, keepdim=True)
        - 2 * x @ z
        + real.double().transpose(0, 1) @ by_joint.permute(1, 2, 0)
    )
    return squares.clamp(min=0).sqrt().sum(dim=0)


def ema_step(
    prototypes: Float[Tensor, "code patch_frame joint latent"],
    mass: Float[Tensor, "code patch_frame joint"],
    patches: Float[Tensor, "patch patch_frame joint latent"],
    real: Bool[Tensor, "patch patch_frame joint"],
    member: Float[Tensor, "patch code"],
    *,
    decay: float,
    parts: Sequence[slice] | None = None,
    by: Peers = ALONE,
) -> tuple[
    Float[Tensor, "code patch_frame joint latent"],
    Float[Tensor, "code patch_frame joint"],
    Float[Tensor, "code patch_frame joint"],
]:
    """Prototypes and their running counts after one batch (eqs. 3-4, running sums), and its counts.

    Counts are kept for every joint of every frame of a prototype, so that missing values and the
    masked tail of a short patch count for nothing. Where a batch brings nothing, the prototype stays
    exactly where it is.

    Args:
        prototypes: Running sum over running count so far.
        mass: Running count so far.
        patches: The batch.
        real: False where a value of the batch is missing.
        member: How much each patch counts for each code: 1 for its code, else 0, or a weight.
        decay: beta, the share of the past that stays.
        parts: Which patches belong together; sums do not depend on what else is in the batch with them.
        by: Processes that hold a share of the batch each.
    """
    (count,) = all_summed([(member.T @ real.to(member.dtype).flatten(1)).view_as(mass)], by=by)
    values = (patches * real.unsqueeze(-1)).flatten(1)
    terms = [member[part].T @ values[part] for part in or_all(parts, values)]
    (total,) = exact_sums([terms], like=[prototypes.flatten(1)], by=by)
    total = total.view_as(prototypes)
    new_mass = torch.lerp(mass, count, 1 - decay)
    step = (1 - decay) * (total - count.unsqueeze(-1) * prototypes)
    touched = (count > 0).unsqueeze(-1)
    moved = prototypes + step / new_mass.clamp(min=1e-12).unsqueeze(-1)
    return torch.where(touched, moved, prototypes), new_mass, count


class Codebook(nn.Module):
    """Prototypes of one level, learned by exponential moving average; they get no gradient.

    Args:
        prototypes: Where to start.
        decay: beta of eqs. (3)-(4).
        min_usage: nu. A code whose running count of patches stays below it is dead; 0 never is.
        dead_batches: For how many batches in a row it must stay below before it is replaced. The
            paper says "several".
        distance: `patch` or `frame`.
    """

    prototypes: Tensor
    seen: Tensor
    mass: Tensor
    usage: Tensor
    idle: Tensor

    def __init__(
        self,
        prototypes: Float[Tensor, "code patch_frame joint latent"],
        *,
        decay: float,
        min_usage: float,
        dead_batches: int,
        distance: str,
    ) -> None:
        super().__init__()
        self.decay = decay
        self.min_usage = min_usage
        self.dead_batches = dead_batches
        self.distance = distance
        self.register_buffer("prototypes", prototypes.clone())
        # Where no patch ever showed anything (a joint nobody measured, frames past the end of every
        # recording) a prototype is still as it was drawn, and a level above must not compare that.
        self.register_buffer("seen", torch.zeros(prototypes.shape[:3], dtype=torch.bool))
        self.register_buffer("mass", torch.ones(prototypes.shape[:3]))
        self.register_buffer("usage", torch.ones(len(prototypes)))
        self.register_buffer("idle", torch.zeros(len(prototypes), dtype=torch.int64))

    def shown(self) -> Bool[Tensor, "code patch_frame joint"]:
        """Where prototypes can be compared: all that patches showed; all of a code nobody used yet."""
        return self.seen | ~self.seen.flatten(1).any(dim=1)[:, None, None]

    @torch.no_grad()
    def assign(
        self,
        patches: Float[Tensor, "patch patch_frame joint latent"],
        real: Bool[Tensor, "patch patch_frame joint"],
        *,
        parts: Sequence[slice] | None = None,
    ) -> Int[Tensor, " patch"]:
        """Index of the nearest prototype of each patch, found part by part."""
        return self._distances(patches, real, parts).argmin(dim=1)

    def _distances(self, patches: Tensor, real: Tensor, parts: Sequence[slice] | None) -> Tensor:
        """(patch, code); what comes of a part does not depend on the others."""
        prototypes, kind = self.prototypes, self.distance
        found = [
            prototype_distances(patches[part], real[part], prototypes, distance=kind)
            for part in or_all(parts, patches)
        ]
        return torch.cat([prototypes.new_zeros(0, len(prototypes)).double(), *found])

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
        """Move the prototypes towards one batch, then replace the dead ones by patches of it.

        Processes that train together end with the same prototypes, to the last bit.

        Args:
            patches: The batch, or this process's share of it.
            real: False where a value is missing.
            codes: Code of each patch.
            weights: How many times each patch counts; once if None.
            parts: Which patches belong together, in order; None: all of them.
            numbers: Number of each patch in the whole batch, where that is shared out among processes;
                None: each of them is given the whole batch.
            generator: Where the replacements' luck comes from; alike in all processes.
        """
        by = ALONE if numbers is None else peers()
        patches = patches.detach().float()
        if weights is None:
            weights = torch.ones(len(patches), device=patches.device)
        member = nn.functional.one_hot(codes, len(self.usage)).to(patches.dtype)
        member = member * weights.unsqueeze(1)
        self.prototypes, self.mass, count = ema_step(
            self.prototypes, self.mass, patches, real, member, decay=self.decay, parts=parts, by=by
        )
        self.seen = self.seen | (count > 0)
        used, n_weighty = all_summed((member.sum(dim=0), (weights > 0).sum()), by=by)
        self.usage = torch.lerp(self.usage, used, 1 - self.decay)
        self.idle = torch.where(self.usage < self.min_usage, self.idle + 1, 0)
        dead = self._dead(at_most=int(n_weighty))
        if len(dead):
            self._revive(dead, patches, real, weights, numbers, generator)

    def _dead(self, *, at_most: int) -> Tensor:
        """Codes to be replaced, longest dead first, should there be fewer patches than those."""
        dead = torch.nonzero(self.idle >= self.dead_batches).flatten()
        return dead[self.idle[dead].argsort(descending=True, stable=True)][:at_most]

    def _revive(
        self,
        dead: Tensor,
        patches: Tensor,
        real: Tensor,
        weights: Tensor,
        numbers: Tensor | None,
        generator: torch.Generator,
    ) -> None:
        """Put dead codes on patches drawn from the batch, each patch at most once."""

        def draw(of_all: Tensor) -> Tensor:
            return torch.multinomial(of_all.cpu(), len(dead), generator=generator)

        by = ALONE if numbers is None else peers()
        if numbers is None:
            numbers = torch.arange(len(patches), device=patches.device)
        drawn = drawn_from_all(numbers, draw, weights, by=by)
        values = handed_out(patches, drawn, by=by)
        known = handed_out(real.float(), drawn, by=by) > 0
        # What the drawn patch does not show stays as it was.
        self.prototypes[dead] = torch.where(known.unsqueeze(-1), values, self.prototypes[dead])
        self.seen[dead] |= known
        # Sum and count start afresh together, or the stale sum would overwrite the new prototype.
        self.mass[dead] = self.min_usage
        self.usage[dead] = self.min_usage
        self.idle[dead] = 0

    @torch.no_grad()
    def start_at(
        self, prototypes: Float[Tensor, "code patch_frame joint latent"], *, usage: float
    ) -> None:
        """Put the codes on these prototypes, as if each had had so many patches of every batch."""
        self.prototypes = prototypes.to(self.prototypes)
        self.seen = torch.ones_like(self.seen)
        self.mass = torch.full_like(self.mass, usage)
        self.usage = torch.full_like(self.usage, usage)
        self.idle = torch.zeros_like(self.idle)

    def reorder(self, order: Int[Tensor, " code"]) -> None:
        """Number the codes anew: the code at place i is the former `order[i]`."""
        for name, _ in list(self.named_buffers()):
            setattr(self, name, getattr(self, name)[order])
