"""Answers as a table with one row a frame, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from histvq.annotation import Annotation
from histvq.report.frames_read import (
    FINE_NAME,
    FRAME_COLUMNS,
    NAME,
    P_ACTION,
    P_NAME,
    P_SUBACTION,
    ROWS_A_BLOCK,
    TRUTH,
    read_frames,
    read_truth,
)
from histvq.report.tables import CONFIDENCE_DECIMALS, TIME_DECIMALS
from histvq.segments import Segmentation, names_of
from histvq.writing import written_whole

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_in_step", "read_frames", "read_truth", "truth_by_recording", "write_frames"]


def write_frames(
    path: str | Path,
    answers: Iterable[Segmentation],
    annotations: Iterable[Annotation] | None = None,
) -> Path:
    """Write one row a frame: recording, frame, time_s, action, subaction, confidence.

    Where actions have names, there is a further column `name`, where subactions have, one
    `subaction_name`; with annotations one `true_action`, the name, empty where nobody said. Where a
    person has named or merged actions, `predicted_action`, `predicted_subaction` and, should the
    method have names of its own, `predicted_name` keep what the method said.

    Raises:
        ValueError: If an annotation has not as many frames as the answer for its recording.
    """
    known = None if annotations is None else truth_by_recording(annotations)
    answers = list(answers)
    for answer in answers:
        if known and answer.recording_id in known:
            check_in_step(answer, known[answer.recording_id])
    names, fine_names = names_of(answers), names_of(answers, "subaction")
    before = [answer.predicted or answer for answer in answers]
    changed = any(answer.predicted is not None for answer in answers)
    own_names = names_of(before) if changed else {}

    columns = [*FRAME_COLUMNS, *([NAME] if names else []), *([FINE_NAME] if fine_names else [])]
    columns += [] if known is None else [TRUTH]
    columns += [P_ACTION, P_SUBACTION] if changed else []
    columns += [P_NAME] if own_names else []
    with written_whole(path) as file:
        file.write((",".join(columns) + "\n").encode())
        for answer, predicted, rows in _blocks(answers, before):
            table = _frames(answer, rows)
            if names:
                table[NAME] = _called(answer.actions, names, rows)
            if fine_names:
                table[FINE_NAME] = _called(answer.subactions, fine_names, rows)
            if known is not None:
                table[TRUTH] = _true_names(known.get(answer.recording_id), rows)
            if changed:
                table[P_ACTION] = predicted.actions[rows]
                table[P_SUBACTION] = _or_blank(predicted.subactions, rows)
            if own_names:
                table[P_NAME] = _called(predicted.actions, own_names, rows)
            text = table[columns].to_csv(header=False, index=False, lineterminator="\n")
            file.write(text.encode("utf-8", errors="replace"))
    return Path(path)


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


def _blocks(
    answers: Sequence[Segmentation], before: Sequence[Segmentation]
) -> Iterator[tuple[Segmentation, Segmentation, slice]]:
    """The answers, as they are and as they were, some rows at a time: long ones would take much room."""
    for answer, predicted in zip(answers, before, strict=True):
        for start in range(0, answer.n_frames, ROWS_A_BLOCK):
            yield answer, predicted, slice(start, min(start + ROWS_A_BLOCK, answer.n_frames))


def _frames(answer: Segmentation, rows: slice) -> "pd.DataFrame":
    import pandas as pd

    frames = np.arange(rows.start, rows.stop)
    confidence = answer.confidence
    return pd.DataFrame(
        {
            "recording": pd.Categorical.from_codes(
                np.zeros(len(frames), dtype=int), categories=pd.Index([answer.recording_id])
            ),
            "frame": frames,
            "time_s": np.round(frames / answer.fps, TIME_DECIMALS),
            "action": answer.actions[rows],
            "subaction": _or_blank(answer.subactions, rows),
            "confidence": "" if confidence is None else np.round(
                np.asarray(confidence[rows], dtype=float), CONFIDENCE_DECIMALS
            ),
        }
    )  # fmt: skip


def _or_blank(codes: np.ndarray | None, rows: slice) -> Any:
    return "" if codes is None else codes[rows]


def _called(codes: np.ndarray | None, names: Mapping[int, str], rows: slice) -> Any:
    return "" if codes is None else [names.get(code, "") for code in codes[rows].tolist()]


def _true_names(truth: Annotation | None, rows: slice) -> Any:
    if truth is None:
        return ""
    import pandas as pd

    return pd.Categorical.from_codes(
        truth.labels[rows].astype(int), categories=pd.Index(truth.actions)
    )
