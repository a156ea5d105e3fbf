"""Rows of the run's tables, made where the answers are and kept packed."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.report.frames import frame_rows
from histvq.report.tables import segment_rows
from histvq.segments import Segmentation

# Rows are much alike: packed as quickly as can be, they take a tenth of their room.
_LEVEL = 1
_CHUNK = 2**20


def rows_of(
    answers: Sequence[Segmentation], truth: Sequence[Annotation]
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The columns of the rows of frames, these rows and those of segments, packed.

    Args:
        answers: Some that follow one another.
        truth: Of those that have one; one of another length is no truth.
    """
    frames = {answer.recording_id: answer.n_frames for answer in answers}
    fits = [one for one in truth if frames.get(one.recording_id) == one.n_frames]
    columns, rows = frame_rows(answers, fits or None)
    return columns, packed(rows), packed(segment_rows(answers))


def packed(texts: Iterable[bytes]) -> np.ndarray:
    """Texts, one after another, as bytes (uint8)."""
    packer = zlib.compressobj(_LEVEL)
    parts = [packer.compress(text) for text in texts]
    return np.frombuffer(b"".join([*parts, packer.flush()]), np.uint8)


def unpacked(content: np.ndarray) -> Iterator[bytes]:
    """What was packed, in parts of a bounded size."""
    unpacker = zlib.decompressobj()
    rest: Any = np.ascontiguousarray(content).data
    while len(rest) and not unpacker.eof:
        yield unpacker.decompress(rest, _CHUNK)
        rest = unpacker.unconsumed_tail
    yield unpacker.flush()
