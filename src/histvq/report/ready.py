"""Rows of a run's tables that are text already, made where the answers were."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from histvq.segments import Segmentation


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of some answers that follow one another.

    Attributes:
        n_answers: How many these are.
        columns: The columns of the rows of frames.
        frames: Gives their rows of `frames.csv`, in parts.
        segments: Likewise of `segments.csv`.
    """

    n_answers: int
    columns: tuple[str, ...]
    frames: Callable[[], Iterable[bytes]]
    segments: Callable[[], Iterable[bytes]]


# By the place of the first of their answers among all.
Ready = Mapping[int, Rows]


def stretches(
    answers: Sequence[Segmentation], ready: Ready, *, columns: Sequence[str] | None = None
) -> Iterator[tuple[Sequence[Segmentation], Rows | None]]:
    """The answers in order, in groups: with their rows, or those whose rows are still to be made.

    Args:
        answers: All of them.
        ready: Rows of some.
        columns: What rows of frames must have; others are made anew.
    """
    done = 0
    for place in sorted(ready):
        rows = ready[place]
        if columns is not None and rows.columns != tuple(columns):
            continue
        if done < place:
            yield answers[done:place], None
        yield answers[place : place + rows.n_answers], rows
        done = place + rows.n_answers
    if done < len(answers):
        yield answers[done:], None
