"""A batch worked on part by part, so that what comes of a part depends on nothing beside it.

A recording's results, and its share of every gradient, are then the same to the last bit whatever other
recordings lie in the same tensor: all of a batch, or one process's share of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Part:
    """A stretch of frames that is worked on by itself: a recording of a batch.

    Attributes:
        frames: Those of it.
        luck: Where its dropout draws from; None: torch's global generator.
    """

    frames: slice
    luck: torch.Generator | None = None


class Shares:
    """Gradients by parameters, those of each part of a batch by themselves."""

    def __init__(self) -> None:
        self._found: dict[Tensor, list[Tensor]] = {}

    def expect(self, weights: Sequence[Tensor]) -> None:
        """Note that these have gradients, be it of no part at all."""
        for weight in weights:
            self._found.setdefault(weight, [])

    def add(self, weight: Tensor, gradient: Tensor) -> None:
        """Note one part's gradient."""
        self._found[weight].append(gradient)

    def __contains__(self, weight: Tensor) -> bool:
        return weight in self._found

    def __getitem__(self, weight: Tensor) -> list[Tensor]:
        return self._found[weight]


_shares: ContextVar[Shares | None] = ContextVar("shares", default=None)


@contextmanager
def gradients_by_part() -> Iterator[Shares]:
    """While this lasts, what works part by part leaves its parameters' gradients here, not in `grad`."""
    token = _shares.set(shares := Shares())
    try:
        yield shares
    finally:
        _shares.reset(token)


def or_all(parts: Sequence[slice] | None, rows: Tensor) -> Sequence[slice]:
    """The parts; all rows as one where they are not parted."""
    return (slice(0, len(rows)),) if parts is None else parts


def shares_wanted() -> Shares | None:
    """Where gradients of parts are to be left; None: added up, as usual."""
    return _shares.get()


def by_part(
    module: nn.Module,
    values: Float[Tensor, "row patch_frame joint latent"],
    parts: Sequence[slice] | None,
) -> Float[Tensor, " row"]:
    """What a module gives that looks at every row by itself, part by part.

    Args:
        module: From rows to a number each.
        values: The rows.
        parts: Which of them are a part; together all of them, in order. None: all are one part.
    """
    parts = or_all(parts, values)
    found: Tensor = _ByPart.apply(module, parts, values, *module.parameters())
    return found


class _ByPart(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, module: nn.Module, parts: Sequence[slice], *given: Tensor) -> Tensor:
        values, *weights = given
        ctx.module, ctx.parts, ctx.shares = module, parts, shares_wanted()
        ctx.save_for_backward(values)
        if ctx.shares is not None:
            ctx.shares.expect(weights)
        return torch.cat([values.new_zeros(0), *(module(values[part]) for part in parts)])

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        (values,), weights = ctx.saved_tensors, list(ctx.module.parameters())
        slope_in, sums = torch.zeros_like(values), [torch.zeros_like(w) for w in weights]
        for part in ctx.parts:
            with torch.enable_grad():  # type: ignore[no-untyped-call]
                rows = values[part].detach().requires_grad_()
                output = ctx.module(rows)
            of_rows, *found = torch.autograd.grad(output, [rows, *weights], slopes[0][part])
            slope_in[part] = of_rows
            for weight, total, gradient in zip(weights, sums, found, strict=True):
                if ctx.shares is None:
                    total += gradient
                else:
                    ctx.shares.add(weight, gradient)
        if ctx.shares is not None:
            return None, None, slope_in, *([None] * len(weights))
        return None, None, slope_in, *sums
