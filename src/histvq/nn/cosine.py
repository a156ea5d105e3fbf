"""HVQ's codebook: codes are compared by direction, and move towards the mean direction of frames."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


def cosines(
    frames: Float[Tensor, "frame map"], codes: Float[Tensor, "code map"]
) -> Float[Tensor, "frame code"]:
    """Cosine of the angle between each frame and each code."""
    return F.normalize(frames, dim=1) @ F.normalize(codes, dim=1).T


def direction_step(
    codes: Float[Tensor, "code map"],
    usage: Float[Tensor, " code"],
    frames: Float[Tensor, "frame map"],
    nearest: Int[Tensor, " frame"],
    *,
    decay: float,
) -> tuple[Float[Tensor, "code map"], Float[Tensor, " code"]]:
    """Codes and their running counts after one batch.

    A code is blended with the unit vector along the mean of its frames' directions, or along itself if
    it has none; so its length drifts towards 1.

    Source: Spurio et al. 2025, as their published pipeline is described; no running sums.
    """
    member = F.one_hot(nearest, len(codes)).to(frames.dtype)
    count = member.sum(dim=0)
    total = member.T @ F.normalize(frames, dim=1)
    direction = F.normalize(torch.where((count > 0).unsqueeze(1), total, codes), dim=1)
    # Not as `lerp`, whose rounding leaves 15 new frames at 2.9999995, below the published nu of 3.
    return torch.lerp(direction, codes, decay), decay * usage + (1 - decay) * count


class CosineCodebook(nn.Module):
    """Codes of one level, learned by exponential moving average; they get no gradient.

    Args:
        codes: Where to start.
        decay: Share of the past that stays.
        min_usage: nu. After each batch, a code whose running count is below it is put on a frame of the
            batch; its count stays, so it may be moved again at the next.
    """

    codes: Tensor
    usage: Tensor

    def __init__(self, codes: Float[Tensor, "code map"], *, decay: float, min_usage: float) -> None:
        super().__init__()
        self.decay = decay
        self.min_usage = min_usage
        self.register_buffer("codes", codes.clone())
        self.register_buffer("usage", torch.zeros(len(codes)))

    def forward(
        self, frames: Float[Tensor, "frame map"], *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "frame map"], Int[Tensor, " frame"]]:
        """The code of each frame, as a vector and by its index.

        While training the codebook learns from the frames: the index is of the codes as they were
        before, the vector of the codes after.

        Args:
            frames: Encoder output, or what the level below made of it.
            generator: Luck of the replacements; needed while training.
        """
        nearest = self.assign(frames)
        if self.training:
            if generator is None:
                raise ValueError("training a codebook needs a generator")
            self._learn(frames.detach(), nearest, generator)
        return self.codes[nearest], nearest

    @torch.no_grad()
    def assign(self, frames: Float[Tensor, "frame map"]) -> Int[Tensor, " frame"]:
        """Index of the code nearest in direction to each frame."""
        return cosines(frames, self.codes).argmax(dim=1)

    def _learn(self, frames: Tensor, nearest: Tensor, generator: torch.Generator) -> None:
        self.codes, self.usage = direction_step(
            self.codes, self.usage, frames, nearest, decay=self.decay
        )
        dead = torch.nonzero(self.usage < self.min_usage).flatten()
        drawn = torch.randint(len(frames), (len(dead),), generator=generator)
        self.codes[dead] = frames[drawn.to(frames.device)]

    @torch.no_grad()
    def start_from(self, codes: Float[Tensor, "code map"]) -> None:
        """Put the codes here before training."""
        self.codes.copy_(codes)

    @torch.no_grad()
    def reorder(self, order: Int[Tensor, " code"]) -> None:
        """Number the codes anew: the code at place i is the former `order[i]`."""
        self.codes, self.usage = self.codes[order], self.usage[order]
