"""Answers as a table with one row a frame, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from histvq.annotation import Annotation
from histvq.report.csv_text import csv_rows, rounded
from histvq.report.frames_read import (
    FINE_NAME,
    FRAME_COLUMNS,
    NAME,
    P_ACTION,
    P_NAME,
    P_SUBACTION,
    TRUTH,
    read_frames,
    read_truth,
)
from histvq.report.ready import Ready, stretches
from histvq.report.tables import CONFIDENCE_DECIMALS, TIME_DECIMALS
from histvq.segments import Segmentation, names_of
from histvq.writing import written_whole

# Of rows that are written; as Python's own texts and numbers each takes a quarter of a kilobyte.
ROWS_AT_ONCE = 5_000

__all__ = [
    "check_in_step",
    "frame_rows",
    "read_frames",
    "read_truth",
    "truth_by_recording",
    "write_frames",
]


def write_frames(
    path: str | Path,
    answers: Iterable[Segmentation],
    annotations: Iterable[Annotation] | None = None,
    *,
    ready: Ready = MappingProxyType({}),
) -> Path:
    """Write one row a frame: recording, frame, time_s, action, subaction, confidence.

    Where actions have names, there is a further column `name`, where subactions have, one
    `subaction_name`; with annotations one `true_action`, the name, empty where nobody said. Where a
    person has named or merged actions, `predicted_action`, `predicted_subaction` and, should the
    method have names of its own, `predicted_name` keep what the method said.

    Args:
        path: The file.
        answers: What was found.
        annotations: The truth, for any of the recordings.
        ready: Rows that need only be copied.

    Raises:
        ValueError: If an annotation has not as many frames as the answer for its recording.
    """
    answers = list(answers)
    known = None if annotations is None else truth_by_recording(annotations)
    table = _Table.of(answers, known)
    with written_whole(path) as file:
        file.write((",".join(table.columns) + "\n").encode())
        for some, rows in stretches(answers, ready, columns=table.columns):
            for text in table.rows(some) if rows is None else rows.frames():
                file.write(text)
    return Path(path)


def frame_rows(
    answers: Sequence[Segmentation], annotations: Iterable[Annotation] | None = None
) -> tuple[tuple[str, ...], Iterator[bytes]]:
    """The columns and, in parts, the rows that `write_frames` would write.

    Raises:
        ValueError: As there.
    """
    known = None if annotations is None else truth_by_recording(annotations)
    table = _Table.of(answers, known)
    return table.columns, table.rows(answers)


@dataclass(frozen=True)
class _Table:
    """What columns there are, and what fills them."""

    columns: tuple[str, ...]
    names: Mapping[int, str]
    fine_names: Mapping[int, str]
    own_names: Mapping[int, str]
    known: Mapping[str, Annotation] | None
    changed: bool

    @classmethod
    def of(
        cls, answers: Sequence[Segmentation], known: Mapping[str, Annotation] | None
    ) -> "_Table":
        for answer in answers:
            if known and answer.recording_id in known:
                check_in_step(answer, known[answer.recording_id])
        names, fine_names = names_of(answers), names_of(answers, "subaction")
        changed = any(answer.predicted is not None for answer in answers)
        own_names = names_of(a.predicted or a for a in answers) if changed else {}
        columns = [*FRAME_COLUMNS, *([NAME] if names else []), *([FINE_NAME] if fine_names else [])]
        columns += [] if known is None else [TRUTH]
        columns += [P_ACTION, P_SUBACTION] if changed else []
        columns += [P_NAME] if own_names else []
        return cls(tuple(columns), names, fine_names, own_names, known, changed)

    def rows(self, answers: Iterable[Segmentation]) -> Iterator[bytes]:
        """Those of these answers, a block at a time."""
        for block in _blocks(answers):
            columns = _frames(block)
            if self.names:
                columns[NAME] = _called(block, "actions", self.names)
            if self.fine_names:
                columns[FINE_NAME] = _called(block, "subactions", self.fine_names)
            if self.known is not None:
                truth = [_true_names(self.known.get(one.answer.recording_id), one) for one in block]
                columns[TRUTH] = np.concatenate(truth).tolist()
            predicted = [_Rows(one.answer.predicted or one.answer, one.rows) for one in block]
            if self.changed:
                columns[P_ACTION] = _codes(predicted, "actions")
                columns[P_SUBACTION] = _codes(predicted, "subactions")
            if self.own_names:
                columns[P_NAME] = _called(predicted, "actions", self.own_names)
            yield csv_rows(columns[name] for name in self.columns)


def truth_by_recording(annotations: Iterable[Annotation]) -> dict[str, Annotation]:
    """Annotations by the id of their recording."""
    return {annotation.recording_id: annotation for annotation in annotations}


def check_in_step(answer: Segmentation, truth: Annotation) -> None:
    """Raise ValueError unless answer and truth have equally many frames."""
    if truth.n_frames != answer.n_frames:
        raise ValueError(
            f"recording {answer.recording_id!r}: the answer has {answer.n_frames} frames, its "
            f"annotation {truth.n_frames}; take both at the same frame rate"
        )


@dataclass(frozen=True)
class _Rows:
    """Some rows of an answer."""

    answer: Segmentation
    rows: slice

    def __len__(self) -> int:
        return self.rows.stop - self.rows.start

    @property
    def columns(self) -> tuple[bool, ...]:
        """Which of the columns it has that some answers lack."""
        found = (self.answer, self.answer.predicted or self.answer)
        return tuple(
            getattr(one, name) is None for one in found for name in ("subactions", "confidence")
        )


def _blocks(answers: Iterable[Segmentation]) -> Iterator[list[_Rows]]:
    """The answers in blocks of rows: long ones would take much room, short ones much time one by one."""
    block: list[_Rows] = []
    n_rows = 0
    for answer in answers:
        for start in range(0, answer.n_frames, ROWS_AT_ONCE):
            one = _Rows(answer, slice(start, min(start + ROWS_AT_ONCE, answer.n_frames)))
            n_rows += len(one)
            if block and (n_rows > ROWS_AT_ONCE or one.columns != block[0].columns):
                yield block
                block, n_rows = [], len(one)
            block.append(one)
    if block:
        yield block


def _frames(block: Sequence[_Rows]) -> dict[str, list[Any]]:
    lengths = [len(one) for one in block]
    frames = np.concatenate([np.arange(one.rows.start, one.rows.stop) for one in block])
    ids = np.array([one.answer.recording_id for one in block], dtype=object)
    times = frames / np.repeat([one.answer.fps for one in block], lengths)
    confidence = _joined(block, "confidence")
    return {
        "recording": np.repeat(ids, lengths).tolist(),
        "frame": frames.tolist(),
        "time_s": rounded(times, TIME_DECIMALS),
        "action": _codes(block, "actions"),
        "subaction": _codes(block, "subactions"),
        "confidence": [None] * len(frames)
        if confidence is None
        else rounded(confidence, CONFIDENCE_DECIMALS),
    }


def _joined(block: Sequence[_Rows], name: str) -> np.ndarray | None:
    """One column of a block; None where these answers lack it."""
    if getattr(block[0].answer, name) is None:
        return None
    return np.concatenate([getattr(one.answer, name)[one.rows] for one in block])


def _codes(block: Sequence[_Rows], level: str) -> list[int | None]:
    codes = _joined(block, level)
    return [None] * sum(map(len, block)) if codes is None else codes.tolist()


def _called(block: Sequence[_Rows], level: str, names: Mapping[int, str]) -> list[str]:
    return [names.get(code, "") for code in _codes(block, level)]  # type: ignore[arg-type]


def _true_names(truth: Annotation | None, one: _Rows) -> np.ndarray:
    if truth is None:
        return np.full(len(one), "", dtype=object)
    names = np.array([*truth.actions, ""], dtype=object)  # the last one for -1
    return names[truth.labels[one.rows]]
