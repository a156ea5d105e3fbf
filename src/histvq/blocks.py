"""Going through an array a few megabytes at a time, so that a mapped file is never held whole."""

import mmap
from collections.abc import Iterator

import numpy as np

BLOCK_BYTES = 4 * 1024 * 1024


def blocks(array: np.ndarray, *, n_rows: int | None = None) -> Iterator[np.ndarray]:
    """The array's rows in order, as views of so many, or of at most `BLOCK_BYTES`, or one row.

    Of a file mapped for reading (`np.load(path, mmap_mode="r")`) the pages read for a block are let go
    after it: kept, they count as this process's memory until the whole file stands in it.
    """
    mapping = _mapping(array)
    n_rows = n_rows or max(1, BLOCK_BYTES * len(array) // max(array.nbytes, 1))
    for start in range(0, len(array), n_rows):
        yield array[start : start + n_rows]
        if mapping is not None:
            mapping.madvise(mmap.MADV_DONTNEED)


def every(array: np.ndarray, step: int) -> np.ndarray:
    """Every `step`th row, copied. Of a mapped file megabytes may come into memory with each row."""
    rows = array[::step]
    return np.concatenate([rows[:0], *(block.copy() for block in blocks(rows, n_rows=1))])


def first_infinite(array: np.ndarray) -> tuple[int, ...] | None:
    """Index of the first infinite value, None where there is none."""
    start = 0
    for block in blocks(array):
        wrong = np.isinf(block)
        if wrong.any():
            row, *rest = np.argwhere(wrong)[0].tolist()
            return (start + row, *rest)
        start += len(block)
    return None


def all_missing(array: np.ndarray) -> bool:
    """Whether every value is NaN, or there is none."""
    return all(np.isnan(block).all() for block in blocks(array))


def _mapping(array: np.ndarray) -> mmap.mmap | None:
    """What maps the file an array is a view of; None for arrays in memory.

    Only where the file is mapped for reading: letting go of a page that somebody wrote to, in a mapping
    of their own, would undo what they wrote.
    """
    base: object = array
    read_only = False
    while isinstance(base, np.ndarray):
        read_only |= isinstance(base, np.memmap) and base.mode == "r"
        base = base.base
    known = isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED")
    return base if known and read_only else None  # type: ignore[return-value]
