"""Dropout from a cheap source of random bits."""

import torch
from torch import Tensor

_LEVELS = 1 << 16


def dropout_factors(like: Tensor, share: float) -> Tensor:
    """Random factors that drop this share of the values and scale the others up, so the mean stays.

    PyTorch's dropout draws one number a value on the CPU, which took as long as the convolutions it
    follows (measured: 0.25 s for 19 million values against 0.02 s here). This draws 64 random bits
    and spends 16 a value, so `share` is rounded to a multiple of 1/65536.

    Args:
        like: Shape, type and device of the result.
        share: Share of values to drop, in [0, 1).
    """
    n_values = like.numel()
    if like.device.type != "cpu":
        return (torch.rand_like(like) >= share).to(like.dtype) / (1 - share)
    bits = torch.empty((n_values + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    dropped = round(share * _LEVELS)
    keep = bits.view(torch.int16)[:n_values] >= dropped - _LEVELS // 2
    return keep.view(like.shape).to(like.dtype).mul_(_LEVELS / (_LEVELS - dropped))
