"""Sums that come out the same in whatever order they are made, and by however many processes.

Floating-point numbers round at every addition, so their sum depends on the order. Put on a common grid
that is fine enough they are whole numbers, and those add up exactly.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from histvq.nn.peers import Peers

# Of a signed whole number of 64 bits, without its sign and with one to spare.
_BITS = 62
# Powers of two that float64 can hold, with room for the numbers themselves.
_MOST_SHIFT = 900


def exact_sums(
    terms: Sequence[Sequence[Tensor]], *, like: Sequence[Tensor], by: Peers
) -> list[Tensor]:
    """Several sums, each of the terms that all processes together have for it.

    Each term is rounded to a grid of 2^-61 of the largest number in any of them times their number, which
    is finer than float32 by far; from there on nothing is rounded but the sum.

    Args:
        terms: Of each sum, this process's terms, alike in shape; there may be none.
        like: Of each sum, a tensor of its shape, type and device.
        by: The processes.

    Returns:
        The sums, with the same bits in every process. Where a term is not finite, all of it is NaN.
    """
    if not like:
        return []
    device = like[0].device
    largest = torch.stack([_largest(of_one, device) for of_one in terms])
    largest = by.largest(largest)
    n_terms = by.summed(torch.tensor([len(of_one) for of_one in terms], device=device))
    # Terms are below 2^exponent, so their sum is below 2^(exponent + digits of their number).
    digits = torch.frexp(n_terms.double()).exponent
    shifts = (_BITS - digits - torch.frexp(largest).exponent).clamp(-_MOST_SHIFT, _MOST_SHIFT)
    known = torch.isfinite(largest)
    steps = torch.where(known, torch.ldexp(torch.ones_like(largest), shifts), 0).tolist()
    whole = [
        _on_grid(of_one, step, one) for of_one, step, one in zip(terms, steps, like, strict=True)
    ]
    total = by.summed(torch.cat([one.reshape(-1) for one in whole]))
    sums = total.split([one.numel() for one in like])
    return [
        (one.double() / step).to(model.dtype).view_as(model)
        if step
        else torch.full_like(model, torch.nan)
        for one, step, model in zip(sums, steps, like, strict=True)
    ]


def _largest(terms: Sequence[Tensor], device: torch.device) -> Tensor:
    """The largest size of a number in any of them; NaN and infinity count as infinity."""
    found = [term.abs().amax().double() for term in terms if term.numel()]
    if not found:
        return torch.zeros((), dtype=torch.float64, device=device)
    return torch.stack(found).nan_to_num(nan=torch.inf, posinf=torch.inf).amax()


def _on_grid(terms: Sequence[Tensor], step: float, like: Tensor) -> Tensor:
    total = torch.zeros(like.shape, dtype=torch.int64, device=like.device)
    for term in terms if step else ():
        total += (term.double() * step).round_().to(torch.int64)
    return total
