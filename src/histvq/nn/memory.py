"""Doing with less memory where it has run out."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from histvq.nn.threads import fewer_at_once, one_thread_each
from histvq.nn.tiles import smaller_tiles, tiles_of_usual_size

# What torch's allocator for CPUs, and the system, say.
_SAID = ("can't allocate memory", "cannot allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this error says that memory, of the machine or of the GPU, has run out."""
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _SAID)


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
