"""Stretches of time in which one action goes on, over all recordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from histvq.segments import Segmentation, to_segments

LONGEST_CLIP_S = 4.0


@dataclass(frozen=True, eq=False)
class Spans:
    """Stretches of one action each, in the order of the answers and of time.

    Attributes:
        recording: Place of the answer it is in.
        segment: Number of the segment it is, or is a piece of.
        start: First frame.
        stop: Frame after the last one.
        action: Code of the action; never -1.
        seconds: How long it is.
    """

    recording: np.ndarray
    segment: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    action: np.ndarray
    seconds: np.ndarray

    def by_recording(self) -> Iterator[tuple[int, slice]]:
        """Places of the answers that have any, each with the stretch of these arrays that is its own."""
        edges = np.flatnonzero(np.diff(self.recording, prepend=-1, append=-1))
        for start, stop in pairwise(edges.tolist()):
            yield int(self.recording[start]), slice(start, stop)


def segments_of(answers: Sequence[Segmentation]) -> Spans:
    """Every segment of the answers; frames without an action are in none."""
    rows = [
        (place, start, stop, label)
        for place, answer in enumerate(answers)
        for start, stop, label in to_segments(answer.actions)
        if label >= 0
    ]
    recording, start, stop, action = _columns(rows, 4)
    rates = np.array([answer.fps for answer in answers])
    return Spans(
        recording=recording,
        segment=np.arange(len(rows)),
        start=start,
        stop=stop,
        action=action,
        seconds=(stop - start) / rates[recording],
    )


def pieces_of(segments: Spans, answers: Sequence[Segmentation]) -> Spans:
    """What clips are chosen from: short segments whole, pieces of 4 s of longer ones.

    The pieces lie end to end around the middle of their segment, so what is left over is at its two
    ends, where one action passes into another.
    """
    rows = []
    for segment, (place, start, stop) in enumerate(
        zip(
            segments.recording.tolist(),
            segments.start.tolist(),
            segments.stop.tolist(),
            strict=True,
        )
    ):
        length = max(round(LONGEST_CLIP_S * answers[place].fps), 1)
        n_pieces = (stop - start) // length
        if n_pieces == 0:
            rows.append((segment, start, stop))
        first = start + (stop - start - n_pieces * length) // 2
        rows += [(segment, first + k * length, first + (k + 1) * length) for k in range(n_pieces)]
    segment, starts, stops = _columns(rows, 3)
    rates = np.array([answer.fps for answer in answers])
    recording = segments.recording[segment]
    return Spans(
        recording=recording,
        segment=segment,
        start=starts,
        stop=stops,
        action=segments.action[segment],
        seconds=(stops - starts) / rates[recording],
    )


def _columns(rows: Sequence[tuple[int, ...]], n_columns: int) -> np.ndarray:
    return np.array(rows, dtype=np.int64).reshape(-1, n_columns).T
