"""Doing with less memory where it has run out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from histvq.nn.threads import fewer_at_once, one_thread_each
from histvq.nn.tiles import smaller_tiles, tiles_of_usual_size


@contextmanager
def sparing_memory() -> Iterator[None]:
    """While this lasts, `less_at_once` may be called; afterwards all is as it was before."""
    with one_thread_each(), tiles_of_usual_size():
        yield


def less_at_once(device: torch.device) -> str | None:
    """Work on less at a time from now on, so that less memory is needed.

    First fewer tiles at a time, down to one, which changes nothing in what comes out; then smaller ones,
    which changes last digits and, with dropout, what is dropped. On a GPU it is one at a time anyway.

    Returns:
        What was done, in words; None where nothing is left to be done.
    """
    if device.type == "cpu" and (n_tiles := fewer_at_once()):
        return f"{n_tiles} at a time from now on, which is slower and gives the same result"
    if rows := smaller_tiles(device):
        return (
            f"tiles of {rows} rows from now on, which is slower and gives the same result but for "
            "rounding and what dropout drops"
        )
    return None
