"""Dropout from a cheap source of random bits."""

import torch
from torch import Tensor

# In each format one bit of the exponent makes 2.0 if set alone: the word that holds it, and its place.
_WORDS = {
    torch.bfloat16: (torch.int16, 14),
    torch.float32: (torch.int32, 30),
    torch.float64: (torch.int64, 62),
}
_PLANES = 10


def dropout_factors(
    values: Tensor, share: float, luck: torch.Generator | None = None
) -> tuple[Tensor, float]:
    """Random factors that drop this share of the values, and what to multiply the rest by.

    PyTorch's dropout draws one number a value on the CPU, which took as long as the convolutions it
    follows. Here one random word is shifted by 0, 1, 2, ... so that 31 values use a bit of it each
    (15 in bfloat16). A word of the wanted share is made by one AND or OR with another random word for
    every binary digit of it: one word for a half.

    Args:
        values: To be dropped; bfloat16, float32 or float64.
        share: To drop, in (0, 1), rounded to a multiple of 1/1024.
        luck: Where to draw from; None: torch's global generator.

    Returns:
        Factors like the values, 0 or 2, and a number; their product has the mean 1.
    """
    levels = 1 << _PLANES
    kept = levels - min(max(round(share * levels), 1), levels - 1)
    kind, place = _WORDS[values.dtype]
    shifts = torch.arange(place + 1, dtype=kind, device=values.device).unsqueeze(1)
    words = _words(-(-values.numel() // len(shifts)), kept, kind, values.device, luck)
    factors = (words.unsqueeze(0) << shifts).bitwise_and_(1 << place).view(values.dtype)
    return factors.view(-1)[: values.numel()].view(values.shape), levels / (2 * kept)


def _words(
    n_words: int, kept: int, kind: torch.dtype, device: torch.device, luck: torch.Generator | None
) -> Tensor:
    """Words whose every bit is set with the chance kept / 2^planes."""
    digits = f"{kept:0{_PLANES}b}".rstrip("0")
    n_bytes = len(digits) * n_words * kind.itemsize
    bits = torch.empty(-(-n_bytes // 8), dtype=torch.int64, device=device)
    drawn = bits.random_(-(2**63), None, generator=luck).view(kind)
    words = drawn[:n_words]  # of the last digit, which is 1
    for place, digit in enumerate(reversed(digits[:-1]), start=1):
        more = drawn[place * n_words : (place + 1) * n_words]
        words = more | words if digit == "1" else more & words
    return words
