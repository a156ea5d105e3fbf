"""Answers as pieces of time with names other tools can hold."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from histvq.errors import DataWarning
from histvq.io.parts.safe_names import distinct, file_names
from histvq.segments import LEVELS, Segmentation, to_segments
from histvq.writing import together, write_text

MANIFEST = "recordings.csv"


class Piece(NamedTuple):
    """A segment that says something; frames are half-open, `confidence` is the mean over them."""

    start: int
    stop: int
    code: int
    confidence: float | None


def pieces(answer: Segmentation, level: str) -> list[Piece]:
    """The segments of one level, those of -1 left out; empty where the method has no such level."""
    labels = answer.labels(level)
    if labels is None:
        return []
    said = answer.confidence
    return [
        Piece(start, stop, code, None if said is None else float(said[start:stop].mean()))
        for start, stop, code in to_segments(labels)
        if code >= 0
    ]


def level_names(answers: Sequence[Segmentation], *, without: str = "") -> dict[str, dict[int, str]]:
    """By level that any answer has: what its codes are called, in names other tools can hold.

    Args:
        answers: Of one method.
        without: Characters the tool cannot have in a name.
    """
    there = [level for level in LEVELS if any(a.labels(level) is not None for a in answers)]
    return {level: _code_names(answers, level, without) for level in there}


def _code_names(answers: Iterable[Segmentation], level: str, without: str) -> dict[int, str]:
    said: dict[int, str] = {}
    for answer in answers:
        labels = answer.labels(level)
        for code in [] if labels is None else np.unique(labels).tolist():
            if code >= 0:
                said.setdefault(code, answer.name_of(code, level))
    codes = sorted(said)
    return dict(zip(codes, distinct([said[code] for code in codes], without=without), strict=True))


def milliseconds(answer: Segmentation) -> dict[int, int]:
    """Where the segments of an answer start and stop: frame -> whole milliseconds.

    Up to 1000 frames a second the nearest millisecond leads back to the frame. Above, several frames
    share one, and borders are moved apart as far as it takes that no segment is empty.

    Warns:
        DataWarning: If a border was moved.
    """
    levels = [pieces(answer, level) for level in LEVELS]
    frames = np.array(sorted({at for found in levels for p in found for at in p[:2]}), np.int64)
    nearest = np.rint(frames * 1000 / answer.fps).astype(np.int64)
    order = np.arange(len(frames))
    apart = np.maximum.accumulate(nearest - order) + order if len(frames) else nearest
    if (moved := int(np.abs(apart - nearest).max(initial=0))) > 0:
        warnings.warn(
            f"recording {answer.recording_id!r}: at {answer.fps:g} frames a second segments are "
            f"shorter than a millisecond; borders were moved by up to {moved} ms. CSV keeps them",
            DataWarning,
            stacklevel=3,
        )
    return dict(zip(frames.tolist(), apart.tolist(), strict=True))


@contextmanager
def one_file_each(
    folder: Path, answers: Sequence[Segmentation], *endings: str
) -> Iterator[list[tuple[Segmentation, tuple[Path, ...]]]]:
    """Where each answer's files are to be written; they go to `folder` when all are there.

    With them goes a table of which file is whose, because not every recording's id can be the name of a
    file. Where one cannot be written none is, and an earlier export stays as it was.
    """
    import pandas as pd

    names = file_names(answer.recording_id for answer in answers)
    rows = [(id, f"{name}{ending}") for id, name in names.items() for ending in endings]
    table = pd.DataFrame(rows, columns=["recording", "file"])
    with together(folder) as place:
        write_text(place / MANIFEST, table.to_csv(index=False, lineterminator="\n"))
        yield [
            (answer, tuple(place / f"{names[answer.recording_id]}{ending}" for ending in endings))
            for answer in answers
        ]
