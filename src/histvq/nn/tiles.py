"""A temporal network over long series, tile by tile: the same result in less memory, and sooner.

A layer over a whole batch streams hundreds of megabytes through memory for every operation. A tile of
some thousand rows of joints and frames stays in the cache from the first layer to the last, where the
same arithmetic runs several times as fast, and tiles are worked on side by side. They overlap by what
the network reaches, so every frame's result is the one it would have had. What a tile's layers remember
for the gradient is made again on the way back, so memory does not grow with the batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from histvq.nn.tcn import TCN
from histvq.nn.threads import side_by_side

# Rows (joints times frames) of a tile. On a CPU, what its cache holds; a GPU wants much at once.
CPU_ROWS = 8192
GPU_ROWS = 1 << 19
# Tiles of fewer rows save nothing worth the time: half of what they see is others' by then.
FEWEST_ROWS = 1024

_n_halved: ContextVar[int] = ContextVar("n_halved", default=0)


@contextmanager
def tiles_of_usual_size() -> Iterator[None]:
    """What `smaller_tiles` does while this lasts is undone in the end."""
    token = _n_halved.set(_n_halved.get())
    try:
        yield
    finally:
        _n_halved.reset(token)


def smaller_tiles(device: torch.device) -> int | None:
    """Halve the rows of a tile from now on.

    Results differ by rounding. With dropout they differ by luck, which is drawn tile by tile.

    Returns:
        Rows of a tile from now on; None where tiles are as small as can be already.
    """
    if rows_of_tile(device) <= FEWEST_ROWS:
        return None
    _n_halved.set(_n_halved.get() + 1)
    return rows_of_tile(device)


def rows_of_tile(device: torch.device) -> int:
    """About how many rows a tile has at present."""
    rows = CPU_ROWS if device.type == "cpu" else GPU_ROWS
    return rows >> _n_halved.get()


@dataclass(frozen=True)
class Tile:
    """A stretch of time.

    Attributes:
        frames: It answers for these.
        seen: The network must see these.
        own: Where the former lie in the latter.
        seed: Of what is dropped in it; None where nothing is.
    """

    frames: slice
    seen: slice
    own: slice
    seed: int | None


def tiles_of(network: TCN, series: Float[Tensor, "joint frame channel"]) -> list[Tile]:
    """Tiles that make up a series. While training, each draws a seed from torch's global generator."""
    n_joints, n_frames, _ = series.shape
    reach = network.reach
    step = max(rows_of_tile(series.device) // n_joints - 2 * reach, 2 * reach, 1)
    starts = range(0, n_frames, step)
    seeds: Sequence[int | None] = [None] * len(starts)
    if network.training and network.dropout > 0:
        seeds = torch.randint(2**62, (len(starts),)).tolist()
    tiles = []
    for start, seed in zip(starts, seeds, strict=True):
        stop = min(start + step, n_frames)
        first, last = max(start - reach, 0), min(stop + reach, n_frames)
        own = slice(start - first, stop - first)
        tiles.append(Tile(slice(start, stop), slice(first, last), own, seed))
    return tiles


def in_tiles(
    network: TCN, series: Float[Tensor, "joint frame channel"], real: Bool[Tensor, "joint frame"]
) -> Float[Tensor, "joint frame out"]:
    """What `network(series, real)` gives.

    With dropout, frames that two tiles see are dropped apart in each.
    """
    whole: Tensor = _Whole.apply(network, real, series, *network.parameters())
    return whole


def loss_in_tiles(
    network: TCN,
    series: Float[Tensor, "joint frame channel"],
    real: Bool[Tensor, "joint frame"],
    loss: Callable[[Tensor, slice], Tensor],
) -> Float[Tensor, ""]:
    """Sum over tiles of a loss of the network's output.

    Gradients are worked out on the way, so no tile is computed twice for them.

    Args:
        network: The network.
        series: Its input.
        real: False where the input is not real.
        loss: From output (joint, frame, out) of some frames, and which frames they are, to their
            share of the loss.
    """
    total: Tensor = _Loss.apply(network, loss, real, series, *network.parameters())
    return total


class _Whole(torch.autograd.Function):
    """Remembers its input alone; on the way back every tile is computed once more."""

    @staticmethod
    def forward(ctx: Any, network: TCN, real: Tensor, *given: Tensor) -> Tensor:
        series, *_ = given
        ctx.network, ctx.tiles = network, tiles_of(network, series)
        ctx.save_for_backward(real, *given)

        @torch.no_grad()
        def answered(tile: Tile) -> Tensor:
            return _output(network, tile, series[:, tile.seen], real)

        found = side_by_side(answered, ctx.tiles, device=series.device)
        return torch.cat(list(found), dim=1)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        real, *given = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]

        @torch.enable_grad()  # type: ignore[no-untyped-call]
        def gradients(tile: Tile) -> list[Tensor | None]:
            series = given[0][:, tile.seen].detach().requires_grad_(wanted[0])
            output = _output(ctx.network, tile, series, real)
            return _gradients(output, [series, *given[1:]], wanted, slopes[0][:, tile.frames])

        found = side_by_side(gradients, ctx.tiles, device=real.device)
        return None, None, *_sums(given, wanted, ctx.tiles, found)


class _Loss(torch.autograd.Function):
    """Works out gradients as it goes; on the way back they are multiplied."""

    @staticmethod
    def forward(
        ctx: Any,
        network: TCN,
        loss: Callable[[Tensor, slice], Tensor],
        real: Tensor,
        *given: Tensor,
    ) -> Tensor:
        tiles, wanted = tiles_of(network, given[0]), ctx.needs_input_grad[3:]
        shares = []

        def gradients(tile: Tile) -> tuple[Tensor, list[Tensor | None]]:
            with torch.set_grad_enabled(any(wanted)):
                series = given[0][:, tile.seen].detach().requires_grad_(wanted[0])
                share = loss(_output(network, tile, series, real), tile.frames)
                return share.detach(), _gradients(share, [series, *given[1:]], wanted)

        def noted(
            found: Iterable[tuple[Tensor, list[Tensor | None]]],
        ) -> Iterable[list[Tensor | None]]:
            for share, of_tile in found:
                shares.append(share)
                yield of_tile

        found = side_by_side(gradients, tiles, device=real.device)
        ctx.gradients = _sums(given, wanted, tiles, noted(found))
        return torch.stack(shares).sum()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        scaled = (None if g is None else g * slopes[0] for g in ctx.gradients)
        return None, None, None, *scaled


def _output(network: TCN, tile: Tile, series: Tensor, real: Tensor) -> Tensor:
    """What the network makes of the frames a tile answers for."""
    luck = None
    if tile.seed is not None:
        luck = torch.Generator(series.device).manual_seed(tile.seed)
    return network(series, real[:, tile.seen], luck)[:, tile.own]


def _gradients(
    output: Tensor, inputs: Sequence[Tensor], wanted: Sequence[bool], slope: Tensor | None = None
) -> list[Tensor | None]:
    """The gradient by each input, None by those of no interest."""
    if not any(wanted):
        return [None] * len(inputs)
    asked = [x for x, wish in zip(inputs, wanted, strict=True) if wish]
    found = iter(torch.autograd.grad(output, asked, slope))
    return [next(found) if wish else None for wish in wanted]


def _sums(
    given: Sequence[Tensor],
    wanted: Sequence[bool],
    tiles: Sequence[Tile],
    found: Iterable[list[Tensor | None]],
) -> list[Tensor | None]:
    """Gradients of all tiles together, always in the same order."""
    sums = [torch.zeros_like(x) if wish else None for x, wish in zip(given, wanted, strict=True)]
    for tile, gradients in zip(tiles, found, strict=True):
        for place, (total, gradient) in enumerate(zip(sums, gradients, strict=True)):
            if total is not None and gradient is not None:
                into = total if place else total[:, tile.seen]
                into += gradient
    return sums
