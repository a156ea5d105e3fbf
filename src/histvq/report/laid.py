"""Answers laid end to end, some at a time: thousands of short ones take long one by one."""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Int

from histvq.segments import Segmentation

# Of longer answers one at a time, so that memory does not grow with how many there are.
MOST_FRAMES = 1_000_000


def groups(answers: Iterable[Segmentation]) -> Iterator[list[Segmentation]]:
    """The answers in order, in groups of so many frames; those without a frame are left out."""
    group: list[Segmentation] = []
    n_frames = 0
    for answer in answers:
        if not answer.n_frames:
            continue
        if group and n_frames + answer.n_frames > MOST_FRAMES:
            yield group
            group, n_frames = [], 0
        group.append(answer)
        n_frames += answer.n_frames
    if group:
        yield group


def run_starts(
    labels: Iterable[Int[np.ndarray, " frame"]], firsts: Int[np.ndarray, " recording"]
) -> Int[np.ndarray, " run"]:
    """Where, in labels laid end to end, a recording begins or any of the labels changes.

    Args:
        labels: Of one level, or of several that are to change together.
        firsts: Where recordings begin; none is empty.
    """
    levels = list(labels)
    starts = np.zeros(len(levels[0]), dtype=bool)
    for level in levels:
        starts[1:] |= level[1:] != level[:-1]
    starts[firsts] = True
    return np.flatnonzero(starts)


def firsts_of(group: Iterable[Segmentation]) -> Int[np.ndarray, " recording"]:
    """Frames before each answer of a group."""
    return np.cumsum([0, *(answer.n_frames for answer in group)])[:-1]
