"""What processes that train one network together tell each other.

Each works on its share of a batch. What is a sum over the batch becomes a sum over all shares, and every
process goes on with the same numbers. A process by itself is the case of one: all it hears is what it
said.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class Peers(Protocol):
    """The processes that train together. All of them must call the same in the same order.

    Attributes:
        rank: The number of this one, from 0.
        n: How many there are.
    """

    @property
    def rank(self) -> int:
        """The number of this one, from 0."""
        ...

    @property
    def n(self) -> int:
        """How many there are."""
        ...

    def summed(self, values: Tensor) -> Tensor:
        """The sum of what all of them give, of one shape; the same bits in each."""
        ...

    def largest(self, values: Tensor) -> Tensor:
        """Of each value, the largest that any of them gives."""
        ...

    def gathered(self, values: Tensor) -> list[Tensor]:
        """What each of them gives, in their order; lengths of the first axis may differ."""
        ...


class Alone:
    """One process by itself."""

    rank = 0
    n = 1

    def summed(self, values: Tensor) -> Tensor:
        """The values."""
        return values

    def largest(self, values: Tensor) -> Tensor:
        """The values."""
        return values

    def gathered(self, values: Tensor) -> list[Tensor]:
        """The values."""
        return [values]


ALONE = Alone()
_peers: ContextVar[Peers] = ContextVar("peers", default=ALONE)


def peers() -> Peers:
    """Those this process trains with at present."""
    return _peers.get()


@contextmanager
def among(these: Peers) -> Iterator[None]:
    """Train with these while this lasts."""
    token = _peers.set(these)
    try:
        yield
    finally:
        _peers.reset(token)


def all_summed(values: Sequence[Tensor], *, by: Peers) -> list[Tensor]:
    """Sums over the processes of several tensors, in one go."""
    if by.n == 1:
        return list(values)
    together = by.summed(torch.cat([value.reshape(-1) for value in values]))
    parts = together.split([value.numel() for value in values])
    return [part.view_as(value) for part, value in zip(parts, values, strict=True)]


def drawn_from_all(
    numbers: Tensor, choose: Callable[[Tensor], Tensor], weights: Tensor, *, by: Peers
) -> Tensor:
    """Choose among what all processes hold, as one that held all of it would.

    Args:
        numbers: (item,), of each item this process holds, its number among those of all.
        choose: From weights (item of all,), in the order of their numbers, to places in it; given the
            same it gives the same.
        weights: (item,), of this process's items.
        by: The processes.

    Returns:
        For each choice the place among this process's items, or -1 where another process holds it.
    """
    held = by.gathered(numbers)
    order = torch.cat(held).argsort(stable=True)
    chosen = order[choose(torch.cat(by.gathered(weights))[order]).to(order.device)]
    own = chosen - sum(len(one) for one in held[: by.rank])
    return torch.where((own >= 0) & (own < len(numbers)), own, -1)


def handed_out(values: Tensor, places: Tensor, *, by: Peers) -> Tensor:
    """Values of items that are held by one process each, for all of them.

    Args:
        values: (item, ...), of this process's items.
        places: Of each item wanted, its place among them, or -1 where another process holds it.
        by: The processes.
    """
    ours = places >= 0
    found = values.new_zeros(*places.shape, *values.shape[1:])
    found[ours] = values[places[ours]]
    return by.summed(found)
