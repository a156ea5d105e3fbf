"""Which frames of a recording a step of training looks at."""

import torch
from jaxtyping import Int
from torch import Tensor

N_PARTS = 32


def anchored_frames(
    n_frames: int, *, n_samples: int, reach: int, generator: torch.Generator
) -> Int[Tensor, " sample"]:
    """TOT's sample: anchors from every part of the recording, each with a neighbour in time.

    Source: the published code of Kumar et al. 2022: 32 equal parts, as many anchors in each as make up
    half the sample, a neighbour from `reach` frames before to `reach` - 1 after for each; in order of
    time. A recording of fewer than 32 frames has parts of one frame; frames past its end become its last.

    Args:
        n_frames: Length of the recording.
        n_samples: Size of the sample, a multiple of 64.
        reach: Furthest neighbour, in frames.
        generator: Where chance comes from.
    """
    length = max(1, n_frames // N_PARTS)
    starts = (torch.arange(N_PARTS) * length).repeat_interleave(n_samples // 2 // N_PARTS)
    anchors = starts + torch.randint(length, starts.shape, generator=generator)
    neighbours = anchors + torch.randint(-reach, reach, anchors.shape, generator=generator)
    return torch.cat([anchors, neighbours]).sort().values.clamp(0, n_frames - 1)


def cell_frames(
    n_frames: int, *, n_samples: int, generator: torch.Generator
) -> Int[Tensor, " sample"]:
    """ASOT's sample: one frame from each of equal cells; all frames where there are no more.

    Source: the published code of Xu and Gould 2024.
    """
    if n_frames <= n_samples:
        return torch.arange(n_frames)
    borders = torch.linspace(0, n_frames - 1, n_samples + 1).long()
    lengths = borders.diff()
    shares = torch.rand(n_samples, generator=generator)
    return borders[:-1] + (shares * lengths).long().minimum(lengths - 1)
