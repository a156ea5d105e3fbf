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
from torch.nn.functional import pad

from histvq.nn.parts import Part, Shares, shares_wanted
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


def tiles_of(
    network: TCN, series: Float[Tensor, "joint frame channel"], parts: Sequence[Part] | None = None
) -> list[list[Tile]]:
    """Tiles that make up each part of a series; no tile sees anything of another part.

    While training, each draws a seed from its part's luck.
    """
    parts = [Part(slice(0, series.shape[1]))] if parts is None else parts
    return [_of_part(network, series, part) for part in parts]


def _of_part(network: TCN, series: Tensor, part: Part) -> list[Tile]:
    reach, last = network.reach, part.frames.stop
    most = max(rows_of_tile(series.device) // len(series), 4 * reach, 1)
    most -= most % _step(most)  # a whole tile needs no padding
    spans = []
    start = part.frames.start
    while start < last:
        first = max(start - reach, part.frames.start)
        seen = slice(first, min(first + most, last))
        stop = last if seen.stop == last else seen.stop - reach
        spans.append((slice(start, stop), seen))
        start = stop
    seeds: Sequence[int | None] = [None] * len(spans)
    if network.training and network.dropout > 0:
        seeds = torch.randint(2**62, (len(spans),), generator=part.luck).tolist()
    return [
        Tile(frames, seen, slice(frames.start - seen.start, frames.stop - seen.start), seed)
        for (frames, seen), seed in zip(spans, seeds, strict=True)
    ]


def usual_length(n_frames: int) -> int:
    """The next of a few lengths: a power of two, or one and a quarter, a half, three quarters of one.

    Kernels are made anew for every length they have not seen lately, which takes as long as the work.
    """
    step = _step(n_frames)
    return -(-n_frames // step) * step


def _step(n_frames: int) -> int:
    """Of the lengths about so many frames: a quarter of the largest power of two in them."""
    return max(1, 1 << n_frames.bit_length() >> 3)


def in_tiles(
    network: TCN,
    series: Float[Tensor, "joint frame channel"],
    real: Bool[Tensor, "joint frame"],
    parts: Sequence[Part] | None = None,
) -> Float[Tensor, "joint frame out"]:
    """What `network(series, real)` gives; 0 in frames of no part.

    With dropout, frames that two tiles see are dropped apart in each.

    Args:
        network: The network.
        series: Its input.
        real: False where the input is not real.
        parts: Worked on each by itself (see `nn.parts`), in order; None: all is one part.
    """
    whole: Tensor = _Whole.apply(network, real, parts, series, *network.parameters())
    return whole


def loss_in_tiles(
    network: TCN,
    series: Float[Tensor, "joint frame channel"],
    real: Bool[Tensor, "joint frame"],
    loss: Callable[[Tensor, slice], Tensor],
    parts: Sequence[Part] | None = None,
) -> Float[Tensor, ""]:
    """Sum over tiles of a loss of the network's output.

    Gradients are worked out on the way, so no tile is computed twice for them.

    Args:
        network: The network.
        series: Its input.
        real: False where the input is not real.
        loss: From output (joint, frame, out) of some frames, and which frames they are, to their
            share of the loss.
        parts: As for `in_tiles`.
    """
    total: Tensor = _Loss.apply(network, loss, real, parts, series, *network.parameters())
    return total


class _Whole(torch.autograd.Function):
    """Remembers its input alone; on the way back every tile is computed once more."""

    @staticmethod
    def forward(
        ctx: Any, network: TCN, real: Tensor, parts: Sequence[Part] | None, *given: Tensor
    ) -> Tensor:
        series, *_ = given
        ctx.network, ctx.tiles = network, tiles_of(network, series, parts)
        ctx.shares = _expecting(given[1:], ctx.needs_input_grad[4:])
        ctx.save_for_backward(real, *given)

        @torch.no_grad()
        def answered(tile: Tile) -> Tensor:
            return _output(network, tile, series[:, tile.seen], real)

        tiles = [tile for of_part in ctx.tiles for tile in of_part]
        whole: Tensor | None = None
        found = side_by_side(answered, tiles, device=series.device)
        for tile, output in zip(tiles, found, strict=True):
            if whole is None:
                whole = output.new_zeros(*real.shape, output.shape[-1])
            whole[:, tile.frames] = output
        return series.new_zeros(*real.shape, network.n_out) if whole is None else whole

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        real, *given = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]

        @torch.enable_grad()  # type: ignore[no-untyped-call]
        def gradients(tile: Tile) -> list[Tensor | None]:
            series = given[0][:, tile.seen].detach().requires_grad_(wanted[0])
            output = _output(ctx.network, tile, series, real)
            return _gradients(output, [series, *given[1:]], wanted, slopes[0][:, tile.frames])

        tiles = [tile for of_part in ctx.tiles for tile in of_part]
        found = side_by_side(gradients, tiles, device=real.device)
        of_series, of_parts = _sums(given, wanted, ctx.tiles, found)
        return None, None, None, of_series, *_handed_on(given[1:], wanted[1:], of_parts, ctx.shares)


class _Loss(torch.autograd.Function):
    """Works out gradients as it goes; on the way back they are multiplied."""

    @staticmethod
    def forward(
        ctx: Any,
        network: TCN,
        loss: Callable[[Tensor, slice], Tensor],
        real: Tensor,
        parts: Sequence[Part] | None,
        *given: Tensor,
    ) -> Tensor:
        of_parts, wanted = tiles_of(network, given[0], parts), ctx.needs_input_grad[4:]
        ctx.shares = _expecting(given[1:], wanted[1:])
        shares = [given[0].new_zeros(())]

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

        tiles = [tile for of_part in of_parts for tile in of_part]
        found = side_by_side(gradients, tiles, device=real.device)
        ctx.given, ctx.wanted = given, wanted
        ctx.gradients = _sums(given, wanted, of_parts, noted(found))
        return torch.stack(shares).sum()

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        def scaled(gradient: Tensor | None) -> Tensor | None:
            return None if gradient is None else gradient * slopes[0]

        of_series, of_parts = ctx.gradients
        of_parts = [[scaled(gradient) for gradient in of_part] for of_part in of_parts]
        weights = _handed_on(ctx.given[1:], ctx.wanted[1:], of_parts, ctx.shares)
        return None, None, None, None, scaled(of_series), *weights


def _output(network: TCN, tile: Tile, series: Tensor, real: Tensor) -> Tensor:
    """What the network makes of the frames a tile answers for."""
    luck = None
    if tile.seed is not None:
        luck = torch.Generator(series.device).manual_seed(tile.seed)
    n_more = usual_length(series.shape[1]) - series.shape[1]
    mask = pad(real[:, tile.seen], (0, n_more))
    output: Tensor = network(pad(series, (0, 0, 0, n_more)), mask, luck)
    return output[:, tile.own]


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
    parts: Sequence[Sequence[Tile]],
    found: Iterable[list[Tensor | None]],
) -> tuple[Tensor | None, list[list[Tensor | None]]]:
    """Gradients of all tiles together, always in the same order.

    Returns:
        That of the series; and those of the parameters, of each part by itself.
    """
    gradients = iter(found)
    of_series = torch.zeros_like(given[0]) if wanted[0] else None
    of_parts = []
    for tiles in parts:
        sums: list[Tensor | None] = [None] * len(given[1:])
        for tile in tiles:
            of_seen, *of_weights = next(gradients)
            if of_series is not None and of_seen is not None:
                of_series[:, tile.seen] += of_seen
            sums = [
                g if s is None or g is None else s.add_(g)
                for s, g in zip(sums, of_weights, strict=True)
            ]
        of_parts.append(sums)
    next(gradients, None)  # what comes side by side is over only when somebody asks for more
    return of_series, of_parts


def _expecting(weights: Sequence[Tensor], wanted: Sequence[bool]) -> Shares | None:
    """Where the gradients of parts are to be left, if they are."""
    shares = shares_wanted()
    if shares is not None:
        shares.expect([weight for weight, wish in zip(weights, wanted, strict=True) if wish])
    return shares


def _handed_on(
    weights: Sequence[Tensor],
    wanted: Sequence[bool],
    of_parts: Sequence[Sequence[Tensor | None]],
    shares: Shares | None,
) -> list[Tensor | None]:
    """The parameters' gradients, added up; None where they are left by parts."""
    sums = [
        torch.zeros_like(w) if wish and shares is None else None
        for w, wish in zip(weights, wanted, strict=True)
    ]
    for of_part in of_parts:
        for weight, total, gradient in zip(weights, sums, of_part, strict=True):
            if gradient is None:
                continue
            if total is not None:
                total += gradient
            elif shares is not None:
                shares.add(weight, gradient)
    return sums
